package engine

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
	"galilei/pbxd/pbx"
)

// TestPairs sends a tone through every pair of codecs, both ways.
func TestPairs(t *testing.T) {
	codecs := []codec.Codec{codec.PCMU, codec.PCMA, codec.G722}
	for _, ca := range codecs {
		for _, cb := range codecs {
			t.Run(fmt.Sprintf("%v-%v", ca, cb), func(t *testing.T) {
				l := newLab()
				a, b := newPhone(t, l, ca, 1010), newPhone(t, l, cb, 620)
				sa := l.Attach(a, config(formatOf(ca), eventFormat(101)))
				sb := l.Attach(b, config(formatOf(cb), eventFormat(101)))
				media.Bridge(sa, sb)
				l.run(6*time.Second, func(at time.Duration) { a.talk(at); b.talk(at) })
				want := Decode
				if ca == cb {
					want = Forward
				}
				if sa.Gear() != want || sb.Gear() != want {
					t.Errorf("gears %v and %v, want %v", sa.Gear(), sb.Gear(), want)
				}
				for _, way := range []struct {
					from, to *phone
					c        codec.Codec
				}{{a, b, cb}, {b, a, ca}} {
					level, snr := toneSNR(way.to.samples(way.c, 50), way.from.hz, float64(way.c.Rate()))
					t.Logf("%v to %v: level %+.2f dB, SNR %.1f dB", way.from.codec, way.c, level, snr)
					if math.Abs(level) > 0.3 || snr < 32 {
						t.Errorf("%v to %v: level %+.2f dB, SNR %.1f dB; want within 0.3 dB and at least 32 dB", way.from.codec, way.c, level, snr)
					}
					if n := len(way.to.got); n < 295 || n > 301 {
						t.Errorf("%d packets in 6 s, want 300", n)
					}
					way.to.continuous(t, time.Millisecond)
				}
			})
		}
	}
}

// TestOneStream changes who is heard, and by which gear, and looks at what the
// listener gets: one stream.
func TestOneStream(t *testing.T) {
	l := newLab()
	pcma, g722 := formatOf(codec.PCMA), formatOf(codec.G722)
	a, b, c, d := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620), newPhone(t, l, codec.PCMA, 1400), newPhone(t, l, codec.G722, 800)
	sa, sb, sc, sd := l.Attach(a, config(pcma)), l.Attach(b, config(pcma)), l.Attach(c, config(pcma)), l.Attach(d, config(g722))
	everyone := func(at time.Duration) {
		for _, p := range []*phone{a, b, c, d} {
			p.talk(at)
		}
	}
	germany := pbx.Countries()[0].Tones
	for _, step := range []struct {
		name string
		do   func()
		gear Gear    // towards a
		hz   float64 // that a hears
	}{
		{"b speaks", func() { Join(sa, sb) }, Forward, 620},
		{"b holds a, who hears silence", func() { sa.Play(Silence{}) }, Idle, 0},
		{"b is back", func() { sa.Play(nil) }, Rewrite, 620},
		{"a hears ringing tone", func() {
			src, err := NewTone(germany.Ringback)
			if err != nil {
				t.Fatal(err)
			}
			sa.Play(src)
		}, Idle, -1},
		{"c is transferred in", func() { Join(sa, sc); sb.SetPeer(nil); sa.Play(nil) }, Rewrite, 1400},
		{"d speaks another codec", func() { Join(sa, sd); sc.SetPeer(nil) }, Decode, 800},
		{"c again", func() { Join(sa, sc); sd.SetPeer(nil) }, Rewrite, 1400},
	} {
		step.do()
		before := len(a.got)
		l.run(2*time.Second, everyone)
		sa.out.mu.Lock()
		source := sa.out.source
		sa.out.mu.Unlock()
		if source.Gear() != step.gear {
			t.Errorf("%s: gear %v, want %v", step.name, source.Gear(), step.gear)
		}
		heard := a.samples(codec.PCMA, before+20)
		if n := len(a.got) - before; n < 98 || n > 102 {
			t.Errorf("%s: %d packets in 2 s, want 100", step.name, n)
		}
		if before > 0 && !a.got[before].marker {
			t.Errorf("%s: no marker at the start", step.name)
		}
		switch level, snr := toneSNR(heard, step.hz, 8000); {
		case step.hz > 0 && (math.Abs(level) > 0.3 || snr < 30):
			t.Errorf("%s: level %+.2f dB, SNR %.1f dB", step.name, level, snr)
		case step.hz == 0:
			if loud := codec.ALawMilliwatt.Level(heard); loud > -60 {
				t.Errorf("%s: %.1f dBm0", step.name, loud)
			}
		}
	}
	a.continuous(t, 41*time.Millisecond)
	if len(sa.out.pending) > 160 {
		t.Errorf("%d octets pending", len(sa.out.pending))
	}
}

