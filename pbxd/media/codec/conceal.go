package codec

import "math"

// Concealment hides lost packets of G.711 by the method of ITU-T G.711
// Appendix I: the last pitch periods before the gap are repeated, from 10 ms on
// more of them and ever softer, and after 60 ms there is silence. The ends are
// blended with what was received. The signal is delayed by 3.75 ms, so that the
// start can be blended, too.
//
// It works on samples of 8 kHz and, with all its times kept, of 16 kHz: after
// the decoder of G.722 it is simpler than Appendices III and IV of G.722, which
// repair the decoder's state as well.
type Concealment struct {
	scale   int       // samples of a sample at 8 kHz, 1 or 2
	history []float32 // the signal without delay, oldest first
	pitchy  []float32 // copy of history at the start of the gap, its end made to repeat smoothly
	quarter []float32 // the end of the history as it was received, one quarter of the pitch period
	tail    []float32 // what would have followed, to be blended
	chunk   []float32 // the samples at work, at most 10 ms

	lost    int // samples of the gap so far; 0 when there is none
	pitch   int // samples of a pitch period
	periods int // that are repeated, 1 to 3
	offset  int // in them
}

// Sizes in samples at 8 kHz (clause I.2).
const (
	concealStep     = 80              // 10 ms
	concealMinPitch = 40              // 200 Hz
	concealMaxPitch = 120             // 66 Hz
	concealDelay    = 30              // a quarter of the longest period
	concealHistory  = 3*120 + 30      // three of the longest periods and the delay
	concealWindow   = 160             // of the correlation, 20 ms
	concealEnd      = 6 * concealStep // of the gap that is filled with sound
	concealBlend    = 32              // more samples are blended at the end for each 10 ms of gap
	concealFade     = 0.2             // of the level are lost in 10 ms, after the first
	concealSilent   = 3               // least mean power for the pitch to matter
)

// NewConcealment returns one for a signal of rate samples a second, 8000 or
// 16000.
func NewConcealment(rate int) *Concealment {
	s := max(rate/8000, 1)
	return &Concealment{
		scale:   s,
		history: make([]float32, concealHistory*s), pitchy: make([]float32, concealHistory*s),
		quarter: make([]float32, concealDelay*s), tail: make([]float32, concealStep*s), chunk: make([]float32, concealStep*s),
	}
}

// Received takes in the samples of a packet that arrived and replaces them by
// the signal, 3.75 ms late.
func (c *Concealment) Received(samples []int16) {
	for len(samples) > 0 {
		part := c.chunk[:min(len(samples), len(c.chunk))]
		for i := range part {
			part[i] = float32(samples[i])
		}
		if c.lost > 0 {
			c.resume(part)
		}
		c.put(part, samples)
		samples = samples[len(part):]
	}
}

// Lost replaces samples, of which only the number counts, by the signal in
// place of a packet that did not arrive in time. Numbers that are multiples of
// 10 ms give the best sound.
func (c *Concealment) Lost(samples []int16) {
	step := concealStep * c.scale
	for len(samples) > 0 {
		part := c.chunk[:min(len(samples), step-c.lost%step)]
		switch c.lost {
		case 0:
			c.begin()
			c.repeat(part)
		case step, 2 * step:
			c.widen(part)
		default:
			c.repeat(part)
		}
		c.fade(part)
		if c.lost < concealEnd*c.scale { // beyond, only the silence lasts
			c.lost += len(part)
		}
		c.put(part, samples)
		samples = samples[len(part):]
	}
}

// put adds part to the history and writes what is now due to dst.
func (c *Concealment) put(part []float32, dst []int16) {
	n := len(c.history)
	copy(c.history, c.history[len(part):])
	copy(c.history[n-len(part):], part)
	due := c.history[n-len(part)-concealDelay*c.scale:]
	for i := range part {
		dst[i] = int16(math.RoundToEven(float64(min(max(due[i], math.MinInt16), math.MaxInt16))))
	}
}

