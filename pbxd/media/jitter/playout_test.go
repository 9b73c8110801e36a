package jitter

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"galilei/pbxd/media/codec"
)

// network carries 20 ms packets of a 440 Hz tone of G.711 A-law at 10000 peak.
type network struct {
	seconds   int
	loss      float64
	jitter    time.Duration // uniform, so packets overtake each other
	drift     float64       // of the sender's clock, parts in a million
	duplicate float64
	start     uint32
}

type arrival struct {
	at      time.Duration
	stamp   uint32
	payload []byte
}

func (n network) arrivals(rng *rand.Rand) (list []arrival) {
	enc := codec.PCMA.NewEncoder()
	samples := make([]int16, 160)
	for i := range n.seconds * 50 {
		for k := range samples {
			samples[k] = int16(10000 * math.Sin(2*math.Pi*440*float64(i*160+k)/8000))
		}
		payload := enc.Encode(nil, samples)
		if rng.Float64() < n.loss {
			continue
		}
		at := time.Duration(float64(i) * 20e6 * (1 - n.drift/1e6))
		for copies := 1; copies <= 2; copies++ {
			a := arrival{at: at, stamp: n.start + uint32(i)*160, payload: payload}
			if n.jitter > 0 {
				a.at += time.Duration(rng.Int64N(int64(n.jitter)))
			}
			list = append(list, a)
			if rng.Float64() >= n.duplicate {
				break
			}
		}
	}
	slices.SortStableFunc(list, func(a, b arrival) int { return int(a.at - b.at) })
	return list
}

// play runs the packets through p in virtual time and returns what was played,
// after the first second, and the delay at each frame.
func play(p *Playout, list []arrival, seconds int) (out []int16, delays []time.Duration) {
	began := time.Unix(1000, 0)
	frame := make([]int16, p.Rate()/50)
	for i := range seconds * 50 {
		tick := time.Duration(i)*20*time.Millisecond + 7*time.Millisecond
		for len(list) > 0 && list[0].at <= tick {
			p.Put(list[0].payload, list[0].stamp, false, began.Add(list[0].at))
			list = list[1:]
		}
		p.Frame(frame, began.Add(tick))
		if i >= 50 {
			out = append(out, frame...)
			delays = append(delays, p.Delay())
		}
	}
	return out, delays
}

// toneSNR returns how far all else is below the tone of hz, dB, in windows of
// 100 ms, the median: where the delay changes, so does the phase.
func toneSNR(samples []int16, hz, rate float64) float64 {
	var list []float64
	for w := range slices.Chunk(samples, int(rate/10)) {
		var re, im, power float64
		for i, v := range w {
			s, c := math.Sincos(2 * math.Pi * hz * float64(i) / rate)
			re += float64(v) * c
			im += float64(v) * s
			power += float64(v) * float64(v)
		}
		tone := 2 * (re*re + im*im) / float64(len(w))
		list = append(list, 10*math.Log10(tone/max(power-tone, 1)))
	}
	slices.Sort(list)
	return list[len(list)/2]
}

func rms(samples []int16) float64 {
	var sum float64
	for _, v := range samples {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(samples)))
}

func TestPlayout(t *testing.T) {
	const rate = 8000
	for _, tt := range []struct {
		name             string
		network          network
		snr              float64 // least
		low, high        time.Duration
		late, concealed  float64 // most, share of the packets and of the time
		reorders, copies bool
	}{
		{name: "perfect", network: network{seconds: 20}, snr: 36, low: 15 * time.Millisecond, high: 45 * time.Millisecond},
		{name: "over the wrap of time stamps", network: network{seconds: 20, start: 1<<32 - 80000}, snr: 36, low: 15 * time.Millisecond, high: 45 * time.Millisecond},
		{name: "5 % lost", network: network{seconds: 30, loss: 0.05}, snr: 36, low: 15 * time.Millisecond, high: 45 * time.Millisecond, concealed: 0.065},
		{name: "jitter of 60 ms", network: network{seconds: 60, jitter: 60 * time.Millisecond}, snr: 36, low: 50 * time.Millisecond, high: 105 * time.Millisecond, late: 0.01, concealed: 0.01, reorders: true},
		{name: "jitter of 300 ms is too much", network: network{seconds: 60, jitter: 300 * time.Millisecond}, snr: 0, low: 100 * time.Millisecond, high: 250 * time.Millisecond, late: 0.5, concealed: 0.5, reorders: true},
		{name: "fast clock", network: network{seconds: 300, drift: 200}, snr: 36, low: 10 * time.Millisecond, high: 50 * time.Millisecond, concealed: 0.001},
		{name: "slow clock", network: network{seconds: 300, drift: -200}, snr: 36, low: 10 * time.Millisecond, high: 50 * time.Millisecond, concealed: 0.001},
		{name: "all at once", network: network{seconds: 120, drift: 200, loss: 0.05, jitter: 60 * time.Millisecond, duplicate: 0.1}, snr: 15, low: 40 * time.Millisecond, high: 115 * time.Millisecond, late: 0.02, concealed: 0.08, reorders: true, copies: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			list := tt.network.arrivals(rng)
			p := NewPlayout(codec.PCMA, 1)
			out, delays := play(p, list, tt.network.seconds)
			snr, level := toneSNR(out, 440, rate), 20*math.Log10(rms(out)*math.Sqrt2/10000)
			half := delays[len(delays)/2:]
			slices.Sort(half)
			low, high := half[len(half)/50], half[len(half)-1-len(half)/50]
			c, ch := p.Counts(), p.Changes()
			concealed := float64(ch.ConcealedMs) / float64(1000*tt.network.seconds)
			late := float64(c.Late) / float64(c.Packets)
			t.Logf("SNR %.1f dB, level %+.2f dB, delay %v to %v, target %v, late %.2f %%, concealed %.2f %%, %+v %+v", snr, level, low, high, p.Target(), 100*late, 100*concealed, c, ch)
			if snr < tt.snr || tt.snr > 30 && math.Abs(level) > 0.6 {
				t.Errorf("SNR %.1f dB, level %+.2f dB, want at least %.0f dB and the level within 0.6 dB", snr, level, tt.snr)
			}
			if low < tt.low || high > tt.high {
				t.Errorf("delay %v to %v, want %v to %v", low, high, tt.low, tt.high)
			}
			if late > tt.late || concealed > tt.concealed+0.002 {
				t.Errorf("late %.4f and concealed %.4f, want at most %.4f and %.4f", late, concealed, tt.late, tt.concealed)
			}
			if (c.Reordered > 0) != tt.reorders || (c.Duplicate > 0) != tt.copies || c.Restarts != 0 {
				t.Errorf("counts %+v", c)
			}
			if tt.network.drift != 0 && tt.network.jitter == 0 && ch.Shortened+ch.Lengthened == 0 {
				t.Error("the drift was never made up for")
			}
		})
	}
}
