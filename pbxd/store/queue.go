package store

import (
	"context"
	"slices"
	"sync"
	"time"
)

// retryDelay is how long a disk that has refused is left alone.
const retryDelay = time.Second

// queue holds what is not written yet. It never makes who adds to it wait.
type queue[T any] struct {
	mu      sync.Mutex
	waiting []T
	lost    int           // since the queue was last full
	filled  chan struct{} // has an element when something waits

	writing sync.Mutex // held by the one who writes
}

func newQueue[T any]() queue[T] { return queue[T]{filled: make(chan struct{}, 1)} }

// add takes v in unless most wait already. It reports whether v is the first
// that is lost since there was room.
func (q *queue[T]) add(v T, most int) (firstLost bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= most {
		q.lost++
		return q.lost == 1
	}
	q.waiting = append(q.waiting, v)
	select {
	case q.filled <- struct{}{}:
	default:
	}
	return false
}

// first returns the first entries, at most n.
func (q *queue[T]) first(n int) []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.waiting[:min(len(q.waiting), n)])
}

// drop takes the first n entries out and returns how many were lost while the
// queue was full.
func (q *queue[T]) drop(n int) (lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = slices.Delete(q.waiting, 0, n)
	if len(q.waiting) == 0 {
		q.waiting = nil // the memory of a burst
	}
	lost, q.lost = q.lost, 0
	return lost
}

// lostNow returns how many were lost since the queue was last full.
func (q *queue[T]) lostNow() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lost
}

// keep calls write until ctx ends, after a delay since something waits, and once
// more then. A write that fails is tried again every second, and told once: a
// disk may stay full for days.
func (q *queue[T]) keep(ctx context.Context, delay time.Duration, write func(context.Context) error, failing func(error)) {
	due := time.NewTimer(delay)
	due.Stop()
	armed, failed := false, false
	for {
		select {
		case <-q.filled:
			if !armed {
				armed = true
				due.Reset(delay)
			}
		case <-due.C:
			armed = false
			err := write(context.WithoutCancel(ctx))
			if err != nil && !failed {
				failing(err)
			}
			if failed = err != nil; failed {
				armed = true
				due.Reset(retryDelay)
			}
		case <-ctx.Done():
			if err := write(context.WithoutCancel(ctx)); err != nil && !failed {
				failing(err)
			}
			return
		}
	}
}
