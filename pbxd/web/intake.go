package web

import (
	"context"
	"sync"
	"time"
)

// standing is the kind of sender that a body counts for. Each kind has room of
// its own, so that none takes it from the other.
type standing int

const (
	strangerOutside standing = iota // not logged in, from outside of the local network
	strangerInside
	plainUser
	uploader // a plain user with a file: files keep nobody from a small change
	administrator
	standings // how many there are
)

// room is what bodies of one standing may hold.
type room struct {
	total  int64 // bytes of all senders
	sender int64 // bytes of one
	files  int   // uploads of one sender at a time
}

// roomOf returns the room of a standing. A user uploads one file at a time, of
// up to 5 MB; all bodies together hold at most 50 MiB.
func roomOf(s standing) room {
	switch s {
	case administrator:
		return room{total: 16 << 20, sender: 12 << 20, files: 4}
	case plainUser, uploader:
		return room{total: 16 << 20, sender: 6 << 20, files: 1}
	}
	return room{total: 1 << 20, sender: 64 << 10}
}

// sender is whose bodies are counted together: a user, or an address of those
// who are not logged in.
type sender struct {
	standing standing
	id       string
}

// senderOf returns who sends a request.
func senderOf(ctx context.Context) sender {
	if c := callerOf(ctx); c != nil {
		if c.actor.Admin {
			return sender{administrator, c.actor.ID}
		}
		return sender{plainUser, c.actor.ID}
	}
	addr := addrOf(ctx)
	if isLocal(addr) {
		return sender{strangerInside, addr.String()}
	}
	return sender{strangerOutside, failureKey(addr).String()}
}

// intake counts the bytes of request bodies that are in memory.
type intake struct {
	mu     sync.Mutex
	totals [standings]int64
	held   map[sender]*holding // absent when nothing is held
	freed  chan struct{}       // closed when something was given back
}

// holding is what one sender holds.
type holding struct {
	bytes int64
	files int
}

func newIntake() *intake {
	return &intake{held: map[sender]*holding{}, freed: make(chan struct{})}
}

// share is what one request holds.
type share struct {
	in    *intake
	from  sender
	holds holding
}

func (in *intake) share(from sender) *share { return &share{in: in, from: from} }

// take adds bytes and files to the share, and waits for them until ctx ends or
// so long. It reports whether they were to be had.
func (s *share) take(ctx context.Context, bytes int64, files int, wait time.Duration) bool {
	end := time.NewTimer(wait)
	defer end.Stop()
	for {
		freed := s.try(bytes, files)
		if freed == nil {
			return true
		}
		select {
		case <-freed:
		case <-end.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// try takes at once, or returns what is closed when it is worth another try.
func (s *share) try(bytes int64, files int) (freed <-chan struct{}) {
	in, r := s.in, roomOf(s.from.standing)
	in.mu.Lock()
	defer in.mu.Unlock()
	h := in.held[s.from]
	if h == nil {
		h = &holding{}
	}
	if in.totals[s.from.standing]+bytes > r.total || h.bytes+bytes > r.sender || files > 0 && h.files+files > r.files {
		return in.freed
	}
	in.held[s.from] = h
	in.totals[s.from.standing] += bytes
	h.bytes, h.files = h.bytes+bytes, h.files+files
	s.holds.bytes, s.holds.files = s.holds.bytes+bytes, s.holds.files+files
	return nil
}

// release gives all of the share back.
func (s *share) release() {
	if s == nil || s.holds == (holding{}) {
		return
	}
	in := s.in
	in.mu.Lock()
	defer in.mu.Unlock()
	h := in.held[s.from]
	in.totals[s.from.standing] -= s.holds.bytes
	h.bytes, h.files = h.bytes-s.holds.bytes, h.files-s.holds.files
	if *h == (holding{}) {
		delete(in.held, s.from)
	}
	s.holds = holding{}
	close(in.freed)
	in.freed = make(chan struct{})
}
