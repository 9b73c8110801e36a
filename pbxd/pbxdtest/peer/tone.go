package peer

import "math"

// window is how many samples one measurement takes: 200 ms. It is short enough
// that a lost packet, which shifts the phase, spoils one window and not all.
const window = SampleRate / 5

// ToneShare returns how much of the energy of samples lies at freq Hz: 1 for a
// pure tone, about 0 for silence and for other tones.
func ToneShare(samples []int16, freq float64) float64 {
	var at, all float64
	for w := range windows(samples) {
		at += goertzel(w, freq)
		all += energy(w)
	}
	if all == 0 {
		return 0
	}
	return at / all
}

// DominantFrequency returns the frequency between 50 and 3900 Hz that holds
// most energy, to 1 Hz, or 0 for silence.
func DominantFrequency(samples []int16) float64 {
	best, most := 0.0, 0.0
	try := func(f float64) {
		sum, n := 0.0, 0
		for w := range windows(samples) {
			if n++; n > 25 { // 5 s tell enough
				break
			}
			sum += goertzel(w, f)
		}
		if sum > most {
			best, most = f, sum
		}
	}
	for f := 50.0; f <= 3900; f += 4 { // a window tells 5 Hz apart
		try(f)
	}
	if most == 0 {
		return 0
	}
	for centre, f := best, best-3; f <= centre+3; f++ {
		try(f)
	}
	return best
}

// Level returns the mean level of samples in dB relative to a full-scale sine,
// or -100 for silence.
func Level(samples []int16) float64 {
	if len(samples) == 0 {
		return -100
	}
	mean := energy(samples) / float64(len(samples))
	return max(-100, 10*math.Log10(mean*2/(math.MaxInt16*math.MaxInt16)))
}

// Sounding returns samples without the silence (below about -60 dB) at both
// ends, which is there while a call is set up and taken down.
func Sounding(samples []int16) []int16 {
	const quiet = 32
	loud := func(s int16) bool { return s > quiet || s < -quiet }
	for len(samples) > 0 && !loud(samples[0]) {
		samples = samples[1:]
	}
	for len(samples) > 0 && !loud(samples[len(samples)-1]) {
		samples = samples[:len(samples)-1]
	}
	return samples
}

// windows yields whole windows; what is left at the end is not measured,
// unless it is all there is.
func windows(samples []int16) func(yield func([]int16) bool) {
	return func(yield func([]int16) bool) {
		if len(samples) < window {
			yield(samples)
			return
		}
		for ; len(samples) >= window; samples = samples[window:] {
			if !yield(samples[:window]) {
				return
			}
		}
	}
}

// goertzel returns the energy of w at freq, scaled so that a pure tone gives
// energy(w).
func goertzel(w []int16, freq float64) float64 {
	omega := 2 * math.Pi * freq / SampleRate
	c := 2 * math.Cos(omega)
	var s1, s2 float64
	for _, x := range w {
		s1, s2 = float64(x)+c*s1-s2, s1
	}
	if len(w) == 0 {
		return 0
	}
	return 2 * (s1*s1 + s2*s2 - c*s1*s2) / float64(len(w))
}

func energy(w []int16) (sum float64) {
	for _, x := range w {
		sum += float64(x) * float64(x)
	}
	return sum
}
