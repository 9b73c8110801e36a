package rtpevent

import "time"

// silence is how long after the last packet an event without end is over.
// Packets come every 50 ms at the longest (RFC 4733 section 2.5.1.2 advises
// that), so three are lost by then.
const silence = 150 * time.Millisecond

// leastSegment is the shortest segment of a long event, units of the RTP clock:
// a duration counts to 65535, and the next packet may be 400 units ahead.
const leastSegment = 0xf000

// Change is the start or the end of an event.
type Change struct {
	Code     uint8
	On       bool
	Duration uint32 // of the whole event, units of the RTP clock; 0 at the start
}

// Receiver follows the events of one RTP stream: of the many packets of an
// event it makes one start and one end, also when some are lost, come twice
// or in another order.
type Receiver struct {
	known  bool
	active bool
	stamp  uint32 // of the segment now or last heard
	code   uint8
	before uint32 // duration of the event's earlier segments
	length uint16 // of this one
	heard  time.Time
}

// Receive takes in the payload of a packet with its time stamp, and appends
// what changed to dst: at most the end of one event and the start and the end
// of the next. What is no event changes nothing.
func (r *Receiver) Receive(dst []Change, stamp uint32, payload []byte, now time.Time) []Change {
	if len(payload) < Size {
		return dst
	}
	e := read(payload)
	if r.known && stamp != r.stamp {
		switch ahead := int32(stamp - r.stamp); {
		case ahead < 0 && now.Sub(r.heard) < time.Second:
			return dst // an old packet
		case r.active && e.Code == r.code && ahead >= leastSegment && ahead <= 1<<16:
			r.before += uint32(ahead) // a further segment of a long event (section 2.5.1.3), whatever was lost of the last
			r.stamp, r.length = stamp, 0
		default:
			dst = r.end(dst)
			r.known = false
		}
	}
	if !r.known {
		r.known, r.active, r.stamp, r.code, r.before, r.length = true, true, stamp, e.Code, 0, 0
		dst = append(dst, Change{Code: e.Code, On: true})
	}
	r.heard = now
	if !r.active || e.Code != r.code {
		return dst // one of the repeated end packets
	}
	r.length = max(r.length, e.Duration)
	if e.End {
		dst = r.end(dst)
	}
	return dst
}

// Expire ends an event of which nothing has been heard for 150 ms.
func (r *Receiver) Expire(dst []Change, now time.Time) []Change {
	if r.active && now.Sub(r.heard) >= silence {
		return r.end(dst)
	}
	return dst
}

// Active reports whether an event goes on.
func (r *Receiver) Active() bool { return r.active }

func (r *Receiver) end(dst []Change) []Change {
	if !r.active {
		return dst
	}
	r.active = false
	return append(dst, Change{Code: r.code, Duration: r.before + uint32(r.length)})
}
