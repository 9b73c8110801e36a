package codec

import "slices"

// Resampler changes the sampling rate of a signal from 8 to 16 kHz or back. It
// delays the signal by 2 ms.
//
// Both directions use one half-band filter of 63 coefficients, of which every
// second is zero: within 0.1 dB up to 3.4 kHz, at least 55 dB down from 4.6 kHz.
// Between, a signal and its mirror image at 8 kHz minus its frequency pass
// both; telephony has nothing there.
type Resampler struct {
	up  bool
	n   int                          // samples in buf
	buf [halfBandHistory + 320]int16 // what the next outputs need, oldest first
}

// halfBandHistory are the samples of the filter's length but one, when going
// down; going up needs half of them.
const halfBandHistory = 62

// halfBand are the coefficients at the distances 1, 3, 5, ... from the middle,
// for a gain of 2, in 14 bits of fraction. They are a sine over its argument
// under a Kaiser window with beta 5.65 and end 32, scaled to a sum of 0.5. The
// one in the middle is 1.
func halfBand() [16]int32 {
	return [16]int32{10408, -3400, 1960, -1317, 943, -695, 517, -384, 283, -204, 144, -98, 64, -40, 22, -11}
}

// NewUpsampler returns a Resampler from 8 to 16 kHz.
func NewUpsampler() *Resampler { return &Resampler{up: true, n: halfBandHistory / 2} }

// NewDownsampler returns a Resampler from 16 to 8 kHz. It keeps those samples
// that an upsampler had not put in between.
func NewDownsampler() *Resampler { return &Resampler{n: halfBandHistory - 1} }

// Resample appends to dst the output for src: two samples for each, or one for
// two, where one of an odd number waits for the next call.
func (r *Resampler) Resample(dst, src []int16) []int16 {
	if r.up {
		dst = slices.Grow(dst, 2*len(src))
	} else {
		dst = slices.Grow(dst, len(src)/2+1)
	}
	taps := halfBand()
	for len(src) > 0 {
		n := copy(r.buf[r.n:], src)
		src = src[n:]
		r.n += n
		var done int
		if r.up {
			dst, done = r.doubled(dst, &taps)
		} else {
			dst, done = r.halved(dst, &taps)
		}
		copy(r.buf[:], r.buf[done:r.n])
		r.n -= done
	}
	return dst
}

// doubled appends the samples and those half way between them, and returns how
// many samples of buf are no longer needed.
func (r *Resampler) doubled(dst []int16, taps *[16]int32) ([]int16, int) {
	const width = halfBandHistory/2 + 1
	i := 0
	for ; i+width <= r.n; i++ {
		w := r.buf[i : i+width]
		sum := int32(1 << 13)
		for k, c := range taps {
			sum += c * (int32(w[15-k]) + int32(w[16+k]))
		}
		dst = append(dst, w[15], int16(saturate(sum>>14)))
	}
	return dst, i
}

// halved appends every second sample after the filter.
func (r *Resampler) halved(dst []int16, taps *[16]int32) ([]int16, int) {
	const width, middle = halfBandHistory + 1, halfBandHistory / 2
	i := 0
	for ; i+width <= r.n; i += 2 {
		w := r.buf[i : i+width]
		sum := int32(w[middle])<<14 + 1<<14
		for k, c := range taps {
			sum += c * (int32(w[middle-1-2*k]) + int32(w[middle+1+2*k]))
		}
		dst = append(dst, int16(saturate(sum>>15)))
	}
	return dst, i
}
