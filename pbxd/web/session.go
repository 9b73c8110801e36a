package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"galilei/pbxd/pbx"
)

// Life and number of sessions.
const (
	sessionIdle     = 60 * time.Minute
	sessionLife     = 24 * time.Hour
	maxSessions     = 512
	maxUserSessions = 16
)

// tokenHash is how a session token is kept: SHA-256 of 256 random bits needs
// no salt.
type tokenHash [sha256.Size]byte

type session struct {
	userID  string
	pin     pbx.PINHash // of the login; another one in the configuration ends the session
	next    pbx.PINHash // that this session is about to set, or empty
	created time.Time
	used    time.Time
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
func (s *sessions) open(u *pbx.User, now time.Time) string {
	var b [32]byte
	rand.Read(b[:]) // never fails since Go 1.24
	token := base64.RawURLEncoding.EncodeToString(b[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	for h, x := range s.byHash {
		if x.over(now) {
			delete(s.byHash, h)
		}
	}
	s.trim(func(x *session) bool { return x.userID == u.ID }, maxUserSessions-1)
	s.trim(func(*session) bool { return true }, maxSessions-1)
	s.byHash[hashToken(token)] = &session{userID: u.ID, pin: u.PIN, created: now, used: now}
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
		delete(s.byHash, oldest)
	}
}

func (x *session) over(now time.Time) bool {
	return now.Sub(x.used) > sessionIdle || now.Sub(x.created) > sessionLife
}

// user returns the user of a session that is still good in cfg, else nil, and
// when the session ends at the latest. touch counts as use.
func (s *sessions) user(h tokenHash, cfg *pbx.Config, now time.Time, touch bool) (*pbx.User, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.byHash[h]
	if x == nil {
		return nil, time.Time{}
	}
	u := cfg.UserByID(x.userID)
	if !x.holds(u) || x.over(now) {
		delete(s.byHash, h)
		return nil, time.Time{}
	}
	if touch {
		x.used = now
	}
	return u, x.created.Add(sessionLife)
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
	if done {
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
			delete(s.byHash, h)
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
	delete(s.byHash, h)
}
