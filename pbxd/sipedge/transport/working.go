package transport

import (
	"sync"
	"time"
)

// working remembers when each reader began with the message that it handles.
type working struct {
	mu    sync.Mutex
	since map[*int]time.Time
}

// begin notes a beginning and returns what notes the end.
func (w *working) begin() (end func()) {
	id := new(int)
	w.mu.Lock()
	if w.since == nil {
		w.since = map[*int]time.Time{}
	}
	w.since[id] = time.Now()
	w.mu.Unlock()
	return func() {
		w.mu.Lock()
		delete(w.since, id)
		w.mu.Unlock()
	}
}

func (w *working) longest() (d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.since {
		d = max(d, time.Since(t))
	}
	return d
}
