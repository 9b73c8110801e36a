package main

import (
	"context"
	"io"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"galilei/init/internal/dhcp"
	"galilei/init/internal/supervise"
)

// quietProcess is a DHCP role that says nothing and ends when it is told to.
type quietProcess struct {
	pid    int
	once   sync.Once
	exited chan supervise.Exit
	in     *io.PipeReader
	out    *io.PipeWriter
}

func newQuietProcess(pid int) *quietProcess {
	p := &quietProcess{pid: pid, exited: make(chan supervise.Exit, 1)}
	p.in, p.out = io.Pipe()
	return p
}

func (p *quietProcess) PID() int                      { return p.pid }
func (p *quietProcess) Output() io.ReadCloser         { return p.in }
func (p *quietProcess) Exited() <-chan supervise.Exit { return p.exited }
func (p *quietProcess) Signal(s syscall.Signal) error {
	err := os.ErrProcessDone
	p.once.Do(func() {
		err = p.out.Close()
		p.exited <- supervise.Exit{Code: -1, Signal: s}
	})
	return err
}

// holding runs a network with a quiet DHCP role for f. say gives it an event of
// the role, address returns what it holds then, restart starts the role again.
func holding(t *testing.T, f func(say func(dhcp.Event), address func() string, restart func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := newDevice(ctx, io.Discard, nil)
		n := newNetwork(d)
		var mu sync.Mutex
		started := 0
		role := supervise.NewRole(supervise.Spec{Name: "dhcp"}, func(supervise.Spec) (supervise.Process, error) {
			mu.Lock()
			defer mu.Unlock()
			started++
			return newQuietProcess(1000 + started), nil
		}, d.tasks, d.log, supervise.Events{})
		n.client = &running{Role: role}
		d.tasks.Keep("role dhcp", role.Run)
		run := func() (stop func()) {
			ctx, cancel := context.WithCancel(ctx)
			done := make(chan error, 1)
			go func() { done <- n.run(ctx) }()
			return func() { cancel(); <-done }
		}
		stop := run()
		synctest.Wait() // the role runs
		f(func(e dhcp.Event) { n.events <- e; synctest.Wait() },
			func() string {
				synctest.Wait()
				stop() // what the goroutine did by itself until now is to be seen, and nothing else
				defer func() { stop = run() }()
				switch {
				case n.lease != nil:
					return n.lease.Address.String()
				case n.gaveUp:
					return "factory"
				}
				return "none"
			},
			func() { role.Restart(); synctest.Wait() })
		stop()
		cancel()
		d.tasks.Wait()
	})
}

func bound(address string, seconds uint32) dhcp.Event {
	return dhcp.Event{Kind: dhcp.Bound, Lease: &dhcp.Lease{
		Address: netip.MustParsePrefix(address),
		Seconds: seconds, Renew: seconds / 2, Rebind: uint32(uint64(seconds) * 7 / 8),
	}}
}

func TestALeaseOutlivesARoleThatFindsNoServer(t *testing.T) {
	holding(t, func(say func(dhcp.Event), address func() string, restart func()) {
		say(bound("192.0.2.20/24", 3600))
		time.Sleep(10 * time.Minute)
		restart()
		if got := address(); got != "192.0.2.20/24" {
			t.Errorf("after a restart: got %s, want the lease", got)
		}
		say(dhcp.Event{Kind: dhcp.NoTime, Why: "no lease for 10 s"})
		if got := address(); got != "192.0.2.20/24" {
			t.Errorf("after no reply: got %s, want the lease", got)
		}
		time.Sleep(50*time.Minute - time.Second)
		if got := address(); got != "192.0.2.20/24" {
			t.Errorf("a second before its end: got %s, want the lease", got)
		}
		time.Sleep(time.Second)
		if got := address(); got != "factory" {
			t.Errorf("at its end, the role silent: got %s, want the factory address", got)
		}
		say(bound("192.0.2.21/24", 3600))
		if got := address(); got != "192.0.2.21/24" {
			t.Errorf("a new lease: got %s", got)
		}
	})
}

func TestALostLeaseIsGivenUpAtOnce(t *testing.T) {
	holding(t, func(say func(dhcp.Event), address func() string, _ func()) {
		say(bound("192.0.2.20/24", 3600))
		say(dhcp.Event{Kind: dhcp.Lost, Why: "the server took the lease back"})
		if got := address(); got != "factory" {
			t.Errorf("got %s, want the factory address", got)
		}
		say(dhcp.Event{Kind: dhcp.NoTime})
		if got := address(); got != "factory" {
			t.Errorf("after no reply: got %s, want the factory address", got)
		}
	})
}

func TestNoReplyWithoutALeaseGivesUp(t *testing.T) {
	holding(t, func(say func(dhcp.Event), address func() string, _ func()) {
		if got := address(); got != "none" {
			t.Errorf("before: got %s", got)
		}
		say(dhcp.Event{Kind: dhcp.NoTime})
		if got := address(); got != "factory" {
			t.Errorf("got %s, want the factory address", got)
		}
	})
}

func TestARestartedRoleThatIsSilentDoesNotKeepALeaseThatEnded(t *testing.T) {
	holding(t, func(say func(dhcp.Event), address func() string, restart func()) {
		say(bound("192.0.2.20/24", 3600))
		restart()
		time.Sleep(time.Hour - time.Second)
		if got := address(); got != "192.0.2.20/24" {
			t.Errorf("a second before its end: got %s, want the lease", got)
		}
		time.Sleep(time.Second)
		if got := address(); got != "factory" {
			t.Errorf("at its end: got %s, want the factory address", got)
		}
	})
}

func TestARenewalWithoutAWordKeepsTheLeaseWhileItsProcessLives(t *testing.T) {
	holding(t, func(say func(dhcp.Event), address func() string, restart func()) {
		say(bound("192.0.2.20/24", 3600))
		time.Sleep(10 * time.Hour)
		if got := address(); got != "192.0.2.20/24" {
			t.Errorf("after ten hours: got %s, want the lease", got)
		}
		restart()
		time.Sleep(putOff/2 - time.Second) // time enough for the next process
		if got := address(); got != "192.0.2.20/24" {
			t.Errorf("just after a restart: got %s, want the lease", got)
		}
		time.Sleep(putOff/2 + time.Second)
		if got := address(); got != "factory" {
			t.Errorf("no word of the next process: got %s, want the factory address", got)
		}
	})
}

func TestANewLeaseReplacesTheOldOneAndItsEnd(t *testing.T) {
	holding(t, func(say func(dhcp.Event), address func() string, restart func()) {
		say(bound("192.0.2.20/24", 3600))
		time.Sleep(50 * time.Minute)
		say(bound("192.0.2.30/24", 3600))
		restart()
		time.Sleep(time.Hour - time.Second)
		if got := address(); got != "192.0.2.30/24" {
			t.Errorf("after the end of the first: got %s, want the second", got)
		}
		say(bound("192.0.2.30/24", dhcp.Infinite))
		restart()
		time.Sleep(100 * 365 * 24 * time.Hour)
		if got := address(); got != "192.0.2.30/24" {
			t.Errorf("a lease for good: got %s", got)
		}
	})
}
