package peer

import (
	"context"
	"math"
	"testing"
	"time"
)

func voice(t *testing.T, kind byte) *Voice {
	t.Helper()
	v, err := ListenVoice(loopback(0), kind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// Two voices hear what the other sends, and when it changes.
func TestVoices(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	a, b := voice(t, PayloadPCMA), voice(t, PayloadPCMU)
	a.Tone(440)
	b.Tone(880)
	a.SendTo(b.Addr())
	b.SendTo(a.Addr())
	for _, x := range []struct {
		v    *Voice
		freq float64
	}{{a, 880}, {b, 440}} {
		s, err := x.v.Hears(ctx, x.freq)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(s.Level+6.02) > 0.2 || s.Packets != stretch {
			t.Errorf("%v, want -6 dB of a whole stretch", s)
		}
	}
	a.Tone(0)
	if _, err := b.HearsSilence(ctx); err != nil {
		t.Fatal(err)
	}
	mark := b.Mark()
	a.Digits("19*#A")
	if got, err := b.AwaitDigits(ctx, mark, "19*#A"); err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	a.Tone(1000)
	if _, err := b.Hears(ctx, 1000); err != nil {
		t.Fatal(err)
	}
	short, end := context.WithTimeout(ctx, 700*time.Millisecond)
	defer end()
	if s, err := b.Hears(short, 440); err == nil {
		t.Errorf("%v is taken for 440 Hz", s)
	}
	if s, err := b.HearsSilence(short); err == nil {
		t.Errorf("%v is taken for silence", s)
	}
}

func TestMeasureCounts(t *testing.T) {
	var p []Packet
	for i := range 10 {
		p = append(p, Packet{At: time.Unix(0, int64(i)*int64(frame)), Seq: uint16(65530 + i), Stamp: uint32(i * frameOctets), Type: PayloadPCMA, Payload: make([]byte, frameOctets)})
	}
	if s := Measure(p, 440); s.Lost != 0 || s.Jumps != 0 || s.Streams != 1 || s.Gap != frame {
		t.Errorf("a steady stream measures as %v", s)
	}
	p = append(p[:3], p[5:]...)
	if s := Measure(p, 440); s.Lost != 2 || s.Jumps != 1 || s.Gap != 3*frame {
		t.Errorf("two packets lost measure as %v", s)
	}
	p[6].Stamp += 80
	if s := Measure(p, 440); s.Jumps != 3 { // to it and from it
		t.Errorf("a moved time stamp measures as %v", s)
	}
	p[7].SSRC = 1
	if s := Measure(p, 440); s.Streams != 2 {
		t.Errorf("two sources measure as %v", s)
	}
}

// Values of G.711 table 2a and 2b, and the way there and back.
func TestULaw(t *testing.T) {
	for linear, want := range map[int16]byte{0: 0xff, 32767: 0x80, -32768: 0x00, 4 * 31: 0xef, 4 * 95: 0xdf} {
		if got := encodeULaw(linear); got != want {
			t.Errorf("%d is %#x, want %#x", linear, got, want)
		}
	}
	for u := range 256 {
		if got := encodeULaw(decodeULaw(byte(u))); got != byte(u) && u != 0x7f { // two octets for zero
			t.Errorf("%#x becomes %#x (by way of %d)", u, got, decodeULaw(byte(u)))
		}
	}
}

func TestMultimonHearsTheKeypad(t *testing.T) {
	NeedMultimon(t)
	const digits = "0123456789*#ABCD"
	if got, err := Multimon(t.Context(), Keypad(digits, 60*time.Millisecond, 60*time.Millisecond)); err != nil || got != digits {
		t.Errorf("%q, %v; want %s", got, err, digits)
	}
}
