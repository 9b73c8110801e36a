package sipedge

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/media"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/media/rtpio"
	"galilei/pbxd/media/sdp"
)

// mediaAddrLocked is where the far end must send its audio.
func (l *leg) mediaAddrLocked() netip.AddrPort {
	if l.direct.IsValid() {
		return l.direct
	}
	if l.line != nil {
		return netip.AddrPortFrom(l.line.hears(l.flow), l.port.RTPPort())
	}
	return netip.AddrPortFrom(l.selfOver(l.flow).Addr(), l.port.RTPPort())
}

// describeLocked writes our next session description. An unchanged one keeps
// its version (RFC 3264 section 8).
func (l *leg) describeLocked(write func(o sdp.Origin) []byte) []byte {
	if l.sent != nil {
		if body := write(l.sentAs); slices.Equal(body, l.sent) {
			return body
		}
		l.origin = l.origin.Next()
	}
	body := write(l.origin)
	l.sent, l.sentAs = body, l.origin
	if d, err := sdp.ParseSecure(body); err == nil {
		l.sentFmts = d.Formats
	}
	return body
}

// expectLocked takes their description as the one that counts, with the
// encryption that is agreed.
func (l *leg) expectLocked(d *media.Description) {
	l.theirs = d
	if d.Usable() != nil {
		return
	}
	seen := l.flow.Remote.Addr()
	// Audio may come from where the signalling does, whatever the description says:
	// phones with several addresses name the one that they take for theirs.
	symmetric := l.nat || d.Addr.Unmap() != seen.Unmap()
	if l.line != nil {
		symmetric = l.line.comedia()
	}
	x := rtpio.Expecting(d, &media.Description{Formats: l.sentFmts}, seen, symmetric)
	guess := l.nat && symmetric && !routable(d.Addr)
	if l.line != nil { // a provider's media server has an address of its own
		x.Described = routable(d.Addr) || !routable(seen)
		guess = guess && !x.Described
	}
	if guess { // the best guess until their first packet tells
		x.RTP = netip.AddrPortFrom(seen, d.RTPPort)
		x.RTCP = netip.AddrPortFrom(seen, d.RTCPPort)
	}
	x.Secure = l.secrecy.theirs.Suite != ""
	l.port.Expect(x)
	both := media.Common(l.sentFmts, d.Formats)                                                                      // what was agreed, once it is
	c := engine.Config{Receive: slices.Concat(l.sentFmts, both), Send: both, Direction: d.Direction, PTime: d.PTime} // some phones send with their own payload types rather than with ours
	if both == nil {
		c.Send = d.Formats
	}
	if d.MaxPTime > 0 {
		c.PTime = min(cmp.Or(d.PTime, 20), d.MaxPTime)
	}
	if l.line.byINFO(l.servesLocked(sip.INFO)) {
		c.Info = l.pressed
	}
	l.audio.Configure(c)
}

// routable reports whether an address can be that of a peer who is seen at
// another one: a private address cannot.
func routable(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate()
}

func addBody(m sip.Message, body []byte) {
	ct := sip.ContentTypeHeader("application/sdp")
	m.AppendHeader(&ct)
	m.SetBody(body)
}

// ownOffer is what we offer when the caller left the offer to us: the codecs
// that every phone has.
func ownOffer() *media.Description {
	d := &media.Description{Direction: media.SendRecv, PTime: 20}
	for _, pt := range []uint8{8, 0, 9} {
		f, _ := media.StaticFormat(pt)
		d.Formats = append(d.Formats, f)
	}
	d.Formats = append(d.Formats, media.Format{PT: 101, Name: media.TelephoneEvent, Clock: 8000, Channels: 1, FMTP: "0-16"})
	return d
}
