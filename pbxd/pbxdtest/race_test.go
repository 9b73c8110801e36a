package pbxdtest

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// up connects 101 and 102.
func up(t *testing.T, o Options) (s *System, call, in *Call) {
	t.Helper()
	s, a, b := twoPhones(t, o)
	call = a.Dial("102", SDP(16000))
	in = b.Ringing()
	in.Answer(SDP(16002))
	call.Answered()
	return s, call, in
}

func end(t *testing.T, s *System, call, in *Call) {
	t.Helper()
	call.Hangup()
	in.Phone.Reply(in.Phone.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// settled waits until no transaction is held either; timers of 32 s decide.
func settled(t *testing.T, s *System) {
	t.Helper()
	for end := time.Now().Add(50 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if c := s.PBX.Counts(); c.Calls == 0 && c.Ports == 0 && c.SIP.Legs == 0 && c.SIP.ClientTransactions == 0 && c.SIP.ServerTransactions == 0 {
			return
		}
	}
	t.Errorf("still held: %+v", s.PBX.Counts())
}

// The caller ends the early dialog with BYE just as the phone answers.
func TestEarlyBYEMeetsAnswer(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	for i := range 150 {
		call := a.Dial("102", SDP(16000))
		in := b.Ringing()
		in.Reply(180, "Ringing", "")
		call.learn(a.Response("INVITE", 180))
		if i%2 == 0 {
			in.Reply(200, "OK", SDP(16002))
			time.Sleep(time.Duration(i) * time.Microsecond)
			call.Send("BYE", "")
		} else {
			call.Send("BYE", "")
			in.Reply(200, "OK", SDP(16002))
		}
		a.Response("BYE", 200)
		b.Request("ACK")
		b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	}
	nothingLeft(t, s)
}

// The caller gives up just as the phone answers: it gets either 487, or 200
// and a dialog that it can end.
func TestCANCELMeetsAnswer(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	for i := range 150 {
		call := a.Dial("102", SDP(16000))
		in := b.Ringing()
		in.Reply(180, "Ringing", "")
		a.Response("INVITE", 180)
		in.Reply(200, "OK", SDP(16002))
		time.Sleep(time.Duration(i) * time.Microsecond)
		call.Cancel()
		res := a.Final("INVITE")
		if res.Status() == 200 {
			call.learn(res)
			call.Ack("")
			call.Send("BYE", "")
			if bye := a.Final("BYE"); bye.Status() != 200 {
				t.Fatalf("round %d: BYE after 200 got %s", i, bye.Start)
			}
		} else {
			call.AckRefusal(res)
		}
		b.Request("ACK")
		b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	}
	nothingLeft(t, s)
}

// One side holds while the other hangs up: the hold gets its final answer and
// nothing is held for ever.
func TestHoldMeetsHangup(t *testing.T) {
	t.Parallel()
	s, call, in := up(t, Options{})
	call.Send("INVITE", SDP(16000, "a=rtpmap:8 PCMA/8000", "a=sendonly"))
	in.Send("BYE", "")
	in.Phone.Response("BYE", 200)
	if res := call.Phone.Final("INVITE"); res.Status() == 200 { // then the BYE waits for the ACK
		call.Ack("")
	} else {
		call.AckRefusal(res)
	}
	call.Phone.Reply(call.Phone.Request("BYE"), "", 200, "OK", "", "")
	settled(t, s)
}

// A caller who changes to a codec that the other phone has, too, is answered at
// once, and the other is asked to follow, so that nothing is transcoded. A phone
// that answers that with 100 and nothing more blocks neither the offer nor those
// that follow.
func TestReINVITEWithoutFinalAnswer(t *testing.T) {
	t.Parallel()
	s, call, in := up(t, Options{})
	change := func(types string) {
		call.Send("INVITE", strings.Replace(SDP(16000), "RTP/AVP 8 0 101", "RTP/AVP "+types, 1))
		call.Response(200)
		call.Ack("")
	}
	change("0 101")
	re := in.Phone.Request("INVITE")
	in.Phone.Reply(re, "", 100, "Trying", "", "")
	in.Phone.Reply(in.Phone.Expect("CANCEL", func(m *Message) bool { return m.Status() == 0 && m.Method() == "CANCEL" }), "", 200, "OK", "", "")
	in.Phone.Reply(re, "", 487, "Request Terminated", "", "")
	in.Phone.Request("ACK")
	change("8 101")
	change("0 101")
	again := in.Phone.Request("INVITE")
	in.Phone.Reply(again, "", 200, "OK", "", strings.Replace(SDP(16002), "RTP/AVP 8 0 101", "RTP/AVP 0 101", 1))
	in.Phone.Request("ACK")
	end(t, s, call, in)
}

// Both hold at the same time: each is answered by the PBX.
func TestHoldFromBothSides(t *testing.T) {
	t.Parallel()
	s, call, in := up(t, Options{})
	hold := SDP(16000, "a=rtpmap:8 PCMA/8000", "a=sendonly")
	call.Send("INVITE", hold)
	in.Send("INVITE", hold)
	for _, x := range []*Call{in, call} {
		if res := x.Response(200); !strings.Contains(res.Body, "a=recvonly") {
			t.Errorf("who holds is answered %q, want recvonly", res.Body)
		}
		x.Ack("")
	}
	end(t, s, call, in)
}

// An ACK counts for the 2xx of its number only.
func TestLateACK(t *testing.T) {
	t.Parallel()
	s, call, in := up(t, Options{})
	old := *call
	call.Send("INVITE", SDP(16000)) // a refresh: answered by the PBX
	first := call.Response(200)
	old.Ack("") // once more for the first INVITE
	again := call.Response(200)
	if first.Body != again.Body {
		t.Error("the repeated 200 differs")
	}
	call.Ack("")
	end(t, s, call, in)
}

// Who hangs up before the caller's ACK has come waits for it with the BYE (RFC
// 3261 section 15).
func TestHangupBeforeACK(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	call := a.Dial("102", SDP(16000))
	in := b.Ringing()
	in.Answer(SDP(16002))
	a.Response("INVITE", 200) // lost, let us say
	in.Send("BYE", "")
	b.Response("BYE", 200)
	call.learn(a.Response("INVITE", 200)) // it is still repeated
	call.Ack("")
	a.Reply(a.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// An ACK that leaves our offer without an answer ends the call.
func TestDelayedOfferWithoutAnswer(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	call := a.Dial("102", "")
	b.Ringing().Answer(SDP(16002))
	call.learn(a.Response("INVITE", 200))
	call.Ack("")
	for _, p := range []*Phone{a, b} {
		bye := p.Request("BYE")
		if !strings.Contains(bye.Get("Reason"), "cause=88") {
			t.Errorf("%s is told %q, want incompatible (88)", p.Ext, bye.Get("Reason"))
		}
		p.Reply(bye, "", 200, "OK", "", "")
	}
	nothingLeft(t, s)
}

// A phone that has come back over another connection is hung up there.
func TestPhoneComesBackOverAnotherConnection(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	a, b := s.Phone("101", "udp").MustRegister(), s.Phone("102", "tcp").MustRegister()
	call := a.Dial("102", SDP(16000))
	in := b.Ringing()
	in.Answer(SDP(16002))
	call.Answered()
	b.conn.Close()
	back := s.Phone("102", "tcp").MustRegister()
	call.Hangup()
	back.Reply(back.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(t, s)
}

// Requests of strangers cost nothing that lasts: calls that are up can be
// ended, phones can register.
func TestFloodOfStrangers(t *testing.T) {
	s, call, in := up(t, Options{})
	u, err := net.Dial("udp", s.SIP.String())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for i := range 20_000 {
		method := []string{"OPTIONS", "INVITE", "REGISTER", "DANCE"}[i%4]
		fmt.Fprintf(u, "%[1]s sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKflood%[2]d\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:x>\r\nCall-ID: f%[2]d\r\nCSeq: 1 %[1]s\r\nContent-Length: 0\r\n\r\n", method, i)
	}
	s.Eventually("the flood to be over", func() bool { return s.PBX.Health(t.Context()) == nil })
	s.Phone("103", "udp").MustRegister()
	if n := s.PBX.Counts().SIP.ServerTransactions; n > 100 {
		t.Errorf("%d transactions are held for strangers", n)
	}
	end(t, s, call, in)
}

// A challenge is sent once; what is not acknowledged is not repeated.
func TestChallengeIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	a := s.Phone("101", "udp")
	text := fmt.Sprintf("INVITE sip:102@x SIP/2.0\r\nVia: %s\r\nFrom: <sip:101@x>;tag=1\r\nTo: <sip:102@x>\r\nCall-ID: once\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n", a.Via())
	a.Send(text)
	first := a.Final("INVITE")
	a.Silent(1200*time.Millisecond, "the challenge again", func(m *Message) bool { return m.Method() == "INVITE" })
	a.Send(text) // a retransmission is answered anew, by the same far end
	if again := a.Final("INVITE"); again.Get("To") != first.Get("To") || first.Tag("To") == "" {
		t.Errorf("To is %q, then %q; want the same tag", first.Get("To"), again.Get("To"))
	}
}

// The phone that refreshes stays, though it registered first.
func TestRefreshedPhoneStays(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	desk := s.Phone("102", "udp").MustRegister()
	for range 4 {
		s.Phone("102", "udp").MustRegister()
	}
	desk.MustRegister()
	s.Phone("102", "udp").MustRegister() // one too many: another one goes
	call := s.Phone("101", "udp").Dial("102", SDP(16000))
	desk.Ringing().Reply(603, "Decline", "")
	call.Cancel()
}

func TestLoneCRLFKeepsTheConnection(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	b := s.Phone("102", "tcp").MustRegister()
	b.Send("\r\n")
	if res := b.Register(60); res.Status() != 200 {
		t.Errorf("after a lone CRLF REGISTER got %s", res.Start)
	}
}
