package sipedge_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// A gateway that changes registers anew, and is no more what it was; its calls
// find it by the token that it had.
func TestRegistrationFollowsTheGateway(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, nil).answers().begins()
	first := x.registers()
	x.c.Grant(first, 3600)
	x.is("a", pbx.LineUp)
	x.configure(func(c *pbx.Config) { c.Gateways[0].User = "other" })
	gone := x.registers()
	if gone.Get("Expires") != "0" || gone.Get("Contact") != first.Get("Contact") {
		t.Errorf("the provider got\n%s", gone)
	}
	x.c.Grant(gone, 0)
	m := x.fresh(gone)
	if !strings.Contains(m.Get("To"), "sip:other@") || token(m) != token(first) {
		t.Errorf("the provider got\n%s", m)
	}
	x.c.Grant(m, 3600)
	x.until("the other user", func() bool { s := x.line("a"); return s.State == pbx.LineUp && strings.HasPrefix(s.URI, "sip:other@") })

	// Only what a call says is changed: nothing is registered anew.
	x.configure(func(c *pbx.Config) { c.Gateways[0].FromUser, c.Gateways[0].MaxCalls = "x", 3 })
	x.configure(func(c *pbx.Config) {
		c.Transports[0].ExternalSignalling, c.Transports[0].ExternalSignallingPort = "192.0.2.9", 7000
	})
	gone = x.registers()
	if gone.Get("Expires") != "0" || gone.Get("Contact") != m.Get("Contact") {
		t.Errorf("what was registered as %s is taken back as\n%s", m.Get("Contact"), gone)
	}
	x.c.Grant(gone, 0)
	m = x.fresh(gone)
	if !strings.Contains(m.Get("Contact"), "@192.0.2.9:7000;") || !strings.Contains(m.Get("Via"), " 192.0.2.9:7000;") || token(m) != token(first) {
		t.Errorf("the provider got\n%s", m)
	}
	x.c.Grant(m, 3600)
	x.is("a", pbx.LineUp)
	x.configure(func(c *pbx.Config) {
		c.Transports[0].ExternalSignalling, c.Transports[0].ExternalSignallingPort = "", 0
	})
	gone = x.fresh(m)
	x.c.Grant(gone, 0)
	if m = x.fresh(gone); !strings.Contains(m.Get("Contact"), "@"+x.c.Trunk.String()+";") {
		t.Errorf("the provider got\n%s", m)
	}
	x.c.Grant(m, 3600)
}

// A device that starts again is for the provider what it was: one that was not shut
// down leaves no second address behind.
func TestRegistrationAfterARestart(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, nil).answers().begins()
	first := x.registers()
	x.c.Grant(first, 3600)
	x.is("a", pbx.LineUp)
	x.c.OnRegister(nil)
	x.close()
	x.open()
	m := x.answers().begins().registers()
	if m.Get("Contact") != first.Get("Contact") || token(m) == "" {
		t.Errorf("registered as %s, and before that as %s", m.Get("Contact"), first.Get("Contact"))
	}
	x.c.Grant(m, 3600)
}

// token is what tells the gateway in our Contact.
func token(m *pbxdtest.Message) string {
	_, after, _ := strings.Cut(m.Get("Contact"), ";line=")
	t, _, _ := strings.Cut(after, ">")
	t, _, _ = strings.Cut(t, ";")
	return t
}

// Calls go the way that the registration has named (RFC 3608).
func TestServiceRoute(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, nil).answers().begins()
	x.c.Grant(x.registers(), 3600, "Service-Route: <sip:"+x.c.At.String()+";lr>, <sip:inner.example;lr>\r\n")
	x.is("a", pbx.LineUp)
	x.dial("a", nil)
	in := x.c.Ringing()
	if got := strings.Join(in.Invite.All("Route"), " "); got != "<sip:"+x.c.At.String()+";lr> <sip:inner.example;lr>" {
		t.Errorf("Route %s", got)
	}
	in.Reply(486, "Busy Here", "")
	x.event(call.EventEnded)
	x.nothingLeft()
}

