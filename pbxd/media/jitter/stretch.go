package jitter

import "math"

// Lags are periods of the voice, 2.5 to 10 ms, as WSOLA takes them (Verhelst
// and Roelands, 1993).
const (
	minLag = 400 // a second
	maxLag = 100
	alike  = 0.6 // correlation from which a cut is not heard
	hushed = 150 // mean amplitude below which any cut is not heard
)

// shorten takes one period of the voice out of the start of x, which has at
// least 20 ms, and returns the new length. It refuses when no place is good.
func shorten(x []int16, rate int) (int, bool) {
	lag, ok := period(x, rate)
	if !ok {
		return len(x), false
	}
	for i := range lag {
		x[i] = crossfade(x[i], x[lag+i], i, lag)
	}
	return lag + copy(x[lag:], x[2*lag:]), true
}

// lengthen repeats one period of the voice at the start of x, which has at
// least 20 ms and room for 10 ms more, and returns the new length.
func lengthen(x []int16, rate int) (int, bool) {
	lag, ok := period(x, rate)
	if !ok || len(x)+lag > cap(x) {
		return len(x), false
	}
	n := len(x)
	x = x[:n+lag]
	copy(x[2*lag:], x[lag:n])
	for i := lag - 1; i >= 0; i-- {
		x[lag+i] = crossfade(x[2*lag+i], x[i], i, lag)
	}
	return n + lag, true
}

// crossfade returns the i-th of n steps from a to b.
func crossfade(a, b int16, i, n int) int16 {
	return int16((int(a)*(n-i) + int(b)*i) / n)
}

// period returns the lag at which the start of x repeats best, and whether it
// does so well enough or is too soft to matter.
func period(x []int16, rate int) (lag int, ok bool) {
	low, high := rate/minLag, rate/maxLag
	best := math.Inf(-1)
	var own float64
	for _, v := range x[:high] {
		own += float64(v) * float64(v)
	}
	for l := low; l <= high; l++ {
		var product, power float64
		for i := range high {
			a, b := float64(x[i]), float64(x[i+l])
			product += a * b
			power += b * b
		}
		if r := product / math.Sqrt(max(own*power, 1)); r > best {
			best, lag = r, l
		}
	}
	return lag, best >= alike || math.Sqrt(own/float64(high)) < hushed
}
