package codec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// hear returns the digits that a new detector finds in samples, and where each
// started and ended.
func hear(rate int, samples []int16) (digits string, all []Digit) {
	d := NewDTMFDetector(rate, ALawMilliwatt)
	for len(samples) > 0 {
		n := min(rate/50, len(samples))
		all = d.Detect(all, samples[:n])
		samples = samples[n:]
	}
	for _, e := range all {
		if e.On {
			digits += string(e.Key)
		}
	}
	return digits, all
}

// signal is a test signal made of digits.
type signal struct {
	low, high float64 // dBm0
	off       float64 // factor on both frequencies, beside a shift of offHz
	offHz     float64
	on, pause int     // ms
	noise     float64 // dB below the two frequencies; 0 for none
	beside    []Sine  // sounds all the time
}

// play returns the digits as s says, between 100 ms of silence, and encoded
// with A-law.
func (s signal) play(t testing.TB, rate int, digits string, seed uint64) []int16 {
	t.Helper()
	tone, err := DTMF{DBm0: s.low, Twist: s.high - s.low, On: s.on, Off: s.pause}.Tone(digits)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range tone.Bursts {
		for i := range b.Sines {
			b.Sines[i].Hz *= 1 + s.off
			b.Sines[i].Hz += s.offHz
		}
	}
	length := (100 + len(digits)*(s.on+s.pause) + 100) * rate / 1000
	sum := NewMix(length)
	out := make([]int16, length)
	newGenerator(t, tone, rate).Fill(out[100*rate/1000:])
	sum.Add(out)
	if s.noise != 0 {
		r := rand.New(rand.NewPCG(seed, 1))
		power := math.Pow(ALawMilliwatt.Peak(s.low), 2)/2 + math.Pow(ALawMilliwatt.Peak(s.high), 2)/2
		sigma := math.Sqrt(power * math.Pow(10, -s.noise/10) * float64(rate) / 8000) // noise density as in 4 kHz
		for i := range out {
			out[i] = int16(min(max(r.NormFloat64()*sigma, -32768), 32767))
		}
		sum.Add(out)
	}
	if s.beside != nil {
		newGenerator(t, Tone{Bursts: []Burst{{Sines: s.beside}}}, rate).Fill(out)
		sum.Add(out)
	}
	return PCMA.NewDecoder().Decode(nil, PCMA.NewEncoder().Encode(nil, sum.Without(nil, nil)))
}

func TestDTMFAccepted(t *testing.T) {
	base := signal{low: -10, high: -8, on: 50, pause: 50}
	tests := map[string]signal{"as phones send": {low: -9, high: -7, on: 100, pause: 100}}
	for _, off := range []float64{-0.015, -0.01, 0.01, 0.015} {
		s := base
		s.off, s.offHz = off, math.Copysign(2, off)
		tests[fmt.Sprintf("%+.1f %% %+.0f Hz", 100*off, s.offHz)] = s
		s.on, s.pause, s.low, s.high = 40, 40, -20, -28+3
		tests[fmt.Sprintf("%+.1f %% %+.0f Hz, shortest, twisted", 100*off, s.offHz)] = s
	}
	for _, twist := range []float64{-8, -4, 0, 4} {
		s := base
		s.high = s.low + twist
		tests[fmt.Sprintf("twist %+.0f dB", twist)] = s
		s.on, s.pause, s.noise = 40, 40, 15
		tests[fmt.Sprintf("twist %+.0f dB, shortest, noise 15 dB below", twist)] = s
	}
	for _, level := range []float64{0, -5, -15, -20, -25} {
		s := base
		s.low, s.high = level, level
		tests[fmt.Sprintf("level %.0f dBm0", level)] = s
		s.noise = 15
		tests[fmt.Sprintf("level %.0f dBm0, noise 15 dB below", level)] = s
		s.on, s.pause = 40, 40
		tests[fmt.Sprintf("level %.0f dBm0, shortest, noise 15 dB below", level)] = s
	}
	s := base
	s.on, s.pause = 40, 40
	tests["shortest"] = s
	s.on = 1000
	tests["long"] = s
	for name, sines := range map[string][]Sine{
		"425 Hz": {{425, -13}}, "350 and 440 Hz": {{350, -13}, {440, -13}}, "400 Hz": {{400, -10}}, "450 Hz": {{450, -10}},
		"441 Hz and 350 Hz, loud": {{441, -10}, {350, -10}},
	} {
		s := base
		s.low, s.high = -15, -13
		s.beside = sines
		tests["under dial tone "+name] = s
	}
	for name, s := range tests {
		for _, rate := range []int{8000, 16000} {
			want := strings.Repeat(Keys+"00112", 2)[:2*len(Keys)+10]
			got, all := hear(rate, s.play(t, rate, want, 7))
			if got != want {
				t.Errorf("%s at %d Hz: heard %s; want %s", name, rate, got, want)
				continue
			}
			for i := 0; i < len(all); i += 2 {
				ms := float64(all[i+1].At-all[i].At) * 1000 / float64(rate)
				start := 100 + i/2*(s.on+s.pause)
				if late := float64(all[i].At)*1000/float64(rate) - float64(start); math.Abs(ms-float64(s.on)) > 13 || math.Abs(late) > 9 {
					t.Errorf("%s at %d Hz: digit %d lasts %.0f ms and starts %.0f ms late; want %d ms", name, rate, i/2, ms, late, s.on)
				}
				if s.low == 0 {
					continue // the sum is beyond full scale, which changes the levels
				}
				if low, high := all[i].Low-s.low, all[i].High-s.high; math.Abs(low) > 2.5 || math.Abs(high) > 2.5 {
					t.Errorf("%s at %d Hz: digit %d has levels %+.1f and %+.1f dB beside the real ones", name, rate, i/2, low, high)
				}
			}
		}
	}
}

