package sipedge_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/icholy/digest"

	"galilei/pbxd/call"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/media/rtpio"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/resolve"
	"galilei/pbxd/sipedge"
)

// exchange is a trunk with gateways at a carrier, whose calls a test decides.
type exchange struct {
	t        *testing.T
	c        *pbxdtest.Carrier
	trunk    *sipedge.Trunk
	occupied *sipedge.Occupied
	ports    *rtpio.Ports
	key      pbx.DeviceKey
	cfg      atomic.Pointer[pbx.Config]
	settings pbx.Transport
	log      *slog.Logger
	close    func()           // shuts the trunk down
	servers  []netip.AddrPort // name servers
	resolver *resolve.Resolver
	incoming chan call.Incoming
	events   chan call.Event
	asked    chan *pbxdtest.Message // REGISTER that the test answers

	mu   sync.Mutex
	told []pbx.LineStatus // the last one first
	gone []string         // gateways of which nothing is told any more
}

// newExchange starts a trunk with one gateway, "a". hurry sets its pace.
func newExchange(t *testing.T, hurry func(*sipedge.Trunk), change func(*pbx.Gateway)) *exchange {
	t.Helper()
	return newExchangeAt(t, pbxdtest.NewCarrier(t, netip.AddrPort{}), "udp", hurry, change)
}

// newExchangeAt is newExchange for a carrier, with the transport of that type.
func newExchangeAt(t *testing.T, c *pbxdtest.Carrier, kind string, hurry func(*sipedge.Trunk), change func(*pbx.Gateway)) *exchange {
	t.Helper()
	x := &exchange{t: t, c: c, occupied: sipedge.NewOccupied(), key: pbx.NewDeviceKey(), incoming: make(chan call.Incoming, 8), events: make(chan call.Event, 64), asked: make(chan *pbxdtest.Message, 64)}
	x.settings = pbx.Transport{ID: "udp", TransportSettings: pbx.TransportSettings{Name: "udp", Type: kind, BindAddress: x.c.Trunk.Addr().String(), BindPort: int(x.c.Trunk.Port())}}
	x.cfg.Store(&pbx.Config{Transports: []pbx.Transport{x.settings}, GatewayGroups: []pbx.GatewayGroup{{ID: "g"}}, Gateways: []pbx.Gateway{x.gateway("a", change)}})
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	x.ports = rtpio.New(netip.MustParseAddr("127.0.0.1"), 49000, 49999, log, time.Now)
	x.log = log
	x.open()
	if hurry != nil {
		hurry(x.trunk)
	}
	t.Cleanup(func() {
		x.c.OnRegister(nil)
		x.c.OnOptions(nil)
		x.close()
		x.ports.Close()
	})
	return x
}

// open opens the trunk, as a device that starts does.
func (x *exchange) open() {
	x.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := x.log
	resolver := resolve.New(ctx, resolve.Deps{Servers: func() []netip.AddrPort { return x.servers }, Now: time.Now, Log: log})
	x.resolver = resolver
	var err error
	x.trunk, err = sipedge.NewTrunk(ctx, sipedge.TrunkDeps{
		Config: x.cfg.Load, Key: x.key, Resolver: resolver, Occupied: x.occupied, Ports: x.ports, Media: engine.New(time.Now, log), Publish: x.tell,
		Incoming: func(in call.Incoming) func(call.Event) {
			x.incoming <- in
			return func(ev call.Event) { x.events <- ev }
		},
		ClientTLS: func(pbx.TransportSettings) (*tls.Config, error) { return &tls.Config{}, nil }, ServerTLS: func(pbx.TransportSettings) *tls.Config { return nil },
		Now: time.Now, Product: "Galilei/test", Log: log,
	}, x.settings)
	if err != nil {
		x.t.Fatal(err)
	}
	x.close = func() {
		cancel()
		done, end := context.WithTimeout(context.Background(), 3*time.Second)
		defer end()
		x.trunk.Shutdown(done)
	}
}

// answers has the test answer REGISTER, with what asked brings.
func (x *exchange) answers() *exchange {
	x.c.OnRegister(func(m *pbxdtest.Message) { x.asked <- m })
	return x
}

// begins has the lines begin to work.
func (x *exchange) begins() *exchange {
	x.trunk.Configured(x.cfg.Load(), x.settings.TransportSettings)
	return x
}

// gateway returns a gateway at the carrier.
func (x *exchange) gateway(id string, change func(*pbx.Gateway)) pbx.Gateway {
	g := pbx.Gateway{ID: id}
	pbx.SetDefaults(&g.GatewaySettings)
	g.Name, g.Group, g.Transport, g.Registrar, g.Port = id, "g", "udp", x.c.At.Addr().String(), int(x.c.At.Port())
	g.User, g.Check = "user"+id, false
	g.Password = x.key.Seal(pbx.GatewayPasswordPurpose(id), "secret")
	if change != nil {
		change(&g)
	}
	return g
}

