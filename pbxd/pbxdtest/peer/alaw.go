package peer

import "math/bits"

// encodeALaw returns the A-law octet of a linear sample (ITU-T G.711 section 3.1,
// with even bits inverted).
func encodeALaw(s int16) byte {
	mask := byte(0xd5)
	x := int(s) >> 4 // in the smallest steps: 11 bits of magnitude
	if x < 0 {
		mask, x = 0x55, -x-1
	}
	segment := bits.Len(uint(x >> 4))
	return byte(segment<<4|x>>max(segment-1, 0)&0x0f) ^ mask
}

// decodeALaw returns the linear sample in the middle of an A-law interval.
func decodeALaw(a byte) int16 {
	a ^= 0x55
	segment, x := int(a>>4&7), int(a&0x0f)<<4+8
	if segment > 0 {
		x = (x + 0x100) << (segment - 1)
	}
	if a&0x80 == 0 {
		x = -x
	}
	return int16(x)
}
