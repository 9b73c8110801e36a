package sipedge

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transport"
)

// sourceAddr knows from which of our addresses a peer is reached.
type sourceAddr struct {
	mu    sync.Mutex
	known map[netip.Addr]netip.Addr
}

// maxKnown bounds the memory of peers; beyond it all are asked for anew, which
// also follows a change of our address.
const maxKnown = 1024

func newSourceAddr() *sourceAddr { return &sourceAddr{known: map[netip.Addr]netip.Addr{}} }

// towards asks the kernel's routing table by connecting a UDP socket, which
// sends nothing.
func (s *sourceAddr) towards(peer netip.Addr) (netip.Addr, error) {
	s.mu.Lock()
	a, ok := s.known[peer]
	s.mu.Unlock()
	if ok {
		return a, nil
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(peer, 9)))
	if err != nil {
		return netip.Addr{}, err
	}
	defer c.Close()
	a = c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().WithZone("")
	s.mu.Lock()
	if len(s.known) >= maxKnown {
		clear(s.known)
	}
	s.known[peer] = a
	s.mu.Unlock()
	return a, nil
}

func (s *sourceAddr) forget() {
	s.mu.Lock()
	clear(s.known)
	s.mu.Unlock()
}

// Towards returns our address towards a peer; not valid when there is none.
func (e *Edge) Towards(peer netip.Addr) netip.Addr {
	a, err := e.local.towards(peer)
	if err != nil {
		return netip.Addr{}
	}
	return a
}

// self returns our address and SIP port as the peer of f must use them: the
// external address for peers outside the local networks, otherwise the
// interface that leads to the peer. reachedAt is the address by which the
// peer itself reaches us, where it has said so: whoever forwards the external
// address may forward another port than ours.
func (e *Edge) self(cfg *pbx.Config, f transport.Flow, reachedAt netip.AddrPort) netip.AddrPort {
	port := f.Local.Port()
	if u, err := e.transport.UDP(f.Remote); err == nil && f.Network == "tcp" {
		port = u.Local.Port() // a connection that we dialled has a port of its own
	}
	peer := f.Remote.Addr()
	if ext, err := netip.ParseAddr(cfg.SIP.ExternalAddress); err == nil && !cfg.SIP.IsLocal(peer) {
		if reachedAt.Addr() == ext.Unmap() {
			return reachedAt
		}
		return netip.AddrPortFrom(ext.Unmap(), port)
	}
	return netip.AddrPortFrom(e.own(f), port)
}

// own returns the address of an interface of this machine from which the peer
// of f is reached; unspecified when there is none.
func (e *Edge) own(f transport.Flow) netip.Addr {
	if a := f.Local.Addr(); a.IsValid() && !a.IsUnspecified() {
		return a
	}
	a, err := e.local.towards(f.Remote.Addr())
	if err != nil {
		e.deps.Log.Warn("no route to SIP peer", "peer", f.Remote.Addr(), "err", err)
		return netip.IPv4Unspecified()
	}
	return a
}

// AddressChanged drops what was learnt about our own addresses.
func (e *Edge) AddressChanged() { e.local.forget() }

// hostAddr returns the address of a SIP host part when it is a literal.
func hostAddr(host string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return a.Unmap().WithZone(""), err == nil
}

// behindNAT reports whether a peer that calls itself host is seen at another
// address, so that what it says of its addresses cannot be used.
func behindNAT(host string, seen netip.Addr) bool {
	a, ok := hostAddr(host)
	return !ok || a != seen
}

// uriAddr returns the address and port of a SIP URI whose host is a literal.
func uriAddr(u *sip.Uri) (netip.AddrPort, bool) {
	a, ok := hostAddr(u.Host)
	if !ok {
		return netip.AddrPort{}, false
	}
	port := u.Port
	if port == 0 { // RFC 3261 section 19.1.2
		port = 5060
		if t, _ := u.UriParams.Get("transport"); u.Scheme == "sips" || strings.EqualFold(t, "tls") {
			port = 5061
		}
	}
	if port < 1 || port > 65535 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(a, uint16(port)), true
}

// reachedAt returns the address by which the sender of a request reaches us;
// not valid when it uses a name.
func reachedAt(req *sip.Request) netip.AddrPort {
	a, _ := uriAddr(&req.Recipient)
	return a
}

// flowTo returns the flow for requests to target from a peer that was last
// seen at seen: the address that the URI names, or, where it is a name or
// behind address translation, the one that was seen.
// An outbound peer is reached only by the flow (RFC 5626 section 5.3).
func (e *Edge) flowTo(target *sip.Uri, seen transport.Flow, outbound bool) (transport.Flow, error) {
	if outbound && seen.Network == "udp" {
		return e.transport.UDP(seen.Remote)
	}
	addr, ok := uriAddr(target)
	if !ok || addr.Addr() != seen.Remote.Addr() {
		addr = seen.Remote
	}
	switch {
	case seen.Network != "udp" && seen.Alive():
		return seen, nil
	case seen.Network == "tls", outbound: // nobody dials a phone that has no certificate of its own
		return transport.Flow{}, fmt.Errorf("%s: %w", seen, transport.ErrClosed)
	case seen.Network == "tcp":
		return e.transport.TCP(addr)
	}
	if t, _ := target.UriParams.Get("transport"); strings.EqualFold(t, "tcp") {
		return e.transport.TCP(addr)
	}
	return e.transport.UDP(addr)
}
