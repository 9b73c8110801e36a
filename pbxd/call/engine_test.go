package call

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/pbx"
)

// audio is an endpoint that only remembers its peer.
type audio struct {
	mu      sync.Mutex
	peer    media.Endpoint
	plays   engine.Source
	tones   int // that were played: sources other than silence
	hears   func(engine.Digit)
	keys    string // of Dial
	samples []engine.Sample
}

func (a *audio) WriteRTP([]byte)  {}
func (a *audio) WriteRTCP([]byte) {}
func (a *audio) SetPeer(p media.Endpoint) {
	a.mu.Lock()
	a.peer = p
	a.mu.Unlock()
}

func (a *audio) Play(s engine.Source) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.plays = s
	if _, silent := s.(engine.Silence); !silent && s != nil {
		a.tones++
	}
}
func (a *audio) Listen(engine.Sink)      {}
func (a *audio) Press(string, int) error { return nil }
func (a *audio) Dial(k byte, _ int) error {
	a.keys += string(k)
	if a.hears != nil {
		a.hears(engine.Digit{Key: k, On: true})
	}
	return nil
}
func (a *audio) HearDigits(h func(engine.Digit)) { a.hears = h }
func (a *audio) Last() (engine.Sample, bool)     { return engine.Sample{}, false }
func (a *audio) Samples() []engine.Sample {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.samples)
}

// actor is a leg that notes what it is told.
type actor struct {
	name  string
	audio audio
	throw string // the method that panics

	mu    sync.Mutex
	told  []string
	shows Party
}

func (a *actor) note(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	a.mu.Lock()
	a.told = append(a.told, s)
	a.mu.Unlock()
	if a.throw != "" && len(s) >= len(a.throw) && s[:len(a.throw)] == a.throw {
		panic("thrown by " + a.throw)
	}
}

func (a *actor) saw() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.told)
}

func (a *actor) ID() string   { return a.name }
func (a *actor) Audio() Audio { return &a.audio }
func (a *actor) Ringing(early *media.Description) {
	a.note("ringing early=%v", early != nil)
}
func (a *actor) Answer(*media.Description)                { a.note("answer") }
func (a *actor) Offer(*media.Description)                 { a.note("offer") }
func (a *actor) Respond(d *media.Description)             { a.note("respond %v", d != nil) }
func (a *actor) Transfer(p TransferProgress, c pbx.Cause) { a.note("transfer %d %d", p, c) }
func (a *actor) Shows(p Party)                            { a.shows = p }
func (a *actor) Digit(d rune, _ time.Duration)            { a.note("digit %c", d) }
func (a *actor) Hangup(c pbx.Cause)                       { a.note("hangup %d", c) }

// stage is an engine with legs that a test plays.
type stage struct {
	engine *Engine
	caller *actor
	notify func(Event)
	called []*actor
	err    error
	office func(*pbx.Config)   // changes the configuration
	phones map[string][]*actor // by extension, instead of called
	digits string              // instead of 102
	watch  Watch

	mu     sync.Mutex
	dialed func(Event) // where called legs report
	dials  []Dial
	facts  []pbx.CallStatus
}

func (s *stage) Registered(ext string) bool { return s.phones == nil || len(s.phones[ext]) > 0 }

func (s *stage) Dial(d Dial) ([]Leg, error) {
	s.mu.Lock()
	s.dialed = d.Notify
	s.dials = append(s.dials, d)
	s.mu.Unlock()
	var legs []Leg
	for _, a := range append(slices.Clone(s.called), s.phones[d.Extension]...) {
		legs = append(legs, a)
	}
	return legs, s.err
}

