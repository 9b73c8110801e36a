package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

// TestFactoryPIN checks that PIN 0000 is good only in the local network and
// that nothing works before it is changed.
func TestFactoryPIN(t *testing.T) {
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

// TestBackoff guesses PINs: the guesser waits longer and longer, an
// administrator at another address of the local network does not.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, newMemory(), nil)
		admin := loggedIn(t, s)
		guesser := &client{t: t, s: s, addr: "192.168.0.66:5555"}
		guess := func() *response { return guesser.do("POST", "/api/v1/login", `{"user":"admin","pin":"1111"}`) }
		begin, tries := time.Now(), 0
		var last string
		for time.Since(begin) < time.Hour {
			res := guess()
			if res.StatusCode == http.StatusUnauthorized {
				tries++
				continue
			}
			if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
				t.Fatalf("got status %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
			}
			last = res.Header.Get("Retry-After")
			time.Sleep(time.Second)
		}
		if tries > 80 || last == "1" {
			t.Errorf("%d guesses in an hour, last wait %s s", tries, last)
		}
		(&client{t: t, s: s, addr: admin.addr}).login("admin", adminPIN)        // a known address
		(&client{t: t, s: s, addr: "192.168.0.10:1"}).do("GET", "/healthz", "") // another is let in within seconds:
		fresh := &client{t: t, s: s, addr: "192.168.0.10:1"}
		waited := time.Duration(0)
		for fresh.do("POST", "/api/v1/login", `{"user":"admin","pin":"`+adminPIN+`"}`).StatusCode != 200 {
			time.Sleep(time.Second)
			if waited += time.Second; waited > maxWaitUserLocal {
				t.Fatalf("locked out of the local network for over %s", waited)
			}
		}
	})
}

func TestBackoffIsBounded(t *testing.T) {
	b := newBackoff()
	now := time.Now()
	trusted := who{"admin", true, parseAddr(lanAddr)}
	try, _ := b.reserve(trusted, now)
	b.succeed(try, now)
	for i := range 3 * maxBuckets {
		w := who{fmt.Sprint("x", i), i%7 == 0, netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})}
		b.reserve(w, now.Add(time.Duration(i)*time.Millisecond))
	}
	if len(b.pairs) > maxBuckets || len(b.addrs) > maxBuckets || len(b.users) > maxBuckets {
		t.Errorf("got %d, %d and %d buckets, want at most %d of a kind", len(b.pairs), len(b.addrs), len(b.users), maxBuckets)
	}
	if !b.knows(trusted, now.Add(time.Minute)) {
		t.Error("strangers pushed a known address out")
	}
	for i := range 3 * maxTrusted {
		w := who{fmt.Sprint("x", i), true, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})}
		try, _ := b.reserve(w, now)
		b.succeed(try, now.Add(time.Duration(i)))
	}
	if len(b.trusted) > maxTrusted {
		t.Errorf("got %d known addresses, want at most %d", len(b.trusted), maxTrusted)
	}
}

// TestKnownAddressesOfOthers checks that one user's many addresses do not push
// out those of another.
func TestKnownAddressesOfOthers(t *testing.T) {
	b := newBackoff()
	now := time.Now()
	in := func(w who) {
		try, wait := b.reserve(w, now)
		if wait > 0 {
			t.Fatalf("%v must wait %s", w, wait)
		}
		b.succeed(try, now)
		now = now.Add(time.Second)
	}
	admin := who{"admin", true, parseAddr(lanAddr)}
	in(admin)
	for i := range 2000 {
		in(who{"eva", true, netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})})
	}
	if !b.knows(admin, now) || len(b.trusted) > maxUserTrusted+1 {
		t.Errorf("admin known: %t; %d known addresses", b.knows(admin, now), len(b.trusted))
	}
}

// TestNoLockoutByManyAddresses fails as admin from one address after another
// and from many names: an honest login from a new local address and from a
// known one is let in at once.
func TestNoLockoutByManyAddresses(t *testing.T) {
	for _, attacker := range []string{"10.1.%d.%d", "fd00::%d:%d", "fe80::%d:%d"} {
		b := newBackoff()
		now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
		known := who{"admin", true, parseAddr("[fd00::99:99]:1")}
		try, _ := b.reserve(known, now)
		b.succeed(try, now)
		for i := range 20000 {
			now = now.Add(30 * time.Millisecond)
			w := who{"admin", true, netip.MustParseAddr(fmt.Sprintf(attacker, i/250%250, i%250+1))}
			if i%2 == 0 {
				w.user, w.known = fmt.Sprint("z", i), false
			}
			b.reserve(w, now)
		}
		if _, wait := b.reserve(known, now); wait > 0 {
			t.Errorf("%s: a known address must wait %s", attacker, wait)
		}
		for i := range freeLocalTries {
			if _, wait := b.reserve(who{"admin", true, parseAddr(lanAddr)}, now.Add(time.Duration(i)*time.Second)); wait > 0 {
				t.Errorf("%s: try %d of a new address must wait %s", attacker, i+1, wait)
			}
		}
		if strings.HasPrefix(attacker, "f") && len(b.addrs) > 3 {
			t.Errorf("%s: %d addresses counted, want those of one machine together", attacker, len(b.addrs))
		}
	}
}

// TestNamelessLogin checks that logins without a name, or with one that can be
// no user's, wait only for their own failures and keep no user out.
func TestNamelessLogin(t *testing.T) {
	for _, name := range []string{"", strings.Repeat("x", 51)} {
		synctest.Test(t, func(t *testing.T) {
			c := &client{t: t, s: newServer(t, newMemory(), nil), addr: lanAddr}
			for range freeFailures + 3 {
				c.want(401, "POST", "/login", `{"user":"`+name+`","pin":"1"}`, nil)
			}
			c.login("admin", "0000")
			if n := len(c.s.backoff.pairs); n != 1 {
				t.Errorf("%q: got %d pairs counted, want that of admin alone", name, n)
			}
		})
	}
}

// TestKnownAddressesHaveTheirQueue fills the queue of logins.
func TestKnownAddressesHaveTheirQueue(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	c := loggedIn(t, s)
	for range maxLogins {
		s.logins <- struct{}{}
	}
	(&client{t: t, s: s, addr: remoteAddr}).want(503, "POST", "/login", `{"user":"admin","pin":"1"}`, nil)
	c.login("admin", adminPIN)
	if n := len(s.backoff.addrs); n != 1 {
		t.Errorf("who found no place in the queue was counted: %d addresses", n)
	}
}

// TestRemoteGuessing spreads guesses over many addresses outside.
func TestRemoteGuessing(t *testing.T) {
	b := newBackoff()
	now := time.Now()
	let := 0
	for i := range 1000 {
		addr := parseAddr("[2001:db8:0:" + time.Unix(int64(i), 0).UTC().Format("0405") + "::1]:1")
		if _, wait := b.reserve(who{"admin", true, addr}, now.Add(time.Duration(i)*time.Second)); wait == 0 {
			let++
		}
	}
	if let > freeUserFailures+15 {
		t.Errorf("%d guesses let through in 1000 s", let)
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
