package sipedge_test

import (
	"strconv"
	"strings"
	"testing"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// A phone that answers with 302 and the like sends the call on: to the user part
// of the Contact that it likes best.
func TestDeflected(t *testing.T) {
	for _, tt := range []struct {
		status   int
		contacts string
		to       string
		cause    pbx.Cause
	}{
		{302, "Contact: <sip:103@pbx>\r\n", "103", pbx.CauseCallRejected},
		{301, "Contact: \"Carl\" <sip:%2B49123;ext=1@192.0.2.7:5070;transport=tcp>;expires=60\r\n", "+49123", pbx.CauseCallRejected},
		{300, "Contact: <sip:103@pbx>;q=0.2\r\nContact: <sip:104@pbx>;q=0.7\r\nContact: <sip:105@pbx>;q=0.7\r\n", "104", pbx.CauseCallRejected},
		{302, "Contact: <sip:102@192.0.2.1>, <sip:103@pbx>;q=0.1\r\n", "103", pbx.CauseCallRejected},
		{302, "Contact: <sip:102@192.0.2.1>\r\n", "102", pbx.CauseCallRejected},
		{302, "Contact: <tel:103;phone-context=pbx>\r\n", "103", pbx.CauseCallRejected},
		{302, "Contact: <mailto:carl@example.org>\r\n", "", pbx.CauseNormalUnspecified},
		{302, "Contact: <sip:pbx>\r\n", "", pbx.CauseNormalUnspecified},
		{302, "Contact: *\r\n", "", pbx.CauseNormalUnspecified},
		{305, "Contact: <sip:103@pbx>\r\n", "", pbx.CauseNormalUnspecified},
		{486, "Contact: <sip:103@pbx>\r\n", "", pbx.CauseUserBusy},
	} {
		o := newOffice(t)
		p := o.phone("102")
		p.MustRegister()
		o.dial(call.Dial{Extension: "102", Offer: pcma(), Caller: call.Party{Number: "101"}})
		in := p.Ringing()
		p.Send(rawReply(in, tt.status, tt.contacts))
		ev := o.event(call.EventEnded)
		if ev.Deflected != tt.to || ev.Cause != tt.cause {
			t.Errorf("%d with %q: told as %q, cause %d; want %q, %d", tt.status, tt.contacts, ev.Deflected, ev.Cause, tt.to, tt.cause)
		}
		p.Request("ACK")
		o.nothingLeft()
	}
}

// rawReply is an answer to the INVITE of a call with fields of the test's own.
func rawReply(in *pbxdtest.Call, status int, fields string) string {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + strconv.Itoa(status) + " Word\r\n")
	for _, v := range in.Invite.All("Via") {
		b.WriteString("Via: " + v + "\r\n")
	}
	b.WriteString("From: " + in.Invite.Get("From") + "\r\nTo: " + in.Local + "\r\nCall-ID: " + in.ID + "\r\nCSeq: " + in.Invite.Get("CSeq") + "\r\n" + fields + "Content-Length: 0\r\n\r\n")
	return b.String()
}

// An answer without a codec of the offer is no answer: the call never hears that
// anybody has answered.
func TestAnswerWithoutOfferedCodec(t *testing.T) {
	for _, body := range []string{
		"", strings.Replace(pbxdtest.SDP(16000, "a=sendrecv"), "8 0 101", "18", 1),
		strings.Replace(pbxdtest.SDP(16000, "a=rtpmap:101 telephone-event/8000", "a=sendrecv"), "8 0 101", "18 101", 1),
	} {
		o := newOffice(t)
		p := o.phone("102")
		p.MustRegister()
		o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101"}})
		in := p.Ringing()
		in.Answer(body)
		p.Reply(p.Request("BYE"), "", 200, "OK", "", "")
		for ev := range o.events {
			if ev.Kind == call.EventAnswered {
				t.Errorf("the answer %q counts", body)
			}
			if ev.Kind == call.EventEnded {
				if ev.Cause != pbx.CauseIncompatible {
					t.Errorf("the answer %q ends the call with cause %d, want 88", body, ev.Cause)
				}
				break
			}
		}
		o.nothingLeft()
	}
}
