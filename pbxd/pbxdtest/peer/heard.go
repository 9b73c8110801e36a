package peer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Sound is what a stretch of packets sounds like and how it came.
type Sound struct {
	Packets   int
	Lost      int           // sequence numbers between the first and the last that did not come
	Jumps     int           // packets whose time stamp does not follow from that of the one before
	Streams   int           // different SSRCs
	Gap       time.Duration // longest time between two packets
	Level     float64       // dB relative to a sine of full scale
	Share     float64       // of the energy that lies at the frequencies asked for
	Frequency float64       // that holds most of the energy, Hz; 0 when it was not looked for
	Types     []byte        // payload types, in the order in which they came first
}

func (s Sound) String() string {
	text := fmt.Sprintf("%d packets of %d streams, types %v, %d lost, %d jumps, gap %v: %.1f dB, share %.3f", s.Packets, s.Streams, s.Types, s.Lost, s.Jumps, s.Gap.Round(time.Millisecond), s.Level, s.Share)
	if s.Frequency > 0 {
		text += fmt.Sprintf(", most at %.0f Hz", s.Frequency)
	}
	return text
}

// Samples returns the audio of packets of G.711, in the order of arrival.
func Samples(packets []Packet) (samples []int16) {
	for _, p := range packets {
		for _, o := range p.Payload {
			switch p.Type {
			case PayloadPCMA:
				samples = append(samples, decodeALaw(o))
			case PayloadPCMU:
				samples = append(samples, decodeULaw(o))
			}
		}
	}
	return samples
}

// Measure says what packets sound like, seen at the frequencies of a tone.
func Measure(packets []Packet, freqs ...float64) Sound {
	s := measure(packets, freqs)
	s.Frequency = DominantFrequency(Samples(packets))
	return s
}

// measure leaves out the search for the frequency.
func measure(packets []Packet, freqs []float64) Sound {
	s := Sound{Packets: len(packets)}
	last := map[uint32]Packet{}
	for i, p := range packets {
		if i > 0 {
			s.Gap = max(s.Gap, p.At.Sub(packets[i-1].At))
		}
		if !slices.Contains(s.Types, p.Type) {
			s.Types = append(s.Types, p.Type)
		}
		if before, ok := last[p.SSRC]; ok {
			if step := int(int16(p.Seq - before.Seq)); step != 1 {
				s.Lost += max(step-1, 0)
				s.Jumps++
			} else if p.Type != PayloadEvent && before.Type != PayloadEvent && p.Stamp-before.Stamp != uint32(len(before.Payload)) {
				s.Jumps++
			}
		}
		last[p.SSRC] = p
	}
	s.Streams = len(last)
	samples := Samples(packets)
	s.Level = Level(samples)
	for _, f := range freqs {
		s.Share += ToneShare(samples, f)
	}
	return s
}

// audioTime is how long audio is waited for; generous, since the machine may be
// busy.
const audioTime = 30 * time.Second

// stretch is how many packets are measured: half a second.
const stretch = 25

// quiet is the level below which a stretch is silence, dB: above the noise of
// G.711, far below any tone of a test.
const quietLevel = -55

// Hears waits until half a second without any gap that has arrived after the
// call of Hears is a tone of these frequencies, and returns its measure.
func (v *Voice) Hears(ctx context.Context, freqs ...float64) (Sound, error) {
	return v.awaitSound(ctx, fmt.Sprintf("%.0f Hz", freqs), freqs, func(s Sound) bool { return s.Share > 0.97 && s.Level > quietLevel })
}

// HearsSilence waits until half a second that has arrived after the call is
// silence that is sent: a stream that runs.
func (v *Voice) HearsSilence(ctx context.Context) (Sound, error) {
	return v.awaitSound(ctx, "silence", nil, func(s Sound) bool { return s.Level < quietLevel })
}

func (v *Voice) awaitSound(ctx context.Context, what string, freqs []float64, is func(Sound) bool) (found Sound, err error) {
	ctx, cancel := context.WithTimeout(ctx, audioTime)
	defer cancel()
	mark, tried := v.Mark(), 0
	var heard []Packet
	err = v.until(ctx, mark, func(p []Packet) bool {
		for ; tried+stretch <= len(p); tried += 5 {
			heard = p[tried : tried+stretch]
			found = measure(heard, freqs)
			if found.Lost == 0 && found.Jumps == 0 && found.Streams == 1 && is(found) {
				return true
			}
		}
		return false
	})
	if err != nil {
		found = Measure(heard, freqs...)
		return found, fmt.Errorf("audio port %d waited in vain for %s; since then %d packets, the last of them: %v: %w", v.Port(), what, len(v.Since(mark)), found, err)
	}
	return found, nil
}

// AwaitDigits waits until the telephone-events that have come since a mark are
// these digits, and returns what came in the end.
func (v *Voice) AwaitDigits(ctx context.Context, mark int, want string) (got string, err error) {
	ctx, cancel := context.WithTimeout(ctx, audioTime)
	defer cancel()
	err = v.until(ctx, mark, func(p []Packet) bool {
		got = digitsOf(p)
		return got == want || len(got) > len(want)
	})
	if err == nil && got != want {
		err = fmt.Errorf("more than asked for")
	}
	if err != nil {
		return got, fmt.Errorf("audio port %d waited in vain for the digits %s, got %q: %w", v.Port(), want, got, err)
	}
	return got, nil
}

// digitsOf returns the events that have ended; each has its own time stamp.
func digitsOf(packets []Packet) string {
	var b strings.Builder
	seen := map[uint32]bool{}
	for _, p := range packets {
		if p.Type != PayloadEvent || len(p.Payload) < 4 || p.Payload[1]&0x80 == 0 || seen[p.Stamp] {
			continue
		}
		seen[p.Stamp] = true
		if c := int(p.Payload[0]); c < len(eventDigits) {
			b.WriteByte(eventDigits[c])
		} else {
			b.WriteByte('!')
		}
	}
	return b.String()
}
