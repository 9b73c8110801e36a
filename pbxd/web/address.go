package web

import (
	"context"
	"net/netip"
)

type addrKey struct{}

// parseAddr returns the address of "address:port", without zone and with IPv4
// as IPv4. What cannot be read is the zero address, which is not local.
func parseAddr(hostport string) netip.Addr {
	ap, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

// addrOf returns the address of the client whose request ctx belongs to.
func addrOf(ctx context.Context) netip.Addr {
	a, _ := ctx.Value(addrKey{}).(netip.Addr)
	return a
}

// isLocal reports whether a belongs to the local network: loopback, private
// (RFC 1918, RFC 4193) or link-local.
func isLocal(a netip.Addr) bool {
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast()
}

// failureKey is the address that failures are counted under. One machine can
// take as many IPv6 addresses of its /64 as it likes, and any link-local one,
// which all count as fe80::.
func failureKey(a netip.Addr) netip.Addr {
	switch {
	case !a.Is6() || a.IsLoopback():
		return a
	case a.IsLinkLocalUnicast():
		return netip.AddrFrom16([16]byte{0xfe, 0x80})
	}
	if p, err := a.Prefix(64); err == nil {
		return p.Addr()
	}
	return a
}
