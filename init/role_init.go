package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"galilei/firmware/boards"
	"galilei/init/internal/boot"
	"galilei/init/internal/control"
	"galilei/init/internal/netconf"
	"galilei/init/internal/supervise"
)

// phase is one named step of the boot. Its detail goes to the console beside
// its name. A phase that fails is told and the boot goes on: a device that
// lacks something is still better than none.
type phase struct {
	name string
	run  func() (detail string, err error)
}

// bootOrder is what happens between the kernel's start of process 1 and a
// running PBX.
func (d *device) bootOrder() []phase {
	return []phase{
		{"board", d.loadBoard},
		{"devices", d.mountDevices},
		{"modules", d.loadModules}, // the watchdog's comes first, and it is armed at once
		{"mounts", d.mountSystem},
		{"console", d.openConsole},
		{"limits", d.setLimits},
		{"loopback", d.loopback},
		{"slot", d.findSlot},
		{"data", d.openData},
		{"network", d.startNetwork}, // goes on beside what follows
		{"control", d.startControl},
		{"pbxd", d.startPBX},
	}
}

// initMain is process 1. It returns only when it is started as anything else.
func initMain([]string) int {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "galilei init: only the kernel starts this, as process 1")
		return 2
	}
	runtime.LockOSThread()         // the process's own thread stays root: role starts give up theirs for good
	debug.SetMemoryLimit(64 << 20) // process 1 is small; collect rather than grow
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	way := boot.Reboot
	err := supervise.Contain("init", func() error {
		d := newDevice(ctx, os.Stdout, nil)
		d.boot()
		debug.FreeOSMemory() // formatting took some, once
		way = d.waitForEnd(d.signals())
		d.stop()
		return boot.Down(way, []string{dataDir}, func(err error) { d.log.Error("going down", "error", err) })
	})
	// Only a fault leads here. The end of process 1 would be the kernel's
	// panic; going down in order is better.
	fmt.Fprintf(os.Stderr, "galilei init: %v; restarting in 5 s\n", err)
	time.Sleep(5 * time.Second)
	unix.Sync()
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART); err != nil {
		fmt.Fprintf(os.Stderr, "galilei init: reboot: %v\n", err)
	}
	select {} // the watchdog is fed no more
}

// boot runs the phases in order, each contained.
func (d *device) boot() {
	d.expect(bootTime)
	defer d.expect(0)
	d.console.Printf("galilei %s", version)
	for _, p := range d.bootOrder() {
		err := supervise.Contain(p.name, func() error {
			detail, err := p.run()
			if detail != "" {
				detail = ": " + detail
			}
			d.console.Printf("%s%s", p.name, detail)
			return err
		})
		if err != nil {
			d.log.Error("boot", "phase", p.name, "error", err)
		}
	}
}

func (d *device) loadBoard() (string, error) {
	d.tasks.Keep("console", d.console.Run)
	d.tasks.Keep("reaper", d.reaper.Run)
	name := boards.Default
	b, err := os.ReadFile("/etc/galilei/board")
	if err == nil {
		name = strings.TrimSpace(string(b))
	}
	board, loadErr := boards.Load(name)
	if loadErr != nil {
		return "", loadErr
	}
	d.board = board
	return fmt.Sprintf("%s (%s)", board.Name, board.Model), err
}

func (d *device) mountDevices() (string, error) {
	return "", boot.MountAll([]boot.Mount{boot.Devices()})
}

func (d *device) loadModules() (string, error) {
	count := 0
	err := boot.LoadModules("/", func(string) {
		count++
		d.armWatchdog()
	})
	if d.armWatchdog(); d.watchdog == nil {
		return fmt.Sprintf("%d, no watchdog", count), err
	}
	return fmt.Sprintf("%d, watchdog %v", count, d.watchdog.Timeout()), err
}

// armWatchdog arms the board's watchdog as soon as there is one.
func (d *device) armWatchdog() {
	k := d.board.Kernel
	if d.watchdog != nil || k == nil || k.Watchdog == "" {
		return
	}
	path := "/dev/" + k.Watchdog
	if _, err := os.Stat(path); err != nil {
		return // its driver is not in yet
	}
	w, err := boot.ArmWatchdog(path, time.Duration(k.WatchdogSeconds)*time.Second)
	if err != nil {
		d.log.Error("watchdog", "error", err)
	}
	if w == nil {
		return
	}
	d.watchdog = w
	d.tasks.Keep("watchdog", func(ctx context.Context) error {
		return w.Feed(ctx, d.healthy, func(starving bool) {
			if starving {
				d.console.Printf("watchdog: the PBX does not stay up; reset in %v unless it does", w.Timeout())
			} else {
				d.console.Printf("watchdog: fed again")
			}
		})
	})
}

func (d *device) mountSystem() (string, error) {
	err := boot.MountAll(append(boot.SystemMounts(), boot.FirmwareMounts()...))
	if err == nil {
		err = boot.EnableControllers(cgroupRoot)
	}
	var cmdErr error
	if d.cmdline, cmdErr = boot.ReadCommandLine("/proc/cmdline"); cmdErr != nil {
		d.log.Error("boot", "error", cmdErr)
	}
	return "", err
}

// openConsole moves from the kernel's console to the board's serial device,
// which is the same on most boards.
func (d *device) openConsole() (string, error) {
	if d.board.Kernel == nil || d.board.Kernel.Console == "" {
		return "kernel's own", nil
	}
	f, err := os.OpenFile("/dev/"+d.board.Kernel.Console, os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return "", fmt.Errorf("open console: %w", err)
	}
	d.console.SetOutput(f)
	return d.board.Kernel.Console, nil
}

func (d *device) setLimits() (string, error) {
	return "", boot.SetLimits("/proc/sys", d.log)
}

func (d *device) loopback() (string, error) { return "", netconf.LoopbackUp() }

func (d *device) startNetwork() (string, error) {
	d.network = newNetwork(d)
	d.tasks.Keep("network interface", d.network.findInterface)
	d.tasks.Keep("network", d.network.run)
	return d.network.settings.Mode, nil
}

func (d *device) startControl() (string, error) {
	if err := os.MkdirAll(runDir, 0o755); err != nil {
		return "", fmt.Errorf("control: %w", err)
	}
	d.tasks.Keep("control", func(ctx context.Context) error {
		l, err := control.Listen(controlSocket, pbxdUID)
		if err != nil {
			return err
		}
		s := control.Server{Device: d, Validate: netconf.Validate, Allowed: []uint32{0, pbxdUID}, Log: d.log}
		return s.Serve(ctx, l)
	})
	startTestChannel(d)
	return "", nil
}

// signals returns the signals that mean to go down: those of the power supply
// and of ctrl-alt-del, which the kernel is told to leave to us.
func (d *device) signals() <-chan os.Signal {
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, unix.SIGTERM, unix.SIGINT, unix.SIGPWR)
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF); err != nil {
		d.log.Warn("ctrl-alt-del restarts without stopping first", "error", err)
	}
	return sig
}

// waitForEnd waits for the word to go down: a verb of control or a signal.
func (d *device) waitForEnd(sig <-chan os.Signal) boot.Way {
	select {
	case way := <-d.end:
		return way
	case s := <-sig:
		if s == unix.SIGINT { // ctrl-alt-del
			return boot.Reboot
		}
		return boot.PowerOff
	}
}
