package sipedge

import (
	"crypto/rand"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/sipedge/transport"
)

// dialog is what every dialog keeps, whatever it is for (RFC 3261 section 12).
// Its owner's lock guards it.
type dialog struct {
	edge *Edge
	line *line // that it is over; nil for one with a phone
	log  *slog.Logger
	id   dialogID

	remoteTag  string
	localParty sip.FromHeader // us, as From of our requests
	peerParty  sip.ToHeader   // them, as To of our requests
	target     sip.Uri        // remote target (RFC 3261 section 12.1)
	routes     []sip.Uri      // route set, first hop first
	cseq       uint32         // of our last request
	remoteCSeq uint32         // of their last request
	flow       transport.Flow // where they were last seen
	seenAt     time.Time      // when, by the monotonic clock
	phone      phoneID        // which registration is theirs
	unknown    netip.Addr     // of a phone that has not shown whose it is; not valid for others
	reachedAt  netip.AddrPort // how they address us, where that is known
	serves     []string       // methods that they say they serve, in lower case
	outbound   bool           // they are reached only by the flow (RFC 5626)
	tlsOnly    bool           // keys of audio are in its messages, which must not be read on the way
	sips       bool           // they began it by a SIPS URI, and find SIPS in our Contact (RFC 3261 section 12.1.1)
	proof      []sip.Header   // credentials of the INVITE of number proofSeq
	proofSeq   uint32
	asks       []netip.Addr // servers of the provider that the call has to do with, which may want credentials
	nat        bool         // they call themselves by an address at which they are not seen
}

func newTag() string { return strings.ToLower(rand.Text())[:16] }

// wayLocked returns the flow for our next request. A phone that has come back
// over another connection or port since it was last heard in this dialog is
// followed there.
func (d *dialog) wayLocked() (transport.Flow, error) {
	if d.line != nil {
		return d.line.way(d.nextHopLocked(), d.flow)
	}
	if reg, at, ok := d.edge.registrar.newer(d.phone, d.seenAt, !d.flow.Alive()); ok {
		if f, err := d.edge.seen(reg); err == nil && (f.Network == "tls" || !d.tlsOnly) {
			d.flow, d.seenAt = f, at
		}
	}
	return d.edge.flowTo(d.nextHopLocked(), d.flow, d.outbound)
}

// maxForwards is how many hops a request of ours may take (RFC 3261 section
// 8.1.1.6).
const maxForwards = 70

// requestLocked starts a request within the dialog (RFC 3261 section 12.2.1.1).
func (d *dialog) requestLocked(m sip.RequestMethod) *sip.Request {
	if m != sip.ACK {
		d.cseq++
	}
	return d.requestWithLocked(m, d.cseq)
}

func (d *dialog) requestWithLocked(m sip.RequestMethod, cseq uint32) *sip.Request {
	req := sip.NewRequest(m, *d.target.Clone())
	for i := range d.routes {
		req.AppendHeader(&sip.RouteHeader{Address: *d.routes[i].Clone()})
	}
	hops := sip.MaxForwardsHeader(maxForwards)
	req.AppendHeader(&hops)
	from := d.localParty
	from.Params = sip.HeaderParams{{K: "tag", V: d.id.localTag}}
	req.AppendHeader(&from)
	to := d.peerParty
	to.Params = nil
	if d.remoteTag != "" {
		to.Params = sip.HeaderParams{{K: "tag", V: d.remoteTag}}
	}
	req.AppendHeader(&to)
	callID := sip.CallIDHeader(d.id.callID)
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: cseq, MethodName: m})
	req.AppendHeader(sip.NewHeader("User-Agent", d.edge.deps.Product))
	return req
}

// nextHopLocked returns the URI whose host the next request goes to.
func (d *dialog) nextHopLocked() *sip.Uri {
	if len(d.routes) > 0 {
		return &d.routes[0]
	}
	return &d.target
}

// selfOver is our address as the far end must use it.
func (d *dialog) selfOver(f transport.Flow) netip.AddrPort {
	if d.line != nil {
		return d.line.self(f)
	}
	return d.edge.self(d.edge.deps.Config(), f, d.reachedAt)
}

// via puts our hop on top of a request, with a fresh branch.
func (d *dialog) via(req *sip.Request, f transport.Flow) {
	self := d.selfOver(f)
	req.PrependHeader(&sip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: strings.ToUpper(f.Network),
		Host: self.Addr().String(), Port: int(self.Port()),
		Params: append(sip.HeaderParams{{K: "branch", V: sip.RFC3261BranchMagicCookie + newTag()}}, d.line.rport()...),
	})
}

// contact returns our Contact for the dialog.
func (d *dialog) contact() *sip.ContactHeader {
	f := d.flow
	self := d.selfOver(f)
	u := sip.Uri{Scheme: "sip", User: d.localParty.Address.User, Host: self.Addr().String(), Port: int(self.Port())}
	switch {
	case d.sips:
		u.Scheme = "sips"
	case f.Network != "udp":
		u.UriParams = sip.HeaderParams{{K: "transport", V: f.Network}}
	}
	return &sip.ContactHeader{Address: u}
}

// tag writes our tag into a response of the dialog.
func (d *dialog) tag(res *sip.Response) {
	res.To().Params.Add("tag", d.id.localTag)
}

// takeTargetLocked reads Contact and Record-Route of the response that makes
// the dialog (RFC 3261 section 12.1.2).
func (d *dialog) takeTargetLocked(res *sip.Response) {
	if c := res.Contact(); contactServed(c, d.flow) {
		d.target = *c.Address.Clone()
	}
	d.routes = nil
	for _, h := range res.GetHeaders("record-route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			d.routes = append([]sip.Uri{*rr.Address.Clone()}, d.routes...)
		}
	}
}

// contactOf returns the first Contact of a message, or nil.
func contactOf(m sip.Message) *sip.ContactHeader {
	for _, h := range m.GetHeaders("contact") {
		if c, ok := h.(*sip.ContactHeader); ok {
			return c
		}
	}
	return nil
}
