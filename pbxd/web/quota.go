package web

import (
	"context"
	"maps"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// What a user who is no administrator may change within an hour. More would
// push the changes of others out of what is kept of them.
const (
	revisionsAnHour = 120  // of the configuration
	actsAnHour      = 1200 // of anything, contacts included
	maxQuotas       = 2048 // users that are counted; those who have all of theirs are not
)

// quota counts what each user may still do within an hour. It fills up evenly
// (generic cell rate algorithm, ITU-T I.371).
type quota struct {
	each time.Duration // in which one comes back
	mu   sync.Mutex
	full map[string]time.Time // by ID of the user: when all has come back
}

func newQuota(anHour int) *quota {
	return &quota{each: time.Hour / time.Duration(anHour), full: map[string]time.Time{}}
}

// take takes one of a user's, or returns how long to wait for one.
func (q *quota) take(user string, now time.Time) (wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	full := q.full[user]
	if full.Before(now) || full.Sub(now) > 2*time.Hour { // the clock was set back
		full = now
	}
	if wait := full.Add(q.each).Sub(now) - time.Hour; wait > 0 {
		return wait
	}
	if len(q.full) >= maxQuotas {
		maps.DeleteFunc(q.full, func(_ string, full time.Time) bool { return full.Before(now) })
	}
	q.full[user] = full.Add(q.each)
	return 0
}

// giveBack undoes take.
func (q *quota) giveBack(user string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if full, ok := q.full[user]; ok {
		q.full[user] = full.Add(-q.each)
	}
}

// spend takes one of the caller's, when the caller is no administrator, and
// returns how to give it back when nothing came of it.
func (s *Server) spend(ctx context.Context, q *quota) (giveBack func(), err error) {
	c := callerOf(ctx)
	if c == nil || c.actor.Admin {
		return func() {}, nil
	}
	if wait := q.take(c.actor.ID, s.Now()); wait > 0 {
		seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
		return nil, huma.ErrorWithHeaders(refuse(http.StatusTooManyRequests, "You have changed too much within an hour. Try again in {seconds} s.", "seconds", seconds),
			http.Header{"Retry-After": {seconds}})
	}
	return func() { q.giveBack(c.actor.ID) }, nil
}

// spends reports whether an operation counts as a change.
func (o *operation) spends() bool {
	return o.method != http.MethodGet && (o.access == accessUser || o.access == accessModule)
}
