package codec

import "slices"

// G.722 splits 16 kHz speech into two bands of 8 kHz with a quadrature mirror
// filter and codes each as the difference to a prediction: 6 bits of each byte
// for the band below 4 kHz, the upper 2 bits for the band above (clause 1.4.4).
// All arithmetic is that of clause 6, bit for bit; the four-letter names of its
// blocks stand in the comments.

const (
	lowBits = 0x3f // of a byte: the code of the lower band; the rest is the upper's

	lowInitialStep  = 32 // DETL after reset (table 13)
	highInitialStep = 8  // DETH after reset
	lowNBMax        = 18432
	highNBMax       = 22528
)

// g722Encoder is the encoder of clause 3.
type g722Encoder struct {
	low, high subband
	history   [24]int32 // transmit QMF, oldest first
	odd       bool      // one sample waits for its partner at the end of history
}

// g722Decoder is the decoder of clause 4, mode 1.
type g722Decoder struct {
	low, high subband
	history   [24]int32 // receive QMF, oldest first
}

func newG722Encoder() *g722Encoder {
	return &g722Encoder{low: subband{step: lowInitialStep}, high: subband{step: highInitialStep}}
}

func newG722Decoder() *g722Decoder {
	return &g722Decoder{low: subband{step: lowInitialStep}, high: subband{step: highInitialStep}}
}

func (*g722Encoder) Rate() int { return 16000 }
func (*g722Decoder) Rate() int { return 16000 }

// Encode makes one byte of two samples; the last of an odd number waits for
// the next call.
func (e *g722Encoder) Encode(dst []byte, samples []int16) []byte {
	dst = slices.Grow(dst, len(samples)/2+1)
	for _, s := range samples {
		if !e.odd {
			copy(e.history[:22], e.history[2:])
			e.history[22] = int32(s)
			e.odd = true
			continue
		}
		e.odd = false
		e.history[23] = int32(s)
		low, high := e.split()
		dst = append(dst, e.encodeHigh(high)<<6|e.encodeLow(low))
	}
	return dst
}

// split is the transmit QMF (clause 3.1): the bands' samples of the last 24
// input samples, in 15 bits.
func (e *g722Encoder) split() (low, high int32) {
	var a, b int32
	for i, c := range qmf {
		a += e.history[2*i] * c
		b += e.history[2*i+1] * qmf[11-i]
	}
	return (b + a) >> 14, (b - a) >> 14
}

// encodeLow codes one sample of the lower band in 6 bits (QUANTL).
func (e *g722Encoder) encodeLow(x int32) byte {
	b := &e.low
	diff := saturate(x - b.predicted)
	m := magnitude(diff)
	i, end := 1, len(decision6) // the interval's number lies from i to end
	for i < end {
		if middle := (i + end) / 2; m < decision6[middle]*b.step>>12 {
			end = middle
		} else {
			i = middle + 1
		}
	}
	// The 29 intervals above zero count down from 61, those below from 63;
	// the two largest below zero share their code with those of 5 bits
	// (table 15).
	var code byte
	switch {
	case diff >= 0:
		code = byte(62 - i)
	case i <= 2:
		code = byte(64 - i)
	default:
		code = byte(34 - i)
	}
	b.adaptLow(code)
	return code
}

// encodeHigh codes one sample of the upper band in 2 bits (QUANTH).
func (e *g722Encoder) encodeHigh(x int32) byte {
	b := &e.high
	diff := saturate(x - b.predicted)
	code := byte(1)
	if magnitude(diff) >= 564*b.step>>12 {
		code = 0
	}
	if diff >= 0 {
		code |= 2
	}
	b.adaptHigh(code)
	return code
}

// Decode makes two samples of each byte.
func (d *g722Decoder) Decode(dst []int16, payload []byte) []int16 {
	dst = slices.Grow(dst, 2*len(payload))
	for _, code := range payload {
		lowCode, highCode := code&lowBits, code>>6
		low := limit15(d.low.predicted + d.low.step*inverse6[lowCode]>>15)
		d.low.adaptLow(lowCode)
		high := limit15(d.high.predicted + d.high.step*inverse2[highCode]>>15)
		d.high.adaptHigh(highCode)

		// The receive QMF (clause 4.4).
		copy(d.history[:22], d.history[2:])
		d.history[22], d.history[23] = low+high, low-high
		var first, second int32
		for i, c := range qmf {
			second += d.history[2*i] * c
			first += d.history[2*i+1] * qmf[11-i]
		}
		dst = append(dst, int16(saturate(first>>11)), int16(saturate(second>>11)))
	}
	return dst
}

// adaptLow takes the step of the quantizer and the predictor to the next
// sample of the lower band. Only the four upper bits of code matter, so that
// the encoder's prediction holds in all modes (INVQAL, LOGSCL, SCALEL).
func (b *subband) adaptLow(code byte) {
	code >>= 2
	diff := b.step * inverse4[code] >> 15
	b.nb = min(max(b.nb*127>>7+lowLogStep[code], 0), lowNBMax)
	b.step = antilog(b.nb, 8)
	b.predict(diff)
}

// adaptHigh is adaptLow for the upper band (INVQAH, LOGSCH, SCALEH).
func (b *subband) adaptHigh(code byte) {
	diff := b.step * inverse2[code] >> 15
	b.nb = min(max(b.nb*127>>7+highLogStep[code], 0), highNBMax)
	b.step = antilog(b.nb, 10)
	b.predict(diff)
}

// antilog returns the step for the logarithmic scale factor nb, in 9 bits of
// fraction (method 2 of clause 6.2.1.3); right is the exponent of nb = 0.
func antilog(nb, right int32) int32 {
	mantissa := antilogMantissa[nb>>6&31]
	shift := right - nb>>11
	if shift < 0 {
		return mantissa << -shift << 2
	}
	return mantissa >> shift << 2
}

// magnitude returns how far diff is from zero, in one's complement.
func magnitude(diff int32) int32 { return diff ^ diff>>31 }

// saturate limits v to 16 bits.
func saturate(v int32) int32 { return min(max(v, -32768), 32767) }

// limit15 limits v to 15 bits (LIMIT).
func limit15(v int32) int32 { return min(max(v, -16384), 16383) }
