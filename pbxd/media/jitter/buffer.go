// Package jitter turns the packets of a network into an even signal: they are
// put in as they come, early, late, twice, in any order or not at all, and
// frames are taken out at the pace of our own clock. The delay follows the
// jitter that is seen, and what the two clocks differ by is made up for.
//
// It is for encodings with 8 octets and 8 units of the RTP clock for each
// millisecond: G.711 and G.722, for which octets and time stamps count alike
// (RFC 3551 sections 4.5.2 and 4.5.14). Nothing is allocated once a value has
// been made, and no value may be used by two goroutines at once.
package jitter

import (
	"time"
)

const perMs = 8 // octets and units of the RTP clock

// Bounds of the delay, in units of the RTP clock.
const (
	ring     = 8192         // octets held, 1.024 s
	minDelay = 20 * perMs   // a frame is taken at once, so that much must be there
	maxDelay = 200 * perMs  // of what the target follows
	farAhead = 600 * perMs  // time stamps beyond are another time line
	farLate  = 1000 * perMs // and those before, too
	lateRun  = 10           // packets late in a row
	lateFor  = 100 * perMs  // and for that long, not in one burst: the time line has moved
)

// MinDelay and MaxDelay bound the delay that a Buffer aims at.
const (
	MinDelay = minDelay / perMs * time.Millisecond
	MaxDelay = maxDelay / perMs * time.Millisecond
)

// Counts are what has happened to the packets put into a Buffer and to the
// time taken out of it.
type Counts struct {
	Packets    uint64 // put in, all of them
	Late       uint64 // came after their time had passed
	Duplicate  uint64 // were there already
	Reordered  uint64 // came after one that followed them, in time
	Restarts   uint64 // new time lines: jumps of the time stamps, new talk spurts after a pause
	MissingMs  uint64 // taken out without having come
	ReceivedMs uint64 // taken out as it came
}

// Buffer holds encoded sound by its time stamp. The zero Buffer is ready.
type Buffer struct {
	octets  [ring]byte
	have    [ring]bool
	began   bool
	playing bool  // taking has begun
	play    int64 // next unit to be taken
	end     int64 // after the highest unit that is there
	late    int   // packets late in a row
	lateAt  int64 // arrival of the first of them, units
	epoch   time.Time
	first   int64 // arrival of the first packet of the time line, units
	spread  spread
	counts  Counts
}

// Reset forgets what is held and the time line, and keeps the target delay.
func (b *Buffer) Reset() {
	b.began, b.playing, b.late = false, false, 0
	clear(b.have[:])
	b.spread.restart()
}

// units returns the time of now in units of the RTP clock.
func (b *Buffer) units(now time.Time) int64 {
	if b.epoch.IsZero() {
		b.epoch = now
	}
	return int64(now.Sub(b.epoch)) * perMs / int64(time.Millisecond)
}

// Put takes in the payload of a packet with its time stamp. marker says that a
// talk spurt starts with it. A payload beyond 200 ms is cut.
func (b *Buffer) Put(payload []byte, stamp uint32, marker bool, now time.Time) {
	b.counts.Packets++
	arrival := b.units(now)
	payload = payload[:min(len(payload), maxDelay)]
	if !b.began {
		b.start(int64(stamp), arrival)
	}
	at := b.end + int64(int32(stamp-uint32(b.end)))
	empty := b.end <= b.play
	switch {
	case at >= b.play+farAhead, at < b.play-farLate, marker && empty && b.playing:
		b.restart(int64(stamp), arrival)
		at = int64(stamp)
	case at < b.play && !b.playing && b.end-at <= farAhead:
		b.play = at // the second packet overtook the first
	}
	late := at+int64(len(payload)) <= b.play
	if late && b.late == 0 {
		b.spread.keep()
		b.lateAt = arrival
	}
	b.spread.add(arrival-at, arrival)
	if late {
		b.counts.Late++
		if b.late++; b.late < lateRun || arrival-b.lateAt < lateFor {
			return
		}
		b.spread.recall() // the packets were not late, the time line had moved
		b.restart(int64(stamp), arrival)
		at = int64(stamp)
	}
	b.late = 0
	b.store(payload, at)
}

// store keeps the part of payload that is still to be played.
func (b *Buffer) store(payload []byte, at int64) {
	if at < b.end && at+int64(len(payload)) < b.end {
		b.counts.Reordered++
	}
	fresh := false
	for i, octet := range payload {
		unit := at + int64(i)
		if unit < b.play {
			continue
		}
		k := unit & (ring - 1)
		if !b.have[k] {
			b.octets[k], b.have[k], fresh = octet, true, true
		}
	}
	if !fresh && len(payload) > 0 {
		b.counts.Duplicate++
	}
	b.end = max(b.end, at+int64(len(payload)))
}

func (b *Buffer) start(stamp, arrival int64) {
	b.began, b.playing, b.play, b.end, b.first = true, false, stamp, stamp, arrival
	clear(b.have[:])
	b.spread.restart()
	b.late = 0
}

func (b *Buffer) restart(stamp, arrival int64) {
	b.counts.Restarts++
	b.start(stamp, arrival)
}

// Ready reports whether there is something to take: nothing is until the
// first packet of a time line has waited for the target delay.
func (b *Buffer) Ready(now time.Time) bool {
	if !b.began {
		return false
	}
	if !b.playing && b.units(now)-b.first >= b.spread.target() {
		b.playing = true
	}
	return b.playing
}

// Take takes out at most n units from the front that are all there or all
// missing, and says which. The octets are valid until the next Put; without
// sound they are nil.
func (b *Buffer) Take(n int) (octets []byte, taken int) {
	k := int(b.play & (ring - 1))
	n = min(n, ring-k)
	have := b.have[k]
	for taken < n && b.have[k+taken] == have {
		taken++
	}
	b.play += int64(taken)
	if !have {
		b.counts.MissingMs += uint64(taken) / perMs
		return nil, taken
	}
	clear(b.have[k : k+taken])
	b.counts.ReceivedMs += uint64(taken) / perMs
	return b.octets[k : k+taken], taken
}

// skip leaves out n units.
func (b *Buffer) skip(n int64) {
	for ; n > 0; n-- {
		b.have[b.play&(ring-1)] = false
		b.play++
	}
}

// Empty reports whether all that came has been taken.
func (b *Buffer) Empty() bool { return b.end <= b.play }

// Excess returns by how much the packet that travelled fastest waits longer
// than the target, in units of the RTP clock; negative when it waits for less
// and others will be late. held is what has been taken but not yet played.
func (b *Buffer) Excess(held int, now time.Time) int64 {
	return b.delay(held, now) - b.spread.target()
}

// delay returns for how long the packet that travelled fastest waits.
func (b *Buffer) delay(held int, now time.Time) int64 {
	return b.units(now) - b.play + int64(held) - b.spread.base()
}

// Target returns the delay that is aimed at, MinDelay to MaxDelay.
func (b *Buffer) Target() time.Duration {
	return time.Duration(b.spread.target()) * time.Millisecond / perMs
}

// Counts returns what has happened so far.
func (b *Buffer) Counts() Counts { return b.counts }
