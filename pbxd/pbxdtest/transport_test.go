package pbxdtest

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// addresses of SIP sockets for a test with one IP version.
func optionsFor(host string) Options {
	return Options{SIP: net.JoinHostPort(host, "0"), SIPTLS: net.JoinHostPort(host, "0"), RTP: host}
}

// Each transport calls each other, on IPv4 and on IPv6. The called phone is
// reached over the connection that it made.
func TestCallsAcrossTransports(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "::1"} {
		s := Start(t, optionsFor(host))
		sdp := func(port int) string {
			if host == "::1" {
				return strings.ReplaceAll(SDP(port), "IP4 127.0.0.1", "IP6 ::1")
			}
			return SDP(port)
		}
		for _, from := range []string{"udp", "tcp", "tls"} {
			for _, to := range []string{"udp", "tcp", "tls"} {
				t.Run(fmt.Sprintf("%s, %s to %s", host, from, to), func(t *testing.T) {
					a, b := s.Phone("101", from).MustRegister(), s.Phone("102", to).MustRegister()
					call := a.Dial("102", sdp(16000))
					in := b.Ringing()
					for name, m := range map[string]string{"Via": in.Invite.Get("Via"), "Contact": in.Invite.Get("Contact")} {
						want := "SIP/2.0/" + strings.ToUpper(to) + " "
						if name == "Contact" && to != "udp" {
							want = ";transport=" + to
						}
						if name == "Via" && !strings.HasPrefix(m, want) || name == "Contact" && to != "udp" && !strings.Contains(m, want) {
							t.Errorf("%s of the INVITE is %q, want %q", name, m, want)
						}
					}
					in.Answer(sdp(16002))
					call.Answered()
					if at := net.JoinHostPort(host, ""); !strings.Contains(call.Target, "@"+at) {
						t.Errorf("Contact is %q, want %s", call.Target, at)
					}
					in.Send("BYE", "")
					a.Reply(a.Request("BYE"), "", 200, "OK", "", "")
					b.Response("BYE", 200)
					nothingLeft(t, s)
					for _, p := range []*Phone{a, b} {
						if res := p.Register(0); res.Status() != 200 {
							t.Errorf("%s: removal got %s", p.Ext, res.Start)
						}
					}
				})
			}
		}
	}
}

