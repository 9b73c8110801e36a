package resolve

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// The records of RFC 3263 section 4.1 and 4.2, with addresses, and what providers
// do besides.
const providers = `
example.com 3600 NAPTR 50 50 "s" "SIPS+D2T" "" _sips._tcp.example.com.
example.com 3600 NAPTR 90 50 "s" "SIP+D2T" "" _sip._tcp.example.com
example.com 3600 NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.example.com.
_sips._tcp.example.com 3600 SRV 0 1 5061 server1.example.com.
_sips._tcp.example.com 3600 SRV 0 2 5061 server2.example.com.
_sip._tcp.example.com 3600 SRV 0 1 5060 server1.example.com
_sip._udp.example.com 3600 SRV 10 1 5070 server2.example.com
_sip._udp.example.com 3600 SRV 0 1 5060 server1.example.com
server1.example.com 60 A 192.0.2.1
server2.example.com 60 A 192.0.2.2
server2.example.com 60 AAAA 2001:db8::2
example.com 600 A 192.0.2.9
example.com 600 SOA 30

srvonly.test 60 A 192.0.2.19
_sip._udp.srvonly.test 60 SRV 0 0 5060 server1.example.com
_sips._tcp.srvonly.test 60 SRV 0 0 5091 server2.example.com

plain.test 60 A 192.0.2.29
plain.test 60 AAAA 2001:db8::29
alias.test 60 CNAME a1.test
a1.test 60 CNAME plain.test
loop.test 60 CNAME loop2.test
loop2.test 60 CNAME loop.test
refused.test 60 A 192.0.2.39
_sip._udp.refused.test 60 SRV 0 0 0 .

same.test 60 NAPTR 10 20 "S" "sip+d2t" "" _sip._tcp.example.com
same.test 60 NAPTR 10 10 "s" "SIP+D2U" "" _sip._udp.srvonly.test
same.test 60 NAPTR 5 10 "s" "SIP+D2S" "" _sip._sctp.example.com
same.test 60 NAPTR 5 10 "u" "E2U+sip" "!^.*$!sip:a@b!" x.test
same.test 60 NAPTR 5 10 "" "SIP+D2U" "" further.test
host.test 60 NAPTR 10 10 "a" "SIP+D2T" "" plain.test
empty.test 60 NAPTR 10 10 "s" "SIP+D2T" "" nothing.test
empty.test 60 NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp.srvonly.test
twice.test 60 A 192.0.2.1
_sip._udp.twice.test 60 SRV 0 0 5060 twice.test
_sip._udp.twice.test 60 SRV 1 0 5060 server1.example.com
`

func TestLocate(t *testing.T) {
	tests := []struct {
		name string
		q    Query
		want string
	}{
		{"address", Query{Host: "192.0.2.77"}, "192.0.2.77:5060/udp"},
		{"address of version 6 with brackets", Query{Host: "[2001:db8::7]", Transport: TCP}, "[2001:db8::7]:5060/tcp"},
		{"address mapped into version 6", Query{Host: "::ffff:192.0.2.7", Port: 5080}, "192.0.2.7:5080/udp"},
		{"address with sips", Query{Host: "192.0.2.77", Secure: true}, "192.0.2.77:5061/tls"},
		{"localhost", Query{Host: "localhost", Port: 5070}, "[::1]:5070/udp 127.0.0.1:5070/udp"},
		{"NAPTR chooses", Query{Host: "Example.COM."}, "192.0.2.1:5061/tls [2001:db8::2]:5061/tls 192.0.2.2:5061/tls"},
		{"NAPTR with sips", Query{Host: "example.com", Secure: true}, "192.0.2.1:5061/tls [2001:db8::2]:5061/tls 192.0.2.2:5061/tls"},
		{"transport given: no NAPTR", Query{Host: "example.com", Transport: UDP}, "192.0.2.1:5060/udp [2001:db8::2]:5070/udp 192.0.2.2:5070/udp"},
		{"NAPTR for the transport that is given", Query{Host: "same.test", Transport: UDP, NAPTR: true}, "192.0.2.1:5060/udp"},
		{"sips over TCP is TLS", Query{Host: "srvonly.test", Transport: TCP, Secure: true}, "[2001:db8::2]:5091/tls 192.0.2.2:5091/tls"},
		{"port given: no SRV", Query{Host: "example.com", Port: 5060}, "192.0.2.9:5060/udp"},
		{"port and transport given", Query{Host: "example.com", Port: 5080, Transport: TLS}, "192.0.2.9:5080/tls"},
		{"no NAPTR: SRV of each transport", Query{Host: "srvonly.test"}, "192.0.2.1:5060/udp [2001:db8::2]:5091/tls 192.0.2.2:5091/tls"},
		{"no SRV of the transport", Query{Host: "srvonly.test", Transport: TCP}, "192.0.2.19:5060/tcp"},
		{"neither NAPTR nor SRV", Query{Host: "plain.test"}, "[2001:db8::29]:5060/udp 192.0.2.29:5060/udp"},
		{"neither, with sips", Query{Host: "plain.test", Secure: true}, "[2001:db8::29]:5061/tls 192.0.2.29:5061/tls"},
		{"without a route", Query{Host: "plain.test", Reach: netip.Addr.Is4}, "192.0.2.29:5060/udp [2001:db8::29]:5060/udp"},
		{"aliases", Query{Host: "alias.test", Port: 5060}, "[2001:db8::29]:5060/udp 192.0.2.29:5060/udp"},
		{"NAPTR by preference, others than SIP passed over", Query{Host: "same.test"}, "192.0.2.1:5060/udp 192.0.2.1:5060/tcp"},
		{"NAPTR to a host", Query{Host: "host.test"}, "[2001:db8::29]:5060/tcp 192.0.2.29:5060/tcp"},
		{"NAPTR to nothing: the next order", Query{Host: "empty.test"}, "192.0.2.1:5060/udp"},
		{"an address twice", Query{Host: "twice.test"}, "192.0.2.1:5060/udp"},
	}
	r := newTest(t, newZone(providers))
	r.resolutionDelay = time.Minute // both families, however slow the machine
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list := locate(t, r, tt.q)
			if got := written(list); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			for _, target := range list {
				want := strings.Trim(strings.ToLower(tt.q.Host), ".")
				if strings.Contains(want, ":") {
					want = target.Addr.Addr().String()
				}
				if target.Name != want || target.Stale || target.Server == "" {
					t.Errorf("name %q, server %q, stale %v; want the name %q", target.Name, target.Server, target.Stale, want)
				}
			}
		})
	}
}