// play starts a call from 101 to 102 with the called legs given.
func play(t *testing.T, s *stage, act func()) {
	synctest.Test(t, func(t *testing.T) {
		cfg := pbx.Factory(pbx.Defaults{})
		cfg.SIP.RingTime = 30
		if s.office != nil {
			s.office(cfg)
			if err := pbx.Validate(cfg, pbx.Model{}); err != nil {
				t.Fatal(err)
			}
		}
		if s.digits == "" {
			s.digits = "102"
		}
		s.engine = New(Deps{
			Config: func() *pbx.Config { return cfg }, Dialer: s, Now: time.Now, Log: slog.New(slog.DiscardHandler), Watch: s.watch,
			Publish: func(f pbx.Fact) {
				s.mu.Lock()
				s.facts = append(s.facts, *f.Call)
				s.mu.Unlock()
			},
		})
		if s.caller == nil {
			s.caller = &actor{name: "caller"}
		}
		s.notify = s.engine.Incoming(Incoming{Leg: s.caller, Caller: Party{Number: "101", Name: "Anna"}, Digits: s.digits})
		synctest.Wait()
		act()
		s.engine.Stop()
		if n := s.engine.Live(); n != 0 {
			t.Errorf("%d calls are left", n)
		}
	})
}

func (s *stage) event(l *actor, kind EventKind, d *media.Description, cause pbx.Cause) {
	s.mu.Lock()
	notify := s.dialed
	s.mu.Unlock()
	if l == s.caller {
		notify = s.notify
	}
	notify(Event{Leg: l, Kind: kind, Description: d, Cause: cause})
	synctest.Wait()
}

func want(t *testing.T, a *actor, told ...string) {
	t.Helper()
	if got := a.saw(); !slices.Equal(got, told) {
		t.Errorf("%s was told %q, want %q", a.name, got, told)
	}
}

var desc = &media.Description{Direction: media.SendRecv}

func TestEarlyAudio(t *testing.T) {
	b := &actor{name: "b"}
	s := &stage{called: []*actor{b}}
	play(t, s, func() {
		s.event(b, EventRinging, nil, 0)
		s.event(b, EventRinging, desc, 0)
		if s.caller.audio.peer != b.Audio() {
			t.Error("the caller does not hear the early audio")
		}
		s.event(b, EventEnded, nil, pbx.CauseUserBusy)
		want(t, s.caller, "ringing early=false", "ringing early=true", "hangup 17")
		if s.caller.audio.peer != nil {
			t.Error("the caller is still joined to the phone that ended")
		}
	})
}

// Of several phones none is heard before the answer: the caller would take
// the first description for that of the other.
func TestAnswerOfOneOfSeveral(t *testing.T) {
	b, c := &actor{name: "b"}, &actor{name: "c"}
	s := &stage{called: []*actor{b, c}}
	play(t, s, func() {
		s.event(b, EventRinging, desc, 0)
		s.event(c, EventRinging, nil, 0)
		s.event(c, EventAnswered, desc, 0)
		if s.caller.audio.peer != c.Audio() || c.audio.peer != s.caller.Audio() {
			t.Error("the sides are not joined")
		}
		s.event(b, EventAnswered, desc, 0) // too late
		want(t, b, "hangup 26")
		want(t, s.caller, "ringing early=false", "answer")
		s.event(s.caller, EventEnded, nil, pbx.CauseNormalClearing)
		want(t, c, "hangup 16")
		s.mu.Lock()
		last := s.facts[len(s.facts)-1]
		s.mu.Unlock()
		if last.State != pbx.CallEnded || last.Answered.IsZero() || last.Cause != pbx.CauseNormalClearing {
			t.Errorf("last fact %+v, want an answered call that ended normally", last)
		}
	})
}

func TestRingTime(t *testing.T) {
	b := &actor{name: "b"}
	s := &stage{called: []*actor{b}}
	play(t, s, func() {
		time.Sleep(29 * time.Second)
		synctest.Wait()
		want(t, b)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		want(t, b, "hangup 19")
		want(t, s.caller, "hangup 19")
	})
}

