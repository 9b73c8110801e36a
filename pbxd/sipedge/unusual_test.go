package sipedge_test

import (
	"fmt"
	"strings"
	"testing"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge"
)

// The session description is found among the parts of a body; bodies that the
// sender lets be ignored are (RFC 5621 section 3.1, RFC 3261 section 20.11).
func TestBodyOfAnInvite(t *testing.T) {
	const gateway = "--b1\r\nContent-Type: application/ISUP;version=itu-t92+\r\nContent-Disposition: signal;handling=optional\r\n\r\n\x01\x00\r\n"
	for _, tt := range []struct {
		name, fields, body string
		status             int // 0: the call comes in
		delayed            bool
	}{
		{"parts", "Content-Type: multipart/mixed;boundary=b1\r\nMIME-Version: 1.0\r\n",
			gateway + "--b1\r\nContent-Type: Application/SDP\r\n\r\n" + pbxdtest.SDP(16000) + "\r\n--b1--\r\n", 0, false},
		{"parts without a description", "Content-Type: multipart/mixed; boundary=\"b1\"\r\n", gateway + "--b1--\r\n", 0, true},
		{"parts without a boundary", "Content-Type: multipart/mixed\r\n", gateway, 415, false},
		{"parts that end too early", "Content-Type: multipart/mixed;boundary=b1\r\n", gateway + "--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n", 415, false},
		{"to be ignored", "Content-Type: application/x-card\r\nContent-Disposition: render ; handling=OPTIONAL\r\n", "x", 0, true},
		{"to be understood", "Content-Type: application/x-card\r\n", "x", 415, false},
		{"compressed", "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", "\x1f\x8b\x08", 415, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t)
			a := o.phone("101")
			c := a.DialWith("102", tt.body, tt.fields)
			if tt.status != 0 {
				if res := a.Final("INVITE"); res.Status() != tt.status {
					t.Errorf("INVITE got %s, want %d", res.Start, tt.status)
				}
				return
			}
			if in := o.arrival(); (in.Offer == nil) != tt.delayed {
				t.Errorf("the offer is %+v", in.Offer)
			}
			c.Cancel()
			o.event(call.EventEnded)
		})
	}
}

// Why the caller gives up is told with the end of the leg, and the CANCEL is
// answered with the tag of the call (RFC 3326, RFC 3261 section 9.2).
func TestReasonOfCancel(t *testing.T) {
	for reason, want := range map[string]pbx.Cause{
		"": pbx.CauseNormalClearing,
		"Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\"\r\n":           pbx.CauseAnsweredElsewhere,
		"Reason: SIP;cause=487, Q.850;cause=26;text=\"a, b\"\r\n":                 pbx.CauseAnsweredElsewhere,
		"Reason: SIP;cause=600\r\nReason: q.850;cause=102\r\n":                    pbx.CauseRecoveryOnTimer,
		"Reason: Q.850;cause=999\r\nReason: X;cause=200\r\nReason: SIP;cause\r\n": pbx.CauseNormalClearing,
	} {
		o := newOffice(t)
		a := o.phone("101")
		c := a.Dial("102", pbxdtest.SDP(16000))
		o.arrival().Leg.Ringing(nil)
		ringing := a.Response("INVITE", 180)
		c.CancelWith(reason)
		if res := a.Response("CANCEL", 200); res.Tag("To") != ringing.Tag("To") {
			t.Errorf("CANCEL is answered with tag %q, the INVITE with %q", res.Tag("To"), ringing.Tag("To"))
		}
		if ev := o.event(call.EventEnded); ev.Cause != want {
			t.Errorf("%q: ended with %v, want %v", reason, ev.Cause, want)
		}
		c.AckRefusal(a.Response("INVITE", 487))
		o.nothingLeft()
	}
}

// An INVITE ends by itself when its time is over (RFC 3261 section 13.3.1).
func TestInviteExpires(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c := a.DialWith("102", pbxdtest.SDP(16000), "Expires: 1\r\n")
	o.arrival().Leg.Ringing(nil)
	c.AckRefusal(a.Response("INVITE", 487))
	o.event(call.EventEnded)
	o.nothingLeft()
	c = a.DialWith("102", pbxdtest.SDP(16000), "Expires: 0\r\n")
	c.AckRefusal(a.Response("INVITE", 487))
	o.nothingLeft()
}

