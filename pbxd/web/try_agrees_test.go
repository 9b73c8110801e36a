package web

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/dialplan"
	"galilei/pbxd/media"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/pbx"
)

// takes is a leg that does what a test says, without sound.
type takes struct {
	call.Leg
	name  string
	ended chan pbx.Cause
}

type silence struct{ call.Audio }

func (l *takes) ID() string                 { return l.name }
func (l *takes) Audio() call.Audio          { return silence{} }
func (l *takes) Ringing(*media.Description) {}
func (l *takes) Shows(call.Party)           {}
func (l *takes) Hangup(c pbx.Cause) {
	select {
	case l.ended <- c:
	default:
	}
}

func (silence) SetPeer(media.Endpoint)           {}
func (silence) WriteRTP([]byte)                  {}
func (silence) WriteRTCP([]byte)                 {}
func (silence) Play(engine.Source)               {}
func (silence) Listen(engine.Sink)               {}
func (silence) HearDigits(func(engine.Digit))    {}
func (silence) Last() (s engine.Sample, ok bool) { return s, false }
func (silence) Samples() []engine.Sample         { return nil }

func (x *trunk) Registered(ext string) bool { return !x.gone[ext] }

func (x *trunk) Dial(d call.Dial) ([]call.Leg, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.gone[d.Extension] {
		return nil, nil
	}
	shown := d.Caller.Number
	if d.Anonymous {
		shown = ""
	}
	x.rang = append(x.rang, d.Extension+" shows "+shown)
	l := &takes{name: d.Extension, ended: make(chan pbx.Cause, 1)}
	x.open = append(x.open, func() { d.Notify(call.Event{Kind: call.EventEnded, Leg: l, Cause: x.says}) })
	return []call.Leg{l}, nil
}

func (x *trunk) DialLine(d call.LineDial) (call.Leg, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.full[d.Gateway] {
		return nil, fmt.Errorf("dial %s: %w", d.Gateway, call.ErrLineBusy)
	}
	x.rang = append(x.rang, fmt.Sprintf("%s is told %s by %s, %s hidden:%v urgent:%v", d.Gateway, d.Number, d.Caller.Number, d.Asserted, d.Hidden, d.Emergency))
	l := &takes{name: d.Gateway, ended: make(chan pbx.Cause, 1)}
	x.open = append(x.open, func() { d.Notify(call.Event{Kind: call.EventEnded, Leg: l, Cause: x.answers[d.Gateway]}) })
	return l, nil
}

func (x *trunk) UserToll(user string) pbx.TollState       { return x.spent[user] }
func (x *trunk) GatewayToll(gateway string) pbx.TollState { return x.spent[gateway] }

// Begin decides as the ledger does.
func (x *trunk) Begin(user, _ string, class pbx.TollClass, _ func(pbx.Message)) (ticket uint64, said []pbx.Message, refused pbx.Cause) {
	said, refused = x.cfg.Toll.User(x.cfg.UserByID(user).Label(), class, x.UserToll(user))
	return 1, said, refused
}

func (x *trunk) Answered(uint64) {}
func (x *trunk) End(uint64)      {}

func (x *trunk) Line(gateway string) (up bool, calls int) { return !x.down[gateway], x.calls[gateway] }

// foretold is what a number that was tried comes to: who rings, the steps, and
// the cause that ends the call: where nothing else follows what phones or a
// provider say, the caller is told just that.
func (x *trunk) foretold(t *testing.T, tried *Tried) (rang, steps []string, end pbx.Cause) {
	t.Helper()
	d, at := tried.Decision, 0
	diverted := -1 // how often, when what was said last is passed on
	for {
		for _, s := range d.Trace {
			steps = noted(steps, s)
		}
		var outcome dialplan.Outcome
		var said pbx.Cause
		switch d.Kind {
		case dialplan.Refuse:
			if len(d.Diversions) != diverted {
				end = d.Refuse
			}
			return rang, steps, end
		case dialplan.Function:
			t.Fatalf("a function: %+v", d)
		case dialplan.Ring:
			for _, r := range d.Ring {
				rang = append(rang, r.Extension+" shows "+r.Number)
			}
			outcome, said = dialplan.OutcomeOf(x.says), x.says
		case dialplan.Outside:
			l := d.Lines[0]
			outcome, said = dialplan.LineFailed, pbx.CauseNoCircuit
			if x.full[l.Gateway] {
				break
			}
			rang = append(rang, fmt.Sprintf("%s is told %s by %s, %s hidden:%v urgent:%v", l.Gateway, l.Number, l.CallerID, l.Asserted, l.Hidden, l.Seize))
			if said = x.answers[l.Gateway]; d.Emergency == "" && (said == pbx.CauseUserBusy || said == pbx.CauseUnallocated) {
				return rang, steps, said
			}
		}
		next := slices.IndexFunc(tried.Follows, func(f Follow) bool { return f.After == at && slices.Contains(f.Outcomes, string(outcome)) })
		if next < 0 {
			t.Fatalf("nothing is said of what follows %q after decision %d: %+v", outcome, at, tried)
		}
		if diverted = len(d.Diversions); d.Group != "" {
			diverted = -1
		}
		d, at, end = tried.Follows[next].Decision, next+1, said
	}
}

