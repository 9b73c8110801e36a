// Package rtpio carries the audio of calls: it owns the only RTP sockets. A
// Port is one side's pair of RTP and RTCP sockets; it finds out which source
// belongs to that side (see latch), passes on what comes from it, and drops
// and counts the rest. Packets are relayed unchanged.
package rtpio

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// quarantine is how long a port rests after use, so that late packets of an
// old call never reach a new one: a phone that missed the first BYE has had
// it repeated twice by then (RFC 3261 section 17.1.2.2).
const quarantine = 3 * time.Second

// addrsAge is how long the list of this machine's addresses is used.
const addrsAge = 10 * time.Second

// ErrNoPorts says that every RTP port of the range is taken.
var ErrNoPorts = errors.New("no RTP port free")

// ErrClosed says that the set of ports was closed.
var ErrClosed = errors.New("RTP ports are closed")

// Ports hands out the RTP ports of a range, in turns.
type Ports struct {
	bind netip.Addr
	log  *slog.Logger
	now  func() time.Time

	mu       sync.RWMutex // guards what follows; taken after Port.mu where both are
	min, max uint16       // min is even
	next     int          // index of the pair that is tried next
	open     map[uint16]*Port
	resting  map[uint16]time.Time // pair of a closed port => end of its rest
	local    []netip.Addr         // this machine's addresses
	localAt  time.Time            // when they were read
	closed   bool
}

// New returns the ports from min to max at the address bind; an unspecified or
// invalid bind means every address of both families. now returns the time.
// The first port is a random one of the range, so that a restarted PBX does
// not begin with those of the calls that it lost.
func New(bind netip.Addr, min, max uint16, log *slog.Logger, now func() time.Time) *Ports {
	p := &Ports{bind: bind.Unmap(), log: log, now: now, open: map[uint16]*Port{}, resting: map[uint16]time.Time{}}
	p.SetRange(min, max)
	return p
}

// SetRange changes the range. Open ports outside of it stay until they close.
// An odd min counts as the next even one; a range without a pair of ports
// gives none.
func (p *Ports) SetRange(min, max uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if min == 65535 { // no even port after it
		max = 0
	} else {
		min += min & 1
	}
	if p.min == min && p.max == max {
		return
	}
	p.min, p.max = min, max
	p.next = 0
	if n := p.pairs(); n > 0 {
		p.next = rand.IntN(n)
	}
}

// pairs returns how many pairs the range has.
func (p *Ports) pairs() int {
	return max(0, (int(p.max)-int(p.min)+1)/2)
}

// InUse returns how many ports are open; each is a pair for RTP and RTCP.
func (p *Ports) InUse() int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return len(p.open)
}

// Open takes an even port for RTP and the one after it for RTCP at localAddr,
// or at the address given to New when localAddr is unspecified or invalid.
// Ports that other programs hold are passed over. The error wraps ErrNoPorts,
// ErrClosed, or that of the system.
func (p *Ports) Open(localAddr netip.Addr) (*Port, error) {
	addr := localAddr.Unmap()
	if !addr.IsValid() || addr.IsUnspecified() {
		addr = p.bind
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fmt.Errorf("open RTP port: %w", ErrClosed)
	}
	now := p.now()
	p.refresh(now)
	n, used, busy := p.pairs(), 0, 0
	for range n {
		port := p.min + uint16(2*p.next)
		p.next = (p.next + 1) % n
		if p.open[port] != nil {
			used++
			continue
		}
		if _, rests := p.resting[port]; rests {
			continue
		}
		rtp, rtcp, err := listenPair(addr, port)
		if isInUse(err) {
			busy++
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open RTP port %d: %w", port, err)
		}
		q := newPort(p, addr, port, rtp, rtcp)
		p.open[port] = q
		q.start()
		return q, nil
	}
	return nil, fmt.Errorf("%w in %d-%d: %d pairs, %d in use, %d resting, %d held by other programs",
		ErrNoPorts, p.min, p.max, n, used, n-used-busy, busy)
}

// refresh forgets rests that are over and reads this machine's addresses
// when they are old. The caller holds mu.
func (p *Ports) refresh(now time.Time) {
	for port, until := range p.resting {
		if !now.Before(until) {
			delete(p.resting, port)
		}
	}
	if p.localAt.IsZero() || now.Sub(p.localAt) >= addrsAge {
		p.local, p.localAt = localAddrs(), now
	}
}

// release takes a closed port back.
func (p *Ports) release(port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, port)
	p.resting[port] = p.now().Add(quarantine)
}

// own reports whether src is an open port of ours. What comes from there is
// a call that runs in circles: somebody described our port as his.
func (p *Ports) own(src netip.AddrPort) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	q := p.open[src.Port()&^1]
	if q == nil {
		return false
	}
	if q.local.IsValid() && !q.local.IsUnspecified() {
		return src.Addr() == q.local
	}
	addr := src.Addr().WithZone("")
	return addr.IsLoopback() || slices.Contains(p.local, addr)
}

// Close closes every open port and waits for their goroutines. No port is
// handed out afterwards.
func (p *Ports) Close() {
	p.mu.Lock()
	p.closed = true
	open := make([]*Port, 0, len(p.open))
	for _, q := range p.open {
		open = append(open, q)
	}
	p.mu.Unlock()
	for _, q := range open {
		q.Close()
	}
}

// Check returns nil while ports are handed out, else an error that wraps
// ErrNoPorts or ErrClosed. A range that calls fill for the moment is in order.
// It opens none.
func (p *Ports) Check() error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	pairs := 0
	if p.max > p.min {
		pairs = (int(p.max) - int(p.min) + 1) / 2
	}
	switch {
	case p.closed:
		return fmt.Errorf("check RTP ports: %w", ErrClosed)
	case pairs == 0:
		return fmt.Errorf("check RTP ports: range %d-%d: %w", p.min, p.max, ErrNoPorts)
	}
	return nil
}
