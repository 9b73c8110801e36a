package peer

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

func TestTones(t *testing.T) {
	mixed := Sine(440, 0.5, time.Second)
	for i, s := range Sine(880, 0.25, time.Second) {
		mixed[i] += s
	}
	tests := []struct {
		name     string
		samples  []int16
		freq     float64
		share    float64
		dominant float64
	}{
		{"pure 440", Sine(440, 0.5, time.Second), 440, 1, 440},
		{"pure 440 seen at 880", Sine(440, 0.5, time.Second), 880, 0, 440},
		{"pure 425", Sine(425, 0.1, time.Second), 425, 1, 425},
		{"two tones, four to one in energy", mixed, 440, 0.8, 440},
		{"weaker of two", mixed, 880, 0.2, 440},
		{"high", Sine(3800, 0.9, time.Second), 3800, 1, 3800},
		{"shorter than a window", Sine(1000, 0.5, 100*time.Millisecond), 1000, 1, 1000},
		{"silence", make([]int16, SampleRate), 440, 0, 0},
		{"nothing", nil, 440, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ToneShare(tt.samples, tt.freq); math.Abs(got-tt.share) > 0.01 {
				t.Errorf("share %.4f, want %.2f", got, tt.share)
			}
			if got := DominantFrequency(tt.samples); math.Abs(got-tt.dominant) > 1 {
				t.Errorf("dominant %.0f Hz, want %.0f", got, tt.dominant)
			}
		})
	}
}

func TestLevelAndSounding(t *testing.T) {
	if got := Level(Sine(440, 0.5, time.Second)); math.Abs(got+6.02) > 0.05 {
		t.Errorf("half scale is %.2f dB", got)
	}
	if got := Level(nil); got != -100 {
		t.Errorf("nothing is %.2f dB", got)
	}
	padded := append(make([]int16, 500), Sine(440, 0.5, 100*time.Millisecond)...)
	padded = append(padded, make([]int16, 700)...)
	if got := len(Sounding(padded)); got < 798 || got > 800 {
		t.Errorf("%d samples sound, want 800", got)
	}
	if got := len(Sounding(make([]int16, 100))); got != 0 {
		t.Errorf("%d samples of silence sound", got)
	}
}

// TestALaw checks against values of G.711 tables 1a and 1b and that every
// octet survives the way there and back.
func TestALaw(t *testing.T) {
	for linear, want := range map[int16]byte{0: 0xd5, 8: 0xd5, -8: 0x55, 16: 0xd4, 32767: 0xaa, -32768: 0x2a, 1000: 0xfa, -1000: 0x7a} {
		if got := encodeALaw(linear); got != want {
			t.Errorf("%d is %#x, want %#x", linear, got, want)
		}
	}
	for a := range 256 {
		if got := encodeALaw(decodeALaw(byte(a))); got != byte(a) {
			t.Errorf("%#x becomes %#x (by way of %d)", a, got, decodeALaw(byte(a)))
		}
	}
	for s := math.MinInt16; s <= math.MaxInt16; s++ {
		if d := math.Abs(float64(decodeALaw(encodeALaw(int16(s)))) - float64(s)); d > 8 && d > math.Abs(float64(s))/31 {
			t.Fatalf("%d is off by %.0f", s, d)
		}
	}
}

func TestWAVRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.wav")
	want := Sine(440, 1, 50*time.Millisecond)
	if err := WriteWAV(path, want); err != nil {
		t.Fatal(err)
	}
	got, err := ReadWAV(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%d samples, want %d; %v", len(got), len(want), err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []func([]byte){
		func(b []byte) { b[0] = 'X' },
		func(b []byte) { b[22] = 2 },                                    // channels
		func(b []byte) { binary.LittleEndian.PutUint32(b[24:], 44100) }, // rate
		func(b []byte) { b[36] = 'x' },                                  // no data
	} {
		b := bytes.Clone(whole)
		damage(b)
		if s, _, err := parseWAV(b); err == nil {
			t.Errorf("%d samples of a damaged file", len(s))
		}
	}
	unfinished := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(unfinished[40:], 0)
	if got, _, err := parseWAV(unfinished); err != nil || len(got) != len(want) {
		t.Errorf("unfinished file: %d samples, %v", len(got), err)
	}
}

