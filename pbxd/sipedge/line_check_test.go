package sipedge_test

import (
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge"
)

// A gateway is asked whether it is there, or not (F167). One that does not answer,
// or is out of service, is none until it does; whatever else it says is an answer.
func TestAvailabilityCheck(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register, g.Check = false, true })
	x.trunk.Hurry(5*time.Millisecond, 20*time.Millisecond, time.Millisecond) // every 30 ms
	var status atomic.Int64
	first := make(chan *pbxdtest.Message, 1)
	x.c.OnOptions(func(m *pbxdtest.Message) {
		if n := int(status.Load()); n > 0 {
			x.c.Answer(m, n, "Reason", "")
			return
		}
		select {
		case first <- m:
		default:
		}
	})
	x.begins()
	if up, _ := x.trunk.Line("a"); !up {
		t.Error("a gateway that is asked for the first time takes no calls")
	}
	m := <-first
	if want := "OPTIONS sip:" + x.c.At.Addr().String() + " SIP/2.0"; m.Start != want || !strings.Contains(m.Get("From"), "<sip:usera@") {
		t.Errorf("the provider got\n%s", m)
	}
	status.Store(200)
	x.c.Answer(m, 200, "OK", "")
	if s := x.is("a", pbx.LineUp); s.Checked.IsZero() || s.Server != "udp:"+x.c.At.String() || !s.Registered.IsZero() {
		t.Errorf("the line is %+v", s)
	}
	for _, n := range []int{503, 404, 503, 405, 503, 200} {
		status.Store(int64(n))
		want := pbx.LineUp
		if n == 503 {
			want = pbx.LineUnreachable
		}
		s := x.is("a", want)
		if up, _ := x.trunk.Line("a"); up != (want == pbx.LineUp) {
			t.Errorf("after %d the gateway is up: %v", n, up)
		}
		if n == 503 && !strings.Contains(s.Reason, "503") || n != 503 && s.Reason != "" {
			t.Errorf("after %d the line is %+v", n, s)
		}
	}
	x.configure(func(c *pbx.Config) { c.Gateways[0].Check = false })
	time.Sleep(50 * time.Millisecond) // what was on its way
	x.c.OnOptions(func(m *pbxdtest.Message) { t.Error("a provider that is not to be asked gets OPTIONS") })
	time.Sleep(100 * time.Millisecond)
	x.c.OnOptions(nil)
}

// A provider that is registered at, and does not answer OPTIONS, is none; silence
// is told with its reason.
func TestAvailabilityOfARegistered(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, func(g *pbx.Gateway) { g.Check = true })
	x.trunk.Silence(50 * time.Millisecond)
	x.c.OnOptions(func(m *pbxdtest.Message) {})
	var registered atomic.Int64
	x.c.OnRegister(func(m *pbxdtest.Message) {
		registered.Add(1)
		x.c.Grant(m, 3600)
	})
	x.begins()
	x.until("the registration", func() bool { return registered.Load() == 1 })
	if s := x.is("a", pbx.LineUnreachable); !strings.Contains(s.Reason, "does not answer") {
		t.Errorf("the line is %+v", s)
	}
	x.c.OnOptions(nil)
	if s := x.is("a", pbx.LineUp); s.Registered.IsZero() || s.Checked.IsZero() || s.Reason != "" {
		t.Errorf("the line is %+v", s)
	}
	x.until("another one: it may have forgotten us", func() bool { return registered.Load() > 1 })
}

// A provider that is not there at all makes no call, and says why; its registration
// is tried again.
func TestProviderThatIsNotThere(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, nil)
	x.trunk.Silence(50 * time.Millisecond)
	x.c.OnRegister(func(*pbxdtest.Message) {})
	x.begins()
	if s := x.is("a", pbx.LineUnreachable); !strings.Contains(s.Reason, "does not answer") || !s.Expires.IsZero() {
		t.Errorf("the line is %+v", s)
	}
	x.c.OnRegister(func(m *pbxdtest.Message) { x.c.Answer(m, 503, "Service Unavailable", "") })
	x.until("what it says", func() bool { s := x.line("a"); return s.State == pbx.LineUnreachable && s.Status == 503 })
	x.c.OnRegister(func(*pbxdtest.Message) {})
	x.until("silence again", func() bool { s := x.line("a"); return s.State == pbx.LineUnreachable && s.Status == 0 })
	x.c.OnRegister(nil)
	x.is("a", pbx.LineUp)
}

// The pause after a registration or a question without an answer begins when that is
// given up, so that a provider in trouble is left alone for so long.
func TestPauseAfterSilence(t *testing.T) {
	t.Parallel()
	for _, register := range []bool{true, false} {
		x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register, g.Check = register, !register })
		x.trunk.Hurry(600*time.Millisecond, 600*time.Millisecond, time.Second)
		x.trunk.Answer(300 * time.Millisecond)
		asked := make(chan string, 8)
		note := func(m *pbxdtest.Message) { asked <- m.Get("CSeq") + m.Get("Call-ID") }
		x.c.OnRegister(note)
		x.c.OnOptions(note)
		start := time.Now()
		x.begins()
		for first := <-asked; first == <-asked; { // repeated
		}
		if after := time.Since(start); after < 840*time.Millisecond { // a pause differs by a tenth
			t.Errorf("register %v: asked again after %v", register, after)
		}
	}
}

