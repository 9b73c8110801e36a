package web

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"sort"
	"sync"
	"time"
)

// Failed logins are counted in up to three buckets, and the longest wait of
// them holds: of (user, address), of the address over all users, and of the
// user over all addresses. The last slows all others: firmly for addresses
// outside; in the local network by at most five seconds and only an address
// that has itself failed three times, so that nobody there can lock the
// administrator out. An address from which the user has logged in within a day
// is slowed by its own failures with that user alone.
const (
	freeFailures     = 4
	freeUserFailures = 20
	freeLocalTries   = 3
	maxWaitLocal     = time.Minute
	maxWaitRemote    = 15 * time.Minute
	maxWaitUserLocal = 5 * time.Second
	forgetFailures   = time.Hour
	trustAddress     = 24 * time.Hour
	maxBuckets       = 4096 // of each kind
	maxTrusted       = 1024 // pairs of user and address
	maxUserTrusted   = 16   // addresses of one user
)

// pair is a login name and an address.
type pair struct {
	user string
	addr netip.Addr
}

// userKind counts a user's failures from the local network and from outside
// apart.
type userKind struct {
	user  string
	local bool
}

type bucket struct {
	failures int
	last     time.Time // of the last failure
	free     time.Time // next attempt allowed
}

// buckets count failures by key. When full they forget what was used least
// recently.
type buckets[K comparable] map[K]*bucket

// backoff slows down guessing of PINs. It is bounded. Each kind of bucket has
// room of its own, and trust has its own: a flood of names and addresses
// pushes out neither the count of a user nor a known address.
type backoff struct {
	mu      sync.Mutex
	pairs   buckets[pair]
	addrs   buckets[netip.Addr]
	users   buckets[userKind]
	trusted map[pair]time.Time // last login
}

func newBackoff() *backoff {
	return &backoff{pairs: buckets[pair]{}, addrs: buckets[netip.Addr]{}, users: buckets[userKind]{}, trusted: map[pair]time.Time{}}
}

// who is the sender of a login. An empty name has no bucket of its own; a name
// that no user has has none over all addresses, since such names are endless.
type who struct {
	user  string
	known bool
	addr  netip.Addr
}

// limit is a bucket with its own measure.
type limit struct {
	*bucket
	freeFailures int
	max          time.Duration
}

// attempt is one reserved try.
type attempt struct {
	who    who
	limits []limit
}

// reserve counts an attempt as failed in advance, so that many at a time do not
// slip through; or it returns how long to wait before the next.
func (b *backoff) reserve(w who, now time.Time) (attempt, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	limits := b.limits(w, now)
	var longest time.Duration
	for i, l := range limits {
		if now.Sub(l.last) > forgetFailures {
			l.failures = 0
		}
		shared := i > 0 && l.bucket == b.users[userKind{w.user, true}]
		if shared && limits[0].failures < freeLocalTries {
			continue // counted, but no reason to keep this address waiting
		}
		longest = max(longest, l.free.Sub(now))
	}
	if longest > 0 {
		return attempt{}, longest
	}
	for _, l := range limits {
		l.failures++
		l.last = now
		if n := l.failures - l.freeFailures; n > 0 {
			l.free = now.Add(min(l.max, time.Second<<min(n-1, 16)))
		}
	}
	return attempt{w, limits}, 0
}

// limits returns the buckets that w falls into, that of (user, address) first.
func (b *backoff) limits(w who, now time.Time) []limit {
	perAddr, perUser := maxWaitRemote, maxWaitRemote
	local := isLocal(w.addr)
	if local {
		perAddr, perUser = maxWaitLocal, maxWaitUserLocal
	}
	if b.trusts(w, now) {
		return []limit{{b.pairs.of(pair{w.user, w.addr}, now), freeFailures, perAddr}}
	}
	at := failureKey(w.addr)
	var limits []limit
	if w.user != "" {
		limits = append(limits, limit{b.pairs.of(pair{w.user, at}, now), freeFailures, perAddr})
	}
	limits = append(limits, limit{b.addrs.of(at, now), freeUserFailures, perAddr})
	if w.known && w.user != "" {
		limits = append(limits, limit{b.users.of(userKind{w.user, local}, now), freeUserFailures, perUser})
	}
	return limits
}

// trusts reports whether w has logged in from its very address within a day.
func (b *backoff) trusts(w who, now time.Time) bool {
	at, ok := b.trusted[pair{w.user, w.addr}]
	return ok && now.Sub(at) < trustAddress
}

// knows is trusts for callers outside.
func (b *backoff) knows(w who, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.trusts(w, now)
}

// succeed takes the reserved failure back, forgets the others of this user and
// address, and trusts the address.
func (b *backoff) succeed(a attempt, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, l := range a.limits {
		l.failures = max(0, l.failures-1)
		if i == 0 {
			l.failures = 0
		}
		if l.failures <= l.freeFailures {
			l.free = time.Time{}
		}
	}
	p := pair{a.who.user, a.who.addr}
	if _, ok := b.trusted[p]; !ok {
		b.distrust(func(x pair) bool { return x.user == p.user }, maxUserTrusted-1)
		b.distrust(func(pair) bool { return true }, maxTrusted-1)
	}
	b.trusted[p] = now
}

// distrust forgets the oldest trust of a kind until n are left.
func (b *backoff) distrust(kind func(pair) bool, n int) {
	list := slices.DeleteFunc(slices.Collect(maps.Keys(b.trusted)), func(p pair) bool { return !kind(p) })
	if len(list) <= n {
		return
	}
	sort.Slice(list, func(i, j int) bool { return b.trusted[list[i]].Before(b.trusted[list[j]]) })
	for _, p := range list[:len(list)-n] {
		delete(b.trusted, p)
	}
}

// of returns the bucket of a key, which it makes when there is none.
func (m buckets[K]) of(k K, now time.Time) *bucket {
	if x := m[k]; x != nil {
		return x
	}
	if len(m) >= maxBuckets {
		m.forget(now)
	}
	x := &bucket{last: now}
	m[k] = x
	return x
}

// forget drops what has no effect any more, or else the sixteenth that was used
// least recently: one walk makes room for many.
func (m buckets[K]) forget(now time.Time) {
	maps.DeleteFunc(m, func(_ K, x *bucket) bool { return now.Sub(x.last) > forgetFailures })
	if len(m) < maxBuckets {
		return
	}
	keys := slices.Collect(maps.Keys(m))
	sort.Slice(keys, func(i, j int) bool {
		x, y := m[keys[i]], m[keys[j]]
		return cmp.Or(x.last.Compare(y.last), x.free.Compare(y.free)) < 0
	})
	for _, k := range keys[:maxBuckets/16] {
		delete(m, k)
	}
}
