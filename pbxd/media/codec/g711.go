package codec

import (
	"math/bits"
	"slices"
)

// aLaw and muLaw are both directions of ITU-T G.711; they have no state.
//
// A sample that lies exactly on a decision value goes up, away from minus
// infinity: G.711 leaves the choice open, and its reference software in ITU-T
// G.191 does the same.
type (
	aLaw  struct{}
	muLaw struct{}
)

func (aLaw) Rate() int  { return 8000 }
func (muLaw) Rate() int { return 8000 }

func (aLaw) Decode(dst []int16, payload []byte) []int16 {
	dst = slices.Grow(dst, len(payload))
	for _, c := range payload {
		dst = append(dst, decodeALaw(c))
	}
	return dst
}

func (aLaw) Encode(dst []byte, samples []int16) []byte {
	dst = slices.Grow(dst, len(samples))
	for _, s := range samples {
		dst = append(dst, encodeALaw(s))
	}
	return dst
}

func (muLaw) Decode(dst []int16, payload []byte) []int16 {
	dst = slices.Grow(dst, len(payload))
	for _, c := range payload {
		dst = append(dst, decodeMuLaw(c))
	}
	return dst
}

func (muLaw) Encode(dst []byte, samples []int16) []byte {
	dst = slices.Grow(dst, len(samples))
	for _, s := range samples {
		dst = append(dst, encodeMuLaw(s))
	}
	return dst
}

const (
	positive  = 0x80 // sign bit of a character signal, 1 for positive values
	evenBits  = 0x55 // inverted on the wire in A-law (G.711 table 1a note 2)
	muBias    = 33   // shifts the mu-law segments so that each begins at a power of two; in 14 bit units
	muLargest = 8191 // largest biased magnitude of mu-law; larger ones are clipped
)

// encodeALaw returns the character signal of G.711 table 1 for s.
func encodeALaw(s int16) byte {
	m := uint(uint16(s^s>>15)) >> 4 // magnitude in 12 bits, one's complement
	if m >= 32 {                    // the two lowest segments are one straight line
		shift := uint(bits.Len(m)) - 5
		m = (shift+1)<<4 | m>>shift&15
	}
	if s >= 0 {
		m |= positive
	}
	return byte(m) ^ evenBits
}

// decodeALaw returns the value at the decoder output of G.711 table 1 for c,
// in 16 bits.
func decodeALaw(c byte) int16 {
	c ^= evenBits
	v := int16(c&15)<<4 + 8 // the middle of the interval
	if segment := c & 0x7f >> 4; segment > 0 {
		v = (v + 256) << (segment - 1)
	}
	if c&positive == 0 {
		return -v
	}
	return v
}

// encodeMuLaw returns the character signal of G.711 table 2 for s.
func encodeMuLaw(s int16) byte {
	m := min(uint(uint16(s^s>>15))>>2+muBias, muLargest)
	segment := uint(bits.Len(m)) - 6
	c := ^byte(segment<<4|m>>(segment+1)&15) & 0x7f
	if s >= 0 {
		c |= positive
	}
	return c
}

// decodeMuLaw returns the value at the decoder output of G.711 table 2 for c,
// in 16 bits.
func decodeMuLaw(c byte) int16 {
	c = ^c
	const bias = muBias << 2
	v := (int16(c&15)<<3+bias)<<(c&0x7f>>4) - bias
	if c&positive != 0 { // c is inverted here
		return -v
	}
	return v
}
