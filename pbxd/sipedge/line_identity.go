package sipedge

import (
	"fmt"
	"slices"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
)

// lineIdentityLocked writes what an INVITE over a line says: the number that is
// called, who calls (F170, F172, F173; RFC 3325) and who the call was for before.
func (l *leg) lineIdentityLocked(d call.LineDial) {
	g, o := l.out.gateway, l.out.options
	domain := g.FromDomain
	if domain == "" {
		domain = g.Registrar
	}
	l.target = numberAt(&g, o, d.Number)
	l.peerParty = sip.ToHeader{Address: l.target}
	l.peerParty.Address.Port = 0
	l.routes = l.line.routeOut(&g)

	shown, name := d.Caller.Number, ""
	if o.Names {
		name = d.Caller.Name
	}
	diversions := d.Diversions[:min(len(d.Diversions), maxDiversions)]
	if first := len(diversions); o.CLIPNoScreen && first > 0 && d.Original.Number != "" {
		shown, name = d.Original.Number, d.Original.Name
	}
	if shown == "" {
		shown = g.User
	}
	at := func(number string) string {
		u := sip.Uri{Scheme: "sip", User: escapeUser(number), Host: bracketed(domain)}
		if o.UserPhone && isNumber(number) {
			u.UriParams = sip.HeaderParams{{K: "user", V: "phone"}}
		}
		return u.String()
	}
	from := sip.Uri{Scheme: "sip", User: escapeUser(shown), Host: bracketed(domain)}
	if o.UserPhone && isNumber(shown) {
		from.UriParams = sip.HeaderParams{{K: "user", V: "phone"}}
	}
	l.localParty = sip.FromHeader{DisplayName: quoted(name), Address: from}
	switch { // the provider may know its customer by the user alone
	case g.FromUser != "":
		l.localParty.Address.User = escapeUser(g.FromUser)
		if d.Hidden {
			l.localParty.DisplayName = "Anonymous"
		}
	case d.Hidden: // RFC 3323 section 4.1.1.3
		l.localParty = sip.FromHeader{DisplayName: "Anonymous", Address: sip.Uri{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}}
	}

	l.fields = nil
	add := func(field, format string, args ...any) {
		l.fields = append(l.fields, sip.NewHeader(field, fmt.Sprintf(format, args...)))
	}
	own := d.Caller.Number // that the provider has given us
	if own == "" {
		own = g.User
	}
	if d.Asserted != "" {
		add("P-Asserted-Identity", "<%s>", at(d.Asserted))
	} else if g.SendPAI {
		add("P-Asserted-Identity", "<%s>", at(own))
	}
	if o.SendPPI {
		add("P-Preferred-Identity", "<%s>", at(own))
	}
	if g.SendRPID {
		privacy := "off"
		if d.Hidden {
			privacy = "full"
		}
		add("Remote-Party-ID", `"%s" <%s>;party=calling;screen=yes;privacy=%s`, quoted(name), at(own), privacy)
	}
	if d.Hidden {
		add("Privacy", "id")
	}
	if p := d.ReferredBy; p.Number != "" {
		add("Referred-By", "<%s>", at(p.Number))
	}
	l.divertedLocked(o, diversions, at, own, add)
}

// divertedLocked says who the call was for before (RFC 5806, RFC 7044). The last
// of them is the one who pays, whom the provider knows by the number own; numbers
// inside the house mean nothing to it.
func (l *leg) divertedLocked(o pbx.GatewayOptions, list []call.Diversion, at func(string) string, own string, add func(string, string, ...any)) {
	if len(list) == 0 {
		return
	}
	number := func(i int) string {
		if i == 0 || !isNumber(list[i].Number) || len(list[i].Number) < 6 {
			return own
		}
		return list[i].Number
	}
	if o.Diversion {
		for i, v := range list {
			add("Diversion", `<%s>;reason=%s;counter=1`, at(number(i)), tokenOr(string(v.Reason), "unknown"))
		}
	}
	if !o.HistoryInfo {
		return
	}
	index := ""
	for i, v := range slices.Backward(list) {
		index += ".1"
		add("History-Info", "<%s?Reason=SIP%%3Bcause%%3D%d>;index=%s", at(number(i)), causeOfReason(v.Reason), index[1:])
	}
	add("History-Info", "<%s>;index=%s", l.peerParty.Address.String(), (index + ".1")[1:])
}

// numberAt is the URI of a number at the provider.
func numberAt(g *pbx.Gateway, o pbx.GatewayOptions, number string) sip.Uri {
	u := sip.Uri{Scheme: "sip", User: escapeUser(number), Host: bracketed(g.Registrar)}
	if g.Port != 0 && g.Port != 5060 && g.Proxy == "" {
		u.Port = g.Port
	}
	if o.UserPhone && isNumber(number) {
		u.UriParams = sip.HeaderParams{{K: "user", V: "phone"}}
	}
	return u
}

// isNumber reports whether a user part is a telephone number (RFC 3261 section
// 19.1.6).
func isNumber(user string) bool { return user != "" && pbx.Dialable(user) == user }

// routeOut is the way that the provider wants our calls to take: that of the
// registration (RFC 3608 section 5), else by the proxy.
func (ln *line) routeOut(g *pbx.Gateway) []sip.Uri {
	ln.mu.Lock()
	route := slices.Clone(ln.route)
	ln.mu.Unlock()
	if len(route) > 0 {
		return route
	}
	return ln.proxyRoute(g)
}
