// Package pbxd wires the telephone system: store, call engine, SIP edge, media
// and web page, each made in New and run in Run. What differs between the
// device and a developer's machine comes in as Deps.
package pbxd

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/mail"
	"galilei/pbxd/media/rtpio"
	"galilei/pbxd/pbx"
	"galilei/pbxd/presence"
	"galilei/pbxd/sipedge"
	"galilei/pbxd/store"
	"galilei/pbxd/web"
)

// Host is the device under the PBX. Only what needs privilege goes through it.
type Host interface {
	// ApplyNetwork makes the network settings the device's own. It returns
	// ErrNotHere on a machine whose network is not ours to change.
	ApplyNetwork(ctx context.Context, n pbx.Network) error
	// Alive says that the PBX does not hang. Whoever restarts it when that
	// stays out for too long hears it every 5 s.
	Alive(ctx context.Context) error
}

// ErrNotHere says that this machine is not ours to change.
var ErrNotHere = errors.New("not on this host")

// ErrUnusableData says that the data directory holds what cannot be used: a
// damaged database, one of a newer version, or one without its device key.
var ErrUnusableData = errors.New("the data cannot be used")

// ErrMemory says that what is configured now is lost with the next restart.
var ErrMemory = errors.New("the data partition does not mount: running from memory, nothing is kept")

// Deps is what a PBX needs.
type Deps struct {
	Dir      string       // data directory, made when absent
	Model    pbx.Model    // without a Serial the device key gives one
	License  License      // what the board says of licences
	Defaults pbx.Defaults // of the board, for the first start
	Host     Host
	Version  string
	Web      string     // address of the HTTPS port, "host:port"
	Redirect string     // address of the HTTP port that leads to Web; empty for none
	SIP      string     // address of the phones' SIP port, UDP and TCP
	RTPBind  netip.Addr // address of the RTP ports; not valid means all
	RTPMin   uint16     // with RTPMax: a range that overrides the settings; 0 for none
	RTPMax   uint16
	ShowDemo bool          // print the demo users' SIP passwords before the ready line
	Memory   bool          // Dir is in memory, since the data partition does not mount
	Trial    time.Duration // how long a risky change waits to be confirmed; 0 means 120 s
	Out      io.Writer     // gets the ready line
	Now      func() time.Time
	Log      *slog.Logger
}

// License is what a board says of licences (T15).
type License struct {
	Required bool              // users are added and changed only with a licence
	Key      ed25519.PublicKey // of the vendor; nil when the board takes none
}

// PBX is one running system.
type PBX struct {
	deps   Deps
	store  *store.Store
	facts  *presence.Board
	ports  *rtpio.Ports
	edge   *sipedge.Edge
	engine *call.Engine
	mail   *mail.Outbox
	web    *web.Server

	listeners []net.Listener
	webAddr   netip.AddrPort
	sipAddr   netip.AddrPort
	stopWatch []func()
	network   chan struct{} // the network settings have changed
}

// shutdownTime is how long calls have to be ended in good order.
const shutdownTime = 3 * time.Second

// New opens the store and all sockets; nothing is lost when it fails. The
// caller ends the PBX by the context of Run.
func New(ctx context.Context, d Deps) (_ *PBX, err error) {
	p := &PBX{deps: d, facts: presence.New(), network: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.store, err = store.Open(ctx, d.Dir, store.Options{Model: d.Model, Defaults: d.Defaults, Now: d.Now, Log: d.Log}); err != nil {
		if errors.Is(err, store.ErrDamaged) || errors.Is(err, store.ErrNewer) || errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w: %w", ErrUnusableData, err)
		}
		return nil, fmt.Errorf("open store in %s: %w", d.Dir, err)
	}
	cfg, rev := p.store.Current()
	p.facts.Publish(pbx.Fact{Kind: pbx.FactRevision, Revision: rev})
	if err := p.publishStored(ctx); err != nil {
		return nil, err
	}
	lo, hi := p.rtpRange(cfg)
	p.ports = rtpio.New(d.RTPBind, lo, hi, d.Log.With("part", "rtp"), d.Now)
	p.edge, err = sipedge.New(ctx, sipedge.Deps{
		Config: p.config, Key: p.store.Key(), Registrations: p.store, Ports: p.ports, Publish: p.facts.Publish,
		Incoming: func(in call.Incoming) func(call.Event) { return p.engine.Incoming(in) },
		Now:      d.Now, Product: "Galilei/" + d.Version, Log: d.Log.With("part", "sip"),
	})
	if err != nil {
		return nil, fmt.Errorf("SIP: %w", err)
	}
	p.mail = p.newOutbox()
	p.engine = call.New(call.Deps{Config: p.config, Dialer: p.edge, Publish: p.facts.Publish, Now: d.Now, Log: d.Log.With("part", "call")})
	p.web, err = web.New(ctx, web.Deps{
		Store: p.store, Facts: p.facts, Mail: p.mail, TestMail: p.testMail, Model: p.model(), License: p.license(), Version: d.Version, Health: p.Health, Now: d.Now,
		SIPPort: func() uint16 { return p.sipAddr.Port() }, Trial: d.Trial, Log: d.Log.With("part", "web"),
	})
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if err := p.listen(ctx); err != nil {
		return nil, err
	}
	p.stopWatch = append(p.stopWatch, p.store.Watch(p.committed))
	return p, nil
}

