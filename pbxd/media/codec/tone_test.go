package codec

import (
	"errors"
	"math"
	"slices"
	"testing"

	"galilei/pbxd/pbx"
)

// amplitude returns the peak of the sine of hz in samples, measured over a
// whole number of its periods where there is one.
func amplitude(samples []int16, rate int, hz float64) float64 {
	var re, im float64
	for i, s := range samples {
		sin, cos := math.Sincos(2 * math.Pi * hz * float64(i) / float64(rate))
		re += float64(s) * cos
		im += float64(s) * sin
	}
	return 2 * math.Hypot(re, im) / float64(len(samples))
}

func newGenerator(t testing.TB, tone Tone, rate int) *Generator {
	t.Helper()
	g, err := NewGenerator(tone, rate, ALawMilliwatt)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestToneLevels(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		for _, sines := range [][]Sine{
			{{425, -10}},
			{{350, -13}, {440, -13}},
			{{1000, 0}},
			{{697, -25}, {1633, -21}},
			{{400, -20}, {800, -22}, {1200, -24}, {1600, -26}},
		} {
			g := newGenerator(t, Tone{Bursts: []Burst{{Sines: sines}}}, rate)
			out := make([]int16, rate)
			if n := g.Fill(out); n != len(out) {
				t.Fatalf("%v: %d samples of an endless tone", sines, n)
			}
			for _, s := range sines {
				if got := ALawMilliwatt.DBm0(amplitude(out, rate, s.Hz) / math.Sqrt2); math.Abs(got-s.DBm0) > 0.01 {
					t.Errorf("%v at %d Hz: %g Hz has %.3f dBm0", sines, rate, s.Hz, got)
				}
			}
		}
	}
}

// G.711 tables 5 and 6 define 0 dBm0 at 1 kHz by eight character signals.
func TestDigitalMilliwatt(t *testing.T) {
	for _, c := range []struct {
		codec Codec
		tone  []byte
	}{
		{PCMA, []byte{0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4}},
		{PCMU, []byte{0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e}},
	} {
		if got := c.codec.Milliwatt().Level(c.codec.NewDecoder().Decode(nil, c.tone)); math.Abs(got) > 0.01 {
			t.Errorf("%v: the digital milliwatt has %.4f dBm0", c.codec, got)
		}
	}
}

// The level must not drift, and frames of any length must not change the
// signal.
func TestToneIsOneSignal(t *testing.T) {
	tone := Tone{Bursts: []Burst{{Sines: []Sine{{425, -10}, {1633, -12}}, On: 300, Off: 41}}}
	whole := make([]int16, 8000*60)
	newGenerator(t, tone, 8000).Fill(whole)
	g := newGenerator(t, tone, 8000)
	pieces := make([]int16, len(whole))
	for i, n := 0, 1; i < len(pieces); i, n = i+n, n%331+1 {
		g.Fill(pieces[i:min(i+n, len(pieces))])
	}
	for i := range whole {
		if d := int(whole[i]) - int(pieces[i]); d > 1 || d < -1 {
			t.Fatalf("sample %d is %d, and %d when the frames are cut otherwise", i, whole[i], pieces[i])
		}
		on := i%(341*8) < 300*8
		if !on && whole[i] != 0 {
			t.Fatalf("sample %d of the silence is %d", i, whole[i])
		}
	}
}

func TestToneEnds(t *testing.T) {
	twice := Tone{Repeat: 2, Bursts: []Burst{{Sines: []Sine{{425, -10}}, On: 10, Off: 5}}}
	out := make([]int16, 400)
	g := newGenerator(t, twice, 8000)
	if n := g.Fill(out); n != 2*15*8 {
		t.Errorf("two bursts of 15 ms have %d samples; want %d", n, 2*15*8)
	}
	if n := g.Fill(out); n != 0 || slices.ContainsFunc(out, func(s int16) bool { return s != 0 }) {
		t.Errorf("%d samples after the end", n)
	}
	twice.ThenContinuous = true
	g = newGenerator(t, twice, 8000)
	if n := g.Fill(out); n != len(out) {
		t.Errorf("a tone that goes on ends after %d samples", n)
	}
	g.Fill(out)
	if got := ALawMilliwatt.Level(out); math.Abs(got+10) > 0.2 {
		t.Errorf("the tone goes on at %.2f dBm0; want -10", got)
	}
}