// Where the provider sees us is where we are, with address translation on the way
// (F165, RFC 3581); without we know better.
func TestRegistrationBehindNAT(t *testing.T) {
	t.Parallel()
	for _, nat := range []string{"yes", "force-rport", "comedia", "no"} {
		t.Run(nat, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, nil, func(g *pbx.Gateway) { g.NAT = nat }).answers()
			seen := netip.MustParseAddrPort("198.51.100.7:40001")
			x.c.Sees(seen)
			m := x.begins().registers()
			own := m.Get("Contact")
			translated := nat == "yes" || nat == "force-rport"
			if strings.Contains(m.Get("Via"), ";rport") != translated {
				t.Errorf("Via %s", m.Get("Via"))
			}
			if !strings.Contains(own, "@"+x.c.Trunk.String()) {
				t.Errorf("Contact %s", own)
			}
			x.c.Grant(m, 3600)
			where := x.c.Trunk.String()
			if translated {
				m, where = x.fresh(m), seen.String()
				contacts := m.All("Contact")
				if len(contacts) != 2 || !strings.Contains(contacts[0], "@"+where+";line=") || contacts[1] != own+";expires=0" {
					t.Errorf("Contact %q", contacts)
				}
				x.c.Grant(m, 3600)
			}
			x.is("a", pbx.LineUp)
			x.dial("a", nil)
			in := x.c.Ringing()
			if !strings.Contains(in.Invite.Get("Contact"), "@"+where) || strings.Contains(in.Invite.Get("Via"), ";rport") != translated || !strings.Contains(in.Invite.Get("Via"), " "+where+";") {
				t.Errorf("Contact %s, Via %s", in.Invite.Get("Contact"), in.Invite.Get("Via"))
			}
			in.Reply(486, "Busy Here", "")
			x.event(call.EventEnded)
			if len(x.asked) > 0 {
				t.Errorf("registered once more: %s", <-x.asked)
			}
		})
	}
}

// Addresses of the transport are those that the provider is told (F223).
func TestExternalAddresses(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, nil)
	x.configure(func(c *pbx.Config) {
		s := &c.Transports[0].TransportSettings
		s.ExternalMedia, s.ExternalSignalling = "192.0.2.8", "192.0.2.9"
	})
	x.is("a", pbx.LineUp)
	leg := x.dial("a", nil)
	in := x.c.Ringing()
	at := fmt.Sprintf("192.0.2.9:%d", x.c.Trunk.Port())
	if !strings.Contains(in.Invite.Get("Contact"), "@"+at) || !strings.Contains(in.Invite.Get("Via"), " "+at+";") || !strings.Contains(in.Invite.Body, "c=IN IP4 192.0.2.8\r\n") {
		t.Errorf("the provider got\n%s", in.Invite)
	}
	in.Answer(pbxdtest.SDP(30000))
	x.event(call.EventAnswered)
	x.hangUp(leg)
	from := x.incomes("sip:usera@" + x.c.Trunk.String())
	to := x.arrival()
	to.Leg.Answer(pcma())
	if res := from.Answered(); !strings.Contains(res.Get("Contact"), "@"+at) || !strings.Contains(res.Body, "c=IN IP4 192.0.2.8\r\n") {
		t.Errorf("the provider got\n%s", res)
	}
	x.hangUp(to.Leg)

	x.configure(func(c *pbx.Config) { c.SIP.LocalNetworks = []string{x.c.At.Addr().String() + "/32"} }) // no router stands between
	x.dial("a", nil)
	in = x.c.Ringing()
	if own := x.c.Trunk.String(); !strings.Contains(in.Invite.Get("Contact"), "@"+own) || !strings.Contains(in.Invite.Get("Via"), " "+own+";") || !strings.Contains(in.Invite.Body, "c=IN IP4 "+x.c.Trunk.Addr().String()+"\r\n") {
		t.Errorf("a provider in a local network got\n%s", in.Invite)
	}
	in.Reply(486, "Busy Here", "")
	x.event(call.EventEnded)
	x.nothingLeft()
}
