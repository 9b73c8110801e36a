package engine

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"galilei/pbxd/media/codec"
)

// recordings are packets of other makers: those of Debian's sip-tester.
const recordings = "/usr/share/sip-tester"

// recorded is a packet of a recording.
type recorded struct {
	at time.Duration
	b  []byte
}

// readPCAP returns the UDP payloads of a capture of Ethernet and IPv4.
func readPCAP(t *testing.T, name string) (list []recorded) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(recordings, name))
	if os.IsNotExist(err) {
		t.Skipf("needs the recordings of the package sip-tester: %v", err)
	}
	if err != nil || len(b) < 24 {
		t.Fatalf("%s: %d octets, %v", name, len(b), err)
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if order.Uint32(b) != 0xa1b2c3d4 {
		order = binary.BigEndian
	}
	var first time.Duration
	for b = b[24:]; len(b) >= 16; {
		at := time.Duration(order.Uint32(b))*time.Second + time.Duration(order.Uint32(b[4:]))*time.Microsecond
		n := int(order.Uint32(b[8:]))
		frame := b[16 : 16+n]
		b = b[16+n:]
		if n < 34 || binary.BigEndian.Uint16(frame[12:]) != 0x0800 || frame[23] != 17 {
			continue
		}
		udp := frame[14+4*int(frame[14]&15):]
		udp = udp[8:binary.BigEndian.Uint16(udp[4:])]
		if list == nil {
			first = at
		}
		list = append(list, recorded{at - first, udp})
	}
	if len(list) == 0 {
		t.Fatalf("%s: no packets", name)
	}
	return list
}

// replay sends a recording in its own time and returns how long it took.
func replay(l *lab, p *phone, list []recorded) time.Duration {
	d := list[len(list)-1].at + 300*time.Millisecond
	l.run(d, func(at time.Duration) {
		for len(list) > 0 && list[0].at <= at {
			p.send(list[0].b)
			list = list[1:]
		}
	})
	return d
}

// TestRecordedDigits reads events as sipp replays them, and makes tones and
// events of them.
func TestRecordedDigits(t *testing.T) {
	names := map[byte]string{'0': "0", '1': "1", '5': "5", '9': "9", '*': "star", '#': "pound"}
	for key, name := range names {
		list := readPCAP(t, "dtmf_2833_"+name+".pcap")
		h, ok := parse(list[0].b)
		if !ok {
			t.Fatalf("%s: no RTP", name)
		}
		for _, c := range []codec.Codec{codec.PCMA, codec.G722} {
			l := newLab()
			a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, c, 620)
			from := config(formatOf(codec.PCMA), eventFormat(h.pt))
			var told []Digit
			from.Digits = func(d Digit) { told = append(told, d) }
			to := config(formatOf(c))
			if c == codec.G722 {
				to = config(formatOf(c), eventFormat(101))
			}
			sa, sb := l.Attach(a, from), l.Attach(b, to)
			Join(sa, sb)
			replay(l, a, list)
			l.run(500*time.Millisecond, nil)
			heard, _ := keysHeard(b.samples(c, 0), c)
			if c == codec.G722 {
				heard, _ = keysReceived(t, b.got, 101)
			}
			if heard != string(key) || len(told) != 2 || told[0].Key != key || !told[0].On || told[1].On || told[1].Ms < 40 {
				t.Errorf("%c to %v: received %q, told %+v", key, c, heard, told)
			}
		}
	}
}

// TestRecordedSpeech compares what arrives with what was recorded.
func TestRecordedSpeech(t *testing.T) {
	list := readPCAP(t, "g711a.pcap")
	var want []int16
	for _, r := range list {
		if h, ok := parse(r.b); ok && h.pt == 8 {
			want = codec.PCMA.NewDecoder().Decode(want, r.b[h.body:h.end])
		}
	}
	for _, c := range []codec.Codec{codec.PCMU, codec.G722} {
		l := newLab()
		a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, c, 620)
		sa, sb := l.Attach(a, config(formatOf(codec.PCMA))), l.Attach(b, config(formatOf(c)))
		Join(sa, sb)
		replay(l, a, list)
		in, out := codec.ALawMilliwatt.Level(want), c.Milliwatt().Level(b.samples(c, 0))
		counts, changes := sa.Playout()
		t.Logf("%d packets, %.1f dBm0 in, %.1f dBm0 out, %+v %+v", len(list), in, out, counts, changes)
		if math.Abs(in-out) > 0.6 || counts.Restarts > 1 || float64(changes.ConcealedMs) > 0.05*float64(counts.ReceivedMs) {
			t.Errorf("%v: %.1f dBm0 in, %.1f dBm0 out, %+v %+v", c, in, out, counts, changes)
		}
		b.continuous(t, time.Millisecond)
	}
}
