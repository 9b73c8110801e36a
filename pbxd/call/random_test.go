package call

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/media"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/pbx"
	"galilei/pbxd/toll"
)

var (
	randomRuns = flag.Int("random.runs", 300, "how many offices TestRandomEvents plays")
	randomSeed = flag.Uint64("random.seed", 0, "seed of TestRandomEvents; 0 for a new one")
)

// crowd is a dialler whose phones do at random what phones may do.
type crowd struct {
	rand   *rand.Rand // of the test
	engine *Engine
	cfg    *pbx.Config
	ledger *toll.Ledger

	mu      sync.Mutex
	dice    *rand.Rand // of Dial, which calls call at the same time
	all     []*extra
	entries []pbx.JournalEntry
	records []pbx.CallRecord
	joined  [][2]string    // call and leg
	ended   map[string]int // call facts of an end, by ID
	live    map[string]bool
}

// extra is a leg in the crowd. It keeps the contract of Leg: one offer at a
// time, nothing after its end.
type extra struct {
	id     string
	ext    string
	notify func(Event)
	audio  audio

	mu       sync.Mutex
	up       bool
	dialled  bool
	hungUp   int
	gone     bool // it has told of its end
	offered  bool // an offer of the call's waits for its answer
	offering bool // an offer of its own waits
	refers   bool // a transfer of its own waits for the last word
	words    []string
}

func (x *extra) ID() string   { return x.id }
func (x *extra) Audio() Audio { return &x.audio }
func (x *extra) lock(f func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f()
}
func (x *extra) Ringing(*media.Description) { x.lock(func() { x.words = append(x.words, "ringing") }) }
func (x *extra) Answer(*media.Description) {
	x.lock(func() { x.up = x.up || !x.gone && x.hungUp == 0; x.words = append(x.words, "answer") })
}
func (x *extra) Offer(*media.Description) {
	x.lock(func() { x.offered = true; x.words = append(x.words, "offer") })
}
func (x *extra) Respond(*media.Description) { x.lock(func() { x.offering = false }) }
func (x *extra) Transfer(p TransferProgress, _ pbx.Cause) {
	x.lock(func() {
		if p == TransferDone || p == TransferFailed {
			x.refers = false
		}
		x.words = append(x.words, fmt.Sprint("transfer ", p))
	})
}
func (x *extra) Shows(Party)               {}
func (x *extra) Digit(rune, time.Duration) {}
func (x *extra) Hangup(c pbx.Cause) {
	x.lock(func() { x.hungUp++; x.words = append(x.words, fmt.Sprint("hangup ", c)) })
}

func (w *crowd) Registered(ext string) bool { return ext != "105" }

