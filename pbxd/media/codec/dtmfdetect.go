package codec

import "math"

// Digit is the start or the end of a digit in a signal.
type Digit struct {
	Key       byte    // one of Keys
	On        bool    // it starts; otherwise it ends
	At        int64   // sample of the signal, counted from 0, where it did so, within about 5 ms
	Low, High float64 // levels of the two frequencies, dBm0
}

// What a digit is. ITU-T Q.24 lists what administrations ask of a receiver;
// these values take in all of them and leave a margin where Q.24 has a range
// between what must and what must not be a digit.
const (
	dtmfLeastDBm0   = -29   // each frequency; must work at -25
	dtmfTwistMax    = 6.0   // dB by which the high frequency may be louder; must work at 4
	dtmfTwistMin    = -10.5 // and softer; must work at -8
	dtmfTolerance   = 0.016 // of the nominal frequency; must work at 0.015 and 2 Hz, must not at 0.035
	dtmfToleranceHz = 3.0   // on top
	dtmfPurity      = 0.74  // least part of the energy that the two frequencies have at the start
	dtmfPurityBest  = 0.94  // in the best of the hops that make a digit; noise 15 dB below leaves 0.97
	dtmfPurityMean  = 0.89  // in the mean of them, where the first and the last lie half on silence
	dtmfPurityMax   = 1.15  // most, where the estimate of a change goes wrong
	dtmfPurityHold  = 0.5   // and to go on
	dtmfOthers      = 0.25  // most power of another frequency of the same group, of the first's
	dtmfTwistChange = 4.0   // most change of the difference in level while a digit is found, dB
	dtmfPowerChange = 2.5   // and of the power, as a factor
	dtmfJitterHz    = 12.0  // most by which one hop's frequency may be away from the mean
	dtmfConfirm     = 6     // hops that must look like the digit, in a row; 40 ms have 8, 23 ms have 4
	dtmfRelease     = 7     // hops without it that end a digit; a pause of 40 ms has 10, one of 10 ms has 4
)

// The detector's steps in time, at 8 kHz.
const (
	dtmfBlock  = 8  // samples that are summed up before the window, 1 ms
	dtmfHop    = 4  // blocks from one decision to the next
	dtmfWindow = 24 // blocks under the window
	dtmfEdge   = 29 // samples by which a hop that passes is inside the digit's edges
)

// DTMFDetector finds digits in a signal (ITU-T Q.24).
//
// The signal passes a filter against dial tone and is then multiplied with the
// eight frequencies; a window of 24 ms moves over the products in hops of 4 ms.
// A hop looks like a digit when one frequency of each group has nearly all of
// the energy and their levels fit each other. Six such hops in a row make a
// digit when the phases of the two turned as slowly, on the average, as those
// of frequencies within the tolerance do.
type DTMFDetector struct {
	one   Milliwatt
	down  *Resampler // from 16 kHz; nil for 8 kHz
	low8k []int16    // output of down

	filter dialToneFilter
	mixer  toneMixer
	block  int   // samples in the current block
	blocks int64 // blocks finished
	hop    int   // blocks since the last decision

	least     float64             // square of the least peak
	gain      [8]float64          // of the filter at each frequency, as a power
	window    [dtmfWindow]float32 // Hann, of sum 1
	candidate dtmfCandidate
	digit     byte // that sounds; 0 for none
	lost      int  // hops since the digit was last seen
	lastSeen  int64
}

// dtmfCandidate is a digit that the last hops looked like.
type dtmfCandidate struct {
	key   byte // 0 for none
	hops  int
	since int64                 // sample of the first hop's centre
	last  [dtmfConfirm]dtmfLook // the last hops, that of number n at n%dtmfConfirm
}

// NewDTMFDetector returns a detector for a signal of rate samples a second,
// 8000 or 16000.
func NewDTMFDetector(rate int, one Milliwatt) *DTMFDetector {
	d := &DTMFDetector{one: one, filter: newDialToneFilter(), mixer: newToneMixer()}
	if rate == 16000 {
		d.down = NewDownsampler()
		d.low8k = make([]int16, 0, 8*FrameMs)
	}
	peak := one.Peak(dtmfLeastDBm0)
	d.least = peak * peak
	for k := range d.gain {
		g := d.filter.response(dtmfHz(k))
		d.gain[k] = g * g
	}
	for i := range d.window {
		d.window[i] = float32((1 - math.Cos(2*math.Pi*(float64(i)+0.5)/dtmfWindow)) / dtmfWindow)
	}
	return d
}

// dtmfHz returns the four rows' frequencies for 0 to 3, the columns' for 4 to 7.
func dtmfHz(k int) float64 {
	if k < 4 {
		return rowHz(k)
	}
	return columnHz(k - 4)
}