// A phone over TLS whose connection is gone is not reached until it comes
// back: nobody can connect to it.
func TestTLSPhoneThatIsGone(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	a, b := s.Phone("101", "udp").MustRegister(), s.Phone("102", "tls").MustRegister()
	b.conn.Close()
	s.Eventually("the call to be refused", func() bool {
		call := a.Dial("102", SDP(16000))
		res := a.Final("INVITE")
		call.AckRefusal(res)
		return res.Status() == 480
	})
	back := s.Phone("102", "tls").MustRegister()
	call := a.Dial("102", SDP(16000))
	back.Ringing().Answer(SDP(16002))
	call.Answered()
	call.Hangup()
	back.Reply(back.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// SIPS is served over TLS (RFC 3261 section 26.2.2), also by phones that write it
// everywhere: such a call reaches a phone that has no TLS.
func TestSIPS(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	tests := []struct {
		network, method string
		want            int
	}{
		{"udp", "OPTIONS", 416}, {"tcp", "REGISTER", 416}, {"udp", "INVITE", 416},
		{"tls", "OPTIONS", 200}, {"tls", "INVITE", 401},
	}
	for _, tt := range tests {
		p := s.Phone("101", tt.network)
		p.Send(fmt.Sprintf("%[1]s sips:102@x SIP/2.0\r\nVia: %[2]s\r\nFrom: <sips:101@x>;tag=1\r\nTo: <sips:102@x>\r\nCall-ID: %[3]s\r\nCSeq: 1 %[1]s\r\nContent-Length: 0\r\n\r\n", tt.method, p.Via(), p.Unique()))
		if res := p.Final(tt.method); res.Status() != tt.want {
			t.Errorf("%s over %s got %s, want %d", tt.method, tt.network, res.Start, tt.want)
		}
	}
	b := s.Phone("102", "tls")
	b.Contact = strings.Replace(b.Contact, "sip:", "sips:", 1)
	if res := b.Register(60); res.Status() != 200 || !strings.Contains(res.Get("Contact"), "<sips:102@") {
		t.Fatalf("SIPS contact got %s, %q", res.Start, res.Get("Contact"))
	}
	a := s.Phone("101", "udp")
	a.Contact = strings.Replace(a.Contact, "sip:", "sips:", 1)
	if res := a.Register(60); res.Status() != 400 {
		t.Errorf("SIPS contact over UDP got %s, want 400", res.Start)
	}
	call := s.Phone("101", "udp").Dial("102", SDP(16000))
	in := b.Ringing()
	if !strings.HasPrefix(in.Invite.Start, "INVITE sip:") {
		t.Errorf("the INVITE promises TLS that the caller has not: %s", in.Invite.Start)
	}
	in.Reply(486, "Busy Here", "")
	call.AckRefusal(call.Phone.Final("INVITE"))
	nothingLeft(t, s)
}

// A phone that writes SIPS everywhere registers, calls a phone over UDP, is called
// by it, and finds SIPS in every Contact of ours.
func TestCallBySIPS(t *testing.T) {
	s := Start(t, Options{})
	a, b := s.Phone("101", "tls"), s.Phone("102", "udp").MustRegister()
	a.Scheme, a.Contact = "sips", strings.Replace(a.Contact, "sip:", "sips:", 1)
	a.MustRegister()
	call := a.Dial("102", SDP(16000))
	in := b.Ringing()
	if !strings.HasPrefix(in.Target, "sip:") {
		t.Errorf("the phone over UDP is told the Contact %s", in.Target)
	}
	in.Answer(SDP(16002))
	call.Answered()
	if !strings.HasPrefix(call.Target, "sips:") {
		t.Errorf("the answer to a SIPS call has the Contact %s", call.Target)
	}
	call.Send("INVITE", SDP(16000, "a=sendonly"))
	call.learn(a.Response("INVITE", 200))
	call.Ack("")
	in.Send("BYE", "")
	bye := a.Request("BYE")
	if !strings.HasPrefix(bye.Start, "BYE "+a.Contact+" ") {
		t.Errorf("the BYE goes to another target than the phone's: %s", bye.Start)
	}
	a.Reply(bye, "", 200, "OK", "", "")
	b.Response("BYE", 200)

	back := b.Dial("101", SDP(16002))
	up := a.Ringing()
	up.Answer(SDP(16000))
	back.Answered()
	up.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// The TLS port comes and goes with the settings; who is connected stays.
func TestTLSPortFollowsTheSettings(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	b := s.Phone("102", "tls").MustRegister()
	admin := s.Login()
	set := func(on bool) {
		var settings map[string]any
		admin.Do("GET", "/api/v1/sip-settings", nil, 200, &settings)
		settings["tls"] = on
		admin.Do("PUT", "/api/v1/sip-settings", settings, 200, nil)
	}
	set(false)
	if at := s.PBX.TLSAddr(); at.IsValid() {
		t.Errorf("TLS is served at %s though it is off", at)
	}
	if c, err := dialPhone(netip.Addr{}, "tls", s.TLS); err == nil {
		c.Close()
		t.Error("the port that was closed takes a phone")
	}
	if c, err := dialPhone(netip.Addr{}, "tls", s.SIP); err == nil {
		c.Close()
		t.Error("the port without TLS speaks TLS")
	}
	call := s.Phone("101", "udp").Dial("102", SDP(16000))
	b.Ringing().Reply(486, "Busy Here", "")
	call.AckRefusal(call.Phone.Final("INVITE"))
	set(true)
	at := s.PBX.TLSAddr()
	if !at.IsValid() {
		t.Fatal("TLS is on and not served")
	}
	NewPhone(t, at, "tls", "103", s.Password("103")).MustRegister()
	nothingLeft(t, s)
}
