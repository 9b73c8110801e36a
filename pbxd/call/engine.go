package call

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/pbx"
)

// MaxCalls bounds the calls that go on at a time. A caller beyond it hears
// congestion.
const MaxCalls = 2000

// Deps is what the engine needs.
type Deps struct {
	Config  func() *pbx.Config // the current configuration
	Dialer  Dialer
	Publish func(pbx.Fact) // does not block
	Now     func() time.Time
	Log     *slog.Logger
	Watch   Watch
	// QuickDial returns the number of a contact by its quick dial, the user's own
	// contacts first; nil when there is none. It reads, and waits for no write.
	// Nil: there are no contacts.
	QuickDial func(user, quickdial string) *pbx.QuickDial
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
	// Measured gives how a leg has sounded since the last time: at least once a
	// minute, and when the leg ends.
	Measured func(call, leg string, samples []engine.Sample)
	// Noted gives the call as one of its users saw it, when that user is out of
	// it, once for each.
	Noted func(pbx.JournalEntry)
}

// Engine runs calls.
type Engine struct {
	deps   Deps
	ctx    context.Context
	cancel context.CancelFunc
	next   atomic.Uint64
	live   atomic.Int64
	wg     sync.WaitGroup

	mu      sync.Mutex
	stopped bool
	busy    map[string]int // calls by extension, those that ring included
}

// New returns an engine without calls.
func New(d Deps) *Engine {
	ctx, cancel := context.WithCancel(context.Background())
	return &Engine{deps: d, ctx: ctx, cancel: cancel, busy: map[string]int{}}
}

// Live returns how many calls go on.
func (e *Engine) Live() int { return int(e.live.Load()) }

// Registered reports whether a phone is registered on an extension.
func (e *Engine) Registered(extension string) bool { return e.deps.Dialer.Registered(extension) }

// Calls returns how many calls an extension is in, those that ring included.
func (e *Engine) Calls(extension string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.busy[extension]
}

// hold counts an extension as being in the call, once.
func (e *Engine) hold(c *call, extension string) {
	if extension == "" || c.holds[extension] {
		return
	}
	c.holds[extension] = true
	e.mu.Lock()
	e.busy[extension]++
	e.mu.Unlock()
}

// release counts all extensions of the call but some as being in it no more.
func (e *Engine) release(c *call, but ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for extension := range c.holds {
		if slices.Contains(but, extension) {
			continue
		}
		delete(c.holds, extension)
		if e.busy[extension]--; e.busy[extension] <= 0 {
			delete(e.busy, extension)
		}
	}
}

// Incoming starts a call and returns where its calling leg reports events.
// The call never blocks the reporter.
func (e *Engine) Incoming(in Incoming) (notify func(Event)) {
	c := &call{
		engine: e,
		a:      in.Leg,
		in:     in,
		events: make(chan Event, eventQueue),
		legs:   map[Leg]string{},
		holds:  map[string]bool{},
		status: pbx.CallStatus{
			ID: strconv.FormatUint(e.next.Add(1), 10), From: in.Caller.Number, FromName: in.Caller.Name,
			To: in.Digits, State: pbx.CallRouting, Started: e.deps.Now(),
		},
	}
	c.log = e.deps.Log.With("call", c.status.ID)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.live.Add(1) > MaxCalls || e.stopped {
		e.live.Add(-1)
		go in.Leg.Hangup(pbx.CauseCongestion) // not on the caller's stack, which may hold the leg
		return func(Event) {}
	}
	e.wg.Go(func() {
		defer e.live.Add(-1)
		defer func() {
			if r := recover(); r != nil {
				c.log.Error("call ended: its logic panicked", "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
				c.end(pbx.CauseTemporaryFailure)
			}
		}()
		c.run(e.ctx)
	})
	return c.notify
}

// Stop ends every call and waits until the legs have been told.
func (e *Engine) Stop() {
	e.mu.Lock()
	e.stopped = true // no call begins while the last ones are waited for
	e.mu.Unlock()
	e.cancel()
	e.wg.Wait()
}
