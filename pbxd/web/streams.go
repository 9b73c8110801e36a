package web

import (
	"sync"

	"galilei/pbxd/pbx"
)

// Limits of open event streams. Administrators and other users are counted
// apart, so that neither takes the live display from the other.
const (
	maxStreamsOfUser = 6
	maxAdminStreams  = 24
	maxUserStreams   = 24
)

// streams counts the open event streams.
type streams struct {
	mu            sync.Mutex
	admins, users int
	byUser        map[string]int // by ID; absent when none
}

func newStreams() *streams { return &streams{byUser: map[string]int{}} }

// enter takes a place for a stream of u and returns how to give it back, or
// nil when there is none.
func (s *streams) enter(u *pbx.User) (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, most := &s.users, maxUserStreams
	if u.Admin {
		kind, most = &s.admins, maxAdminStreams
	}
	if *kind >= most || s.byUser[u.ID] >= maxStreamsOfUser {
		return nil
	}
	*kind++
	s.byUser[u.ID]++
	id := u.ID // a later change of the user is not the stream's
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		*kind--
		if s.byUser[id]--; s.byUser[id] <= 0 {
			delete(s.byUser, id)
		}
	})
}
