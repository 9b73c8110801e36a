package engine

import (
	"slices"
	"time"

	"galilei/pbxd/media/codec"
	"galilei/pbxd/media/quality"
)

// maxSamples bounds the samples that a side keeps: 10 min. Whoever wants a
// longer series collects them more often.
const maxSamples = 120

// Sample is what was measured on a side in about 5 s.
type Sample struct {
	At      time.Time
	Speaks  codec.Codec // what it sends; 0 for what is not decoded
	Packets uint64      // from the side since it was attached
	Lost    int64       // missing of them

	Loss   float64       // share lost on the way from the side in this interval, 0 to 1
	Jitter time.Duration // of what comes from the side (RFC 3550)
	Buffer time.Duration // delay of the jitter buffer; 0 when nothing is decoded
	In     quality.Call  // how what comes from the side sounds

	Reported     bool          // the side has reported on what it is sent, in the last 20 s
	ReportedLoss float64       // share lost on the way to the side, 0 to 1
	ReportedJit  time.Duration // as the side measures it
	RoundTrip    time.Duration // 0 while not known
	Out          quality.Call  // how the side hears, when Reported
}

// Samples returns what was measured, the oldest first: at most the
// last 10 min.
func (s *Side) Samples() []Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reports.samples)
}

// Last returns the newest sample; ok is false before the first.
func (s *Side) Last() (Sample, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.reports.samples); n > 0 {
		return s.reports.samples[n-1], true
	}
	return Sample{}, false
}

// measure returns the sample of the interval that ends now. The caller holds
// mu.
func (s *Side) measure(now time.Time) Sample {
	r, p := &s.reports, s.plan.Load()
	received, missing := s.stream.Received(), s.stream.Missing()
	got, lost := received-r.packets, missing-r.lost
	r.packets, r.lost = received, missing
	x := Sample{
		At: now, Speaks: s.current(p).speech, Packets: received, Lost: missing, Jitter: s.stream.Jitter(),
		Reported: !r.reported.IsZero() && now.Sub(r.reported) < reportHolds, ReportedLoss: r.loss, ReportedJit: r.jitter, RoundTrip: r.trip,
	}
	if lost > 0 {
		x.Loss = float64(lost) / float64(uint64(lost)+got)
	}
	late := 0.0
	if s.decoding {
		x.Buffer = s.playout.Delay()
		c := s.playout.Counts()
		if got > 0 {
			late = float64(c.Late-r.late) / float64(got)
		}
		r.late = c.Late
	}
	network := quality.Network{Loss: min(x.Loss+late, 1), OneWay: r.trip / 2, JitterBuffer: x.Buffer, Packet: frameTime}
	x.In = quality.Estimate(rated(x.Speaks), network)
	if x.Reported {
		s.out.mu.Lock()
		c := s.out.codec
		s.out.mu.Unlock()
		x.Out = quality.Estimate(rated(c), quality.Network{Loss: r.loss, OneWay: r.trip / 2, JitterBuffer: 2 * r.jitter, Packet: frameTime})
	}
	return x
}

// rated returns the figures of a codec; G.711 for one that is not known.
func rated(c codec.Codec) quality.Codec {
	if c == codec.G722 {
		return quality.G722Concealed()
	}
	return quality.G711Concealed()
}
