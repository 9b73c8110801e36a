package resolve

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// at is a query that asks for the addresses of a name alone.
func at(name string) Query { return Query{Host: name, Port: 5060} }

func TestAnswersAreKeptAsLongAsTheyHold(t *testing.T) {
	tests := []struct {
		name, records string
		want          time.Duration
	}{
		{"as told", "a.test 300 A 192.0.2.1\na.test 900 AAAA 2001:db8::1", 300 * time.Second},
		{"5 s at least", "a.test 0 A 192.0.2.1\na.test 900 AAAA 2001:db8::1", leastTTL},
		{"a day at most", "a.test 999999 A 192.0.2.1\na.test 999999 AAAA 2001:db8::1", mostTTL},
		{"highest bit set is 0", "a.test 4294967295 A 192.0.2.1\na.test 900 AAAA 2001:db8::1", leastTTL},
		{"the alias, too", "a.test 20 CNAME b.test\nb.test 900 A 192.0.2.1\nb.test 900 AAAA 2001:db8::1", 20 * time.Second},
		{"negative by the SOA", "a.test 300 A 192.0.2.1\ntest 900 SOA 30", 30 * time.Second},
		{"negative by the TTL of the SOA", "a.test 300 A 192.0.2.1\ntest 20 SOA 900", 20 * time.Second},
		{"negative a minute at most", "a.test 300 A 192.0.2.1\ntest 900 SOA 900", negativeTTL},
		{"negative without SOA", "a.test 300 A 192.0.2.1", leastTTL},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				z := newZone(tt.records)
				r := newTest(t, z)
				list := locate(t, r, at("a.test"))
				if got := time.Until(list[0].Expires); got != tt.want {
					t.Fatalf("expires in %s, want %s", got, tt.want)
				}
				asked := func() int { return z.count("A", "a.test") + z.count("AAAA", "a.test") }
				time.Sleep(tt.want - time.Millisecond)
				locate(t, r, at("a.test"))
				if n := asked(); n != 2 {
					t.Errorf("asked %d times before the end, want 2", n)
				}
				time.Sleep(time.Millisecond)
				locate(t, r, at("a.test"))
				if n := asked(); n < 3 {
					t.Errorf("asked %d times after the end, want 3 or more", n)
				}
			})
		})
	}
}

func TestOneQuestionForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone("a.test 300 A 192.0.2.1")
		z.delay = time.Second
		r := newTest(t, z)
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() { locate(t, r, at("a.test")) })
		}
		wait.Wait()
		if a, aaaa := z.count("A", "a.test"), z.count("AAAA", "a.test"); a != 1 || aaaa != 1 {
			t.Errorf("asked %d and %d times, want once each", a, aaaa)
		}
	})
}

func TestStaleAnswersWhileNoNameServerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone("_sip._udp.a.test 60 SRV 0 0 5070 b.test\nb.test 60 A 192.0.2.1\nb.test 60 AAAA 2001:db8::1")
		r := newTest(t, z)
		q := Query{Host: "a.test", Transport: UDP}
		fresh := written(locate(t, r, q))
		z.change(func() { z.silent[nameServer] = true })
		time.Sleep(61 * time.Second)

		start := time.Now()
		list := locate(t, r, q)
		if written(list) != fresh || !list[0].Stale {
			t.Errorf("%s, stale %v; want %s", written(list), list[0].Stale, fresh)
		}
		if took := time.Since(start); took != patience {
			t.Errorf("the first call waited %s, want %s", took, patience)
		}
		if got := time.Until(list[0].Expires); got <= 0 || got > leastTTL {
			t.Errorf("a stale target may be used for %s", got)
		}
		start = time.Now()
		locate(t, r, q)
		if took := time.Since(start); took != 0 {
			t.Errorf("the second call waited %s, want none", took)
		}
		time.Sleep(59*time.Minute - time.Since(start))
		if list := locate(t, r, q); !list[0].Stale {
			t.Error("not stale after 59 minutes")
		}
		time.Sleep(2 * time.Minute)
		if list, err := r.Locate(t.Context(), q); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("after an hour: %v, %v; want %v", list, err, ErrNoAnswer)
		}
		z.change(func() { clear(z.silent) })
		time.Sleep(retry)
		if list := locate(t, r, q); list[0].Stale {
			t.Error("stale although the name server answers")
		}
	})
}

func TestStaleAnswersWhileNameServersRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone("a.test 60 A 192.0.2.1")
		r := newTest(t, z)
		locate(t, r, at("a.test"))
		z.change(func() { z.rcode = dnsmessage.RCodeServerFailure })
		time.Sleep(61 * time.Second)
		start := time.Now()
		if list := locate(t, r, at("a.test")); !list[0].Stale || time.Since(start) != 0 {
			t.Errorf("stale %v after %s, want at once", list[0].Stale, time.Since(start))
		}
		if r.servers.down(nameServer) {
			t.Error("a server that refuses counts as one that is silent")
		}
	})
}

func TestNextNameServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := netip.MustParseAddrPort("192.0.2.54:53")
		z := newZone("a.test 5 A 192.0.2.1\na.test 5 AAAA 2001:db8::1")
		z.silent[nameServer] = true
		r := newTest(t, z)
		r.deps.Servers = func() []netip.AddrPort { return []netip.AddrPort{nameServer, second} }
		start := time.Now()
		locate(t, r, at("a.test"))
		if took := time.Since(start); took != serverTime {
			t.Errorf("the first call took %s, want %s", took, serverTime)
		}
		time.Sleep(10 * time.Second)
		r.mu.Lock()
		clear(r.cache)
		r.mu.Unlock()
		start = time.Now()
		locate(t, r, at("a.test"))
		if took := time.Since(start); took != 0 {
			t.Errorf("the silent one is asked first again: %s", took)
		}
		// It comes first again when it has had time to recover.
		z.change(func() { clear(z.silent); z.silent[second] = true })
		time.Sleep(firstPenalty)
		start = time.Now()
		locate(t, r, at("a.test"))
		if took := time.Since(start); took != 0 {
			t.Errorf("after recovery the call took %s", took)
		}
	})
}

func TestAnotherNameServerHoldsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone("a.test 3600 A 192.0.2.1")
		z.silent[nameServer] = true
		r := newTest(t, z)
		servers := []netip.AddrPort{nameServer}
		r.deps.Servers = func() []netip.AddrPort { return servers }
		if _, err := r.Locate(t.Context(), at("a.test")); !errors.Is(err, ErrNoAnswer) {
			t.Fatalf("silent server: %v", err)
		}
		servers = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.54:53")}
		if got := written(locate(t, r, at("a.test"))); got != "192.0.2.1:5060/udp" {
			t.Errorf("new server: %s", got)
		}
		// What the old server said is believed only until the new one answers.
		z.set("a.test 3600 A 192.0.2.2")
		servers = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.55:53")}
		if got := written(locate(t, r, at("a.test"))); got != "192.0.2.2:5060/udp" {
			t.Errorf("third server: %s", got)
		}
		servers = nil
		if list := locate(t, r, at("a.test")); !list[0].Stale {
			t.Error("without any server what is known is not stale")
		}
		if _, err := r.Locate(t.Context(), at("b.test")); !errors.Is(err, ErrNoAnswer) {
			t.Errorf("without any server: %v", err)
		}
	})
}

// Some name servers never answer for AAAA, NAPTR or SRV.
func TestNameServerThatKnowsOnlyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone("a.test 300 A 192.0.2.1")
		z.mute["AAAA a.test"] = true
		r := newTest(t, z)
		start := time.Now()
		list := locate(t, r, at("a.test"))
		if took := time.Since(start); took != r.resolutionDelay || len(list) != 1 {
			t.Errorf("%s after %s", written(list), took)
		}
		if got := time.Until(list[0].Expires); got != leastTTL {
			t.Errorf("asked for again after %s", got)
		}
		z.change(func() { z.mute["NAPTR a.test"], z.mute["SRV _sip._udp.a.test"] = true, true })
		if got := written(locate(t, r, Query{Host: "a.test"})); got != "192.0.2.1:5060/udp" {
			t.Error(got)
		}
	})
}

func TestCallerDoesNotWaitLongerThanItWants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone("")
		z.silent[nameServer] = true
		r := newTest(t, z)
		ctx, cancel := contextFor(t, time.Second)
		defer cancel()
		start := time.Now()
		if _, err := r.Locate(ctx, at("a.test")); !errors.Is(err, ErrNoAnswer) || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTest(t, newZone(""))
		for i := range maxEntries {
			if i%100 == 0 { // used often
				_, _ = r.Locate(t.Context(), at("kept.test"))
			}
			_, _ = r.Locate(t.Context(), at(fmt.Sprintf("n%d.test", i)))
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.cache) != maxEntries {
			t.Errorf("%d entries, want %d", len(r.cache), maxEntries)
		}
		if r.cache[question{"kept.test", dnsmessage.TypeA}] == nil {
			t.Error("the one that is used often is gone")
		}
		if len(r.flights) != 0 {
			t.Errorf("%d flights are left", len(r.flights))
		}
	})
}

func TestQuestionsAtATimeAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone("")
		z.silent[nameServer] = true
		r := newTest(t, z)
		var wait sync.WaitGroup
		for i := range maxFlights {
			wait.Go(func() { _, _ = r.Locate(t.Context(), at(fmt.Sprintf("n%d.test", i))) })
		}
		synctest.Wait()
		start := time.Now()
		_, err := r.Locate(t.Context(), at("one.more.test"))
		if !errors.Is(err, ErrNoAnswer) || !strings.Contains(err.Error(), "waiting") || time.Since(start) != 0 {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		wait.Wait()
	})
}

func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth[string](time.Now)
		// upAfter returns after how long it is tried again.
		upAfter := func() time.Duration {
			start := time.Now()
			for h.down("a") {
				time.Sleep(time.Second)
			}
			return time.Since(start)
		}
		for i, want := range []time.Duration{30, 60, 120, 240, 300, 300} {
			first := h.fail("a", 0)
			h.fail("a", 0) // a call that began at the same time
			if got := upAfter(); got != want*time.Second || first != (i == 0) {
				t.Errorf("failure %d: passed over for %s, want %s; first %v", i+1, got, want*time.Second, first)
			}
		}
		h.works("a")
		h.fail("a", 0)
		if got := upAfter(); got != firstPenalty {
			t.Errorf("after it worked: passed over for %s", got)
		}
		h.fail("a", 7*time.Second)
		if got := upAfter(); got != 7*time.Second {
			t.Errorf("Retry-After of 7 s: passed over for %s", got)
		}
		h.fail("a", 100*time.Hour)
		if got := upAfter(); got != time.Hour {
			t.Errorf("Retry-After of 100 hours: passed over for %s", got)
		}
		for i := range 2 * maxFailed {
			h.fail(fmt.Sprint(i), 0)
		}
		if len(h.failed) != maxFailed {
			t.Errorf("%d failures are kept, want %d", len(h.failed), maxFailed)
		}
	})
}
