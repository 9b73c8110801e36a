package codec

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestMix(t *testing.T) {
	m := NewMix(4)
	for range 2 { // Reset forgets the first round
		m.Reset()
		a, b, c := []int16{1, 32767, -32768, 5}, []int16{2, 32767, -32768, 6}, []int16{3, 1, -1}
		m.Add(a)
		m.Add(b)
		m.Add(c)
		m.Add([]int16{0, 0, 0, 0, 99})
		for _, test := range []struct{ own, want []int16 }{
			{a, []int16{5, 32767, -32768, 6}},
			{b, []int16{4, 32767, -32768, 5}},
			{c, []int16{3, 32767, -32768, 11}},
			{nil, []int16{6, 32767, -32768, 11}},
		} {
			if got := m.Without(nil, test.own); !slices.Equal(got, test.want) {
				t.Errorf("mix without %v is %v; want %v", test.own, got, test.want)
			}
		}
	}
}

// A listener hears the others at their level and nothing of the own voice.
func TestMixOfThree(t *testing.T) {
	m := NewMix(8000)
	frames := [][]int16{sines(8000, 8000, wave{400, 6000}), sines(8000, 8000, wave{700, 3000}), sines(8000, 8000, wave{1100, 9000})}
	for _, f := range frames {
		m.Add(f)
	}
	got := m.Without(nil, frames[1])
	for hz, want := range map[float64]float64{400: 6000, 700: 0, 1100: 9000} {
		if peak := amplitude(got, 8000, hz); math.Abs(peak-want) > 2 {
			t.Errorf("%g Hz has a peak of %.1f; want %g", hz, peak, want)
		}
	}
}

func TestGain(t *testing.T) {
	for _, c := range []struct {
		dB   float64
		want []int16
	}{
		{0, []int16{1000, -1000, 32767, -32768}},
		{-6.0206, []int16{500, -500, 16384, -16384}},
		{20, []int16{10000, -10000, 32767, -32768}},
		{MaxGainDB, []int16{32767, -32768, 32767, -32768}},
		{math.Inf(-1), []int16{0, 0, 0, 0}},
	} {
		g, err := GainDB(c.dB)
		if err != nil {
			t.Fatal(err)
		}
		s := []int16{1000, -1000, 32767, -32768}
		g.Apply(s)
		if !slices.Equal(s, c.want) {
			t.Errorf("%g dB: %v; want %v", c.dB, s, c.want)
		}
	}
	for _, dB := range []float64{48.1, math.Inf(1), math.NaN()} {
		if g, err := GainDB(dB); err == nil {
			t.Errorf("gain of %g dB is %d; want an error", dB, g)
		}
	}
}

func TestLevel(t *testing.T) {
	if got := ALawMilliwatt.Level(sines(8000, 8000, wave{1000, 32767})); math.Abs(got-3.14) > 0.01 {
		t.Errorf("the largest sine has %.3f dBm0 in A-law; want 3.14", got)
	}
	if got := MuLawMilliwatt.Level(sines(8000, 8000, wave{1000, 4 * 8159})); math.Abs(got-3.17) > 0.01 {
		t.Errorf("the largest sine has %.3f dBm0 in mu-law; want 3.17", got)
	}
	for _, silent := range [][]int16{nil, make([]int16, 10)} {
		if got := ALawMilliwatt.Level(silent); !math.IsInf(got, -1) {
			t.Errorf("%d silent samples have %g dBm0", len(silent), got)
		}
	}
}

func TestSilence(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		s := NewSilence(rate, ALawMilliwatt, -40)
		loud := sines(rate, rate, wave{1000, ALawMilliwatt.Peak(-39)})
		quiet := sines(rate, rate, wave{1000, ALawMilliwatt.Peak(-41)})
		if got := s.Write(quiet[:rate/2]); got != 500*time.Millisecond {
			t.Errorf("%d Hz: silent for %v; want 500ms", rate, got)
		}
		for i := 0; i+37 <= len(loud); i += 37 {
			s.Write(loud[i : i+37])
		}
		if got := s.Write(loud[:rate/100]); got != 0 {
			t.Errorf("%d Hz: silent for %v during a tone", rate, got)
		}
		var got time.Duration
		for range 100 {
			got = s.Write(quiet[:rate/50])
		}
		if want := 2 * time.Second; got < want-20*time.Millisecond || got > want {
			t.Errorf("%d Hz: silent for %v; want %v", rate, got, want)
		}
	}
}

func TestMixAllocatesNothing(t *testing.T) {
	m, s := NewMix(160), NewSilence(8000, ALawMilliwatt, -40)
	frame, out := sines(8000, 160, wave{400, 9000}), make([]int16, 0, 160)
	gain, err := GainDB(-3)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		m.Reset()
		m.Add(frame)
		m.Add(frame)
		out = m.Without(out[:0], frame)
		gain.Apply(out)
		s.Write(out)
	}); n != 0 {
		t.Errorf("%v allocations a frame; want none", n)
	}
}

func BenchmarkMix(b *testing.B) {
	m := NewMix(160)
	frame, out := sines(8000, 160, wave{400, 9000}), make([]int16, 0, 160)
	b.ReportAllocs()
	for b.Loop() { // one member of a conference: added once, given the rest once
		m.Add(frame)
		out = m.Without(out[:0], frame)
		m.Reset()
	}
}
