package call

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/pbx"
)

// Program talks with a caller in place of a phone: it plays tones, waits for
// keys, does something. It runs in a goroutine of its own and returns when it
// is done or when its Conversation's context ends; the call then ends with the
// cause that it returns, which an unanswered caller is refused with.
type Program func(on *Conversation) pbx.Cause

// maxKeys is how many keys a program may leave unread.
const maxKeys = 64

// Conversation is the caller as a program has it. Its methods may be called
// from the goroutine of the program; none is of use after the context ended.
type Conversation struct {
	Call     string // ID of the call
	User     string // ID of the user who talks with the program; "" for somebody outside
	Party    Party  // who that is
	Phone    string // extension of the phone's own user; User may be another who is logged in there
	Log      *slog.Logger
	Decision dialplan.Decision // that led here; its Argument and Off are what was dialled
	Config   *pbx.Config       // when the call was decided
	Country  pbx.Country       // whose tones are played

	call  *call
	side  *side
	audio Audio
	ctx   context.Context
	stop  context.CancelFunc
	keys  chan byte
}

// serve lets a program answer a.
func (c *call) serve(p Program, d dialplan.Decision) {
	ctx, stop := context.WithCancel(c.engine.ctx)
	on := &Conversation{
		Call: c.status.ID, User: c.a.user, Party: c.a.party, Phone: c.in.Phone, Log: c.log, Decision: d, Config: c.cfg, Country: c.country,
		call: c, side: c.a, audio: c.a.leg.Audio(), ctx: ctx, stop: stop, keys: make(chan byte, maxKeys),
	}
	c.serving = on
	on.audio.HearDigits(on.pressed)
	c.changed()
	c.engine.wg.Go(func() {
		defer stop()
		cause := on.contain(p)
		c.engine.post(c, func() {
			if c.serving == on {
				c.serving = nil
				c.end(cause)
			}
		})
	})
}

// contain runs the program; a fault of it ends its call only.
func (on *Conversation) contain(p Program) (cause pbx.Cause) {
	defer func() {
		if r := recover(); r != nil {
			on.call.log.Error("program panicked", "function", on.Decision.Function, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			cause = pbx.CauseTemporaryFailure
		}
	}()
	return p(on)
}

func (on *Conversation) pressed(d engine.Digit) {
	if !d.On {
		return
	}
	select {
	case on.keys <- d.Key:
	default: // whoever presses that many keys unheard does not wait for an answer
	}
}

// Context ends when the caller has hung up or the call ends for another reason.
func (on *Conversation) Context() context.Context { return on.ctx }

// Answer answers the caller; before that nothing can be played. It reports false
// when there is nobody any more.
func (on *Conversation) Answer() bool {
	done := make(chan struct{})
	c := on.call
	if !c.engine.post(c, func() {
		if c.serving == on && !c.ended {
			c.answer(on.side, nil)
			on.side.hear(hearsSilence, &c.country)
			on.side.hears = hearsProgram
			c.changed()
		}
		close(done)
	}) {
		return false
	}
	select {
	case <-done:
		return on.ctx.Err() == nil
	case <-on.ctx.Done():
		return false
	}
}

// Play lets the caller hear src for a time at most; afterwards there is silence.
// It returns early, with the key, when one is pressed and interrupt is set, and
// false when there is nobody any more.
func (on *Conversation) Play(src engine.Source, most time.Duration, interrupt bool) (key byte, there bool) {
	on.audio.Play(src)
	defer on.audio.Play(engine.Silence{})
	timer := time.NewTimer(most)
	defer timer.Stop()
	var keys chan byte
	if interrupt {
		keys = on.keys
	}
	select {
	case key = <-keys:
		return key, true
	case <-timer.C:
		return 0, true
	case <-on.ctx.Done():
		return 0, false
	}
}

// Tone plays a tone of the country, as Play does. One that the country does not
// have is silence.
func (on *Conversation) Tone(t pbx.Tone, most time.Duration, interrupt bool) (key byte, there bool) {
	src, err := engine.NewTone(t)
	if err != nil {
		src = engine.Silence{}
	}
	return on.Play(src, most, interrupt)
}

// Key waits for a key, 0-9 * # A-D, or ! for a hook flash. ok is false when none
// came in time or there is nobody any more.
func (on *Conversation) Key(within time.Duration) (key byte, ok bool) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case key = <-on.keys:
		return key, true
	case <-timer.C:
	case <-on.ctx.Done():
	}
	return 0, false
}

// Step tells a step of the program for the trace of the call.
func (on *Conversation) Step(rule string, said pbx.Message) {
	on.call.engine.post(on.call, func() {
		if !on.call.ended {
			on.call.trace([]dialplan.Step{{Rule: rule, Message: said}})
		}
	})
}