// A caller whose connection ends has lost the call: nobody is left to ring for.
func TestCallerDisconnects(t *testing.T) {
	o := newOffice(t)
	a := pbxdtest.NewPhone(t, o.addr, "tcp", "101", o.password)
	a.Dial("102", pbxdtest.SDP(16000))
	o.arrival().Leg.Ringing(nil)
	a.Response("INVITE", 180)
	a.Close()
	if ev := o.event(call.EventEnded); ev.Cause != pbx.CauseNetworkOutOfOrder {
		t.Errorf("ended with %v", ev.Cause)
	}
	o.nothingLeft()
}

// An INVITE that comes by two ways is one call (RFC 3261 section 8.2.2.2).
func TestMergedInvite(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c := a.Dial("102", pbxdtest.SDP(16000))
	in := o.arrival()
	c.ByAnotherWay(pbxdtest.SDP(16000))
	a.Response("INVITE", 482)
	in.Leg.Answer(pcma())
	a.Response("INVITE", 200)
}

// A re-INVITE that overtakes the ACK proves that the answer has come (RFC 5407
// section 3.1.4); the ACK that comes later harms nothing.
func TestReinviteOvertakesACK(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c := a.Dial("102", pbxdtest.SDP(16000))
	in := o.arrival()
	in.Leg.Answer(pcma())
	c.Early(a.Response("INVITE", 200))
	c.Send("INVITE", pbxdtest.SDP(16000, "a=sendonly"))
	o.event(call.EventOffer)
	in.Leg.Respond(pcma())
	if res := c.Answered(); !strings.Contains(res.Body, "a=recvonly") {
		t.Errorf("hold is answered with\n%s", res)
	}
	c.CSeq--
	c.Ack("")
	c.CSeq++
	c.Hangup()
	o.nothingLeft()
}

// A phone that describes its audio before it answers, and not again with the
// answer, is heard.
func TestAnswerWithoutBody(t *testing.T) {
	for _, early := range []bool{true, false} {
		o := newOffice(t)
		b := o.phone("102").MustRegister()
		o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101"}, Offer: pcma()})
		in := b.Ringing()
		if early {
			in.Reply(183, "Session Progress", pbxdtest.SDP(16002))
			in.Reply(180, "Ringing", "")
		}
		in.Reply(200, "OK", "")
		b.Request("ACK")
		if !early {
			b.Request("BYE")
			o.event(call.EventEnded)
			continue
		}
		if d := o.event(call.EventAnswered).Description; d == nil || d.RTPPort != 16002 {
			t.Errorf("answered with %+v", d)
		}
	}
}

// Requests within a call that concern something else than the call.
func TestInCall(t *testing.T) {
	got := make(chan sipedge.Text, 1)
	o := newOffice(t, func(d *sipedge.Deps) {
		d.Text = func(x sipedge.Text) pbx.Cause { got <- x; return 0 }
	})
	a := o.phone("101")
	c := a.Dial("102;phone-context=pbx", pbxdtest.SDP(16000))
	in := o.arrival()
	if in.Digits != "102" {
		t.Errorf("digits are %q, want 102 without its parameters", in.Digits)
	}
	for uri, want := range map[string]string{"+49-(0)89-123.45": "+4908912345", "1-0-2": "102", "room-1": "room-1"} {
		a.Dial(uri, pbxdtest.SDP(16000))
		if got := o.arrival(); got.Digits != want {
			t.Errorf("%s is dialled as %q, want %q", uri, got.Digits, want)
		} else {
			got.Leg.Hangup(pbx.CauseUserBusy)
		}
	}
	in.Leg.Answer(pcma())
	c.Answered()
	c.SendWith("MESSAGE", "", "text/plain", "in a call")
	a.Response("MESSAGE", 200)
	if x := <-got; x != (sipedge.Text{From: call.Party{Number: "101", Name: "user101"}, To: "102", Body: "in a call"}) {
		t.Errorf("text is told as %+v", x)
	}
	c.SendWith("INFO", "Info-Package: foo\r\n", "application/dtmf", "1")
	a.Response("INFO", 469)
	c.Hangup()
}