// The shortest digits with the largest twists and offsets are heard in noise and
// under dial tone. GALILEI_LONG plays more of them.
func TestDTMFInNoise(t *testing.T) {
	rounds := uint64(4)
	if os.Getenv("GALILEI_LONG") != "" {
		rounds = 400
	}
	played, missed := 0, 0
	for seed := range rounds {
		for _, low := range []float64{-17, -4} {
			for _, twist := range []float64{-8, 0, 4} {
				for _, off := range []float64{-0.015, 0, 0.015} {
					s := signal{low: low, high: low + twist, off: off, offHz: off * 133, on: 40, pause: 40, noise: 15}
					if seed%2 == 1 {
						s.beside = []Sine{{350, -10}, {440, -10}}
					}
					played += len(Keys)
					if got, _ := hear(8000, s.play(t, 8000, Keys, seed)); got != Keys {
						missed++
						t.Logf("%+v, seed %d: heard %s", s, seed, got)
					}
				}
			}
		}
	}
	t.Logf("%d of %d digits not heard", missed, played)
	if missed > played/10000 {
		t.Errorf("%d of %d digits not heard; want at most one in 10,000", missed, played)
	}
}

func TestDTMFRefused(t *testing.T) {
	base := signal{low: -10, high: -8, on: 60, pause: 60}
	tests := map[string]signal{}
	for _, off := range []float64{-0.035, 0.035, -0.05, 0.05} {
		s := base
		s.off = off
		for _, on := range []int{40, 60, 500} {
			s.on = on
			tests[fmt.Sprintf("%+.1f %%, %d ms", 100*off, on)] = s
		}
	}
	for _, on := range []int{5, 10, 15, 20, 23} {
		s := base
		s.on = on
		tests[fmt.Sprintf("%d ms", on)] = s
		s.low, s.high = -3, -1
		tests[fmt.Sprintf("%d ms, loud", on)] = s
		s.noise = 15
		tests[fmt.Sprintf("%d ms, noise", on)] = s
	}
	s := base
	s.low, s.high = -36, -36
	tests["too soft"] = s
	s.low, s.high = -8, -24
	tests["high frequency too soft"] = s
	s.low, s.high = -24, -8
	tests["low frequency too soft"] = s
	for _, hz := range []float64{620, 1050, 2000, 3000} {
		s := base
		s.low, s.high, s.beside = -10, -10, []Sine{{hz, -15}} // 8 dB below the two
		tests[fmt.Sprintf("beside %.0f Hz", hz)] = s
	}
	for name, s := range tests {
		for _, rate := range []int{8000, 16000} {
			if got, _ := hear(rate, s.play(t, rate, strings.Repeat(Keys, 2), 3)); got != "" {
				t.Errorf("%s at %d Hz: heard %s; want nothing", name, rate, got)
			}
		}
	}
}

