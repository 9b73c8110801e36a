package engine

import (
	"fmt"
	"time"

	"galilei/pbxd/media/codec"
	"galilei/pbxd/pbx"
)

// Source makes sound. ReadFrame is called from the goroutine of the engine
// every 20 ms and must not block.
type Source interface {
	// Rate returns the samples per second, 8000 or 16000.
	Rate() int
	// ReadFrame fills dst with the next 20 ms and reports whether there is
	// any; false ends the source.
	ReadFrame(dst []int16) bool
}

// Sink takes sound, at 8000 or 16000 samples per second. WriteFrame is called
// from the goroutine of the engine every 20 ms and must neither block nor keep
// frame.
type Sink interface {
	WriteFrame(frame []int16, rate int)
}

// Silence is a source without sound, which never ends.
type Silence struct{}

// Rate returns 8000.
func (Silence) Rate() int { return 8000 }

// ReadFrame clears dst.
func (Silence) ReadFrame(dst []int16) bool {
	clear(dst)
	return true
}

// tone is a source that plays a tone of a country profile.
type tone struct{ g *codec.Generator }

// NewTone returns a source that plays a tone of a country profile. It ends
// when the tone does. The error wraps codec.ErrTone, also for a tone that the
// profile does not know.
func NewTone(t pbx.Tone) (Source, error) {
	g, err := codec.NewGenerator(codec.FromProfile(t), 8000, codec.ALawMilliwatt)
	if err != nil {
		return nil, fmt.Errorf("play tone of %d bursts: %w", len(t.Bursts), err)
	}
	return &tone{g}, nil
}

func (*tone) Rate() int { return 8000 }

func (t *tone) ReadFrame(dst []int16) bool { return t.g.Fill(dst) > 0 }

// say makes the frame that is sent to the side now. scratch is the engine's.
func (s *Side) say(now time.Time, scratch *[4][maxFrame]int16) {
	o := &s.out
	o.mu.Lock()
	from, play, turn := o.source, o.play, o.turn
	started := o.origin.frames
	active := play != nil || from != nil && Gear(from.gear.Load()) == Decode || o.signals.any()
	o.mu.Unlock()
	if !active {
		return
	}
	frame, rate, mute := scratch[0][:], 0, false
	n := 0
	if play != nil {
		rate = play.Rate()
		n = rate / 50
		if n > maxFrame || !play.ReadFrame(frame[:n]) {
			s.ended(turn)
			rate = 0
		}
	} else if from != nil {
		n, rate, mute = from.said(frame)
	}
	if rate == 0 && play == nil && !started && o.quiet() {
		return // he has not begun to speak, perhaps in a format that passes
	}
	if rate == 0 {
		n, rate = 160, 8000
		clear(frame[:n])
	}
	if p := s.plan.Load(); p.Direction.Receives() {
		if mute && (p.event >= 0 || p.Info != nil) {
			clear(frame[:n])
		}
		o.send(frame[:n], rate, now)
		o.tell(p)
	}
}

// quiet reports whether no digit is to be sent.
func (o *outlet) quiet() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.signals.any()
}

// ended goes back to the peer after what was played in that turn, unless something else is played by
// now.
func (s *Side) ended(turn uint64) {
	e := s.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	s.out.mu.Lock()
	same := s.out.turn == turn
	if same {
		s.out.play = nil
	}
	s.out.mu.Unlock()
	if same {
		e.choose(s)
	}
}

// send encodes a frame and sends what makes whole packets, or a digit in its
// place.
func (o *outlet) send(frame []int16, rate int, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.encoder == nil || o.closed || o.plan == nil {
		return
	}
	if !o.origin.frames {
		o.origin = origin{frames: true}
		o.next, o.marker, o.own = o.later(8000, now), true, true
		o.pending = o.pending[:0]
	}
	if o.signal() {
		o.next += uint32(len(o.pending)) + frameUnits
		o.pending, o.marker = o.pending[:0], true
		return
	}
	if o.signals.generator != nil {
		frame, rate = frame[:160], 8000
		o.signals.generator.Fill(frame)
	}
	o.pending = o.encoder.Encode(o.pending, o.resample(frame, rate))
	for n := o.plan.octets; len(o.pending) >= n; {
		copy(o.buf[12:], o.pending[:n])
		o.stamp, o.at, o.clock = o.next, now, 8000
		o.emit(n, o.format.PT, o.marker, o.next)
		o.next += uint32(n)
		o.marker = false
		o.pending = o.pending[:copy(o.pending, o.pending[n:])]
	}
}

// frameUnits is a frame in units of the RTP clock, and in octets.
const frameUnits = codec.FrameMs * codec.BytesPerMs

// resample returns frame at the rate of the encoder. The caller holds mu.
func (o *outlet) resample(frame []int16, rate int) []int16 {
	switch want := o.encoder.Rate(); {
	case want == rate:
		return frame
	case want > rate:
		if o.up == nil {
			o.up = codec.NewUpsampler()
		}
		o.linear = o.up.Resample(o.linear[:0], frame)
	default:
		if o.down == nil {
			o.down = codec.NewDownsampler()
		}
		o.linear = o.down.Resample(o.linear[:0], frame)
	}
	return o.linear
}
