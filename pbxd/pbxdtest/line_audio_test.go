package pbxdtest

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"galilei/pbxd/media/codec"
)

// ear is a socket for audio that notes what comes: packets by their sound, keys as
// events and as tones.
type ear struct {
	t    *testing.T
	conn *net.UDPConn

	mu       sync.Mutex
	packets  map[byte]int // by the first byte of the sound
	events   string
	tones    string
	last     uint32 // timestamp of the last event
	detector *codec.DTMFDetector
	sung     int // packets of sing
}

func listen(t *testing.T, at netip.Addr) *ear {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	e := &ear{t: t, conn: conn, packets: map[byte]int{}, detector: codec.NewDTMFDetector(8000, codec.ALawMilliwatt)}
	go e.hear()
	return e
}

func (e *ear) port() int { return e.conn.LocalAddr().(*net.UDPAddr).Port }

func (e *ear) hear() {
	decoder, samples, packet := codec.PCMA.NewDecoder(), []int16{}, make([]byte, 2048)
	for {
		n, _, err := e.conn.ReadFromUDP(packet)
		if err != nil {
			return
		}
		e.mu.Lock()
		switch pt := packet[1] & 0x7f; {
		case pt == 8 && n > 12:
			e.packets[packet[12]]++
			samples = decoder.Decode(samples[:0], packet[12:n])
			for _, d := range e.detector.Detect(nil, samples) {
				if d.On {
					e.tones += string(rune(d.Key))
				}
			}
		case pt == 101 && n >= 16:
			if at := binary.BigEndian.Uint32(packet[4:]); packet[13]&0x80 != 0 && at != e.last {
				e.last = at
				e.events += string("0123456789*#ABCD"[packet[12]&15])
			}
		}
		e.mu.Unlock()
	}
}

// got returns how many packets of a sound have come, and what keys.
func (e *ear) got(sound byte) (packets int, events, tones string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.packets[sound], e.events, e.tones
}

// speak sends a sound of one byte until the returned function is called.
func (e *ear) speak(to string, sound byte) (stop func()) {
	e.t.Helper()
	at := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to))
	var quiet atomic.Bool
	go func() {
		for seq := 0; !quiet.Load(); seq++ {
			p := make([]byte, 172)
			p[0], p[1] = 0x80, 8
			binary.BigEndian.PutUint16(p[2:], uint16(seq))
			binary.BigEndian.PutUint32(p[4:], uint32(seq*160))
			binary.BigEndian.PutUint32(p[8:], uint32(e.port()))
			for i := range p[12:] {
				p[12+i] = sound
			}
			if _, err := e.conn.WriteToUDP(p, at); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return func() { quiet.Store(true) }
}

// press sends a key as telephone-event (RFC 4733 section 2.5).
func (e *ear) press(to string, key byte) {
	e.t.Helper()
	at := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to))
	const before = 10 // packets of silence: who presses a key has been there before
	for i := range before {
		p := make([]byte, 172)
		p[0], p[1], p[3] = 0x80, 8, byte(i)
		binary.BigEndian.PutUint32(p[4:], uint32(160*i))
		binary.BigEndian.PutUint32(p[8:], uint32(e.port()))
		for i := range p[12:] {
			p[12+i] = 0xd5
		}
		if _, err := e.conn.WriteToUDP(p, at); err != nil {
			e.t.Error(err)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	for i := range 7 { // five while it is pressed, and the end three times
		p := []byte{0x80, 101, 0, byte(before + i), 0, 0, 0, 0, 0, 0, 0, 0, byte(strings.IndexByte("0123456789*#", key)), 10, 0, 0}
		if i == 0 {
			p[1] |= 0x80
		}
		binary.BigEndian.PutUint32(p[4:], 160*before)
		binary.BigEndian.PutUint32(p[8:], uint32(e.port()))
		if i >= 4 {
			p[13] |= 0x80
		}
		binary.BigEndian.PutUint16(p[14:], uint16(160*min(i+1, 5)))
		if _, err := e.conn.WriteToUDP(p, at); err != nil {
			e.t.Error(err)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// sing sends a key as tones in the audio, with silence around it. On a machine that
// is busy the packets may be too far apart to be one tone.
func (e *ear) sing(to string, key byte) {
	e.t.Helper()
	tone, err := codec.DTMF{DBm0: -9, Twist: 2, On: 120, Off: 200}.Tone(string(key))
	if err != nil {
		e.t.Error(err)
		return
	}
	at := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to))
	player, err := codec.NewGenerator(tone, 8000, codec.ALawMilliwatt)
	if err != nil {
		e.t.Error(err)
		return
	}
	encoder := codec.PCMA.NewEncoder()
	frame := make([]int16, 160)
	for i := range 40 {
		seq := 1000 + e.sung
		e.sung++
		clear(frame)
		if i >= 5 {
			player.Fill(frame)
		}
		p := make([]byte, 12, 172)
		p[0], p[1] = 0x80, 8
		binary.BigEndian.PutUint16(p[2:], uint16(seq))
		binary.BigEndian.PutUint32(p[4:], uint32(160*seq))
		binary.BigEndian.PutUint32(p[8:], 77)
		p = encoder.Encode(p, frame)
		if _, err := e.conn.WriteToUDP(p, at); err != nil {
			e.t.Error(err)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