// A provider that answers OPTIONS again is registered at again at once, however long
// the pause would be.
func TestProviderThatComesBack(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, func(g *pbx.Gateway) { g.Check = true })
	x.trunk.Silence(time.Second)
	x.trunk.Patient()
	x.c.OnRegister(func(*pbxdtest.Message) {})
	var asked atomic.Int64
	x.c.OnOptions(func(*pbxdtest.Message) { asked.Add(1) })
	x.begins()
	x.until("a second question", func() bool { return asked.Load() > 1 }) // the first had no answer
	x.c.OnRegister(nil)
	x.c.OnOptions(nil)
	if s := x.is("a", pbx.LineUp); s.Registered.IsZero() {
		t.Errorf("the line is %+v", s)
	}
}

// Pauses double, end at the most, and are never the same for all devices.
func TestPauses(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]time.Duration{1: time.Minute, 2: 2 * time.Minute, 4: 8 * time.Minute, 6: 30 * time.Minute, 1000: 30 * time.Minute} {
		seen := map[time.Duration]bool{}
		for range 50 {
			d := sipedge.Pause(time.Minute, n, 30*time.Minute)
			if seen[d] = true; d < want*9/10 || d > want*11/10 {
				t.Errorf("after %d failures %v, want %v", n, d, want)
			}
		}
		if len(seen) < 2 {
			t.Errorf("after %d failures always the same", n)
		}
	}
}

// An empty message keeps the way through a router open, where there may be one.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, nat string
		params    []string
		comes     bool
	}{{"default", "yes", nil, true}, {"interval", "force-rport", []string{"keepalive=5"}, true}, {"never", "yes", []string{"keepalive=0"}, false}, {"no router", "no", nil, false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, hurried, func(g *pbx.Gateway) { g.NAT, g.Parameters = tt.nat, tt.params }).begins()
			x.is("a", pbx.LineUp)
			if tt.comes {
				x.until("empty messages", func() bool { return x.c.Pings.Load() > 2 })
				return
			}
			time.Sleep(200 * time.Millisecond)
			if n := x.c.Pings.Load(); n > 0 {
				t.Errorf("%d empty messages came", n)
			}
		})
	}
}

// A gateway has no more calls than it may have, those of the provider counted;
// an emergency call is beyond (F168).
func TestSimultaneousCalls(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, func(g *pbx.Gateway) { g.MaxCalls = 2 }).begins()
	x.is("a", pbx.LineUp)
	from := x.incomes("sip:usera@" + x.c.Trunk.String())
	x.arrival()
	x.dial("a", nil)
	out := x.c.Ringing()
	if _, calls := x.trunk.Line("a"); calls != 2 {
		t.Errorf("%d calls are counted, want 2", calls)
	}
	if _, err := x.trunk.DialLine(call.LineDial{Gateway: "a", Number: "1", Notify: func(call.Event) {}}); !errors.Is(err, call.ErrLineBusy) {
		t.Errorf("a third call: %v", err)
	}
	x.dial("a", func(d *call.LineDial) { d.Emergency = true })
	urgent := x.c.Ringing()
	if _, calls := x.trunk.Line("a"); calls != 3 {
		t.Errorf("%d calls are counted, want 3", calls)
	}
	x.configure(func(c *pbx.Config) { c.Gateways[0].MaxCalls, c.Gateways[0].User = 4, "other" }) // another line for the provider
	x.until("the changed gateway", func() bool { _, calls := x.trunk.Line("a"); return calls == 3 })
	urgent.Reply(486, "Busy Here", "")
	out.Reply(486, "Busy Here", "")
	x.until("one call", func() bool { _, calls := x.trunk.Line("a"); return calls == 1 })
	from.Cancel()
	x.c.Response("INVITE", 487)
	x.nothingLeft()
}

// incomes sends an INVITE of the carrier to a URI.
func (x *exchange) incomes(uri string) *pbxdtest.Call {
	return x.c.DialBare(uri, pbxdtest.SDP(30010), "")
}

// arrival returns the next call that the provider begins.
func (x *exchange) arrival() call.Incoming {
	x.t.Helper()
	o := office{t: x.t, incoming: x.incoming}
	return o.arrival()
}

// elsewhere is somebody at another address.
func (x *exchange) elsewhere(addr string) *pbxdtest.Phone {
	x.t.Helper()
	return pbxdtest.NewPhoneFrom(x.t, netip.MustParseAddr(addr), x.c.Trunk, "udp", "other", "")
}
