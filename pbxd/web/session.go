package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"galilei/pbxd/pbx"
)

// Number of sessions. How long they live is in the settings of the page.
const (
	maxSessions     = 512
	maxUserSessions = 16
)

func sessionIdle(p pbx.Page) time.Duration { return time.Duration(p.SessionIdle) * time.Minute }
func sessionLife(p pbx.Page) time.Duration { return time.Duration(p.SessionLife) * time.Hour }

// tokenHash is how a session token is kept: SHA-256 of 256 random bits needs
// no salt.
type tokenHash [sha256.Size]byte

type session struct {
	userID  string
	pin     pbx.PINHash // of the login; another one in the configuration ends the session
	next    pbx.PINHash // that this session is about to set, or empty
	as      string      // ID of the user who is impersonated, or empty (F051)
	created time.Time
	used    time.Time
	done    chan struct{} // closed when the session is over
}

// sessions are the logins of now. They live in memory: a restart ends them.
type sessions struct {
	mu     sync.Mutex
	byHash map[tokenHash]*session
}

func newSessions() *sessions { return &sessions{byHash: map[tokenHash]*session{}} }

func hashToken(token string) tokenHash { return sha256.Sum256([]byte(token)) }

// open makes a session and returns its token. Beyond a user's or the total
// number the one that was idle longest ends.
func (s *sessions) open(u *pbx.User, p pbx.Page, now time.Time) string {
	var b [32]byte
	rand.Read(b[:]) // never fails since Go 1.24
	token := base64.RawURLEncoding.EncodeToString(b[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	for h, x := range s.byHash {
		if x.over(p, now) {
			s.end(h)
		}
	}
	s.trim(func(x *session) bool { return x.userID == u.ID }, maxUserSessions-1)
	s.trim(func(*session) bool { return true }, maxSessions-1)
	s.byHash[hashToken(token)] = &session{userID: u.ID, pin: u.PIN, created: now, used: now, done: make(chan struct{})}
	return token
}

// trim ends the sessions of a kind that were idle longest until n are left.
func (s *sessions) trim(kind func(*session) bool, n int) {
	for {
		count := 0
		var oldest tokenHash
		var at time.Time
		for h, x := range s.byHash {
			if !kind(x) {
				continue
			}
			if count++; count == 1 || x.used.Before(at) {
				oldest, at = h, x.used
			}
		}
		if count <= n {
			return
		}
		s.end(oldest)
	}
}

func (x *session) over(p pbx.Page, now time.Time) bool {
	return now.Sub(x.used) > sessionIdle(p) || now.Sub(x.created) > sessionLife(p)
}

// users returns who logged in to a session that is still good in cfg, and whose
// rights hold in it, else nil; and when the session ends at the latest. touch
// counts as use. An impersonation that is not allowed any more has ended.
func (s *sessions) users(h tokenHash, cfg *pbx.Config, now time.Time, touch bool) (actor, user *pbx.User, ends time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.byHash[h]
	if x == nil {
		return nil, nil, time.Time{}
	}
	actor = cfg.UserByID(x.userID)
	if !x.holds(actor) || x.over(cfg.Page, now) || !mayLogIn(cfg, actor) {
		s.end(h)
		return nil, nil, time.Time{}
	}
	if touch {
		x.used = now
	}
	user = actor
	if x.as != "" {
		if target := cfg.UserByID(x.as); target != nil && mayImpersonate(cfg, actor, target) == nil {
			user = target
		} else {
			x.as = ""
		}
	}
	return actor, user, x.created.Add(sessionLife(cfg.Page))
}

// impersonate gives a session the rights of the user with that ID, or with ""
// those of who logged in. It returns false when the session has the rights of
// another already.
func (s *sessions) impersonate(h tokenHash, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.byHash[h]
	if x == nil || id != "" && x.as != "" {
		return false
	}
	x.as = id
	return true
}

// announce lets the session in which a PIN is changed live on with the new
// one; the user's others end with the old PIN. It comes before the change is
// published, settle after it.
func (s *sessions) announce(h tokenHash, next pbx.PINHash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.byHash[h]; x != nil {
		x.next = next
	}
}

// settle ends the change that announce began: done says whether the new PIN
// holds.
func (s *sessions) settle(h tokenHash, done bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.byHash[h]
	if x == nil {
		return
	}
	if done && x.next != "" {
		x.pin = x.next
	}
	x.next = ""
}

// follow ends the sessions that a commit ends: of users who are gone or whose
// PIN is another. They do not live again when a restore brings the user back.
func (s *sessions) follow(cfg *pbx.Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h, x := range s.byHash {
		if !x.holds(cfg.UserByID(x.userID)) {
			s.end(h)
		}
	}
}

// holds reports whether u, who may be nil, is still the one who logged in.
func (x *session) holds(u *pbx.User) bool {
	return u != nil && (u.PIN == x.pin || x.next != "" && u.PIN == x.next)
}

func (s *sessions) close(h tokenHash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end(h)
}

// end takes a session out and tells those who wait for that.
func (s *sessions) end(h tokenHash) {
	if x := s.byHash[h]; x != nil {
		delete(s.byHash, h)
		close(x.done)
	}
}

// over returns what is closed when a session ends. Of one that is not there it
// is closed already.
func (s *sessions) over(h tokenHash) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.byHash[h]; x != nil {
		return x.done
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}
