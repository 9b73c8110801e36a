package pbxdtest

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func TestRegister(t *testing.T) {
	s := Start(t, Options{})
	a := s.Phone("101", "udp")
	res := a.Register(1800)
	if res.Status() != 200 || !strings.Contains(res.Get("Contact"), "expires=1800") {
		t.Fatalf("got %s with contact %q, want 200 and 1800 s", res.Start, res.Get("Contact"))
	}
	if res := a.Register(100_000); !strings.Contains(res.Get("Contact"), "expires=3600") {
		t.Errorf("contact %q, want the longest time, 3600 s", res.Get("Contact"))
	}
	if res := a.Register(5); res.Status() != 423 || res.Get("Min-Expires") != "60" {
		t.Errorf("got %s, Min-Expires %q; want 423 and 60", res.Start, res.Get("Min-Expires"))
	}
	if res := a.Register(0); res.Status() != 200 || res.Get("Contact") != "" {
		t.Errorf("got %s with contact %q, want 200 and none", res.Start, res.Get("Contact"))
	}
}

// No answer tells whether a user exists: a wrong password and an unknown user
// are told the same, word for word but for what is random.
func TestNoUserEnumeration(t *testing.T) {
	s := Start(t, Options{})
	answers := map[string]string{}
	for ext, password := range map[string]string{"101": "wrong", "777": "wrong", "admin": "0000", "demo101": "0000"} {
		p := NewPhone(t, s.SIP, "udp", ext, password)
		res := p.Register(60)
		if res.Status() != 401 {
			t.Fatalf("%s: got %s, want 401", ext, res.Start)
		}
		var fields []string
		for _, l := range res.Lines {
			name, _, _ := strings.Cut(l, ":")
			fields = append(fields, name)
		}
		answers[ext] = res.Start + strings.Join(fields, ",") + fmt.Sprint(strings.Contains(res.Get("WWW-Authenticate"), "stale"))
	}
	for ext, got := range answers {
		if got != answers["101"] {
			t.Errorf("%s is answered %q, the existing user %q", ext, got, answers["101"])
		}
	}
	// The same goes for calls: nobody learns which numbers exist without a password.
	for _, number := range []string{"102", "999"} {
		p := NewPhone(t, s.SIP, "udp", "101", "wrong")
		c := p.Dial(number, SDP(16000))
		if res := p.Final("INVITE"); res.Status() != 401 {
			t.Errorf("call to %s with a wrong password got %s, want 401", number, res.Start)
		} else {
			c.AckRefusal(res)
		}
	}
}

func TestNobodyRegistersAsAnother(t *testing.T) {
	s := Start(t, Options{})
	a := s.Phone("101", "udp")
	uri := "sip:" + s.SIP.String()
	text := func(auth string, cseq int) string {
		return fmt.Sprintf("REGISTER %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: <sip:102@x>;tag=1\r\nTo: <sip:102@x>\r\nCall-ID: other\r\nCSeq: %d REGISTER\r\nContact: <%s>\r\n%sContent-Length: 0\r\n\r\n", uri, a.Via(), cseq, a.Contact, auth)
	}
	a.Send(text("", 1))
	challenge := a.Final("REGISTER").Get("WWW-Authenticate")
	a.Send(text("Authorization: "+a.Credentials(challenge, "REGISTER", uri)+"\r\n", 2))
	if res := a.Final("REGISTER"); res.Status() != 403 {
		t.Errorf("101 as 102 got %s, want 403", res.Start)
	}
}

// A replayed request has a nonce count that was used: it is challenged anew,
// as stale, not accepted.
func TestReplayIsRefused(t *testing.T) {
	s := Start(t, Options{})
	a := s.Phone("101", "udp")
	uri := "sip:" + s.SIP.String()
	auth := ""
	text := func(cseq int) string {
		return fmt.Sprintf("REGISTER %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: <sip:101@x>;tag=1\r\nTo: <sip:101@x>\r\nCall-ID: replay\r\nCSeq: %d REGISTER\r\nContact: <%s>\r\n%sContent-Length: 0\r\n\r\n", uri, a.Via(), cseq, a.Contact, auth)
	}
	a.Send(text(1))
	auth = "Authorization: " + a.Credentials(a.Final("REGISTER").Get("WWW-Authenticate"), "REGISTER", uri) + "\r\n"
	a.Send(text(2))
	if res := a.Final("REGISTER"); res.Status() != 200 {
		t.Fatalf("first use got %s, want 200", res.Start)
	}
	a.Send(text(3))
	if res := a.Final("REGISTER"); res.Status() != 401 || !strings.Contains(res.Get("WWW-Authenticate"), "stale=true") {
		t.Errorf("replay got %s and %q, want 401 and stale=true", res.Start, res.Get("WWW-Authenticate"))
	}
}