// configure changes the configuration.
func (x *exchange) configure(change func(*pbx.Config)) {
	cfg := *x.cfg.Load()
	cfg.Gateways, cfg.Transports = slices.Clone(cfg.Gateways), slices.Clone(cfg.Transports)
	change(&cfg)
	x.settings = cfg.Transports[0]
	x.cfg.Store(&cfg)
	x.begins()
}

func (x *exchange) tell(f pbx.Fact) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case f.Kind != pbx.FactLine:
	case f.Gone:
		x.gone = append(x.gone, f.Line.Gateway)
	default:
		x.told = append([]pbx.LineStatus{*f.Line}, x.told...)
	}
}

// line is what was last told of a gateway.
func (x *exchange) line(gateway string) (s pbx.LineStatus) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if i := slices.IndexFunc(x.told, func(s pbx.LineStatus) bool { return s.Gateway == gateway }); i >= 0 {
		s = x.told[i]
	}
	return s
}

// until waits until something holds.
func (x *exchange) until(what string, holds func() bool) {
	x.t.Helper()
	for end := time.Now().Add(wait); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			x.t.Fatalf("waited in vain for %s; the line is %+v", what, x.line("a"))
		}
	}
}

// is waits until a gateway is in a state, and returns what is told of it.
func (x *exchange) is(gateway string, state pbx.LineState) pbx.LineStatus {
	x.t.Helper()
	x.until(gateway+" "+string(state), func() bool { return x.line(gateway).State == state })
	return x.line(gateway)
}

// registers returns the next REGISTER.
func (x *exchange) registers() *pbxdtest.Message {
	x.t.Helper()
	select {
	case m := <-x.asked:
		return m
	case <-time.After(wait):
		x.t.Fatalf("no REGISTER came; the line is %+v", x.line("a"))
		return nil
	}
}

// fresh is the next REGISTER that is no repetition of one before.
func (x *exchange) fresh(before *pbxdtest.Message) *pbxdtest.Message {
	x.t.Helper()
	for {
		if m := x.registers(); m.Get("CSeq") != before.Get("CSeq") || m.Get("Call-ID") != before.Get("Call-ID") {
			return m
		}
	}
}

// challenge asks for credentials; params are further ones of the challenge.
func (x *exchange) challenge(m *pbxdtest.Message, status int, nonce, params string) {
	field := "WWW-Authenticate"
	if status == 407 {
		field = "Proxy-Authenticate"
	}
	x.c.Answer(m, status, "Prove It", field+`: Digest realm="carrier", nonce="`+nonce+`", algorithm=MD5, qop="auth"`+params+"\r\n")
}

// proves reports whether a request brings the answer to a challenge.
func proves(m *pbxdtest.Message, user, password, nonce string) bool {
	text := cmp.Or(m.Get("Authorization"), m.Get("Proxy-Authorization"))
	is, err := digest.ParseCredentials(text)
	if err != nil || is.Username != user || is.Nonce != nonce || is.URI != strings.Fields(m.Start)[1] {
		return false
	}
	want, err := digest.Digest(&digest.Challenge{Realm: "carrier", Nonce: nonce, Algorithm: "MD5", QOP: []string{"auth"}},
		digest.Options{Method: m.Method(), URI: is.URI, Username: user, Password: password, Cnonce: is.Cnonce, Count: is.Nc})
	return err == nil && want.Response == is.Response
}

// dial calls a number over a gateway.
func (x *exchange) dial(gateway string, change func(*call.LineDial)) call.Leg {
	x.t.Helper()
	d := call.LineDial{Gateway: gateway, Number: "030123456", Caller: call.Party{Number: "101", Name: "Anna"}, Offer: pcma(), Notify: func(ev call.Event) { x.events <- ev }}
	if change != nil {
		change(&d)
	}
	l, err := x.trunk.DialLine(d)
	if err != nil {
		x.t.Fatalf("dial over %s: %v", gateway, err)
	}
	return l
}

// event returns the next event of a kind and drops others.
func (x *exchange) event(kind call.EventKind) call.Event {
	x.t.Helper()
	o := office{t: x.t, events: x.events}
	return o.event(kind)
}

// nothingLeft checks that no dialog and no port is held any more.
func (x *exchange) nothingLeft() {
	x.t.Helper()
	x.until("the end of all legs", func() bool { return x.trunk.Legs() == 0 && x.ports.InUse() == 0 && x.line("a").Calls == 0 })
}
