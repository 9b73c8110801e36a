package codec

import (
	"errors"
	"math"
	"testing"
)

// wave is a sine in a test signal.
type wave struct{ hz, peak float64 }

// sines returns n samples of the sum of waves.
func sines(rate, n int, waves ...wave) []int16 {
	out := make([]int16, n)
	for i := range out {
		var v float64
		for _, w := range waves {
			v += w.peak * math.Sin(2*math.Pi*w.hz*float64(i)/float64(rate))
		}
		out[i] = int16(math.Round(min(max(v, math.MinInt16), math.MaxInt16)))
	}
	return out
}

func TestByName(t *testing.T) {
	for _, c := range []struct {
		name string
		want Codec
		rate int
	}{{"PCMU", PCMU, 8000}, {"pcma", PCMA, 8000}, {"G722", G722, 16000}} {
		got, err := ByName(c.name)
		if err != nil || got != c.want {
			t.Errorf("ByName(%q) = %v, %v; want %v", c.name, got, err, c.want)
			continue
		}
		if e, d := got.NewEncoder(), got.NewDecoder(); e.Rate() != c.rate || d.Rate() != c.rate || got.Rate() != c.rate {
			t.Errorf("%v: rates %d, %d and %d; want %d", got, e.Rate(), d.Rate(), got.Rate(), c.rate)
		}
		frame := make([]int16, FrameMs*c.rate/1000)
		if n := len(got.NewEncoder().Encode(nil, frame)); n != BytesPerMs*FrameMs {
			t.Errorf("%v: %d bytes a frame; want %d", got, n, BytesPerMs*FrameMs)
		}
	}
	for _, name := range []string{"", "G729", "CN", "telephone-event", "opus"} {
		if c, err := ByName(name); !errors.Is(err, ErrUnknown) {
			t.Errorf("ByName(%q) = %v, %v; want ErrUnknown", name, c, err)
		}
	}
	var none Codec
	if none.NewDecoder() != nil || none.NewEncoder() != nil {
		t.Error("the zero Codec has a decoder or encoder")
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	for _, c := range []Codec{PCMU, PCMA, G722} {
		enc, dec := c.NewEncoder(), c.NewDecoder()
		samples := sines(c.Rate(), c.Rate()/50, wave{440, 8000})
		payload := make([]byte, 0, BytesPerMs*FrameMs+1)
		back := make([]int16, 0, len(samples))
		if n := testing.AllocsPerRun(100, func() {
			payload = enc.Encode(payload[:0], samples)
			back = dec.Decode(back[:0], payload)
		}); n != 0 {
			t.Errorf("%v: %v allocations a frame; want none", c, n)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(uint8(PCMA), []byte{})
	f.Add(uint8(PCMU), []byte{0, 0x7f, 0x80, 0xff})
	f.Add(uint8(G722), []byte{0, 1, 2, 3, 0xff})
	f.Fuzz(func(t *testing.T, which uint8, payload []byte) {
		c := Codec(which%3 + 1)
		dec := c.NewDecoder()
		got := dec.Decode(nil, payload)
		if want := len(payload) * c.Rate() / 8000; len(got) != want {
			t.Errorf("%v: %d bytes make %d samples; want %d", c, len(payload), len(got), want)
		}
		if back := c.NewEncoder().Encode(nil, got); len(back) != len(payload) {
			t.Errorf("%v: %d samples make %d bytes; want %d", c, len(got), len(back), len(payload))
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, c := range []Codec{PCMU, PCMA, G722} {
		b.Run(c.String(), func(b *testing.B) {
			enc := c.NewEncoder()
			samples := sines(c.Rate(), c.Rate()/50, wave{440, 8000}, wave{1330, 4000})
			payload := make([]byte, 0, 200)
			b.ReportAllocs()
			for b.Loop() {
				payload = enc.Encode(payload[:0], samples)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []Codec{PCMU, PCMA, G722} {
		b.Run(c.String(), func(b *testing.B) {
			dec := c.NewDecoder()
			payload := c.NewEncoder().Encode(nil, sines(c.Rate(), c.Rate()/50, wave{440, 8000}, wave{1330, 4000}))
			samples := make([]int16, 0, 400)
			b.ReportAllocs()
			for b.Loop() {
				samples = dec.Decode(samples[:0], payload)
			}
		})
	}
}