// begin finds the pitch of the history and makes its last period repeat.
func (c *Concealment) begin() {
	copy(c.pitchy, c.history)
	c.pitch = c.findPitch()
	c.periods, c.offset = 1, 0
	copy(c.quarter, c.pitchy[len(c.pitchy)-c.pitch/4:])
	c.joinEnds()
	// What has not been put out yet already leads into the repetition.
	copy(c.history[len(c.history)-c.pitch/4:], c.pitchy[len(c.pitchy)-c.pitch/4:])
}

// joinEnds blends the end of the last periods with what came before their
// start, so that the start can follow the end.
func (c *Concealment) joinEnds() {
	n, q := len(c.pitchy), c.pitch/4
	blend(c.pitchy[n-q:], c.quarter[:q], c.pitchy[n-c.periods*c.pitch-q:])
}

// widen is the step at 10 and 20 ms: one period more is repeated, because few
// sound like a buzzer.
func (c *Concealment) widen(part []float32) {
	old := c.tail[:min(c.pitch/4, len(part))]
	at := c.offset
	c.repeat(old)
	c.offset = at % c.pitch
	c.periods++
	c.joinEnds()
	c.repeat(part)
	blend(part[:len(old)], old, part)
}

// repeat fills part with the next samples of the repeated periods.
func (c *Concealment) repeat(part []float32) {
	length := c.periods * c.pitch
	period := c.pitchy[len(c.pitchy)-length:]
	for i := range part {
		if c.offset >= length {
			c.offset = 0
		}
		part[i] = period[c.offset]
		c.offset++
	}
}

// level returns the factor for a sample that far into the gap.
func (c *Concealment) level(lost int) float32 {
	step := concealStep * c.scale
	if lost >= concealEnd*c.scale {
		return 0
	}
	return 1 - concealFade*max(float32(lost-step)/float32(step), 0)
}

// fade makes part, which comes next in the gap, softer.
func (c *Concealment) fade(part []float32) {
	for i := range part {
		part[i] *= c.level(c.lost + i)
	}
}

// resume blends part, the first samples after the gap, with what would have
// filled it.
func (c *Concealment) resume(part []float32) {
	overlap := c.pitch/4 + (c.lost-1)/(concealStep*c.scale)*concealBlend*c.scale
	tail := c.tail[:min(overlap, len(part))]
	c.repeat(tail)
	level := c.level(c.lost)
	for i := range tail {
		w := float32(i+1) / float32(len(tail)+1)
		part[i] = part[i]*w + tail[i]*level*(1-w)
	}
	c.lost = 0
}

// blend writes to dst the change from a to b over len(dst) samples.
func blend(dst, a, b []float32) {
	for i := range dst {
		w := float32(i+1) / float32(len(dst)+1)
		dst[i] = a[i]*(1-w) + b[i]*w
	}
}

// findPitch returns the period at which the end of the history repeats best
// (clause I.2.3): first for every second lag and sample, then exactly.
func (c *Concealment) findPitch() int {
	low, high, coarse := concealMinPitch*c.scale, concealMaxPitch*c.scale, 2*c.scale
	best, at := float32(math.Inf(-1)), low
	for lag := low; lag <= high; lag += coarse {
		if r := c.correlation(lag, coarse); r > best {
			best, at = r, lag
		}
	}
	best = float32(math.Inf(-1))
	exact := at
	for lag := max(at-coarse+1, low); lag < min(at+coarse, high+1); lag++ {
		if r := c.correlation(lag, 1); r > best {
			best, exact = r, lag
		}
	}
	return exact
}

// correlation returns how alike the end of the history is to what was lag
// samples before, using every step-th sample.
func (c *Concealment) correlation(lag, step int) float32 {
	n, window := len(c.history), concealWindow*c.scale
	now, before := c.history[n-window:], c.history[n-window-lag:]
	var product, power float32
	for i := 0; i < window; i += step {
		product += now[i] * before[i]
		power += before[i] * before[i]
	}
	return product / float32(math.Sqrt(float64(max(power, concealSilent*float32(window/step)))))
}
