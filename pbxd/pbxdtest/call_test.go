package pbxdtest

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// twoPhones starts a PBX with 101 and 102 registered.
func twoPhones(t *testing.T, o Options) (s *System, a, b *Phone) {
	t.Helper()
	s = Start(t, o)
	return s, s.Phone("101", "udp").MustRegister(), s.Phone("102", "udp").MustRegister()
}

// nothingLeft checks that no dialog, call or port is held any more.
func nothingLeft(t *testing.T, s *System) {
	t.Helper()
	s.Eventually("all calls and ports to be given back", func() bool {
		c := s.PBX.Counts()
		return c.Calls == 0 && c.SIP.Legs == 0 && c.Ports == 0
	})
}

func TestCallIsAnsweredAndHungUp(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"udp", "tcp"} {
		for _, callerEnds := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, caller hangs up: %v", network, callerEnds), func(t *testing.T) {
				s := Start(t, Options{})
				a, b := s.Phone("101", network).MustRegister(), s.Phone("102", network).MustRegister()
				call := a.Dial("102", SDP(16000))
				in := b.Ringing()
				if from := in.Invite.Get("From"); !strings.Contains(from, `"Anna Demo" <sip:101@`) {
					t.Errorf("caller is shown as %q, want Anna Demo, 101", from)
				}
				in.Reply(180, "Ringing", "")
				a.Response("INVITE", 180)
				in.Answer(SDP(16002))
				res := call.Answered()
				if res.AudioPort() == 16002 || res.AudioPort() < 40000 {
					t.Errorf("caller is sent to audio port %d, want one of the PBX", res.AudioPort())
				}
				s.Eventually("the call to be up", func() bool { c := s.PBX.Counts(); return c.Calls == 1 && c.SIP.Legs == 2 && c.Ports == 2 })
				first, other := call, in
				if !callerEnds {
					first, other = in, call
				}
				first.Send("BYE", "")
				bye := other.Phone.Request("BYE")
				if r := bye.Get("Reason"); !strings.HasPrefix(r, "Q.850;cause=16") {
					t.Errorf("BYE gives the reason %q, want normal clearing", r)
				}
				other.Phone.Reply(bye, "", 200, "OK", "", "")
				first.Phone.Response("BYE", 200)
				nothingLeft(t, s)
			})
		}
	}
}

func TestCallIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		digits string
		act    func(*Call) // of the called phone; nil when it is not rung
		want   int
	}{
		{"unknown number", "999", nil, 404},
		{"nobody registered", "103", nil, 480},
		{"busy", "102", func(c *Call) { c.Reply(486, "Busy Here", "") }, 486},
		{"rejected", "102", func(c *Call) { c.Reply(603, "Decline", "") }, 603},
		{"phone finds no codec", "102", func(c *Call) { c.Reply(488, "Not Acceptable Here", "") }, 488},
		{"phone fails", "102", func(c *Call) { c.Reply(500, "Server Error", "") }, 503},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, a, b := twoPhones(t, Options{})
			call := a.Dial(tt.digits, SDP(16000))
			if tt.act != nil {
				in := b.Ringing()
				tt.act(in)
				b.Request("ACK")
			}
			res := a.Final("INVITE")
			if res.Status() != tt.want {
				t.Errorf("got %s, want %d", res.Start, tt.want)
			}
			call.AckRefusal(res)
			nothingLeft(t, s)
		})
	}
}

func TestNoAnswer(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{Configure: func(c *pbx.Config) { c.SIP.RingTime = 5 }})
	call := a.Dial("102", SDP(16000))
	in := b.Ringing()
	in.Reply(180, "Ringing", "")
	res := a.Final("INVITE")
	if res.Status() != 480 || !strings.Contains(res.Get("Reason"), "cause=19") {
		t.Errorf("got %s with reason %q, want 480 and no answer (19)", res.Start, res.Get("Reason"))
	}
	call.AckRefusal(res)
	cancel := b.Request("CANCEL")
	b.Reply(cancel, "", 200, "OK", "", "")
	in.Reply(487, "Request Terminated", "")
	b.Request("ACK")
	nothingLeft(t, s)
}

