package engine

import (
	"fmt"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
)

// Gear says how one direction is carried.
type Gear int32

// The gears.
const (
	Idle    Gear = iota // nobody is there to hear, or something is played to him
	Forward             // unchanged, as far as the peer takes them
	Rewrite             // with the receiver's stream and payload types
	Decode              // as frames
)

// String returns the name of the gear in lower case.
func (g Gear) String() string {
	switch g {
	case Idle:
		return "idle"
	case Forward:
		return "forward"
	case Rewrite:
		return "rewrite"
	case Decode:
		return "decode"
	}
	return fmt.Sprintf("Gear(%d)", int32(g))
}

// route is where the packets of a side go.
type route struct {
	to    *Side
	plain media.Endpoint // in place of to: a peer that is no side gets all packets unchanged
	gear  Gear
	types [128]uint8 // payload types for Rewrite; dropType for none
}

const dropType = 0xff

// noType is the payload type of a side that has not spoken yet.
const noType = 0xff

// choose sets the gear of the direction from s to its peer and, where
// something changed at s, of that from its peer. The caller holds engine.mu.
func (e *Engine) choose(s *Side) {
	s.mu.Lock()
	s.shift()
	s.mu.Unlock()
	s.aim()
	s.out.mu.Lock()
	from := s.out.source
	s.out.mu.Unlock()
	if from != nil && from != s {
		from.mu.Lock()
		from.shift()
		from.mu.Unlock()
		from.aim()
	}
}

// shift chooses the gear from s to its peer. The caller holds s.mu.
func (s *Side) shift() {
	p := s.plan.Load()
	r := &s.route
	listening := s.sink != nil
	current := s.current(p)
	r.gear = Idle
	if r.plain != nil {
		r.gear = Forward
	}
	if b := r.to; b != nil {
		q := b.plan.Load()
		b.out.mu.Lock()
		// A stream that has come from another side goes on, too.
		own := b.out.own || b.out.origin.side != nil && b.out.origin.side != s
		playing, mine, made := b.out.play != nil, b.out.source == s, b.out.signals.made
		b.out.mu.Unlock()
		_, encoded := q.encodes(0)
		same := r.mapTypes(p, q)
		_, passes := q.takes(current.format)
		switch {
		case !mine || playing || !q.Direction.Receives():
		case current.speech != 0 && encoded != 0 && (!passes || s.unlike(p, q) || listening || made):
			r.gear = Decode
		case !passes:
		case own || !same:
			r.gear = Rewrite
		default:
			r.gear = Forward
		}
	}
	// Frames are made for the peer, for a listener, and to find digits.
	s.decoding = current.speech != 0 && (r.gear == Decode || listening || s.detects(p))
	s.gear.Store(int32(r.gear))
	if !s.decoding {
		s.detector = nil
		s.heard = false
		if s.playout != nil {
			s.playout.Reset()
		}
		return
	}
	s.prepare(current.speech, s.detects(p))
}

// current returns the speech format that the side uses, or until it is known
// the first that it may use. The caller holds mu.
func (s *Side) current(p *plan) *incoming {
	if in := p.in(s.speaks); in.known && !in.event && !in.noise {
		return in
	}
	for _, f := range p.Receive {
		if f.Speech() && f.PT < 128 {
			s.speaks = f.PT
			return p.in(f.PT)
		}
	}
	return p.in(noType)
}

// unlike reports whether digits must be made anew between s and its peer.
func (s *Side) unlike(p, q *plan) bool {
	_, passes := q.takes(s.signals)
	return s.dialled || s.signals.Name != "" && !passes || !p.events && (q.event >= 0 || q.Info != nil)
}

// detects reports whether digits must be found in the sound of the side: it
// has no other way to send them, and somebody wants to know.
func (s *Side) detects(p *plan) bool {
	if p.events || s.dialled {
		return false
	}
	if p.Digits != nil || s.keys != nil {
		return true
	}
	if s.route.to == nil || s.route.gear != Decode {
		return false
	}
	q := s.route.to.plan.Load()
	return q.event >= 0 || q.Info != nil
}

// mapTypes fills r.types and reports whether nothing needs to be changed.
func (r *route) mapTypes(p, q *plan) (same bool) {
	same = true
	for pt := range r.types {
		r.types[pt] = dropType
		in := p.in(uint8(pt))
		if !in.known {
			continue
		}
		if f, ok := q.takes(in.format); ok {
			r.types[pt] = f.PT
			same = same && int(f.PT) == pt
		} else if pt == noiseType && in.noise {
			r.types[pt] = noiseType // it needs no agreement
		}
	}
	return same
}

// aim tells the peer of s in which format frames go to it.
func (s *Side) aim() {
	s.mu.Lock()
	b, speaks := s.route.to, s.current(s.plan.Load()).speech
	s.mu.Unlock()
	if b != nil {
		b.out.prepare(b.plan.Load(), speaks)
	}
	s.out.mu.Lock()
	lone := s.out.source == nil
	want := s.out.passing
	s.out.mu.Unlock()
	if lone {
		s.out.prepare(s.plan.Load(), want)
	}
}

// prepare chooses the encoding of frames to the side; want is preferred.
func (o *outlet) prepare(p *plan, want codec.Codec) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, c := p.encodes(want)
	o.plan, o.format = p, f
	if c != o.codec || o.encoder == nil {
		o.codec, o.encoder = c, c.NewEncoder()
		o.pending = o.pending[:0]
	}
}
