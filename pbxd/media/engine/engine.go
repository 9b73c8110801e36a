// Package engine carries the audio of calls from side to side and makes what
// no side sends: tones, silence, digits, reports. A Side is one endpoint with
// what it sends and takes; joined with another, each direction runs in the
// lowest of three gears that serves:
//
//   - Forward: packets pass unchanged, save those of payload types that the
//     receiver has not agreed to. Nothing but their headers is looked at.
//   - Rewrite: packets pass with the SSRC, sequence numbers and time stamps of
//     the receiver's own stream, which stays one stream whoever speaks, and
//     with the receiver's payload types.
//   - Decode: packets become frames of 20 ms, linear samples, which are heard,
//     resampled and encoded anew.
//
// The gear is chosen again with every change: of the description of a side,
// of the codec that it uses, of what is played to it, of who listens.
//
// One goroutine makes the frames of all calls. Nothing is allocated for a
// packet.
package engine

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
)

// The sides are spread over slots, a quarter of a frame apart, so that their
// packets do not leave all at once. Both sides of a call are in one slot, or a
// frame would wait for the next one.
const (
	frameTime = codec.FrameMs * time.Millisecond
	slots     = 4
	slotTime  = frameTime / slots
)

// behind is how late the engine may be before it leaves frames out rather than
// send them all at once.
const behind = 100 * time.Millisecond

// tellEvery is how often the log says at most that frames were left out.
const tellEvery = time.Minute

// Engine makes the frames of its sides. All methods may be called from any
// goroutine.
type Engine struct {
	now  func() time.Time
	log  *slog.Logger
	wake chan struct{} // a side has come

	mu      sync.Mutex // guards what follows, and who is joined with whom
	members [slots][]*Side

	// Of the goroutine of Run.
	busy    []*Side // sides of the slot at work
	scratch [4][maxFrame]int16
	skipped atomic.Uint64
}

// maxFrame is the samples of a frame at 16 kHz.
const maxFrame = 16000 / 50

// New returns an engine that works once Run does. now is its clock.
func New(now func() time.Time, log *slog.Logger) *Engine {
	return &Engine{now: now, log: log, wake: make(chan struct{}, 1)}
}

// Run makes frames until ctx is done. Without sides it sleeps.
func (e *Engine) Run(ctx context.Context) {
	ticker := time.NewTicker(slotTime)
	defer ticker.Stop()
	next, slot := e.now(), 0
	var told time.Time
	for {
		if e.Sides() == 0 {
			ticker.Stop()
			select {
			case <-ctx.Done():
				return
			case <-e.wake:
				ticker.Reset(slotTime)
				next = e.now()
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := e.now()
		if late := now.Sub(next); late > behind {
			// The machine was busy or its clock has jumped: a gap is better
			// than old sound in a burst.
			n := late / frameTime
			e.skipped.Add(uint64(n))
			if now.Sub(told) >= tellEvery || now.Before(told) {
				e.log.Warn("audio frames left out: the machine is busy", "frames", uint64(n), "late", late, "since the start", e.skipped.Load())
				told = now
			}
			next = next.Add(n * frameTime)
			e.resync()
		} else if late < -behind {
			next = now // the clock was set back
		}
		for !next.After(now) {
			e.step(slot, now)
			slot = (slot + 1) % slots
			next = next.Add(slotTime)
		}
	}
}

// step makes the frames of one slot: first of all that are heard, then of all
// that are sent.
func (e *Engine) step(slot int, now time.Time) {
	e.mu.Lock()
	e.busy = append(e.busy[:0], e.members[slot]...)
	e.mu.Unlock()
	for _, s := range e.busy {
		s.hear(now)
	}
	for _, s := range e.busy {
		s.say(now, &e.scratch)
		s.report(now)
	}
	clear(e.busy)
}

// resync tells all sides that frames are missing in what they send.
func (e *Engine) resync() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, list := range e.members {
		for _, s := range list {
			s.out.mu.Lock()
			if s.out.origin.frames {
				s.out.origin = origin{}
			}
			s.out.mu.Unlock()
		}
	}
}

// Skipped returns how many frames were left out because the machine was busy.
func (e *Engine) Skipped() uint64 { return e.skipped.Load() }

// Sides returns how many sides there are.
func (e *Engine) Sides() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, list := range e.members {
		n += len(list)
	}
	return n
}

// Attach makes a side of an endpoint, which sends to nobody else from then on.
// Close gives it back.
func (e *Engine) Attach(ep media.Endpoint, c Config) *Side {
	now := e.now()
	s := &Side{engine: e, endpoint: ep, reports: newReports(now), speaks: noType}
	s.out.endpoint = ep
	s.out.ssrc, s.out.seq, s.out.stamp = rand.Uint32(), uint16(rand.Uint32N(1<<15)), rand.Uint32()
	s.out.at = now
	s.plan.Store(newPlan(c))
	e.mu.Lock()
	for i, list := range e.members {
		if len(list) < len(e.members[s.slot]) {
			s.slot = i
		}
	}
	e.members[s.slot] = append(e.members[s.slot], s)
	e.choose(s)
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
	ep.SetPeer(inlet{s})
	return s
}

// move puts a side into another slot. The caller holds e.mu.
func (e *Engine) move(s *Side, slot int) {
	if e.remove(s) {
		s.slot = slot
		e.members[slot] = append(e.members[slot], s)
	}
}

// remove takes a side out of its slot. The caller holds e.mu.
func (e *Engine) remove(s *Side) bool {
	list := e.members[s.slot]
	for i := range list {
		if list[i] == s {
			list[i] = list[len(list)-1]
			list[len(list)-1] = nil
			e.members[s.slot] = list[:len(list)-1]
			return true
		}
	}
	return false
}
