package codec

import (
	"fmt"
	"math"
)

// Mix sums the frames of a conference, so that each member can be given all of
// them but its own. It takes up to 65536 frames.
type Mix struct {
	sum []int32
}

// NewMix returns an empty mix of frames of that many samples.
func NewMix(samples int) *Mix { return &Mix{sum: make([]int32, samples)} }

// Reset empties the mix for the next frame.
func (m *Mix) Reset() { clear(m.sum) }

// Add adds a frame. One that is too short is silent at its end; of one that is
// too long the end is left out.
func (m *Mix) Add(frame []int16) {
	sum := m.sum[:min(len(frame), len(m.sum))]
	for i := range sum {
		sum[i] += int32(frame[i])
	}
}

// Without appends to dst the sum of all frames but own, limited to 16 bits.
// Own must have been added before, or be nil for a listener who says nothing.
func (m *Mix) Without(dst, own []int16) []int16 {
	own = own[:min(len(own), len(m.sum))]
	for i, s := range own {
		dst = append(dst, int16(saturate(m.sum[i]-int32(s))))
	}
	for _, s := range m.sum[len(own):] {
		dst = append(dst, int16(saturate(s)))
	}
	return dst
}

// Gain is a factor for samples; the zero Gain mutes.
type Gain int32

const gainFraction = 12 // bits

// MaxGainDB is the largest gain.
const MaxGainDB = 48.0

// GainDB returns the gain of that many dB. The error says when dB is above
// MaxGainDB or not a number; minus infinity mutes.
func GainDB(dB float64) (Gain, error) {
	if math.IsNaN(dB) || dB > MaxGainDB {
		return 0, fmt.Errorf("gain of %g dB is above %g dB", dB, MaxGainDB)
	}
	return Gain(math.Round(math.Pow(10, dB/20) * (1 << gainFraction))), nil
}

// Apply multiplies samples in place and limits them to 16 bits.
func (g Gain) Apply(samples []int16) {
	for i, s := range samples {
		v := (int64(s)*int64(g) + 1<<(gainFraction-1)) >> gainFraction
		samples[i] = int16(min(max(v, math.MinInt16), math.MaxInt16))
	}
}
