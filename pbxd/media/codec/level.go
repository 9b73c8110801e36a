package codec

import (
	"math"
	"time"
)

// Milliwatt is the effective value (root mean square), in 16 bit units, of the
// tone that is 0 dBm0. It follows from the largest sine that a law of G.711
// takes: +3.14 dBm0 for A-law, +3.17 dBm0 for mu-law (clause 4 of G.711). The
// same samples sent by G.722 keep their value.
type Milliwatt float64

// The milliwatts of the two laws: 32768/sqrt(2) at 3.14 dB and 4*8159/sqrt(2)
// at 3.17 dB below.
const (
	ALawMilliwatt  Milliwatt = 16141.2
	MuLawMilliwatt Milliwatt = 16021.0
)

// Milliwatt returns the reference for samples that come from or go to c: that
// of its law, or A-law's where it has none.
func (c Codec) Milliwatt() Milliwatt {
	if c == PCMU {
		return MuLawMilliwatt
	}
	return ALawMilliwatt
}

// Peak returns the peak, in 16 bit units, of a sine of that level.
func (m Milliwatt) Peak(dBm0 float64) float64 {
	return float64(m) * math.Sqrt2 * math.Pow(10, dBm0/20)
}

// DBm0 returns the level of an effective value in 16 bit units, minus infinity
// for 0.
func (m Milliwatt) DBm0(rms float64) float64 { return 20 * math.Log10(rms/float64(m)) }

// Level returns the level of samples in dBm0, minus infinity for silence or
// none.
func (m Milliwatt) Level(samples []int16) float64 {
	if len(samples) == 0 {
		return math.Inf(-1)
	}
	return m.DBm0(math.Sqrt(float64(energy(samples)) / float64(len(samples))))
}

// energy returns the sum of the squares of samples. It takes 2^33 samples at
// full scale to overflow.
func energy(samples []int16) (e int64) {
	for _, s := range samples {
		e += int64(s) * int64(s)
	}
	return e
}

// Silence measures how long a signal has been silent.
type Silence struct {
	rate      int
	block     int   // samples that are judged together, 10 ms
	threshold int64 // energy of a block that is not silent
	n         int   // samples in the current block
	e         int64 // their energy
	quiet     int   // samples of silence before the current block
}

// NewSilence returns a measurement of a signal of rate samples a second, 8000
// or 16000, in which blocks of 10 ms below dBm0 are silent.
func NewSilence(rate int, m Milliwatt, dBm0 float64) *Silence {
	s := &Silence{rate: rate, block: rate / 100}
	rms := m.Peak(dBm0) / math.Sqrt2
	s.threshold = int64(rms * rms * float64(s.block))
	return s
}

// Write takes in samples and returns how long the signal has been silent at
// their end, in steps of 10 ms.
func (s *Silence) Write(samples []int16) time.Duration {
	for len(samples) > 0 {
		n := min(s.block-s.n, len(samples))
		s.e += energy(samples[:n])
		s.n += n
		samples = samples[n:]
		if s.n < s.block {
			break
		}
		s.quiet += s.block
		if s.e >= s.threshold {
			s.quiet = 0
		}
		s.n, s.e = 0, 0
	}
	return time.Duration(s.quiet) * time.Second / time.Duration(s.rate)
}
