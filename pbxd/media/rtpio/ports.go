// Package rtpio carries the audio of calls: it owns the only RTP sockets. A
// Port is one side's pair of RTP and RTCP sockets; it finds out which source
// belongs to that side (see latch), passes on what comes from it, and drops
// and counts the rest. Packets are relayed unchanged.
package rtpio

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// sweepEvery is how often resting ports are looked at.
const sweepEvery = time.Second

// addrsAge is how long the list of this machine's addresses is used.
const addrsAge = 10 * time.Second

// ErrNoPorts says that every RTP port of the range is taken.
var ErrNoPorts = errors.New("no RTP port free")

// ErrClosed says that the set of ports was closed.
var ErrClosed = errors.New("RTP ports are closed")

// Ports hands out the RTP ports of a range, in turns. A port that was closed
// rests until nobody has sent to it for quarantine, at most for longestRest,
// so that late packets of an old call never reach a new one. Sources that
// outlast the rest are not taken for the next call's unless it describes
// exactly them.
type Ports struct {
	bind netip.Addr
	log  *slog.Logger
	now  func() time.Time

	sweepEvery time.Duration // of the machine's time

	mu       sync.RWMutex // guards what follows; taken after Port.mu where both are
	min, max uint16       // min is even
	next     int          // index of the pair that is tried next
	open     map[uint16]*Port
	resting  map[uint16]*rest // rests, and those that ended while somebody still sent, until the next use
	sweeper  *time.Timer      // next sweep; nil for none
	local    []netip.Addr     // this machine's addresses
	localAt  time.Time        // when they were read
	closed   bool
}

// New returns the ports from min to max at the address bind; an unspecified or
// invalid bind means every address of both families. now returns the time.
// The first port is a random one of the range, so that a restarted PBX does
// not begin with those of the calls that it lost.
func New(bind netip.Addr, min, max uint16, log *slog.Logger, now func() time.Time) *Ports {
	p := &Ports{bind: bind.Unmap(), log: log, now: now, sweepEvery: sweepEvery, open: map[uint16]*Port{}, resting: map[uint16]*rest{}}
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

// inRange reports whether the pair at port is one of the range. The caller
// holds mu.
func (p *Ports) inRange(port uint16) bool {
	return port >= p.min && port < p.max
}

// InUse returns how many ports are open; each is a pair for RTP and RTCP.
// Resting ones do not count.
func (p *Ports) InUse() int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return len(p.open)
}

// Open takes an even port for RTP and the one after it for RTCP at localAddr,
// or at the address given to New when localAddr is unspecified or invalid.
// Ports that other programs hold are passed over. When none of the range is
// free, the resting one that has been silent for longest is taken. The error
// wraps ErrNoPorts, ErrClosed, or that of the system. The last pairs of a large
// range are left for OpenUrgent.
func (p *Ports) Open(localAddr netip.Addr) (*Port, error) { return p.openPair(localAddr, false) }

// OpenUrgent is Open for emergency calls, which may take every pair.
func (p *Ports) OpenUrgent(localAddr netip.Addr) (*Port, error) { return p.openPair(localAddr, true) }

// A range of manyPairs or more keeps urgentPairs for emergency calls: two of them,
// with two sides each.
const (
	manyPairs   = 16
	urgentPairs = 4
)

