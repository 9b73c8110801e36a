package sipedge

import (
	"sync"
	"sync/atomic"
)

// Occupied counts the calls over each gateway, whichever trunk has them: those over
// a socket that is being given up are calls of the gateway yet.
type Occupied struct {
	mu       sync.Mutex
	gateways map[string]*occupancy
}

// occupancy are the calls over one gateway.
type occupancy struct {
	calls atomic.Int64
	line  atomic.Pointer[line] // at work now, or last
}

// NewOccupied returns a count without calls, for all trunks of a device.
func NewOccupied() *Occupied { return &Occupied{gateways: map[string]*occupancy{}} }

func (o *Occupied) of(gateway string) *occupancy {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.gateways[gateway]
	if c == nil {
		c = &occupancy{}
		o.gateways[gateway] = c
	}
	return c
}

// Keep forgets gateways that are no more; is tells those that are. Calls over one
// that was deleted count for nothing.
func (o *Occupied) Keep(is func(gateway string) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id := range o.gateways {
		if !is(id) {
			delete(o.gateways, id)
		}
	}
}

// vacate has the leg count as a call over its line no longer. l.mu must not be
// held.
func (l *leg) vacate() {
	l.mu.Lock()
	was := l.vacated
	l.vacated = true
	l.mu.Unlock()
	if !was {
		l.line.left()
	}
}
