package sipedge_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge"
)

// Where calls of a gateway go and how they are addressed: to the registrar, to a
// proxy with and without Route, at another port (F157, F164).
func TestWhereCallsGo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		port   uint16
		change func(*pbx.Gateway)
		start  string // Request-URI; %s is the carrier
		route  string
	}{
		{"registrar", 5060, nil, "sip:030123456@%h", ""},
		{"port", 5080, nil, "sip:030123456@%h:5080", ""},
		{"proxy", 5060, func(g *pbx.Gateway) { g.Proxy, g.Registrar = g.Registrar, "provider.example" }, "sip:030123456@provider.example", "<sip:%h:5060;lr>"},
		{"proxy at another port", 5080, func(g *pbx.Gateway) { g.Proxy, g.Registrar = g.Registrar, "provider.example" }, "sip:030123456@provider.example", "<sip:%h:5080;lr>"},
		{"proxy without Route", 5060, func(g *pbx.Gateway) {
			g.Proxy, g.Registrar, g.Parameters = g.Registrar, "provider.example", []string{"proxy_route=no"}
		}, "sip:030123456@provider.example", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := pbxdtest.NewCarrierAt(t, netip.AddrPort{}, tt.port)
			x := newExchangeAt(t, c, "udp", nil, tt.change).begins()
			x.is("a", pbx.LineUp)
			leg := x.dial("a", nil)
			in := c.Ringing()
			here := func(s string) string { return strings.ReplaceAll(s, "%h", c.At.Addr().String()) }
			if want := "INVITE " + here(tt.start) + " SIP/2.0"; in.Invite.Start != want || in.Invite.Get("Route") != here(tt.route) {
				t.Errorf("got %s, Route %q, want %s, %q", in.Invite.Start, in.Invite.Get("Route"), want, here(tt.route))
			}
			in.Answer(pbxdtest.SDP(30000)) // without Record-Route: what follows goes to the Contact
			x.event(call.EventAnswered)
			leg.Hangup(pbx.CauseNormalClearing)
			bye := c.Request("BYE")
			if want := "BYE " + c.Contact + " SIP/2.0"; bye.Start != want || bye.Get("Route") != "" {
				t.Errorf("got %s, Route %q, want %s", bye.Start, bye.Get("Route"), want)
			}
			c.Reply(bye, "", 200, "OK", "", "")
			x.nothingLeft()
		})
	}
}

// A gateway over TCP keeps one connection, over which both call (F223).
func TestGatewayOverTCP(t *testing.T) {
	t.Parallel()
	c := pbxdtest.NewCarrier(t, netip.AddrPort{}) // for its addresses
	l, err := net.Listen("tcp", c.At.String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	x := newExchangeAt(t, c, "tcp", nil, nil).begins()
	peer := pbxdtest.AcceptCarrier(t, l)
	x.c = peer
	s := x.is("a", pbx.LineUp)
	if s.Server != "tcp:"+c.At.String() {
		t.Errorf("the server is %s", s.Server)
	}
	x.dial("a", nil)
	in := peer.Ringing()
	if !strings.HasPrefix(in.Invite.Get("Via"), "SIP/2.0/TCP "+c.Trunk.String()+";") || !strings.Contains(in.Invite.Get("Contact"), "@"+c.Trunk.String()+";transport=tcp") {
		t.Errorf("the provider got\n%s", in.Invite)
	}
	in.Reply(486, "Busy Here", "")
	x.event(call.EventEnded)
	if got := x.came(peer.Phone, "sip:usera@"+c.Trunk.String()+";transport=tcp", ""); got != "a" {
		t.Errorf("a call over the connection came over %q", got)
	}
	x.nothingLeft()
}

// When our address changes we register anew, at once.
func TestRegistrationFollowsTheAddress(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, nil).answers().begins()
	m := x.registers()
	x.c.Grant(m, 3600)
	x.is("a", pbx.LineUp)
	x.trunk.AddressChanged()
	x.c.Grant(x.fresh(m), 3600)
}