func TestNothingToLocate(t *testing.T) {
	r := newTest(t, newZone(providers))
	tests := []struct {
		q    Query
		want error
	}{
		{Query{Host: "nobody.test"}, ErrNotFound},
		{Query{Host: "loop.test", Port: 5060}, ErrAliasLoop},
		{Query{Host: "refused.test", Transport: UDP}, ErrNotOffered},
		{Query{Host: "plain.test", Transport: UDP, Secure: true}, ErrBadQuery},
		{Query{Host: "plain.test", Transport: "sctp"}, ErrBadQuery},
		{Query{Host: ""}, ErrBadQuery},
		{Query{Host: "a..b"}, ErrBadQuery},
		{Query{Host: "a b"}, ErrBadQuery},
		{Query{Host: strings.Repeat("a", 64) + ".test"}, ErrBadQuery},
		{Query{Host: strings.Repeat("a.", 127) + "test"}, ErrBadQuery},
	}
	for _, tt := range tests {
		if list, err := r.Locate(t.Context(), tt.q); !errors.Is(err, tt.want) {
			t.Errorf("%.40q: %v, %v; want %v", tt.q.Host, list, err, tt.want)
		}
	}
}

// A chain of aliases that is told link by link is followed as far as 8.
func TestAliasesThatAreToldOneByOne(t *testing.T) {
	var text strings.Builder
	for i := range 10 {
		fmt.Fprintf(&text, "l%d.test 60 CNAME l%d.test\n", i, i+1)
	}
	text.WriteString("l10.test 60 A 192.0.2.1\n")
	z := newZone(text.String())
	z.single = true
	r := newTest(t, z)
	if got := written(locate(t, r, Query{Host: "l2.test", Port: 5060})); got != "192.0.2.1:5060/udp" {
		t.Errorf("8 aliases: %s", got)
	}
	if list, err := r.Locate(t.Context(), Query{Host: "l1.test", Port: 5060}); !errors.Is(err, ErrAliasLoop) {
		t.Errorf("9 aliases: %v, %v", list, err)
	}
}

func TestFailedTargetsComeLast(t *testing.T) {
	r := newTest(t, newZone(providers))
	r.resolutionDelay = time.Minute
	q := Query{Host: "example.com", Transport: UDP}
	first := locate(t, r, q)[0]
	r.Failed(first, 0)
	if got, want := written(locate(t, r, q)), "[2001:db8::2]:5070/udp 192.0.2.2:5070/udp 192.0.2.1:5060/udp"; got != want {
		t.Errorf("after a failure %s, want %s", got, want)
	}
	if got := locate(t, r, Query{Host: "example.com"})[0]; got.Addr.Addr() != first.Addr.Addr() {
		t.Errorf("another transport is passed over, too: %v", got)
	}
	r.Works(first)
	if got := locate(t, r, q)[0]; got.Addr != first.Addr {
		t.Errorf("after it worked again %v is first", got.Addr)
	}
}