func (w *crowd) Dial(d Dial) (legs []Leg, err error) {
	if !w.Registered(d.Extension) {
		return nil, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for range 1 + w.dice.IntN(2) {
		x := &extra{id: fmt.Sprint("leg", len(w.all)), ext: d.Extension, notify: d.Notify, dialled: true}
		w.all = append(w.all, x)
		legs = append(legs, x)
		if w.dice.IntN(20) == 0 { // ends before Dial returns
			x.gone = true
			d.Notify(Event{Leg: x, Kind: EventEnded, Cause: pbx.CauseNetworkOutOfOrder})
		}
	}
	return legs, nil
}

func (w *crowd) pick() *extra {
	w.mu.Lock()
	defer w.mu.Unlock()
	var live []*extra
	for _, x := range w.all {
		x.lock(func() {
			if !x.gone && x.hungUp == 0 {
				live = append(live, x)
			}
		})
	}
	if len(live) == 0 {
		return nil
	}
	return live[w.rand.IntN(len(live))]
}

func (w *crowd) number() string {
	n := []string{"101", "102", "103", "104", "105", "600", "601", "999", "*81", "*82102", "*82103", "*70", "*701", "*702", "*70102", "*83103", "*31102", "*92", "112", "*0", "0030123456", "000431234567", "000431234567", "00900123456"}
	return n[w.rand.IntN(len(n))]
}

func (w *crowd) description() *media.Description {
	d := &media.Description{Direction: []media.Direction{media.SendRecv, media.SendRecv, media.SendOnly, media.Inactive}[w.rand.IntN(4)]}
	for _, pt := range [][]uint8{{8}, {0}, {9, 8}, {8, 0}, {18}}[w.rand.IntN(5)] {
		f, _ := media.StaticFormat(pt)
		d.Formats = append(d.Formats, f)
	}
	return d
}

// act lets one phone do something.
func (w *crowd) act() {
	causes := []pbx.Cause{pbx.CauseNormalClearing, pbx.CauseUserBusy, pbx.CauseCallRejected, pbx.CauseNoUserResponding, 0}
	switch k := w.rand.IntN(20); {
	case k < 3:
		x := &extra{ext: fmt.Sprint(101 + w.rand.IntN(4))}
		in := Incoming{Leg: x, Caller: Party{Number: x.ext}, Digits: w.number(), Offer: w.description(), Anonymous: w.rand.IntN(5) == 0}
		if w.rand.IntN(5) == 0 {
			in.Offer = nil
		}
		if other := w.pick(); other != nil && w.rand.IntN(3) == 0 {
			in.Replaces = other
		}
		w.mu.Lock()
		x.id = fmt.Sprint("leg", len(w.all))
		w.all = append(w.all, x)
		w.mu.Unlock()
		notify := w.engine.Incoming(in)
		x.lock(func() { x.notify = notify })
		return
	case k == 3:
		time.Sleep(time.Duration(w.rand.IntN(40)) * time.Second)
		return
	case k == 4:
		o := Origination{Extension: fmt.Sprint(101 + w.rand.IntN(5)), Digits: w.number()}
		if w.rand.IntN(2) == 0 {
			o.Program = w.program
		}
		w.engine.Originate(o)
		return
	case k == 5 && w.rand.IntN(4) == 0:
		w.mu.Lock()
		ids := slices.Sorted(maps.Keys(w.live))
		w.mu.Unlock()
		if len(ids) > 0 {
			w.engine.Hangup(ids[w.rand.IntN(len(ids))], "test")
		}
		return
	}
	x := w.pick()
	if x == nil {
		return
	}
	var ev Event
	other := w.pick()
	number, d, cause := w.number(), w.description(), causes[w.rand.IntN(len(causes))]
	x.lock(func() {
		ev = Event{Leg: x, Kind: -1}
		switch k := w.rand.IntN(10); {
		case k == 0:
			ev.Kind, ev.Cause, x.gone = EventEnded, cause, true
		case x.dialled && !x.up && k < 5:
			ev.Kind = EventRinging
			if w.rand.IntN(2) == 0 {
				ev.Description = d
			}
		case x.dialled && !x.up:
			ev.Kind, ev.Description, x.up = EventAnswered, d, true
		case !x.up:
		case x.offered:
			ev.Kind, ev.Description, x.offered = EventOfferAnswered, d, false
			if w.rand.IntN(3) == 0 {
				ev.Kind, ev.Description = EventOfferRefused, nil
			}
		case k < 3 && !x.offering:
			ev.Kind, ev.Description, x.offering = EventOffer, d, true
		case k < 5:
			ev.Kind = EventHeld + EventKind(w.rand.IntN(2))
		case k < 9 && !x.refers:
			ev.Kind, ev.Transfer, x.refers = EventTransfer, &Transfer{Target: number}, true
			if other != nil && other != x && w.rand.IntN(2) == 0 {
				ev.Transfer.Replaces = other
			}
		default:
			ev.Kind, ev.Digit = EventDigit, rune("0123456789*#"[w.rand.IntN(12)])
		}
	})
	if ev.Kind >= 0 && x.notify != nil {
		x.notify(ev)
	}
}

// program talks for a while.
func (w *crowd) program(on *Conversation) pbx.Cause {
	if !on.Answer() {
		return pbx.CauseNormalClearing
	}
	on.Tone(on.Country.Tones.Dial, 3*time.Second, true)
	on.Key(5 * time.Second)
	on.Step("program", pbx.Typed("done"))
	return pbx.CauseNormalClearing
}

// TestRandomEvents plays offices in which phones do at random what phones may
// do, in any order. Afterwards nothing is left, every phone has been let go
// once, every call has ended once, and the journal is whole.
func TestRandomEvents(t *testing.T) {
	seed := *randomSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	runs := *randomRuns
	if testing.Short() {
		runs /= 10
	}
	acts := 0
	for i := range runs {
		s := seed + uint64(i)
		if !t.Run(fmt.Sprint(s), func(t *testing.T) { acts += randomOffice(t, s) }) {
			return
		}
	}
	t.Logf("%d acts in %d offices, first seed %d", acts, runs, seed)
}

func randomOffice(t *testing.T, seed uint64) (acts int) {
	synctest.Test(t, func(t *testing.T) {
		w := &crowd{rand: rand.New(rand.NewPCG(seed, 1)), dice: rand.New(rand.NewPCG(seed, 2)), ended: map[string]int{}, live: map[string]bool{}}
		w.cfg = pbx.Factory(pbx.Defaults{})
		office(w.cfg)
		withOutside(w.cfg)
		if err := pbx.Validate(w.cfg, pbx.Model{}); err != nil {
			t.Fatal(err)
		}
		log := &faults{}
		stop := w.meter()
		defer stop()
		w.engine = New(Deps{
			Config: func() *pbx.Config { return w.cfg }, Dialer: w, Lines: w, Meter: w.ledger, Now: time.Now, Log: slog.New(log), Publish: w.publish,
			Function: func(dialplan.Decision) Program { return w.program },
			Watch: Watch{
				Noted: func(e pbx.JournalEntry) {
					w.mu.Lock()
					w.entries = append(w.entries, e)
					w.mu.Unlock()
				},
				Recorded: func(r pbx.CallRecord) {
					w.mu.Lock()
					w.records = append(w.records, r)
					w.mu.Unlock()
				},
				Joined: func(call, leg string, _ Party) {
					w.mu.Lock()
					w.joined = append(w.joined, [2]string{call, leg})
					w.mu.Unlock()
				},
				Traced:   func(string, time.Time, []dialplan.Step) {},
				Measured: func(string, string, []engine.Sample) {},
			},
		})
		n := 20 + w.rand.IntN(200)
		for range n {
			w.act()
			if w.rand.IntN(3) == 0 {
				synctest.Wait()
				w.whole(t)
				w.within(t, false)
			}
		}
		acts = n
		if w.rand.IntN(2) == 0 {
			for x := w.pick(); x != nil; x = w.pick() { // everybody hangs up
				x.lock(func() { x.gone = true })
				x.notify(Event{Leg: x, Kind: EventEnded, Cause: pbx.CauseNormalClearing})
				if w.rand.IntN(3) == 0 {
					synctest.Wait()
				}
			}
			time.Sleep(2 * time.Hour)
			synctest.Wait()
			w.empty(t)
		}
		w.engine.Stop()
		w.empty(t)
		w.within(t, true)
		w.accounted(t)
		w.check(t)
		if len(log.said) > 0 {
			t.Errorf("faults: %s", strings.Join(log.said, "\n"))
		}
	})
	return acts
}

func office(c *pbx.Config) {
	c.SIP.RingTime, c.SIP.ParkTime = 30, 20
	for _, ext := range []string{"104", "105"} {
		u := *c.UserByExtension("103")
		u.ID, u.Name, u.Extension = "demo"+ext, "demo"+ext, ext
		c.Users = append(c.Users, u)
	}
	c.UserByExtension("102").Calls.SetForwarding(false, pbx.DivertNoAnswer, true, "103")
	c.UserByExtension("104").Calls.SetForwarding(false, pbx.DivertAlways, true, "101")
	c.HuntGroups = []pbx.HuntGroup{
		{ID: "sales", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "Sales", CallScheme: "linear", Members: []pbx.HuntMember{{User: "demo102", Timeout: 5}, {User: "demo103", Timeout: 7}}}},
		{ID: "all", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "601", Title: "All", CallScheme: "parallel", Members: []pbx.HuntMember{{User: "demo101", Timeout: 5}, {User: "demo102", Timeout: 5}, {User: "demo103", Timeout: 7}}}},
	}
	c.PickupGroups = []pbx.PickupGroup{{ID: "one", PickupGroupSettings: pbx.PickupGroupSettings{Number: 1, Name: "One", Members: []string{"demo101", "demo102", "demo103"}}}}
	everybody := c.PermissionGroupByID(pbx.GroupAllUsers)
	everybody.Permissions = append(everybody.Permissions, pbx.GroupPermission{Permission: pbx.PermitDirectPickup, AppliesTo: pbx.GroupAllUsers},
		pbx.GroupPermission{Permission: pbx.PermitIntercom, AppliesTo: pbx.GroupAllUsers})
}

