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
