package pbxd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/certificate"
	"galilei/pbxd/pbx"
	"galilei/pbxd/resolve"
	"galilei/pbxd/sipedge"
)

// Times of trunks.
const (
	trunkRetry = 10 * time.Second // until a socket that could not be opened is tried again
	trunkLook  = time.Second      // how often trunks that take no calls any more are looked at
)

// lines are the ways to the outside: one trunk for each transport that a gateway
// uses. They follow the configuration.
type lines struct {
	pbx      *PBX
	resolver *resolve.Resolver
	occupied *sipedge.Occupied

	mu       sync.Mutex
	ctx      context.Context
	open     map[string]*sipedge.Trunk // by the ID of the transport
	retiring []*sipedge.Trunk          // whose calls go on
	failed   bool                      // a socket could not be opened
	told     map[string]lineOff        // gateways of which something was told; the zero value of those at work
	closed   bool
}

// lineOff is why a gateway is not at work, and since when.
type lineOff struct {
	reason string
	since  time.Time
}

func newLines(ctx context.Context, p *PBX) *lines {
	servers := p.deps.NameServers
	if servers == nil {
		servers = resolve.NameServers("/etc/resolv.conf")
	}
	ctx = context.WithoutCancel(ctx)
	return &lines{
		pbx: p, ctx: ctx, occupied: sipedge.NewOccupied(), open: map[string]*sipedge.Trunk{}, told: map[string]lineOff{},
		resolver: resolve.New(ctx, resolve.Deps{Servers: servers, Now: p.deps.Now, Log: p.deps.Log.With("part", "dns")}),
	}
}

// DialLine implements call.Lines.
func (l *lines) DialLine(d call.LineDial) (call.Leg, error) {
	t := l.of(d.Gateway)
	if t == nil {
		return nil, fmt.Errorf("call over %s: its transport is not open", d.Gateway)
	}
	return t.DialLine(d)
}

// Line implements call.Lines.
func (l *lines) Line(gateway string) (up bool, calls int) {
	t := l.of(gateway)
	if t == nil {
		return false, 0
	}
	return t.Line(gateway)
}

func (l *lines) of(gateway string) *sipedge.Trunk {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.open {
		if t.Has(gateway) {
			return t
		}
	}
	return nil
}

// trunks returns all that hold calls or take some.
func (l *lines) trunks() (list []*sipedge.Trunk) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.open {
		list = append(list, t)
	}
	return append(list, l.retiring...)
}

// follow has the trunks be those of the configuration of now. Calls over those that
// are gone go on, unless their socket is needed.
func (l *lines) follow() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	cfg := l.pbx.config()
	var hosts []string
	used := map[string]bool{}
	for i := range cfg.Gateways {
		g := &cfg.Gateways[i]
		if g.Group != "" {
			used[g.Transport] = true
			hosts = append(hosts, g.Registrar, g.Proxy)
		}
	}
	l.resolver.Follow(slices.DeleteFunc(hosts, func(h string) bool { return h == "" }))
	l.occupied.Keep(func(id string) bool { return cfg.GatewayByID(id) != nil })
	l.failed = false
	for id, t := range l.open {
		s := cfg.TransportByID(id)
		if s != nil && used[id] && t.SameSocket(s.TransportSettings) {
			t.Configured(cfg, s.TransportSettings)
			continue
		}
		delete(l.open, id)
		t.Retire()
		l.retiring = append(l.retiring, t)
	}
	why := map[string]pbx.Message{} // by transport
	for i := range cfg.Transports {
		s := &cfg.Transports[i]
		if !used[s.ID] || l.open[s.ID] != nil {
			continue
		}
		t, err := l.start(*s)
		if err != nil {
			l.failed = true
			why[s.ID] = notOpened(s, err)
			l.pbx.deps.Log.Error("transport not opened: choose another address or port", "err", err)
			continue
		}
		l.open[s.ID] = t
		t.Configured(cfg, s.TransportSettings)
	}
	l.tellOff(cfg, why)
}

// notOpened says why a transport cannot be opened: what people can mend in their
// words.
func notOpened(s *pbx.Transport, err error) pbx.Message {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return pbx.Say("The transport {name} cannot be opened: the port {port} is taken", "name", s.Name, "port", s.BindPort)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return pbx.Say("The transport {name} cannot be opened: the device does not have the address {address}", "name", s.Name, "address", s.BindAddress)
	}
	return pbx.Say("The transport {name} cannot be opened: {reason}", "name", s.Name, "reason", err.Error())
}

// start opens the socket of a transport, that of a trunk that retires if need be.
func (l *lines) start(s pbx.Transport) (*sipedge.Trunk, error) {
	p := l.pbx
	open := func() (*sipedge.Trunk, error) {
		return sipedge.NewTrunk(l.ctx, sipedge.TrunkDeps{
			Config: p.config, Key: p.store.Key(), Resolver: l.resolver, Occupied: l.occupied, Ports: p.ports, Media: p.media, Publish: p.facts.Publish, Tap: p.ladder.Capture,
			Incoming:  func(in call.Incoming) func(call.Event) { return p.engine.Incoming(in) },
			ClientTLS: p.clientTLS, ServerTLS: p.serverTLS,
			Now: p.deps.Now, Product: "Galilei/" + p.deps.Version, Log: p.deps.Log.With("part", "trunk"),
		}, s)
	}
	t, err := open()
	if err == nil || !errors.Is(err, syscall.EADDRINUSE) || len(l.retiring) == 0 {
		return t, err
	}
	var wg sync.WaitGroup
	l.retiring = slices.DeleteFunc(l.retiring, func(old *sipedge.Trunk) bool {
		if !old.InTheWayOf(s.TransportSettings) {
			return false
		}
		wg.Go(func() { l.shut(old) })
		return true
	})
	wg.Wait()
	return open()
}

