package web

import (
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// TestChangesAreAudited checks what the audit log says of each kind of change.
func TestChangesAreAudited(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	const ben = `"user":"demo102","extension":"102","firstName":"Ben"`
	for _, tc := range []struct {
		path, body string
		want       []string
	}{
		{"/users/demo102", `{` + ben + `,"lastName":"Demo"}`, nil}, // as it is
		{"/users/demo102", `{` + ben + `,"lastName":"Huber"}`, []string{"change-user"}},
		{"/users/demo102", `{` + ben + `,"lastName":"Huber","pin":"314159"}`, []string{"set-pin"}},
		{"/users/demo102", `{` + ben + `,"lastName":"Huber","mustChangePin":false}`, []string{"change-user"}},
		{"/users/demo102", `{` + ben + `,"lastName":"Huber","admin":true}`, []string{"grant-admin"}},
		{"/users/demo102", `{` + ben + `,"lastName":"Huber","admin":false,"sipPassword":"abcdef"}`, []string{"set-sip-password", "revoke-admin"}},
		{"/users/demo102", `{` + ben + `,"lastName":"Demo","pin":"271828"}`, []string{"set-pin", "change-user"}},
		{"/media-settings", `{"rtpPortMin":20000,"rtpPortMax":29999}`, nil},
		{"/media-settings", `{"rtpPortMin":20000,"rtpPortMax":20099}`, []string{"change-media-settings"}},
	} {
		before := len(m.audits)
		c.want(200, "PUT", tc.path, tc.body, nil)
		var got []string
		for _, e := range m.audits[before:] {
			got = append(got, e.Action)
			if e.Actor != "admin" || e.From != "192.168.0.9" {
				t.Errorf("%s: recorded %+v", tc.body, e)
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("PUT %s %s: recorded %q, want %q", tc.path, tc.body, got, tc.want)
		}
	}
	c.want(201, "POST", "/users", `{"user":"boss","admin":true}`, nil)
	if n := m.audited("grant-admin"); n != 2 {
		t.Errorf("grant-admin recorded %d times, want 2", n)
	}
}

// TestNewPasswordKeepsTheTag checks that who makes a new password can go on to
// change the user, and that nobody else's change is lost by it.
func TestNewPasswordKeepsTheTag(t *testing.T) {
	c := loggedIn(t, newServer(t, newMemory(), nil))
	const path, body = "/users/demo102", `{"user":"demo102","extension":"102","firstName":"Benno"}`
	old := c.want(200, "GET", path, "", nil).Header.Get("ETag")
	now := c.do("POST", apiPrefix+path+"/new-sip-password", "", "If-Match", old).Header.Get("ETag")
	if now == "" || now == old {
		t.Fatalf("after a new password: got ETag %q", now)
	}
	if res := c.do("POST", apiPrefix+path+"/new-sip-password", "", "If-Match", old); res.StatusCode != 412 {
		t.Errorf("new password from another state: got status %d, want 412", res.StatusCode)
	}
	if res := c.do("PUT", apiPrefix+path, body, "If-Match", now); res.StatusCode != 200 {
		t.Errorf("change after a new password: got %d %s", res.StatusCode, res.text)
	}
}

// TestNoSessionLivesAgain deletes a user, restores an earlier revision and
// tries the session of before, which nobody used in between.
func TestNoSessionLivesAgain(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	user := &client{t: t, s: s, addr: lanAddr}
	user.login("demo102", "0000")
	_, before := m.Current()
	c.want(204, "DELETE", "/users/demo102", "", nil)
	m.mu.Lock()
	m.publish(m.cfgs[before-1], "admin", pbx.Typed("restored"))
	m.mu.Unlock()
	if cfg, _ := m.Current(); cfg.UserByID("demo102") == nil || cfg.UserByID("demo102").PIN != pbx.FactoryPIN {
		t.Fatal("the user is not back")
	}
	user.want(401, "GET", "/session", "", nil)
}

// TestDuplicateAdmin checks that a second admin is told as that alone.
func TestDuplicateAdmin(t *testing.T) {
	c := loggedIn(t, newServer(t, newMemory(), nil))
	res := c.want(422, "POST", "/users", `{"user":"admin","extension":"210"}`, nil)
	if !strings.Contains(res.text, "already in use") || strings.Contains(res.text, "must contain") {
		t.Errorf("got %s", res.text)
	}
}
