package codec

import "math"

// dtmfLook is what one hop looks like.
type dtmfLook struct {
	key       byte          // 0 when it is no digit
	resembles byte          // the digit that goes on, when one does, at the weaker conditions
	low, high float64       // powers of the two frequencies
	twist     float64       // dB
	pure      float64       // part of the energy that they have
	turn      [2]complex128 // by how much the phases turned since the last hop, weighted with the power
}

// look measures the window that ends with the last block.
func (d *DTMFDetector) look() (o dtmfLook) {
	m := &d.mixer
	prev := m.spectrum
	total := m.measure(&d.window)
	if total*2 < d.least {
		return o // no frequency can be loud enough
	}
	var power [8]float64
	for k := range power {
		re, im := float64(m.spectrum[k][0]), float64(m.spectrum[k][1])
		power[k] = 4 * (re*re + im*im)
	}
	r, rowPure := strongest(power[:4])
	c, columnPure := strongest(power[4:])
	o.turn[0] = turn(m.spectrum[r], prev[r])
	o.turn[1] = turn(m.spectrum[4+c], prev[4+c])
	// The window and the filter weaken what is off the nominal frequency.
	lowTone := power[r] * hannLoss(offsetHz(o.turn[0]))
	highTone := power[4+c] * hannLoss(offsetHz(o.turn[1]))
	o.pure = (lowTone + highTone) / 2 / total
	o.low, o.high = lowTone/d.gain[r], highTone/d.gain[4+c]
	key := Keys[4*r+c]
	if d.digit == key && o.pure >= dtmfPurityHold && o.low >= d.least/2 && o.high >= d.least/2 {
		o.resembles = key
	}
	o.twist = 10 * math.Log10(o.high/o.low)
	if rowPure && columnPure && o.pure >= dtmfPurity && o.pure <= dtmfPurityMax && o.low >= d.least && o.high >= d.least &&
		o.twist <= dtmfTwistMax && o.twist >= dtmfTwistMin {
		o.key = key
	}
	return o
}

// strongest returns the largest of a group's powers, and whether the others
// are far below it.
func strongest(power []float64) (at int, alone bool) {
	for k, p := range power {
		if p > power[at] {
			at = k
		}
	}
	for k, p := range power {
		if k != at && p > power[at]*dtmfOthers {
			return at, false
		}
	}
	return at, true
}

func turn(now, before [2]float32) complex128 {
	return complex(float64(now[0]), float64(now[1])) * complex(float64(before[0]), -float64(before[1]))
}

// hannLoss returns by how much the window weakens the power of a sine that is
// hz off, at most 2.7; it is the inverse of the square of the window's transform,
// sinc(x)/(1-x*x) with x in periods of the window.
func hannLoss(hz float64) float64 {
	x := math.Abs(hz) * dtmfWindow * dtmfBlock / 8000
	if x < 1e-3 {
		return 1
	}
	x = min(x, 0.85)
	g := math.Sin(math.Pi*x) / (math.Pi * x) / (1 - x*x)
	return 1 / (g * g)
}