func (w *crowd) publish(f pbx.Fact) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.Call.State == pbx.CallEnded {
		w.ended[f.Call.ID]++
	}
	w.live[f.Call.ID] = f.Call.State != pbx.CallEnded
}

// whole fails the test when a call that waits for something is not as it
// should be: who hears whom, who counts where.
func (w *crowd) whole(t *testing.T) {
	t.Helper()
	e := w.engine
	e.mu.Lock()
	calls := slices.Collect(maps.Values(e.calls))
	e.mu.Unlock()
	busy, known := map[string]int{}, map[Leg]*call{}
	for _, c := range calls {
		e.post(c, func() { w.sound(t, c, busy, known) }) // nobody else may look at a call
		synctest.Wait()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for l, c := range e.lines {
		if known[l] != c {
			t.Errorf("leg %s reports to a call that does not have it", l.ID())
		}
		delete(known, l)
	}
	if len(known) > 0 || !maps.Equal(busy, e.busy) {
		t.Errorf("%d legs report to nobody; busy are %v, want %v", len(known), e.busy, busy)
	}
}

// sound looks at one call: who is in it, and who hears whom.
func (w *crowd) sound(t *testing.T, c *call, busy map[string]int, known map[Leg]*call) {
	id, in := c.status.ID, map[string]bool{}
	for _, s := range []*side{c.a, c.b, c.by} {
		if s == nil {
			continue
		}
		known[s.leg] = c
		if s.ext != "" { // of the device
			in[s.ext] = true
		}
		var peer media.Endpoint
		if other := c.otherOf(s); other != nil {
			peer = other.leg.Audio()
			if s.up && other.held != (s.hears == hearsSilence) {
				t.Errorf("call %s: %s hears %d while the other holds: %v", id, s.leg.ID(), s.hears, other.held)
			}
		} else if s == c.a && c.early != nil {
			peer = c.early.Audio()
		}
		if got := s.leg.(*extra).audio.peer; got != peer {
			t.Errorf("call %s: %s is joined with %v, want %v", id, s.leg.ID(), got, peer)
		}
	}
	for l, r := range c.rings {
		known[l] = c
		if r.ext != "" {
			in[r.ext] = true
		}
	}
	for ext := range in {
		busy[ext]++
	}
	if c.a == nil && c.quest != questFetch || c.b != nil && (len(c.rings) > 0 || !c.a.up || !c.b.up) || c.lent {
		t.Errorf("call %s waits with a %v, b %v, %d that ring, lent %v", id, c.a, c.b, len(c.rings), c.lent)
	}
}

// empty fails the test when the engine holds anything.
func (w *crowd) empty(t *testing.T) {
	t.Helper()
	e := w.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.Live() != 0 || len(e.calls)+len(e.lines)+len(e.busy)+len(e.ringing)+len(e.parked)+len(e.charges)+len(e.over) != 0 {
		t.Errorf("left: %d live, calls %v, lines %v, busy %v, ringing %v, parked %v, charges %v", e.Live(), e.calls, e.lines, e.busy, e.ringing, e.parked, e.charges)
	}
}

// check fails the test when somebody was forgotten or told twice.
func (w *crowd) check(t *testing.T) {
	t.Helper()
	for _, x := range w.all {
		if !x.gone && x.hungUp != 1 || x.hungUp > 1 {
			t.Errorf("%s was hung up %d times, ended by itself: %v; it was told %v", x.id, x.hungUp, x.gone, x.words)
		}
		if x.refers && !x.gone && !slices.ContainsFunc(x.words, func(s string) bool {
			return strings.HasPrefix(s, "transfer 2") || strings.HasPrefix(s, "transfer 3") || strings.HasPrefix(s, "hangup")
		}) {
			t.Errorf("%s never heard what became of its transfer: %v", x.id, x.words)
		}
		if x.offering && !x.gone && x.hungUp == 0 {
			t.Errorf("%s got no answer to its offer", x.id)
		}
	}
	for id, live := range w.live {
		if live || w.ended[id] != 1 {
			t.Errorf("call %s: live %v, ended %d times", id, live, w.ended[id])
		}
	}
	for _, e := range w.entries {
		out := e.Result == pbx.CallNoAnswer || e.Result == pbx.CallBusy || e.Result == pbx.CallFailed
		in := e.Result == pbx.CallMissed || e.Result == pbx.CallElsewhere || e.Result == pbx.CallDeclined
		switch {
		case e.User == "" || e.Call == "" || e.Time.IsZero() || e.Duration < 0,
			e.Result != pbx.CallAnswered && !in && !out, in && e.Direction != pbx.CallIn, out && e.Direction != pbx.CallOut,
			e.Result != pbx.CallAnswered && e.Duration != 0:
			t.Errorf("journal entry %+v is not possible", e)
		}
	}
	w.checkRecords(t)
}

// faults is a log that keeps errors only.
type faults struct {
	slog.Handler
	said []string
}

func (f *faults) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (f *faults) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool { fmt.Fprintf(&b, " %s=%v", a.Key, a.Value); return true })
	f.said = append(f.said, b.String())
	return nil
}
func (f *faults) WithAttrs([]slog.Attr) slog.Handler { return f }
func (f *faults) WithGroup(string) slog.Handler      { return f }
