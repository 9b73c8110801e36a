package pbxdtest

import (
	"net/netip"
	"strings"
	"testing"
)

// withLine starts a device with one gateway at a carrier, and a phone.
func withLine(t *testing.T, change func(g map[string]any)) (*System, *Admin, *Carrier, *Phone) {
	t.Helper()
	s := Start(t, Options{})
	a := s.Login()
	c := NewCarrier(t, netip.AddrPort{})
	c.Lines(a, "a", change)
	s.LineIs(a, c.Gateway, "up")
	return s, a, c, s.Phone("101", "udp").MustRegister()
}

func TestCallOverALine(t *testing.T) {
	t.Parallel()
	s, _, c, p := withLine(t, nil)
	out := p.Dial("0030123456", SDP(30000))
	in := c.Ringing()
	if got := in.Invite.Start; got != "INVITE sip:030123456@"+c.At.Addr().String()+" SIP/2.0" {
		t.Errorf("the provider got %s", got)
	}
	if from := in.Invite.Get("From"); !strings.Contains(from, "<sip:101@"+c.At.Addr().String()+">") {
		t.Errorf("From %s", from)
	}
	in.Reply(180, "Ringing", "")
	p.Response("INVITE", 180)
	in.Answer(SDP(30002))
	out.Answered()
	out.Hangup()
	in.Phone.Reply(c.Request("BYE"), in.Local, 200, "OK", "", "")
	s.Eventually("no leg left", func() bool { n := s.PBX.Counts(); return n.Lines.Legs == 0 && n.SIP.Legs == 0 && n.Ports == 0 })
}

func TestCallFromALine(t *testing.T) {
	t.Parallel()
	s, _, c, p := withLine(t, nil)
	in := c.call("101", "sip:0891234@"+c.At.String(), "")
	rings := p.Ringing()
	if from := rings.Invite.Get("From"); !strings.Contains(from, "sip:0891234@") {
		t.Errorf("From %s", from)
	}
	rings.Reply(180, "Ringing", "")
	c.Response("INVITE", 180)
	rings.Answer(SDP(30004))
	in.Answered()
	rings.Hangup()
	c.Reply(c.Request("BYE"), in.Local, 200, "OK", "", "")
	s.Eventually("no leg left", func() bool { n := s.PBX.Counts(); return n.Lines.Legs == 0 && n.SIP.Legs == 0 && n.Ports == 0 })
}

// Nothing is told any more of a gateway that is no more, also when no other one uses
// its transport.
func TestLastGatewayOfItsTransportIsDeleted(t *testing.T) {
	t.Parallel()
	s, a, c, _ := withLine(t, nil)
	a.Do("DELETE", "/api/v1/gateways/"+c.Gateway, nil, 0, nil)
	s.LineIs(a, c.Gateway, "")
}

// call sends an INVITE of the carrier.
func (c *Carrier) call(number, from, fields string) *Call {
	c.T.Helper()
	call := &Call{Phone: c.Phone, ID: c.Unique(), uri: "sip:" + number + "@" + c.Trunk.String(), CSeq: 1}
	call.Local, call.Remote = "<"+from+">;tag="+c.Unique(), "<"+call.uri+">"
	call.invite(SDP(30010), fields)
	return call
}
