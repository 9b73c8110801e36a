package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestBackoff guesses PINs: the guesser waits longer and longer, an
// administrator at another address of the local network does not.
func TestBackoff(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