func (l *lines) shut(t *sipedge.Trunk) {
	ctx, cancel := context.WithTimeout(l.ctx, shutdownTime)
	defer cancel()
	t.Shutdown(ctx)
}

// tellOff publishes the state of gateways that are not at work, and why, and which
// are no more: a trunk that retires does not tell. why is by transport.
func (l *lines) tellOff(cfg *pbx.Config, why map[string]pbx.Message) {
	now := map[string]lineOff{}
	for i := range cfg.Gateways {
		g := &cfg.Gateways[i]
		reason := why[g.Transport]
		if g.Group == "" {
			reason = pbx.Say("The gateway belongs to no group")
		}
		if reason.IsZero() {
			now[g.ID] = lineOff{}
			continue
		}
		was, off := l.told[g.ID], lineOff{reason.Text(), l.pbx.deps.Now()}
		if was.reason != "" {
			off.since = was.since // a socket that is tried again is off as before
		}
		now[g.ID] = off
		if off != was {
			l.pbx.facts.Publish(pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{
				Gateway: g.ID, State: pbx.LineOff, Since: off.since, Message: reason, Reason: off.reason,
			}})
		}
	}
	for id := range l.told {
		if _, there := now[id]; !there {
			l.pbx.facts.Publish(pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: id}, Gone: true})
		}
	}
	l.told = now
}

// run keeps the addresses of the providers, tries sockets again that could not be
// opened, and closes those whose calls are over, until ctx ends.
func (l *lines) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { l.resolver.Run(ctx) })
	look := time.NewTicker(trunkLook)
	defer look.Stop()
	retry := time.NewTicker(trunkRetry)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			l.closeIdle()
		case <-retry.C:
			l.mu.Lock()
			failed := l.failed
			l.mu.Unlock()
			if failed {
				l.follow()
			}
		}
	}
}

func (l *lines) closeIdle() {
	l.mu.Lock()
	var idle []*sipedge.Trunk
	l.retiring = slices.DeleteFunc(l.retiring, func(t *sipedge.Trunk) bool {
		if t.Legs() > 0 {
			return false
		}
		idle = append(idle, t)
		return true
	})
	l.mu.Unlock()
	for _, t := range idle {
		l.shut(t)
	}
}

// addressChanged has the lines register anew.
func (l *lines) addressChanged() {
	for _, t := range l.trunks() {
		t.AddressChanged()
	}
}

// counts sums up what the trunks hold.
func (l *lines) counts() (c sipedge.Counts) {
	for _, t := range l.trunks() {
		n := t.Counts()
		c.Legs, c.ClientTransactions, c.ServerTransactions, c.Malformed = c.Legs+n.Legs, c.ClientTransactions+n.ClientTransactions, c.ServerTransactions+n.ServerTransactions, c.Malformed+n.Malformed
	}
	return c
}

// stuck is the longest of Trunk.Stuck.
func (l *lines) stuck() (longest time.Duration) {
	for _, t := range l.trunks() {
		longest = max(longest, t.Stuck())
	}
	return longest
}

// close ends all trunks, in good order as long as ctx lasts.
func (l *lines) close(ctx context.Context) {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	var wg sync.WaitGroup
	for _, t := range l.trunks() {
		wg.Go(func() { t.Shutdown(ctx) })
	}
	wg.Wait()
}

// clientTLS is how a transport checks the certificates of providers, and what it
// shows to those that want to know who calls (F223).
func (p *PBX) clientTLS(s pbx.TransportSettings) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: !s.VerifyCertificate, Time: p.deps.Now}
	cfg := p.config()
	if s.CACertificate != "" {
		c := certificateByID(cfg, s.CACertificate)
		conf.RootCAs = x509.NewCertPool()
		if c == nil || !conf.RootCAs.AppendCertsFromPEM([]byte(c.Chain)) {
			return nil, fmt.Errorf("CA certificate %s cannot be used", s.CACertificate)
		}
	}
	own, err := p.certificateOf(cfg, s.Certificate)
	if err != nil {
		return nil, err
	}
	if own != nil {
		conf.Certificates = []tls.Certificate{*own}
	}
	return conf, nil
}

// serverTLS is what a transport shows to providers that call: its certificate, or
// that of the phones.
func (p *PBX) serverTLS(s pbx.TransportSettings) *tls.Config {
	own, err := p.certificateOf(p.config(), s.Certificate)
	if err != nil || own == nil {
		return p.web.PhoneTLS()
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*own}}
}

func certificateByID(cfg *pbx.Config, id string) *pbx.Certificate {
	i := slices.IndexFunc(cfg.Certificates, func(c pbx.Certificate) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &cfg.Certificates[i]
}

// certificateOf returns a certificate with its key; nil for no ID.
func (p *PBX) certificateOf(cfg *pbx.Config, id string) (*tls.Certificate, error) {
	if id == "" {
		return nil, nil
	}
	c := certificateByID(cfg, id)
	if c == nil {
		return nil, fmt.Errorf("there is no certificate %s", id)
	}
	key, err := p.store.Key().Open(pbx.CertificatePurpose(c.ID), c.Key)
	if err != nil {
		return nil, fmt.Errorf("key of the certificate %s: %w", c.Description, err)
	}
	_, pair, err := certificate.Check([]byte(c.Chain), []byte(key.Reveal()), p.deps.Now())
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", c.Description, err)
	}
	return &pair, nil
}
