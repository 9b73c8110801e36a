package rtpio

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// quarantine is the silence after which nobody sends for an old call any more:
// a phone that missed the first BYE has had it repeated twice by then
// (RFC 3261 section 17.1.2.2).
const quarantine = 3 * time.Second

// longestRest is how long packets may keep a port from its next use, so that
// nobody can use up the range by sending for ever.
const longestRest = 60 * time.Second

// maxLate is how many sources that send to a resting port are remembered. An
// old call has two, RTP and RTCP, and these are noted first.
const maxLate = 16

// late is a source that sent to a port when its call was over.
type late struct {
	src   netip.AddrPort
	heard time.Time // its last packet
}

// rest is a pair of sockets between two calls. They stay open and are read
// empty, so that it is known when the phones of the old call have stopped, and
// which have not.
type rest struct {
	number uint16
	rtp    *net.UDPConn
	rtcp   *net.UDPConn
	log    *slog.Logger
	now    func() time.Time
	began  time.Time
	ended  sync.WaitGroup // the two goroutines
	over   time.Time      // when the sockets were closed; zero before. Guarded by Ports.mu.

	mu   sync.Mutex // guards what follows; taken after Ports.mu where both are
	last time.Time  // last packet of anybody, or began
	late []late     // at most maxLate
}

// newRest returns the rest of the pair of q, whose goroutines have ended, with
// the sources that it heard last.
func newRest(q *Port, heard []late, now func() time.Time) *rest {
	began := now()
	r := &rest{number: q.number, rtp: q.rtp, rtcp: q.rtcp, log: q.log, now: now, began: began, last: began}
	r.late = append(make([]late, 0, maxLate), heard...)
	return r
}

func (r *rest) start() {
	for _, c := range []*net.UDPConn{r.rtp, r.rtcp} {
		r.ended.Go(func() {
			if c.SetReadDeadline(time.Time{}) != nil {
				return // closed; then there is nothing to read
			}
			// The content is of no use, and what does not fit is cut off.
			readEach(c, make([]byte, 1), r.log, func(_ []byte, src netip.AddrPort) { r.note(src, r.now()) })
		})
	}
}

// note remembers that src has sent. When there is no room, it is for those
// that came first: the old call's phones were sending already, and whoever
// sprays from many ports must not drive them out.
func (r *rest) note(src netip.AddrPort, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = now
	free := -1
	for i := range r.late {
		if r.late[i].src == src {
			r.late[i].heard = now
			return
		}
		if now.Sub(r.late[i].heard) >= quarantine {
			free = i
		}
	}
	switch {
	case free >= 0:
		r.late[free] = late{src, now}
	case len(r.late) < maxLate:
		r.late = append(r.late, late{src, now})
	}
}

// silence returns for how long nobody has sent.
func (r *rest) silence(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return now.Sub(r.last)
}

// end closes the sockets and waits for the goroutines. Ending again does
// nothing. The caller holds Ports.mu, which the goroutines never take.
func (r *rest) end(now time.Time) {
	if !r.over.IsZero() {
		return
	}
	r.over = now
	r.rtp.Close() // an error leaves nothing that could be done about it
	r.rtcp.Close()
	r.ended.Wait()
}

// sending returns the sources that sent in the last moments of the rest, which
// has ended. The time since then, in which nobody listened, counts for nothing.
func (r *rest) sending(now time.Time) []late {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []late
	for _, s := range r.late {
		if r.over.Sub(s.heard) < quarantine {
			list = append(list, late{s.src, s.heard.Add(now.Sub(r.over))})
		}
	}
	return list
}
