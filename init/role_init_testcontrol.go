//go:build testcontrol

package main

import (
	"context"
	"fmt"
	"syscall"

	"galilei/init/internal/control"
	"galilei/init/internal/testchannel"
)

// startTestChannel opens the channel through which tests act upon the device.
func startTestChannel(d *device) {
	c := testchannel.Channel{Device: d, Proc: "/proc", Data: initDir, Log: d.log}
	d.tasks.Keep("test channel", func(ctx context.Context) error {
		path, err := testchannel.FindPort(ctx, "/sys/class/virtio-ports", "/dev")
		if err != nil {
			return err
		}
		return c.Serve(ctx, path)
	})
}

// SignalRole sends a signal to the process of a role.
func (d *device) SignalRole(name string, sig syscall.Signal) error {
	r := d.role(name)
	if r == nil {
		return fmt.Errorf("signal %q: %w", name, control.ErrNoRole)
	}
	return r.Signal(sig)
}

// RolePID returns the process of a role, 0 when none runs.
func (d *device) RolePID(name string) (int, error) {
	r := d.role(name)
	if r == nil {
		return 0, fmt.Errorf("process of %q: %w", name, control.ErrNoRole)
	}
	return r.Status().PID, nil
}
