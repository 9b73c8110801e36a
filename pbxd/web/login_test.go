package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// TestFactoryPIN checks that PIN 0000 is good only in the local network and
// that nothing works before it is changed.
func TestFactoryPIN(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		addr string
		want int
	}{
		{"127.0.0.1:1", 200}, {"10.0.2.2:1", 200}, {"192.168.0.9:1", 200}, {"[fe80::1%eth0]:1", 200}, {"[fd00::1]:1", 200}, {"[::1]:1", 200}, {"[::ffff:10.0.0.1]:1", 200},
		{"203.0.113.7:1", 401}, {"[2001:db8::1]:1", 401}, {"100.64.0.1:1", 401}, {"nonsense", 401},
	} {
		c := &client{t: t, s: newServer(t, newMemory(), nil), addr: tc.addr}
		if got := c.do("POST", "/api/v1/login", `{"user":"admin","pin":"0000"}`).StatusCode; got != tc.want {
			t.Errorf("from %s: got status %d, want %d", tc.addr, got, tc.want)
		}
	}
}

func TestCookie(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	c := &client{t: t, s: s, addr: lanAddr}
	res := c.want(200, "POST", "/login", `{"user":"admin","pin":"0000"}`, nil)
	cookies := res.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("got %d cookies, want 1", len(cookies))
	}
	k := cookies[0]
	if !k.HttpOnly || !k.Secure || k.SameSite != http.SameSiteStrictMode || k.Path != "/" || k.Domain != "" || len(k.Value) != 43 {
		t.Errorf("unexpected cookie: %s", k.Raw)
	}
	cookie := k.Name + "=" + k.Value
	const pin = `{"old":"0000","new":"482913"}`
	for _, tc := range []struct {
		what   string
		header []string
		want   int
	}{
		{"no word of the browser", nil, 403},
		{"another site", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a neighbour on the same site", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"another origin", []string{"Origin", "https://evil.example"}, 403},
		{"the page, by origin", []string{"Origin", "https://galilei"}, 204},
	} {
		if got := c.do("PUT", "/api/v1/profile/pin", pin, append(tc.header, "Cookie", cookie)...).StatusCode; got != tc.want {
			t.Errorf("%s: got status %d, want %d", tc.what, got, tc.want)
		}
	}
	if got := c.do("POST", "/api/v1/logout", "", "Cookie", cookie, "Sec-Fetch-Site", "same-origin").StatusCode; got != 204 {
		t.Errorf("logout: got status %d, want 204", got)
	}
	if got := c.do("GET", "/api/v1/session", "", "Cookie", cookie).StatusCode; got != 401 {
		t.Errorf("after logout: got status %d, want 401", got)
	}
	if got := c.do("POST", "/api/v1/login", `{"user":"admin","pin":"482913"}`, "Sec-Fetch-Site", "cross-site").StatusCode; got != 403 {
		t.Errorf("login from another site: got status %d, want 403", got)
	}
}

// TestPINChangeEndsOtherSessions also covers a PIN that an administrator sets.
func TestPINChangeEndsOtherSessions(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	admin := loggedIn(t, s)
	other := &client{t: t, s: s, addr: lanAddr}
	other.login("admin", adminPIN)
	admin.want(204, "PUT", "/profile/pin", `{"old":"`+adminPIN+`","new":"271828"}`, nil)
	other.want(401, "GET", "/session", "", nil)
	admin.want(200, "GET", "/session", "", nil)
	admin.want(200, "PUT", "/users/admin", `{"user":"admin","pin":"314159"}`, nil)
	var info SessionInfo
	admin.want(200, "GET", "/session", "", &info)
	if info.MustChangePIN {
		t.Error("who sets the own PIN must change it again")
	}
	other.login("admin", "314159")
}

func TestSessionTimes(t *testing.T) {
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	s := newServer(t, newMemory(), func() time.Time { return now })
	c := loggedIn(t, s)
	const idle = time.Hour // the default
	now = now.Add(idle)
	c.want(200, "GET", "/session", "", nil)
	now = now.Add(idle + time.Second)
	c.want(401, "GET", "/session", "", nil)
	c.login("admin", adminPIN)
	for range 23 {
		now = now.Add(idle)
		c.want(200, "GET", "/session", "", nil)
	}
	now = now.Add(idle)
	c.want(200, "GET", "/session", "", nil) // 24 h to the second
	now = now.Add(time.Second)
	c.want(401, "GET", "/session", "", nil)
}

// TestSessionTimesAreSettings shortens the times of the logins that there are.
func TestSessionTimesAreSettings(t *testing.T) {
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	m := newMemory()
	s := newServer(t, m, func() time.Time { return now })
	c := loggedIn(t, s)
	m.edit(t, func(cfg *pbx.Config) { cfg.Page.SessionIdle, cfg.Page.SessionLife = 5, 1 })
	now = now.Add(5 * time.Minute)
	c.want(200, "GET", "/session", "", nil)
	now = now.Add(5*time.Minute + time.Second)
	c.want(401, "GET", "/session", "", nil)
	res := c.want(200, "POST", "/login", `{"user":"admin","pin":"`+adminPIN+`"}`, nil)
	if got := res.Cookies()[0].MaxAge; got != 3600 {
		t.Errorf("the cookie lives %d s, want 3600", got)
	}
	c.login("admin", adminPIN)
	for range 12 {
		now = now.Add(5 * time.Minute)
		c.want(200, "GET", "/session", "", nil)
	}
	now = now.Add(time.Second)
	c.want(401, "GET", "/session", "", nil)
}

func TestSessionNumbers(t *testing.T) {
	s := newSessions()
	cfg := pbx.Factory(pbx.Defaults{})
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	first := s.open(&cfg.Users[0], cfg.Page, now)
	for i := range maxUserSessions {
		s.open(&cfg.Users[0], cfg.Page, now.Add(time.Duration(i+1)*time.Second))
	}
	if len(s.byHash) != maxUserSessions {
		t.Errorf("got %d sessions of one user, want %d", len(s.byHash), maxUserSessions)
	}
	if u, _, _ := s.users(hashToken(first), cfg, now, true); u != nil {
		t.Error("the session that was idle longest lives on")
	}
}

// TestLoginsAreAudited checks that a PIN typed as user name is not recorded.
func TestLoginsAreAudited(t *testing.T) {
	m := newMemory()
	c := &client{t: t, s: newServer(t, m, nil), addr: lanAddr}
	c.want(401, "POST", "/login", `{"user":"482913","pin":"1"}`, nil)
	c.want(401, "POST", "/login", `{"user":"admin","pin":"999999"}`, nil)
	c.login("admin", "0000")
	if len(m.audits) != 3 || m.audited("login") != 1 || m.audited("login-failed") != 2 {
		t.Fatalf("unexpected audit log: %+v", m.audits)
	}
	for _, e := range m.audits {
		if strings.Contains(e.Object+e.Actor, "482913") {
			t.Errorf("recorded %+v", e)
		}
	}
}
