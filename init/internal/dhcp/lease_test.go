package dhcp

import (
	"encoding/json"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

func goodLease() Lease {
	return Lease{
		Address: netip.MustParsePrefix("192.0.2.20/24"), Gateway: netip.MustParseAddr("192.0.2.1"),
		DNS: []netip.Addr{netip.MustParseAddr("192.0.2.1")}, Server: netip.MustParseAddr("192.0.2.1"),
		Seconds: 3600, Renew: 1800, Rebind: 3150,
	}
}

func TestValidate(t *testing.T) {
	addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
	if err := goodLease().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Lease){
		"off-link gateway": func(l *Lease) { l.Gateway = addr("198.51.100.1") },
		"no gateway":       func(l *Lease) { l.Gateway = netip.Addr{} },
		"no name server":   func(l *Lease) { l.DNS = nil },
		"infinite":         func(l *Lease) { l.Seconds, l.Renew, l.Rebind = Infinite, 1<<31, 1<<31+1 },
	} {
		l := goodLease()
		change(&l)
		if err := l.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Lease){
		"no address":           func(l *Lease) { l.Address = netip.Prefix{} },
		"IPv6":                 func(l *Lease) { l.Address = prefix("2001:db8::5/24") },
		"prefix 7":             func(l *Lease) { l.Address = prefix("192.0.2.20/7") },
		"prefix 31":            func(l *Lease) { l.Address = prefix("192.0.2.20/31") },
		"network's own":        func(l *Lease) { l.Address = prefix("192.0.2.0/24") },
		"broadcast":            func(l *Lease) { l.Address = prefix("192.0.2.255/24") },
		"loopback":             func(l *Lease) { l.Address = prefix("127.0.0.5/8") },
		"multicast":            func(l *Lease) { l.Address = prefix("224.0.0.5/24") },
		"reserved":             func(l *Lease) { l.Address = prefix("240.0.0.5/24") },
		"this network":         func(l *Lease) { l.Address = prefix("0.1.2.3/8") },
		"gateway is itself":    func(l *Lease) { l.Gateway = l.Address.Addr() },
		"gateway is broadcast": func(l *Lease) { l.Gateway = addr("192.0.2.255") },
		"gateway is loopback":  func(l *Lease) { l.Gateway = addr("127.0.0.1") },
		"gateway is IPv6":      func(l *Lease) { l.Gateway = addr("fe80::1") },
		"name server":          func(l *Lease) { l.DNS[0] = addr("0.0.0.0") },
		"four name servers":    func(l *Lease) { l.DNS = make([]netip.Addr, 4) },
		"too short":            func(l *Lease) { l.Seconds = 29 },
		"times":                func(l *Lease) { l.Renew = l.Rebind },
		"no renewal":           func(l *Lease) { l.Renew = 0 },
	} {
		l := goodLease()
		change(&l)
		if err := l.Validate(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func ack(mods ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	m, err := dhcpv4.New(append([]dhcpv4.Modifier{
		dhcpv4.WithYourIP(net.IPv4(192, 0, 2, 20)),
		dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithServerIP(net.IPv4(192, 0, 2, 1)),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.IPv4(192, 0, 2, 1))),
		dhcpv4.WithLeaseTime(3600),
	}, mods...)...)
	if err != nil {
		panic(err) // no entropy: no test can go on
	}
	m.OpCode = dhcpv4.OpcodeBootReply
	return m
}

func TestLeaseOfAnAcknowledgement(t *testing.T) {
	l, err := leaseOf(ack(
		dhcpv4.WithRouter(net.IPv4(192, 0, 2, 20), net.IPv4zero, net.IPv4(192, 0, 2, 1)), // itself, none, a good one
		dhcpv4.WithDNS(net.IPv4bcast, net.IPv4(1, 1, 1, 1), net.IPv4(2, 2, 2, 2), net.IPv4(3, 3, 3, 3), net.IPv4(4, 4, 4, 4)),
	))
	if err != nil {
		t.Fatal(err)
	}
	if l.Address.String() != "192.0.2.20/24" || l.Gateway.String() != "192.0.2.1" || len(l.DNS) != 3 || l.DNS[0].String() != "1.1.1.1" {
		t.Errorf("got %+v", l)
	}
	if l.Seconds != 3600 || l.Renew != 1800 || l.Rebind != 3150 {
		t.Errorf("times: got %d, %d, %d, want 1800, 3150, 3600", l.Renew, l.Rebind, l.Seconds)
	}
	for name, m := range map[string]dhcpv4.Modifier{
		"mask with holes": dhcpv4.WithNetmask(net.IPv4Mask(255, 0, 255, 0)),
		"no lease time":   dhcpv4.WithLeaseTime(0),
		"no address":      dhcpv4.WithYourIP(net.IPv4zero),
		"mask /32":        dhcpv4.WithNetmask(net.CIDRMask(32, 32)),
	} {
		if l, err := leaseOf(ack(m)); err == nil {
			t.Errorf("%s: got %+v, want an error", name, l)
		}
	}
}

func TestAGatewayThatMakesNoSenseIsLeftOut(t *testing.T) {
	network, broadcast, good := net.IPv4(192, 0, 2, 0), net.IPv4(192, 0, 2, 255), net.IPv4(192, 0, 2, 1)
	for _, tt := range []struct {
		name    string
		routers []net.IP
		want    string
	}{
		{"the network's own", []net.IP{network}, "invalid IP"},
		{"broadcast", []net.IP{broadcast}, "invalid IP"},
		{"both before a good one", []net.IP{network, broadcast, good}, "192.0.2.1"},
		{"the end of another network", []net.IP{net.IPv4(198, 51, 100, 255)}, "198.51.100.255"},
	} {
		l, err := leaseOf(ack(dhcpv4.WithRouter(tt.routers...)))
		if err != nil || l.Gateway.String() != tt.want || l.Address.String() != "192.0.2.20/24" {
			t.Errorf("%s: got %+v and %v, want the gateway %s", tt.name, l, err, tt.want)
		}
	}
}

func TestTimesOfTheServer(t *testing.T) {
	for _, tt := range []struct{ lease, t1, t2, renew, rebind uint32 }{
		{3600, 0, 0, 1800, 3150},
		{3600, 10, 20, 10, 20},
		{3600, 20, 10, 1800, 3150},
		{3600, 10, 3600, 1800, 3150},
		{Infinite, 0, 0, Infinite / 2, 3758096383},
	} {
		if r, b := times(tt.lease, tt.t1, tt.t2); r != tt.renew || b != tt.rebind {
			t.Errorf("times(%d, %d, %d): got %d, %d, want %d, %d", tt.lease, tt.t1, tt.t2, r, b, tt.renew, tt.rebind)
		}
	}
}

func TestEventsPassThroughJSON(t *testing.T) {
	l := goodLease()
	for _, e := range []Event{{Kind: Bound, Lease: &l}, {Kind: Lost, Why: "gone"}, {Kind: NoTime}} {
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseEvent(b)
		if err != nil || got.Kind != e.Kind || got.Why != e.Why || (got.Lease == nil) != (e.Lease == nil) {
			t.Errorf("%s: got %+v and %v", b, got, err)
		}
	}
	for _, line := range []string{
		"", "{}", `{"kind":"bound"}`, `{"kind":"lost","lease":{}}`, `{"kind":"boom"}`, `{"kind":"lost"}{}`, `{"kind":"lost","x":1}`,
		`{"kind":"lost","why":"` + strings.Repeat("a", maxWhy+1) + `"}`, strings.Repeat(" ", maxLine+1),
		`{"kind":"bound","lease":{"address":"192.0.2.20/33","seconds":60,"renew":1,"rebind":2}}`,
	} {
		if e, err := ParseEvent([]byte(line)); err == nil {
			t.Errorf("%q: got %+v, want an error", line, e)
		}
	}
}

func FuzzParseEvent(f *testing.F) {
	l := goodLease()
	b, err := json.Marshal(Event{Kind: Bound, Lease: &l})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"kind":"lost","why":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEvent(b)
		if err == nil && e.Kind == Bound && e.Lease.Validate() != nil {
			t.Errorf("accepted %s", b)
		}
	})
}

