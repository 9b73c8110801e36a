package sipedge_test

import (
	"testing"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// Who gives up before the provider has said anything frees the line: nothing is
// there that the call would occupy.
func TestGivenUpBeforeTheFirstWord(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static).begins()
	l := x.dial("a", nil)
	in := x.c.Ringing()
	if _, calls := x.trunk.Line("a"); calls != 1 {
		t.Fatalf("%d calls are counted of one", calls)
	}
	l.Hangup(pbx.CauseNormalClearing)
	x.until("a free line", func() bool { return x.line("a").Calls == 0 })
	if x.trunk.Legs() != 1 {
		t.Error("the leg is gone before the provider has answered the INVITE")
	}
	in.Reply(487, "Request Terminated", "")
	x.nothingLeft()
	if _, calls := x.trunk.Line("a"); calls != 0 {
		t.Errorf("%d calls are counted of none", calls)
	}
}

// A provider that does not answer BYE does not keep the line from the next call.
func TestByeWithoutAnswer(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static).begins()
	l := x.dial("a", nil)
	in := x.c.Ringing()
	in.Answer(pbxdtest.SDP(30000))
	x.event(call.EventAnswered)
	l.Hangup(pbx.CauseNormalClearing)
	bye := x.c.Request("BYE")
	x.until("a free line", func() bool { return x.line("a").Calls == 0 })
	if x.trunk.Legs() != 1 {
		t.Error("the leg is gone before the BYE was answered")
	}
	x.c.Reply(bye, "", 200, "OK", "", "")
	x.nothingLeft()
}

// Calls over a socket that was given up are calls of the gateway yet, and their end
// is told by the trunk that has it now.
func TestCallsOverASocketOfBefore(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static).begins()
	l := x.dial("a", nil)
	in := x.c.Ringing()
	in.Reply(180, "Ringing", "")
	x.trunk.Retire()
	before := x.trunk
	x.settings.BindPort = 0 // any
	x.open()
	x.begins()
	if _, calls := x.trunk.Line("a"); calls != 1 {
		t.Errorf("%d calls are counted; there is one", calls)
	}
	x.until("the call over the other socket", func() bool { return x.line("a").Calls == 1 })
	l.Hangup(pbx.CauseNormalClearing)
	x.c.Request("CANCEL")
	in.Reply(487, "Request Terminated", "")
	x.until("its end", func() bool { return before.Legs() == 0 && x.line("a").Calls == 0 })
	if _, calls := x.trunk.Line("a"); calls != 0 {
		t.Errorf("%d calls are counted of none", calls)
	}
	before.Shutdown(t.Context())
}

// What keeps a socket from being opened is one with the same port that carries
// messages alike; others go on.
func TestInTheWay(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static)
	for _, tt := range []struct {
		kind string
		port int
		want bool
	}{{"udp", 0, true}, {"tcp", 0, false}, {"tls", 0, false}, {"udp", 1, false}} {
		s := pbx.TransportSettings{Type: tt.kind, BindAddress: "0.0.0.0", BindPort: x.settings.BindPort + tt.port}
		if got := x.trunk.InTheWayOf(s); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