func TestSHA256(t *testing.T) {
	s := Start(t, Options{Configure: func(c *pbx.Config) { c.SIP.DigestSHA256 = true }})
	a := s.Phone("101", "udp")
	a.Send(fmt.Sprintf("REGISTER sip:x SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: <sip:101@x>;tag=1\r\nTo: <sip:101@x>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n", a.Via()))
	offered := a.Final("REGISTER").All("WWW-Authenticate")
	if len(offered) != 2 || !strings.Contains(offered[0], "SHA-256") || !strings.Contains(offered[1], "MD5") {
		t.Fatalf("offered %q, want SHA-256 before MD5", offered)
	}
	if res := a.Register(60); res.Status() != 200 { // takes the first offer
		t.Errorf("with SHA-256 got %s, want 200", res.Start)
	}
	old := s.Phone("102", "udp") // knows only MD5
	uri := "sip:" + s.SIP.String()
	auth := "Authorization: " + old.Credentials(offered[1], "REGISTER", uri) + "\r\n"
	old.Send(fmt.Sprintf("REGISTER %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: <sip:102@x>;tag=1\r\nTo: <sip:102@x>\r\nCall-ID: d\r\nCSeq: 1 REGISTER\r\nContact: <%s>\r\n%sContent-Length: 0\r\n\r\n", uri, old.Via(), old.Contact, auth))
	if res := old.Final("REGISTER"); res.Status() != 200 {
		t.Errorf("with MD5 got %s, want 200", res.Start)
	}
}

func TestRegistrationsSurviveRestart(t *testing.T) {
	s, _, b := twoPhones(t, Options{})
	s.Stop()
	again := Start(t, Options{Dir: s.Dir, SIP: s.SIP.String()})
	a := again.Phone("101", "udp") // calls without registering again
	call := a.Dial("102", SDP(16000))
	b.Ringing().Answer(SDP(16002))
	call.Answered()
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, again)
}

func TestRemovedPhoneIsNotCalled(t *testing.T) {
	s, a, b := twoPhones(t, Options{})
	if res := b.Register(0); res.Status() != 200 {
		t.Fatalf("removal got %s", res.Start)
	}
	call := a.Dial("102", SDP(16000))
	res := a.Final("INVITE")
	if res.Status() != 480 {
		t.Errorf("got %s, want 480", res.Start)
	}
	call.AckRefusal(res)
	b.Silent(200*time.Millisecond, "a call", func(m *Message) bool { return m.Method() == "INVITE" })
	nothingLeft(t, s)
}

// Beyond the permitted number of phones the oldest gives way.
func TestNewestPhonesStay(t *testing.T) {
	s := Start(t, Options{Configure: func(c *pbx.Config) { c.SIP.MaxContacts = 2 }})
	var phones []*Phone
	for range 3 {
		phones = append(phones, s.Phone("102", "udp").MustRegister())
	}
	call := s.Phone("101", "udp").Dial("102", SDP(16000))
	phones[1].Ringing().Reply(486, "Busy Here", "")
	phones[2].Ringing().Reply(486, "Busy Here", "")
	phones[0].Silent(200*time.Millisecond, "a call", func(m *Message) bool { return m.Method() == "INVITE" })
	call.AckRefusal(call.Phone.Final("INVITE"))
	nothingLeft(t, s)
}

