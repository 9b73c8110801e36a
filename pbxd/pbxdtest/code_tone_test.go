package pbxdtest

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/media/codec"
)

// heard takes the audio that comes to a socket until the PBX hangs up. It
// returns for how long there was sound, how often it paused for 150 to 350 ms,
// as the congestion tone does, and how loud it was at most, dBm0.
func heard(t *testing.T, p *Phone, at net.PacketConn) (sound time.Duration, pauses int, loud float64) {
	t.Helper()
	decoder, samples, packet := codec.PCMA.NewDecoder(), []int16{}, make([]byte, 2048)
	loud = -99
	for quiet := 100; ; { // frames of 20 ms
		at.SetReadDeadline(time.Now().Add(2 * time.Second))
		n, _, err := at.ReadFrom(packet)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n != 172 || packet[1]&0x7f != 8 {
			continue // no PCMA
		}
		samples = decoder.Decode(samples[:0], packet[12:n])
		level := codec.ALawMilliwatt.Level(samples)
		loud = max(loud, level)
		if level < -40 {
			quiet++
			continue
		}
		if quiet >= 7 && quiet <= 17 {
			pauses++
		}
		quiet, sound = 0, sound+20*time.Millisecond
	}
	p.Reply(p.Request("BYE"), "", 200, "OK", "", "")
	return sound, pauses, loud
}

// pressEvent sends a key as telephone-event for 100 ms, the nth of a stream
// (RFC 4733 section 2.5).
func pressEvent(t *testing.T, from net.PacketConn, port, n int, key byte) {
	t.Helper()
	to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	for i := range 7 { // five while it is pressed, and the end three times
		p := []byte{0x80, 101, 0, byte(n*7 + i), 0, 0, byte(n * 16), 0, 1, 2, 3, 4, byte(strings.IndexByte("0123456789*#", key)), 10, 0, 0}
		if i == 0 {
			p[1] |= 0x80
		}
		if i >= 4 {
			p[13] |= 0x80
		}
		binary.BigEndian.PutUint16(p[14:], uint16(160*min(i+1, 5)))
		if _, err := from.WriteTo(p, to); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(80 * time.Millisecond)
}

// Who dials a code hears whether it was taken: the tone for what is switched,
// another for what came to nothing.
func TestTonesOfCodes(t *testing.T) {
	for _, x := range []struct {
		name, digits, keys string
		events             bool // the keys are telephone-events
		refused            bool
	}{
		{"switched", "*93", "", false, false}, {"a wrong PIN", "*0102", "271828#", false, true}, {"logged in", "*0102", "314159#", false, false},
		{"logged out", "*0*", "", false, false}, {"logged in by events", "*0102", "314159#", true, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Options{Configure: coded("102", "314159")})
			a := s.Phone("101", "udp").MustRegister()
			at, err := net.ListenPacket("udp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer at.Close()
			call := a.Dial(x.digits, SDP(at.LocalAddr().(*net.UDPAddr).Port, "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000"))
			answer := call.Answered()
			if x.keys != "" {
				time.Sleep(time.Second)
			}
			for i, key := range x.keys {
				if x.events {
					pressEvent(t, at, answer.AudioPort(), i, byte(key))
					continue
				}
				call.SendWith("INFO", "", "application/dtmf-relay", "Signal="+string(key)+"\r\nDuration=100\r\n")
				a.Response("INFO", 200)
			}
			sound, pauses, loud := heard(t, a, at)
			t.Logf("%v of sound, %d pauses, %.1f dBm0", sound, pauses, loud)
			if loud < -13 || loud > -4 || sound < 1500*time.Millisecond || x.refused != (pauses >= 5) || !x.refused && pauses > 1 { // one while the PIN is checked
				t.Errorf("%v of sound, %d pauses, %.1f dBm0", sound, pauses, loud)
			}
			nothingLeft(t, s)
		})
	}
}
