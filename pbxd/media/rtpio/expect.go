package rtpio

import (
	"net/netip"
	"slices"

	"galilei/pbxd/media"
)

// Expectation is what is known about a side before it sends. Audio is taken
// from the addresses that it announces and from no other: that of RTP and, with
// NAT, also that of Signalling, at any port.
type Expectation struct {
	RTP        netip.AddrPort // where the side wants RTP; a null address (hold) stops sending
	RTCP       netip.AddrPort // where it wants RTCP; not valid means the port after RTP
	Signalling netip.Addr     // where its signalling comes from
	NAT        bool           // its description is not to be relied on: it sits behind address translation, or has several addresses

	// Described says that until the side's source is found, audio goes where its
	// description says even so: whoever waits for the first packet may be its
	// media server, at another address than its signalling.
	Described bool

	// Secure says that the packets are SRTP and SRTCP: what is encrypted is not
	// looked at, and a packet counts, and finds the source, only when the peer,
	// a media.Authenticator, has taken it.
	Secure bool

	PayloadTypes []uint8        // what it may send
	Formats      []media.Format // the same with clock rates, for the jitter; adds to PayloadTypes
}

// Expecting returns the expectation for the side that described itself as
// remote, when it is given local as the description of the other side. It may
// send what either of them lists: its payload types are those of local, but
// many phones use their own. local may be nil.
func Expecting(remote, local *media.Description, signalling netip.Addr, nat bool) Expectation {
	e := Expectation{RTP: remote.RTP(), RTCP: remote.RTCP(), Signalling: signalling, NAT: nat, Formats: slices.Clone(remote.Formats)}
	if local != nil {
		e.Formats = append(e.Formats, local.Formats...)
	}
	return e
}

// Expect says what is known about the side. Packets are sent where it says
// until the side's own source is found. Later calls change it: an address
// that differs from before unlocks the source.
func (p *Port) Expect(e Expectation) {
	e.RTP, e.RTCP = unmap(e.RTP), unmap(e.RTCP)
	e.Signalling = e.Signalling.Unmap()
	if !e.RTCP.IsValid() && e.RTP.IsValid() {
		e.RTCP = netip.AddrPortFrom(e.RTP.Addr(), e.RTP.Port()+1)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clocks = [128]clock{}
	p.clocks[13].expected = true // comfort noise, offered or not (RFC 3389)
	for _, pt := range e.PayloadTypes {
		p.expectType(pt)
	}
	for _, f := range e.Formats {
		p.expectType(f.PT)
		if f.Speech() && f.PT < 128 {
			p.clocks[f.PT].rate = f.Clock
		}
	}
	p.warned, p.secure = false, e.Secure
	p.voice.expect(e.RTP, e.Signalling, e.NAT)
	p.control.via = netip.AddrPort{}
	if p.voice.rank != rankNone {
		p.control.via = p.voice.source
	}
	p.control.expect(e.RTCP, e.Signalling, e.NAT)
	p.voice.described, p.control.described = e.Described, e.Described
	p.aim()
}

func (p *Port) expectType(pt uint8) {
	if pt > 127 {
		return
	}
	p.clocks[pt].expected = true
	if f, ok := media.StaticFormat(pt); ok && f.Speech() {
		p.clocks[pt].rate = f.Clock
	}
}

// aim publishes where to send. The caller holds mu.
func (p *Port) aim() {
	if p.closed {
		p.toRTP.Store(nil)
		p.toRTCP.Store(nil)
		return
	}
	store(&p.toRTP, p.voice.target())
	store(&p.toRTCP, p.control.target())
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
