package call

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/pbx"
)

// MaxCalls bounds the calls that go on at a time, save some emergency calls. A
// caller beyond it hears congestion.
const MaxCalls = 2000

// causeGone is why a side is not taken by a call that has ended meanwhile.
const causeGone pbx.Cause = pbx.CauseTemporaryFailure

// Deps is what the engine needs.
type Deps struct {
	Config  func() *pbx.Config // the current configuration
	Dialer  Dialer
	Lines   Lines          // to the outside; nil: there are none
	Meter   Meter          // of calls to the outside; nil: nothing limits them
	Publish func(pbx.Fact) // does not block
	Now     func() time.Time
	Log     *slog.Logger
	Watch   Watch
	// QuickDial returns the number of a contact by its quick dial, the user's own
	// contacts first; nil when there is none. It reads, and waits for no write.
	// Nil: there are no contacts.
	QuickDial func(user, quickdial string) *pbx.QuickDial
	// Names returns what the directories call somebody outside who has one of the
	// numbers: by "" what those of everybody do, and by the ID of each of the users
	// their private contacts; nil when they cannot be asked. It reads, and waits for
	// no write. Nil: nobody has a name.
	Names func(numbers, users []string) map[string]string

	// Function returns what answers a function code, or nil where nothing does.
	// It is called from the goroutine of a call and must not block; nil: no
	// function is answered but pickup and park.
	Function func(d dialplan.Decision) Program
}

// Watch hears what happens in calls, for those who ask later. Its functions
// are called from the goroutine of the call and must not block; each may be
// nil. A call is named by its CallStatus.ID.
type Watch struct {
	// Joined says that a leg belongs to a call from now on: its own, one that it
	// was dialled for, or one that it came to by a transfer.
	Joined func(call, leg string, who Party)
	// Traced gives steps of a call, those of the dialplan and those of the call
	// itself (answered, held, transferred, ended), in order.
	Traced func(call string, at time.Time, steps []dialplan.Step)
	// Measured gives how a leg has sounded since the last time: every 10 s, and
	// when the leg ends.
	Measured func(call, leg string, samples []engine.Sample)
	// Emergency tells of a call for police, fire brigade, ambulance or rescue when
	// a line takes it, and when none does.
	Emergency func(Emergency)
	// Noted gives the call as one of its users saw it, when that user is out of
	// it, once for each.
	Noted func(pbx.JournalEntry)
	// Recorded gives the record of a call with its legs once all of it has ended:
	// calls between which legs have gone (transfer, pickup, parking) have one
	// together. Function codes and calls of the device itself are no calls.
	Recorded func(pbx.CallRecord)
}

// Engine runs calls.
type Engine struct {
	deps   Deps
	ctx    context.Context
	cancel context.CancelFunc
	number atomic.Uint64
	live   atomic.Int64
	wg     sync.WaitGroup

	mu      sync.Mutex
	stopped bool
	calls   map[string]*call             // by ID
	lines   map[Leg]*call                // whom a leg reports to
	charges map[Leg]*charge              // legs to the outside that count for somebody
	over    map[Leg]string               // gateways, by ID, that legs are over
	busy    map[string]int               // calls by extension, those that ring included
	ringing map[string]map[*call]ringing // by extension that rings
	parked  map[string]*call             // by parking place

	patterns dialplan.Patterns // of routes

	recording sync.Mutex // of all records; held for no longer than it takes to note something
	turn      uint64     // of what was noted last in a record; under recording
}

// New returns an engine without calls.
func New(d Deps) *Engine {
	ctx, cancel := context.WithCancel(context.Background())
	e := &Engine{
		deps: d, ctx: ctx, cancel: cancel, calls: map[string]*call{}, lines: map[Leg]*call{}, charges: map[Leg]*charge{}, over: map[Leg]string{},
		busy: map[string]int{}, ringing: map[string]map[*call]ringing{}, parked: map[string]*call{},
	}
	// Journals outlive a restart: a call of now is none of theirs.
	e.number.Store(uint64(max(d.Now().UnixMilli(), 0)))
	return e
}