func (p *Ports) openPair(localAddr netip.Addr, urgent bool) (*Port, error) {
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
	var resting []silentRest
	n, used, busy := p.pairs(), 0, 0
	if !urgent && n >= manyPairs {
		for port := range p.open {
			if p.inRange(port) {
				used++
			}
		}
		if used >= n-urgentPairs {
			return nil, fmt.Errorf("%w in %d-%d: %d pairs, %d in use, the others are for emergency calls", ErrNoPorts, p.min, p.max, n, used)
		}
		used = 0
	}
	for range n {
		port := p.min + uint16(2*p.next)
		p.next = (p.next + 1) % n
		if p.open[port] != nil {
			used++
			continue
		}
		if r := p.resting[port]; r != nil && r.over.IsZero() {
			resting = append(resting, silentRest{r, r.silence(now)})
			continue
		}
		q, err := p.take(addr, port, now)
		if isInUse(err) {
			busy++
			continue
		}
		return q, err
	}
	slices.SortFunc(resting, func(a, b silentRest) int { return cmp.Compare(b.silence, a.silence) })
	for i, r := range resting {
		q, err := p.take(addr, r.number, now)
		if isInUse(err) {
			continue
		}
		if err == nil {
			p.log.Warn("RTP ports are used up: took one that was resting", "rtpPort", r.number,
				"silence", r.silence, "pairs", n, "inUse", used, "resting", len(resting)-i-1)
		}
		return q, err
	}
	return nil, fmt.Errorf("%w in %d-%d: %d pairs, %d in use, %d resting, %d held by other programs",
		ErrNoPorts, p.min, p.max, n, used, len(resting), busy)
}

// silentRest is a rest and how long it has been silent.
type silentRest struct {
	*rest
	silence time.Duration
}

// take opens the pair at port of addr, whatever rests there. The caller holds mu.
func (p *Ports) take(addr netip.Addr, port uint16, now time.Time) (*Port, error) {
	var sending []late
	if r := p.resting[port]; r != nil {
		r.end(now)
		sending = r.sending(now)
	}
	rtp, rtcp, err := listenPair(addr, port)
	if err != nil {
		return nil, fmt.Errorf("open RTP port %d: %w", port, err)
	}
	delete(p.resting, port)
	q := newPort(p, addr, port, rtp, rtcp)
	q.voice.late, q.control.late = sending, sending
	p.open[port] = q
	q.start()
	return q, nil
}

// refresh ends rests that are over and reads this machine's addresses when
// they are old. The caller holds mu.
func (p *Ports) refresh(now time.Time) {
	p.settle(now)
	if p.localAt.IsZero() || now.Sub(p.localAt) >= addrsAge {
		p.local, p.localAt = localAddrs(), now
	}
}

// settle ends rests that are over and reports whether others go on. Of those
// that did not end in silence the sources are kept for the next use. The
// caller holds mu.
func (p *Ports) settle(now time.Time) (more bool) {
	for port, r := range p.resting {
		silence := r.silence(now)
		switch {
		case !r.over.IsZero():
		case silence >= quarantine:
			r.end(now)
			delete(p.resting, port)
		case now.Sub(r.began) >= longestRest:
			r.end(now)
			p.log.Info("somebody still sends to an RTP port whose call is over",
				"rtpPort", port, "rested", now.Sub(r.began), "sources", len(r.sending(now)))
		default:
			more = true
		}
		if !r.over.IsZero() && !p.inRange(port) {
			delete(p.resting, port) // it has no next use
		}
	}
	return more
}

// sweep frees the sockets of rests that are over when no call comes that would.
func (p *Ports) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweeper = nil
	if !p.closed && p.settle(p.now()) {
		p.sweepLater()
	}
}

// sweepLater has the resting ports looked at. The caller holds mu.
func (p *Ports) sweepLater() {
	if p.sweeper == nil {
		p.sweeper = time.AfterFunc(p.sweepEvery, p.sweep)
	}
}

// release takes back the port q, which has heard these sources last.
func (p *Ports) release(q *Port, heard []late) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, q.number)
	r := newRest(q, heard, p.now)
	if p.closed {
		r.end(p.now())
		return
	}
	p.resting[q.number] = r
	r.start()
	p.sweepLater()
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

// Close closes every open port, ends every rest and waits for their goroutines.
// No port is handed out afterwards.
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
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sweeper != nil {
		p.sweeper.Stop()
		p.sweeper = nil
	}
	for port, r := range p.resting {
		r.end(p.now())
		delete(p.resting, port)
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
