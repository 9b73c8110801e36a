package main

import (
	"time"

	"golang.org/x/sys/unix"

	"galilei/init/internal/console"
	"galilei/init/internal/dhcp"
	"galilei/init/internal/netconf"
	"galilei/init/internal/supervise"
)

// putOff is how long a lease holds beyond the life of the process that renewed
// it without a word. Half of it is enough for the next process to get one.
const putOff = time.Minute

// take takes an event of the DHCP role, which was checked. The lease is ours,
// not the role's: one that was started again and finds no server does not end
// what was granted before.
func (n *network) take(e dhcp.Event) {
	if n.client == nil {
		return // it comes from a client that was stopped meanwhile
	}
	switch {
	case e.Kind == dhcp.Bound:
		n.hold(*e.Lease, time.Now())
	case e.Kind == dhcp.NoTime && n.lease != nil:
		n.leaseBy = 0 // the role says itself that it holds none
		n.device.console.Printf("no reply from DHCP (%s): keeping %s", e.Why, n.lease.Address)
	case e.Kind == dhcp.Lost || e.Kind == dhcp.NoTime:
		n.giveUp(e.Why)
	}
}

// hold takes a lease that was granted just now, in place of any other.
func (n *network) hold(l dhcp.Lease, now time.Time) {
	if n.lease == nil || n.lease.Address != l.Address {
		n.device.console.Printf("address %s from DHCP server %s", l.Address, l.Server)
	}
	n.forgetLease()
	n.lease = &netconf.Lease{Address: l.Address, Gateway: l.Gateway, DNS: l.DNS}
	if l.Seconds != dhcp.Infinite {
		n.leaseEnds = now.Add(time.Duration(l.Seconds) * time.Second)
		n.leaseBy = n.clientPID()
	}
}

func (n *network) forgetLease() {
	n.lease, n.leaseEnds, n.leaseBy = nil, time.Time{}, 0
}

// giveUp goes on without a lease.
func (n *network) giveUp(why string) {
	n.forgetLease()
	n.gaveUp = true
	n.device.console.Printf("no address from DHCP (%s): using %s", why, netconf.FactoryAddress())
}

// clientPID returns the process of the DHCP role, 0 when none runs.
func (n *network) clientPID() int {
	if n.client == nil || n.client.Role == nil {
		return 0
	}
	return n.client.Status().PID
}

// watchLease gives up a lease that has ended. The process that told of it
// renews it without a word when nothing in it changes, and says so when it
// cannot: while that process lives, the end is put off by a little each time.
// After it, the end stands.
func (n *network) watchLease(now time.Time) {
	if n.leaseEnds.IsZero() {
		return
	}
	if n.leaseBy != 0 && n.clientPID() != n.leaseBy {
		n.leaseBy = 0
	}
	switch {
	case n.leaseBy != 0 && n.leaseEnds.Sub(now) <= putOff/2:
		n.leaseEnds = now.Add(putOff)
	case !now.Before(n.leaseEnds):
		n.giveUp("the lease has ended")
	}
}

// leaseTimer returns a channel that says when watchLease has something to do;
// nil when it never has.
func (n *network) leaseTimer() <-chan time.Time {
	if n.leaseEnds.IsZero() {
		return nil
	}
	at := n.leaseEnds
	if n.leaseBy != 0 {
		at = at.Add(-putOff / 2)
	}
	return time.After(time.Until(at))
}

// runClient starts the DHCP role, or stops it, as the settings ask for.
func (n *network) runClient(iface string) {
	wanted := n.settings.Mode == "dhcp"
	if n.client != nil && (!wanted || n.clientName != n.settings.Hostname) {
		n.device.endRole(n.client)
		n.client = nil
	}
	if !wanted {
		n.forgetLease()
		n.gaveUp = false
	}
	if !wanted || n.client != nil {
		return
	}
	n.clientName = n.settings.Hostname
	d := n.device
	mirror := console.NewMirror(d.console, "dhcp")
	n.client = d.startRole(supervise.Spec{
		Name: "dhcp", Binary: d.binaryOf("dhcp"),
		Args: []string{"dhcp", "--interface", iface, "--hostname", n.settings.Hostname},
		Env:  []string{"GOMEMLIMIT=24MiB", "GOMAXPROCS=1"},
		Dir:  "/",
		UID:  dhcpUID, GID: dhcpUID,
		Caps:   []uintptr{unix.CAP_NET_RAW, unix.CAP_NET_BIND_SERVICE},
		Limits: supervise.Limits{Memory: 48 << 20, CPUMilli: 500, Tasks: 32},
		Cgroup: cgroupOf("dhcp"),
	}, false, supervise.Events{Line: func(line string) {
		if line == "" || line[0] != '{' { // its log
			mirror.Line(line)
			return
		}
		e, err := dhcp.ParseEvent([]byte(line))
		if err != nil {
			d.log.Error("the DHCP role says what cannot be", "error", err)
			return
		}
		select {
		case n.events <- e:
		default:
			d.log.Error("the DHCP role says too much at once")
		}
	}})
}