// noted adds a step as people read it, unless it tells what happens to the call.
func noted(list []string, s dialplan.Step) []string {
	switch s.Rule {
	case "ended", "outcome":
		return list
	}
	return append(list, s.Rule+": "+s.Message.Text()+" "+s.Window)
}

// called makes the call that was tried.
func (x *trunk) called(q tryQuery) (end pbx.Cause) {
	x.rang, x.steps, x.open = nil, nil, nil
	e := call.New(call.Deps{Config: func() *pbx.Config { return x.cfg }, Dialer: x, Lines: x, Meter: x, Now: func() time.Time { return x.at }, Log: slog.New(slog.DiscardHandler),
		Publish: func(pbx.Fact) {}, Watch: call.Watch{Traced: func(_ string, _ time.Time, steps []dialplan.Step) {
			x.mu.Lock()
			defer x.mu.Unlock()
			for _, s := range steps {
				x.steps = noted(x.steps, s)
			}
		}, Noted: func(pbx.JournalEntry) {}, Joined: func(string, string, call.Party) {}, Measured: func(string, string, []engine.Sample) {}}})
	defer e.Stop()
	a := &takes{name: "caller", ended: make(chan pbx.Cause, 1)}
	pcma, _ := media.StaticFormat(8)
	e.Incoming(call.Incoming{Leg: a, Caller: call.Party{Number: q.Caller}, Digits: q.Digits, Gateway: q.Gateway, Offer: &media.Description{Direction: media.SendRecv, Formats: []media.Format{pcma}}})
	for {
		synctest.Wait()
		select {
		case c := <-a.ended:
			synctest.Wait()
			return c
		default:
		}
		x.mu.Lock()
		open := x.open
		x.open = nil
		x.mu.Unlock()
		for _, over := range open {
			over()
		}
		if len(open) == 0 {
			return 0
		}
	}
}

// TestTryAgreesOutside asks "Try a number" what would become of calls to and
// from the outside, and makes them: the same phones and lines are called with the
// same numbers, for the same reasons, and the caller is told the same.
func TestTryAgreesOutside(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	x := &trunk{rand: rand.New(rand.NewPCG(seed, 0))}
	m := newMemory()
	s := newServer(t, m, nil)
	s.Tolls = x
	over := map[dialplan.Kind]int{}
	for range 60 {
		x.cfg = pbx.Factory(pbx.Defaults{})
		x.settle(x.cfg)
		if err := pbx.Validate(x.cfg, pbx.Model{}); err != nil {
			t.Fatal(err)
		}
		m.edit(t, func(c *pbx.Config) { *c = *x.cfg.Clone() })
		x.cfg, _ = m.Current()
		for range 8 {
			x.at = time.Date(2026, 11, 16+x.rand.IntN(14), x.rand.IntN(24), 59, 0, 0, time.UTC)
			q := tryQuery{Caller: choose(x, "101", "102", "103"), At: x.at, Now: true,
				Digits: choose(x, "0030123456", "0030123456", "000331234567", "00900123456", "0891234", "08005", "102", "600", "112", "0112", "+4930123456", "999")}
			if x.oneIn(2) {
				q.Gateway, q.Caller = choose(x, "g1", "g2", "g3", "g4"), choose(x, "", "+4930999", "030999", "101")
				q.Digits = choose(x, "49891234101", "49891234102", "+49891234600", "102", "101", "12", "555", "0030123456", "112")
			}
			m.mu.Lock()
			m.facts = x.mood()
			m.mu.Unlock()
			tried, err := s.try(t.Context(), &q)
			if err != nil {
				t.Fatalf("%+v: %v", q, err)
			}
			over[tried.Body.Decision.Kind]++
			rang, steps, want := x.foretold(t, &tried.Body)
			var end pbx.Cause
			synctest.Test(t, func(*testing.T) { end = x.called(q) })
			slices.Sort(rang)
			slices.Sort(x.rang)
			if !slices.Equal(rang, x.rang) || !slices.Equal(steps, x.steps) || end != want {
				t.Fatalf("%+v was tried as\n  %s\n%s\nending with %v; the call was\n  %s\n%s\nand ended with %v\n%+v", q, strings.Join(steps, "\n  "), strings.Join(rang, "\n"), want,
					strings.Join(x.steps, "\n  "), strings.Join(x.rang, "\n"), end, x.answers)
			}
		}
	}
	if over[dialplan.Outside] < 20 || over[dialplan.Ring] < 20 || over[dialplan.Refuse] < 20 {
		t.Errorf("the calls were too much alike: %v", over)
	}
}