// A phone without UPDATE is told who is on the other side by a re-INVITE that
// changes nothing, and one that has the call on hold when it goes on with it.
// One that has not said what it serves is left alone.
func TestShownByReinvite(t *testing.T) {
	const basic = "Allow: INVITE, ACK, BYE, CANCEL\r\n"
	carl := call.Party{Number: "103", Name: "Carl"}
	for _, tt := range []struct {
		name, allow string
		held        bool
		who         call.Party
		want        string
	}{
		{"without UPDATE", basic, false, carl, `"Carl" <sip:103@`}, {"on hold", basic, true, carl, `"Carl" <sip:103@`},
		{"hidden", basic, false, call.Party{}, `"Anonymous" <sip:anonymous@anonymous.invalid>`}, {"silent about it", "", false, carl, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			b := o.phone("102").MustRegister()
			leg := o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101"}, Offer: pcma()})
			in := b.Ringing()
			in.ReplyWith(200, "OK", tt.allow, pbxdtest.SDP(16002))
			b.Request("ACK")
			o.event(call.EventAnswered)
			was := in.Invite.Body
			if tt.held {
				in.Send("INVITE", pbxdtest.SDP(16002, "a=sendonly"))
				o.event(call.EventOffer)
				leg.Respond(pcma())
				in.Answered()
			}
			leg.Shows(tt.who)
			if tt.held || tt.allow == "" {
				b.Silent(sipedge.ShowAfter*5/4, "a re-INVITE", func(m *pbxdtest.Message) bool { return m.Method() == "INVITE" })
			}
			var m *pbxdtest.Message
			switch {
			case tt.held:
				in.Send("INVITE", pbxdtest.SDP(16002))
				o.event(call.EventOffer)
				leg.Respond(pcma())
				m = in.Answered()
			case tt.allow != "":
				m = b.Request("INVITE")
				if m.Body != was {
					t.Errorf("re-INVITE offers\n%s\nbefore it was\n%s", m.Body, was)
				}
				b.Reply(m, "", 488, "No", "", "") // it need not take it
			default:
				return
			}
			if p := m.Get("P-Asserted-Identity"); !strings.HasPrefix(p, tt.want) {
				t.Errorf("the other side is %q", p)
			}
		})
	}
}

// A phone that refuses every refresh is there: its call stays (RFC 5057 section
// 5.1). One that does not serve what its Allow names is asked in another way.
func TestRefusedRefresh(t *testing.T) {
	for _, tt := range []struct{ status, method, then string }{
		{"488", "INVITE", "INVITE"}, {"415", "INVITE", "INVITE"}, {"500", "INVITE", "INVITE"}, {"405", "UPDATE", "INVITE"}, {"501", "UPDATE", "INVITE"},
	} {
		t.Run(tt.status, func(t *testing.T) {
			t.Parallel()
			o := newOfficeWith(t, twoSeconds)
			b := o.phone("102").MustRegister()
			leg := o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101"}, Offer: pcma()})
			in := b.Ringing()
			allow := "Allow: INVITE, ACK, BYE, CANCEL\r\n"
			if tt.method == "UPDATE" {
				allow = "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n"
			}
			in.ReplyWith(200, "OK", "Require: timer\r\nSession-Expires: 2;refresher=uac\r\n"+allow, pbxdtest.SDP(16002))
			b.Request("ACK")
			o.event(call.EventAnswered)
			any := func(m *pbxdtest.Message) bool { return m.Status() == 0 && m.Method() != "ACK" }
			for i := range 2 {
				want := tt.then
				if i == 0 {
					want = tt.method
				}
				m := b.Expect("a refresh", any)
				if m.Method() != want {
					t.Fatalf("refresh %d is %s, want %s", i, m.Start, want)
				}
				var status int
				_, _ = fmt.Sscan(tt.status, &status)
				b.Reply(m, "", status, "No", "", "")
			}
			leg.Hangup(pbx.CauseNormalClearing)
			if m := b.Expect("BYE", any); m.Method() != "BYE" {
				t.Errorf("got %s, want BYE", m.Start)
			}
		})
	}
}
