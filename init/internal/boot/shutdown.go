package boot

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Way is how the device goes down.
type Way int

// The ways down.
const (
	Reboot Way = iota
	PowerOff
)

func (w Way) String() string {
	if w == PowerOff {
		return "power off"
	}
	return "reboot"
}

// Down ends every other process, makes the file systems at targets durable and
// unmounts them, and reboots or switches off. On success it does not return.
func Down(way Way, targets []string, report func(error)) error {
	if err := unix.Kill(-1, unix.SIGTERM); err == nil {
		time.Sleep(200 * time.Millisecond) // orphans only: the roles are stopped
	}
	if err := unix.Kill(-1, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
		report(fmt.Errorf("kill remaining processes: %w", err))
	}
	unix.Sync()
	for _, t := range targets {
		if err := release(t); err != nil {
			report(err)
		}
	}
	cmd := unix.LINUX_REBOOT_CMD_RESTART
	if way == PowerOff {
		cmd = unix.LINUX_REBOOT_CMD_POWER_OFF
	}
	if err := unix.Reboot(cmd); err != nil {
		return fmt.Errorf("%s: %w", way, err)
	}
	return nil
}

// release unmounts target, or makes it read-only when somebody still uses it.
func release(target string) error {
	var err error
	for range 20 { // killed processes take a moment to let go
		if err = unix.Unmount(target, 0); !errors.Is(err, unix.EBUSY) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err == nil || errors.Is(err, unix.EINVAL) { // EINVAL: not mounted
		return nil
	}
	if ro := unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); ro != nil {
		return errors.Join(fmt.Errorf("unmount %s: %w", target, err), fmt.Errorf("make %s read-only: %w", target, ro))
	}
	return nil
}