func TestIPv6(t *testing.T) {
	s := Start(t, Options{SIP: "[::1]:0", RTP: "::1"})
	a, b := s.Phone("101", "udp").MustRegister(), s.Phone("102", "tcp").MustRegister()
	call := a.Dial("102", strings.ReplaceAll(SDP(16000), "IP4 127.0.0.1", "IP6 ::1"))
	in := b.Ringing()
	if !strings.Contains(in.Invite.Body, "c=IN IP6 ::1") {
		t.Errorf("offer names %q, want an IPv6 address", in.Invite.Body)
	}
	in.Answer(strings.ReplaceAll(SDP(16002), "IP4 127.0.0.1", "IP6 ::1"))
	call.Answered()
	if !strings.Contains(call.Target, "@[::1]:") {
		t.Errorf("Contact is %q, want [::1]", call.Target)
	}
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// Phones on an IPv4 and an IPv6 address talk to each other.
func TestIPv4MeetsIPv6(t *testing.T) {
	s := Start(t, Options{SIP: "[::]:0", RTP: "::"})
	four := strings.Replace(s.SIP.String(), "[::]", "127.0.0.1", 1)
	six := strings.Replace(s.SIP.String(), "[::]", "[::1]", 1)
	a, b := s.PhoneAt(four, "udp", "101").MustRegister(), s.PhoneAt(six, "udp", "102").MustRegister()
	ua, ub := listenUDP(t, "127.0.0.1"), listenUDP(t, "::1")
	call := a.Dial("102", SDP(port(ua)))
	in := b.Ringing()
	if !strings.Contains(in.Invite.Body, "c=IN IP6 ::1") {
		t.Errorf("the IPv6 phone is offered %q", in.Invite.Body)
	}
	in.Answer(strings.ReplaceAll(SDP(port(ub)), "IP4 127.0.0.1", "IP6 ::1"))
	res := call.Answered()
	if !strings.Contains(res.Body, "c=IN IP4 127.0.0.1") {
		t.Errorf("the IPv4 phone is answered %q", res.Body)
	}
	s.Eventually("audio from IPv4 to IPv6", func() bool {
		send(t, ua, "127.0.0.1", res.AudioPort(), rtp(1))
		return receive(ub) != nil
	})
	s.Eventually("audio from IPv6 to IPv4", func() bool {
		send(t, ub, "::1", in.Invite.AudioPort(), rtp(1))
		return receive(ua) != nil
	})
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// Phones behind address translation, as all are in QEMU's user networking:
// what they say of their own address is useless, the external address is ours.
func TestBehindAddressTranslation(t *testing.T) {
	s := Start(t, Options{SIP: "[::]:0", RTP: "0.0.0.0", Defaults: pbx.Defaults{ExternalAddress: "127.0.0.1", NoLocalNetworks: true}})
	at := strings.Replace(s.SIP.String(), "[::]", "127.0.0.1", 1)
	a, b := s.PhoneAt(at, "udp", "101"), s.PhoneAt(at, "udp", "102")
	b.Contact = "sip:102@10.99.99.99:5060"
	a.Contact = "sip:101@10.99.99.98:5060"
	a.MustRegister()
	b.MustRegister()
	ua, ub := listenUDP(t, "127.0.0.1"), listenUDP(t, "127.0.0.1")
	call := a.Dial("102", strings.ReplaceAll(SDP(port(ua)), "127.0.0.1", "10.99.99.98"))
	in := b.Ringing()
	if !strings.Contains(in.Invite.Get("Contact"), at) {
		t.Errorf("Contact is %q, want the address that the phone uses, %s", in.Invite.Get("Contact"), at)
	}
	in.Answer(strings.ReplaceAll(SDP(port(ub)), "127.0.0.1", "10.99.99.99"))
	res := call.Answered()
	s.Eventually("audio from 101", func() bool {
		send(t, ua, "127.0.0.1", res.AudioPort(), rtp(1))
		return receive(ub) != nil
	})
	s.Eventually("audio from 102", func() bool {
		send(t, ub, "127.0.0.1", in.Invite.AudioPort(), rtp(1))
		return receive(ua) != nil
	})
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// The external address is a router's: phones are sent there, but the sockets
// are at our own address.
func TestExternalAddressOfARouter(t *testing.T) {
	s := Start(t, Options{Defaults: pbx.Defaults{ExternalAddress: "192.0.2.1", NoLocalNetworks: true}})
	a, b := s.Phone("101", "udp").MustRegister(), s.Phone("102", "udp").MustRegister()
	ua, ub := listenUDP(t, "127.0.0.1"), listenUDP(t, "127.0.0.1")
	call := a.Dial("102", SDP(port(ua)))
	in := b.Ringing()
	in.Answer(SDP(port(ub)))
	res := call.Answered()
	for _, m := range []*Message{in.Invite, res} {
		if !strings.Contains(m.Body, "c=IN IP4 192.0.2.1\r\n") {
			t.Errorf("audio is sent to another address than the router's:\n%s", m.Body)
		}
	}
	s.Eventually("audio from 101", func() bool {
		send(t, ua, "127.0.0.1", res.AudioPort(), rtp(1))
		return receive(ub) != nil
	})
	s.Eventually("audio from 102", func() bool {
		send(t, ub, "127.0.0.1", in.Invite.AudioPort(), rtp(1))
		return receive(ua) != nil
	})
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// The clock of the device is set, as when the network gives it the time after a
// power cut: phones stay registered, are told how long, and calls go on.
func TestClockIsSet(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	s := Start(t, Options{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	a, b := s.Phone("101", "udp").MustRegister(), s.Phone("102", "tcp").MustRegister()
	call := a.Dial("102", SDP(16000))
	in := b.Ringing()
	in.Answer(SDP(16002))
	call.Answered()
	const year = 365 * 24 * time.Hour
	for _, d := range []time.Duration{year, -40 * year, -time.Hour, 10 * time.Second, 30 * year, 0} {
		ahead.Store(int64(d))
		if res := b.Register(3600); res.Status() != 200 || !strings.Contains(res.Get("Contact"), ";expires=3600") {
			t.Errorf("clock %v ahead: %s, Contact %s", d, res.Start, res.Get("Contact"))
		}
		call.Send("INVITE", SDP(16000))
		call.Response(200)
		call.Ack("")
	}
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	another := a.Dial("102", SDP(16000))
	b.Ringing().Reply(486, "Busy Here", "")
	another.AckRefusal(a.Response("INVITE", 486))
	nothingLeft(t, s)
}
