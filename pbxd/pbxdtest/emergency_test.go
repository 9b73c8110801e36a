package pbxdtest

import (
	"net/netip"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// needy starts a device with one gateway at a carrier, whose administrator has an
// address, with a mail server that is not there.
func needy(t *testing.T, change func(g map[string]any)) (*System, *Admin, *Carrier) {
	t.Helper()
	s := Start(t, Options{Configure: func(c *pbx.Config) {
		c.UserByID(pbx.AdminID).Email = "chief@example.com"
		c.Mail.Enabled, c.Mail.Server, c.Mail.Port = true, "127.0.0.1", 9
		c.UserByExtension("101").Location = "Reception"
	}})
	a := s.Login()
	c := NewCarrier(t, netip.AddrPort{})
	c.Lines(a, "a", change)
	s.LineIs(a, c.Gateway, "up")
	return s, a, c
}

// helped answers the carrier's call to 112 and ends it from the phone's side.
func helped(c *Carrier, call *Call) {
	c.T.Helper()
	in := c.Ringing()
	if got := in.Invite.Start; got != "INVITE sip:112@"+c.At.Addr().String()+" SIP/2.0" {
		c.T.Errorf("the provider got %s", got)
	}
	if in.Invite.Get("Privacy") != "" || strings.Contains(in.Invite.Get("From"), "anonymous") {
		c.T.Errorf("the number is hidden: %s", in.Invite)
	}
	in.Answer(SDP(30002))
	call.Answered()
	call.Hangup()
	c.Reply(c.Request("BYE"), in.Local, 200, "OK", "", "")
}

// A phone that nobody knows calls for help, and one that hides its number; nothing
// becomes of the number on the way. Administrators are told by a mail that waits until it can be sent, and
// by the page.
func TestEmergencyCallsAreMadeAndTold(t *testing.T) {
	t.Parallel()
	s, a, c := needy(t, func(g map[string]any) { g["dialCommand"] = "PJSIP/9{number:2}@{gateway}" })
	stranger := NewPhone(t, s.SIP, "udp", "999", "wrong")
	helped(c, stranger.DialBare("sip:0112@"+s.SIP.String(), SDP(30000), "Privacy: id\r\n"))
	p := s.Phone("101", "tcp").MustRegister()
	helped(c, p.Dial("*31112", SDP(30000)))
	var mails []struct{ Subject, To string }
	s.Eventually("two mails", func() bool {
		a.Do("GET", "/api/v1/email-delivery/queue", nil, 200, &mails)
		return len(mails) == 2
	})
	for i, want := range []string{"Emergency call to 112: unknown phone", ", Reception"} {
		if !strings.Contains(mails[0].Subject+mails[1].Subject, want) {
			t.Errorf("mail %d: %+v lacks %q", i, mails, want)
		}
	}
	var status struct {
		Healthy  bool
		Warnings []struct{ Message, Screen string }
	}
	a.Do("GET", "/api/v1/status", nil, 200, &status)
	if !status.Healthy || len(status.Warnings) != 2 || !strings.HasSuffix(status.Warnings[0].Message, ", Reception") || !strings.Contains(status.Warnings[1].Message, "unknown phone at 127.0.0.1") {
		t.Errorf("status %+v", status)
	}
	s.Eventually("no leg left", func() bool { n := s.PBX.Counts(); return n.Lines.Legs == 0 && n.SIP.Legs == 0 && n.Ports == 0 })
}

// The provider has no line left for us, and it alone knows that: a call over it ends
// for the emergency call.
func TestEmergencyCallWhenTheProviderIsFull(t *testing.T) {
	t.Parallel()
	s, _, c := needy(t, nil)
	p := s.Phone("101", "udp").MustRegister()
	out := p.Dial("0030123456", SDP(30000))
	in := c.Ringing()
	in.Answer(SDP(30002))
	out.Answered()
	help := NewPhone(t, s.SIP, "udp", "999", "wrong").DialBare("tel:112", SDP(30004), "")
	full := c.Ringing()
	full.Reply(486, "Busy Here", "")
	bye := c.Request("BYE")
	c.Reply(bye, in.Local, 200, "OK", "", "")
	p.Reply(p.Request("BYE"), out.Local, 200, "OK", "", "")
	helped(c, help)
	s.Eventually("no leg left", func() bool { n := s.PBX.Counts(); return n.Lines.Legs == 0 && n.SIP.Legs == 0 && n.Ports == 0 })
}

// The only line is taken: the call that has it ends first, for the provider, too.
func TestEmergencyCallGetsTheOnlyLine(t *testing.T) {
	t.Parallel()
	s, _, c := needy(t, func(g map[string]any) { g["maxCalls"] = 1 })
	p := s.Phone("101", "udp").MustRegister()
	out := p.Dial("0030123456", SDP(30000))
	in := c.Ringing()
	in.Answer(SDP(30002))
	out.Answered()
	help := NewPhone(t, s.SIP, "udp", "999", "wrong").DialBare("tel:112", SDP(30004), "")
	bye := c.Expect("the end of the call, before the next", func(m *Message) bool { return m.Status() == 0 && (m.Method() == "BYE" || m.Method() == "INVITE") })
	if bye.Method() != "BYE" {
		t.Fatalf("the provider got %s", bye.Start)
	}
	c.Reply(bye, in.Local, 200, "OK", "", "")
	p.Reply(p.Request("BYE"), out.Local, 200, "OK", "", "")
	helped(c, help)
	s.Eventually("no leg left", func() bool { n := s.PBX.Counts(); return n.Lines.Legs == 0 && n.SIP.Legs == 0 && n.Ports == 0 })
}
