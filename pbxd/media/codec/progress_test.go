package codec

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"galilei/pbxd/pbx"
)

// listen plays samples to d in frames and returns the tones that it heard
// within, one after the other, and when the first was heard, in ms.
func listen(d *ProgressDetector, rate int, samples []int16) (heard []int, ms int) {
	last := -1
	for i := 0; i+rate/50 <= len(samples); i += rate / 50 {
		now := d.Detect(samples[i : i+rate/50])
		if now != last && now >= 0 {
			if len(heard) == 0 {
				ms = i * 1000 / rate
			}
			heard = append(heard, now)
		}
		last = now
	}
	return heard, ms
}

// changed returns t with other frequencies and times, and without an end.
func changed(t Tone, hz float64, times float64) Tone {
	n := Tone{}
	for _, b := range t.Bursts {
		c := Burst{On: int(float64(b.On) * times), Off: int(float64(b.Off) * times)}
		for _, s := range b.Sines {
			c.Sines = append(c.Sines, Sine{s.Hz + hz, s.DBm0})
		}
		n.Bursts = append(n.Bursts, c)
	}
	return n
}

// Every country's tones are told apart.
func TestProgressOfCountries(t *testing.T) {
	names := []string{"dial", "ringback", "busy", "congestion"}
	for _, c := range pbx.Countries() {
		tones := []Tone{FromProfile(c.Tones.Dial), FromProfile(c.Tones.Ringback), FromProfile(c.Tones.Busy), FromProfile(c.Tones.Congestion)}
		if !c.Tones.Congestion.Known() || reflect.DeepEqual(c.Tones.Congestion, c.Tones.Busy) {
			tones = tones[:3]
		}
		for want, tone := range tones {
			for name, play := range map[string]Tone{
				"as it is": tone, "8 Hz lower": changed(tone, -8, 1), "8 Hz higher": changed(tone, 8, 1),
				"10 % shorter": changed(tone, 0, 0.9), "10 % longer": changed(tone, 0, 1.1),
			} {
				d, err := NewProgressDetector(8000, ALawMilliwatt, tones...)
				if err != nil {
					t.Fatal(err)
				}
				samples := make([]int16, 8000*14)
				newGenerator(t, play, 8000).Fill(samples[2000:])
				heard, ms := listen(d, 8000, samples)
				if len(heard) != 1 || heard[0] != want {
					t.Errorf("%s, %s tone %s: heard %v; want %d", c.Code, names[want], name, heard, want)
				} else if name == "as it is" {
					t.Logf("%s, %s tone: heard after %d ms", c.Code, names[want], ms-250)
				}
			}
		}
	}
}

func germanTones(t testing.TB, rate int) (*ProgressDetector, []Tone) {
	t.Helper()
	c, ok := pbx.CountryByCode("DE")
	if !ok {
		t.Fatal("no Germany")
	}
	tones := []Tone{FromProfile(c.Tones.Dial), FromProfile(c.Tones.Ringback), FromProfile(c.Tones.Busy), FromProfile(c.Tones.Congestion)}
	d, err := NewProgressDetector(rate, ALawMilliwatt, tones...)
	if err != nil {
		t.Fatal(err)
	}
	return d, tones
}

// A tone that ends is no longer heard, and the next one is.
func TestProgressOneAfterTheOther(t *testing.T) {
	for _, rate := range []int{8000, 16000} {
		d, tones := germanTones(t, rate)
		var samples []int16
		for _, i := range []int{0, 1, 2, 3, 2} {
			part := make([]int16, 12*rate)
			newGenerator(t, tones[i], rate).Fill(part[:11*rate])
			samples = append(samples, part...)
		}
		heard, _ := listen(d, rate, samples)
		if len(heard) != 5 || heard[0] != 0 || heard[1] != 1 || heard[2] != 2 || heard[3] != 3 || heard[4] != 2 {
			t.Errorf("%d Hz: heard %v; want 0 1 2 3 2", rate, heard)
		}
		if now := d.Detect(make([]int16, rate)); now != -1 {
			t.Errorf("%d Hz: hears tone %d in silence", rate, now)
		}
	}
}

func TestProgressRefused(t *testing.T) {
	_, tones := germanTones(t, 8000)
	busy := tones[2]
	r := rand.New(rand.NewPCG(1, 1))
	hiss := make([]int16, 8000*10)
	for i := range hiss {
		hiss[i] = int16(r.NormFloat64() * 2000)
	}
	soft := changed(busy, 0, 1)
	soft.Bursts[0].Sines[0].DBm0 = -45
	play := func(tone Tone) []int16 {
		samples := make([]int16, 8000*10)
		newGenerator(t, tone, 8000).Fill(samples)
		return samples
	}
	for name, samples := range map[string][]int16{
		"noise": hiss, "silence": make([]int16, 8000*10), "40 Hz off": play(changed(busy, 40, 1)),
		"half as long again": play(changed(busy, 0, 1.5)), "too soft": play(soft),
		"speech": NewDownsampler().Resample(nil, readSamples(t, "speech.s16")),
		"digits": signal{low: -9, high: -7, on: 60, pause: 60}.play(t, 8000, Keys, 1),
	} {
		d, _ := germanTones(t, 8000)
		if heard, _ := listen(d, 8000, samples); heard != nil {
			t.Errorf("%s: heard %v; want nothing", name, heard)
		}
	}
	ok := Tone{Bursts: []Burst{{Sines: []Sine{{425, -10}}}}}
	for name, tones := range map[string][]Tone{
		"none": nil, "17": make([]Tone, 17), "no bursts": {ok, {}}, "nine bursts": {{Bursts: make([]Burst, 9)}},
	} {
		if _, err := NewProgressDetector(8000, ALawMilliwatt, tones...); !errors.Is(err, ErrTone) {
			t.Errorf("%s: %v; want ErrTone", name, err)
		}
	}
}

func TestProgressAllocatesNothing(t *testing.T) {
	d, tones := germanTones(t, 16000)
	frame := make([]int16, 320)
	g := newGenerator(t, tones[2], 16000)
	if n := testing.AllocsPerRun(200, func() { g.Fill(frame); d.Detect(frame) }); n != 0 {
		t.Errorf("%v allocations a frame; want none", n)
	}
}

// FuzzProgress gives any signal, made of runs of tone, silence and noise.
func FuzzProgress(f *testing.F) {
	f.Add([]byte{12, 13, 12, 13, 12})
	f.Add([]byte{200, 100, 50, 25, 255, 0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, runs []byte) {
		d, tones := germanTones(t, 8000)
		for i, r := range runs[:min(len(runs), 200)] {
			samples := make([]int16, int(r)*80)
			switch i % 3 {
			case 0:
				newGenerator(t, tones[0], 8000).Fill(samples)
			case 2:
				for j := range samples {
					samples[j] = int16(j * j * int(r))
				}
			}
			if got := d.Detect(samples); got < -1 || got >= len(tones) {
				t.Fatalf("heard tone %d of %d", got, len(tones))
			}
		}
	})
}

func BenchmarkProgressDetector(b *testing.B) {
	d, tones := germanTones(b, 8000)
	frame := make([]int16, 160)
	newGenerator(b, tones[0], 8000).Fill(frame)
	b.ReportAllocs()
	for b.Loop() {
		d.Detect(frame)
	}
}