// publishStored makes known what waits in the store, now and from now on.
func (p *PBX) publishStored(ctx context.Context) error {
	p.stopWatch = append(p.stopWatch,
		p.store.WatchPending(func(c *pbx.PendingChange) { p.facts.Publish(pbx.Fact{Kind: pbx.FactPending, Pending: c}) }),
		p.store.WatchDrafts(func(n int) { p.facts.Publish(pbx.Fact{Kind: pbx.FactDrafts, Drafts: n}) }),
		p.store.WatchMail(func() { p.facts.Publish(pbx.Fact{Kind: pbx.FactMail}) }))
	p.facts.Publish(pbx.Fact{Kind: pbx.FactPending, Pending: p.store.Pending()})
	drafts, err := p.store.Drafts(ctx)
	if err != nil {
		return fmt.Errorf("count drafts: %w", err)
	}
	p.facts.Publish(pbx.Fact{Kind: pbx.FactDrafts, Drafts: len(drafts)})
	return nil
}

// model is the model with the serial number that its licence names.
func (p *PBX) model() pbx.Model {
	m := p.deps.Model
	if m.Serial == "" {
		m.Serial = p.store.Key().Serial()
	}
	return m
}

func (p *PBX) license() web.LicenseDeps {
	return web.LicenseDeps{Required: p.deps.License.Required, Key: p.deps.License.Key, Serial: p.model().Serial}
}

func (p *PBX) config() *pbx.Config {
	cfg, _ := p.store.Current()
	return cfg
}

// rtpRange is the range of the settings, or the one that the command line sets.
func (p *PBX) rtpRange(cfg *pbx.Config) (lo, hi uint16) {
	if p.deps.RTPMin != 0 {
		return p.deps.RTPMin, p.deps.RTPMax
	}
	return uint16(cfg.Media.RTPPortMin), uint16(cfg.Media.RTPPortMax) // validation keeps them in range
}

func (p *PBX) listen(ctx context.Context) (err error) {
	var lc net.ListenConfig
	https, err := lc.Listen(ctx, "tcp", p.deps.Web)
	if err != nil {
		return fmt.Errorf("listen for the web page on %s: %w", p.deps.Web, err)
	}
	p.listeners = append(p.listeners, https)
	p.webAddr = https.Addr().(*net.TCPAddr).AddrPort()
	if p.deps.Redirect != "" {
		plain, err := lc.Listen(ctx, "tcp", p.deps.Redirect)
		if err != nil {
			return fmt.Errorf("listen for plain HTTP on %s: %w", p.deps.Redirect, err)
		}
		p.listeners = append(p.listeners, plain)
	}
	p.sipAddr, err = p.edge.Listen(ctx, p.deps.SIP)
	return err
}

// WebAddr and SIPAddr are the addresses in use.
func (p *PBX) WebAddr() netip.AddrPort { return p.webAddr }

// SIPAddr is the address of the phones' SIP port.
func (p *PBX) SIPAddr() netip.AddrPort { return p.sipAddr }

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
	registrar, stopRegistrar := context.WithCancel(context.WithoutCancel(ctx)) // outlives the calls: it saves last
	defer stopRegistrar()
	part("registrar", func() error { p.edge.Run(registrar); return nil })
	part("life", func() error { p.sayAlive(ctx); return nil })
	part("network", func() error { p.followNetwork(ctx); return nil })
	part("mail", func() error { p.mail.Run(ctx); return nil })
	part("store", func() error { p.store.Run(ctx); return nil })
	if err := p.ready(ctx); err != nil {
		fail(err)
	}

	<-ctx.Done()
	p.deps.Log.Info("stopping", "calls", p.engine.Live())
	p.engine.Stop()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	p.edge.Shutdown(drain)
	cancel()
	stopRegistrar()
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
	if errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrReadOnly) || errors.Is(err, ErrMemory) {
		// Calls need no room on the disk, and whoever makes some needs the page.
		p.deps.Log.Error("nothing can be stored; calls are carried all the same", "err", err)
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
	}
	if p.ports != nil {
		p.ports.Close()
	}
	if p.store != nil {
		if err := p.store.Close(); err != nil {
			p.deps.Log.Error("store not closed cleanly", "err", err)
		}
	}
}

// Counts is what a PBX holds at the moment, for tests and measurements.
type Counts struct {
	Calls int // that go on
	Ports int // RTP ports in use, one for each leg
	SIP   sipedge.Counts
}

// Counts returns what the PBX holds now.
func (p *PBX) Counts() Counts {
	return Counts{Calls: p.engine.Live(), Ports: p.ports.InUse(), SIP: p.edge.Counts()}
}