// TestPayloadTypesAreMapped joins sides that number the same formats
// differently.
func TestPayloadTypesAreMapped(t *testing.T) {
	l := newLab()
	pcma := formatOf(codec.PCMA)
	renumbered := pcma
	renumbered.PT = 110
	a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620)
	sa, sb := l.Attach(a, config(pcma, eventFormat(101))), l.Attach(b, config(renumbered, eventFormat(96)))
	Join(sa, sb)
	a.send(a.speech())
	a.send(a.packet(101, true, []byte{5, 10, 0, 160}))
	a.send(a.packet(77, false, []byte{1}))
	a.send(a.packet(98, false, []byte{1}))
	if sa.Gear() != Rewrite {
		t.Errorf("gear %v, want rewrite", sa.Gear())
	}
	if len(b.got) != 2 || b.got[0].pt != 110 || b.got[1].pt != 96 || !bytes.Equal(b.got[1].payload, []byte{5, 10, 0, 160}) || !b.got[1].marker {
		t.Errorf("received %+v, want PCMA as 110 and the event as 96", b.got)
	}
	if d := sa.Dropped(); d.Unknown != 2 || d.Unwanted != 2 {
		t.Errorf("dropped %+v, want two unknown that went nowhere", d)
	}
}

// TestNoAudioWhereNoneIsWanted holds a side by its direction.
func TestNoAudioWhereNoneIsWanted(t *testing.T) {
	for _, ca := range []codec.Codec{codec.PCMA, codec.G722} {
		l := newLab()
		a, b := newPhone(t, l, ca, 1010), newPhone(t, l, codec.PCMA, 620)
		hold := config(formatOf(codec.PCMA))
		hold.Direction = media.SendOnly
		sa, sb := l.Attach(a, config(formatOf(ca))), l.Attach(b, hold)
		Join(sa, sb)
		sb.Play(Silence{})
		l.run(time.Second, func(at time.Duration) { a.talk(at); b.talk(at) })
		if len(b.got) != 0 || len(a.got) < 45 {
			t.Errorf("%v: the side that only sends got %d packets, the other %d", ca, len(b.got), len(a.got))
		}
		sb.Play(nil)
		sb.Configure(config(formatOf(codec.PCMA)))
		l.run(time.Second, a.talk)
		if len(b.got) < 45 {
			t.Errorf("%v: %d packets after resume, want 50", ca, len(b.got))
		}
	}
}

// TestPacketLengths sends and takes packets of other lengths than a frame.
func TestPacketLengths(t *testing.T) {
	for _, ms := range []int{10, 30, 40, 60} {
		l := newLab()
		a, b := newPhone(t, l, codec.G722, 1010), newPhone(t, l, codec.PCMA, 620)
		want := config(formatOf(codec.PCMA))
		want.PTime = ms
		sa, sb := l.Attach(a, config(formatOf(codec.G722))), l.Attach(b, want)
		Join(sa, sb)
		l.run(3*time.Second, a.talk)
		for i, g := range b.got {
			if len(g.payload) != ms*8 || i > 0 && g.stamp-b.got[i-1].stamp != uint32(ms*8) {
				t.Fatalf("packet %d has %d octets, want %d", i, len(g.payload), ms*8)
			}
		}
		if level, snr := toneSNR(b.samples(codec.PCMA, 1000/ms), 1010, 8000); math.Abs(level) > 0.3 || snr < 30 {
			t.Errorf("%d ms: level %+.2f dB, SNR %.1f dB", ms, level, snr)
		}
	}
}

// TestPacketsBeforeTheFirst lets packets of a new source overtake each other:
// none may get a sequence number that the source before has used.
func TestPacketsBeforeTheFirst(t *testing.T) {
	l := newLab()
	a, b, c := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620), newPhone(t, l, codec.PCMA, 1400)
	one := config(formatOf(codec.PCMA))
	sa, sb, sc := l.Attach(a, one), l.Attach(b, one), l.Attach(c, one)
	Join(sa, sb)
	l.run(200*time.Millisecond, b.talk)
	Join(sa, sc)
	sa.out.own = true
	sc.Configure(one)
	first, second, third, fourth := c.speech(), c.speech(), c.speech(), c.speech()
	for _, p := range [][]byte{second, first, fourth, third} {
		c.send(p)
	}
	seen := map[uint16]bool{}
	for i, g := range a.got {
		if seen[g.seq] {
			t.Errorf("packet %d has sequence number %d again", i, g.seq)
		}
		seen[g.seq] = true
	}
	last := a.got[len(a.got)-3:]
	if last[1].seq != last[0].seq+2 || last[2].seq != last[0].seq+1 || last[2].stamp != last[0].stamp+160 {
		t.Errorf("the later packets came as %d, %d, %d; want them to keep their distance", last[0].seq, last[1].seq, last[2].seq)
	}
}

