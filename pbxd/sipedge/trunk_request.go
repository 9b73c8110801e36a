package sipedge

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
	"galilei/pbxd/sipedge/transaction"
)

// request takes a request outside of dialogs. Providers call and ask whether we are
// there; nothing else is served, and nobody else.
func (t *Trunk) request(tx *transaction.Server, req *sip.Request) {
	e, from := t.edge, tx.Flow().Remote.Addr()
	switch req.Method {
	case sip.INVITE:
		ln := t.attribute(req, from)
		if ln == nil {
			t.deps.Log.Info("call refused: it is of no gateway", "from", tx.Flow().String(), "to", printable(req.Recipient.User, 64))
			e.refuse(tx, req, 403, "Forbidden")
			return
		}
		if required(req, "100rel") && !ln.opts().Reliable {
			res := e.response(req, 420, "Bad Extension")
			res.AppendHeader(sip.NewHeader("Unsupported", "100rel"))
			e.once(tx, req, res)
			return
		}
		if ln.waiting.Load() >= maxWaiting {
			t.deps.Log.Warn("call refused: too many of the gateway wait for an answer", "gateway", ln.current().Name, "waiting", maxWaiting)
			res := e.response(req, 503, reasonPhrase(503))
			res.AppendHeader(sip.NewHeader("Retry-After", "5"))
			e.once(tx, req, res)
			return
		}
		tx.Flow().Trust()
		e.begin(tx, req, origin{line: ln}, func(l *leg, offer *media.Description) { l.acceptOver(ln, tx, req, offer) })
	case sip.OPTIONS:
		e.refuse(tx, req, 200, "OK")
	case sip.BYE, sip.PRACK, sip.UPDATE, sip.INFO, sip.NOTIFY:
		e.refuse(tx, req, 481, reasonPhrase(481))
	default:
		e.refuse(tx, req, 405, "Method Not Allowed")
	}
}

// refuseOfLine refuses a request within a call over a line: of somebody else, or
// for what providers are not served.
func (e *Edge) refuseOfLine(tx *transaction.Server, req *sip.Request, known bool) {
	if known {
		e.reply(tx, req, 405, "Method Not Allowed")
		return
	}
	e.refuse(tx, req, 403, "Forbidden")
}

// attribute finds the gateway that an INVITE is for, nil when there is none: the
// one whose registration has given the address that is called; else, of those at
// the provider that it comes from, the one whose user or number is called, or that
// the caller names; else the first of them.
func (t *Trunk) attribute(req *sip.Request, from netip.Addr) *line {
	all := t.all()
	if token, ok := uriParam(&req.Recipient, "line"); ok {
		for _, ln := range all {
			if ln.token == token && ln.allowed(from) {
				return ln
			}
		}
	}
	var near []*line
	for _, ln := range all {
		if ln.from(from) {
			near = append(near, ln)
		}
	}
	if len(near) <= 1 {
		if near == nil {
			return nil
		}
		return near[0]
	}
	for _, u := range []*sip.Uri{&req.Recipient, &req.To().Address} {
		user, err := numberOf(u)
		if err != nil {
			continue
		}
		for _, ln := range near {
			if ln.calledBy(user) {
				return ln
			}
		}
	}
	for _, u := range []*sip.Uri{&req.Recipient, &req.To().Address, &req.From().Address} {
		for _, ln := range near {
			if g := ln.current(); isHost(u.Host, g.Registrar, g.FromDomain) {
				return ln
			}
		}
	}
	return near[0]
}

// isHost reports whether the host of a URI is one of names, which are as people
// write them; a dot at the end changes nothing (RFC 1034 section 3.1).
func isHost(host string, names ...string) bool {
	plain := func(s string) string { return strings.TrimSuffix(strings.Trim(s, "[]"), ".") }
	host = plain(host)
	return host != "" && slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(host, plain(n)) })
}

