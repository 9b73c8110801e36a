package outside

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
	"galilei/pbxd/pbxdtest/provider"
)

// gateway is one of the office, in a group of its own; outside calls try them in
// their order.
type gateway struct {
	id        string
	transport string         // "udp" (also when empty), "tcp" or "tls"
	at        netip.AddrPort // where the provider is
	name      string         // of the provider, instead of at
	account   provider.Account
	register  bool
	extension string // that its calls ring at; empty: 101
	change    func(*pbx.GatewaySettings)
}

// setup says what office to open.
type setup struct {
	gateways  []gateway
	names     []netip.AddrPort    // name servers
	authority *provider.Authority // that signs certificates of providers
	configure func(*pbx.Config)
}

// office is a PBX with lines to the outside, which are dialled with 0.
type office struct {
	*pbxdtest.System
	ctx   context.Context
	ports map[string]int // where providers reach it, by transport
}

func open(t *testing.T, ctx context.Context, s setup) *office {
	t.Helper()
	return openAt(t, ctx, s, map[string]int{})
}

// openAt is open with the ports of some transports given.
func openAt(t *testing.T, ctx context.Context, s setup, ports map[string]int) *office {
	t.Helper()
	o := &office{ctx: ctx, ports: ports}
	passwords := map[string]string{}
	for i := range s.gateways {
		g := &s.gateways[i]
		if g.transport == "" {
			g.transport = "udp"
		}
		if o.ports[g.transport] == 0 {
			port, err := peer.FreePort("127.0.0.1")
			must(t, err)
			o.ports[g.transport] = port
		}
		if g.account.Password != "" {
			passwords[g.id] = g.account.Password
		}
	}
	o.System = pbxdtest.Start(t, pbxdtest.Options{NameServers: s.names, GatewayPasswords: passwords, Configure: func(c *pbx.Config) {
		if s.authority != nil {
			c.Certificates = append(c.Certificates, pbx.Certificate{ID: "ca", Description: "Provider CA", Chain: string(s.authority.PEM)})
		}
		for kind, port := range o.ports {
			transport := pbx.Transport{ID: "on" + kind}
			pbx.SetDefaults(&transport.TransportSettings)
			transport.Name, transport.Type, transport.BindAddress, transport.BindPort = kind, kind, "127.0.0.1", port
			if kind == "tls" && s.authority != nil {
				transport.CACertificate = "ca"
			}
			c.Transports = append(c.Transports, transport)
		}
		route := pbx.OutboundRoute{ID: "all"}
		pbx.SetDefaults(&route.OutboundRouteSettings)
		route.Rule, route.Pattern = "All", "^0"
		for _, g := range s.gateways {
			g.add(c)
			route.Groups = append(route.Groups, g.id)
		}
		c.OutboundRoutes = []pbx.OutboundRoute{route}
		if s.configure != nil {
			s.configure(c)
		}
	}})
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("log of the PBX:\n%s", o.Log)
		}
	})
	return o
}

func (g gateway) add(c *pbx.Config) {
	group := pbx.GatewayGroup{ID: g.id}
	pbx.SetDefaults(&group.GatewayGroupSettings)
	group.Title = g.id
	c.GatewayGroups = append(c.GatewayGroups, group)
	gw := pbx.Gateway{ID: g.id}
	pbx.SetDefaults(&gw.GatewaySettings)
	gw.Name, gw.Group, gw.Transport, gw.Codecs = g.id, g.id, "on"+g.transport, []string{"pcma", "pcmu"}
	gw.Registrar, gw.Port = g.at.Addr().String(), int(g.at.Port())
	if g.name != "" {
		gw.Registrar, gw.Port = g.name, 5060
	}
	gw.User, gw.AuthUser, gw.Register, gw.Check = g.account.User, g.account.AuthUser, g.register, false
	if g.change != nil {
		g.change(&gw.GatewaySettings)
	}
	c.Gateways = append(c.Gateways, gw)
	extension := g.extension
	if extension == "" {
		extension = "101"
	}
	in := pbx.InboundRoute{ID: g.id}
	pbx.SetDefaults(&in.InboundRouteSettings)
	in.Rule, in.Group, in.Pattern, in.Target = g.id, g.id, "^(.*)", extension
	c.InboundRoutes = append(c.InboundRoutes, in)
}