func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	call := a.Dial("102", SDP(16000))
	in := b.Ringing()
	in.Reply(180, "Ringing", "")
	a.Response("INVITE", 180)
	call.Cancel()
	a.Response("CANCEL", 200)
	res := a.Response("INVITE", 487)
	call.AckRefusal(res)
	cancel := b.Request("CANCEL")
	if cancel.Get("Via") != in.Invite.Get("Via") || cancel.Get("Route") != "" {
		t.Errorf("CANCEL must take the way of its INVITE: Via %q, want %q; Route %q, want none", cancel.Get("Via"), in.Invite.Get("Via"), cancel.Get("Route"))
	}
	b.Reply(cancel, "", 200, "OK", "", "")
	in.Reply(487, "Request Terminated", "")
	b.Request("ACK")
	nothingLeft(t, s)
}

// The phone answers just as the caller gives up: the answer must be
// acknowledged and ended.
func TestAnswerCrossesCancel(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	call := a.Dial("102", SDP(16000))
	in := b.Ringing()
	in.Reply(180, "Ringing", "")
	a.Response("INVITE", 180)
	call.Cancel()
	call.AckRefusal(a.Response("INVITE", 487))
	b.Request("CANCEL")
	in.Answer(SDP(16002))
	bye := b.Request("BYE")
	b.Reply(bye, "", 200, "OK", "", "")
	nothingLeft(t, s)
}

func TestFirstPhoneThatAnswersWins(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	b2 := s.Phone("102", "tcp").MustRegister()
	call := a.Dial("102", SDP(16000))
	in, in2 := b.Ringing(), b2.Ringing()
	in.Reply(180, "Ringing", "")
	in2.Reply(180, "Ringing", "")
	in2.Answer(SDP(16004))
	call.Answered()
	cancel := b.Request("CANCEL")
	if r := cancel.Get("Reason"); !strings.Contains(r, "SIP;cause=200") {
		t.Errorf("the other phone is told %q, want that the call was answered elsewhere", r)
	}
	b.Reply(cancel, "", 200, "OK", "", "")
	in.Reply(487, "Request Terminated", "")
	b.Request("ACK")
	call.Hangup()
	bye := b2.Request("BYE")
	b2.Reply(bye, "", 200, "OK", "", "")
	nothingLeft(t, s)
}

