package web

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

type eventReader struct {
	t *testing.T
	r *bufio.Reader
}

func openEvents(t *testing.T, web *http.Client, base, token string) *eventReader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", base+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := web.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("events: got %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	return &eventReader{t, bufio.NewReader(res.Body)}
}

func (e *eventReader) next() (name, data string) {
	e.t.Helper()
	for {
		line, err := e.r.ReadString('\n')
		if err != nil {
			return err.Error(), ""
		}
		line = strings.TrimSuffix(line, "\n")
		if v, ok := strings.CutPrefix(line, "event: "); ok {
			name = v
		} else if v, ok := strings.CutPrefix(line, "data: "); ok {
			data = v
		} else if line == "" && name != "" {
			return name, data
		}
	}
}

// TestEventsOfUser checks what an ordinary user sees, and that the stream ends
// with the user.
func TestEventsOfUser(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	base := serveLoopback(t, s)
	admin := loggedIn(t, s)
	user := &client{t: t, s: s, addr: lanAddr}
	user.login("demo102", "0000")
	user.want(204, "PUT", "/profile/pin", `{"old":"0000","new":"5555"}`, nil)
	m.tell(registration("101", "Snom", "192.168.0.21:5060"))
	stream := openEvents(t, insecure(), base, user.token)
	name, data := stream.next()
	var st LiveState
	if err := json.Unmarshal([]byte(data), &st); name != "snapshot" || err != nil || len(st.Registrations) != 0 {
		t.Errorf("first event: %s %s", name, data)
	}
	m.tell(registration("101", "Other", "192.168.0.21:5060"))
	m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &pbx.CallStatus{ID: "c", From: "101", To: "102"}})
	m.tell(registration("102", "Own", "192.168.0.22:5060"))
	if name, data := stream.next(); name != "fact" || !strings.Contains(data, "Own") {
		t.Errorf("second event: %s %s", name, data)
	}
	admin.want(204, "DELETE", "/users/demo102", "", nil)
	if name, _ := stream.next(); name != "logout" {
		t.Errorf("after the deletion: got event %s, want logout", name)
	}
}

func TestEventStreamsAreBounded(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	c := loggedIn(t, s)
	cfg, _ := s.Store.Current()
	admin, user := cfg.UserByID("admin"), cfg.UserByID("demo101")
	for i := range maxStreamsOfUser {
		if s.streams.enter(user) == nil {
			t.Fatalf("stream %d of a user refused", i+1)
		}
	}
	if s.streams.enter(user) != nil {
		t.Error("one user can take all streams")
	}
	for i := range maxUserStreams {
		s.streams.enter(&pbx.User{ID: fmt.Sprint("u", i)})
	}
	if s.streams.users != maxUserStreams {
		t.Errorf("got %d streams of users, want %d", s.streams.users, maxUserStreams)
	}
	var leave func()
	for range maxStreamsOfUser {
		if leave = s.streams.enter(admin); leave == nil {
			t.Fatal("users took the streams of the administrator")
		}
	}
	c.want(503, "GET", "/events", "", nil)
	leave()
	leave() // gives its place once
	if n := s.streams.byUser["admin"]; n != maxStreamsOfUser-1 {
		t.Errorf("got %d streams of admin, want %d", n, maxStreamsOfUser-1)
	}
}
