package rtpio

import (
	"net/netip"
	"testing"
	"time"
)

// step is one thing that happens to a latch.
type step struct {
	at      time.Duration // since the description
	from    string        // source of a packet, or the new description of expect
	foreign bool          // payload type that was not agreed on
	expect  bool
	want    bool   // accepted
	target  string // where to send afterwards
}

func TestLatch(t *testing.T) {
	const (
		phone    = "192.0.2.10:4000" // as described
		other    = "192.0.2.10:4444" // same address, another port
		nat      = "203.0.113.5:61000"
		natExact = "203.0.113.5:4000"
		evil     = "198.51.100.66:4000"
		evil2    = "198.51.100.66:4001"
	)
	ms, s := time.Millisecond, time.Second
	tests := []struct {
		name       string
		described  string
		signalling string
		nat        bool
		steps      []step
	}{
		{"described address at once", phone, "192.0.2.10", false, []step{
			{at: 0, from: phone, want: true, target: phone},
			{at: 20 * ms, from: evil, want: false, target: phone},
			{at: 40 * ms, from: phone, want: true, target: phone},
		}},
		{"another port without NAT is heard, the described one sent to", phone, "192.0.2.10", false, []step{
			{at: 0, from: other, want: true, target: phone},
			{at: 20 * ms, from: other, want: true, target: phone},
		}},
		{"behind NAT the source is sent to", "10.1.1.7:4000", "203.0.113.5", true, []step{
			{at: 0, from: nat, want: true, target: nat},
			{at: 20 * ms, from: evil, want: false, target: nat},
		}},
		{"behind NAT the exact port wins over another one of the same address", "10.1.1.7:4000", "203.0.113.5", true, []step{
			{at: 0, from: nat, want: true, target: nat},
			{at: 20 * ms, from: natExact, want: true, target: natExact},
			{at: 40 * ms, from: nat, want: false, target: natExact},
			{at: 60 * ms, from: natExact, want: true, target: natExact},
		}},
		{"signalling address means nothing without NAT", phone, "203.0.113.5", false, []step{
			{at: 0, from: nat, want: false, target: phone},
		}},
		{"spray before the phone speaks", phone, "192.0.2.10", false, []step{
			{at: 0, from: evil, target: phone},
			{at: 100 * ms, from: evil, target: phone},
			{at: 200 * ms, from: evil, target: phone},
			{at: 300 * ms, from: evil, target: phone},
			{at: 400 * ms, from: evil, target: phone},
			{at: 500 * ms, from: phone, want: true, target: phone},
			{at: 2 * s, from: evil, target: phone},
		}},
		{"a silent phone's call is nobody else's", phone, "192.0.2.10", false, []step{
			{at: 1100 * ms, from: evil, target: phone},
			{at: 1120 * ms, from: evil, target: phone},
			{at: 1140 * ms, from: evil2, target: phone},
			{at: 1160 * ms, from: evil, target: phone},
			{at: 1180 * ms, from: evil, target: phone},
			{at: 3600 * s, from: evil, target: phone},
			{at: 3601 * s, from: phone, want: true, target: phone},
			{at: 3602 * s, from: evil, target: phone},
		}},
		{"a silent phone's call is nobody else's behind NAT", "10.1.1.7:4000", "203.0.113.5", true, []step{
			{at: 1100 * ms, from: evil, target: natExact},
			{at: 1120 * ms, from: evil, target: natExact},
			{at: 1140 * ms, from: evil, target: natExact},
			{at: 1160 * ms, from: evil, target: natExact},
			{at: 3600 * s, from: evil, target: natExact},
			{at: 3601 * s, from: nat, want: true, target: nat},
		}},
		{"payload type that nobody agreed on does not latch", phone, "192.0.2.10", false, []step{
			{at: 900 * ms, from: phone, foreign: true, target: phone},
			{at: 1100 * ms, from: evil, target: phone},
			{at: 1180 * ms, from: phone, want: true, target: phone},
			{at: 1200 * ms, from: phone, foreign: true, want: true, target: phone},
		}},
		{"after silence the NAT may have another port", "10.1.1.7:4000", "203.0.113.5", true, []step{
			{at: 0, from: nat, want: true, target: nat},
			{at: 3 * s, from: nat, want: true, target: nat},
			{at: 7900 * ms, from: "203.0.113.5:61001", target: nat},
			{at: 8 * s, from: "203.0.113.5:61001", want: true, target: "203.0.113.5:61001"},
			{at: 8100 * ms, from: nat, target: "203.0.113.5:61001"},
		}},
		{"after silence a stranger still may not", phone, "192.0.2.10", false, []step{
			{at: 0, from: phone, want: true, target: phone},
			{at: 60 * s, from: evil, target: phone},
			{at: 61 * s, from: evil, target: phone},
			{at: 62 * s, from: evil, target: phone},
			{at: 63 * s, from: evil, target: phone},
			{at: 64 * s, from: evil, target: phone},
		}},
		{"a new description unlocks", phone, "192.0.2.10", false, []step{
			{at: 0, from: phone, want: true, target: phone},
			{at: 1 * s, from: "192.0.2.99:5000", expect: true, target: "192.0.2.99:5000"},
			{at: 1020 * ms, from: phone, target: "192.0.2.99:5000"},
			{at: 1040 * ms, from: "192.0.2.99:5000", want: true, target: "192.0.2.99:5000"},
		}},
		{"the same description keeps the lock", "10.1.1.7:4000", "203.0.113.5", true, []step{
			{at: 0, from: nat, want: true, target: nat},
			{at: 1 * s, from: "10.1.1.7:4000", expect: true, target: nat},
			{at: 1020 * ms, from: "203.0.113.5:9", target: nat},
		}},
		{"hold by null address and back", "10.1.1.7:4000", "203.0.113.5", true, []step{
			{at: 0, from: nat, want: true, target: nat},
			{at: 1 * s, from: "0.0.0.0:4000", expect: true, target: ""},
			{at: 1020 * ms, from: nat, want: true, target: ""},
			{at: 9 * s, from: "10.1.1.7:4000", expect: true, target: nat},
			{at: 9020 * ms, from: nat, want: true, target: nat},
		}},
		{"public address behind a claimed NAT is believed until the source is known", "198.51.100.7:4000", "203.0.113.5", true, []step{
			{at: 0, from: evil, target: "198.51.100.7:4000"},
			{at: 20 * ms, from: "198.51.100.7:4000", want: true, target: "198.51.100.7:4000"},
		}},
		{"public address behind a claimed NAT: the signalling address may send as well", "198.51.100.7:4000", "203.0.113.5", true, []step{
			{at: 0, from: nat, want: true, target: nat},
			{at: 20 * ms, from: evil, target: nat},
			{at: 40 * ms, from: "198.51.100.7:4000", want: true, target: "198.51.100.7:4000"},
			{at: 60 * ms, from: nat, target: "198.51.100.7:4000"},
		}},
		{"private address behind NAT: the signalling address until the source is known", "10.1.1.7:4000", "203.0.113.5", true, []step{
			{at: 0, from: evil, target: natExact},
		}},
		{"link-local source keeps its zone", "[fe80::7]:4000", "fe80::7%lan0", false, []step{
			{at: 0, from: "[fe80::7%lan0]:4000", want: true, target: "[fe80::7%lan0]:4000"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Unix(1000, 0)
			signalling := netip.MustParseAddr(tt.signalling)
			l := latch{}
			l.expect(netip.MustParseAddrPort(tt.described), signalling, tt.nat)
			for i, st := range tt.steps {
				from := netip.MustParseAddrPort(st.from)
				if st.expect {
					l.expect(from, signalling, tt.nat)
				} else if got := l.accept(from, !st.foreign, start.Add(st.at)); got != st.want {
					t.Errorf("step %d, %v from %s: accepted %v, want %v", i, st.at, st.from, got, st.want)
				}
				var target netip.AddrPort
				if st.target != "" {
					target = netip.MustParseAddrPort(st.target)
				}
				if got := l.target(); got != target {
					t.Errorf("step %d, %v from %s: target %v, want %v", i, st.at, st.from, got, target)
				}
			}
		})
	}
}

func TestLatchBeforeExpect(t *testing.T) {
	l := latch{}
	now := time.Unix(1000, 0)
	for i := range 10 {
		if l.accept(netip.MustParseAddrPort("192.0.2.1:4000"), true, now.Add(time.Duration(i)*time.Second)) {
			t.Fatalf("packet %d accepted before anything was described", i)
		}
	}
	if l.target().IsValid() {
		t.Errorf("target %v before anything was described", l.target())
	}
}

// Whose description is right is sent to as it says until their source is found,
// which may be another.
func TestLatchOfADescription(t *testing.T) {
	source := netip.MustParseAddrPort("10.9.9.9:5000")
	for _, described := range []bool{false, true} {
		var l latch
		l.expect(netip.MustParseAddrPort("10.1.1.7:4000"), source.Addr(), true)
		l.described = described
		want := "10.9.9.9:4000"
		if described {
			want = "10.1.1.7:4000"
		}
		if got := l.target().String(); got != want {
			t.Errorf("described %v: sent to %s, want %s", described, got, want)
		}
		if !l.accept(source, true, time.Now()) || l.target() != source {
			t.Errorf("described %v: sent to %s, want %s", described, l.target(), source)
		}
	}
}

// TestLatchOfSharedAddress has the phone of the port's last call go on sending
// from the address of the new one.
func TestLatchOfSharedAddress(t *testing.T) {
	start := time.Unix(1000, 0)
	ms := func(n int) time.Time { return start.Add(time.Duration(n) * time.Millisecond) }
	old, phone := netip.MustParseAddrPort("203.0.113.5:61000"), netip.MustParseAddrPort("203.0.113.5:61002")
	begin := func(described string) latch {
		l := latch{late: []late{{old, start}}}
		l.expect(netip.MustParseAddrPort("10.9.9.9:9"), old.Addr(), true) // an earlier offer changes nothing
		l.expect(netip.MustParseAddrPort(described), old.Addr(), true)
		return l
	}
	l := begin("203.0.113.5:4000")
	for i := range 100 { // for 200 s
		if l.accept(old, true, ms(i*2000)) {
			t.Fatalf("packet %d of the old call accepted", i)
		}
	}
	if !l.accept(phone, true, ms(200_000)) || l.target() != phone {
		t.Errorf("new call's phone refused, target %v", l.target())
	}

	l = begin("203.0.113.5:4000")
	if l.accept(old, true, ms(2999)) || l.accept(old, false, ms(5998)) || l.accept(old, true, ms(8997)) {
		t.Error("packet of the old call accepted before it was silent for 3 s")
	}
	if !l.accept(old, true, ms(8997+3000)) {
		t.Error("source of the old call refused after 3 s of silence: the same phone calls again")
	}

	l = begin("203.0.113.5:61000")
	if !l.accept(old, true, ms(20)) {
		t.Error("described address and port refused because the old call had them")
	}
}

func TestLatchOfRTCP(t *testing.T) {
	now := time.Unix(1000, 0)
	at := netip.MustParseAddrPort
	l := latch{}
	l.expect(at("10.1.1.7:4001"), netip.MustParseAddr("203.0.113.5"), true)
	if got, want := l.target(), at("203.0.113.5:4001"); got != want {
		t.Errorf("before RTP: target %v, want %v", got, want)
	}
	l.follow(at("198.51.100.9:61000")) // RTP came from a third address
	if got, want := l.target(), at("198.51.100.9:4001"); got != want {
		t.Errorf("after RTP: target %v, want %v", got, want)
	}
	if l.accept(at("192.0.2.66:61001"), true, now) {
		t.Error("RTCP of a stranger accepted")
	}
	if !l.accept(at("198.51.100.9:61001"), true, now) {
		t.Error("RTCP from the address of the RTP refused")
	}
	if got, want := l.target(), at("198.51.100.9:61001"); got != want {
		t.Errorf("after RTCP: target %v, want %v", got, want)
	}
	l.follow(at("203.0.113.5:4000"))
	if l.rank != rankNone {
		t.Error("RTCP source at the old address kept after RTP moved")
	}
}
