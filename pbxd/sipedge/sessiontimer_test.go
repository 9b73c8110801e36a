package sipedge_test

import (
	"strings"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge"
)

func twoSeconds(e *sipedge.Edge) { e.SetMinSession(2 * time.Second) }

// A phone that says it refreshes and does not is gone: the call ends before
// its interval does (RFC 4028 section 10).
func TestSessionEndsWithoutRefresh(t *testing.T) {
	o := newOfficeWith(t, twoSeconds)
	a := o.phone("101")
	a.DialWith("102", pbxdtest.SDP(16000), "Supported: timer\r\nSession-Expires: 1\r\n")
	if res := a.Response("INVITE", 422); res.Get("Min-SE") != "2" {
		t.Errorf("422 has Min-SE %q, want 2", res.Get("Min-SE"))
	}
	c := a.DialWith("102", pbxdtest.SDP(16000), "Supported: timer\r\nSession-Expires: 3;refresher=uac\r\n")
	in := o.arrival()
	in.Leg.Answer(pcma())
	res := c.Answered()
	if res.Get("Session-Expires") != "3;refresher=uac" || res.Get("Require") != "timer" {
		t.Errorf("200 has Session-Expires %q and Require %q, want 3 by uac and timer", res.Get("Session-Expires"), res.Get("Require"))
	}
	start := time.Now()
	time.Sleep(1500 * time.Millisecond)
	c.SendWith("UPDATE", "Supported: timer\r\nSession-Expires: 3;refresher=uac\r\n", "", "")
	a.Response("UPDATE", 200)
	a.Reply(a.Request("BYE"), "", 200, "OK", "", "")
	if d := time.Since(start); d < 3*time.Second {
		t.Errorf("the call ended after %v, though it was refreshed after 1.5 s", d)
	}
	if ev := o.event(call.EventEnded); ev.Cause != pbx.CauseRecoveryOnTimer {
		t.Errorf("ended with %v, want time-out", ev.Cause)
	}
	o.nothingLeft()
}

// We refresh at half the interval: by UPDATE where the phone serves it, else
// by re-INVITE; without an answer the call ends.
func TestSessionIsRefreshed(t *testing.T) {
	for _, tt := range []struct{ method, allow string }{
		{"UPDATE", "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n"},
		{"INVITE", "Allow: INVITE, ACK, BYE, CANCEL\r\n"},
	} {
		t.Run(tt.method, func(t *testing.T) {
			o := newOfficeWith(t, twoSeconds)
			b := o.phone("102").MustRegister()
			o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101"}, Offer: pcma()})
			in := b.Ringing()
			if x := in.Invite.Get("Session-Expires"); x != "1800" {
				t.Errorf("INVITE has Session-Expires %q, want 1800", x)
			}
			in.ReplyWith(200, "OK", "Require: timer\r\nSession-Expires: 2;refresher=uac\r\n"+tt.allow, pbxdtest.SDP(16002))
			b.Request("ACK")
			o.event(call.EventAnswered)
			for range 2 {
				req := b.Request(tt.method)
				if x := req.Get("Session-Expires"); !strings.HasSuffix(x, ";refresher=uac") {
					t.Errorf("refresh has Session-Expires %q, want us as refresher", x)
				}
				body := ""
				if tt.method == "INVITE" {
					body = pbxdtest.SDP(16002)
				}
				b.Reply(req, "", 200, "OK", "Session-Expires: 2;refresher=uac\r\n", body)
			}
			req := b.Request(tt.method)
			b.Reply(req, "", 481, "Gone", "", "")
			if ev := o.event(call.EventEnded); ev.Cause != pbx.CauseRecoveryOnTimer {
				t.Errorf("ended with %v, want time-out", ev.Cause)
			}
		})
	}
}

// A phone that wants a longer interval than ours is asked again with it.
func TestIntervalTooSmall(t *testing.T) {
	o := newOffice(t)
	b := o.phone("102").MustRegister()
	o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101"}, Offer: pcma()})
	in := b.Ringing()
	in.ReplyWith(422, "Session Interval Too Small", "Min-SE: 7200\r\n", "")
	b.Request("ACK")
	again := b.Ringing()
	if x := again.Invite.Get("Session-Expires"); x != "7200" || again.ID != in.ID {
		t.Errorf("INVITE again has Session-Expires %q, same call: %v; want 7200 in the same", x, again.ID == in.ID)
	}
	again.ReplyWith(422, "Session Interval Too Small", "Min-SE: 9000\r\n", "") // no third time
	o.event(call.EventEnded)
	o.nothingLeft()
}