// recording is a sink that keeps everything.
type recording struct {
	samples []int16
	rate    int
}

func (r *recording) WriteFrame(frame []int16, rate int) {
	r.samples, r.rate = append(r.samples, frame...), rate
}

// TestListen hears a side whose packets would pass otherwise, and one without a
// peer.
func TestListen(t *testing.T) {
	for _, alone := range []bool{false, true} {
		l := newLab()
		a, b := newPhone(t, l, codec.G722, 1010), newPhone(t, l, codec.G722, 620)
		sa, sb := l.Attach(a, config(formatOf(codec.G722))), l.Attach(b, config(formatOf(codec.G722)))
		if !alone {
			Join(sa, sb)
			l.run(time.Second, a.talk)
			if sa.Gear() != Forward {
				t.Errorf("gear %v before, want forward", sa.Gear())
			}
		}
		var r recording
		sa.Listen(&r)
		l.run(3*time.Second, a.talk)
		if len(r.samples) != 3*16000 || r.rate != 16000 {
			t.Fatalf("%d samples at %d Hz, want 3 s at 16000", len(r.samples), r.rate)
		}
		if level, snr := toneSNR(r.samples[8000:], 1010, 16000); math.Abs(level) > 0.3 || snr < 40 {
			t.Errorf("alone %v: heard with level %+.2f dB, SNR %.1f dB", alone, level, snr)
		}
		sa.Listen(nil)
		n := len(r.samples)
		l.run(time.Second, a.talk)
		if len(r.samples) != n {
			t.Error("still heard afterwards")
		}
		if alone {
			continue
		}
		if sa.Gear() != Rewrite {
			t.Errorf("gear %v afterwards, want rewrite", sa.Gear())
		}
		if level, snr := toneSNR(b.samples(codec.G722, len(b.got)-40), 1010, 16000); math.Abs(level) > 0.3 || snr < 30 {
			t.Errorf("the peer hears level %+.2f dB, SNR %.1f dB", level, snr)
		}
		b.continuous(t, 61*time.Millisecond)
	}
}

// burst is a source of n frames.
type burst struct{ n int }

func (*burst) Rate() int { return 16000 }
func (b *burst) ReadFrame(dst []int16) bool {
	for i := range dst {
		dst[i] = int16(10000 * math.Sin(2*math.Pi*float64(i)/32)) // 500 Hz, 10 periods a frame
	}
	b.n--
	return b.n >= 0
}

// TestSourceEnds goes back to the peer by itself.
func TestSourceEnds(t *testing.T) {
	l := newLab()
	a, b := newPhone(t, l, codec.PCMU, 1010), newPhone(t, l, codec.PCMU, 620)
	sa, sb := l.Attach(a, config(formatOf(codec.PCMU))), l.Attach(b, config(formatOf(codec.PCMU)))
	Join(sa, sb)
	sa.Play(&burst{n: 50})
	l.run(time.Second, b.talk)
	if level, snr := toneSNR(a.samples(codec.PCMU, 10), 500, 8000); math.Abs(level) > 0.3 || snr < 30 {
		t.Errorf("the source is heard with %+.2f dB, SNR %.1f dB", level, snr)
	}
	l.run(time.Second, b.talk)
	if level, snr := toneSNR(a.samples(codec.PCMU, 60), 620, 8000); math.Abs(level) > 0.3 || snr < 30 {
		t.Errorf("afterwards the peer is heard with %+.2f dB, SNR %.1f dB", level, snr)
	}
	a.continuous(t, 41*time.Millisecond)
}

// TestTimeAfterEvent lets somebody else speak after a long digit, whose packets
// all have the time stamp of its start.
func TestTimeAfterEvent(t *testing.T) {
	l := newLab()
	one := config(formatOf(codec.PCMA), eventFormat(101))
	a, b, c := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620), newPhone(t, l, codec.PCMA, 1400)
	sa, sb, sc := l.Attach(a, one), l.Attach(b, one), l.Attach(c, one)
	Join(sa, sb)
	l.run(time.Second, b.talk)
	l.run(3*time.Second, b.press(5, 101, 3000).at)
	before := a.got[49]
	Join(sa, sc)
	l.run(time.Second, c.talk)
	after := a.got[len(a.got)-1]
	if sc.Gear() != Rewrite || after.ssrc != before.ssrc || after.seq != before.seq+200 {
		t.Errorf("gear %v, SSRC %08x and %08x, %d packets; want one stream of 200", sc.Gear(), before.ssrc, after.ssrc, after.seq-before.seq)
	}
	if sent, stamped := after.at.Sub(before.at), time.Duration(after.stamp-before.stamp)*time.Millisecond/8; stamped < sent-50*time.Millisecond || stamped > sent+50*time.Millisecond {
		t.Errorf("time stamps have gone on by %v in %v", stamped, sent)
	}
}
