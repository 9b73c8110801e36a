package pbxdtest

import (
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// threePhones starts a PBX with 101, 102 and 103 registered.
func threePhones(t *testing.T, configure func(*pbx.Config)) (s *System, a, b, c *Phone) {
	t.Helper()
	s = Start(t, Options{Configure: configure})
	return s, s.Phone("101", "udp").MustRegister(), s.Phone("102", "udp").MustRegister(), s.Phone("103", "tcp").MustRegister()
}

// TestForwardingOnTheWire sends a call from 101 to 102 on to 103, for each
// reason, and looks at what the phones see.
func TestForwardingOnTheWire(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason pbx.DiversionReason
		act    func(b *Phone) // what the phone of 102 does
	}{
		{pbx.DivertAlways, func(b *Phone) {}},
		{pbx.DivertUnregistered, func(b *Phone) {
			if res := b.Register(0); res.Status() != 200 {
				b.T.Fatalf("unregister: %s", res.Start)
			}
		}},
		{pbx.DivertBusy, func(b *Phone) { b.Ringing().Reply(486, "Busy Here", "") }},
		{pbx.DivertNoAnswer, func(b *Phone) {
			in := b.Ringing()
			in.Reply(180, "Ringing", "")
			cancel := b.Request("CANCEL")
			b.Reply(cancel, "", 200, "OK", "", "")
			in.Reply(487, "Request Terminated", "")
		}},
	} {
		t.Run(string(tt.reason), func(t *testing.T) {
			s, a, b, c := threePhones(t, func(cfg *pbx.Config) {
				u := cfg.UserByExtension("102")
				u.Calls.SetForwarding(false, tt.reason, true, "103")
				u.Calls.NoAnswerTime = 1
			})
			if tt.reason == pbx.DivertUnregistered {
				tt.act(b)
			}
			call := a.Dial("102", SDP(16000))
			if tt.reason != pbx.DivertUnregistered {
				tt.act(b)
			}
			in := c.Ringing()
			if from := in.Invite.Get("From"); !strings.Contains(from, `"Anna Demo" <sip:101@`) {
				t.Errorf("103 sees %q, want Anna Demo, 101", from)
			}
			if d := in.Invite.Get("Diversion"); !strings.HasPrefix(d, `"Ben Demo" <sip:102@`) || !strings.Contains(d, ";reason="+string(tt.reason)) {
				t.Errorf("Diversion %q", d)
			}
			in.Answer(SDP(16002))
			call.Answered()
			call.Send("BYE", "")
			c.Reply(c.Request("BYE"), "", 200, "OK", "", "")
			a.Response("BYE", 200)
			nothingLeft(t, s)
		})
	}
}

// A linear group rings its second member when the first does not answer, with
// the group's prefix and the tone of the door.
func TestHuntGroupOnTheWire(t *testing.T) {
	t.Parallel()
	s, a, b, c := threePhones(t, func(cfg *pbx.Config) {
		cfg.HuntGroups = []pbx.HuntGroup{{ID: "door", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "Door", DisplayPrefix: "Door", CallScheme: "linear", DoorStation: true,
			Members: []pbx.HuntMember{{User: "demo102", Timeout: 1}, {User: "demo103", Timeout: 30}}}}}
	})
	call := a.Dial("600", SDP(16000))
	first := b.Ringing()
	first.Reply(180, "Ringing", "")
	b.Reply(b.Request("CANCEL"), "", 200, "OK", "", "")
	first.Reply(487, "Request Terminated", "")
	in := c.Ringing()
	if from := in.Invite.Get("From"); !strings.Contains(from, `"Door Anna Demo" <sip:101@`) {
		t.Errorf("103 sees %q", from)
	}
	if alert := in.Invite.Get("Alert-Info"); !strings.HasSuffix(alert, ";info=alert-door") {
		t.Errorf("Alert-Info %q", alert)
	}
	in.Answer(SDP(16002))
	call.Answered()
	call.Send("BYE", "")
	c.Reply(c.Request("BYE"), "", 200, "OK", "", "")
	a.Response("BYE", 200)
	nothingLeft(t, s)
}

// A group that nobody answers sends the call on to a user, who sees who calls, and
// from the group (F205).
func TestGroupForwardOnTheWire(t *testing.T) {
	t.Parallel()
	s, a, b, c := threePhones(t, func(cfg *pbx.Config) {
		cfg.HuntGroups = []pbx.HuntGroup{{ID: "sales", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "Sales", DisplayPrefix: "S", CallScheme: "parallel",
			Members: []pbx.HuntMember{{User: "demo102", Timeout: 5}}, HuntForwarding: pbx.HuntForwarding{ForwardInternalNoAnswer: "demo103", ForwardTime: 1}}}}
	})
	call := a.Dial("600", SDP(16000))
	first := b.Ringing()
	first.Reply(180, "Ringing", "")
	b.Reply(b.Request("CANCEL"), "", 200, "OK", "", "")
	first.Reply(487, "Request Terminated", "")
	in := c.Ringing()
	if from, d := in.Invite.Get("From"), in.Invite.Get("Diversion"); !strings.Contains(from, `"Anna Demo" <sip:101@`) || !strings.HasPrefix(d, `"Sales" <sip:600@`) || !strings.Contains(d, ";reason=no-answer") {
		t.Errorf("From %q, Diversion %q", from, d)
	}
	in.Answer(SDP(16002))
	call.Answered()
	call.Send("BYE", "")
	c.Reply(c.Request("BYE"), "", 200, "OK", "", "")
	a.Response("BYE", 200)
	nothingLeft(t, s)
}

func TestHiddenNumberOnTheWire(t *testing.T) {
	t.Parallel()
	s, a, b, _ := threePhones(t, nil)
	call := a.Dial("*31102", SDP(16000))
	in := b.Ringing()
	for _, secret := range []string{"101", "Anna"} {
		for _, field := range []string{"From", "Contact", "Diversion"} {
			if v := in.Invite.Get(field); strings.Contains(v, secret) {
				t.Errorf("%s tells who calls: %q", field, v)
			}
		}
	}
	if p := in.Invite.Get("Privacy"); p != "id" {
		t.Errorf("Privacy %q", p)
	}
	in.Reply(486, "Busy Here", "")
	call.AckRefusal(a.Response("INVITE", 486))
	nothingLeft(t, s)
}

func TestDoNotDisturbOnTheWire(t *testing.T) {
	t.Parallel()
	s, a, b, _ := threePhones(t, func(cfg *pbx.Config) { cfg.UserByExtension("102").Calls.DoNotDisturb = true })
	call := a.Dial("102", SDP(16000))
	call.AckRefusal(a.Response("INVITE", 480))
	b.Silent(200*time.Millisecond, "a call", func(m *Message) bool { return m.Method() == "INVITE" })
	nothingLeft(t, s)
}