func FuzzParseWAV(f *testing.F) {
	path := filepath.Join(f.TempDir(), "a.wav")
	if err := WriteWAV(path, Sine(440, 1, 2*time.Millisecond)); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:30])
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, _, err := parseWAV(b); err == nil && 2*len(s) > len(b) {
			t.Errorf("%d samples of %d bytes", len(s), len(b))
		}
	})
}

func FuzzReadNetstring(f *testing.F) {
	for _, s := range []string{"0:,", "5:hello,", "5:hello;", "-1:,", "99999999999999999999:", "12", ":,"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if text, err := readNetstring(bufio.NewReader(bytes.NewReader(b))); err == nil && len(text) >= len(b) {
			t.Errorf("%d bytes of %d", len(text), len(b))
		}
	})
}

func TestParseStats(t *testing.T) {
	log := "a@127.0.0.1: Call established: sip:b@127.0.0.1:15062\n" +
		"audio           Transmit:     Receive:\npackets:            215          214\navg. bitrate:      64.0         64.0  (kbit/s)\nerrors:               0            3\n" +
		"ua: stop\n" +
		"audio           Transmit:     Receive:\npackets:              1            2\navg. bitrate:      64.0         64.0  (kbit/s)\nerrors:               4            5\npkt.report:         501          497\nlost:                 6           -7\njitter:             3.0         11.1  (ms)\n"
	got, err := parseStats(log)
	want := []CallStats{{215, 214, 0, 3, -1, -1}, {1, 2, 4, 5, 6, -7}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestStreamCounts(t *testing.T) {
	packet := func(ssrc uint32, seq uint16, payload ...byte) []byte {
		p := make([]byte, rtpHeader, rtpHeader+len(payload))
		p[0], p[1] = 2<<6, PayloadPCMA
		binary.BigEndian.PutUint16(p[2:], seq)
		binary.BigEndian.PutUint32(p[8:], ssrc)
		return append(p, payload...)
	}
	r := &RTP{streams: map[uint32]*Stream{}}
	// It wraps, 65535 is overtaken, 1 comes twice, 2 never, 3 from elsewhere.
	for _, seq := range []uint16{65534, 0, 65535, 1, 1} {
		r.take(packet(7, seq, 0xd5), loopback(1000))
	}
	r.take(packet(7, 3, 0xd5), loopback(1001))
	r.take(packet(8, 100), loopback(1002))
	padded := packet(9, 1, 1, 2, 3, 2)
	padded[0] |= 0x20
	r.take(padded, loopback(1003))
	overlong := packet(9, 2, 200)
	overlong[0] |= 0x20
	for _, junk := range [][]byte{nil, {0x80}, make([]byte, 40), overlong, {0x9f, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 1}} {
		r.take(junk, loopback(1004))
	}
	if r.invalid != 5 {
		t.Errorf("%d invalid, want 5", r.invalid)
	}
	s := r.streams[7]
	if s.Packets != 6 || s.Duplicates != 1 || s.Expected() != 6 || s.Lost() != 1 || s.Moved != 1 || len(s.Samples) != 6 {
		t.Errorf("%d packets, %d duplicates, %d expected, %d lost, %d moved, %d samples", s.Packets, s.Duplicates, s.Expected(), s.Lost(), s.Moved, len(s.Samples))
	}
	if s := r.streams[8]; s.Packets != 1 || s.Lost() != 0 {
		t.Errorf("%+v", s)
	}
	if s := r.streams[9]; len(s.Samples) != 2 {
		t.Errorf("%d samples beside the padding, want 2", len(s.Samples))
	}
}
