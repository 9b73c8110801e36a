package engine

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
)

// raw returns an RTP packet as no phone but the standard knows them.
func raw(first, second byte, seq uint16, stamp, ssrc uint32, rest []byte) []byte {
	b := append([]byte{first, second}, make([]byte, 10)...)
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], stamp)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return append(b, rest...)
}

// TestForwardChangesNothing sends packets of formats that both sides have, of
// any content, with every field of the header in use, and compares octets.
func TestForwardChangesNothing(t *testing.T) {
	opus := media.Format{PT: 96, Name: "opus", Clock: 48000, Channels: 2, FMTP: "useinbandfec=1"}
	rng := rand.New(rand.NewPCG(1, 2))
	octets := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	for _, f := range []media.Format{formatOf(codec.PCMA), formatOf(codec.PCMU), formatOf(codec.G722), opus} {
		t.Run(f.Name, func(t *testing.T) {
			l := newLab()
			a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620)
			sa, sb := l.Attach(a, config(f, eventFormat(101))), l.Attach(b, config(f, eventFormat(101)))
			Join(sa, sb)
			sent := [][]byte{
				raw(0x80, 0x80|f.PT, 65534, 1<<32-100, 1, octets(160)),
				raw(0x80, f.PT, 65535, 60, 1, octets(160)),
				raw(0x80, f.PT, 0, 220, 1, octets(80)),
				raw(0x80, f.PT, 2, 540, 1, octets(480)), // number 1 comes late
				raw(0x80, f.PT, 1, 380, 1, octets(1)),
				raw(0x80, f.PT, 1, 380, 1, octets(1)), // and twice
				raw(0x82, f.PT, 3, 700, 1, octets(8+160)),
				raw(0x90, f.PT, 4, 860, 1, append([]byte{0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0}, octets(160)...)),
				raw(0xa0, f.PT, 5, 1020, 1, append(octets(20), 0, 0, 0, 4)),
				raw(0x80, f.PT, 6, 900000, 1, octets(160)),
				raw(0x80, 13, 7, 900160, 1, []byte{62}),
				raw(0x80, 0x80|101, 8, 900320, 1, []byte{5, 10, 0, 160}),
				raw(0x80, 101, 9, 900320, 1, []byte{5, 0x8a, 1, 64}),
				raw(0x80, f.PT, 30000, 5, 1, octets(160)),
				raw(0x80, f.PT, 17, 1234, 0xfeedface, octets(160)),
				raw(0x80, f.PT, 18, 1394, 0xfeedface, nil),
			}
			for range 200 {
				seq := uint16(19 + len(sent))
				sent = append(sent, raw(0x80, f.PT|byte(rng.Uint32()&0x80), seq, rng.Uint32(), 0xfeedface, octets(int(rng.Uint32N(600)))))
			}
			for i, p := range sent {
				before := bytes.Clone(p)
				a.send(p)
				l.run(slotTime, nil)
				if len(b.raw) != i+1 || !bytes.Equal(b.raw[i], before) {
					t.Fatalf("packet %d of %d received: %x, want %x", i, len(b.raw), b.raw[len(b.raw)-1], before)
				}
			}
			if sa.Gear() != Forward {
				t.Errorf("gear %v", sa.Gear())
			}
			if d := sa.Dropped(); d != (Dropped{}) {
				t.Errorf("dropped %+v", d)
			}
		})
	}
}

// TestForwardOfOthers sends what the receiver has not agreed to.
func TestForwardOfOthers(t *testing.T) {
	l := newLab()
	pcma := formatOf(codec.PCMA)
	noise := media.Format{PT: 98, Name: "CN", Clock: 16000, Channels: 1}
	a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620)
	sa, sb := l.Attach(a, config(pcma, noise)), l.Attach(b, config(pcma))
	Join(sa, sb)
	for _, pt := range []uint8{8, 0, 9, 18, 35, 96, 98, 101, 127, 13, 8} {
		a.send(a.packet(pt, false, make([]byte, 160)))
	}
	var got []uint8
	for _, g := range b.got {
		got = append(got, g.pt)
	}
	if want := []uint8{8, 13, 8}; !bytes.Equal(got, want) || sa.Gear() != Forward {
		t.Errorf("received %v in gear %v, want %v", got, sa.Gear(), want)
	}
	if d := sa.Dropped(); d.Unwanted != 8 || d.Unknown != 7 {
		t.Errorf("dropped %+v, want 8 that the peer does not take, 7 of them unknown", d)
	}
}

// TestManySources changes the SSRC with each packet: the receiver is spared
// most of it.
func TestManySources(t *testing.T) {
	l := newLab()
	a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620)
	sa, sb := l.Attach(a, config(formatOf(codec.PCMA))), l.Attach(b, config(formatOf(codec.PCMA)))
	Join(sa, sb)
	l.run(4*time.Second, func(at time.Duration) {
		a.ssrc++
		a.talk(at)
	})
	sources := map[uint32]bool{}
	for _, g := range b.got {
		sources[g.ssrc] = true
	}
	if len(b.got) != 200 || len(sources) > maxSources+1 || sa.Gear() != Rewrite {
		t.Errorf("%d packets of %d sources in gear %v, want 200 of %d at most, rewritten", len(b.got), len(sources), sa.Gear(), maxSources)
	}
	if sb.Gear() != Forward {
		t.Errorf("the other way is in gear %v", sb.Gear())
	}
}

// TestBeforeTheFirstPacket joins sides that have not said anything: the codec
// is the first that each names, and who is gone keeps no buffers.
func TestBeforeTheFirstPacket(t *testing.T) {
	l := newLab()
	pcma, pcmu := formatOf(codec.PCMA), formatOf(codec.PCMU)
	a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620)
	sa, sb := l.Attach(a, config(pcma, pcmu)), l.Attach(b, config(pcma))
	Join(sa, sb)
	if sa.Gear() != Forward || sb.Gear() != Forward {
		t.Errorf("gears %v and %v, want forward", sa.Gear(), sb.Gear())
	}
	sa.Listen(&recording{})
	if sa.playout == nil {
		t.Error("who is listened to is not decoded")
	}
	sa.Close()
	sa.hear(l.t)
	if sa.playout != nil {
		t.Error("a side that is closed keeps its buffers")
	}
}