// Suspect reports whether a digit sounds or the last hop looked like one. A
// side that must not hear digits in the sound is given silence meanwhile.
func (d *DTMFDetector) Suspect() bool { return d.digit != 0 || d.candidate.key != 0 }

// Detect takes in samples and appends to dst the starts and ends of digits
// found in them. A digit is found about 35 ms after it started, its end 40 ms
// after it ended.
func (d *DTMFDetector) Detect(dst []Digit, samples []int16) []Digit {
	for len(samples) > 0 {
		part := samples
		if d.down != nil {
			part = samples[:min(len(samples), 16*FrameMs)] // as much as low8k holds
		}
		samples = samples[len(part):]
		if d.down != nil {
			d.low8k = d.down.Resample(d.low8k[:0], part)
			part = d.low8k
		}
		for _, s := range part {
			d.mixer.add(d.filter.next(float64(s)), d.block)
			if d.block++; d.block < dtmfBlock {
				continue
			}
			d.block = 0
			d.mixer.endBlock()
			d.blocks++
			if d.hop++; d.hop == dtmfHop {
				d.hop = 0
				dst = d.decide(dst)
			}
		}
	}
	return dst
}

// position returns the sample of the signal as the caller counts for a sample
// at 8 kHz.
func (d *DTMFDetector) position(at int64) int64 {
	at = max(at, 0)
	if d.down != nil {
		return 2 * at
	}
	return at
}

// decide looks at the window that ends with the last block.
func (d *DTMFDetector) decide(dst []Digit) []Digit {
	centre := (d.blocks - dtmfWindow/2) * dtmfBlock
	o := d.look()
	c := &d.candidate
	if o.key == 0 || o.key != c.key {
		c.key, c.hops, c.since = o.key, 0, centre
	}
	if o.key != 0 {
		c.last[c.hops%dtmfConfirm] = o
		c.hops++
	}
	if d.digit != 0 {
		if o.key == d.digit || o.key == 0 && o.resembles == d.digit {
			d.lost, d.lastSeen = 0, centre
			return dst
		}
		d.lost++
		if d.lost < dtmfRelease && c.hops < dtmfConfirm {
			return dst
		}
		dst = append(dst, Digit{Key: d.digit, At: d.position(d.lastSeen + dtmfEdge)})
		d.digit = 0
	}
	if c.hops >= dtmfConfirm && c.steady() {
		d.digit, d.lost, d.lastSeen = c.key, 0, centre
		var low, high float64
		for _, o := range c.last {
			low, high = max(low, o.low), max(high, o.high)
		}
		dst = append(dst, Digit{
			Key: c.key, On: true, At: d.position(c.since - dtmfEdge),
			Low: d.one.DBm0(math.Sqrt(low / 2)), High: d.one.DBm0(math.Sqrt(high / 2)),
		})
	}
	return dst
}

// steady reports whether the last hops are of one sound, as speech is not:
// hardly anything else sounds, the levels stay, and both frequencies are within
// the tolerance and stay.
func (c *dtmfCandidate) steady() bool {
	var turn [2]complex128
	first := c.last[0]
	best, mean, low, high, softest, loudest := 0.0, 0.0, first.twist, first.twist, first.low+first.high, 0.0
	oldest := c.hops % dtmfConfirm // its turn came from another sound, or from silence
	for i, o := range c.last {
		if i != oldest {
			turn[0] += o.turn[0]
			turn[1] += o.turn[1]
		}
		best, mean = max(best, o.pure), mean+o.pure/dtmfConfirm
		low, high = min(low, o.twist), max(high, o.twist)
		softest, loudest = min(softest, o.low+o.high), max(loudest, o.low+o.high)
	}
	if best < dtmfPurityBest || mean < dtmfPurityMean || high-low > dtmfTwistChange || loudest > softest*dtmfPowerChange {
		return false
	}
	k := keyNumber(c.key)
	for i, hz := range [2]float64{rowHz(k / 4), columnHz(k % 4)} {
		off := offsetHz(turn[i])
		if math.Abs(off) > hz*dtmfTolerance+dtmfToleranceHz {
			return false
		}
		for j, o := range c.last {
			if j != oldest && math.Abs(offsetHz(o.turn[i])-off) > dtmfJitterHz {
				return false
			}
		}
	}
	return true
}

// keyNumber returns the place of key in Keys.
func keyNumber(key byte) int {
	for i := range len(Keys) {
		if Keys[i] == key {
			return i
		}
	}
	return 0
}

// offsetHz returns how far a frequency is from the nominal one that turned by
// the angle of z in a hop. It is unambiguous up to 125 Hz.
func offsetHz(z complex128) float64 {
	const seconds = dtmfHop * dtmfBlock / 8000.0
	return math.Atan2(imag(z), real(z)) / (2 * math.Pi * seconds)
}
