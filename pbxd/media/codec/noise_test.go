package codec

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNoisePayload(t *testing.T) {
	square := make([]int16, 8000)
	for i := range square {
		square[i] = 8031 * 4
		if i%2 == 1 {
			square[i] = -8031 * 4
		}
	}
	quiet := make([]int16, 8000)
	for i := range quiet {
		quiet[i] = square[i] / 1000
	}
	white := make([]int16, 80000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range white {
		white[i] = int16(r.NormFloat64() * 321.24) // 40 dB below a square wave of 32124
	}
	smooth := make([]int16, len(white)) // neighbours correlate by 0.5: k1 = -0.5
	last := 0.0
	for i := range smooth {
		last = 0.5*last + r.NormFloat64()*1000
		smooth[i] = int16(last)
	}
	for _, c := range []struct {
		name    string
		samples []int16
		order   int
		want    []byte // 0 is any
		around  byte
	}{
		{"overload", square, 0, []byte{0}, 0},
		{"60 dB below", quiet, 0, []byte{60}, 0},
		{"nothing", nil, 2, []byte{127, 127, 127}, 0},
		{"silence", make([]int16, 160), 1, []byte{127, 127}, 0},
		{"white noise", white, 3, []byte{40, 127, 127, 127}, 2},
		{"smooth noise", smooth, 2, []byte{29, 64, 127}, 2},
		{"order too large", nil, 99, slices.Concat([]byte{127}, slices.Repeat([]byte{127}, MaxNoiseOrder)), 0},
	} {
		m := NewNoiseMeter(c.order)
		for s := range slices.Chunk(c.samples, 160) {
			m.Write(s)
		}
		got := m.Payload(nil)
		ok := len(got) == len(c.want)
		for i := 0; ok && i < len(got); i++ {
			ok = max(got[i], c.want[i])-min(got[i], c.want[i]) <= c.around
		}
		if !ok {
			t.Errorf("%s: payload %v; want %v", c.name, got, c.want)
		}
		if again := m.Payload(nil); again[0] != 127 {
			t.Errorf("%s: level %d without new samples; want 127", c.name, again[0])
		}
	}
}

// What the generator makes of a payload measures as that payload.
func TestNoiseThereAndBack(t *testing.T) {
	for _, payload := range [][]byte{
		{30}, {60}, {78}, {40, 64}, {40, 190}, {50, 20, 200}, {45, 90, 150, 100, 140, 120, 130, 110, 127, 127, 140},
	} {
		g := NewNoiseGenerator(7)
		g.SetPayload(payload)
		m := NewNoiseMeter(len(payload) - 1)
		frame := make([]int16, 160)
		for range 1000 {
			g.Fill(frame)
			m.Write(frame)
		}
		got := m.Payload(nil)
		for i := range payload {
			around := 4
			if i == 0 {
				around = 1
			}
			if d := int(got[i]) - int(payload[i]); d > around || d < -around {
				t.Errorf("payload %v came back as %v", payload, got)
				break
			}
		}
	}
}

func TestNoiseGeneratorIsSilentBefore(t *testing.T) {
	g := NewNoiseGenerator(1)
	frame := sines(8000, 160, wave{400, 9000})
	g.SetPayload(nil)
	g.Fill(frame)
	if slices.ContainsFunc(frame, func(s int16) bool { return s != 0 }) {
		t.Error("there is noise before the first payload")
	}
}

func TestNoiseAllocatesNothing(t *testing.T) {
	g, m := NewNoiseGenerator(1), NewNoiseMeter(10)
	frame, payload := make([]int16, 160), make([]byte, 0, 20)
	if n := testing.AllocsPerRun(100, func() {
		g.SetPayload([]byte{50, 80, 150, 127, 99})
		g.Fill(frame)
		m.Write(frame)
		payload = m.Payload(payload[:0])
	}); n != 0 {
		t.Errorf("%v allocations a frame; want none", n)
	}
}

// FuzzNoise gives any payloads: the filter must stay stable.
func FuzzNoise(f *testing.F) {
	f.Add([]byte{}, []byte{40})
	f.Add([]byte{0, 255, 255, 255}, []byte{127, 0, 0, 0})
	f.Add(slices.Repeat([]byte{254}, 40), slices.Repeat([]byte{0}, 13))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		g := NewNoiseGenerator(3)
		frame := make([]int16, 160)
		for _, p := range [][]byte{first, second} {
			g.SetPayload(p)
			for range 20 {
				g.Fill(frame)
			}
			for _, b := range g.back {
				if !(math.Abs(b) < 1e7) {
					t.Fatalf("after payload %v the filter's state is %g", p, b)
				}
			}
		}
	})
}

func BenchmarkNoise(b *testing.B) {
	frame := make([]int16, 160)
	b.Run("generator", func(b *testing.B) {
		g := NewNoiseGenerator(1)
		g.SetPayload([]byte{50, 80, 150, 127, 99, 127, 120, 110, 130, 130, 126})
		b.ReportAllocs()
		for b.Loop() {
			g.Fill(frame)
		}
	})
	b.Run("meter", func(b *testing.B) {
		m := NewNoiseMeter(10)
		b.ReportAllocs()
		for b.Loop() {
			m.Write(frame)
		}
	})
}