func FuzzPacket(f *testing.F) {
	b, err := datagram(netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.20"), ack().ToBytes())
	if err != nil {
		f.Fatal(err)
	}
	b[23] = clientPort // datagram makes messages to a server
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		payload, err := payloadOf(b)
		if err != nil {
			return
		}
		m, err := dhcpv4.FromBytes(payload)
		if err != nil {
			return
		}
		if l, err := leaseOf(m); err == nil && l.Validate() != nil {
			t.Errorf("lease %+v", l)
		}
	})
}

func TestDatagram(t *testing.T) {
	b, err := datagram(netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("255.255.255.255"), []byte("odd"))
	if err != nil {
		t.Fatal(err)
	}
	if checksum(0, b[:ipHeader]) != 0 {
		t.Error("checksum of the IP header is wrong")
	}
	pseudo := 17 + uint32(len(b)-ipHeader) + sum16(b[12:20])
	if checksum(pseudo, b[ipHeader:]) != 0 {
		t.Error("checksum of the UDP datagram is wrong")
	}
	if _, err := payloadOf(b); err == nil {
		t.Error("a message to a server is taken for one to a client")
	}
	b[ipHeader+3] = clientPort
	if p, err := payloadOf(b); err != nil || string(p) != "odd" {
		t.Errorf("payload: got %q and %v", p, err)
	}
	for n := range b {
		if p, err := payloadOf(b[:n]); err == nil {
			t.Errorf("cut to %d bytes: got %q", n, p)
		}
	}
	if _, err := datagram(netip.IPv4Unspecified(), netip.IPv4Unspecified(), make([]byte, 1500)); err == nil {
		t.Error("1500 bytes in a frame: got no error")
	}
}

func TestSecondsOfALongLease(t *testing.T) {
	if got := seconds(Infinite * time.Second); got != Infinite {
		t.Errorf("got %d, want %d", got, uint32(Infinite))
	}
}
