package engine

import (
	"encoding/binary"

	"galilei/pbxd/media"
)

// inlet takes what the endpoint of a side receives.
type inlet struct{ s *Side }

// SetPeer does nothing: an inlet only takes.
func (inlet) SetPeer(media.Endpoint) {}

// header is what the engine needs of an RTP header (RFC 3550 section 5.1).
type header struct {
	pt     uint8
	marker bool
	seq    uint16
	stamp  uint32
	ssrc   uint32
	body   int // where the payload begins
	end    int // and ends, before the padding
}

// parse reads the header of p.
func parse(p []byte) (h header, ok bool) {
	if len(p) < 12 || p[0]>>6 != 2 {
		return h, false
	}
	h = header{
		pt: p[1] & 0x7f, marker: p[1]&0x80 != 0, seq: binary.BigEndian.Uint16(p[2:]),
		stamp: binary.BigEndian.Uint32(p[4:]), ssrc: binary.BigEndian.Uint32(p[8:]),
		body: 12 + 4*int(p[0]&0x0f), end: len(p),
	}
	if p[0]&0x10 != 0 {
		if h.body+4 > len(p) {
			return h, false
		}
		h.body += 4 + 4*int(binary.BigEndian.Uint16(p[h.body+2:]))
	}
	if p[0]&0x20 != 0 {
		pad := int(p[len(p)-1])
		if pad == 0 {
			return h, false
		}
		h.end -= pad
	}
	return h, h.body <= h.end
}

// WriteRTP takes one packet from the side.
func (in inlet) WriteRTP(p []byte) {
	s := in.s
	now := s.engine.now()
	s.mu.Lock()
	h, ok := parse(p)
	if !ok {
		s.dropped.Invalid++
		s.mu.Unlock()
		return
	}
	k := s.plan.Load().in(h.pt)
	s.header.SSRC, s.header.SequenceNumber, s.header.Timestamp = h.ssrc, h.seq, h.stamp
	clock := 0
	if k.known && !k.event {
		clock = k.format.Clock
	}
	s.stream.Add(&s.header, clock, now)
	moved := false
	switch payload := p[h.body:h.end]; {
	case !k.known:
		s.dropped.Unknown++
	case k.event:
		if !k.format.Same(s.signals) {
			s.signals, moved = k.format, true
			s.shift()
		}
		s.changes = s.events.Receive(s.changes[:0], h.stamp, payload, now)
		s.signalled()
	case k.noise:
		if s.decoding {
			s.playout.SetNoise(payload)
		}
	default:
		if h.pt != s.speaks {
			s.speaks, moved = h.pt, true
			s.shift()
		}
		if s.decoding && k.speech != 0 {
			s.playout.Put(payload, h.stamp, h.marker, now)
		}
	}
	to, plain, gear, pt := s.route.to, s.route.plain, s.route.gear, s.route.types[h.pt]
	passes := gear == Forward && to == nil || (gear == Forward || gear == Rewrite) && pt != dropType
	if gear == Idle {
		s.dropped.Idle++
	} else if gear != Decode && !passes {
		s.dropped.Unwanted++
	}
	s.unlockAndTell()
	if moved {
		s.aim()
	}
	switch {
	case !passes:
	case to == nil:
		plain.WriteRTP(p)
	case gear == Rewrite:
		to.out.rewrite(p, h, pt, s, k, now)
	case to.out.forward(p, h, s, k, now):
		s.mu.Lock()
		s.shift()
		s.mu.Unlock()
	}
}

// unlockAndTell lets go of s.mu and tells about the digits that were found.
func (s *Side) unlockAndTell() {
	if len(s.told) == 0 {
		s.mu.Unlock()
		return
	}
	told := append([]Digit(nil), s.told...)
	s.told = s.told[:0]
	tell, hears := s.plan.Load().Digits, s.keys
	s.mu.Unlock()
	for _, d := range told {
		if tell != nil {
			tell(d)
		}
		if hears != nil {
			hears(d)
		}
	}
}
