package ladder

import (
	"math"
	"time"
)

// Sample is what was measured on a leg in about 5 s.
type Sample struct {
	At        time.Time
	Packets   uint64        // from the side since its audio began
	Codec     string        // that the side sends; empty for not known
	Buffer    time.Duration // delay of the jitter buffer; 0 when nothing is decoded
	RoundTrip time.Duration // 0 while not known
	In        Heard         // what comes from the side
	Reported  bool          // the side has said how it hears
	Out       Heard         // how the side hears, when Reported
}

// Heard is how one direction sounds.
type Heard struct {
	Loss   float64       // share of the packets, 0 to 1
	Jitter time.Duration // RFC 3550
	R      float64       // ITU-T G.107, 0 to 93.2, or to 129 where Wide
	MOS    float64       // 1 to 4.5
	Wide   bool          // on the scale of wideband calls (ITU-T G.107.1)
}

// sample is a Sample as it is kept.
type sample struct {
	at           int64  // ms since 1970
	in, out      heard  // not known when nothing came, or was reported
	buffer, trip uint16 // ms
}

// sampleCost is what a sample takes.
const sampleCost = 40

// heard is Heard in small whole numbers.
type heard struct {
	loss   uint16 // 1/100 %
	jitter uint16 // 1/10 ms
	r      uint16 // 1/100
	mos    uint16 // 1/1000
	known  bool
	wide   bool
}

func small(h Heard) heard {
	return heard{loss: whole(h.Loss * 1e4), jitter: whole(float64(h.Jitter) / 1e5), r: whole(h.R * 100), mos: whole(h.MOS * 1000), known: true, wide: h.Wide}
}

// whole rounds a value into range; what is not a number becomes 0.
func whole(v float64) uint16 {
	if !(v > 0) {
		return 0
	}
	return uint16(min(math.Round(v), math.MaxUint16))
}

// series is how a leg has sounded.
type series struct {
	samples []sample
	every   int // so many measurements make one sample; 0 counts as 1
	open    []sample
	packets uint64
	codec   string
}

// add takes new measurements. When there are too many, two neighbours become
// one from then on.
func (s *series) add(list []Sample) {
	for _, x := range list {
		if n := len(s.samples); n > 0 && x.At.UnixMilli() <= s.samples[n-1].at {
			continue // told before
		}
		one := sample{at: x.At.UnixMilli(), buffer: whole(float64(x.Buffer) / 1e6), trip: whole(float64(x.RoundTrip) / 1e6)}
		if x.Packets != s.packets { // otherwise nobody spoke, and nothing is to be said of how it sounded
			one.in = small(x.In)
		}
		if x.Reported {
			one.out = small(x.Out)
		}
		s.packets = x.Packets
		if x.Codec != "" {
			s.codec = x.Codec
		}
		s.open = append(s.open, one)
		if len(s.open) < s.every {
			continue
		}
		s.samples = append(s.samples, mean(s.open))
		s.open = s.open[:0]
		if len(s.samples) < maxSamples {
			continue
		}
		for i := range len(s.samples) / 2 {
			s.samples[i] = mean(s.samples[2*i : 2*i+2])
		}
		s.samples = s.samples[:len(s.samples)/2]
		s.every = max(s.every, 1) * 2
	}
}

// all returns the samples, the open ones as the last.
func (s *series) all() []sample {
	list := append([]sample{}, s.samples...)
	if len(s.open) > 0 {
		list = append(list, mean(s.open))
	}
	return list
}

// mean makes one sample of several.
func mean(list []sample) sample {
	last := list[len(list)-1]
	if len(list) == 1 {
		return last
	}
	last.in = meanHeard(list, func(s *sample) *heard { return &s.in })
	last.out = meanHeard(list, func(s *sample) *heard { return &s.out })
	return last
}

func meanHeard(list []sample, of func(*sample) *heard) (m heard) {
	var n, loss, jitter, r, mos int
	for i := range list {
		h := of(&list[i])
		if !h.known {
			continue
		}
		n++
		loss, jitter, r, mos = loss+int(h.loss), jitter+int(h.jitter), r+int(h.r), mos+int(h.mos)
		m.wide = h.wide
	}
	if n > 0 {
		m = heard{uint16(loss / n), uint16(jitter / n), uint16(r / n), uint16(mos / n), true, m.wide}
	}
	return m
}

// worst is the mean MOS of the direction of a leg that sounded worse, with two
// digits; 0 for none known.
func worst(samples []sample) (mos float64) {
	for _, of := range []func(*sample) *heard{func(s *sample) *heard { return &s.in }, func(s *sample) *heard { return &s.out }} {
		if m := meanHeard(samples, of); m.known && (mos == 0 || float64(m.mos)/1000 < mos) {
			mos = float64(m.mos) / 1000
		}
	}
	return math.Round(mos*100) / 100
}
