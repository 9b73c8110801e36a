package jitter

import (
	"time"

	"galilei/pbxd/media/codec"
)

// Steps of changing the delay, in units of the RTP clock.
const (
	tooMuch  = 15 * perMs  // above the target before the signal is shortened
	tooFew   = 1 * perMs   // below it before it is lengthened
	hopeless = 150 * perMs // above it: the time line has moved, not the network
	cut      = 10 * perMs  // of concealment where sound is left out
	frame    = codec.FrameMs * perMs
)

// Playout takes frames of linear samples from a Buffer: it decodes, conceals
// what is missing, and lengthens or shortens the signal by whole periods of
// the voice to change the delay.
type Playout struct {
	Buffer
	codec   codec.Codec
	rate    int
	decoder codec.Decoder
	conceal *codec.Concealment
	noise   *codec.NoiseGenerator
	quiet   bool // the sender has stopped speaking and sent comfort noise
	pending []int16
	pause   int   // frames until the delay may change again
	delay   int64 // at the last frame, units of the RTP clock
	changed Changes
}

// Changes count how often the delay was changed, and what was concealed.
type Changes struct {
	Shortened, Lengthened uint64
	ConcealedMs           uint64
}

// NewPlayout returns a Playout for c; seed is that of its comfort noise.
func NewPlayout(c codec.Codec, seed uint64) *Playout {
	p := &Playout{noise: codec.NewNoiseGenerator(seed)}
	p.SetCodec(c)
	return p
}

// SetCodec changes the encoding of what is put in from now on; what is held is
// forgotten. The same codec as before changes nothing.
func (p *Playout) SetCodec(c codec.Codec) {
	if c == p.codec {
		return
	}
	p.codec, p.rate, p.decoder = c, c.Rate(), c.NewDecoder()
	p.conceal = codec.NewConcealment(p.rate)
	p.pending = make([]int16, 0, 4*p.rate/50)
	p.Reset()
}

// Codec returns the encoding that is decoded.
func (p *Playout) Codec() codec.Codec { return p.codec }

// Rate returns the samples per second of the frames, 8000 or 16000.
func (p *Playout) Rate() int { return p.rate }

// Changes returns the counts so far.
func (p *Playout) Changes() Changes { return p.changed }

// Put is Buffer.Put and ends comfort noise.
func (p *Playout) Put(payload []byte, stamp uint32, marker bool, now time.Time) {
	p.quiet = false
	p.Buffer.Put(payload, stamp, marker, now)
}

// SetNoise takes in a payload of comfort noise (RFC 3389), which fills the time
// until speech comes again.
func (p *Playout) SetNoise(payload []byte) {
	p.noise.SetPayload(payload)
	p.quiet = true
}

// Held returns what has been decoded but not yet played, in units of the RTP
// clock.
func (p *Playout) Held() int { return len(p.pending) * 8000 / p.rate }

// Delay returns for how long the packet that travelled fastest waited to be
// played at the last frame.
func (p *Playout) Delay() time.Duration {
	return time.Duration(max(p.delay, 0)) * time.Millisecond / perMs
}

// Frame fills dst, 20 ms at Rate, with the next samples. It reports whether
// they come from the sender or stand in for what he sent: false is silence
// since he has sent nothing yet.
func (p *Playout) Frame(dst []int16, now time.Time) bool {
	if !p.Ready(now) {
		clear(dst)
		if p.quiet {
			p.noise.Fill(dst)
		}
		return p.quiet
	}
	p.fill(len(dst), now)
	p.adapt(now)
	p.delay = p.Buffer.delay(p.Held(), now)
	n := copy(dst, p.pending)
	clear(dst[n:])
	p.pending = p.pending[:copy(p.pending, p.pending[n:])]
	return true
}

// fill decodes until there are n samples.
func (p *Playout) fill(n int, now time.Time) {
	for len(p.pending) < n {
		if p.Empty() && !p.quiet && p.Excess(p.Held(), now) <= -frame/2 {
			p.stretch(frame) // wait for what is on its way
			continue
		}
		p.decode()
	}
}

// stretch puts sound of that many units in place of what has not come.
func (p *Playout) stretch(units int) {
	part := p.grow(units)
	p.changed.ConcealedMs += uint64(units) / perMs
	p.conceal.Lost(part)
}

// grow appends room for that many units and returns it.
func (p *Playout) grow(units int) []int16 {
	n := len(p.pending)
	p.pending = p.pending[:n+units*p.rate/8000]
	return p.pending[n:]
}

// decode takes the next frame out of the buffer.
func (p *Playout) decode() {
	for left := frame; left > 0; {
		octets, taken := p.Take(left)
		left -= taken
		switch {
		case octets != nil:
			n := len(p.pending)
			p.pending = p.decoder.Decode(p.pending, octets)
			p.conceal.Received(p.pending[n:])
		case p.quiet:
			part := p.grow(taken)
			p.noise.Fill(part)
			p.conceal.Received(part)
		default:
			p.stretch(taken)
		}
	}
}

// adapt brings the delay nearer to the target.
func (p *Playout) adapt(now time.Time) {
	if p.pause > 0 {
		p.pause--
		return
	}
	switch excess := p.Excess(p.Held(), now); {
	case excess > hopeless:
		p.skip(excess)
		p.stretch(cut)
		p.pause = 2
	case excess > tooMuch:
		for len(p.pending) < 2*p.rate/50 { // two frames, so that one remains
			if p.end-p.play < frame {
				return // not there yet
			}
			p.decode()
		}
		if n, ok := shorten(p.pending, p.rate); ok {
			p.pending = p.pending[:n]
			p.changed.Shortened++
			p.pause = 2
		}
	case excess < -tooFew:
		if n, ok := lengthen(p.pending, p.rate); ok {
			p.pending = p.pending[:n]
			p.changed.Lengthened++
			p.pause = 2
		}
	}
}
