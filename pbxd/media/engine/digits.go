package engine

import (
	"fmt"
	"time"

	"galilei/pbxd/media/codec"
	"galilei/pbxd/media/rtpevent"
)

// Times of digits that are made, ms. Detectors need 40 ms of each (ITU-T Q.24).
const (
	shortest   = 80
	pauseAfter = 60
	longest    = 30_000 // one whose end is never told
)

// dialling is how long after a key others may follow. Until then the sound of a
// side is decoded for digits that its peer takes in another form.
const dialling = 10 * time.Second

// flashKey stands for a hook flash.
const flashKey = '!'

// maxSignals is how many digits wait to be sent to a side.
const maxSignals = 64

// signal is a digit on its way to a side.
type signal struct {
	code uint8
	open bool // its end is not known yet
	ms   int  // its length when it is
}

// signals are the digits to be sent to a side, and the one at work.
type signals struct {
	queue     []signal
	current   signal
	playing   bool
	elapsed   int // of current, ms
	pause     int // until the next one, ms
	generator *codec.Generator
	info      []Digit // to be told to Info
	made      bool    // there has been one that was not passed on
	lost      uint64  // beyond maxSignals
}

func (s *signals) any() bool {
	return s.playing || len(s.queue) > 0 || len(s.info) > 0
}

// codeOf returns the event of a key, ! for a hook flash.
func codeOf(key byte) (uint8, bool) {
	if key == flashKey {
		return rtpevent.Flash, true
	}
	return rtpevent.Code(key)
}

func keyOf(code uint8) (byte, bool) {
	if code == rtpevent.Flash {
		return flashKey, true
	}
	return rtpevent.Key(code)
}

// Dial says that the side has pressed a key by other means than its audio,
// such as SIP INFO, for ms milliseconds. It goes to the peer in the form that
// it takes. The error says when key is none.
func (s *Side) Dial(key byte, ms int) error {
	code, ok := codeOf(key)
	if !ok {
		return fmt.Errorf("dial %q: no key of a phone", key)
	}
	e := s.engine
	e.mu.Lock()
	s.mu.Lock()
	first := !s.dialled
	s.dialled = true
	s.mu.Unlock()
	if first {
		e.choose(s)
	}
	e.mu.Unlock()
	s.mu.Lock()
	s.digit(code, true, 0)
	s.digit(code, false, ms)
	s.unlockAndTell()
	return nil
}

// Press sends keys to the side, each for ms milliseconds, in the form that it
// takes. The error says which is no key, or that too many wait already; then
// none is sent.
func (s *Side) Press(keys string, ms int) error {
	for i := range len(keys) {
		if _, ok := codeOf(keys[i]); !ok {
			return fmt.Errorf("press %q: character %d is no key of a phone", keys, i+1)
		}
	}
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	o := &s.out
	o.mu.Lock()
	if n := len(o.signals.queue); n+len(keys) > maxSignals {
		o.mu.Unlock()
		return fmt.Errorf("press %d keys: %d wait already, at most %d may", len(keys), n, maxSignals)
	}
	o.signals.made = true
	o.mu.Unlock()
	e.choose(s)
	for i := range len(keys) {
		code, _ := codeOf(keys[i])
		o.push(code, true, 0)
		o.push(code, false, ms)
	}
	return nil
}

// doneDialling reports whether digits are no reason to decode any more. The
// caller holds mu.
func (s *Side) doneDialling(now time.Time) bool {
	if !s.dialled && s.signals.Name == "" || s.events.Active() || now.Sub(s.lastKey) < dialling {
		return false
	}
	if s.route.to == nil {
		return true
	}
	return s.route.to.out.quiet()
}

// signalled deals with s.changes. The caller holds mu.
func (s *Side) signalled() {
	for _, c := range s.changes {
		s.digit(c.Code, c.On, int(uint64(c.Duration)*1000/uint64(max(s.signals.Clock, 1))))
	}
	s.changes = s.changes[:0]
}

// pressed deals with a digit that was found in the sound. The caller holds mu.
func (s *Side) pressed(d codec.Digit) {
	if d.On {
		s.began = d.At
	}
	if code, ok := rtpevent.Code(d.Key); ok {
		s.digit(code, d.On, int((d.At-s.began)*1000/int64(s.detRate)))
	}
}

