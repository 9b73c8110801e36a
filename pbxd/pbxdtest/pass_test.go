package pbxdtest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"
)

// talk is a call of 101 with 102 that is up, with the audio of both.
type talk struct {
	t        *testing.T
	s        *System
	call, in *Call
	a, b     *net.UDPConn
	toA, toB int // ports of the PBX that 101 and 102 send to
	said     *Message
}

// join has 102 answer with the formats of answer what 101 offers; extra are
// header fields of its 200.
func join(t *testing.T, offer, answer func(port int) string, extra string) *talk {
	t.Helper()
	s, a, b := twoPhones(t, Options{})
	c := &talk{t: t, s: s, a: listenUDP(t, "127.0.0.1"), b: listenUDP(t, "127.0.0.1")}
	c.call = a.Dial("102", offer(port(c.a)))
	c.in = b.Ringing()
	b.Reply(c.in.Invite, c.in.Local, 200, "OK", extra, answer(port(c.b)))
	b.Request("ACK")
	c.said = c.call.Answered()
	c.toA, c.toB = c.said.AudioPort(), c.in.Invite.AudioPort()
	s.Eventually("the bridge", func() bool { c.fromA(rtpOf(c.said.Body, 1)); return receive(c.b) != nil })
	s.Eventually("the way back", func() bool { c.fromB(rtpOf(answer(0), 1)); return receive(c.a) != nil })
	return c
}

func (c *talk) fromA(p []byte) { send(c.t, c.a, "127.0.0.1", c.toA, p) }
func (c *talk) fromB(p []byte) { send(c.t, c.b, "127.0.0.1", c.toB, p) }

func (c *talk) end() {
	c.call.Hangup()
	c.in.Phone.Reply(c.in.Phone.Request("BYE"), "", 200, "OK", "", "")
	nothingLeft(c.t, c.s)
}

// rtpOf is a packet of the first payload type of a description.
func rtpOf(sdp string, seq uint16) []byte {
	p := rtp(seq)
	_, formats, _ := strings.Cut(sdp, "RTP/AVP ")
	fmt.Sscan(formats, &p[1])
	return p
}

// typed is a packet of a payload type.
func typed(pt byte, seq uint16, payload ...byte) []byte {
	p := append(rtp(seq)[:12], payload...)
	p[1] = pt
	return p
}

// Audio in a codec that both phones use arrives as it was sent: payload, marker,
// time stamp, sequence number, source. What was not agreed on does not arrive.
func TestAudioArrivesAsItWasSent(t *testing.T) {
	for _, codec := range []string{"8 PCMA/8000", "0 PCMU/8000", "9 G722/8000", "97 opus/48000/2"} {
		t.Run(codec, func(t *testing.T) {
			pt, _, _ := strings.Cut(codec, " ")
			describe := func(first string) func(int) string {
				return func(port int) string {
					return strings.Replace(SDP(port, "a=rtpmap:"+codec, "a=rtpmap:101 telephone-event/8000"), "8 0 101", first+" 101", 1)
				}
			}
			c := join(t, describe(pt), describe(pt), "")
			own := rtpOf(c.said.Body, 0)[1]
			rng := rand.New(rand.NewPCG(7, 8))
			for i := range uint16(60) {
				for _, way := range []struct {
					name string
					send func([]byte)
					to   *net.UDPConn
				}{{"101 to 102", c.fromA, c.b}, {"102 to 101", c.fromB, c.a}} {
					p := rtp(65500 + i) // over the roll-over
					for k := range p[4:] {
						p[4+k] = byte(rng.Uint32())
					}
					p[1] = own | byte(rng.Uint32()&0x80)
					p[8], p[9], p[10], p[11] = 0, 0, 1, byte(i/20) // two changes of the source
					p = p[:12+rng.IntN(161)]
					way.send(p)
					if got := receive(way.to); !bytes.Equal(got, p) {
						t.Fatalf("packet %d, %s: got %x, want %x", i, way.name, got, p)
					}
				}
			}
			for _, other := range []byte{0, 8, 9, 18, 96, 97, 127} {
				if other != own {
					c.fromA(typed(other, 100, 1, 2, 3))
				}
			}
			last := typed(own, 101, 5)
			c.fromA(last)
			if got := receive(c.b); !bytes.Equal(got, last) {
				t.Errorf("got %x, want only what was agreed on: %x", got, last)
			}
			c.end()
		})
	}
}