// calledBy reports whether a user part names the gateway: as its user, or as one
// of its numbers, however it is written.
func (ln *line) calledBy(user string) bool {
	g := ln.current()
	if user == "" {
		return false
	}
	if user == g.User || user == g.AuthUser {
		return true
	}
	plain := func(s string) string { return strings.TrimLeft(s, "+0") }
	return slices.ContainsFunc(append([]string{g.User}, g.Numbers...), func(n string) bool {
		return len(plain(n)) > 5 && plain(n) == plain(user)
	})
}

// uriParam returns a parameter of a URI, whatever the case of its name.
func uriParam(u *sip.Uri, name string) (string, bool) {
	for _, p := range u.UriParams {
		if strings.EqualFold(p.K, name) {
			return p.V, true
		}
	}
	return "", false
}

// maxWaiting bounds the calls of one provider that nobody has answered: anybody can
// write its address into a datagram, and each call takes a pair of audio ports.
const maxWaiting = 50

// attendedLocked says that a call over a line waits for an answer no longer.
func (l *leg) attendedLocked() {
	if l.waits {
		l.waits = false
		l.line.waiting.Add(-1)
	}
}

// acceptOver begins the dialog of a call from outside and starts the call.
func (l *leg) acceptOver(ln *line, tx *transaction.Server, req *sip.Request, offer *media.Description) {
	ln.joins(true) // the provider knows how many it may send
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waits = true
	ln.waiting.Add(1)
	l.calledLocked(tx, req, offer)
	l.asks = []netip.Addr{tx.Flow().Remote.Addr()}
	in := call.Incoming{Leg: l, Gateway: ln.id, Digits: dialled(req), Offer: offer, Address: tx.Flow().Remote.String(), Passed: passedBy(req)}
	g := ln.current()
	if g.Destination == "to" { // F162
		if number, err := numberOf(&req.To().Address); err == nil {
			in.Digits = printable(number, 64)
		}
	}
	l.edge.identify(req, tx.Flow().Remote.Addr(), &in)
	in.Caller = callerOf(req, g.TrustRPID)
	if in.Anonymous = in.Anonymous || nameless(in.Caller.Number) || withheld(req); in.Anonymous {
		in.Caller = call.Party{}
	}
	l.startLocked(tx, req, in)
}

// callerOf is who calls: as From says, or, where the provider is trusted for it
// (F174), Remote-Party-ID or P-Asserted-Identity (RFC 3325).
func callerOf(req *sip.Request, trusted bool) call.Party {
	from := req.From()
	p := call.Party{Name: printable(from.DisplayName, 100)}
	if number, err := numberOf(&from.Address); err == nil {
		p.Number = printable(number, 64)
	}
	if !trusted {
		return p
	}
	for _, field := range []string{"remote-party-id", "p-asserted-identity"} {
		for _, v := range listed(req, field) {
			is, params, ok := partyOf(v)
			if party, said := params.Get("party"); !ok || said && !strings.EqualFold(party, "calling") || nameless(is.Number) {
				continue
			}
			if is.Name == "" {
				is.Name = p.Name
			}
			return is
		}
	}
	return p
}

// withheld reports whether Remote-Party-ID says that the called side must not see
// who calls.
func withheld(req *sip.Request) bool {
	return slices.ContainsFunc(listed(req, "remote-party-id"), func(v string) bool {
		_, params, ok := partyOf(v)
		party, said := params.Get("party")
		privacy, _ := params.Get("privacy")
		privacy = strings.ToLower(privacy)
		return ok && (!said || strings.EqualFold(party, "calling")) && (strings.Contains(privacy, "full") || strings.Contains(privacy, "uri"))
	})
}

// nameless reports whether the user part of a caller stands for nobody.
func nameless(user string) bool {
	switch strings.ToLower(user) {
	case "", "anonymous", "unknown", "restricted", "unavailable", "private":
		return true
	}
	return false
}