func TestOnePhoneBusyOtherRings(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	b2 := s.Phone("102", "udp").MustRegister()
	call := a.Dial("102", SDP(16000))
	in, in2 := b.Ringing(), b2.Ringing()
	in.Reply(486, "Busy Here", "")
	b.Request("ACK")
	in2.Answer(SDP(16004))
	call.Answered()
	call.Hangup()
	b2.Reply(b2.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

func TestLostMessagesAreRepeated(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	call := a.Dial("102", SDP(16000))
	first := b.Request("INVITE")
	again := b.Request("INVITE") // we did not answer
	if first.Get("Via") != again.Get("Via") || first.Get("CSeq") != again.Get("CSeq") {
		t.Errorf("repeated INVITE differs: %s against %s", again.Get("Via"), first.Get("Via"))
	}
	in := &Call{Phone: b, Invite: first, Local: first.Get("To") + ";tag=" + b.Unique(), Remote: first.Get("From"), ID: first.Get("Call-ID"), Target: strings.Trim(first.Get("Contact"), "<>")}
	in.Answer(SDP(16002))
	ok := a.Response("INVITE", 200)
	okAgain := a.Response("INVITE", 200) // we did not acknowledge
	if ok.Body != okAgain.Body {
		t.Error("repeated 200 differs from the first")
	}
	call.learn(ok)
	call.Ack("")
	in.Reply(200, "OK", SDP(16002)) // their 200 once more: it must be acknowledged once more
	b.Request("ACK")
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// An INVITE without an offer is answered with one, and the ACK completes it
// (RFC 3264 section 4).
func TestDelayedOffer(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	call := a.Dial("102", "")
	in := b.Ringing()
	if in.Invite.AudioPort() == 0 {
		t.Fatal("the called phone got no offer")
	}
	in.Answer(SDP(16002))
	res := a.Response("INVITE", 200)
	if res.AudioPort() == 0 {
		t.Fatal("the 200 has no offer")
	}
	call.learn(res)
	call.Ack(SDP(16000))
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// Hold and resume are answered by the PBX at once; the other phone is not asked
// (RFC 5359 section 2.1 as a B2BUA with its own audio shows it).
func TestHoldAndResume(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	call := a.Dial("102", SDP(16000))
	in := b.Ringing()
	in.Answer(SDP(16002))
	call.Answered()
	pcma := "a=rtpmap:8 PCMA/8000"
	for _, step := range []struct{ offer, answer string }{
		{"a=sendonly", "a=recvonly"}, {"a=sendrecv", "a=sendrecv"}, {"a=inactive", "a=inactive"}, {"a=sendrecv", "a=sendrecv"},
	} {
		call.Send("INVITE", SDP(16000, pcma, step.offer))
		res := call.Response(200)
		if !strings.Contains(res.Body, step.answer) {
			t.Errorf("the holder is answered %q, want %s", res.Body, step.answer)
		}
		call.Ack("")
	}
	call.Send("INVITE", strings.Replace(SDP(16000), "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0", 1)) // hold as of RFC 2543
	call.Response(200)
	call.Ack("")
	call.Send("INVITE", "") // no offer: we make one that takes the call back
	res := call.Response(200)
	if !strings.Contains(res.Body, "a=sendrecv") || !strings.Contains(res.Body, "G722") {
		t.Errorf("who asks for an offer gets %q, want all that the device has, both ways", res.Body)
	}
	call.Ack(SDP(16000))
	b.Silent(300*time.Millisecond, "a re-INVITE for what the other side does", func(m *Message) bool { return m.Method() == "INVITE" && m.Status() == 0 })
	call.Send("INVITE", strings.Replace(SDP(16000), "RTP/AVP 8 0 101", "RTP/AVP 97", 1)+"a=rtpmap:97 L16/44100\r\n")
	call.AckRefusal(call.Response(488)) // the call goes on as before
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// Audio goes both ways through the PBX, and a stranger's packets do not.
func TestAudioIsRelayed(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	ua, ub := listenUDP(t, "127.0.0.1"), listenUDP(t, "127.0.0.1")
	call := a.Dial("102", SDP(port(ua)))
	in := b.Ringing()
	in.Answer(SDP(port(ub)))
	res := call.Answered()
	toA, toB := res.AudioPort(), in.Invite.AudioPort()
	s.Eventually("the bridge", func() bool {
		send(t, ua, "127.0.0.1", toA, rtp(1))
		return receive(ub) != nil
	})
	for i := range uint16(50) {
		send(t, ua, "127.0.0.1", toA, rtp(100+i))
		send(t, ub, "127.0.0.1", toB, rtp(200+i))
		if got := receive(ub); got == nil {
			t.Fatalf("packet %d from 101 did not arrive", i)
		}
		if got := receive(ua); got == nil {
			t.Fatalf("packet %d from 102 did not arrive", i)
		}
	}
	stranger := listenUDP(t, "127.0.0.1")
	send(t, stranger, "127.0.0.1", toA, rtp(300))
	send(t, ua, "127.0.0.1", toA, rtp(301))
	if got := receive(ub); got == nil || got[3] != byte(301&0xff) {
		t.Errorf("got %x, want only the packet of the phone itself", got)
	}
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// A phone with several addresses describes one and sends from another, that of
// its signalling.
func TestAudioFromAnotherAddressOfThePhone(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	ua, ub := listenUDP(t, "127.0.0.1"), listenUDP(t, "127.0.0.1")
	describe := func(c *net.UDPConn) string {
		return strings.Replace(SDP(port(c)), "c=IN IP4 127.0.0.1", "c=IN IP4 127.0.0.9", 1)
	}
	call := a.Dial("102", describe(ua))
	in := b.Ringing()
	in.Answer(describe(ub))
	toA, toB := call.Answered().AudioPort(), in.Invite.AudioPort()
	for _, to := range []*net.UDPConn{ua, ub} {
		s.Eventually("audio", func() bool {
			send(t, ua, "127.0.0.1", toA, rtp(1))
			send(t, ub, "127.0.0.1", toB, rtp(1))
			return receive(to) != nil
		})
	}
	call.Hangup()
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

func listenUDP(t *testing.T, ip string) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func port(c *net.UDPConn) int { return c.LocalAddr().(*net.UDPAddr).Port }

func rtp(seq uint16) []byte {
	p := make([]byte, 172)
	p[0], p[1], p[2], p[3], p[11] = 0x80, 8, byte(seq>>8), byte(seq), 7
	return p
}

func send(t *testing.T, c *net.UDPConn, ip string, port int, p []byte) {
	t.Helper()
	if _, err := c.WriteToUDPAddrPort(p, netip.AddrPortFrom(netip.MustParseAddr(ip), uint16(port))); err != nil {
		t.Fatal(err)
	}
}

func receive(c *net.UDPConn) []byte {
	buf := make([]byte, 2048)
	c.SetReadDeadline(time.Now().Add(2 * time.Second))
	n, _, err := c.ReadFromUDPAddrPort(buf)
	if err != nil {
		return nil
	}
	return buf[:n]
}
