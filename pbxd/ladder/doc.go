// Package ladder remembers calls for a day: why each went where it did, what
// was said on the wire, and how it sounded. It is a ring in memory with a bound
// in bytes; nothing of it is written to a disk. Secrets are masked before
// anything is kept (see mask). It does no I/O.
//
// SIPMessages are kept of dialogs that belong to a call only. What a stranger
// sends, registrations, subscriptions and keep-alives have no part in one, so
// that a flood of them pushes no call out.
package ladder

import "time"

// Bounds of what is remembered.
const (
	// MaxBytes is how much all calls may take, compressed or not. When it is
	// used up, the messages of the oldest call go first, then its trace.
	MaxBytes = 8 << 20
	// MaxAge is for how long a call is remembered after it has ended.
	MaxAge = 24 * time.Hour

	maxText     = 8 << 10          // octets kept of one message
	maxHead     = 64 << 10         // octets of a dialog's first messages
	maxTail     = 32 << 10         // octets of its last ones; what lies between is left out
	maxTalk     = 3 << 19          // octets of all dialogs, when the room is short
	maxWaiting  = 512 << 10        // octets of dialogs that belong to no call yet
	waitingTime = time.Minute      // how long such a dialog waits for its call
	settleTime  = 35 * time.Second // after a call's end, for retransmissions (RFC 3261 timers B, F and H take 32 s)
	hurriedTime = time.Second      // the same while calls that are not packed take more than a half of maxTalk
	maxSteps    = 400              // of one call: twice what a hunt group of the largest size needs
	maxLegs     = 250              // of one call: a parallel group rings 200 phones at most
	maxSamples  = 240              // of one leg; when there are more, neighbours are joined
	maxRecords  = 20000            // calls
)
