package sipedge

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// lostPause is after how long a phone that has not taken a NOTIFY is told again. RFC 6665 section 4.2.2 would forget it: its lamps would then stick until
// it subscribes anew, long after a short fault of the network is over.
const lostPause = 30 * time.Second

// notified takes the answer to a NOTIFY (RFC 6665 section 4.2.2). A phone that
// has only lost its connection may come back by another.
func (s *subscription) notified(res *sip.Response, err error, last bool) {
	s.mu.Lock()
	if last || err != nil && s.ended != "" || err == nil && endsSubscription(res.StatusCode) {
		s.mu.Unlock()
		s.drop()
		return
	}
	defer s.mu.Unlock()
	s.sending = false
	switch {
	case s.over:
		return
	case err != nil && !s.seenAt.After(s.sentAt) && !s.back:
		s.lost, s.full = true, true
		if s.flow.Alive() {
			s.next = time.AfterFunc(s.notifier.lostPause, s.send)
		}
		return
	case err != nil: // it was heard since, or is back by another connection
		s.dirty, s.full = true, true
	case res.StatusCode >= 300: // it has not taken that, and need not hear of another change soon
		s.full = true
		s.laterLocked()
	}
	s.foundLocked()
	if s.dirty || s.ended != "" {
		s.pokeLocked()
	}
}

// laterLocked has the whole state told once more after a while.
func (s *subscription) laterLocked() {
	if s.later {
		return
	}
	s.later = true
	time.AfterFunc(s.notifier.lostPause, func() {
		s.mu.Lock()
		s.later = false
		s.mu.Unlock()
		s.poke(true)
	})
}

// endsSubscription reports whether a refusal of a NOTIFY says that the phone
// knows nothing of the subscription (RFC 6665 section 4.2.2, RFC 5057 section 5.1).
func endsSubscription(status int) bool {
	switch status {
	case 404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604:
		return true
	}
	return false
}

// phoneIsBack tells a phone that was lost what it has missed, after a time: also one
// that is back before anybody knew that its connection had ended.
func (s *subscription) phoneIsBack(after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || !s.lost && s.flow.Alive() {
		return
	}
	s.foundLocked()
	s.full, s.dirty = true, true
	if s.sending { // to where it was: that comes to nothing
		s.back = true
		return
	}
	s.next = time.AfterFunc(after, s.send)
}

// foundLocked ends the wait for a phone that could not be reached.
func (s *subscription) foundLocked() {
	if s.lost && s.next != nil {
		s.next.Stop()
		s.next = nil
	}
	s.lost = false
}

// phoneIsAway waits for a phone whose registrations are gone with their
// connection: it comes back over another. Without such a connection there is
// nobody.
func (s *subscription) phoneIsAway() {
	s.mu.Lock()
	away := !s.flow.Alive() && s.ended == ""
	s.lost = s.lost || away
	s.mu.Unlock()
	if !away {
		s.drop()
	}
}
