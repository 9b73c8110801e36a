package sipedge

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/media/rtpio"
	"galilei/pbxd/pbx"
	"galilei/pbxd/resolve"
	"galilei/pbxd/sipedge/transaction"
	"galilei/pbxd/sipedge/transport"
)

// TrunkDeps is what a trunk needs.
type TrunkDeps struct {
	Config   func() *pbx.Config
	Key      pbx.DeviceKey // opens passwords of gateways
	Resolver *resolve.Resolver
	Occupied *Occupied // one for all trunks
	Ports    *rtpio.Ports
	Media    *engine.Engine
	Publish  func(pbx.Fact)                                   // does not block
	Incoming func(call.Incoming) (notify func(ev call.Event)) // starts a call
	// ClientTLS is how the certificate of a provider is checked, and what we show to
	// it, asked with each change of the configuration; ServerTLS is what we show to providers that call, asked for each connection.
	ClientTLS func(pbx.TransportSettings) (*tls.Config, error)
	ServerTLS func(pbx.TransportSettings) *tls.Config
	Tap       func(over string, local, remote netip.AddrPort, sent bool, m []byte) // as of Deps
	Now       func() time.Time
	Product   string
	Log       *slog.Logger
}

// Trunk serves providers over one transport (F223): it registers at them, asks
// whether they are there, makes calls over them and takes theirs. Its sockets are
// its own: what comes in there is nothing that a phone sent, and nobody is asked
// for a password.
type Trunk struct {
	edge *Edge
	deps TrunkDeps
	id   string         // of the transport
	at   netip.AddrPort // where providers reach it
	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup
	pace pace

	mu       sync.Mutex
	settings pbx.TransportSettings
	client   *tls.Config // nil without TLS
	lines    map[string]*line
	order    []string // their IDs, in the order of the configuration
}

// pace is how quickly lines try again; tests have less patience.
type pace struct {
	refused     time.Duration // after a refused registration, doubled each time
	mostRefused time.Duration
	failed      time.Duration // after one without an answer, doubled each time
	mostFailed  time.Duration
	down        time.Duration // between checks of a provider that does not answer
	answer      time.Duration // that one server has for an answer to REGISTER or OPTIONS
	second      time.Duration // of the times that the provider and the gateway name
}

func defaultPace() pace {
	return pace{refused: time.Minute, mostRefused: 30 * time.Minute, failed: 5 * time.Second, mostFailed: time.Minute, down: 5 * time.Second, answer: 4 * time.Second, second: time.Second}
}

// NewTrunk opens the socket of a transport, and begins with the gateways of the
// configuration that use it. The error says why the socket cannot be opened, or
// what its certificate lacks.
func NewTrunk(ctx context.Context, d TrunkDeps, s pbx.Transport) (*Trunk, error) {
	t := &Trunk{deps: d, id: s.ID, settings: s.TransportSettings, lines: map[string]*line{}, pace: defaultPace()}
	t.ctx, t.stop = context.WithCancel(context.WithoutCancel(ctx))
	e := &Edge{
		deps: Deps{
			Config: d.Config, Key: d.Key, Ports: d.Ports, Media: d.Media, Publish: d.Publish, Incoming: d.Incoming, Tap: d.Tap, Now: d.Now, Product: d.Product, Log: d.Log,
		},
		trunk: t, minSession: minSession, fellSilent: fellSilent, legs: map[dialogID]*leg{}, local: newSourceAddr(), digest: newAuthenticator(d.Now), strangers: newStrangers(),
	}
	e.notifier = newNotifier(e)
	rand.Read(e.tagKey[:])
	e.transport = transport.New(d.Log, e)
	if d.Tap != nil {
		e.transport.SetTap(func(f transport.Flow, sent bool, m []byte) { d.Tap(f.Network, f.Local, f.Remote, sent, m) })
	}
	e.tx = transaction.New(e.transport, e, d.Log)
	t.edge = e
	if err := t.listen(ctx); err != nil {
		t.stop()
		e.tx.Close()
		e.transport.Close()
		return nil, fmt.Errorf("transport %s: %w", s.Name, err)
	}
	return t, nil
}

func (t *Trunk) listen(ctx context.Context) (err error) {
	s := t.settings
	addr := net.JoinHostPort(s.BindAddress, strconv.Itoa(s.BindPort))
	switch s.Type {
	case "tcp":
		t.at, err = t.edge.transport.ListenTCP(ctx, addr)
	case "tls":
		if t.client, err = t.deps.ClientTLS(s); err == nil {
			t.at, err = t.edge.transport.ListenTLS(ctx, addr, t.served())
		}
	default:
		t.at, err = t.edge.transport.ListenUDP(ctx, addr)
	}
	return err
}

// served is what providers that call are shown: the certificate of now.
func (t *Trunk) served() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		conf := t.deps.ServerTLS(t.transportSettings())
		if conf.GetConfigForClient != nil {
			return conf.GetConfigForClient(hello)
		}
		return conf, nil
	}}
}

