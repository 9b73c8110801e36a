package call

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
)

// house is an engine with one phone for each of 101 to 104, which may have
// several legs, and everything that it tells.
type house struct {
	t      *testing.T
	engine *Engine
	cfg    *pbx.Config

	mu       sync.Mutex
	dials    []Dial
	rung     map[string]*actor // the leg that rings last, by extension
	entries  []pbx.JournalEntry
	records  []pbx.CallRecord
	steps    []string
	facts    []pbx.CallStatus
	programs map[pbx.Function]Program
	notify   map[Leg]func(Event)
	gone     map[string]bool // extensions without a phone
	err      error           // of Dial
}

func inHouse(t *testing.T, play func(h *house)) {
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, rung: map[string]*actor{}, notify: map[Leg]func(Event){}, gone: map[string]bool{}, programs: map[pbx.Function]Program{}}
		h.cfg = pbx.Factory(pbx.Defaults{})
		office(h.cfg)
		h.cfg.UserByExtension("102").Calls = pbx.UserCalls{}
		h.cfg.UserByExtension("104").Calls = pbx.UserCalls{}
		if err := pbx.Validate(h.cfg, pbx.Model{}); err != nil {
			t.Fatal(err)
		}
		h.engine = New(Deps{
			Config: func() *pbx.Config { return h.cfg }, Dialer: h, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Publish: func(f pbx.Fact) {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.facts = append(h.facts, *f.Call)
			},
			Function: func(d dialplan.Decision) Program { return h.programs[d.Function] },
			Watch: Watch{
				Noted: func(e pbx.JournalEntry) {
					h.mu.Lock()
					defer h.mu.Unlock()
					h.entries = append(h.entries, e)
				},
				Recorded: func(r pbx.CallRecord) {
					h.mu.Lock()
					defer h.mu.Unlock()
					h.records = append(h.records, r)
				},
				Traced: func(_ string, _ time.Time, steps []dialplan.Step) {
					h.mu.Lock()
					defer h.mu.Unlock()
					for _, s := range steps {
						h.steps = append(h.steps, s.Message.Text())
					}
				},
			},
		})
		play(h)
		h.engine.Stop()
		w := crowd{engine: h.engine}
		w.empty(t)
	})
}

func (h *house) Registered(ext string) bool { return !h.gone[ext] }

func (h *house) Dial(d Dial) ([]Leg, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone[d.Extension] || h.err != nil {
		return nil, h.err
	}
	a := &actor{name: d.Extension}
	h.dials = append(h.dials, d)
	h.rung[d.Extension] = a
	h.notify[a] = d.Notify
	return []Leg{a}, nil
}

// call lets a phone dial.
func (h *house) call(from, digits string, formats ...uint8) *actor {
	return h.invite(Incoming{Caller: Party{Number: from, Name: "Name of " + from}, Digits: digits, Offer: speaks(formats...)})
}

func (h *house) invite(in Incoming) *actor {
	a := &actor{name: in.Caller.Number}
	in.Leg = a
	notify := h.engine.Incoming(in)
	h.mu.Lock()
	h.notify[a] = notify
	h.mu.Unlock()
	synctest.Wait()
	return a
}

// speaks is a description of payload types; PCMA alone when none are given.
func speaks(types ...uint8) *media.Description {
	if len(types) == 0 {
		types = []uint8{8}
	}
	d := &media.Description{Direction: media.SendRecv}
	for _, pt := range types {
		f, _ := media.StaticFormat(pt)
		d.Formats = append(d.Formats, f)
	}
	return d
}

func (h *house) does(a *actor, ev Event) {
	ev.Leg = a
	h.mu.Lock()
	notify := h.notify[a]
	h.mu.Unlock()
	notify(ev)
	synctest.Wait()
}

// rings returns the leg that rings at an extension.
func (h *house) rings(ext string) *actor {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.rung[ext]
	if a == nil {
		h.t.Fatalf("nothing rings at %s; dialled %d times, %q", ext, len(h.dials), h.steps)
	}
	delete(h.rung, ext)
	return a
}

func (h *house) silent(ext string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rung[ext] != nil {
		h.t.Errorf("%s rings", ext)
	}
}

func (h *house) answers(a *actor, formats ...uint8) {
	h.does(a, Event{Kind: EventAnswered, Description: speaks(formats...)})
}

func (h *house) refers(a *actor, target string, replaces Leg) {
	h.does(a, Event{Kind: EventTransfer, Transfer: &Transfer{Target: target, Replaces: replaces}})
}

func (h *house) hangsUp(a *actor) {
	h.does(a, Event{Kind: EventEnded, Cause: pbx.CauseNormalClearing})
}

// talk connects from with to and returns both legs.
func (h *house) talk(from, to string) (a, b *actor) {
	h.t.Helper()
	a = h.call(from, to)
	b = h.rings(to)
	h.answers(b)
	h.joined(a, b)
	return a, b
}

func (h *house) joined(a, b *actor) {
	h.t.Helper()
	if a.audio.peer != b.Audio() || b.audio.peer != a.Audio() {
		h.t.Errorf("%s and %s do not hear each other", a.name, b.name)
	}
}

// alone fails the test when a hears somebody.
func (h *house) alone(a *actor) {
	h.t.Helper()
	if a.audio.peer != nil {
		h.t.Errorf("%s is joined with %v", a.name, a.audio.peer)
	}
}

// journal returns the entries as text: extension, direction, number, result,
// seconds.
func (h *house) journal() (list []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.entries {
		line := fmt.Sprintf("%s %s %s %s %d", h.cfg.UserByID(e.User).Extension, e.Direction, e.Number, e.Result, e.Duration)
		if e.Group != "" {
			line += " " + e.Group
		}
		list = append(list, line)
	}
	slices.Sort(list)
	return list
}

func (h *house) wantJournal(list ...string) {
	h.t.Helper()
	slices.Sort(list)
	if got := h.journal(); !slices.Equal(got, list) {
		h.t.Errorf("journal %q, want %q", got, list)
	}
}

func (h *house) traced(step string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.steps, step) {
		h.t.Errorf("the trace lacks %q; it has %q", step, h.steps)
	}
}

// wantLast compares the last things that a leg was told.
func wantLast(t *testing.T, a *actor, told ...string) {
	t.Helper()
	got := a.saw()
	if len(got) > len(told) {
		got = got[len(got)-len(told):]
	}
	if !slices.Equal(got, told) {
		t.Errorf("%s was told %q, want %q at the end", a.name, a.saw(), told)
	}
}

// last is how a phone was dialled last.
func (h *house) last() Dial {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.dials) == 0 {
		return Dial{}
	}
	return h.dials[len(h.dials)-1]
}

// fact is what was published last.
func (h *house) fact() pbx.CallStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.facts[len(h.facts)-1]
}
