package pbxd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge"
	"galilei/pbxd/store"
)

// shutdownTime is how long calls have to be ended in good order.
const shutdownTime = 3 * time.Second

// Run serves until ctx ends, then ends the calls and closes everything. It
// returns an error when a part fails that the PBX cannot be without.
func (p *PBX) Run(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	defer p.close()
	var wg sync.WaitGroup
	part := func(name string, run func() error) {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					p.deps.Log.Error("part panicked", "part", name, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
					fail(fmt.Errorf("%s panicked: %v", name, r))
				}
			}()
			if err := run(); err != nil {
				fail(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	var plain net.Listener
	if len(p.listeners) > 1 {
		plain = p.listeners[1]
	}
	part("web", func() error { return p.web.Serve(ctx, p.listeners[0], plain) })
	late, stopLate := context.WithCancel(context.WithoutCancel(ctx)) // of what outlives the calls
	defer stopLate()
	part("registrar", func() error { p.edge.Run(late); return nil })
	part("media", func() error { p.media.Run(late); return nil })
	part("lines", func() error { p.lines.run(late); return nil })
	part("life", func() error { p.sayAlive(ctx); return nil })
	part("network", func() error { p.followNetwork(ctx); return nil })
	part("ladder", func() error { p.ladder.Run(late); return nil })
	part("mail", func() error { p.mail.Run(ctx); return nil })
	part("emergencies", func() error { p.emergencies.run(late); return nil })
	part("limits of calls", func() error { p.tolls.Run(late); return nil })
	part("mails about limits of calls", func() error { p.tollMails.run(late); return nil })
	part("reminders", func() error { p.reminders.Run(ctx); return nil })
	part("messages", func() error { p.push.Run(ctx); return nil })
	part("gateways", func() error { p.outages.Run(ctx); return nil })
	part("store", func() error { p.store.Run(late); return nil })
	if err := p.ready(ctx); err != nil {
		fail(err)
	}

	<-ctx.Done()
	p.deps.Log.Info("stopping", "calls", p.engine.Live())
	p.engine.Stop()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	var edges sync.WaitGroup
	edges.Go(func() { p.edge.Shutdown(drain) })
	edges.Go(func() { p.lines.close(drain) })
	edges.Wait()
	cancel()
	stopLate()
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// ready tests that calls can be made and says so in one line. A store that
// reads but does not take anything is told and hinders no call.
func (p *PBX) ready(ctx context.Context) error {
	err := p.Health(ctx)
	var a alarm
	if errors.As(err, &a) || errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrReadOnly) || errors.Is(err, store.ErrDisk) {
		// Calls need no room on the disk, and whoever makes some needs the page.
		p.deps.Log.Error("the data needs care; calls are carried all the same", "err", err)
		err = p.callHealth(ctx)
	}
	if err != nil {
		return fmt.Errorf("self-test at the start: %w", err)
	}
	if p.deps.ShowDemo {
		p.showDemo()
	}
	_, err = fmt.Fprintf(p.deps.Out, "ready web=https://%s sip=%s\n", p.webAddr, p.sipAddr)
	return err
}

// showDemo prints the access of the demo users, for people who try Galilei on
// their own machine.
func (p *PBX) showDemo() {
	cfg := p.config()
	for _, ext := range []string{"101", "102", "103"} {
		u := cfg.UserByExtension(ext)
		if u == nil || u.Name != "demo"+ext {
			continue
		}
		if s, err := p.store.Key().Open(pbx.SIPPasswordPurpose(u.ID), u.SIPPassword); err == nil {
			fmt.Fprintf(p.deps.Out, "demo user=%s extension=%s password=%s\n", u.Name, u.Extension, s.Reveal())
		}
	}
}

// committed follows a new configuration.
func (p *PBX) committed(old, new *pbx.Config, r pbx.Revision) {
	p.facts.Publish(pbx.Fact{Kind: pbx.FactRevision, Revision: r.Number})
	p.ports.SetRange(p.rtpRange(new))
	p.edge.Configured(old, new)
	p.lines.follow()
	p.reminders.Configured(old, new)
	p.tolls.Configured()
	if old.SIP.TLS != new.SIP.TLS || old.SIP.TLSPort != new.SIP.TLSPort {
		p.listenTLS(context.Background(), new.SIP)
	}
	if old.Mail != new.Mail {
		p.mail.Configured()
	}
	if !sameNetwork(old.Network, new.Network) {
		select {
		case p.network <- struct{}{}:
		default: // a change is waiting already; it will take the newest settings
		}
	}
}

func sameNetwork(a, b pbx.Network) bool {
	x, y := pbx.Config{Network: a}, pbx.Config{Network: b}
	return len(pbx.Diff(&x, &y)) == 0
}

func (p *PBX) close() {
	for _, stop := range p.stopWatch {
		stop()
	}
	for _, l := range p.listeners {
		l.Close() // the web server has closed it already, save when New failed
	}
	if p.edge != nil {
		done, cancel := context.WithCancel(context.Background())
		cancel()
		p.edge.Shutdown(done)
		if p.lines != nil {
			p.lines.close(done)
		}
	}
	if p.ports != nil {
		p.ports.Close()
	}
	if p.store != nil {
		if err := p.store.Close(); err != nil {
			p.deps.Log.Error("store not closed cleanly", "err", err)
		}
	}
	if p.copied != nil {
		if err := p.copied.Remove(); err != nil {
			p.deps.Log.Error("copy of the data not deleted", "err", err)
		}
	}
}

// Counts is what a PBX holds at the moment, for tests and measurements.
type Counts struct {
	Calls int // that go on
	Ports int // RTP ports in use, one for each leg
	SIP   sipedge.Counts
	Lines sipedge.Counts // of all trunks
}

// Counts returns what the PBX holds now.
func (p *PBX) Counts() Counts {
	return Counts{Calls: p.engine.Live(), Ports: p.ports.InUse(), SIP: p.edge.Counts(), Lines: p.lines.counts()}
}
