package rtpevent

// endPackets is how often the last packet is sent (RFC 4733 section 2.5.1.4).
const endPackets = 3

// Sender makes the packets of one event after the other. Whoever sends asks it
// for a packet at an even pace while it is active.
type Sender struct {
	code     uint8
	active   bool
	started  bool
	ending   bool
	ends     int
	stamp    uint32
	duration uint32 // of this segment
	total    uint32 // of the event
}

// Begin starts an event at a time stamp. One that is active is dropped.
func (s *Sender) Begin(code uint8, stamp uint32) {
	*s = Sender{code: code, active: true, stamp: stamp}
}

// End makes the next packets the last ones.
func (s *Sender) End() { s.ending = true }

// Active reports whether there are packets to send.
func (s *Sender) Active() bool { return s.active }

// Duration returns how long the event has lasted in the packets so far, units
// of the RTP clock.
func (s *Sender) Duration() uint32 { return s.total }

// Packet appends the payload of the next packet to dst when the event has gone
// on for that many units more, 1 to 8000. The time stamp is that of its start,
// or of its segment when it is longer than 65535 units (section 2.5.1.3); the
// marker says that it is the first. Without an event it returns dst.
func (s *Sender) Packet(dst []byte, units uint32) (payload []byte, stamp uint32, marker bool) {
	if !s.active {
		return dst, 0, false
	}
	marker = !s.started
	s.started = true
	if s.ends == 0 { // the end packets all tell the same
		if s.duration+units > 0xffff {
			s.stamp += s.duration
			s.duration = 0
		}
		s.duration += units
		s.total += units
	}
	if s.ending {
		s.ends++
		s.active = s.ends < endPackets
	}
	e := Event{Code: s.code, End: s.ending, Volume: Volume, Duration: uint16(s.duration)}
	return e.Append(dst), s.stamp, marker
}
