package codec

import (
	"math"
	"testing"
)

// segmentEnd is a row of G.711 table 1 or 2: up to the decision value end the
// decision values are step apart.
type segmentEnd struct{ end, step int }

// decisionValues returns the positive decision values of a table, from 0 on.
func decisionValues(first int, rows []segmentEnd) []int {
	x := []int{0}
	if first > 0 {
		x = append(x, first)
	}
	for _, r := range rows {
		for x[len(x)-1] < r.end {
			x = append(x, x[len(x)-1]+r.step)
		}
	}
	return x
}

func TestG711Tables(t *testing.T) {
	laws := []struct {
		codec    Codec
		x        []int  // decision values as the table prints them
		scale    int    // 16 bit units in one of the table's
		invert   byte   // what the wire inverts of the table's character signal
		positive byte   // character signal 1 of positive values before inversion
		up       bool   // codes count up with the magnitude
		y0       int    // quantized value of the first interval, table units
		top      [2]int // magnitude of the largest value at the decoder output, 16 bit units; of 0 dBm0's law
	}{
		{codec: PCMA, scale: 8, invert: evenBits, positive: 0x80, up: true, y0: 1, top: [2]int{32256},
			x: decisionValues(0, []segmentEnd{{64, 2}, {128, 4}, {256, 8}, {512, 16}, {1024, 32}, {2048, 64}, {4096, 128}})},
		{codec: PCMU, scale: 4, positive: 0xff, y0: 0, top: [2]int{32124},
			x: decisionValues(1, []segmentEnd{{31, 2}, {95, 4}, {223, 8}, {479, 16}, {991, 32}, {2015, 64}, {4063, 128}, {8159, 256}})},
	}
	for _, law := range laws {
		if len(law.x) != 129 {
			t.Fatalf("%v: %d decision values; want 129", law.codec, len(law.x))
		}
		character := func(n int, negative bool) byte {
			c := law.positive + byte(n)
			if !law.up {
				c = law.positive - byte(n)
			}
			if negative {
				c ^= 0x80
			}
			return c ^ law.invert
		}
		enc, dec := law.codec.NewEncoder(), law.codec.NewDecoder()
		for n := range 128 {
			want := (law.x[n] + law.x[n+1]) * law.scale / 2 // y is the middle
			if n == 0 {
				want = law.y0 * law.scale
			}
			if got := dec.Decode(nil, []byte{character(n, false)})[0]; int(got) != want {
				t.Errorf("%v: value %d decodes to %d; want %d", law.codec, n, got, want)
			}
			if got := dec.Decode(nil, []byte{character(n, true)})[0]; int(got) != -want {
				t.Errorf("%v: value -%d decodes to %d; want %d", law.codec, n, got, -want)
			}
		}
		if got := int(dec.Decode(nil, []byte{character(127, false)})[0]); got != law.top[0] {
			t.Errorf("%v: largest value decodes to %d; want %d", law.codec, got, law.top[0])
		}
		for s := math.MinInt16; s <= math.MaxInt16; s++ {
			magnitude, n := s, 0
			if s < 0 {
				magnitude = -s - 1 // a decision value itself belongs to the interval nearer to plus infinity
			}
			for n < 127 && magnitude >= law.x[n+1]*law.scale {
				n++
			}
			if got, want := enc.Encode(nil, []int16{int16(s)})[0], character(n, s < 0); got != want {
				t.Fatalf("%v: %d encodes to %#x; want %#x", law.codec, s, got, want)
			}
		}
	}
}

// A value that went through once stays as it is in any number of further
// hops of the same law.
func TestG711Tandem(t *testing.T) {
	for _, c := range []Codec{PCMA, PCMU} {
		enc, dec := c.NewEncoder(), c.NewDecoder()
		for b := range 256 {
			first := dec.Decode(nil, []byte{byte(b)})
			again := dec.Decode(nil, enc.Encode(nil, first))
			if first[0] != again[0] {
				t.Errorf("%v: %#x decodes to %d, then to %d", c, b, first[0], again[0])
			}
		}
	}
}
