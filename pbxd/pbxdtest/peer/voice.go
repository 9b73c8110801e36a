package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// PayloadPCMU is the static payload type of G.711 mu-law (RFC 3551 table 4),
// and PayloadEvent that of telephone-event (RFC 4733) in all scenarios here.
const (
	PayloadPCMU  = 0
	PayloadEvent = 101
)

// maxPackets bounds what one Voice keeps: 20 minutes.
const maxPackets = 60_000

// Packet is one RTP packet that arrived.
type Packet struct {
	At      time.Time
	From    netip.AddrPort
	SSRC    uint32
	Seq     uint16
	Stamp   uint32
	Type    byte // payload type
	Marker  bool
	Payload []byte
}

// Voice is the audio of a phone that a test moves about: it sends one steady
// stream, of which tone and target change while it runs, and keeps all that
// arrives with its time. Its methods may be called from any goroutine.
type Voice struct {
	conn *net.UDPConn
	kind byte // payload type that it speaks: PayloadPCMA or PayloadPCMU
	stop chan struct{}
	wg   sync.WaitGroup

	mu      sync.Mutex
	to      netip.AddrPort
	tone    float64
	extra   []int16 // goes out once, before the tone goes on
	events  []byte  // digits that wait to be sent as telephone-events
	sent    int
	paused  time.Duration // longest time in which it could not send
	packets []Packet
	changed chan struct{} // closed and replaced when a packet has come
}

// ListenVoice opens a socket at addr (port 0 picks one), records, and is ready
// to send in the payload type kind; it is silent until SendTo.
func ListenVoice(addr netip.AddrPort, kind byte) (*Voice, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("listen for audio: %w", err)
	}
	v := &Voice{conn: conn, kind: kind, stop: make(chan struct{}), changed: make(chan struct{})}
	v.wg.Go(v.receive)
	v.wg.Go(v.send)
	return v, nil
}

// Addr returns the local address.
func (v *Voice) Addr() netip.AddrPort { return v.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Port returns the local port.
func (v *Voice) Port() int { return int(v.Addr().Port()) }

// Close ends receiving and sending.
func (v *Voice) Close() error {
	close(v.stop)
	err := v.conn.Close()
	v.wg.Wait()
	return err
}

// SendTo sends the stream to an address from now on; an invalid one stops it.
func (v *Voice) SendTo(to netip.AddrPort) {
	v.mu.Lock()
	v.to = to
	v.mu.Unlock()
}

// Tone sends a sine at half of full scale from now on; 0 is silence.
func (v *Voice) Tone(freq float64) {
	v.mu.Lock()
	v.tone = freq
	v.mu.Unlock()
}

// Say sends samples once in place of the tone.
func (v *Voice) Say(samples []int16) {
	v.mu.Lock()
	v.extra = append(v.extra, samples...)
	v.mu.Unlock()
}

// Digits sends digits as telephone-events of 100 ms with 60 ms between them.
func (v *Voice) Digits(digits string) {
	v.mu.Lock()
	v.events = append(v.events, digits...)
	v.mu.Unlock()
}

// Sent returns how many packets it has sent.
func (v *Voice) Sent() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sent
}

// Paused returns the longest time in which the machine let it send nothing: what
// is heard of it then has a gap that is nobody's fault.
func (v *Voice) Paused() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.paused
}

