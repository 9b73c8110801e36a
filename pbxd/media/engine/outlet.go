package engine

import (
	"encoding/binary"
	"sync"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
	"galilei/pbxd/media/rtpevent"
)

// maxPacket is the longest packet that is sent on, octets.
const maxPacket = 1500

// jump is a step of sequence numbers that starts a new stream, as in RFC 3550
// appendix A.1.
const jump = 3000

// origin is where the packets of a stream come from at present. When it
// changes, the numbers of the stream go on as if it did not.
type origin struct {
	side   *Side // nil for frames of ours
	frames bool
	ssrc   uint32
	first  uint16 // sequence number of the packet that came first
	seq    uint16 // of the last one
}

// outlet is what is sent to one side: one RTP stream, whoever speaks.
type outlet struct {
	endpoint media.Endpoint

	mu     sync.Mutex // guards what follows
	source *Side      // who is heard; nil for nobody
	play   Source     // what is heard in his place
	turn   uint64     // counts what was played
	closed bool
	own    bool // the numbers are ours and no longer those of a forwarded stream

	ssrc    uint32
	sources int       // SSRCs forwarded
	seq     uint16    // highest sent
	stamp   uint32    // of the last packet of sound; those of events keep that of their start
	at      time.Time // when it was sent
	clock   int       // Hz of stamp; 0 before the first
	packets uint32
	octets  uint32 // of payload
	origin  origin
	bySeq   uint16 // what is added to the numbers of the origin
	byStamp uint32
	buf     [maxPacket]byte

	// Frames.
	plan     *plan
	format   media.Format
	codec    codec.Codec
	passing  codec.Codec // of the last packet that was passed on
	encoder  codec.Encoder
	up, down *codec.Resampler
	next     uint32 // time stamp of the first pending octet
	marker   bool   // the next packet starts a talk spurt
	pending  []byte
	linear   []int16
	signals  signals
	event    rtpevent.Sender
}

// take makes s the one who is heard.
func (o *outlet) take(s *Side) {
	o.mu.Lock()
	o.source = s
	o.mu.Unlock()
}

// release ends that s is heard.
func (o *outlet) release(s *Side) {
	o.mu.Lock()
	if o.source == s {
		o.source = nil
	}
	o.mu.Unlock()
}

func (o *outlet) setPlay(src Source) {
	o.mu.Lock()
	o.play = src
	o.turn++
	o.mu.Unlock()
}

// later returns the time stamp of a packet that is sent now from another
// origin than the last: as much later as the time that has passed, and at
// least a frame.
func (o *outlet) later(clock int, now time.Time) uint32 {
	passed := max(now.Sub(o.at), 0)
	units := int64(passed/time.Millisecond) * int64(clock) / 1000
	return o.stamp + uint32(max(units, int64(clock)/(1000/codec.FrameMs)))
}

// maxSources is how many SSRCs are forwarded to a side. Who changes it all the
// time would have the receiver, and our own encryption, keep a state for each:
// from then on its packets pass with one of ours.
const maxSources = 16

// forward sends a packet as it is and takes its numbers for those of the
// stream. It reports whether the next ones pass in another gear.
func (o *outlet) forward(p []byte, h header, from *Side, k *incoming, now time.Time) (over bool) {
	o.mu.Lock()
	if o.source == from && !o.own && h.ssrc != o.ssrc {
		o.sources++
		o.own = o.sources > maxSources
		over = o.own
	}
	if o.own { // since just now
		o.mu.Unlock()
		o.rewrite(p, h, h.pt, from, k, now)
		return over
	}
	if o.source != from || o.closed {
		o.mu.Unlock()
		return false
	}
	o.note(h, from, k)
	if other := h.ssrc != o.ssrc; other || int16(h.seq-o.seq) > 0 {
		o.ssrc, o.seq = h.ssrc, h.seq
		if other || !k.event {
			o.stamp, o.at, o.clock = h.stamp, now, k.format.Clock
		}
	}
	o.bySeq, o.byStamp = 0, 0
	o.packets++
	o.octets += uint32(h.end - h.body)
	o.mu.Unlock()
	o.endpoint.WriteRTP(p)
	return false
}

// note remembers the origin. The caller holds mu.
func (o *outlet) note(h header, from *Side, k *incoming) {
	if o.origin.side != from || o.origin.ssrc != h.ssrc {
		o.origin = origin{side: from, ssrc: h.ssrc, first: h.seq}
	}
	o.origin.seq = h.seq
	if k.speech != 0 {
		o.passing = k.speech
	}
}

// rewrite sends a packet with the numbers of the stream and payload type pt.
func (o *outlet) rewrite(p []byte, h header, pt uint8, from *Side, k *incoming, now time.Time) {
	if len(p) > len(o.buf) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.source != from || o.closed {
		return
	}
	step := int(int16(h.seq - o.origin.seq))
	marker := h.marker
	fresh := o.origin.side != from || o.origin.ssrc != h.ssrc || step > jump || step < -jump
	if fresh {
		o.origin = origin{side: from, ssrc: h.ssrc, first: h.seq, seq: h.seq}
		o.bySeq = o.seq + 1 - h.seq
		o.byStamp = o.later(k.format.Clock, now) - h.stamp
		marker = !k.event || marker
	} else if back := int16(h.seq - o.origin.first); back < 0 && back > -jump {
		return // its number has been used by the origin before this one
	}
	newest := fresh || step > 0
	o.own = true
	if k.speech != 0 {
		o.passing = k.speech
	}
	seq, stamp := h.seq+o.bySeq, h.stamp+o.byStamp
	if newest {
		o.origin.seq = h.seq
		o.seq = seq
		if !k.event {
			o.stamp, o.at, o.clock = stamp, now, k.format.Clock
		}
	}
	copy(o.buf[:], p)
	o.put(o.buf[:len(p)], p[0], pt, marker, seq, stamp)
}

// put writes the first 12 octets of a packet and sends it. The caller holds mu.
func (o *outlet) put(b []byte, first, pt uint8, marker bool, seq uint16, stamp uint32) {
	b[0], b[1] = first, pt
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], stamp)
	binary.BigEndian.PutUint32(b[8:], o.ssrc)
	o.packets++
	o.octets += uint32(len(b) - 12)
	o.endpoint.WriteRTP(b)
}

// emit sends a payload of ours, which lies in buf after the header.
func (o *outlet) emit(octets int, pt uint8, marker bool, stamp uint32) {
	o.seq++
	o.put(o.buf[:12+octets], 0x80, pt, marker, o.seq, stamp)
}
