package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"galilei/init/internal/dhcp"
	"galilei/init/internal/netconf"
	"galilei/pbxd/pbx"
)

// retryApply is when a plan that the kernel refused is tried again.
const retryApply = 5 * time.Second

// network owns the addresses of the device. One goroutine takes every change,
// one after the other.
type network struct {
	device  *device
	kernel  netconf.Kernel
	changes chan change
	events  chan dhcp.Event
	found   chan string // the LAN interface

	// Of the goroutine alone.
	settings   pbx.Network
	lease      *netconf.Lease // held until leaseEnds, whatever becomes of the role
	leaseEnds  time.Time      // by the monotonic clock; the zero Time: never
	leaseBy    int            // process that told of it and still answers for it; 0: none
	gaveUp     bool           // no server has answered for a while, or the lease is lost
	client     *running       // the DHCP role, with mode dhcp
	clientName string         // host name that it was started with

	mu    sync.Mutex
	state networkState
}

// networkState is what others may know.
type networkState struct {
	iface string
	plan  netconf.Plan
}

// change asks for other settings; the answer says whether there was anything
// to do.
type change struct {
	settings pbx.Network
	answer   chan<- changeAnswer
}

type changeAnswer struct {
	changed bool
	err     error
}

// newNetwork begins with the settings that were applied last, or the factory's.
func newNetwork(d *device) *network {
	settings, err := netconf.Load(networkFile)
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			d.log.Error("network settings of the board are used", "error", err)
		}
		settings = pbx.Factory(pbx.Defaults{NetworkMode: d.board.Network.Mode}).Network
	}
	return &network{
		device:   d,
		kernel:   netconf.Kernel{ResolvConf: "/etc/resolv.conf", SetHostname: unix.Sethostname},
		changes:  make(chan change),
		events:   make(chan dhcp.Event, 8),
		found:    make(chan string, 1),
		settings: settings,
		state:    networkState{plan: netconf.Plan{Source: netconf.None}},
	}
}

// run keeps the kernel in step with the settings, the lease and the LAN
// interface, once that is there, until ctx ends.
func (n *network) run(ctx context.Context) error {
	var retry <-chan time.Time
	for {
		n.watchLease(time.Now())
		if err := n.update(); err != nil {
			n.device.log.Error("network", "error", err, "again_in", retryApply)
			retry = time.After(retryApply)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-retry:
			retry = nil
		case <-n.leaseTimer():
		case iface := <-n.found:
			n.mu.Lock()
			n.state.iface = iface
			n.mu.Unlock()
		case e := <-n.events:
			n.take(e)
		case c := <-n.changes:
			changed, err := n.change(c.settings)
			if err == nil && changed {
				err = n.update()
			}
			c.answer <- changeAnswer{changed, err}
		}
	}
}

// findInterface waits for the first of the board's LAN interfaces.
func (n *network) findInterface(ctx context.Context) error {
	for {
		wait, cancel := context.WithTimeout(ctx, 10*time.Second)
		iface, err := netconf.WaitForInterface(wait, n.device.board.Network.Interfaces)
		cancel()
		switch {
		case err == nil:
			n.found <- iface // has room for one and gets one
			return nil
		case ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded):
			return err
		}
		n.device.log.Warn("network", "error", err)
	}
}

// update starts or stops the DHCP client and makes the kernel agree with
// settings and lease. Without an interface there is nothing to do yet.
func (n *network) update() error {
	iface := n.now().iface
	if iface == "" {
		return nil
	}
	n.runClient(iface)
	return n.apply(iface)
}

// apply makes the kernel agree with settings and lease.
func (n *network) apply(iface string) error {
	plan, err := netconf.Make(n.settings, n.lease, n.gaveUp)
	if err != nil {
		return err
	}
	err = n.kernel.Apply(iface, plan)
	n.mu.Lock()
	differs := !n.state.plan.Equal(plan)
	n.state.plan = plan
	n.mu.Unlock()
	if differs {
		n.device.showStatus()
	}
	return err
}

// change takes other settings and keeps them over a restart.
func (n *network) change(s pbx.Network) (changed bool, err error) {
	if sameSettings(s, n.settings) {
		return false, nil
	}
	if err := netconf.Save(networkFile, s); err != nil {
		return false, err
	}
	n.settings = s
	return true, nil
}

func sameSettings(a, b pbx.Network) bool {
	return a.Hostname == b.Hostname && a.Mode == b.Mode && a.Address == b.Address &&
		a.Gateway == b.Gateway && slices.Equal(a.DNS, b.DNS)
}

// now returns the interface and the plan in force. A nil network, before the
// boot has come to it, has none.
func (n *network) now() networkState {
	if n == nil {
		return networkState{plan: netconf.Plan{Source: netconf.None}}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

// addresses returns what the kernel holds.
func (n *network) addresses() []netip.Prefix {
	iface := n.now().iface
	if iface == "" {
		return nil
	}
	all, err := netconf.Addresses(iface)
	if err != nil {
		n.device.log.Warn("status", "error", err)
	}
	return all
}

// ask hands settings to the goroutine and waits for its answer.
func (n *network) ask(ctx context.Context, s pbx.Network) (changed bool, err error) {
	answer := make(chan changeAnswer, 1)
	select {
	case n.changes <- change{settings: s, answer: answer}:
	case <-ctx.Done():
		return false, fmt.Errorf("change the network: %w", context.Cause(ctx))
	}
	select {
	case a := <-answer:
		return a.changed, a.err
	case <-ctx.Done():
		return false, fmt.Errorf("change the network: %w", context.Cause(ctx))
	}
}

// ApplyNetwork keeps and applies network settings.
func (d *device) ApplyNetwork(ctx context.Context, s pbx.Network) (changed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return d.network.ask(ctx, s)
}