// digit notes a key of the side and passes it on when the sound is made anew.
// The caller holds mu.
func (s *Side) digit(code uint8, on bool, ms int) {
	key, ok := keyOf(code)
	if !ok {
		return
	}
	s.lastKey = s.engine.now()
	if on {
		ms = 0
	}
	if (s.plan.Load().Digits != nil || s.keys != nil) && len(s.told) < maxSignals {
		s.told = append(s.told, Digit{Key: key, On: on, Ms: ms})
	}
	if s.route.to != nil && s.route.gear == Decode {
		s.route.to.out.push(code, on, ms)
	}
}

// push queues the start or the end of a digit.
func (o *outlet) push(code uint8, on bool, ms int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := &o.signals
	if on {
		if len(q.queue) >= maxSignals {
			q.lost++
			return
		}
		q.queue = append(q.queue, signal{code: code, open: true})
		return
	}
	for i := len(q.queue) - 1; i >= 0; i-- {
		if d := &q.queue[i]; d.open && d.code == code {
			d.open, d.ms = false, ms
			return
		}
	}
	if q.playing && q.current.open && q.current.code == code {
		q.current.open, q.current.ms = false, ms
	}
}

// over reports whether the digit at work has lasted long enough.
func (q *signals) over() bool {
	if q.current.open {
		return q.elapsed >= longest
	}
	return q.elapsed+codec.FrameMs/2 >= min(max(q.current.ms, shortest), longest) // to the nearest frame
}

// signal does what the digits need in this frame and reports whether an event
// was sent in place of sound. The caller holds mu.
func (o *outlet) signal() bool {
	q := &o.signals
	switch {
	case o.event.Active():
	case q.playing && q.generator != nil:
		if q.elapsed += codec.FrameMs; q.over() {
			q.stop()
		}
		return false
	case q.pause > 0:
		q.pause -= codec.FrameMs
		return false
	case len(q.queue) == 0 || !o.begin():
		return false
	}
	q.elapsed += codec.FrameMs
	if q.over() {
		o.event.End()
	}
	payload, stamp, marker := o.event.Packet(o.buf[12:12], frameUnits)
	o.emit(len(payload), uint8(o.plan.event), marker, stamp)
	if !o.event.Active() {
		q.stop()
	}
	return true
}

// stop ends the digit at work.
func (q *signals) stop() {
	q.playing, q.generator, q.pause = false, nil, pauseAfter
}

// begin starts the next digit and reports whether it is an event. The caller
// holds mu.
func (o *outlet) begin() bool {
	q := &o.signals
	d := q.queue[0]
	key, isKey := rtpevent.Key(d.code)
	if o.plan.event < 0 && o.plan.Info != nil {
		if d.open {
			return false // it is told when it ends
		}
		any, _ := keyOf(d.code)
		q.info = append(q.info, Digit{Key: any, Ms: max(d.ms, shortest)})
		q.queue = q.queue[:copy(q.queue, q.queue[1:])]
		return false
	}
	q.queue = q.queue[:copy(q.queue, q.queue[1:])]
	if o.plan.event >= 0 {
		q.current, q.playing, q.elapsed = d, true, 0
		o.event.Begin(d.code, o.next)
		return true
	}
	if !isKey {
		return false // a hook flash has no sound
	}
	t, err := codec.StandardDTMF().Tone(string(key))
	if err != nil {
		return false
	}
	t.Bursts[0].On = 0 // until its end is known
	if q.generator, err = codec.NewGenerator(t, 8000, codec.ALawMilliwatt); err == nil {
		q.current, q.playing, q.elapsed = d, true, 0
	}
	return false
}

// tell gives the digits that the side takes by INFO to it.
func (o *outlet) tell(p *plan) {
	o.mu.Lock()
	if len(o.signals.info) == 0 {
		o.mu.Unlock()
		return
	}
	list := append([]Digit(nil), o.signals.info...)
	o.signals.info = o.signals.info[:0]
	o.mu.Unlock()
	if p.Info != nil {
		for _, d := range list {
			p.Info(d)
		}
	}
}
