package sipedge

import (
	"net/netip"
	"testing"
	"time"
)

// The emergency calls of phones without a password are bounded by address, at a
// time and one after the other, and in all.
func TestStrangersAreBounded(t *testing.T) {
	s, now := newStrangers(), time.Now()
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	begun := func(a netip.Addr) (n int) {
		for s.enter(a, now) {
			s.leave(a)
			n++
		}
		return n
	}
	if n := begun(addr(1)); n != unknownBurst {
		t.Errorf("%d calls one after the other, want %d", n, unknownBurst)
	}
	if now = now.Add(7 * unknownRefill); begun(addr(1)) != 7 {
		t.Error("not one more for each time of waiting")
	}
	if now = now.Add(time.Hour); begun(addr(1)) != unknownBurst {
		t.Error("not all after an hour")
	}
	at := 0
	for a := 2; at < unknownAll; a++ {
		for range unknownEach {
			if !s.enter(addr(a), now) {
				t.Fatalf("call %d of all refused", at)
			}
			at++
		}
		if s.enter(addr(a), now) {
			t.Fatalf("%s has a call more than it may", addr(a))
		}
	}
	if s.enter(addr(5000), now) {
		t.Error("more calls than all may have")
	}
	s.leave(addr(2))
	s.leave(addr(6000)) // is not there
	if !s.enter(addr(5000), now) {
		t.Error("no place for a call after another has ended")
	}
	for a := range 3 * unknownSources {
		if s.enter(addr(10000+a), now) {
			s.leave(addr(10000 + a))
		}
		s.ask(netip.AddrPortFrom(addr(a), 5060), now)
	}
	if len(s.from) > unknownSources || len(s.asked) > unknownSources {
		t.Errorf("%d and %d addresses are remembered", len(s.from), len(s.asked))
	}
	now = now.Add(askedTime)
	last := netip.AddrPortFrom(addr(1), 5061)
	if !s.ask(last, now) || s.ask(last, now) {
		t.Error("a phone is not asked once")
	}
	if s.shown(last); !s.ask(last, now) {
		t.Error("a phone that has given its password is not asked again")
	}
	s.leave(addr(5000))
	if !s.enter(addr(20000), now) {
		t.Error("old addresses are not forgotten")
	}
}