// listens is where providers reach the PBX over a transport.
func (o *office) listens(transport string) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(o.ports[transport]))
}

// comes waits until a gateway has come into a state for the n-th time: a provider
// that has recovered may be asked late.
func (o *office) comes(t *testing.T, gateway string, state pbx.LineState, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if strings.Count(o.Log.String(), "msg=gateway part=trunk gateway="+gateway+" state="+string(state)+" ") >= n {
			return
		}
	}
	t.Fatalf("gateway %s is not %s for the %d. time", gateway, state, n)
}

// nothingLeft waits until no call, dialog or audio port is held.
func (o *office) nothingLeft(t *testing.T) {
	t.Helper()
	o.Eventually("all calls and ports to be given back", func() bool {
		c := o.PBX.Counts()
		return c.Calls == 0 && c.SIP.Legs == 0 && c.Ports == 0
	})
}

// phone starts a baresip that is registered as an extension.
func (o *office) phone(t *testing.T, ext string, tone float64) *peer.Baresip {
	t.Helper()
	b := baresip(t, o.ctx, peer.BaresipOptions{User: ext, Password: o.Password(ext), Registrar: o.SIP.String(), Expires: 10 * time.Minute, Tone: tone})
	must(t, b.AwaitRegistered(o.ctx))
	return b
}

func baresip(t *testing.T, ctx context.Context, o peer.BaresipOptions) *peer.Baresip {
	t.Helper()
	peer.NeedBaresip(t)
	o.Dir = t.TempDir()
	b, err := peer.StartBaresip(ctx, o)
	must(t, err)
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of baresip %s:\n%s", o.User, b.Log())
		}
	})
	return b
}

func kamailio(t *testing.T, ctx context.Context, o provider.KamailioOptions) *provider.Kamailio {
	t.Helper()
	provider.NeedKamailio(t)
	o.Dir = t.TempDir()
	k, err := provider.StartKamailio(ctx, o)
	must(t, err)
	t.Cleanup(func() {
		if err := k.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of kamailio:\n%s", k.Log())
		}
	})
	return k
}

func nameServer(t *testing.T, ctx context.Context, records ...provider.Record) *provider.DNS {
	t.Helper()
	provider.NeedDNS(t)
	d, err := provider.StartDNS(ctx, t.TempDir(), records...)
	must(t, err)
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of the name server:\n%s", d.Log())
		}
	})
	return d
}

func run(t *testing.T, ctx context.Context, h provider.Habit, o provider.HabitOptions) *peer.Sipp {
	t.Helper()
	peer.NeedSipp(t)
	o.Dir = t.TempDir()
	s, err := h.Start(ctx, o)
	must(t, err)
	t.Cleanup(s.Stop)
	return s
}

// done checks that scenarios ended as they should.
func done(t *testing.T, list ...*peer.Sipp) {
	t.Helper()
	for _, s := range list {
		if r, err := s.Wait(); err != nil || r.Unexpected > 0 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

func happens(t *testing.T, ctx context.Context, k *provider.Kamailio, words string, n int) string {
	t.Helper()
	e, err := k.Await(ctx, words, n)
	must(t, err)
	return e
}

func await(t *testing.T, ctx context.Context, b *peer.Baresip, event string) {
	t.Helper()
	_, err := b.Await(ctx, event)
	must(t, err)
}

// hear checks that two sides hear each other's tones.
func hear(t *testing.T, ctx context.Context, a *peer.Baresip, fromB float64, b *peer.Baresip, fromA float64) {
	t.Helper()
	_, err := a.Hears(ctx, fromB)
	must(t, err)
	_, err = b.Hears(ctx, fromA)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
