package rtpio

import (
	"net/netip"
	"time"
)

// relatchAfter is the silence of the source after which another port or
// address that was announced may take over.
const relatchAfter = 5 * time.Second

// rank says how well a source fits what the side has said about itself.
type rank uint8

const (
	rankNone    rank = iota // an address that nothing announced, or none at all
	rankAddress             // the described address or, behind NAT, that of the signalling, but another port
	rankExact               // the described port, too
)

func (r rank) String() string {
	switch r {
	case rankAddress:
		return "announced address, other port"
	case rankExact:
		return "announced address and port"
	}
	return "none"
}

// latch decides which one source of packets belongs to a side of a call, and
// where to send. It is a state machine without clock or lock: the first packet
// of an announced address takes it, and from then on it is locked, so that
// nobody else can speak into the call or draw its audio away (RTP bleed). It
// changes its mind only for a source that fits strictly better, or for another
// announced one after the source has been silent. An address that nothing
// announced never latches, however long the side is silent: a muted phone is
// no reason to hand its call to whoever finds the port.
type latch struct {
	want       netip.AddrPort // as described; not valid before Expect
	signalling netip.Addr     // where the side's signalling comes from
	nat        bool
	described  bool           // with nat: want is right until the source is found
	muted      bool           // held by a null address: nothing may be sent
	via        netip.AddrPort // for RTCP: the source that the RTP latch has found

	source netip.AddrPort
	rank   rank
	heard  time.Time // last packet of source

	late []late // who sent for the port's last call until this one; shared by the latches of a port
}

// expect sets what the side has said about itself. Changed addresses unlock.
// A null address (hold) changes nothing but that nothing is sent any more.
func (l *latch) expect(want netip.AddrPort, signalling netip.Addr, nat bool) {
	l.muted = want.Addr().IsValid() && want.Addr().IsUnspecified()
	if l.muted && l.want.IsValid() {
		return
	}
	if l.want == want && l.signalling == signalling && l.nat == nat {
		return
	}
	*l = latch{want: want, signalling: signalling, nat: nat, muted: l.muted, via: l.via, late: l.late}
}

// rankOf says how well src fits.
func (l *latch) rankOf(src netip.AddrPort) rank {
	addr := src.Addr().WithZone("")
	switch {
	case !l.want.IsValid():
		return rankNone
	case addr == l.want.Addr() && src.Port() == l.want.Port():
		return rankExact
	case l.nat && addr == l.signalling.WithZone("") && src.Port() == l.want.Port():
		return rankExact
	case addr == l.want.Addr(), l.nat && addr == l.signalling.WithZone(""):
		return rankAddress
	case l.via.IsValid() && src.Addr() == l.via.Addr():
		return rankAddress
	}
	return rankNone
}

// accept reports whether a packet from src is the side's, and latches when it
// is the first that fits. known says whether the payload type is one that was
// agreed on; only such a packet may latch.
func (l *latch) accept(src netip.AddrPort, known bool, now time.Time) bool {
	if !l.fits(src, known, now) {
		return false
	}
	if l.rank == rankNone || src != l.source {
		l.source, l.rank = src, l.rankOf(src)
	}
	l.heard = now
	return true
}

// fits reports whether accept would take a packet from src now.
func (l *latch) fits(src netip.AddrPort, known bool, now time.Time) bool {
	if l.rank != rankNone && src == l.source {
		return true
	}
	r := l.rankOf(src)
	switch {
	case r == rankNone:
		return false
	case r != rankExact && l.isLate(src, now):
		return false
	}
	return known && (r > l.rank || now.Sub(l.heard) >= relatchAfter)
}

// isLate reports whether src still sends for the port's last call. Behind one
// NAT address nothing but its port tells an old call's phone from the new
// one's. It is taken for gone when it has been silent for as long as a port
// rests: the same phone may well call again from the same port.
func (l *latch) isLate(src netip.AddrPort, now time.Time) bool {
	for i := range l.late {
		s := &l.late[i]
		if s.src != src {
			continue
		}
		if now.Sub(s.heard) >= quarantine {
			s.src = netip.AddrPort{}
			return false
		}
		s.heard = now
		return true
	}
	return false
}

// follow tells the latch of RTCP which source the RTP latch has found. A
// source of RTCP at another address is given up for it.
func (l *latch) follow(source netip.AddrPort) {
	if l.rank != rankNone && l.source.Addr() != source.Addr() {
		l.source, l.rank = netip.AddrPort{}, rankNone
	}
	l.via = source
}

// target returns where to send; not valid when that is not known or nothing
// may be sent. Before a source is latched it is the described address, or
// behind NAT the described port at the address that the signalling comes
// from, unless both addresses are public, or it is said that the side knows its own.
func (l *latch) target() netip.AddrPort {
	switch {
	case l.muted || !l.want.IsValid() || l.want.Port() == 0 && l.rank == rankNone:
		return netip.AddrPort{}
	case l.rank == rankNone && l.via.IsValid():
		return netip.AddrPortFrom(l.via.Addr(), l.want.Port())
	case l.rank == rankNone && l.nat && !l.described && l.signalling.IsValid() && !(isPublic(l.want.Addr()) && isPublic(l.signalling)):
		return netip.AddrPortFrom(l.signalling, l.want.Port())
	case l.rank == rankNone:
		return l.want
	case !l.nat && l.source.Addr().WithZone("") == l.want.Addr() && l.want.Port() != 0:
		// Without NAT the description is right even when the side sends from
		// another port than it listens at (RFC 3264 section 5.1).
		return netip.AddrPortFrom(l.source.Addr(), l.want.Port())
	}
	return l.source
}

// isPublic reports whether a can be reached from other networks.
func isPublic(a netip.Addr) bool {
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64}), 10) // providers' address translation (RFC 6598)
	return a.IsGlobalUnicast() && !a.IsPrivate() && !shared.Contains(a)
}