func TestAnsweredCallOutlivesRingTime(t *testing.T) {
	b := &actor{name: "b"}
	s := &stage{called: []*actor{b}}
	play(t, s, func() {
		s.event(b, EventAnswered, desc, 0)
		time.Sleep(time.Hour)
		synctest.Wait()
		want(t, b)
	})
	want(t, b, "hangup 16") // by Stop
}

func TestWhatTheCallerIsTold(t *testing.T) {
	tests := []struct {
		name   string
		causes []pbx.Cause
		want   string
	}{
		{"busy says more than absent", []pbx.Cause{pbx.CauseUserBusy, pbx.CauseSubscriberAbsent}, "hangup 17"},
		{"busy says more than silent", []pbx.Cause{pbx.CauseNoUserResponding, pbx.CauseUserBusy}, "hangup 17"},
		{"a rejection says most", []pbx.Cause{pbx.CauseUserBusy, pbx.CauseCallRejected}, "hangup 21"},
		{"no cause at all", []pbx.Cause{0, 0}, "hangup 31"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &stage{called: []*actor{{name: "b"}, {name: "c"}}}
			play(t, s, func() {
				for i, l := range s.called {
					s.event(l, EventEnded, nil, tt.causes[i])
				}
				want(t, s.caller, tt.want)
			})
		})
	}
}

func TestDialFails(t *testing.T) {
	for want, err := range map[string]error{"hangup 20": nil, "hangup 41": errors.New("no port")} {
		s := &stage{err: err}
		play(t, s, func() {
			if got := s.caller.saw(); !slices.Equal(got, []string{want}) {
				t.Errorf("caller was told %q, want %q", got, want)
			}
		})
	}
}

// A fault of ours ends the call that it concerns, and tells both sides.
func TestPanicEndsTheCall(t *testing.T) {
	b := &actor{name: "b"}
	s := &stage{called: []*actor{b}, caller: &actor{name: "caller", throw: "answer"}}
	play(t, s, func() {
		s.event(b, EventAnswered, desc, 0)
		want(t, b, "hangup 41")
		want(t, s.caller, "answer", "hangup 41")
	})
}

func TestCallsAreBounded(t *testing.T) {
	s := &stage{called: []*actor{{name: "b"}}}
	play(t, s, func() {
		var last *actor
		for range MaxCalls {
			last = &actor{name: "more"}
			s.engine.Incoming(Incoming{Leg: last, Digits: "102"})
		}
		synctest.Wait()
		want(t, last, "hangup 42")
		if n := s.engine.Live(); n != MaxCalls {
			t.Errorf("%d calls go on, want %d", n, MaxCalls)
		}
	})
}

func TestAfterStop(t *testing.T) {
	s := &stage{}
	play(t, s, func() {})
	late := &actor{name: "late"}
	s.engine.Incoming(Incoming{Leg: late, Digits: "102"})
	for end := time.Now().Add(10 * time.Second); len(late.saw()) == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	want(t, late, "hangup 42")
}

// What was measured is told every 10 s, and when a leg ends; nothing twice.
func TestMeasured(t *testing.T) {
	b := &actor{name: "b"}
	var told []string
	s := &stage{called: []*actor{b}, watch: Watch{Measured: func(_, leg string, list []engine.Sample) {
		for _, x := range list {
			told = append(told, fmt.Sprintf("%s %d", leg, x.Packets))
		}
	}}}
	play(t, s, func() {
		s.event(b, EventAnswered, desc, 0)
		sample := func(n uint64) {
			b.audio.mu.Lock()
			defer b.audio.mu.Unlock()
			b.audio.samples = append(b.audio.samples, engine.Sample{At: time.Now(), Packets: n})
		}
		time.Sleep(30 * time.Second)
		sample(1)
		sample(2)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if len(told) != 2 {
			t.Errorf("while the call is up %q were told", told)
		}
		sample(3)
		s.event(b, EventEnded, nil, pbx.CauseNormalClearing)
		if want := []string{"b 1", "b 2", "b 3"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}
