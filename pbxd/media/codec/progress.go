package codec

import (
	"fmt"
	"math"
	"slices"
)

// ProgressDetector tells call progress tones apart by their frequencies and
// cadence, as an analogue line needs that dials by itself. Frequencies may be
// 12 Hz off, times 15 % and 16 ms.
type ProgressDetector struct {
	one   Milliwatt
	down  *Resampler // from 16 kHz; nil for 8 kHz
	low8k []int16    // output of down

	tones  []progressTone
	sets   [][]Sine    // the sines that sound together, each set once
	waves  []tonedWave // of each frequency in the sets
	window [progressWindow]float32
	ring   [progressWindow]float32 // the last samples
	at     int                     // place of the oldest in ring
	hop    int                     // samples since the last hop

	now   run
	past  [maxRuns]run // that ended before now, newest first
	heard int
}

// tonedWave measures one frequency.
type tonedWave struct {
	hz    float64
	wave  [progressWindow][2]float32 // cosine and sine under the window
	power float64                    // square of the peak at the last hop
}

// run is a time in which one set of frequencies sounded.
type run struct {
	set int // in sets, or quiet or other
	ms  int
}

// progressTone is a tone as its runs.
type progressTone struct {
	runs   []run // of a period; one of 0 ms for a tone without interruption
	needed int   // runs that must have fitted before the tone counts as heard
}

const (
	quiet = -1 // as the set of a run
	other = -2 // a sound of no set
)

const (
	progressWindow = 256  // samples, 32 ms
	progressHop    = 64   // samples, 8 ms
	progressDBm0   = -40  // below, there is silence
	progressPure   = 0.7  // least part of the energy that a set must have
	progressOver   = 1.5  // most: two frequencies beat
	progressUneven = 10   // most that powers of a set may differ by, as a factor
	progressSlack  = 16   // ms
	progressEdge   = 24   // ms, no longer than which there is only an edge between two sounds
	progressSteady = 1.3  // times the longest sound of its frequencies a tone without interruption must last
	progressShort  = 500  // ms, and this long
	progressLong   = 2000 // ms: one period of such a tone is enough, others take two
	maxProgress    = 16   // tones
	maxRuns        = 32   // two periods of eight bursts
)

// NewProgressDetector returns a detector of tones for a signal of rate samples
// a second, 8000 or 16000; it may have 1 to 16 of them, without regard to how
// often they repeat. Of tones that sound alike the first is the one heard. A
// tone without interruption is found the sooner the shorter the bursts of its
// frequencies in the others are, so before dialling it is best to listen for
// dial tone alone. The error wraps ErrTone.
func NewProgressDetector(rate int, one Milliwatt, tones ...Tone) (*ProgressDetector, error) {
	if len(tones) == 0 || len(tones) > maxProgress {
		return nil, fmt.Errorf("%w: %d tones to listen for, not 1 to %d", ErrTone, len(tones), maxProgress)
	}
	d := &ProgressDetector{one: one, now: run{set: quiet}, heard: -1}
	if rate == 16000 {
		d.down = NewDownsampler()
		d.low8k = make([]int16, 0, 8*FrameMs)
	}
	for i := range d.window {
		d.window[i] = float32((1 - math.Cos(2*math.Pi*(float64(i)+0.5)/progressWindow)) / progressWindow)
	}
	for i, t := range tones {
		if err := t.check(8000); err != nil {
			return nil, fmt.Errorf("tone %d to listen for: %w", i+1, err)
		}
		if len(t.Bursts) > maxRuns/4 {
			return nil, fmt.Errorf("%w: tone %d to listen for has %d bursts, more than %d", ErrTone, i+1, len(t.Bursts), maxRuns/4)
		}
		d.tones = append(d.tones, d.learn(t))
	}
	d.compare()
	for i := range d.past {
		d.past[i].set = other
	}
	return d, nil
}

// learn turns t into runs.
func (d *ProgressDetector) learn(t Tone) (p progressTone) {
	period := 0
	for _, b := range t.Bursts {
		set := d.setOf(b.Sines)
		if n := len(p.runs); n > 0 && p.runs[n-1].set == set {
			p.runs[n-1].ms += b.On // no gap between them
		} else {
			p.runs = append(p.runs, run{set, b.On})
		}
		if b.Off > 0 {
			p.runs = append(p.runs, run{quiet, b.Off})
		}
		period += b.On + b.Off
		if b.On == 0 {
			break // it lasts
		}
	}
	if n := len(p.runs); n == 1 || p.runs[n-1].ms == 0 {
		p.runs = []run{{set: p.runs[n-1].set}}
		return p
	}
	p.needed = len(p.runs)
	if period < progressLong {
		p.needed *= 2
	}
	return p
}