// One frequency of a digit out of tolerance is enough to refuse it.
func TestDTMFOneFrequencyOff(t *testing.T) {
	for k := range len(Keys) {
		for which := range 2 {
			for _, off := range []float64{-0.035, 0.035} {
				hz := [2]float64{rowHz(k / 4), columnHz(k % 4)}
				hz[which] *= 1 + off
				out := make([]int16, 8000)
				newGenerator(t, Tone{Bursts: []Burst{{Sines: []Sine{{hz[0], -9}, {hz[1], -7}}, On: 80, Off: 80}}}, 8000).Fill(out)
				if got, _ := hear(8000, out); got != "" {
					t.Errorf("%.0f and %.0f Hz: heard %s; want nothing", hz[0], hz[1], got)
				}
			}
		}
	}
}

// A digit with a short gap stays one digit, with a pause it becomes two.
func TestDTMFInterrupted(t *testing.T) {
	for _, c := range []struct {
		gap  int
		want string
	}{{5, "5"}, {10, "5"}, {15, "5"}, {40, "55"}, {60, "55"}} {
		s := signal{low: -9, high: -7, on: 60, pause: c.gap}
		if got, _ := hear(8000, s.play(t, 8000, "55", 1)); got != c.want {
			t.Errorf("two tones of 60 ms and %d ms between: heard %s; want %s", c.gap, got, c.want)
		}
	}
}

func TestDTMFSuspect(t *testing.T) {
	d := NewDTMFDetector(8000, ALawMilliwatt)
	samples := signal{low: -9, high: -7, on: 60, pause: 100}.play(t, 8000, "5", 1)
	var heard []Digit
	for i := 0; i+160 <= len(samples); i += 160 {
		heard = d.Detect(heard, samples[i:i+160])
		ms := i/8 + 20
		switch suspect := d.Suspect(); {
		case ms <= 100 && suspect:
			t.Errorf("suspects a digit at %d ms, which starts at 100 ms", ms)
		case ms >= 140 && ms <= 160 && !suspect:
			t.Errorf("suspects no digit at %d ms, which started at 100 ms", ms)
		case ms > 220 && suspect:
			t.Errorf("suspects a digit at %d ms, which ended at 160 ms", ms)
		}
	}
	if len(heard) != 2 {
		t.Errorf("heard %+v; want a start and an end", heard)
	}
}

func TestDTMFAllocatesNothing(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		d := NewDTMFDetector(rate, ALawMilliwatt)
		samples := signal{low: -9, high: -7, on: 60, pause: 60}.play(t, rate, "5", 1)
		digits := make([]Digit, 0, 8)
		if n := testing.AllocsPerRun(100, func() { digits = d.Detect(digits[:0], samples) }); n != 0 {
			t.Errorf("%d Hz: %v allocations; want none", rate, n)
		}
	}
}

// FuzzDTMF gives any signal: nothing may panic, and starts and ends take turns.
func FuzzDTMF(f *testing.F) {
	f.Add([]byte{}, false)
	f.Add([]byte{1, 2, 3}, true)
	f.Add(PCMA.NewEncoder().Encode(nil, signal{low: -9, high: -7, on: 60, pause: 60}.play(f, 8000, "5#", 1)), false)
	f.Fuzz(func(t *testing.T, payload []byte, wide bool) {
		rate := 8000
		if wide {
			rate = 16000
		}
		_, all := hear(rate, PCMA.NewDecoder().Decode(nil, payload))
		for i, e := range all {
			if e.On != (i%2 == 0) || !strings.ContainsRune(Keys, rune(e.Key)) || e.At < 0 || e.At > int64(len(payload)) {
				t.Fatalf("event %d is %+v", i, e)
			}
		}
	})
}

func BenchmarkDTMFDetector(b *testing.B) {
	for name, digits := range map[string]string{"digits": Keys, "speech": ""} {
		b.Run(name, func(b *testing.B) {
			d := NewDTMFDetector(8000, ALawMilliwatt)
			var samples []int16
			if digits != "" {
				samples = signal{low: -9, high: -7, on: 60, pause: 60}.play(b, 8000, digits, 1)
			} else {
				samples = NewDownsampler().Resample(nil, readSamples(b, "speech.s16"))
			}
			heard := make([]Digit, 0, 8)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if i+160 > len(samples) {
					i = 0
				}
				heard = d.Detect(heard[:0], samples[i:i+160])
				i += 160
			}
		})
	}
}
