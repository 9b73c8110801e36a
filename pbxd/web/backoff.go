package web

import (
	"net/netip"
	"sync"
	"time"
)

// Failed logins are counted in up to two buckets, and the longest wait of them
// holds. The bucket of (user, address) only ever slows that address down. The
// bucket of the user slows all others: firmly for addresses outside, but by at
// most five seconds in the local network, so that nobody there can lock the
// administrator out; and not at all for an address from which that user has
// logged in within a day.
const (
	freeFailures     = 4
	freeUserFailures = 20
	maxWaitLocal     = time.Minute
	maxWaitRemote    = 15 * time.Minute
	maxWaitUserLocal = 5 * time.Second
	forgetFailures   = time.Hour
	trustAddress     = 24 * time.Hour
	maxBuckets       = 4096
)

type bucketKey struct {
	user string     // "" counts an address over all users
	addr netip.Addr // zero counts a user over all addresses of a kind
	kind bool       // local network
}

type bucket struct {
	failures int
	last     time.Time // of the last failure
	free     time.Time // next attempt allowed
	trusted  time.Time // last success, for (user, address)
}

// backoff slows down guessing of PINs. It is bounded: when full it forgets
// what was used least recently.
type backoff struct {
	mu      sync.Mutex
	buckets map[bucketKey]*bucket
}

func newBackoff() *backoff { return &backoff{buckets: map[bucketKey]*bucket{}} }

type wait struct {
	key  bucketKey
	free int
	max  time.Duration
}

func (b *backoff) waits(user string, addr netip.Addr, now time.Time) []wait {
	local := isLocal(addr)
	perAddr, perUser := maxWaitRemote, maxWaitRemote
	if local {
		perAddr, perUser = maxWaitLocal, maxWaitUserLocal
	}
	at := failureKey(addr)
	w := []wait{{bucketKey{user, at, local}, freeFailures, perAddr}, {bucketKey{"", at, local}, freeUserFailures, perAddr}}
	if x := b.buckets[bucketKey{user, at, local}]; x != nil && now.Sub(x.trusted) < trustAddress {
		// A known address is slowed by its own failures with this user alone:
		// behind one router's address there may be others who fail.
		return w[:1]
	}
	return append(w, wait{bucketKey{user, netip.Addr{}, local}, freeUserFailures, perUser})
}

// reserve counts an attempt as failed in advance, so that many at a time do not
// slip through, and returns 0; or it returns how long to wait before the next.
func (b *backoff) reserve(user string, addr netip.Addr, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	ws := b.waits(user, addr, now)
	var longest time.Duration
	for _, w := range ws {
		if x := b.buckets[w.key]; x != nil {
			if now.Sub(x.last) > forgetFailures {
				x.failures = 0
			}
			longest = max(longest, x.free.Sub(now))
		}
	}
	if longest > 0 {
		return longest
	}
	for _, w := range ws {
		x := b.bucket(w.key, now)
		x.failures++
		x.last = now
		if n := x.failures - w.free; n > 0 {
			x.free = now.Add(min(w.max, time.Second<<min(n-1, 16)))
		}
	}
	return 0
}

// succeed takes the reserved failure back and trusts the address.
func (b *backoff) succeed(user string, addr netip.Addr, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, w := range b.waits(user, addr, now) {
		x := b.bucket(w.key, now)
		if i == 0 {
			*x = bucket{last: now, trusted: now}
			continue
		}
		x.failures = max(0, x.failures-1)
		if x.failures <= w.free {
			x.free = time.Time{}
		}
	}
}

func (b *backoff) bucket(k bucketKey, now time.Time) *bucket {
	if x := b.buckets[k]; x != nil {
		return x
	}
	if len(b.buckets) >= maxBuckets {
		b.forget(now)
	}
	x := &bucket{last: now}
	b.buckets[k] = x
	return x
}

// forget drops what has no effect any more, or else the least recent.
func (b *backoff) forget(now time.Time) {
	var oldest bucketKey
	var at time.Time
	for k, x := range b.buckets {
		if now.Sub(x.last) > forgetFailures && now.Sub(x.trusted) > trustAddress {
			delete(b.buckets, k)
			continue
		}
		if at.IsZero() || x.last.Before(at) {
			oldest, at = k, x.last
		}
	}
	if len(b.buckets) >= maxBuckets {
		delete(b.buckets, oldest)
	}
}
