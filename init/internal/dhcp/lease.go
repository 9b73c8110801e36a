package dhcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// Lease is what a server granted.
type Lease struct {
	Address netip.Prefix `json:"address"` // IPv4 with prefix length
	Gateway netip.Addr   `json:"gateway"` // the zero Addr: none
	DNS     []netip.Addr `json:"dns"`     // at most 3, the best first
	Server  netip.Addr   `json:"server"`  // identifier of the server
	Seconds uint32       `json:"seconds"` // how long it holds; Infinite: for good
	Renew   uint32       `json:"renew"`   // T1 in seconds after the grant
	Rebind  uint32       `json:"rebind"`  // T2 in seconds after the grant
}

// Infinite is the time of a lease that never ends (RFC 2131 section 3.3).
const Infinite = 0xffffffff

// The kinds of an event.
const (
	Bound  = "bound"   // Lease holds
	Lost   = "lost"    // no lease holds any more
	NoTime = "noreply" // no server has answered for a while; trying goes on
)

// Event is one line from the role to process 1.
type Event struct {
	Kind  string `json:"kind"`
	Lease *Lease `json:"lease,omitempty"` // with Bound only
	Why   string `json:"why,omitempty"`   // in words, for the console
}

// Limits of what is believed.
const (
	maxDNS    = 3
	minPrefix = 8
	maxPrefix = 30
	minLease  = 30   // seconds; less would only keep the network busy
	maxLine   = 2048 // bytes of an event
	maxWhy    = 200  // bytes
)

// ParseEvent reads one line and checks all of it, the lease included.
func ParseEvent(line []byte) (Event, error) {
	if len(line) > maxLine {
		return Event{}, fmt.Errorf("DHCP event of %d bytes, at most %d are allowed", len(line), maxLine)
	}
	var e Event
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return Event{}, fmt.Errorf("decode DHCP event: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Event{}, errors.New("decode DHCP event: something follows it")
	}
	if len(e.Why) > maxWhy {
		return Event{}, fmt.Errorf("DHCP event: reason of %d bytes, at most %d are allowed", len(e.Why), maxWhy)
	}
	if strings.ContainsFunc(e.Why, func(r rune) bool { return r < ' ' || r > '~' }) {
		return Event{}, errors.New("DHCP event: reason is not plain text")
	}
	switch {
	case e.Kind == Bound && e.Lease != nil:
		if err := e.Lease.Validate(); err != nil {
			return Event{}, err
		}
	case (e.Kind == Lost || e.Kind == NoTime) && e.Lease == nil:
	default:
		return Event{}, fmt.Errorf("DHCP event of kind %q with lease %t", e.Kind, e.Lease != nil)
	}
	return e, nil
}

// Validate checks that the lease can be applied: a unicast address of a
// network of 8 to 30 bits that is neither the network's own nor its broadcast
// address, a gateway other than the device that is a unicast address, at most
// three name servers, and times in order.
func (l Lease) Validate() error {
	a, bits := l.Address.Addr(), l.Address.Bits()
	switch {
	case !l.Address.IsValid() || !a.Is4():
		return fmt.Errorf("lease: %q is no IPv4 address with prefix length", l.Address)
	case bits < minPrefix || bits > maxPrefix:
		return fmt.Errorf("lease: prefix length %d, allowed are %d to %d", bits, minPrefix, maxPrefix)
	case !isHost(a):
		return fmt.Errorf("lease: %s is no address for a device", a)
	case a == l.Address.Masked().Addr() || a == broadcast(l.Address):
		return fmt.Errorf("lease: %s is the network's own or its broadcast address", l.Address)
	case l.Gateway.IsValid() && (!isHost(l.Gateway) || l.Gateway == a):
		return fmt.Errorf("lease: %s is no gateway for %s", l.Gateway, l.Address)
	case l.Gateway.IsValid() && l.Address.Contains(l.Gateway) && (l.Gateway == l.Address.Masked().Addr() || l.Gateway == broadcast(l.Address)):
		return fmt.Errorf("lease: gateway %s is the network's own or its broadcast address", l.Gateway)
	case l.Server.IsValid() && !isHost(l.Server):
		return fmt.Errorf("lease: %s is no server", l.Server)
	case len(l.DNS) > maxDNS:
		return fmt.Errorf("lease: %d name servers, at most %d are allowed", len(l.DNS), maxDNS)
	case l.Seconds < minLease:
		return fmt.Errorf("lease: holds for %d s, at least %d s are needed", l.Seconds, minLease)
	case l.Renew == 0 || l.Renew >= l.Rebind || l.Rebind >= l.Seconds:
		return fmt.Errorf("lease: times %d, %d and %d s are not in order", l.Renew, l.Rebind, l.Seconds)
	}
	for _, d := range l.DNS {
		if !isHost(d) {
			return fmt.Errorf("lease: %s is no name server", d)
		}
	}
	return nil
}

// isHost reports whether a can be the IPv4 address of a machine on the network.
func isHost(a netip.Addr) bool {
	return a.Is4() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() &&
		a.As4()[0] != 0 && a.As4()[0] < 240 // 240.0.0.0/4 is reserved, broadcast included (RFC 1112)
}

func broadcast(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b)
}

// leaseOf takes the lease from an acknowledgement. Name servers and a gateway
// that make no sense are left out; an address that makes none is an error.
func leaseOf(ack *dhcpv4.DHCPv4) (Lease, error) {
	addr, ok := netip.AddrFromSlice(ack.YourIPAddr.To4())
	if !ok {
		return Lease{}, errors.New("lease: no address")
	}
	mask := ack.SubnetMask()
	if len(mask) != 4 {
		return Lease{}, fmt.Errorf("lease: subnet mask of %d bytes", len(mask))
	}
	ones, bits := mask.Size()
	if bits == 0 {
		return Lease{}, fmt.Errorf("lease: subnet mask %s has holes", mask)
	}
	l := Lease{Address: netip.PrefixFrom(addr, ones)}
	l.Server, _ = netip.AddrFromSlice(ack.ServerIdentifier().To4())
	for _, r := range ack.Router() {
		if g, ok := netip.AddrFromSlice(r.To4()); ok && isHost(g) && g != addr && (!l.Address.Contains(g) || g != l.Address.Masked().Addr() && g != broadcast(l.Address)) {
			l.Gateway = g
			break
		}
	}
	for _, s := range ack.DNS() {
		if d, ok := netip.AddrFromSlice(s.To4()); ok && isHost(d) && len(l.DNS) < maxDNS {
			l.DNS = append(l.DNS, d)
		}
	}
	l.Seconds = seconds(ack.IPAddressLeaseTime(0))
	l.Renew, l.Rebind = times(l.Seconds, seconds(ack.IPAddressRenewalTime(0)), seconds(ack.IPAddressRebindingTime(0)))
	return l, l.Validate()
}

func seconds(d time.Duration) uint32 {
	return uint32(min(d/time.Second, Infinite))
}

// times returns T1 and T2: the server's when they are in order, else a half
// and seven eighths of the lease (RFC 2131 section 4.4.5).
func times(lease, t1, t2 uint32) (renew, rebind uint32) {
	if t1 > 0 && t1 < t2 && t2 < lease {
		return t1, t2
	}
	return lease / 2, uint32(uint64(lease) * 7 / 8)
}
