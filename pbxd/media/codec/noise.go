package codec

import "math"

// Comfort noise (RFC 3389) describes the background of a speech pause by its
// level and the reflection coefficients of an all-pole model.

const (
	// MaxNoiseOrder is the most coefficients that are used; a payload may
	// have more, which only shape finer detail (RFC 3389 section 3).
	MaxNoiseOrder = 12

	noiseOverload = 8031 * 4 // 0 dBov in 16 bits: a square wave at the end of mu-law (section 3.1)
	noiseQuantum  = 258.0 / 32768
	noiseZero     = 127 // the code of the coefficient 0
	noiseLargest  = 254 // the largest code; 255 is reserved and would make the filter unstable
)

// NoiseMeter measures the background noise of a signal for comfort noise
// payloads.
type NoiseMeter struct {
	order int
	past  [MaxNoiseOrder]float64     // last samples, newest first
	r     [MaxNoiseOrder + 1]float64 // autocorrelation since the last payload
	n     int                        // samples in r
}

// NewNoiseMeter returns a meter whose payloads have that many coefficients, 0
// to MaxNoiseOrder; beyond either end it takes the end. RFC 3389 leaves the
// choice; 10 shape the spectrum of 8 kHz well, 0 makes payloads of one byte.
func NewNoiseMeter(order int) *NoiseMeter {
	return &NoiseMeter{order: min(max(order, 0), MaxNoiseOrder)}
}

// Write takes in samples of a pause.
func (m *NoiseMeter) Write(samples []int16) {
	for _, s := range samples {
		v := float64(s)
		m.r[0] += v * v
		for k := range m.order {
			m.r[k+1] += v * m.past[k]
		}
		copy(m.past[1:], m.past[:])
		m.past[0] = v
	}
	m.n += len(samples)
}

// Payload appends the payload for what was written since the last one. Nothing
// written is silence.
func (m *NoiseMeter) Payload(dst []byte) []byte {
	level := 127.0
	if m.r[0] > 0 {
		level = -20 * math.Log10(math.Sqrt(m.r[0]/float64(m.n))/noiseOverload)
	}
	dst = append(dst, byte(math.Round(min(max(level, 0), 127))))
	k := m.reflections()
	for _, k := range k[:m.order] {
		dst = append(dst, byte(math.Round(min(max(k/noiseQuantum+noiseZero, 0), noiseLargest))))
	}
	m.r, m.n = [MaxNoiseOrder + 1]float64{}, 0
	return dst
}

// reflections solves for the model by the recursion of Levinson and Durbin. The
// first coefficient is minus the correlation of neighbouring samples.
func (m *NoiseMeter) reflections() (k [MaxNoiseOrder]float64) {
	r := m.r
	r[0] *= 1.0001 // so that a pure tone has a model, too
	left := r[0]
	var a, next [MaxNoiseOrder + 1]float64
	for i := range m.order {
		if left <= 0 {
			break
		}
		sum := r[i+1]
		for j := 1; j <= i; j++ {
			sum += a[j] * r[i+1-j]
		}
		k[i] = -sum / left
		next = a
		for j := 1; j <= i; j++ {
			next[j] = a[j] + k[i]*a[i+1-j]
		}
		next[i+1] = k[i]
		a = next
		left *= 1 - k[i]*k[i]
	}
	return k
}

// NoiseGenerator makes comfort noise. Until the first payload it is silent.
type NoiseGenerator struct {
	k      [MaxNoiseOrder]float64
	back   [MaxNoiseOrder + 1]float64 // state of the lattice filter
	shape  float64                    // level before the filter for one of 1 after it
	level  float64                    // effective value, 16 bits
	target float64                    // that the last payload asks for
	random uint64
}

// NewNoiseGenerator returns a generator; seed makes its noise differ from that
// of others.
func NewNoiseGenerator(seed uint64) *NoiseGenerator {
	return &NoiseGenerator{random: seed | 1}
}

// SetPayload takes in a payload. Any bytes have a meaning: of an empty payload
// nothing changes, and the reserved code counts as the largest coefficient.
func (g *NoiseGenerator) SetPayload(payload []byte) {
	if len(payload) == 0 {
		return
	}
	dBov := -float64(payload[0] & 0x7f)
	first := g.target == 0
	g.target = noiseOverload * math.Pow(10, dBov/20)
	if first {
		g.level = g.target
	}
	var k [MaxNoiseOrder]float64
	g.shape = 1
	for i, c := range payload[1:min(len(payload), MaxNoiseOrder+1)] {
		k[i] = float64(int(min(c, noiseLargest))-noiseZero) * noiseQuantum
		g.shape *= math.Sqrt(1 - k[i]*k[i]) // the filter adds this at its resonances
	}
	if k != g.k {
		g.k = k
		g.back = [MaxNoiseOrder + 1]float64{} // it might resonate in the new filter
	}
}

// Fill writes the next samples of the noise to dst.
func (g *NoiseGenerator) Fill(dst []int16) {
	order := MaxNoiseOrder
	for order > 0 && g.k[order-1] == 0 {
		order--
	}
	for n := range dst {
		g.level += (g.target - g.level) / 256 // a new level comes in over some 30 ms
		f := g.level * g.shape * g.noise()
		for i := order - 1; i >= 0; i-- {
			f -= g.k[i] * g.back[i]
			g.back[i+1] = g.back[i] + g.k[i]*f
		}
		g.back[0] = f
		dst[n] = int16(math.Round(min(max(f, math.MinInt16), math.MaxInt16)))
	}
}

// noise returns a random value of variance 1 that is nearly normal: the sum of
// four uniform ones.
func (g *NoiseGenerator) noise() float64 {
	g.random ^= g.random << 13
	g.random ^= g.random >> 7
	g.random ^= g.random << 17
	r := g.random
	sum := int64(r&0xffff) + int64(r>>16&0xffff) + int64(r>>32&0xffff) + int64(r>>48)
	const mean, deviation = 2 * 65535, 65536 / 1.7320508075688772 // sqrt(4/12) of the range
	return float64(sum-mean) / deviation
}
