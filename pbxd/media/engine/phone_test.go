package engine

import (
	"encoding/binary"
	"log/slog"
	"math"
	"slices"
	"testing"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
)

// clock is virtual time.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// lab is an engine in virtual time.
type lab struct {
	*clock
	*Engine
	slot int
}

func newLab() *lab {
	c := &clock{time.Unix(1_000_000, 0)}
	return &lab{clock: c, Engine: New(c.now, slog.New(slog.DiscardHandler))}
}

// run lets time pass in steps of 5 ms; each calls do first with the time since
// the start of the run.
func (l *lab) run(d time.Duration, do func(time.Duration)) {
	for at := time.Duration(0); at < d; at += slotTime {
		if do != nil {
			do(at)
		}
		l.step(l.slot, l.t)
		l.slot = (l.slot + 1) % slots
		l.t = l.t.Add(slotTime)
	}
}

// got is a packet that a phone received.
type got struct {
	header
	payload []byte
	at      time.Time
}

// phone is an endpoint that sends a tone and keeps what it receives.
type phone struct {
	t       testing.TB
	clock   *clock
	peer    media.Endpoint
	got     []got
	rtcp    [][]byte
	raw     [][]byte
	discard bool

	codec   codec.Codec
	pt      uint8
	enc     codec.Encoder
	hz      float64
	phase   int
	seq     uint16
	stamp   uint32
	ssrc    uint32
	started bool
}

func newPhone(t testing.TB, l *lab, c codec.Codec, hz float64) *phone {
	f := formatOf(c)
	return &phone{t: t, clock: l.clock, codec: c, pt: f.PT, enc: c.NewEncoder(), hz: hz, seq: 65500, stamp: 1<<32 - 4000, ssrc: uint32(hz)}
}

func (p *phone) SetPeer(e media.Endpoint) { p.peer = e }

func (p *phone) WriteRTP(b []byte) {
	if p.discard {
		return
	}
	h, ok := parse(b)
	if !ok {
		p.t.Errorf("received %x, no RTP", b)
		return
	}
	p.raw = append(p.raw, slices.Clone(b))
	p.got = append(p.got, got{h, slices.Clone(b[h.body:h.end]), p.clock.t})
}

func (p *phone) WriteRTCP(b []byte) { p.rtcp = append(p.rtcp, slices.Clone(b)) }

// packet returns the next packet with a payload.
func (p *phone) packet(pt uint8, marker bool, payload []byte) []byte {
	b := make([]byte, 12, 12+len(payload))
	b[0], b[1] = 0x80, pt
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], p.seq)
	binary.BigEndian.PutUint32(b[4:], p.stamp)
	binary.BigEndian.PutUint32(b[8:], p.ssrc)
	p.seq++
	return append(b, payload...)
}

// speech returns the next 20 ms of the tone.
func (p *phone) speech() []byte {
	rate := p.codec.Rate()
	samples := make([]int16, rate/50)
	for i := range samples {
		samples[i] = int16(10000 * math.Sin(2*math.Pi*p.hz*float64(p.phase)/float64(rate)))
		p.phase++
	}
	b := p.packet(p.pt, !p.started, p.enc.Encode(nil, samples))
	p.started = true
	p.stamp += 160
	return b
}

func (p *phone) send(b []byte) {
	if p.peer != nil {
		p.peer.WriteRTP(b)
	}
}

// talk sends a packet each 20 ms of run.
func (p *phone) talk(at time.Duration) {
	if at%frameTime == 0 {
		p.send(p.speech())
	}
}

// samples decodes what was received in order from packet n on; the rate is that
// of the codec.
func (p *phone) samples(c codec.Codec, n int) (out []int16) {
	pt := formatOf(c).PT
	dec := c.NewDecoder()
	for _, g := range p.got[min(n, len(p.got)):] {
		if g.pt == pt {
			out = dec.Decode(out, g.payload)
		}
	}
	return out
}

// continuous checks that what was received is one stream: one SSRC, numbers
// that rise by one, time stamps that follow the time within slack.
func (p *phone) continuous(t *testing.T, slack time.Duration) {
	t.Helper()
	for i := 1; i < len(p.got); i++ {
		a, b := p.got[i-1], p.got[i]
		if b.ssrc != a.ssrc {
			t.Fatalf("packet %d: SSRC %08x after %08x", i, b.ssrc, a.ssrc)
		}
		if b.seq != a.seq+1 {
			t.Fatalf("packet %d: sequence number %d after %d", i, b.seq, a.seq)
		}
		if b.pt >= 96 || a.pt >= 96 {
			continue // events keep the time stamp of their start
		}
		passed := time.Duration(int32(b.stamp-a.stamp)) * time.Millisecond / 8
		if off := passed - b.at.Sub(a.at); off < -slack || off > slack || passed <= 0 {
			t.Fatalf("packet %d of %d: time stamp %v later, sent %v later", i, len(p.got), passed, b.at.Sub(a.at))
		}
	}
}

func formatOf(c codec.Codec) media.Format {
	pt := map[codec.Codec]uint8{codec.PCMU: 0, codec.PCMA: 8, codec.G722: 9}[c]
	f, _ := media.StaticFormat(pt)
	return f
}

func eventFormat(pt uint8) media.Format {
	return media.Format{PT: pt, Name: media.TelephoneEvent, Clock: 8000, Channels: 1, FMTP: "0-16"}
}

// config is that of a side that sends and takes these formats.
func config(formats ...media.Format) Config {
	return Config{Receive: formats, Send: formats, Direction: media.SendRecv}
}

// toneSNR returns the level of the tone of hz, relative to a peak of 10000, and
// how far all else is below it, both in dB, median of windows of 100 ms.
func toneSNR(samples []int16, hz, rate float64) (level, snr float64) {
	var levels, snrs []float64
	for w := range slices.Chunk(samples, int(rate/10)) {
		if len(w) < int(rate/10) {
			break
		}
		var re, im, power float64
		for i, v := range w {
			s, c := math.Sincos(2 * math.Pi * hz * float64(i) / rate)
			re += float64(v) * c
			im += float64(v) * s
			power += float64(v) * float64(v)
		}
		tone := 2 * (re*re + im*im) / float64(len(w))
		levels = append(levels, 10*math.Log10(max(tone, 1)/float64(len(w))/(1e8/2)))
		snrs = append(snrs, 10*math.Log10(max(tone, 1)/max(power-tone, 1)))
	}
	if len(snrs) == 0 {
		return math.Inf(-1), math.Inf(-1)
	}
	slices.Sort(levels)
	slices.Sort(snrs)
	return levels[len(levels)/2], snrs[len(snrs)/2]
}
