package codec

import "math"

// toneMixer multiplies a signal with the eight frequencies and keeps sums of
// the products, by block.
type toneMixer struct {
	wave     [dtmfBlock][8][2]float32 // cosine and minus sine of a block
	step     [8]complex128            // turns phase by a block
	phase    [8]complex128            // of the current block's start
	sum      [8][2]float32            // of the current block
	energy   float32                  // of the current block
	ring     [dtmfWindow][8][2]float32
	energies [dtmfWindow]float32
	at       int           // place in the rings of the oldest block
	spectrum [8][2]float32 // half the peak and the phase of each frequency, by measure
}

func newToneMixer() (m toneMixer) {
	for k := range 8 {
		w := 2 * math.Pi * dtmfHz(k) / 8000
		for i := range m.wave {
			sin, cos := math.Sincos(w * float64(i))
			m.wave[i][k] = [2]float32{float32(cos), float32(-sin)}
		}
		sin, cos := math.Sincos(-w * dtmfBlock)
		m.step[k], m.phase[k] = complex(cos, sin), 1
	}
	return m
}

// add takes in sample i of the current block.
func (m *toneMixer) add(s float32, i int) {
	m.energy += s * s
	for k := range m.sum {
		w := &m.wave[i][k]
		m.sum[k][0] += s * w[0]
		m.sum[k][1] += s * w[1]
	}
}

// endBlock puts the current block into the rings.
func (m *toneMixer) endBlock() {
	for k := range m.sum {
		z := complex(float64(m.sum[k][0]), float64(m.sum[k][1])) * m.phase[k]
		m.ring[m.at][k] = [2]float32{float32(real(z)), float32(imag(z))}
		m.phase[k] *= m.step[k]
	}
	m.energies[m.at] = m.energy
	m.at = (m.at + 1) % dtmfWindow
	m.sum, m.energy = [8][2]float32{}, 0
	if m.at == 0 { // rounding errors would change the length in the long run
		for k, p := range m.phase {
			m.phase[k] = p / complex(math.Hypot(real(p), imag(p)), 0)
		}
	}
}

// measure computes spectrum under the window, whose sum is 1, and returns the
// mean of the squared samples.
func (m *toneMixer) measure(window *[dtmfWindow]float32) float64 {
	m.spectrum = [8][2]float32{}
	var total float32
	at := m.at
	for _, w := range window {
		w /= dtmfBlock
		total += w * m.energies[at]
		for k := range m.spectrum {
			m.spectrum[k][0] += w * m.ring[at][k][0]
			m.spectrum[k][1] += w * m.ring[at][k][1]
		}
		if at++; at == dtmfWindow {
			at = 0
		}
	}
	return float64(total)
}

// dialToneFilter weakens 345 to 455 Hz, where dial tones are, by 25 dB and more,
// and changes nothing from 684 to 1660 Hz by more than 1 dB: two sections, each
// with a notch and a pole pair on the far side of it, and one against an offset
// from zero. The values come from a search for the deepest notches that keep to
// this ripple. What is below and between passes, because it tells speech from
// digits.
type dialToneFilter struct {
	sections [2]section
	gain     float64 // makes it 1 at 1200 Hz
	offset   float64 // mean of the input, slowly followed
}

// section is a filter with two zeros on the unit circle and two poles.
type section struct {
	zero         float64    // twice the cosine of the zeros' angle
	pole, square float64    // twice the cosine of the poles' angle by their radius, and its square
	x, y         [2]float64 // last two inputs and outputs
}

func newDialToneFilter() (f dialToneFilter) {
	for i, p := range [2]struct{ notch, pole, radius float64 }{{360.0, 260.6, 0.9422}, {438.7, 554.4, 0.9272}} {
		f.sections[i] = section{
			zero:   2 * math.Cos(2*math.Pi*p.notch/8000),
			pole:   2 * math.Cos(2*math.Pi*p.pole/8000) * p.radius,
			square: p.radius * p.radius,
		}
	}
	f.gain = 1
	f.gain = 1 / f.response(1200)
	return f
}

// next filters one sample.
func (f *dialToneFilter) next(v float64) float32 {
	f.offset += (v - f.offset) / 64
	v = (v - f.offset) * f.gain
	for i := range f.sections {
		s := &f.sections[i]
		y := v - s.zero*s.x[0] + s.x[1] + s.pole*s.y[0] - s.square*s.y[1]
		s.x[0], s.x[1] = v, s.x[0]
		s.y[0], s.y[1] = y, s.y[0]
		v = y
	}
	return float32(v)
}

// response returns the filter's gain at hz, far above 0.
func (f *dialToneFilter) response(hz float64) float64 {
	sin, cos := math.Sincos(-2 * math.Pi * hz / 8000)
	z := complex(cos, sin)
	h := complex(f.gain, 0)
	for _, s := range f.sections {
		h *= (1 - complex(s.zero, 0)*z + z*z) / (1 - complex(s.pole, 0)*z + complex(s.square, 0)*z*z)
	}
	return math.Hypot(real(h), imag(h))
}
