package pbxdtest

import (
	"strings"
	"testing"
	"time"
)

// Fault of sipgo 1.7.2: a forked 2xx is acknowledged with the tag of another
// phone. Behind one contact two phones ring and both answer: each gets an ACK
// of its own (RFC 3261 section 13.2.2.4), and the second is ended.
func TestFaultForkedAnswers(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	call := a.Dial("102", SDP(16000))
	in := b.Ringing()
	to := in.Invite.Get("To")
	tagged := func(tag string) string { return to + ";tag=" + tag }
	number, _, _ := strings.Cut(in.Invite.Get("CSeq"), " ")
	b.Reply(in.Invite, tagged("early"), 180, "Ringing", "", "")
	a.Response("INVITE", 180)
	b.Reply(in.Invite, tagged("second"), 183, "Session Progress", "", "")
	acknowledged := func(tag string) {
		t.Helper()
		b.Reply(in.Invite, tagged(tag), 200, "OK", "", SDP(16002))
		ack := b.Request("ACK")
		if ack.Tag("To") != tag || ack.Get("CSeq") != number+" ACK" || ack.Get("Via") == in.Invite.Get("Via") {
			t.Errorf("the 200 of %s was acknowledged by %s", tag, ack)
		}
	}
	acknowledged("first")
	call.Answered()
	acknowledged("second")
	bye := b.Request("BYE")
	if bye.Tag("To") != "second" || !strings.Contains(bye.Get("Reason"), "cause=200") {
		t.Errorf("the second phone is ended by %s", bye)
	}
	b.Reply(bye, bye.Get("To"), 200, "OK", "", "")
	acknowledged("second") // repeated
	acknowledged("first")
	acknowledged("third")
	bye = b.Request("BYE")
	if bye.Tag("To") != "third" {
		t.Errorf("the third phone is ended by %s", bye)
	}
	b.Reply(bye, bye.Get("To"), 200, "OK", "", "")
	b.Silent(300*time.Millisecond, "another BYE", func(m *Message) bool { return m.Method() == "BYE" && m.Status() == 0 })
	if c := s.PBX.Counts(); c.Calls != 1 || c.SIP.Legs != 2 {
		t.Errorf("%d calls with %d legs are up, want 1 with 2", c.Calls, c.SIP.Legs)
	}
	call.Send("BYE", "")
	last := b.Request("BYE")
	if last.Tag("To") != "first" {
		t.Errorf("the call is ended with %s", last)
	}
	b.Reply(last, last.Get("To"), 200, "OK", "", "")
	nothingLeft(t, s)
}
