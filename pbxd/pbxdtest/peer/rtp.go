package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// PayloadPCMA is the static payload type of G.711 A-law (RFC 3551 table 4).
const PayloadPCMA = 8

const (
	rtpHeader   = 12                    // bytes, without contributing sources (RFC 3550 section 5.1)
	frame       = 20 * time.Millisecond // one packet
	frameOctets = SampleRate / 50
	maxStreams  = 1000             // sources that one RTP counts
	maxHeard    = SampleRate * 600 // samples kept of each
)

// RTP is the audio of a phone that has none of its own, such as sipp: it sends
// a tone as G.711 A-law and records what arrives, by its source (SSRC).
type RTP struct {
	conn *net.UDPConn
	done chan struct{} // closed when nothing is received any more

	mu      sync.Mutex
	streams map[uint32]*Stream
	invalid int
}

// Stream is what has arrived of one source.
type Stream struct {
	SSRC       uint32
	From       netip.AddrPort // of its first packet
	Moved      int            // packets that came from elsewhere
	Packets    int            // that arrived
	Duplicates int            // of them, sequence numbers that had arrived before
	First      uint32         // first and last sequence number, counted on beyond 16 bits
	Last       uint32
	Samples    []int16 // of payload type 8 in the order of arrival, at most 10 minutes

	seen map[uint32]bool
}

// Expected returns how many packets the sequence numbers promise.
func (s *Stream) Expected() int { return int(s.Last-s.First) + 1 }

// Lost returns how many of them have not arrived.
func (s *Stream) Lost() int { return s.Expected() - (s.Packets - s.Duplicates) }

// ListenRTP opens a socket at addr (port 0 picks one) and begins to receive.
func ListenRTP(addr netip.AddrPort) (*RTP, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return nil, fmt.Errorf("listen for RTP: %w", err)
	}
	r := &RTP{conn: conn, done: make(chan struct{}), streams: map[uint32]*Stream{}}
	go r.receive()
	return r, nil
}

// Addr returns the local address.
func (r *RTP) Addr() netip.AddrPort { return r.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Close ends receiving and sending.
func (r *RTP) Close() error {
	err := r.conn.Close()
	<-r.done
	return err
}

// SendTone sends one stream of a sine of freq Hz to the address, a packet every
// 20 ms, until ctx ends, and returns how many it sent. Its pace does not drift:
// packets that the machine was too slow for are sent as soon as it can.
func (r *RTP) SendTone(ctx context.Context, to netip.AddrPort, freq float64) (sent int, err error) {
	sine := Sine(freq, 0.5, time.Second) // whole periods of whole frequencies
	p := make([]byte, rtpHeader+frameOctets)
	p[0], p[1] = 2<<6, PayloadPCMA
	seq, stamp := uint16(rand.Uint32()), rand.Uint32()
	binary.BigEndian.PutUint32(p[8:], rand.Uint32())
	start := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return sent, nil
		case <-timer.C:
		}
		for ; time.Duration(sent)*frame <= time.Since(start); sent++ {
			binary.BigEndian.PutUint16(p[2:], seq+uint16(sent))
			binary.BigEndian.PutUint32(p[4:], stamp+uint32(sent*frameOctets))
			for i := range frameOctets {
				p[rtpHeader+i] = encodeALaw(sine[(sent*frameOctets+i)%len(sine)])
			}
			if _, err := r.conn.WriteToUDPAddrPort(p, to); err != nil {
				return sent, fmt.Errorf("send RTP packet %d to %v: %w", sent, to, err)
			}
		}
		timer.Reset(time.Until(start.Add(time.Duration(sent) * frame)))
	}
}

func (r *RTP) receive() {
	defer close(r.done)
	buf := make([]byte, 2048)
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP error of something sent: tells nothing about what arrives
		}
		r.mu.Lock()
		r.take(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		r.mu.Unlock()
	}
}

// take enters one packet.
func (r *RTP) take(p []byte, from netip.AddrPort) {
	payload, ok := rtpPayload(p)
	if !ok {
		r.invalid++
		return
	}
	ssrc, seq := binary.BigEndian.Uint32(p[8:]), binary.BigEndian.Uint16(p[2:])
	s := r.streams[ssrc]
	if s == nil {
		if len(r.streams) >= maxStreams {
			r.invalid++
			return
		}
		first := 1<<16 + uint32(seq) // leaves room below for what overtook
		s = &Stream{SSRC: ssrc, From: from, First: first, Last: first, seen: map[uint32]bool{}}
		r.streams[ssrc] = s
	}
	n := s.Last + uint32(int32(int16(seq-uint16(s.Last)))) // the nearest number with these 16 bits
	s.First, s.Last = min(s.First, n), max(s.Last, n)
	s.Packets++
	if s.seen[n] {
		s.Duplicates++
	}
	s.seen[n] = true
	if from != s.From {
		s.Moved++
	}
	if p[1]&0x7f == PayloadPCMA && len(s.Samples)+len(payload) <= maxHeard {
		for _, a := range payload {
			s.Samples = append(s.Samples, decodeALaw(a))
		}
	}
}

// rtpPayload returns the payload of a packet of RTP version 2.
func rtpPayload(p []byte) ([]byte, bool) {
	if len(p) < rtpHeader || p[0]>>6 != 2 {
		return nil, false
	}
	at := rtpHeader + 4*int(p[0]&0x0f)
	if p[0]&0x10 != 0 { // a header extension
		if len(p) < at+4 {
			return nil, false
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(p[at+2:]))
	}
	end := len(p)
	if p[0]&0x20 != 0 { // padding; its last octet counts itself
		end -= int(p[len(p)-1])
	}
	if at > end {
		return nil, false
	}
	return p[at:end], true
}

// Streams returns a copy of what has arrived, and how many packets were not RTP.
func (r *RTP) Streams() (streams []Stream, invalid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.streams {
		c := *s
		c.Samples = append([]int16(nil), s.Samples...)
		c.seen = nil
		streams = append(streams, c)
	}
	return streams, r.invalid
}
