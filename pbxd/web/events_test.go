package web

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

// TestEventsFollowModules checks which facts each GUI module shows.
func TestEventsFollowModules(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "status", 311, "general-information")
		withModules(cfg, "live", 314, "live-calls")
		withModules(cfg, "setter", 312, "system-settings")
		withModules(cfg, "mailer", 313, "email-delivery")
	})
	facts := []pbx.Fact{
		{Kind: pbx.FactRevision, Revision: 2}, {Kind: pbx.FactRegistration, Extension: "302"}, {Kind: pbx.FactRegistration, Extension: "303"},
		{Kind: pbx.FactCall, Call: &pbx.CallStatus{ID: "c"}}, {Kind: pbx.FactPending}, {Kind: pbx.FactDrafts, Drafts: 1}, {Kind: pbx.FactMail},
		{Kind: pbx.FactJournal, Users: []string{"admin", "ben"}}, {Kind: "later"},
	}
	live := LiveState{Registrations: []pbx.Registration{{Extension: "302"}, {Extension: "303"}}, Calls: []pbx.CallStatus{{ID: "c"}},
		Pending: &pbx.PendingChange{ID: "p"}, Drafts: 3, Revision: 2}
	for _, tc := range []struct {
		id    string
		facts string // one letter for each that is seen
		state string // registrations, calls, pending, drafts
	}{
		{"admin", "111111110", "2 1 true 3"},
		{"anna", "110000000", "1 0 false 0"},
		{"ben", "101000000", "1 0 false 0"},
		{"clerk", "111010000", "2 0 true 0"},
		{"live", "100110000", "0 1 true 0"},
		{"status", "111110000", "2 1 true 0"},
		{"setter", "100011000", "0 0 true 3"},
		{"mailer", "100010100", "0 0 true 0"},
	} {
		c := &caller{token: hashToken(enter(t, s, tc.id).token)}
		if !s.refresh(c, false) {
			t.Fatalf("%s has no session", tc.id)
		}
		seen := ""
		for _, f := range facts {
			seen += map[bool]string{true: "1", false: "0"}[visible(f, c)]
		}
		st := visibleState(live, c)
		if state := fmt.Sprint(len(st.Registrations), len(st.Calls), st.Pending != nil, st.Drafts); seen != tc.facts || state != tc.state {
			t.Errorf("%s sees facts %s and state %q, want %s and %q", tc.id, seen, state, tc.facts, tc.state)
		}
	}
}

// TestStreamsEndWithTheSession checks that a stream ends at once when its
// session does, and that HEAD takes no place among the streams.
func TestStreamsEndWithTheSession(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *Server, *client){
		"logout": func(t *testing.T, _ *Server, c *client) { c.want(204, "POST", "/logout", "", nil) },
		"too many": func(t *testing.T, s *Server, c *client) {
			time.Sleep(time.Second) // it was idle longest
			for range maxUserSessions {
				enter(t, s, pbx.AdminID)
			}
		},
		"session is up": func(_ *testing.T, s *Server, c *client) { s.sessions.close(hashToken(c.token)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t, newMemory(), nil)
				c := loggedIn(t, s)
				r := httptest.NewRequestWithContext(t.Context(), "GET", "https://galilei"+apiPrefix+"/events", nil)
				r.RemoteAddr = c.addr
				r.Header.Set("Authorization", "Bearer "+c.token)
				w, ended := httptest.NewRecorder(), time.Time{}
				var wg sync.WaitGroup
				wg.Go(func() { s.ServeHTTP(w, r); ended = time.Now() })
				synctest.Wait()
				end(t, s, c)
				over := time.Now()
				wg.Wait()
				if !ended.Equal(over) || !strings.HasSuffix(w.Body.String(), "event: logout\ndata: {}\n\n") {
					t.Errorf("ended after %v with %q", ended.Sub(over), w.Body)
				}
			})
		})
	}
	s := newServer(t, newMemory(), nil)
	c := loggedIn(t, s)
	for range maxStreamsOfUser + 2 {
		if res := c.do("HEAD", apiPrefix+"/events", ""); res.StatusCode != 200 || res.Header.Get("Content-Type") != eventStream {
			t.Fatalf("HEAD: got %d %v", res.StatusCode, res.Header)
		}
	}
	if n := s.streams.admins; n != 0 {
		t.Errorf("%d places are taken", n)
	}
}