// Live returns how many calls go on.
func (e *Engine) Live() int { return int(e.live.Load()) }

// Registered reports whether a phone is registered on an extension.
func (e *Engine) Registered(extension string) bool { return e.deps.Dialer.Registered(extension) }

// Incoming starts a call and returns where its calling leg reports events.
// The call never blocks the reporter.
func (e *Engine) Incoming(in Incoming) (notify func(Event)) {
	c := e.newCall(pbx.CallStatus{From: in.Caller.Number, FromName: in.Caller.Name, To: in.Digits})
	c.in = in
	c.a = &side{leg: in.Leg, party: in.Caller, theirs: in.Offer, offered: true, hidden: in.Anonymous, away: in.Away, gateway: in.Gateway}
	c.a.held = in.Offer != nil && !in.Offer.Direction.Receives()
	if c.gateway = in.Gateway; in.Gateway == "" {
		c.starter = in.Caller.Number
	}
	if refused := e.begin(c, in.Leg, c.route); refused != 0 {
		go in.Leg.Hangup(refused) // not on the caller's stack, which may hold the leg
		return func(Event) {}
	}
	return func(ev Event) { e.notify(c, ev) }
}

// newCall returns a call that has not begun.
func (e *Engine) newCall(s pbx.CallStatus) *call {
	order := e.number.Add(1)
	s.ID, s.State, s.Started = strconv.FormatUint(order, 10), pbx.CallRouting, e.deps.Now()
	s.Since = s.Started
	return &call{
		order: order, engine: e, status: s, record: newRecord(s, order), log: e.deps.Log.With("call", s.ID), wake: make(chan struct{}, 1),
		rings: map[Leg]*rung{}, entries: map[string]*entry{}, holds: map[string]bool{},
	}
}

// begin starts the goroutine of a call, which does first and then what comes.
// It returns why no call begins, or 0.
func (e *Engine) begin(c *call, l Leg, first func()) (refused pbx.Cause) {
	e.mu.Lock()
	defer e.mu.Unlock()
	urgent := c.gateway == "" && e.urgent(c.status.To)
	if refused = e.ownLocked(c); urgent {
		refused = 0
	}
	live := e.live.Add(1)
	if live > MaxCalls && !urgent || live > MaxCalls+emergencyReserve || e.stopped {
		refused = pbx.CauseCongestion
	}
	if refused != 0 {
		e.live.Add(-1)
		return refused
	}
	e.calls[c.status.ID] = c
	if l != nil {
		e.lines[l] = c
		if c.gateway != "" {
			e.over[l] = c.gateway
		}
	}
	e.wg.Go(func() {
		defer e.live.Add(-1)
		c.contain(func() { c.run(e.ctx, first) })
		c.contain(c.close)
		c.contain(c.recordOver)
	})
	return 0
}

// contain ends the call when f panics: a fault costs that call only.
func (c *call) contain(f func()) {
	defer func() {
		if r := recover(); r != nil {
			c.log.Error("call ended: its logic panicked", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			c.end(pbx.CauseTemporaryFailure)
		}
	}()
	f()
}

// Hangup ends a call for an administrator. It reports false when there is no
// call with that ID. by is who wants it, for the trace.
func (e *Engine) Hangup(id, by string) bool {
	e.mu.Lock()
	c := e.calls[id]
	e.mu.Unlock()
	return c != nil && e.post(c, func() {
		c.step("ended", "{name} ends the call", "name", by)
		c.end(pbx.CauseNormalClearing)
	})
}

// Stop ends every call and waits until the legs have been told.
func (e *Engine) Stop() {
	e.mu.Lock()
	e.stopped = true // no call begins while the last ones are waited for
	e.mu.Unlock()
	e.cancel()
	e.wg.Wait()
}
