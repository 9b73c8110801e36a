package rtpevent

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestPayload(t *testing.T) {
	for _, tt := range []struct {
		payload []byte
		want    Event
	}{
		{[]byte{5, 0x0a, 0x01, 0x90}, Event{Code: 5, Volume: 10, Duration: 400}},
		{[]byte{11, 0x8a, 0x03, 0x20}, Event{Code: 11, End: true, Volume: 10, Duration: 800}},
		{[]byte{16, 0x3f, 0xff, 0xff}, Event{Code: Flash, Volume: 63, Duration: 65535}},
	} {
		got, err := Parse(tt.payload)
		if err != nil || got != tt.want {
			t.Errorf("%x: %+v, %v; want %+v", tt.payload, got, err, tt.want)
		}
		if b := got.Append(nil); !slices.Equal(b, tt.payload) {
			t.Errorf("%+v is written as %x, want %x", got, b, tt.payload)
		}
	}
	if _, err := Parse([]byte{1, 2, 3}); !errors.Is(err, ErrPayload) {
		t.Errorf("three octets: %v", err)
	}
	for _, key := range []byte(keys) {
		code, ok := Code(key)
		if back, is := Key(code); !ok || !is || back != key {
			t.Errorf("key %c has code %d, which is key %c", key, code, back)
		}
	}
	if c, ok := Code('d'); !ok || c != 15 {
		t.Errorf("key d: %d, %v", c, ok)
	}
	if _, ok := Code('x'); ok {
		t.Error("x has a code")
	}
	if _, ok := Key(Flash); ok {
		t.Error("a flash is a key")
	}
}

// packet is what goes from a Sender to a Receiver.
type packet struct {
	payload []byte
	stamp   uint32
	marker  bool
}

// send returns the packets of a digit that lasts that many ms.
func send(code uint8, stamp uint32, ms int) (list []packet) {
	var s Sender
	s.Begin(code, stamp)
	for at := 20; s.Active(); at += 20 {
		if at >= ms {
			s.End()
		}
		p, ts, marker := s.Packet(nil, 160)
		list = append(list, packet{p, ts, marker})
	}
	return list
}

// paced returns the packets of a digit from a sender that sends one each that
// many ms, and begins a segment when the duration would no longer fit.
func paced(code uint8, stamp uint32, ms, every int) (list []packet) {
	d := uint32(0)
	for at := every; at <= ms; at += every {
		if d+uint32(8*every) > 0xffff {
			stamp += d
			d = 0
		}
		d += uint32(8 * every)
		e := Event{Code: code, Duration: uint16(d), End: at == ms}
		list = append(list, packet{payload: e.Append(nil), stamp: stamp})
	}
	return list
}

// without returns list without the packets of those places.
func without(list []packet, lost ...int) (left []packet) {
	for i, p := range list {
		if !slices.Contains(lost, i) {
			left = append(left, p)
		}
	}
	return left
}

func TestSender(t *testing.T) {
	list := send(7, 1000, 100)
	if len(list) != 7 { // 20, 40, 60, 80, then the end three times
		t.Fatalf("%d packets for 100 ms, want 7", len(list))
	}
	for i, p := range list {
		e, err := Parse(p.payload)
		if want := uint16(160 * min(i+1, 5)); err != nil || e.Duration != want || e.End != (i >= 4) || p.stamp != 1000 || p.marker != (i == 0) || e.Code != 7 {
			t.Errorf("packet %d: %+v at %d, marker %v, %v; want a duration of %d", i, e, p.stamp, p.marker, err, want)
		}
	}
}

