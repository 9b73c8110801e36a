package sipedge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// static is a gateway that does not register.
func static(g *pbx.Gateway) { g.Register = false }

const prove = "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"%s\", algorithm=MD5, qop=\"auth\"\r\n"

// asks wants credentials for a request within a call and returns it with them.
func (x *exchange) asks(m *pbxdtest.Message, nonce string) *pbxdtest.Message {
	x.t.Helper()
	x.c.Reply(m, "", 407, "Prove It", fmt.Sprintf(prove, nonce), "")
	again := x.c.Request(m.Method())
	if !proves(again, "usera", "secret", nonce) || cseq(again) <= cseq(m) {
		x.t.Errorf("%s after a challenge:\n%s", m.Method(), again)
	}
	return again
}

func cseq(m *pbxdtest.Message) (n int) {
	fmt.Sscan(m.Get("CSeq"), &n)
	return n
}

// A provider that wants credentials for whatever we send within a call gets them.
func TestCredentialsWithinACall(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static)
	x.trunk.SetMinSession(time.Second)
	x.configure(func(c *pbx.Config) { c.SIP.SessionExpires = 1 })
	leg := x.dial("a", nil)
	m := x.c.Request("INVITE")
	x.challenge(m, 407, "n1", "")
	x.c.Request("ACK")
	in := x.c.Ringing()
	if !proves(in.Invite, "usera", "secret", "n1") || in.Invite.Get("Call-ID") != m.Get("Call-ID") || in.Invite.Tag("From") != m.Tag("From") {
		t.Errorf("the provider got\n%s", in.Invite)
	}
	in.ReplyWith(180, "Ringing", "Require: 100rel\r\nRSeq: 7\r\n", "")
	prack := x.c.Request("PRACK")
	prack = x.asks(prack, "n2")
	if want := fmt.Sprintf("7 %d INVITE", cseq(in.Invite)); prack.Get("RAck") != want {
		t.Errorf("RAck %q, want %q", prack.Get("RAck"), want)
	}
	x.c.Reply(prack, "", 200, "OK", "", "")
	x.event(call.EventRinging)
	in.ReplyWith(200, "OK", "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\nSupported: timer\r\nSession-Expires: 4;refresher=uac\r\n", pbxdtest.SDP(30000))
	if ack := x.c.Request("ACK"); cseq(ack) != cseq(in.Invite) || ack.Get("Proxy-Authorization") != in.Invite.Get("Proxy-Authorization") { // RFC 3261 section 22.1
		t.Errorf("for\n%s\ncame\n%s", in.Invite, ack)
	}
	x.event(call.EventAnswered)

	update := x.asks(x.c.Request("UPDATE"), "n3") // the sign of life
	x.c.Reply(update, "", 200, "OK", "Session-Expires: 1800;refresher=uac\r\n", "")

	leg.Offer(pcma())
	again := x.c.Request("INVITE")
	x.c.Reply(again, "", 407, "Prove It", fmt.Sprintf(prove, "n4"), "")
	x.c.Request("ACK")
	if again = x.c.Request("INVITE"); !proves(again, "usera", "secret", "n4") || again.Body == "" {
		t.Errorf("the provider got\n%s", again)
	}
	x.c.Reply(again, "", 200, "OK", "", pbxdtest.SDP(30000))
	if ack := x.c.Request("ACK"); cseq(ack) != cseq(again) {
		t.Errorf("ACK %s for INVITE %s", ack.Get("CSeq"), again.Get("CSeq"))
	}
	x.event(call.EventOfferAnswered)

	leg.Digit('5', 100*time.Millisecond)
	x.c.Reply(x.asks(x.c.Request("INFO"), "n5"), "", 200, "OK", "", "")
	leg.Hangup(pbx.CauseNormalClearing)
	x.c.Reply(x.asks(x.c.Request("BYE"), "n6"), "", 200, "OK", "", "")
	x.nothingLeft()
}

// A password that is not taken ends a call, which then has no third try, for a
// cause for which another gateway is tried.
func TestCallWithAWrongPassword(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static).begins()
	x.dial("a", nil)
	x.challenge(x.c.Request("INVITE"), 407, "n1", "")
	x.challenge(x.c.Request("INVITE"), 407, "n2", "")
	if ev := x.event(call.EventEnded); ev.Cause != pbx.CauseNotAuthorised {
		t.Errorf("the call ended with %v", ev.Cause)
	}
	x.nothingLeft()
}

