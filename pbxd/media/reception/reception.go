// Package reception follows what arrives of an RTP stream: packets lost and
// jitter as RFC 3550 counts them, for the call's figures and for own reports.
package reception

import (
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// Bounds of RFC 3550 appendix A.1.
const (
	maxDropout  = 3000 // packets that may be missing in one gap
	maxMisorder = 100  // packets that one may come late by
)

// Stream follows the sequence numbers and time stamps of what one side sends
// (RFC 3550 appendices A.1, A.3 and A.8). The zero Stream is ready. It may not
// be used by two goroutines at once.
type Stream struct {
	started  bool
	ssrc     uint32
	base     uint16 // first sequence number
	max      uint16 // highest sequence number seen
	cycles   int64  // 65536 for each wrap of it
	bad      uint32 // sequence number that would confirm a restart; beyond 16 bits for none
	received int64
	total    uint64 // received of all sources and runs
	lost     int64  // of earlier sources and runs

	clock    int // Hz; 0 while not known
	epoch    time.Time
	transit  uint32
	timed    bool // transit is set
	lastTime uint32
	jitter   uint32 // time stamp units, scaled by 16

	reportedExpected, reportedReceived int64 // at the last Report
}

const noBadSeq = 1 << 16

// Add counts one packet. clock is the rate of its payload type in Hz, or 0
// when it is not known or its time stamps do not follow its arrival, as with
// telephone-event (RFC 4733 section 2.5.1.2).
func (r *Stream) Add(h *rtp.Header, clock int, now time.Time) {
	if !r.started || h.SSRC != r.ssrc {
		r.lost = r.Missing()
		r.restart(h.SequenceNumber)
		r.started, r.ssrc, r.timed, r.jitter = true, h.SSRC, false, 0
	} else if !r.sequence(h.SequenceNumber) {
		return
	}
	r.received++
	r.total++
	if clock > 0 {
		r.time(h.Timestamp, clock, now)
	}
}

// sequence takes one sequence number and reports whether it counts as received.
func (r *Stream) sequence(seq uint16) bool {
	switch delta := seq - r.max; {
	case delta < maxDropout:
		if seq < r.max {
			r.cycles += 1 << 16
		}
		r.max = seq
	case int(delta) <= 1<<16-maxMisorder:
		if uint32(seq) != r.bad {
			r.bad = uint32(seq + 1)
			return false
		}
		r.lost = r.Missing() // two in a row: the side has started anew
		r.restart(seq)
		r.timed = false
	}
	return true
}

func (r *Stream) restart(seq uint16) {
	r.base, r.max, r.cycles, r.bad, r.received = seq, seq, 0, noBadSeq, 0
	r.reportedExpected, r.reportedReceived = 0, 0
}

// Missing returns the packets lost so far, all sources (appendix A.3); negative
// when duplicates outnumber losses.
func (r *Stream) Missing() int64 {
	if !r.started {
		return r.lost
	}
	return r.lost + r.cycles + int64(r.max) - int64(r.base) + 1 - r.received
}

// time updates the interarrival jitter (appendix A.8).
func (r *Stream) time(stamp uint32, clock int, now time.Time) {
	if clock != r.clock {
		r.clock, r.timed, r.jitter = clock, false, 0
	}
	if !r.timed {
		r.epoch = now
	} else if stamp == r.lastTime {
		return // another packet of the same moment says nothing about timing
	}
	since := now.Sub(r.epoch)
	arrival := uint32(int64(since/time.Second)*int64(clock) + int64(since%time.Second)*int64(clock)/int64(time.Second))
	transit := arrival - stamp
	if r.timed {
		d := int32(transit - r.transit)
		if d < 0 {
			d = -d
		}
		// A jump of more than a second is a new time line, not jitter.
		if d >= 0 && int(d) < clock {
			r.jitter += uint32(d) - (r.jitter+8)>>4
		}
	}
	r.transit, r.lastTime, r.timed = transit, stamp, true
}

// Jitter returns the jitter as a time, or 0 while it is not known.
func (r *Stream) Jitter() time.Duration {
	if r.clock == 0 {
		return 0
	}
	return time.Duration(r.jitter>>4) * time.Second / time.Duration(r.clock)
}

// SSRC returns the source now heard; 0 for none yet.
func (r *Stream) SSRC() uint32 { return r.ssrc }

// Received returns the packets received so far, all sources.
func (r *Stream) Received() uint64 { return r.total }

// Report returns the figures of a report block on the source now heard (RFC
// 3550 section 6.4.1): without the fields about its last sender report. It
// starts the interval of the next fraction lost; ok is false when nothing has
// come.
func (r *Stream) Report() (b rtcp.ReceptionReport, ok bool) {
	if !r.started {
		return b, false
	}
	expected := r.cycles + int64(r.max) - int64(r.base) + 1
	all, got := expected-r.reportedExpected, r.received-r.reportedReceived
	r.reportedExpected, r.reportedReceived = expected, r.received
	b = rtcp.ReceptionReport{
		SSRC:               r.ssrc,
		LastSequenceNumber: uint32(r.cycles) + uint32(r.max),
		TotalLost:          uint32(min(max(expected-r.received, -1<<23), 1<<23-1)) & 0xffffff,
		Jitter:             r.jitter >> 4,
	}
	if all > 0 && got < all {
		b.FractionLost = uint8(min((all-got)*256/all, 255))
	}
	return b, true
}
