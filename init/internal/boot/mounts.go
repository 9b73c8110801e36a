package boot

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Mount is one file system of the running device.
type Mount struct {
	Source, Target, Type string
	Flags                uintptr
	Options              string
	Optional             bool // not every kernel or firmware has it
}

const (
	noSuid = unix.MS_NOSUID
	noDev  = unix.MS_NODEV
	noExec = unix.MS_NOEXEC
)

// Devices returns the one mount that must precede all others: the watchdog
// is armed through it.
func Devices() Mount {
	return Mount{Source: "devtmpfs", Target: "/dev", Type: "devtmpfs", Flags: noSuid | noExec, Options: "mode=0755"}
}

// SystemMounts returns the file systems that need no module, in order.
func SystemMounts() []Mount {
	return []Mount{
		{Source: "proc", Target: "/proc", Type: "proc", Flags: noSuid | noDev | noExec, Options: "hidepid=2"}, // roles see themselves only
		{Source: "sysfs", Target: "/sys", Type: "sysfs", Flags: noSuid | noDev | noExec},
		{Source: "devpts", Target: "/dev/pts", Type: "devpts", Flags: noSuid | noExec, Options: "mode=0620,ptmxmode=0666"},
		{Source: "tmpfs", Target: "/run", Type: "tmpfs", Flags: noSuid | noDev | noExec, Options: "mode=0755,size=16m"},
		{Source: "tmpfs", Target: "/tmp", Type: "tmpfs", Flags: noSuid | noDev | noExec, Options: "mode=1777,size=64m"},
		{Source: "cgroup2", Target: "/sys/fs/cgroup", Type: "cgroup2", Flags: noSuid | noDev | noExec},
	}
}

// FirmwareMounts returns the file systems that come with a module.
func FirmwareMounts() []Mount {
	return []Mount{
		{Source: "efivarfs", Target: "/sys/firmware/efi/efivars", Type: "efivarfs", Flags: noSuid | noDev | noExec, Optional: true},
	}
}

// MountAll mounts each of table, making its target when it is missing. One
// that is mounted already is left alone. It goes on after a failure and
// returns every error.
func MountAll(table []Mount) error {
	var errs []error
	for _, m := range table {
		if err := m.mount(); err != nil && !m.Optional {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (m Mount) mount() error {
	if err := os.MkdirAll(m.Target, 0o755); err != nil {
		return fmt.Errorf("mount %s: %w", m.Target, err)
	}
	err := unix.Mount(m.Source, m.Target, m.Type, m.Flags, m.Options)
	if err != nil && !errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("mount %s on %s (%s): %w", m.Source, m.Target, m.Type, err)
	}
	return nil
}

// EnableControllers lets the control groups below root limit memory,
// processors and numbers of tasks.
func EnableControllers(root string) error {
	var errs []error
	for _, c := range []string{"+memory", "+cpu", "+pids"} { // one by one: a kernel may lack one
		if err := os.WriteFile(root+"/cgroup.subtree_control", []byte(c), 0); err != nil {
			errs = append(errs, fmt.Errorf("enable control group controller %s: %w", c, err))
		}
	}
	return errors.Join(errs...)
}
