package peer

import "math/bits"

// ulawBias shifts the magnitudes of mu-law so that each segment begins at a
// power of two (ITU-T G.711 section 3.2).
const ulawBias = 33

// encodeULaw returns the mu-law octet of a linear sample, all bits inverted.
func encodeULaw(s int16) byte {
	x, sign := int(s)>>2, byte(0) // 14 bits
	if x < 0 {
		x, sign = -x, 0x80
	}
	x = min(x+ulawBias, 0x1fff)
	segment := max(bits.Len(uint(x))-6, 0)
	return ^(sign | byte(segment<<4|x>>(segment+1)&0x0f))
}

// decodeULaw returns the linear sample in the middle of a mu-law interval.
func decodeULaw(u byte) int16 {
	u = ^u
	segment := int(u >> 4 & 7)
	x := (2*int(u&0x0f)+ulawBias)<<segment - ulawBias
	if u&0x80 != 0 {
		x = -x
	}
	return int16(x << 2)
}