// send paces the stream: a packet each 20 ms, by the clock, so that it does not
// drift; what the machine was too slow for is sent as soon as it can.
func (v *Voice) send() {
	p := make([]byte, rtpHeader+frameOctets)
	p[0] = 2 << 6
	seq, stamp := uint16(rand.Uint32()), rand.Uint32()
	binary.BigEndian.PutUint32(p[8:], rand.Uint32())
	start := time.Now()
	ticker := time.NewTicker(frame)
	defer ticker.Stop()
	var event struct {
		code  byte
		begun uint32
		left  int // packets of the event, its end and the pause after it
	}
	awake := start
	for n := 0; ; {
		select {
		case <-v.stop:
			return
		case <-ticker.C:
		}
		v.mu.Lock()
		v.paused = max(v.paused, time.Since(awake))
		v.mu.Unlock()
		awake = time.Now()
		for ; time.Duration(n)*frame <= time.Since(start); n++ {
			now := stamp + uint32(n*frameOctets)
			v.mu.Lock()
			to := v.to
			if event.left == 0 && len(v.events) > 0 && to.IsValid() {
				event.code, event.begun, event.left = eventCode(v.events[0]), now, 10
				v.events = v.events[1:]
			}
			if event.left == 0 {
				v.frame(p[rtpHeader:], n)
			}
			v.mu.Unlock()
			if !to.IsValid() {
				continue
			}
			if event.left > 3 || event.left == 0 {
				p[1] = v.kind
				binary.BigEndian.PutUint32(p[4:], now)
			}
			size := len(p)
			switch {
			case event.left > 3: // five packets of the event, then its end, twice repeated (RFC 4733 section 2.5.1.4)
				p[1] = PayloadEvent
				if event.left == 10 {
					p[1] |= 0x80
				}
				binary.BigEndian.PutUint32(p[4:], event.begun)
				played, end := min(11-event.left, 5), byte(0)
				if event.left <= 6 {
					end = 0x80
				}
				p[rtpHeader], p[rtpHeader+1] = event.code, 10|end
				binary.BigEndian.PutUint16(p[rtpHeader+2:], uint16(played*frameOctets))
				size = rtpHeader + 4
				event.left--
			case event.left > 0:
				event.left--
				continue // the pause
			}
			seq++
			binary.BigEndian.PutUint16(p[2:], seq)
			if _, err := v.conn.WriteToUDPAddrPort(p[:size], to); errors.Is(err, net.ErrClosed) {
				return
			}
			v.mu.Lock()
			v.sent++
			v.mu.Unlock()
		}
	}
}

// frame fills one packet with the n-th frame.
func (v *Voice) frame(p []byte, n int) {
	for i := range p {
		var s int16
		switch {
		case len(v.extra) > 0:
			s, v.extra = v.extra[0], v.extra[1:]
		case v.tone != 0:
			s = int16(math.Round(0.5 * math.MaxInt16 * math.Sin(2*math.Pi*v.tone*float64(n*frameOctets+i)/SampleRate)))
		}
		if v.kind == PayloadPCMU {
			p[i] = encodeULaw(s)
		} else {
			p[i] = encodeALaw(s)
		}
	}
}

const eventDigits = "0123456789*#ABCD"

func eventCode(digit byte) byte {
	for i := range eventDigits {
		if eventDigits[i] == digit {
			return byte(i)
		}
	}
	return 16 // flash
}

func (v *Voice) receive() {
	buf := make([]byte, 2048)
	for {
		n, from, err := v.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		payload, ok := rtpPayload(buf[:max(n, 0)])
		if err != nil || !ok {
			continue // an ICMP error of something sent, or no RTP: tells nothing of the audio
		}
		p := Packet{
			At: time.Now(), From: netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), SSRC: binary.BigEndian.Uint32(buf[8:]), Seq: binary.BigEndian.Uint16(buf[2:]),
			Stamp: binary.BigEndian.Uint32(buf[4:]), Type: buf[1] & 0x7f, Marker: buf[1]&0x80 != 0, Payload: append([]byte(nil), payload...),
		}
		v.mu.Lock()
		if len(v.packets) < maxPackets {
			v.packets = append(v.packets, p)
		}
		close(v.changed)
		v.changed = make(chan struct{})
		v.mu.Unlock()
	}
}

// Mark names this moment: how many packets have come.
func (v *Voice) Mark() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.packets)
}

// Since returns the packets that have come since a mark.
func (v *Voice) Since(mark int) []Packet {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]Packet(nil), v.packets[mark:]...)
}

// until calls done with the packets since a mark, now and after every one that
// comes, until it reports true or ctx ends.
func (v *Voice) until(ctx context.Context, mark int, done func([]Packet) bool) error {
	for {
		v.mu.Lock()
		packets, changed := v.packets[mark:], v.changed
		v.mu.Unlock()
		if done(packets) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
