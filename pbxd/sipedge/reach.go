package sipedge

import (
	"crypto/rand"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transport"
)

// way is how a registered phone is reached.
type way struct {
	target    sip.Uri
	routes    []sip.Uri
	seen      transport.Flow // that it registered over
	flow      transport.Flow // for requests to it
	reachedAt netip.AddrPort // not valid of a phone that registered by a name
}

// reach returns how the phone of a registration is reached.
func (e *Edge) reach(reg pbx.Registration) (w way, err error) {
	if err := sip.ParseUri(reg.Contact, &w.target); err != nil {
		return way{}, err
	}
	w.target.Scheme = "sip" // the equivalent of a SIPS contact, for a call that is no SIPS call (RFC 5630 section 3.3)
	if w.seen, err = e.seen(reg); err != nil {
		return way{}, err
	}
	for _, p := range reg.Path {
		var u sip.Uri
		if err := sip.ParseUri(strings.Trim(strings.TrimSpace(p), "<>"), &u); err == nil {
			w.routes = append(w.routes, u)
		}
	}
	hop := &w.target
	if len(w.routes) > 0 {
		hop = &w.routes[0]
	}
	if w.flow, err = e.flowTo(hop, w.seen, reg.Outbound); err != nil {
		return way{}, err
	}
	w.reachedAt, _ = netip.ParseAddrPort(reg.ReachedAt)
	return w, nil
}

// towards prepares requests outside of any call to a registered phone. The
// dialog has one owner and needs no lock.
func (e *Edge) towards(reg pbx.Registration, from call.Party) (*dialog, error) {
	w, err := e.reach(reg)
	if err != nil {
		return nil, err
	}
	d := &dialog{
		edge: e, log: e.deps.Log, id: dialogID{strings.ToLower(rand.Text()), newTag()}, target: w.target, routes: w.routes,
		flow: w.flow, seenAt: time.Now(), reachedAt: w.reachedAt, outbound: reg.Outbound,
		phone: phoneID{extension: reg.Extension, contact: reg.Contact, instance: reg.Instance},
	}
	host := d.selfOver(d.flow).Addr().String()
	d.localParty = sip.FromHeader{DisplayName: quoted(from.Name), Address: sip.Uri{Scheme: "sip", User: from.Number, Host: host}}
	d.peerParty = sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: reg.Extension, Host: host}}
	return d, nil
}
