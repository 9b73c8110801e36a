package resolve

import (
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Whatever a name server says, what comes of it is bounded and consistent.
func FuzzAnswer(f *testing.F) {
	z := newZone(providers)
	for name, kind := range map[string]dnsmessage.Type{"example.com": typeNAPTR, "_sip._udp.example.com": dnsmessage.TypeSRV, "alias.test": dnsmessage.TypeA, "plain.test": dnsmessage.TypeAAAA, "loop.test": dnsmessage.TypeA, "nobody.example.com": dnsmessage.TypeA} {
		q := question{name, kind}
		wire, err := q.packed(7, true)
		if err != nil {
			f.Fatal(err)
		}
		var m dnsmessage.Message
		if err := m.Unpack(wire); err != nil {
			f.Fatal(err)
		}
		f.Add(uint16(kind), name, z.answerLocked(m))
	}
	f.Fuzz(func(t *testing.T, kind uint16, name string, msg []byte) {
		q := question{name, dnsmessage.Type(kind)}
		q.answers(7, msg)
		a, truncated, err := q.parse(msg)
		if err != nil || truncated {
			return
		}
		if len(a.records) > maxRecords || a.ttl < leastTTL || a.ttl > mostTTL || a.alias != "" && len(a.records) > 0 {
			t.Errorf("%d records, TTL %s, alias %q", len(a.records), a.ttl, a.alias)
		}
		var list []srv
		for _, r := range a.records {
			list = append(list, r.srv)
			if q.kind == dnsmessage.TypeA && !r.addr.Is4() || q.kind == dnsmessage.TypeAAAA && !r.addr.IsValid() {
				t.Errorf("address %v", r.addr)
			}
		}
		if got := orderServers(list, func(n int) int { return n - 1 }); len(got) != len(list) {
			t.Errorf("%d servers of %d", len(got), len(list))
		}
		for _, s := range chooseServices(a.records, false) {
			if s.transport == Any || s.name == "" {
				t.Errorf("service %+v", s)
			}
		}
	})
}

func FuzzNAPTR(f *testing.F) {
	f.Add([]byte("\x00\x0a\x00\x14\x01s\x07SIP+D2U\x00\x04_sip\x04_udp\x04test\x00"), []byte{})
	f.Add([]byte("\x00\x0a\x00\x14\x01s\x07SIP+D2U\x00\x04_sip\xc0\x00"), []byte("\x04test\xc0\x00"))
	f.Fuzz(func(t *testing.T, data, msg []byte) {
		if n, err := parseNAPTR(data, msg); err == nil && len(n.replacement) > 253 {
			t.Errorf("name of %d octets", len(n.replacement))
		}
	})
}

func TestNAPTRWithCompressedName(t *testing.T) {
	n, err := parseNAPTR([]byte("\x00\x0a\x00\x14\x01s\x07SIP+D2U\x00\x04_sip\xc0\x02"), []byte("xx\x04_Udp\x04test\x00"))
	if err != nil || n.replacement != "_sip._udp.test" || n.order != 10 || n.preference != 20 || n.service != "SIP+D2U" {
		t.Errorf("%+v, %v", n, err)
	}
	if _, err := parseNAPTR([]byte("\x00\x0a\x00\x14\x00\x00\x00\xc0\x00"), []byte("\xc0\x00")); err == nil {
		t.Error("a name that points to itself is read")
	}
}