// How often a provider is asked whether it is there.
func TestTimeBetweenChecks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		param string
		often bool
	}{{"check_interval=5", true}, {"check_interval=3600", false}} {
		t.Run(tt.param, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, func(t *sipedge.Trunk) { t.Hurry(5*time.Millisecond, 20*time.Millisecond, 20*time.Millisecond) }, func(g *pbx.Gateway) { g.Register, g.Check, g.Parameters = false, true, []string{tt.param} })
			var n atomic.Int64
			x.c.OnOptions(func(m *pbxdtest.Message) { n.Add(1); x.c.Answer(m, 200, "OK", "") })
			x.begins()
			if tt.often {
				x.until("many questions", func() bool { return n.Load() > 5 })
				return
			}
			x.until("the first question", func() bool { return n.Load() == 1 })
			time.Sleep(200 * time.Millisecond)
			if n := n.Load(); n > 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// When the connection ends over which a gateway has registered, it registers anew at
// once: the provider may know no other way to us (RFC 5626 section 4.5). A provider
// that ends each connection is given time.
func TestRegistrationFollowsTheConnection(t *testing.T) {
	t.Parallel()
	c := pbxdtest.NewCarrier(t, netip.AddrPort{}) // for its addresses
	l, err := net.Listen("tcp", c.At.String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	x := newExchangeAt(t, c, "tcp", func(t *sipedge.Trunk) { t.Hurry(time.Hour, time.Hour, time.Second) }, nil).begins()
	asked := make(chan struct{}, 8)
	for range 2 {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		pbxdtest.CarrierOver(t, conn, func(peer *pbxdtest.Carrier, m *pbxdtest.Message) { peer.Grant(m, 3600); asked <- struct{}{} })
		select {
		case <-asked:
		case <-time.After(wait):
			t.Fatal("no REGISTER came over the new connection")
		}
		x.is("a", pbx.LineUp)
		time.Sleep(100 * time.Millisecond) // until the answer is there
		conn.Close()
	}
	_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(300 * time.Millisecond)) // the listener is open
	if conn, err := l.Accept(); err == nil {
		conn.Close()
		t.Error("a provider that ends each connection is given no time")
	}
}

// Over a connection the address at which a provider sees us is where it sends audio;
// the connection is how it reaches us.
func TestPublicAddressOverTCP(t *testing.T) {
	t.Parallel()
	c := pbxdtest.NewCarrier(t, netip.AddrPort{}) // for its addresses
	l, err := net.Listen("tcp", c.At.String())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	x := newExchangeAt(t, c, "tcp", nil, nil).begins()
	peer := pbxdtest.AcceptCarrier(t, l)
	peer.Sees(netip.MustParseAddrPort("198.51.100.7:40001"))
	x.c = peer
	x.is("a", pbx.LineUp)
	x.trunk.AddressChanged() // the first answer may have come before the test said how we are seen
	x.until("audio at the public address", func() bool {
		x.dial("a", nil)
		in := peer.Ringing()
		if !strings.Contains(in.Invite.Get("Contact"), "@"+c.Trunk.String()) {
			t.Errorf("Contact %s", in.Invite.Get("Contact"))
		}
		in.Reply(486, "Busy Here", "")
		peer.Request("ACK")
		x.event(call.EventEnded)
		return strings.Contains(in.Invite.Body, "c=IN IP4 198.51.100.7\r\n")
	})
	x.nothingLeft()
}

// A provider that sees us at another address than before is registered at anew: its
// calls would come to the address of before. One that is not registered at is told
// with the next call, however often that changes.
func TestPublicAddressChanges(t *testing.T) {
	t.Parallel()
	for _, register := range []bool{true, false} {
		t.Run(fmt.Sprint("register ", register), func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, hurried, func(g *pbx.Gateway) { g.Register, g.Check, g.Parameters = register, true, []string{"check_interval=5"} })
			x.c.OnRegister(func(m *pbxdtest.Message) { x.c.Grant(m, 86400) })
			for n := range 8 {
				at := fmt.Sprintf("198.51.100.%d:40001", n+1)
				x.c.Sees(netip.MustParseAddrPort(at))
				if n == 0 {
					x.begins()
				}
				x.until("calls from "+at, func() bool {
					x.dial("a", nil)
					in := x.c.Ringing()
					in.Reply(486, "Busy Here", "")
					x.c.Request("ACK")
					x.event(call.EventEnded)
					return strings.Contains(in.Invite.Get("Contact"), "@"+at)
				})
			}
		})
	}
}
