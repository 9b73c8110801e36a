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
	"os"
	"syscall"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/ladder"
	"galilei/pbxd/mail"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/media/rtpio"
	"galilei/pbxd/outage"
	"galilei/pbxd/pbx"
	"galilei/pbxd/presence"
	"galilei/pbxd/push"
	"galilei/pbxd/reminder"
	"galilei/pbxd/sipedge"
	"galilei/pbxd/store"
	"galilei/pbxd/toll"
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
// damaged database, one of a newer version, or one without its device key; or
// that it cannot be written, and is too large for a copy in memory.
var ErrUnusableData = errors.New("the data cannot be used")

// Alarms that Health gives while calls are carried.
const (
	// ErrMemory says that the data partition does not mount.
	ErrMemory = alarm("The data partition does not mount. The device runs from memory: what is changed now is lost with the next restart.")
	// ErrReadOnly says that the data partition cannot be written, so that a copy
	// of it is used.
	ErrReadOnly = alarm("The device's memory cannot be written. What is changed now is lost with the next restart. Restart the device; when that does not help, have it repaired.")
	// ErrFellBack says that the newest revision was damaged.
	ErrFellBack = alarm("The newest configuration was damaged, and the one before holds again. Look at the history, then change or restore what is missing.")
	// ErrRecordsLost says that call records are being lost. How many, the log tells.
	ErrRecordsLost = alarm("The device's memory takes no call records, and some were lost. Make room on it: delete old records, pictures or messages. When that does not help, have the device repaired.")
)

// Deps is what a PBX needs.
type Deps struct {
	Dir         string       // data directory, made when absent
	Model       pbx.Model    // without a Serial the device key gives one
	License     License      // what the board says of licences
	Defaults    pbx.Defaults // of the board, for the first start
	Host        Host
	Version     string
	Web         string                  // address of the HTTPS port, "host:port"
	Redirect    string                  // address of the HTTP port that leads to Web; empty for none
	SIP         string                  // address of the phones' SIP port, UDP and TCP
	SIPTLS      string                  // address of their TLS port; empty for the address of SIP and the port of the settings
	NameServers func() []netip.AddrPort // asked for providers; nil: those of /etc/resolv.conf
	RTPBind     netip.Addr              // address of the RTP ports; not valid means all
	RTPMin      uint16                  // with RTPMax: a range that overrides the settings; 0 for none
	RTPMax      uint16
	ShowDemo    bool          // print the demo users' SIP passwords before the ready line
	Memory      bool          // Dir is in memory, since the data partition does not mount
	Trial       time.Duration // how long a risky change waits to be confirmed; 0 means 120 s
	Outage      time.Duration // how long a gateway is down until that is an alarm; 0 means 60 s
	Out         io.Writer     // gets the ready line
	Now         func() time.Time
	Log         *slog.Logger
}

// License is what a board says of licences (T15).
type License struct {
	Required bool              // users are added and changed only with a licence
	Key      ed25519.PublicKey // of the vendor; nil when the board takes none
}

// PBX is one running system.
type PBX struct {
	deps      Deps
	store     *store.Store
	copied    *store.Copied // of data that cannot be written, or nil
	facts     *presence.Board
	ports     *rtpio.Ports
	media     *engine.Engine
	edge      *sipedge.Edge
	lines     *lines
	engine    *call.Engine
	ladder    *ladder.Recorder
	mail      *mail.Outbox
	push      *push.Delivery
	renewed   *renewed
	reminders *reminder.Reminders
	tolls     *toll.Ledger
	tollMails *tollMails
	outages   *outage.Watch
	web       *web.Server

	emergencies *emergencies

	listeners []net.Listener
	webAddr   netip.AddrPort
	sipAddr   netip.AddrPort
	tls       phoneTLS
	stopWatch []func()
	network   chan struct{} // the network settings have changed
}

