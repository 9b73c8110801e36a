package rtpio

import (
	"net/netip"

	"galilei/pbxd/media"
)

// authenticator returns the peer that tells which packets are the side's, or
// nil when the side does not encrypt.
func (p *Port) authenticator() media.Authenticator {
	p.mu.Lock()
	secure := p.secure
	p.mu.Unlock()
	if !secure {
		return nil
	}
	if peer := p.peer.Load(); peer != nil {
		if a, ok := peer.Endpoint.(media.Authenticator); ok {
			return a
		}
	}
	return nil
}

// mayBeRTP reports whether an encrypted datagram can be the side's. Its header
// is kept for authenticated: one goroutine reads the port.
func (p *Port) mayBeRTP(b []byte, src netip.AddrPort) bool {
	now := p.owner.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.parse(b) {
		p.stats.Dropped.Invalid++
		return false
	}
	return p.fits(&p.voice, src, p.clocks[p.header.PayloadType].expected, now)
}

// mayBeRTCP is mayBeRTP for the RTCP port.
func (p *Port) mayBeRTCP(b []byte, src netip.AddrPort) bool {
	now := p.owner.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.validRTCP(b) && p.fits(&p.control, src, true, now)
}

// authenticated counts a datagram of n octets that has passed, and finds the
// source by it; a forged one is only counted. Whoever cannot encrypt thus
// neither takes the place of the side nor keeps it.
func (p *Port) authenticated(l *latch, src netip.AddrPort, n int, ok bool) {
	now := p.owner.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !ok:
		p.stats.Dropped.Forged++
	case !p.admit(l, src, true, now): // described anew meanwhile
	case l == &p.voice:
		p.countRTP(n, now)
	default:
		p.stats.RTCPIn++
	}
}