func TestReceiver(t *testing.T) {
	digit := func(code uint8, stamp uint32) []packet { return send(code, stamp, 100) }
	one, two := digit(1, 1000), digit(2, 3000)
	on := func(code uint8) Change { return Change{Code: code, On: true} }
	off := func(code uint8, d uint32) Change { return Change{Code: code, Duration: d} }
	for _, tt := range []struct {
		name    string
		packets []packet
		want    []Change
	}{
		{"two digits", slices.Concat(one, two), []Change{on(1), off(1, 800), on(2), off(2, 800)}},
		{"the same digit twice", slices.Concat(one, digit(1, 3000)), []Change{on(1), off(1, 800), on(1), off(1, 800)}},
		{"every packet twice", slices.Concat(one[:1], one[:1], one[1:2], one[1:2], one), []Change{on(1), off(1, 800)}},
		{"the first three lost", one[3:], []Change{on(1), off(1, 800)}},
		{"only one end packet came", one[6:], []Change{on(1), off(1, 800)}},
		{"the end lost, the next digit came", slices.Concat(one[:4], two), []Change{on(1), off(1, 640), on(2), off(2, 800)}},
		{"the end lost, nothing came", one[:4], []Change{on(1), off(1, 640)}},
		{"an end packet before the last others", []packet{one[0], one[4], one[3], one[5]}, []Change{on(1), off(1, 800)}},
		{"an old packet during the next digit", slices.Concat(one, two[:2], one[6:], two[2:]), []Change{on(1), off(1, 800), on(2), off(2, 800)}},
		{"20 s long", send(3, 1<<32-100, 20000), []Change{on(3), off(3, 160000)}},
		{"20 s long, the ends of its segments lost", without(send(3, 1<<32-100, 20000), 407, 408, 409, 410), []Change{on(3), off(3, 160000)}},
		{"10 s long, packets 50 ms apart", paced(3, 100, 10000, 50), []Change{on(3), off(3, 80000)}},
		{"damaged", []packet{{payload: []byte{1}}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r Receiver
			var got []Change
			now := time.Unix(1000, 0)
			for _, p := range tt.packets {
				got = r.Receive(got, p.stamp, p.payload, now)
				now = now.Add(20 * time.Millisecond)
				got = r.Expire(got, now)
			}
			got = r.Expire(got, now.Add(time.Second))
			if !slices.Equal(got, tt.want) {
				t.Errorf("changes %+v, want %+v", got, tt.want)
			}
			if r.Active() {
				t.Error("still active")
			}
		})
	}
}

func TestNothingAllocates(t *testing.T) {
	var s Sender
	var r Receiver
	buf, changes := make([]byte, 0, 16), make([]Change, 0, 8)
	now := time.Unix(1000, 0)
	stamp := uint32(0)
	if n := testing.AllocsPerRun(1000, func() {
		if !s.Active() {
			stamp += 2000
			s.Begin(5, stamp)
		}
		if s.Duration() > 800 {
			s.End()
		}
		p, ts, _ := s.Packet(buf[:0], 160)
		changes = r.Expire(r.Receive(changes[:0], ts, p, now), now)
		now = now.Add(20 * time.Millisecond)
	}); n != 0 {
		t.Errorf("%v allocations a packet, want 0", n)
	}
}

// FuzzReceiver feeds packets of any content: starts and ends must alternate.
func FuzzReceiver(f *testing.F) {
	for _, p := range send(5, 100, 60) {
		f.Add(append(p.payload, 6, 0x8a, 0, 40), uint32(100), byte(20))
	}
	f.Fuzz(func(t *testing.T, b []byte, stamp uint32, ms byte) {
		var r Receiver
		var changes []Change
		now := time.Unix(1000, 0)
		for len(b) > 0 {
			n := min(len(b), 5)
			changes = r.Receive(changes, stamp, b[:n], now)
			now = now.Add(time.Duration(ms) * time.Millisecond)
			changes = r.Expire(changes, now)
			stamp += uint32(b[0]) * uint32(ms)
			b = b[n:]
		}
		changes = r.Expire(changes, now.Add(time.Hour))
		on := false
		for _, c := range changes {
			if c.On == on {
				t.Fatalf("two starts or two ends in a row: %+v", changes)
			}
			on = c.On
		}
		if on || r.Active() {
			t.Fatalf("an event never ends: %+v", changes)
		}
	})
}