// New opens the store and all sockets; nothing is lost when it fails. The
// caller ends the PBX by the context of Run.
func New(ctx context.Context, d Deps) (_ *PBX, err error) {
	p := &PBX{deps: d, facts: presence.New(), network: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			p.close()
		}
		if errors.Is(err, store.ErrDamaged) || errors.Is(err, pbx.ErrSealed) {
			err = fmt.Errorf("%w: %w", ErrUnusableData, err)
		}
	}()
	if err := p.openStore(ctx); err != nil {
		return nil, err
	}
	cfg, rev := p.store.Current()
	p.facts.Publish(pbx.Fact{Kind: pbx.FactRevision, Revision: rev})
	if err := p.publishStored(ctx); err != nil {
		return nil, err
	}
	lo, hi := p.rtpRange(cfg)
	p.ports = rtpio.New(d.RTPBind, lo, hi, d.Log.With("part", "rtp"), d.Now)
	p.media = engine.New(d.Now, d.Log.With("part", "media"))
	p.ladder = p.newRecorder()
	p.edge, err = sipedge.New(ctx, sipedge.Deps{
		Config: p.config, Key: p.store.Key(), Registrations: p.store, Desks: p.store, Ports: p.ports, Media: p.media, Publish: p.facts.Publish, Tap: p.ladder.Capture,
		Incoming: func(in call.Incoming) func(call.Event) { return p.engine.Incoming(in) },
		MayWatch: p.mayWatch, MayPickUp: p.mayPickUp, Text: p.textOfPhone,
		Now: d.Now, Product: "Galilei/" + d.Version, Log: d.Log.With("part", "sip"),
	})
	if err != nil {
		return nil, fmt.Errorf("SIP: %w", err)
	}
	p.mail = p.newOutbox(ctx)
	p.push = p.newPush()
	p.emergencies = newEmergencies(p.config, p.mail, d.Now, p.warned, d.Log.With("part", "emergency"))
	p.reminders = p.newReminders()
	p.tollMails = newTollMails(p.config, p.mail, d.Now, p.warned, d.Log.With("part", "toll"))
	p.tolls = p.newLedger(ctx)
	p.lines = newLines(ctx, p)
	p.outages = p.newOutages()
	p.engine = call.New(call.Deps{Config: p.config, Dialer: p.edge, Lines: p.lines, Meter: p.tolls, Publish: p.publishCall, QuickDial: p.quickDial, Names: p.names, Function: call.Functions(services{p}), Now: d.Now, Log: d.Log.With("part", "call"),
		Watch: p.watch()})
	p.web, err = web.New(ctx, web.Deps{
		Store: p.store, Facts: p.facts, Mail: p.mail, Texts: texts{p}, TestMail: p.testMail, Model: p.model(), License: p.license(), Version: d.Version, Health: p.Health, Now: d.Now,
		SIPPort: func() uint16 { return p.sipAddr.Port() }, CallsOf: p.engine.Calls, Tolls: p.tolls, LogOutPhone: p.edge.LogOut, Hangup: p.engine.Hangup, Dial: p.dial, Names: p.names, Traces: p.ladder, Trial: d.Trial, Log: d.Log.With("part", "web"),
		Warnings: p.warnings,
	})
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if err := p.listen(ctx); err != nil {
		return nil, err
	}
	p.stopWatch = append(p.stopWatch, p.store.Watch(p.committed))
	p.lines.follow()
	return p, nil
}

// openStore opens the store. A data directory that cannot be written is copied
// into memory: telephones work, and nothing that is changed outlives a restart.
func (p *PBX) openStore(ctx context.Context) (err error) {
	d := p.deps
	options := store.Options{Model: d.Model, Defaults: d.Defaults, Now: d.Now, Log: d.Log}
	p.store, err = store.Open(ctx, d.Dir, options)
	if errors.Is(err, syscall.EROFS) {
		d.Log.Error("the data cannot be written; using a copy in memory", "dir", d.Dir, "err", err)
		if p.copied, err = store.Copy(d.Dir, os.TempDir()); err == nil {
			p.store, err = store.Open(ctx, p.copied.Dir, options)
		}
		if errors.Is(err, syscall.ENOSPC) {
			err = fmt.Errorf("%w: no room for a copy: %w", ErrUnusableData, err)
		}
	}
	if errors.Is(err, store.ErrNewer) || errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", ErrUnusableData, err)
	}
	return err
}

// publishStored makes known what waits in the store, now and from now on.
func (p *PBX) publishStored(ctx context.Context) error {
	p.stopWatch = append(p.stopWatch,
		p.store.WatchPending(func(c *pbx.PendingChange) { p.facts.Publish(pbx.Fact{Kind: pbx.FactPending, Pending: c}) }),
		p.store.WatchDrafts(func(n int) { p.facts.Publish(pbx.Fact{Kind: pbx.FactDrafts, Drafts: n}) }),
		p.store.WatchMail(func() { p.facts.Publish(pbx.Fact{Kind: pbx.FactMail}) }),
		p.store.WatchJournal(func(users []string) { p.facts.Publish(pbx.Fact{Kind: pbx.FactJournal, Users: users}) }),
		p.store.WatchRecords(func() { p.facts.Publish(pbx.Fact{Kind: pbx.FactRecords}) }))
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
	if p.sipAddr, err = p.edge.Listen(ctx, p.deps.SIP); err != nil {
		return err
	}
	p.listenTLS(ctx, p.config().SIP)
	return nil
}

// WebAddr and SIPAddr are the addresses in use.
func (p *PBX) WebAddr() netip.AddrPort { return p.webAddr }

// SIPAddr is the address of the phones' SIP port.
func (p *PBX) SIPAddr() netip.AddrPort { return p.sipAddr }