// A call that the provider sends on goes to the addresses in their order, to the
// next when one is busy or silent; whoever answers late is thanked and let go.
func TestRedirectedCall(t *testing.T) {
	t.Parallel()
	to := func(x *exchange, list ...string) (fields string) {
		for _, c := range list {
			user, params, _ := strings.Cut(c, ";")
			if params != "" {
				params = ";" + params
			}
			fields += fmt.Sprintf("Contact: <sip:%s@%s>%s\r\n", user, x.c.At, params)
		}
		return fields
	}
	rings := func(x *exchange, user string) *pbxdtest.Call {
		x.t.Helper()
		in := x.c.Ringing()
		if want := "INVITE sip:" + user + "@" + x.c.At.String() + " SIP/2.0"; in.Invite.Start != want {
			x.t.Errorf("got %s, want %s", in.Invite.Start, want)
		}
		return in
	}
	t.Run("the first is busy", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, nil, static).begins()
		leg := x.dial("a", nil)
		first := x.c.Ringing()
		x.c.Answer(first.Invite, 302, "Moved Temporarily", to(x, "3;q=0.1", "1;q=0.9", "2;q=0.5"))
		x.c.Request("ACK")
		rings(x, "1").Reply(486, "Busy Here", "")
		x.c.Request("ACK")
		in := rings(x, "2")
		if in.Invite.Get("Call-ID") != first.Invite.Get("Call-ID") || in.Invite.Get("To") != first.Invite.Get("To") || in.Invite.Get("From") != first.Invite.Get("From") {
			t.Errorf("another call:\n%s", in.Invite)
		}
		in.Reply(180, "Ringing", "")
		x.event(call.EventRinging)
		in.Answer(pbxdtest.SDP(30000))
		x.event(call.EventAnswered)
		x.hangUp(leg)
	})
	t.Run("the first is silent, and answers late", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register, g.Parameters = false, []string{"no_answer=500"} }).begins()
		leg := x.dial("a", nil)
		x.c.Answer(x.c.Ringing().Invite, 302, "Moved Temporarily", to(x, "1", "2"))
		late := rings(x, "1")
		in := rings(x, "2")
		in.Reply(180, "Ringing", "")
		x.event(call.EventRinging)
		late.Reply(200, "OK", pbxdtest.SDP(30002))
		if ack := x.c.Request("ACK"); ack.Tag("To") != tagOf(late.Local) || cseq(ack) != cseq(late.Invite) {
			t.Errorf("who was too late gets\n%s", ack)
		}
		bye := x.c.Request("BYE")
		if bye.Tag("To") != tagOf(late.Local) {
			t.Errorf("who was too late gets\n%s", bye)
		}
		x.c.Reply(bye, "", 200, "OK", "", "")
		in.Answer(pbxdtest.SDP(30000))
		if ev := x.event(call.EventAnswered); ev.Description.RTPPort != 30000 {
			t.Errorf("answered by %+v", ev.Description)
		}
		x.hangUp(leg)
	})
	t.Run("all are busy", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, nil, static).begins()
		x.dial("a", nil)
		x.c.Answer(x.c.Ringing().Invite, 302, "Moved Temporarily", to(x, "1", "1", "2"))
		rings(x, "1").Reply(400, "Bad Request", "")
		rings(x, "2").Reply(486, "Busy Here", "")
		if ev := x.event(call.EventEnded); ev.Cause != pbx.CauseUserBusy || ev.Deflected != "" {
			t.Errorf("the call ended with %v, %q", ev.Cause, ev.Deflected)
		}
		x.nothingLeft()
	})
	t.Run("in a circle", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, nil, static).begins()
		x.dial("a", nil)
		in := x.c.Ringing()
		for n := 1; n < 20; n++ {
			x.c.Answer(in.Invite, 302, "Moved Temporarily", to(x, fmt.Sprint(n), fmt.Sprint(n+1)))
			if n == 9 { // as far as a call goes
				break
			}
			in = x.c.Ringing()
		}
		x.event(call.EventEnded)
		x.nothingLeft()
	})
	t.Run("not followed", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register, g.Parameters = false, []string{"redirect=no"} }).begins()
		x.dial("a", nil)
		x.c.Answer(x.c.Ringing().Invite, 302, "Moved Temporarily", to(x, "102", "1"))
		if ev := x.event(call.EventEnded); ev.Deflected != "" { // it is no phone of ours that sends calls on
			t.Errorf("the call is sent on to %q", ev.Deflected)
		}
		x.nothingLeft()
	})
}

// hangUp ends a call that is up.
func (x *exchange) hangUp(l call.Leg) {
	x.t.Helper()
	l.Hangup(pbx.CauseNormalClearing)
	x.c.Reply(x.c.Request("BYE"), "", 200, "OK", "", "")
	x.nothingLeft()
}

// tagOf is the tag in a field that names one side.
func tagOf(field string) string {
	_, tag, _ := strings.Cut(field, ";tag=")
	return tag
}

// A provider that says nothing for as long as the gateway gives it loses the call;
// one that has said something keeps it.
func TestTimeForAnAnswer(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register, g.Parameters = false, []string{"no_answer=500"} }).begins()
	start := time.Now()
	x.dial("a", nil)
	x.c.Ringing()
	ev := x.event(call.EventEnded)
	if after := time.Since(start); after < 500*time.Millisecond || ev.Cause != pbx.CauseNoUserResponding {
		t.Errorf("ended after %v with %v", after, ev.Cause)
	}
	leg := x.dial("a", nil)
	in := x.c.Ringing()
	in.Reply(100, "Trying", "")
	time.Sleep(700 * time.Millisecond)
	in.Answer(pbxdtest.SDP(30000))
	x.event(call.EventAnswered)
	x.hangUp(leg)
}

// A server that is out of service does not take the call, and is looked at.
func TestProviderOutOfService(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register, g.Check = false, true }).begins()
	x.is("a", pbx.LineUp)
	x.c.OnOptions(func(m *pbxdtest.Message) { x.c.Answer(m, 503, "Service Unavailable", "") })
	x.dial("a", nil)
	x.c.Ringing().Reply(503, "Service Unavailable", "")
	if ev := x.event(call.EventEnded); ev.Cause != pbx.CauseOfSIP(503) {
		t.Errorf("ended with %v", ev.Cause)
	}
	x.is("a", pbx.LineUnreachable)
	x.nothingLeft()
}
