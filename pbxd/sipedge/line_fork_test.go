package sipedge_test

import (
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// A provider that says 100 before it wants credentials has the time of any other
// afterwards: what it said to the first INVITE is none to the second.
func TestCredentialsAfterTrying(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register, g.Parameters = false, []string{"no_answer=500"} }).begins()
	leg := x.dial("a", nil)
	in := x.c.Ringing()
	in.Reply(100, "Trying", "")
	x.challenge(in.Invite, 407, "n1", "")
	x.c.Request("ACK")
	in = x.c.Ringing()
	in.Reply(100, "Trying", "")
	time.Sleep(700 * time.Millisecond)
	in.Answer(pbxdtest.SDP(30000))
	x.event(call.EventAnswered)
	x.hangUp(leg)
}

// A provider rings at two phones: each of the two dialogs has numbers of its own, and
// may change its audio before the answer.
func TestForksOfAProvider(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static).begins()
	leg := x.dial("a", nil)
	first := x.c.Ringing()
	second := *first
	second.Local = first.Invite.Get("To") + ";tag=" + x.c.Unique()
	first.CSeq, second.CSeq = 5000, 10
	for i, fork := range []*pbxdtest.Call{first, &second} {
		fork.ReplyWith(183, "Session Progress", "Require: 100rel\r\nRSeq: 1\r\n", pbxdtest.SDP(30000+10*i))
		x.c.Reply(x.c.Request("PRACK"), "", 200, "OK", "", "")
		x.event(call.EventRinging)
		fork.Send("UPDATE", pbxdtest.SDP(30002+10*i))
		fork.Response(200)
		if ev := x.event(call.EventRinging); int(ev.Description.RTPPort) != 30002+10*i {
			t.Errorf("the early audio of fork %d is at %d", i, ev.Description.RTPPort)
		}
	}
	second.Send("BYE", "") // one of those that ring ends nothing
	second.Response(481)
	first.Answer(pbxdtest.SDP(30000))
	x.event(call.EventAnswered)
	x.hangUp(leg)
}

// Who answers counts anew, whatever the other phone behind the provider has counted.
func TestForkThatAnswers(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static).begins()
	x.dial("a", nil)
	first := x.c.Ringing()
	second := *first
	second.Local = first.Invite.Get("To") + ";tag=" + x.c.Unique()
	first.CSeq, second.CSeq = 5000, 10
	first.ReplyWith(183, "Session Progress", "Require: 100rel\r\nRSeq: 1\r\n", pbxdtest.SDP(30000))
	x.c.Reply(x.c.Request("PRACK"), "", 200, "OK", "", "")
	first.Send("UPDATE", pbxdtest.SDP(30002))
	first.Response(200)
	second.Answer(pbxdtest.SDP(30010))
	if ev := x.event(call.EventAnswered); ev.Description.RTPPort != 30010 {
		t.Errorf("answered by %+v", ev.Description)
	}
	second.Hangup()
	x.event(call.EventEnded)
	x.nothingLeft()
}
