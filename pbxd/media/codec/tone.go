package codec

import (
	"errors"
	"fmt"
	"math"

	"galilei/pbxd/pbx"
)

// Tone is a signal made of sines with a cadence, as ITU-T E.180 describes call
// progress tones and Q.23 digits.
type Tone struct {
	Bursts         []Burst // played one after the other, then again from the first
	Repeat         int     // how often the bursts are played; 0 for ever
	ThenContinuous bool    // after the last repetition the first burst's sines go on for ever
}

// Burst is a sound and the silence after it.
type Burst struct {
	Sines   []Sine // sound together, 1 to MaxSines
	On, Off int    // ms; On 0 for ever
}

// Sine is one frequency of a burst.
type Sine struct{ Hz, DBm0 float64 }

// Limits of a Tone. They hold for the profiles and for dialling 64 digits.
const (
	MaxSines  = 4
	MaxBursts = 64
)

// ErrTone says that a Tone cannot be played.
var ErrTone = errors.New("tone cannot be played")

// defaultToneDBm0 is the level of a whole tone for which the profile says none
// (ITU-T E.180 clause 4).
const defaultToneDBm0 = -10

// FromProfile returns a tone of a country profile. One that is not known has
// no bursts.
func FromProfile(t pbx.Tone) Tone {
	tone := Tone{Repeat: t.Repeat, ThenContinuous: t.ThenContinuous}
	for _, b := range t.Bursts {
		burst := Burst{On: b.On, Off: b.Off}
		for _, f := range b.Frequencies {
			level := float64(t.LevelDBm0)
			if t.LevelDBm0 == 0 {
				level = defaultToneDBm0 - 10*math.Log10(float64(len(b.Frequencies)))
			}
			burst.Sines = append(burst.Sines, Sine{float64(f), level})
		}
		tone.Bursts = append(tone.Bursts, burst)
	}
	return tone
}

// check returns why t cannot be played at rate, wrapping ErrTone, or nil.
func (t *Tone) check(rate int) error {
	if len(t.Bursts) == 0 || len(t.Bursts) > MaxBursts {
		return fmt.Errorf("%w: %d bursts, not 1 to %d", ErrTone, len(t.Bursts), MaxBursts)
	}
	if t.Repeat < 0 {
		return fmt.Errorf("%w: %d repetitions", ErrTone, t.Repeat)
	}
	const hour = 3600 * 1000 // ms; keeps sample counts far from overflow
	for i, b := range t.Bursts {
		if len(b.Sines) == 0 || len(b.Sines) > MaxSines {
			return fmt.Errorf("%w: burst %d has %d frequencies, not 1 to %d", ErrTone, i+1, len(b.Sines), MaxSines)
		}
		if b.On < 0 || b.Off < 0 || b.On > hour || b.Off > hour {
			return fmt.Errorf("%w: burst %d is on for %d ms and off for %d ms", ErrTone, i+1, b.On, b.Off)
		}
		for _, s := range b.Sines {
			if !(s.Hz > 0 && s.Hz < float64(rate)/2 && s.DBm0 <= 10) {
				return fmt.Errorf("%w: burst %d has %g Hz at %g dBm0 with %d samples a second", ErrTone, i+1, s.Hz, s.DBm0, rate)
			}
		}
	}
	return nil
}

// Generator plays a Tone.
type Generator struct {
	tone    Tone
	rate    int
	one     Milliwatt
	burst   int // the one that plays; len(tone.Bursts) when the tone has ended
	round   int // times that all bursts have been played
	on, off int // samples left of the burst; on -1 for ever
	n       int // oscillators in use
	osc     [MaxSines]oscillator
}

// oscillator is a vector that turns by a constant angle a sample; its height
// is the sine.
type oscillator struct {
	re, im         float64 // the vector, of length peak
	turnRe, turnIm float64
	peak           float64
}

// NewGenerator returns a player of t from its start, at rate samples a second,
// 8000 or 16000. It keeps t's bursts, which the caller no longer changes. The
// error wraps ErrTone.
func NewGenerator(t Tone, rate int, one Milliwatt) (*Generator, error) {
	if err := t.check(rate); err != nil {
		return nil, err
	}
	g := &Generator{tone: t, rate: rate, one: one}
	g.start(&t.Bursts[0], false)
	return g, nil
}

// Fill writes the next samples of the tone to dst. It returns how many there
// are: less than len(dst) when the tone has ended, and the rest is silent.
func (g *Generator) Fill(dst []int16) int {
	n := 0
	for n < len(dst) {
		switch {
		case g.on != 0:
			m := len(dst) - n
			if g.on > 0 {
				m = min(m, g.on)
				g.on -= m
			}
			g.sound(dst[n : n+m])
			n += m
		case g.off > 0:
			m := min(len(dst)-n, g.off)
			g.off -= m
			clear(dst[n : n+m])
			n += m
		case !g.next():
			clear(dst[n:])
			return n
		}
	}
	return n
}

// next goes on to the next burst and reports whether there is one.
func (g *Generator) next() bool {
	if g.burst == len(g.tone.Bursts) {
		return false
	}
	gap := g.tone.Bursts[g.burst].Off > 0
	g.burst++
	if g.burst < len(g.tone.Bursts) {
		g.start(&g.tone.Bursts[g.burst], !gap)
		return true
	}
	g.round++
	if g.tone.Repeat == 0 || g.round < g.tone.Repeat {
		g.burst = 0
		g.start(&g.tone.Bursts[0], !gap)
		return true
	}
	if g.tone.ThenContinuous {
		g.start(&g.tone.Bursts[0], !gap)
		g.on, g.off = -1, 0
		return true
	}
	return false
}

// start sets the oscillators for b. Where no silence is between two bursts the
// phases carry on, so that the change makes no click.
func (g *Generator) start(b *Burst, carryOn bool) {
	g.on, g.off = b.On*g.rate/1000, b.Off*g.rate/1000
	if b.On == 0 {
		g.on = -1
	}
	for i, s := range b.Sines {
		o := &g.osc[i]
		re, im := 1.0, 0.0
		if carryOn && i < g.n && o.peak > 0 {
			re, im = o.re/o.peak, o.im/o.peak
		}
		sin, cos := math.Sincos(2 * math.Pi * s.Hz / float64(g.rate))
		peak := g.one.Peak(s.DBm0)
		*o = oscillator{re: re * peak, im: im * peak, turnRe: cos, turnIm: sin, peak: peak}
	}
	g.n = len(b.Sines)
}

// sound fills dst with the sum of the oscillators, limited to 16 bits.
func (g *Generator) sound(dst []int16) {
	osc := g.osc[:g.n]
	for i := range dst {
		v := 0.5 // rounds
		for j := range osc {
			o := &osc[j]
			v += o.im
			o.re, o.im = o.re*o.turnRe-o.im*o.turnIm, o.re*o.turnIm+o.im*o.turnRe
		}
		dst[i] = int16(math.Floor(min(max(v, math.MinInt16), math.MaxInt16)))
	}
	for j := range osc { // rounding errors would change the level in the long run
		o := &osc[j]
		if length := math.Hypot(o.re, o.im); length > 0 {
			o.re, o.im = o.re*o.peak/length, o.im*o.peak/length
		}
	}
}
