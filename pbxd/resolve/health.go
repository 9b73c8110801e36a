package resolve

import (
	"sync"
	"time"
)

// How long something that failed is passed over: first, and at most; each further
// failure doubles it.
const (
	firstPenalty = 30 * time.Second
	mostPenalty  = 5 * time.Minute
	maxFailed    = 1024 // remembered failures
)

// health remembers what has failed, so that something else is tried first. Its
// methods may be called from any goroutine.
type health[K comparable] struct {
	now    func() time.Time
	mu     sync.Mutex
	failed map[K]failure
}

type failure struct {
	until   time.Time
	penalty time.Duration
}

func newHealth[K comparable](now func() time.Time) *health[K] {
	return &health[K]{now: now, failed: map[K]failure{}}
}

// fail has k passed over: for as long as wait says, or with 0 for 30 s, doubled up
// to 5 minutes when it fails again after that. It reports whether k was not
// failing before.
func (h *health[K]) fail(k K, wait time.Duration) (first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	f, known := h.failed[k]
	switch {
	case !known:
		f.penalty = firstPenalty
	case now.Before(f.until): // calls that began before the first one failed
	default:
		f.penalty = min(2*f.penalty, mostPenalty)
	}
	until := now.Add(f.penalty)
	if wait > 0 {
		until = now.Add(min(wait, time.Hour))
	} else if known && now.Before(f.until) {
		until = f.until
	}
	f.until = until
	if !known && len(h.failed) >= maxFailed {
		h.forgetOne()
	}
	h.failed[k] = f
	return !known
}

// forgetOne forgets what is tried again soonest.
func (h *health[K]) forgetOne() {
	var soonest K
	var at time.Time
	for k, f := range h.failed {
		if at.IsZero() || f.until.Before(at) {
			soonest, at = k, f.until
		}
	}
	delete(h.failed, soonest)
}

// works forgets that k failed.
func (h *health[K]) works(k K) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.failed, k)
}

// down reports whether k is passed over now.
func (h *health[K]) down(k K) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, known := h.failed[k]
	return known && h.now().Before(f.until)
}

// reset forgets all failures.
func (h *health[K]) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.failed)
}