// clientTLS is how certificates of providers are checked now.
func (t *Trunk) clientTLS() *tls.Config {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.client
}

// Addr is the address of the socket.
func (t *Trunk) Addr() netip.AddrPort { return t.at }

// SameSocket reports whether a transport has the socket that the trunk has open,
// so that Configured can follow it.
func (t *Trunk) SameSocket(s pbx.TransportSettings) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	is := t.settings
	return is.Type == s.Type && is.BindAddress == s.BindAddress && is.BindPort == s.BindPort
}

// InTheWayOf reports whether the socket keeps one of a transport from being opened:
// both have the same port, and carry messages alike.
func (t *Trunk) InTheWayOf(s pbx.TransportSettings) bool {
	is := t.transportSettings()
	return is.BindPort == s.BindPort && (is.Type == "udp") == (s.Type == "udp")
}

// Configured follows a new configuration. Calls go on; a gateway registers anew
// when what it says of itself has changed.
func (t *Trunk) Configured(cfg *pbx.Config, s pbx.TransportSettings) {
	client, err := t.client, error(nil)
	if s.Type == "tls" {
		if client, err = t.deps.ClientTLS(s); err != nil { // the one of before goes on
			t.deps.Log.Error("certificate of the transport cannot be used", "transport", s.Name, "err", err)
		}
	}
	t.mu.Lock()
	if err == nil && !sameRules(t.client, client) {
		t.client = client
	}
	moved := t.settings.ExternalSignalling != s.ExternalSignalling || t.settings.ExternalSignallingPort != s.ExternalSignallingPort
	t.settings = s
	var stopped []*line
	t.order = nil
	keep := map[string]bool{}
	for i := range cfg.Gateways {
		g := cfg.Gateways[i]
		if g.Transport != t.id || g.Group == "" {
			continue
		}
		keep[g.ID] = true
		t.order = append(t.order, g.ID)
		if ln := t.lines[g.ID]; ln != nil && !ln.restarts(&g) && !moved {
			ln.configure(g)
			continue
		} else if ln != nil {
			stopped = append(stopped, ln)
		}
		ln := newLine(t, g)
		if was := t.lines[g.ID]; was != nil {
			ln.before = was
		}
		t.lines[g.ID] = ln
		t.wg.Go(ln.run)
	}
	for id, ln := range t.lines {
		if !keep[id] {
			delete(t.lines, id)
			stopped = append(stopped, ln)
			if cfg.GatewayByID(id) == nil { // else somebody else tells of it: another trunk, perhaps before this one
				t.deps.Publish(pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: id}, Gone: true})
			}
		}
	}
	t.mu.Unlock()
	for _, ln := range stopped {
		ln.stop()
	}
}

// line returns the line of a gateway, or nil.
func (t *Trunk) line(gateway string) *line {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lines[gateway]
}

// all returns the lines in the order of the configuration.
func (t *Trunk) all() (list []*line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range t.order {
		list = append(list, t.lines[id])
	}
	return list
}

// Line tells whether a gateway can be reached, and how many calls it has.
func (t *Trunk) Line(gateway string) (up bool, calls int) {
	ln := t.line(gateway)
	if ln == nil {
		return false, 0
	}
	return ln.usable(), ln.calls()
}

// Has reports whether a gateway uses the trunk.
func (t *Trunk) Has(gateway string) bool { return t.line(gateway) != nil }

// Counts says what the trunk holds.
func (t *Trunk) Counts() Counts { return t.edge.Counts() }

// Stuck is Edge.Stuck.
func (t *Trunk) Stuck() time.Duration { return t.edge.Stuck() }

// AddressChanged drops what was learnt about our own addresses, and registers
// anew.
func (t *Trunk) AddressChanged() {
	t.edge.AddressChanged()
	for _, ln := range t.all() {
		ln.again()
	}
}

// transportSettings are the settings of now.
func (t *Trunk) transportSettings() pbx.TransportSettings {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.settings
}

// Retire takes no calls any more, and takes the registrations back; the calls go
// on.
func (t *Trunk) Retire() {
	t.mu.Lock()
	lines := t.lines
	t.lines, t.order = map[string]*line{}, nil
	t.mu.Unlock()
	for _, ln := range lines {
		ln.stop()
	}
}

// Legs returns how many dialogs are held.
func (t *Trunk) Legs() int { return t.edge.Legs() }

// Shutdown ends the registrations and waits, as long as ctx lasts, until the
// dialogs that are being ended have been acknowledged. Then the socket closes.
func (t *Trunk) Shutdown(ctx context.Context) {
	t.Retire()
	done := make(chan struct{})
	go func() { t.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
	t.edge.Shutdown(ctx)
	t.stop()
	t.wg.Wait()
}
