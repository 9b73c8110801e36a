package engine

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"galilei/pbxd/media/codec"
)

// FuzzPackets gives a side datagrams of any content, cut out of the input with
// a length octet before each, in every gear and with every kind of peer.
func FuzzPackets(f *testing.F) {
	l := newLab()
	p := newPhone(f, l, codec.PCMA, 1010)
	speech := p.speech()[:60]
	event := p.packet(101, true, []byte{5, 0x8a, 1, 0x90})
	sr, err := rtcp.Marshal([]rtcp.Packet{&rtcp.SenderReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: 2}}}})
	if err != nil {
		f.Fatal(err)
	}
	join := func(list ...[]byte) (b []byte) {
		for _, x := range list {
			b = append(append(b, byte(len(x))), x...)
		}
		return b
	}
	f.Add(join(speech, event, speech), join(sr), uint8(0))
	f.Add(join(event, event[:13], append([]byte{0xb1}, speech[1:]...)), join(sr[:20]), uint8(1))
	f.Add(join(p.packet(13, false, []byte{40, 100}), p.packet(9, false, speech)), join(), uint8(2))
	f.Fuzz(func(t *testing.T, rtp, control []byte, kind uint8) {
		l := newLab()
		a, b := &counter{}, newPhone(t, l, codec.PCMA, 620)
		to := config(formatOf(codec.PCMA), eventFormat(96))
		switch kind % 4 {
		case 1:
			to = config(formatOf(codec.G722), eventFormat(101))
		case 2:
			to = config(formatOf(codec.PCMU))
		case 3:
			to = config(formatOf(codec.PCMA), formatOf(codec.G722), eventFormat(101))
		}
		from := config(formatOf(codec.PCMA), formatOf(codec.G722), eventFormat(101))
		from.Digits = func(Digit) {}
		sa, sb := l.Attach(a, from), l.Attach(b, to)
		Join(sa, sb)
		each := func(in []byte, take func([]byte)) {
			for i := 0; len(in) > 0 && i < 40; i++ {
				n := min(int(in[0]), len(in)-1)
				take(in[1 : 1+n])
				l.run(slotTime, nil)
				in = in[1+n:]
			}
		}
		each(rtp, a.peer.WriteRTP)
		each(control, a.peer.WriteRTCP)
		l.run(200*time.Millisecond, nil)
		l.t = l.t.Add(10 * time.Second) // for the reports
		l.run(frameTime, nil)
		if len(b.got) > len(rtp)+len(control)+400 {
			t.Fatalf("%d packets out of %d octets", len(b.got), len(rtp))
		}
		for i := range b.got {
			if !bytes.Equal(b.raw[i][:1], []byte{0x80}) && sa.Gear() == Decode && b.raw[i][0]>>6 != 2 {
				t.Fatalf("packet %d starts with %02x", i, b.raw[i][0])
			}
		}
		if n := len(sa.told) + len(sb.out.signals.queue) + len(sb.out.pending); n > 2*maxSignals+480 {
			t.Fatalf("%d things held", n)
		}
	})
}

// gears returns two joined sides in each gear, with packets for the first.
func gears(t testing.TB, l *lab) map[string]func() (a, b *Side, p *phone) {
	pair := func(ca, cb codec.Codec, own bool) func() (*Side, *Side, *phone) {
		return func() (*Side, *Side, *phone) {
			a, b := newPhone(t, l, ca, 1010), newPhone(t, l, cb, 620)
			a.discard, b.discard = true, true
			sa, sb := l.Attach(a, config(formatOf(ca), eventFormat(101))), l.Attach(b, config(formatOf(cb), eventFormat(101)))
			sb.out.own = own
			Join(sa, sb)
			return sa, sb, a
		}
	}
	return map[string]func() (a, b *Side, p *phone){
		"forward":          pair(codec.PCMA, codec.PCMA, false),
		"rewrite":          pair(codec.PCMA, codec.PCMA, true),
		"decode PCMA-PCMU": pair(codec.PCMA, codec.PCMU, false),
		"decode PCMA-G722": pair(codec.PCMA, codec.G722, false),
		"decode G722-PCMA": pair(codec.G722, codec.PCMA, false),
	}
}

// advance gives packet b the next numbers.
func advance(b []byte, n int) {
	seq, stamp := uint16(n), uint32(n)*160
	b[2], b[3] = byte(seq>>8), byte(seq)
	b[4], b[5], b[6], b[7] = byte(stamp>>24), byte(stamp>>16), byte(stamp>>8), byte(stamp)
}

func TestNothingAllocates(t *testing.T) {
	l := newLab()
	for name, make := range gears(t, l) {
		a, b, p := make()
		packet, n := p.speech(), 0
		each := func() {
			n++
			advance(packet, n)
			p.send(packet)
			a.hear(l.t)
			b.say(l.t, &l.scratch)
			l.t = l.t.Add(frameTime)
		}
		for range 500 {
			each()
		}
		if got := testing.AllocsPerRun(1000, each); got != 0 {
			t.Errorf("%s: %v allocations a frame, want 0", name, got)
		}
		before := n
		if c, _ := a.Playout(); a.Gear() == Decode && c.Packets != uint64(before) {
			t.Errorf("%s: %d packets decoded of %d", name, c.Packets, before)
		}
		a.Close()
		b.Close()
	}
	tone := l.Attach(&counter{}, config(formatOf(codec.PCMA)))
	tone.Play(Silence{})
	if got := testing.AllocsPerRun(1000, func() { tone.say(l.t, &l.scratch); l.t = l.t.Add(frameTime) }); got != 0 {
		t.Errorf("silence: %v allocations a frame, want 0", got)
	}
}

// BenchmarkPacket is one packet of one direction: taken, heard, sent.
func BenchmarkPacket(b *testing.B) {
	l := newLab()
	for name, make := range gears(b, l) {
		b.Run(name, func(b *testing.B) {
			sa, sb, p := make()
			packet, n := p.speech(), 0
			for b.Loop() {
				n++
				advance(packet, n)
				p.send(packet)
				sa.hear(l.t)
				sb.say(l.t, &l.scratch)
				l.t = l.t.Add(frameTime)
			}
			sa.Close()
			sb.Close()
		})
	}
}

// BenchmarkIdle is the step of a frame for 200 calls whose packets pass.
func BenchmarkIdle(b *testing.B) {
	c := &clock{time.Unix(1_000_000, 0)}
	e := New(c.now, slog.New(slog.DiscardHandler))
	for range 200 {
		Join(e.Attach(&counter{}, config(formatOf(codec.PCMA))), e.Attach(&counter{}, config(formatOf(codec.PCMA))))
	}
	for b.Loop() {
		for slot := range slots {
			e.step(slot, c.t)
		}
		c.t = c.t.Add(frameTime)
	}
}
