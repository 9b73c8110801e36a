package codec

import (
	"math"
	"slices"
	"testing"
)

// The coefficients are those that their comment describes.
func TestHalfBandDesign(t *testing.T) {
	const beta, end = 5.65326, 32
	bessel := func(x float64) float64 { // modified, first kind, order 0
		term, sum := 1.0, 1.0
		for k := 1.0; term > 1e-12*sum; k++ {
			term *= x * x / 4 / k / k
			sum += term
		}
		return sum
	}
	var want [16]float64
	total := 0.0
	for k := range want {
		n := float64(2*k + 1)
		want[k] = math.Sin(math.Pi*n/2) / (math.Pi * n / 2) * bessel(beta*math.Sqrt(1-n*n/end/end))
		total += want[k]
	}
	var sum int32
	for k, got := range halfBand() {
		if w := want[k] / total * (1 << 13); math.Abs(float64(got)-w) > 0.51 {
			t.Errorf("coefficient %d is %d; want %.1f", k, got, w)
		}
		sum += got
	}
	if sum != 1<<13 {
		t.Errorf("the coefficients sum up to %d; want %d, for a gain of 1 at 0 Hz", sum, 1<<13)
	}
}

func dB(ratio float64) float64 { return 20 * math.Log10(ratio) }

func TestUpsampler(t *testing.T) {
	for hz := 100.0; hz < 4000; hz += 100 {
		out := NewUpsampler().Resample(nil, sines(8000, 8000+400, wave{hz, 16000}))[800:]
		if len(out) != 16000 {
			t.Fatalf("%d samples; want 16000", len(out))
		}
		if hz <= 3400 {
			if got := dB(amplitude(out, 16000, hz) / 16000); math.Abs(got) > 0.1 {
				t.Errorf("%g Hz passes at %.2f dB; want 0", hz, got)
			}
			if got := dB(amplitude(out, 16000, 8000-hz) / 16000); got > -55 {
				t.Errorf("the image of %g Hz at %g Hz has %.1f dB; want at most -55", hz, 8000-hz, got)
			}
		}
	}
}

func TestDownsampler(t *testing.T) {
	for hz := 100.0; hz < 8000; hz += 100 {
		out := NewDownsampler().Resample(nil, sines(16000, 16000+800, wave{hz, 16000}))[400:]
		if len(out) != 8000 {
			t.Fatalf("%d samples; want 8000", len(out))
		}
		if hz <= 3400 {
			if got := dB(amplitude(out, 8000, hz) / 16000); math.Abs(got) > 0.1 {
				t.Errorf("%g Hz passes at %.2f dB; want 0", hz, got)
			}
		}
		if hz >= 4600 {
			if got := dB(amplitude(out, 8000, 8000-hz) / 16000); hz <= 7900 && got > -55 {
				t.Errorf("%g Hz becomes %g Hz at %.1f dB; want at most -55", hz, 8000-hz, got)
			}
		}
	}
}

// Up and down again the signal is the same but for the band's edge, 4 ms late.
func TestResampleThereAndBack(t *testing.T) {
	in := sines(8000, 8000, wave{300, 5000}, wave{1020, 4000}, wave{2500, 3000}, wave{3300, 2000})
	out := NewDownsampler().Resample(nil, NewUpsampler().Resample(nil, in))
	best := math.Inf(-1)
	at := 0
	for delay := range 60 {
		if r := signalToNoise(in[500:], out[500:], delay); r > best {
			best, at = r, delay
		}
	}
	if best < 40 || at > 32 {
		t.Errorf("signal to noise %.1f dB at a delay of %d samples; want 40 dB at 32 or less", best, at)
	}
}

func TestResampleAnyCut(t *testing.T) {
	for name, make := range map[string]func() *Resampler{"up": NewUpsampler, "down": NewDownsampler} {
		in := sines(8000, 5000, wave{1020, 30000}, wave{2111, 10000})
		whole := make().Resample(nil, in)
		r := make()
		var pieces []int16
		for i, n := 0, 1; i < len(in); i, n = i+n, n%601+1 {
			pieces = r.Resample(pieces, in[i:min(i+n, len(in))])
		}
		if !slices.Equal(whole, pieces) {
			t.Errorf("%s: the output depends on where the samples are cut", name)
		}
	}
}

// The largest signs that meet the coefficients must not overflow.
func TestResampleLimits(t *testing.T) {
	for name, make := range map[string]func() *Resampler{"up": NewUpsampler, "down": NewDownsampler} {
		in := sines(8000, 8000, wave{777, 1e6}) // a square wave
		for i, s := range make().Resample(nil, in) {
			n := i / 2
			if name == "down" {
				n = 2*i + 1
			}
			if n < 64 || n >= len(in) {
				continue
			}
			lo, hi := slices.Min(in[n-64:n+1]), slices.Max(in[n-64:n+1])
			if lo == hi && (s > 0) != (lo > 0) {
				t.Fatalf("%s: sample %d is %d amid %d", name, i, s, lo)
			}
		}
	}
}

func TestResampleAllocatesNothing(t *testing.T) {
	up, down := NewUpsampler(), NewDownsampler()
	frame := sines(8000, 160, wave{1020, 9000})
	wide, narrow := make([]int16, 0, 321), make([]int16, 0, 161)
	if n := testing.AllocsPerRun(100, func() {
		wide = up.Resample(wide[:0], frame)
		narrow = down.Resample(narrow[:0], wide)
	}); n != 0 {
		t.Errorf("%v allocations a frame; want none", n)
	}
}

func BenchmarkResample(b *testing.B) {
	frame := sines(16000, 320, wave{1020, 9000})
	for name, make := range map[string]func() *Resampler{"up": NewUpsampler, "down": NewDownsampler} {
		b.Run(name, func(b *testing.B) {
			r := make()
			in, out := frame[:320], []int16(nil)
			if name == "up" {
				in = frame[:160]
			}
			b.ReportAllocs()
			for b.Loop() {
				out = r.Resample(out[:0], in)
			}
		})
	}
}
