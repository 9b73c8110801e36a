package resolve

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// following starts a resolver that follows hosts and waits for its first search.
func following(t *testing.T, z *zone, hosts ...string) *Resolver {
	t.Helper()
	r := newTest(t, z)
	go r.Run(t.Context())
	r.Follow(hosts)
	synctest.Wait()
	return r
}

func addresses(r *Resolver, host string) string {
	list, known := r.Addresses(host)
	if !known {
		return "unknown"
	}
	return fmt.Sprint(list)
}

func TestAllAddressesOfAProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := following(t, newZone(providers), "Example.com", "same.test", "plain.test", "nobody.test", "192.0.2.8", "a..b")
		tests := []struct{ host, want string }{
			{"example.com", "[192.0.2.1 192.0.2.2 192.0.2.9 2001:db8::2]"},
			{"EXAMPLE.com.", "[192.0.2.1 192.0.2.2 192.0.2.9 2001:db8::2]"},
			{"same.test", "[192.0.2.1]"},
			{"plain.test", "[192.0.2.29 2001:db8::29]"},
			{"192.0.2.8", "[192.0.2.8]"},
			{"[::ffff:192.0.2.8]", "[192.0.2.8]"},
			{"nobody.test", "unknown"},
			{"srvonly.test", "unknown"}, // not followed
			{"a..b", "unknown"},
		}
		for _, tt := range tests {
			if got := addresses(r, tt.host); got != tt.want {
				t.Errorf("%s: %s, want %s", tt.host, got, tt.want)
			}
		}
		list := r.Following()
		if len(list) != 4 || list[1].Host != "nobody.test" || !errors.Is(list[1].Err, ErrNotFound) || list[0].Err != nil || list[0].Asked.IsZero() {
			t.Errorf("following %+v", list)
		}
		r.Follow([]string{"plain.test"})
		if got := addresses(r, "example.com"); got != "unknown" {
			t.Errorf("not followed any more: %s", got)
		}
	})
}

func TestAddressesAreAskedAgainWhenTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone("a.test 60 A 192.0.2.1\ntest 3600 SOA 3600")
		r := following(t, z, "a.test")
		z.set("a.test 60 A 192.0.2.2\ntest 3600 SOA 3600")
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if got := addresses(r, "a.test"); got != "[192.0.2.1 192.0.2.2]" {
			t.Errorf("after the change: %s", got)
		}
		// The old one may still call for an hour, however often others come.
		time.Sleep(58 * time.Minute)
		synctest.Wait()
		if got := addresses(r, "a.test"); got != "[192.0.2.1 192.0.2.2]" {
			t.Errorf("within the hour: %s", got)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if got := addresses(r, "a.test"); got != "[192.0.2.2]" {
			t.Errorf("after the hour: %s", got)
		}
		if n := z.count("A", "a.test"); n < 50 || n > 70 {
			t.Errorf("asked %d times in about 62 minutes with a TTL of 60 s", n)
		}
	})
}

func TestAddressesStayWhileNoNameServerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone("a.test 60 A 192.0.2.1")
		r := following(t, z, "a.test")
		z.change(func() { z.silent[nameServer] = true })
		time.Sleep(30 * time.Minute)
		if list := r.Following(); !list[0].Stale {
			t.Errorf("not stale: %+v", list)
		}
		time.Sleep(6 * time.Hour)
		if got := addresses(r, "a.test"); got != "[192.0.2.1]" {
			t.Errorf("after 6 hours: %s", got)
		}
		if list := r.Following(); !errors.Is(list[0].Err, ErrNoAnswer) {
			t.Errorf("after 6 hours: %v", list[0].Err)
		}
		z.change(func() { clear(z.silent) })
		time.Sleep(2 * time.Minute)
		if list := r.Following(); list[0].Stale || list[0].Err != nil {
			t.Errorf("the name server is back: %+v", list[0])
		}
	})
}

func TestAnotherNameServerIsAskedForFollowedNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone("a.test 86400 A 192.0.2.1\ntest 86400 SOA 86400")
		r := newTest(t, z)
		servers := []netip.AddrPort{nameServer}
		r.deps.Servers = func() []netip.AddrPort {
			r.mu.Lock()
			defer r.mu.Unlock()
			return servers
		}
		go r.Run(t.Context())
		r.Follow([]string{"a.test"})
		synctest.Wait()
		z.set("a.test 86400 A 192.0.2.2")
		r.mu.Lock()
		servers = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.54:53")}
		r.mu.Unlock()
		time.Sleep(leastTTL)
		synctest.Wait()
		if got := addresses(r, "a.test"); got != "[192.0.2.1 192.0.2.2]" {
			t.Errorf("5 s after the change: %s", got)
		}
	})
}

func TestFollowedNamesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hosts []string
		for i := range 2 * maxFollowed {
			hosts = append(hosts, fmt.Sprintf("n%d.test", i))
		}
		z := newZone("n249.test 60 A 192.0.2.1")
		z.delay = 10 * time.Millisecond
		r := following(t, z, hosts...)
		time.Sleep(4 * time.Second)
		if list := r.Following(); len(list) != maxFollowed {
			t.Errorf("%d names are followed, want %d", len(list), maxFollowed)
		}
		if got := addresses(r, "n249.test"); got != "[192.0.2.1]" {
			t.Errorf("the last one: %s", got)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.searches > maxSearches {
			t.Errorf("%d searches at a time", r.searches)
		}
	})
}