// A phone may number events otherwise than it was offered them, and send them
// with its own number as well as with ours (RFC 3264 section 5.1 wants ours).
func TestOwnPayloadTypes(t *testing.T) {
	c := join(t, func(port int) string { return SDP(port) }, func(port int) string {
		return strings.NewReplacer("8 0 101", "8 96", "101 telephone", "96 telephone").Replace(SDP(port, "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000"))
	}, "")
	for i, tt := range []struct {
		from   func([]byte)
		to     *net.UDPConn
		pt, as byte
	}{{c.fromA, c.b, 101, 96}, {c.fromB, c.a, 101, 101}, {c.fromB, c.a, 96, 101}} {
		tt.from(typed(0x80|tt.pt, uint16(10+i), 5, 0x0a, 0, 160))
		if got := receive(tt.to); len(got) != 16 || got[1] != 0x80|tt.as || !bytes.Equal(got[12:], []byte{5, 0x0a, 0, 160}) {
			t.Errorf("event of type %d came as %x, want type %d", tt.pt, got, tt.as)
		}
	}
	c.end()
}

// Transcoded audio comes in packets that the phone can take.
func TestLongestPacket(t *testing.T) {
	for limit, want := range map[string]int{"a=maxptime:10": 80, "a=ptime:60\r\na=maxptime:40": 320} {
		c := join(t, func(port int) string { return strings.Replace(SDP(port, "a=rtpmap:0 PCMU/8000"), "8 0 101", "0", 1) },
			func(port int) string {
				return strings.Replace(SDP(port, "a=rtpmap:8 PCMA/8000", limit), "8 0 101", "8", 1)
			}, "")
		if got := receive(c.b); len(got) != 12+want || got[1]&0x7f != 8 {
			t.Errorf("%s: got %x, want PCMA with %d octets", limit, got, want)
		}
		c.end()
	}
}

// Digits go to a phone by INFO one after the other's answer: a lost one that is
// repeated after the next is refused as too late (RFC 3261 section 12.2.2).
func TestDigitsByINFOKeepTheirOrder(t *testing.T) {
	plain := func(port int) string {
		return strings.Replace(SDP(port, "a=rtpmap:8 PCMA/8000"), "8 0 101", "8", 1)
	}
	c := join(t, plain, plain, "Allow: INVITE, ACK, BYE, CANCEL, INFO\r\n")
	for _, digit := range "12#" {
		c.call.CSeq++
		body := fmt.Sprintf("Signal=%c\r\nDuration=100\r\n", digit)
		c.call.Phone.Send(fmt.Sprintf("INFO %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d INFO\r\nContent-Type: application/dtmf-relay\r\nContent-Length: %d\r\n\r\n%s",
			c.call.Target, c.call.Phone.Via(), c.call.Local, c.call.Remote, c.call.ID, c.call.CSeq, len(body), body))
		c.call.Phone.Response("INFO", 200)
	}
	b := c.in.Phone
	for i, digit := range "12#" {
		first := b.Request("INFO")
		if i == 0 {
			b.Silent(300*time.Millisecond, "the next digit before the answer", func(m *Message) bool { return m.Method() == "INFO" && m.Get("CSeq") != first.Get("CSeq") })
		}
		if !strings.Contains(first.Body, fmt.Sprintf("Signal=%c\r\n", digit)) {
			t.Errorf("digit %d is %q, want %c", i, first.Body, digit)
		}
		b.Reply(first, "", 200, "OK", "", "")
	}
	c.end()
}
