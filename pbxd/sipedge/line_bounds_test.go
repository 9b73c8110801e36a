package sipedge_test

import (
	"strings"
	"testing"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// Anybody can write a provider's address into a datagram: calls that nobody has
// answered are bounded, and those that are over make room.
func TestUnansweredCallsOfAProvider(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static).begins()
	x.is("a", pbx.LineUp)
	var first *pbxdtest.Call
	for range 50 {
		in := x.incomes("sip:usera@" + x.c.Trunk.String())
		if first == nil {
			first = in
		}
		x.arrival()
	}
	x.incomes("sip:usera@" + x.c.Trunk.String())
	if res := x.c.Response("INVITE", 503); res.Get("Retry-After") == "" {
		t.Errorf("a call too many got %s", res)
	}
	first.Cancel()
	x.c.Response("INVITE", 487)
	x.incomes("sip:usera@" + x.c.Trunk.String())
	answered := x.arrival()
	answered.Leg.Answer(pcma())
	x.c.Response("INVITE", 200)
	x.incomes("sip:usera@" + x.c.Trunk.String()) // who talks does not wait
	x.arrival()
}

// A provider that is asked once more after a 422 has its time for an answer again.
func TestSilenceAfterAnotherInterval(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, func(g *pbx.Gateway) {
		static(g)
		g.Parameters = []string{"no_answer=500"}
	}).begins()
	x.dial("a", nil)
	x.c.Answer(x.c.Ringing().Invite, 422, "Session Interval Too Small", "Min-SE: 3600\r\n")
	x.c.Ringing()
	if ev := x.event(call.EventEnded); ev.Cause != pbx.CauseNoUserResponding {
		t.Errorf("ended with %v", ev.Cause)
	}
}

// What only the provider may know of who calls is not sent on to somebody else
// (RFC 3325 section 7); with a proxy everything goes there.
func TestTrustedFieldsAreNotSentOn(t *testing.T) {
	t.Parallel()
	for _, proxy := range []bool{false, true} {
		x := newExchange(t, nil, func(g *pbx.Gateway) {
			static(g)
			g.SendPAI, g.SendRPID = true, true
			if proxy {
				g.Proxy = g.Registrar
			}
		})
		x.configure(func(c *pbx.Config) { c.SIP.LocalNetworks = nil })
		other := pbxdtest.NewCarrier(t, x.c.Trunk)
		x.configure(func(c *pbx.Config) { c.Gateways[0].AllowedSubnets = []string{x.c.At.Addr().String() + "/32"} })
		x.dial("a", nil)
		in := x.c.Ringing()
		if in.Invite.Get("P-Asserted-Identity") == "" {
			t.Fatalf("the provider got\n%s", in.Invite)
		}
		x.c.Answer(in.Invite, 302, "Moved Temporarily", "Contact: <sip:030999@"+other.At.String()+">\r\n")
		if proxy {
			if in = x.c.Ringing(); !strings.Contains(in.Invite.Start, other.At.String()) || in.Invite.Get("P-Asserted-Identity") == "" {
				t.Errorf("the proxy got\n%s", in.Invite)
			}
			in.Reply(486, "Busy Here", "")
		}
		x.event(call.EventEnded) // without a proxy: nobody has calls sent on to this machine
		x.nothingLeft()
	}
}