// A burst that follows without silence starts at the phase where the last one
// ended: no step is larger than the steepest of the two sines.
func TestToneChangesWithoutClick(t *testing.T) {
	g := newGenerator(t, Tone{Bursts: []Burst{
		{Sines: []Sine{{300, -10}}, On: 33}, {Sines: []Sine{{400, -10}}, On: 33}, {Sines: []Sine{{500, -10}}, On: 33},
	}}, 8000)
	out := make([]int16, 8000)
	g.Fill(out)
	steepest := ALawMilliwatt.Peak(-10)*2*math.Pi*500/8000 + 1
	for i := range out[1:] {
		if d := math.Abs(float64(out[i+1]) - float64(out[i])); d > steepest {
			t.Fatalf("step of %.0f at sample %d; want at most %.0f", d, i, steepest)
		}
	}
}

func TestProfileTones(t *testing.T) {
	for _, c := range pbx.Countries() {
		for name, p := range map[string]pbx.Tone{
			"dial": c.Tones.Dial, "second dial": c.Tones.SecondaryDial, "stutter": c.Tones.StutterDial,
			"ringback": c.Tones.Ringback, "busy": c.Tones.Busy, "congestion": c.Tones.Congestion,
			"call waiting": c.Tones.CallWaiting, "special information": c.Tones.SpecialInformation, "confirmation": c.Tones.Confirmation,
		} {
			if !p.Known() {
				continue
			}
			g := newGenerator(t, FromProfile(p), 8000)
			burst := make([]int16, 8*max(p.Bursts[0].On, 0))
			if len(burst) == 0 {
				burst = make([]int16, 8000)
			}
			g.Fill(burst)
			want := -10.0
			if p.LevelDBm0 != 0 {
				want = float64(p.LevelDBm0) + 10*math.Log10(float64(len(p.Bursts[0].Frequencies)))
			}
			if got := ALawMilliwatt.Level(burst); math.Abs(got-want) > 0.3 {
				t.Errorf("%s, %s tone: %.2f dBm0; want %.2f", c.Code, name, got, want)
			}
		}
	}
}

func TestToneRefused(t *testing.T) {
	ok := []Sine{{425, -10}}
	for name, tone := range map[string]Tone{
		"nothing":         FromProfile(pbx.Tone{}),
		"no sines":        {Bursts: []Burst{{On: 100}}},
		"five sines":      {Bursts: []Burst{{Sines: make([]Sine, 5)}}},
		"above the band":  {Bursts: []Burst{{Sines: []Sine{{4000, -10}}}}},
		"not a number":    {Bursts: []Burst{{Sines: []Sine{{math.NaN(), -10}}}}},
		"no level":        {Bursts: []Burst{{Sines: []Sine{{425, math.NaN()}}}}},
		"too loud":        {Bursts: []Burst{{Sines: []Sine{{425, 11}}}}},
		"negative time":   {Bursts: []Burst{{Sines: ok, On: -1}}},
		"negative times":  {Bursts: []Burst{{Sines: ok}}, Repeat: -1},
		"too many bursts": {Bursts: make([]Burst, MaxBursts+1)},
	} {
		if _, err := NewGenerator(tone, 8000, ALawMilliwatt); !errors.Is(err, ErrTone) {
			t.Errorf("%s: %v; want ErrTone", name, err)
		}
	}
	for _, digits := range []string{"", "12E", "1 2", "١", string(make([]byte, 65))} {
		if _, err := StandardDTMF().Tone(digits); !errors.Is(err, ErrTone) {
			t.Errorf("digits %q: %v; want ErrTone", digits, err)
		}
	}
}

func TestToneAllocatesNothing(t *testing.T) {
	g := newGenerator(t, Tone{Bursts: []Burst{{Sines: []Sine{{350, -13}, {440, -13}}, On: 7, Off: 5}}}, 8000)
	frame := make([]int16, 160)
	if n := testing.AllocsPerRun(100, func() { g.Fill(frame) }); n != 0 {
		t.Errorf("%v allocations a frame; want none", n)
	}
}

func BenchmarkTone(b *testing.B) {
	g := newGenerator(b, Tone{Bursts: []Burst{{Sines: []Sine{{350, -13}, {440, -13}}}}}, 8000)
	frame := make([]int16, 160)
	b.ReportAllocs()
	for b.Loop() {
		g.Fill(frame)
	}
}
