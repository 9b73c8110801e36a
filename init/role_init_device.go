package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"galilei/firmware/boards"
	"galilei/init/internal/boot"
	"galilei/init/internal/console"
	"galilei/init/internal/control"
	"galilei/init/internal/slots"
	"galilei/init/internal/supervise"
)

// Where things are on the device, and who the roles are.
const (
	dataDir       = "/data"
	pbxdDir       = dataDir + "/pbx"  // pbxd's own
	initDir       = dataDir + "/init" // process 1's own
	networkFile   = initDir + "/network.json"
	runDir        = "/run/galilei"
	controlSocket = runDir + "/control.sock"
	cgroupRoot    = "/sys/fs/cgroup"
	efivars       = "/sys/firmware/efi/efivars"
	sysBlock      = "/sys/class/block"
	ownPath       = "/init" // where the kernel finds us in the initramfs
	ownBinary     = "/proc/self/exe"
	binDir        = "/bin"

	pbxdUID = 200 // user and group
	dhcpUID = 201

	pbxdSilence = 20 * time.Second // four of the words that it gives every 5 s are lost
)

// device is what process 1 holds together.
type device struct {
	console *console.Console
	log     *slog.Logger
	tasks   *supervise.Tasks
	reaper  *supervise.Reaper
	network *network
	end     chan boot.Way

	// Roles run until stopRoles; the tasks that serve them outlive them.
	roleCtx   context.Context
	stopRoles context.CancelFunc

	// Set by the phases of the boot, each before those that read it start.
	board    boards.Board
	cmdline  boot.CommandLine
	watchdog *boot.Watchdog

	mu        sync.Mutex
	due       time.Time // when what process 1 does now must be done; zero: nothing
	slot      string
	memory    bool // the data partition does not mount
	roles     []*running
	readyLine string // of pbxd; empty while it is not ready
	announced bool   // that pbxd is ready
	lastLine  string // the status line printed last
}

// running is a role and the signal that it has ended.
type running struct {
	*supervise.Role
	name     string
	critical bool // the watchdog watches over it
	cancel   context.CancelFunc
	ended    <-chan struct{} // closed
}

// newDevice returns a device that writes to out. before is told of each
// attempt of each task; tests throw from it.
func newDevice(ctx context.Context, out io.Writer, before func(task string)) *device {
	c := console.New(out, boot.SinceKernelStart)
	log := slog.New(console.NewHandler(c, slog.LevelInfo))
	d := &device{
		console: c, log: log,
		tasks:  supervise.NewTasks(ctx, log, before),
		reaper: supervise.NewReaper(),
		end:    make(chan boot.Way, 1),
		slot:   slots.Unknown,
	}
	d.roleCtx, d.stopRoles = context.WithCancel(ctx)
	return d
}

// startRole keeps a role running. Its events reach the device's status.
func (d *device) startRole(s supervise.Spec, critical bool, on supervise.Events) *running {
	changed := on.Changed
	on.Changed = func(st supervise.Status) {
		d.roleChanged(st)
		if changed != nil {
			changed(st)
		}
	}
	ctx, cancel := context.WithCancel(d.roleCtx)
	r := &running{
		Role: supervise.NewRole(s, d.reaper.StartProcess, d.tasks, d.log, on),
		name: s.Name, critical: critical, cancel: cancel,
	}
	ended := make(chan struct{})
	r.ended = ended
	d.mu.Lock()
	d.roles = append(d.roles, r)
	d.mu.Unlock()
	d.tasks.Keep("role "+s.Name, func(context.Context) error {
		err := r.Run(ctx) // ends with ctx; after a panic it is run again
		if err == nil {
			close(ended)
		}
		return err
	})
	return r
}

// endRole stops a role and forgets it. It waits for its end.
func (d *device) endRole(r *running) {
	r.cancel()
	<-r.ended
	d.mu.Lock()
	defer d.mu.Unlock()
	d.roles = slices.DeleteFunc(d.roles, func(o *running) bool { return o == r })
}

// role returns the role of that name, or nil.
func (d *device) role(name string) *running {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.roles {
		if r.name == name {
			return r
		}
	}
	return nil
}

// How long booting and going down may take until the watchdog resets a device
// whose disk or kernel is stuck. The first boot formats up to 64 GiB.
const (
	bootTime = 3 * time.Minute
	downTime = time.Minute
)

// expect sets the time that process 1 has for what it does now; 0 for none.
func (d *device) expect(within time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.due = time.Time{}
	if within > 0 {
		d.due = time.Now().Add(within)
	}
}

// healthy reports whether the watchdog is to be fed.
func (d *device) healthy() bool {
	d.mu.Lock()
	roles := slices.Clone(d.roles)
	late := !d.due.IsZero() && time.Now().After(d.due)
	d.mu.Unlock()
	if late {
		return false
	}
	for _, r := range roles {
		if r.critical && !r.Healthy() {
			return false
		}
	}
	return true
}

// findSlot learns which slot is running.
func (d *device) findSlot() (string, error) {
	ctx, cancel := context.WithTimeout(d.roleCtx, diskTime)
	defer cancel()
	p, err := boot.FindPartition(ctx, sysBlock, "slot-a")
	if err != nil {
		return slots.Unknown, err
	}
	disk, err := os.Open(p.Disk)
	if err != nil {
		return slots.Unknown, fmt.Errorf("find slot: %w", err)
	}
	defer disk.Close()
	slot, err := slots.Running(efivars, disk)
	d.mu.Lock()
	d.slot = slot
	d.mu.Unlock()
	return slot, err
}

// stop ends every role and says so.
func (d *device) stop() {
	d.expect(downTime) // to the end: the restart itself is part of it
	d.console.Printf("going down")
	d.stopRoles()
	d.mu.Lock()
	roles := slices.Clone(d.roles)
	d.mu.Unlock()
	for _, r := range roles {
		<-r.ended
	}
	d.console.Flush(time.Second)
}

// goDown asks process 1 to go down. The first word counts.
func (d *device) goDown(way boot.Way) {
	select {
	case d.end <- way:
	default:
	}
}

// Reboot restarts the device.
func (d *device) Reboot() { d.goDown(boot.Reboot) }

// Shutdown switches the device off.
func (d *device) Shutdown() { d.goDown(boot.PowerOff) }

// RestartRole stops a role and starts it again.
func (d *device) RestartRole(name string) error {
	r := d.role(name)
	if r == nil {
		return fmt.Errorf("restart %q: %w", name, control.ErrNoRole)
	}
	r.Restart()
	return nil
}

// Alive takes a role's word that it does not hang.
func (d *device) Alive(name string) error {
	r := d.role(name)
	if r == nil {
		return fmt.Errorf("alive %q: %w", name, control.ErrNoRole)
	}
	r.Role.Alive()
	return nil
}

// binaryOf returns the path under which a role is started: a link to our own
// binary with the role's name, which is what lists of processes then show.
func (d *device) binaryOf(role string) string {
	link := filepath.Join(binDir, role)
	err := os.MkdirAll(binDir, 0o755)
	if err == nil {
		err = os.Symlink(ownPath, link)
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		d.log.Warn("role runs without its name", "role", role, "error", err)
		return ownBinary
	}
	return link
}

// cgroupOf returns the control group of a role.
func cgroupOf(role string) string { return filepath.Join(cgroupRoot, role) }