// compare makes sure that no tone is taken for another one that only begins
// like it: one without interruption must outlast the others' sounds, and a fast
// one must fit for as many runs as the others have.
func (d *ProgressDetector) compare() {
	runs := 0
	sound := make([]int, len(d.sets)) // longest of each set
	for _, p := range d.tones {
		runs = max(runs, len(p.runs))
		for _, r := range p.runs {
			if r.set >= 0 {
				sound[r.set] = max(sound[r.set], r.ms)
			}
		}
	}
	for i := range d.tones {
		p := &d.tones[i]
		switch n := len(p.runs); {
		case n == 1:
			p.runs[0].ms = max(int(float64(sound[p.runs[0].set])*progressSteady), progressShort)
		case p.needed > n:
			p.needed = max(p.needed, runs)
		}
	}
}

// setOf returns the number of the set with those frequencies.
func (d *ProgressDetector) setOf(sines []Sine) int {
	same := func(a, b Sine) bool { return a.Hz == b.Hz }
	for i, s := range d.sets {
		if slices.EqualFunc(s, sines, same) {
			return i
		}
	}
	for _, s := range sines {
		if d.waveOf(s.Hz) != nil {
			continue
		}
		w := tonedWave{hz: s.Hz}
		for i := range w.wave {
			sin, cos := math.Sincos(2 * math.Pi * s.Hz * float64(i) / 8000)
			w.wave[i] = [2]float32{float32(cos) * d.window[i], float32(sin) * d.window[i]}
		}
		d.waves = append(d.waves, w)
	}
	d.sets = append(d.sets, sines)
	return len(d.sets) - 1
}

func (d *ProgressDetector) waveOf(hz float64) *tonedWave {
	for i := range d.waves {
		if d.waves[i].hz == hz {
			return &d.waves[i]
		}
	}
	return nil
}

// Detect takes in samples and returns the number of the tone that is heard at
// their end, counted from 0 in the order of NewProgressDetector, or -1.
func (d *ProgressDetector) Detect(samples []int16) int {
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
			d.ring[d.at] = float32(s)
			d.at = (d.at + 1) % progressWindow
			if d.hop++; d.hop == progressHop {
				d.hop = 0
				d.step(d.classify())
			}
		}
	}
	return d.heard
}

// classify returns the set that sounds under the window.
func (d *ProgressDetector) classify() int {
	var total float32
	ordered := [progressWindow]float32{}
	n := copy(ordered[:], d.ring[d.at:])
	copy(ordered[n:], d.ring[:d.at])
	for i, s := range ordered {
		total += s * s * d.window[i]
	}
	if 10*math.Log10(float64(total))-20*math.Log10(float64(d.one)) < progressDBm0 {
		return quiet
	}
	for k := range d.waves {
		w := &d.waves[k]
		var re, im float32
		for i, s := range ordered {
			re += s * w.wave[i][0]
			im += s * w.wave[i][1]
		}
		w.power = 4 * float64(re*re+im*im)
	}
	best, at := progressPure, other
	for i, set := range d.sets {
		sum, low, high := 0.0, math.Inf(1), 0.0
		for _, s := range set {
			p := d.waveOf(s.Hz).power
			sum, low, high = sum+p, min(low, p), max(high, p)
		}
		if pure := sum / 2 / float64(total); pure > best && pure < progressOver && high < low*progressUneven {
			best, at = pure, i
		}
	}
	return at
}

// step takes in what the last hop was.
func (d *ProgressDetector) step(set int) {
	const ms = progressHop / 8
	if d.now.ms <= progressEdge && set != d.now.set {
		// It was what a window shows that lies half on a tone, half on silence.
		edge := d.now.ms
		d.now = d.past[0]
		d.now.ms += edge
		copy(d.past[:], d.past[1:])
		d.past[maxRuns-1] = run{set: other}
	}
	if set != d.now.set {
		copy(d.past[1:], d.past[:])
		d.past[0] = d.now
		d.now = run{set: set}
	}
	d.now.ms = min(d.now.ms+ms, math.MaxInt32)
	if d.now.ms > progressEdge {
		d.heard = slices.IndexFunc(d.tones, d.fits)
	}
}

// fits reports whether the last runs are those of p.
func (d *ProgressDetector) fits(p progressTone) bool {
	n := len(p.runs)
	if n == 1 {
		return d.now.set == p.runs[0].set && d.now.ms >= p.runs[0].ms
	}
	for turn, next := range p.runs {
		if d.now.set != next.set || d.now.ms > most(next.ms) {
			continue
		}
		ok := true
		for i := range p.needed {
			want, got := p.runs[((turn-1-i)%n+n)%n], d.past[i]
			ok = ok && got.set == want.set && got.ms <= most(want.ms) && got.ms >= want.ms*85/100-progressSlack
		}
		if ok {
			return true
		}
	}
	return false
}

// most returns the longest time that counts as ms.
func most(ms int) int { return ms*115/100 + progressSlack }
