package sipedge

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
)

// invite takes a new call of a phone.
func (e *Edge) invite(tx *transaction.Server, req *sip.Request) {
	_, urgent := emergencyNumber(e.deps.Config(), req)
	u, unknown, ok := e.whoCalls(tx, req)
	if !ok {
		return
	}
	var replaces *leg
	if !unknown { // it may take no call of others
		var status int
		if replaces, status = e.replacedBy(req); status != 0 && !e.merged(req) {
			e.reply(tx, req, status, reasonPhrase(status))
			return
		}
	}
	e.begin(tx, req, origin{unknown: unknown, urgent: urgent}, func(l *leg, offer *media.Description) { l.accept(tx, req, u, offer, replaces) })
}

// origin is where an INVITE comes from.
type origin struct {
	line    *line // nil of a phone
	unknown bool  // it has not shown whose it is
	urgent  bool  // it calls for help
}

// begin makes a leg of an INVITE that may begin a call and has accept go on with
// it. Otherwise it has answered.
func (e *Edge) begin(tx *transaction.Server, req *sip.Request, o origin, accept func(l *leg, offer *media.Description)) {
	if e.merged(req) {
		e.reply(tx, req, 482, reasonPhrase(482))
		return
	}
	offer, err := described(req, e.secrecyOver(tx.Flow(), o.line))
	if err == nil && offer != nil {
		offer = o.line.takes(offer)
		err = usable(offer)
	}
	switch {
	case errors.Is(err, errContentType):
		res := e.response(req, 415, "Unsupported Media Type")
		res.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
		e.send(tx, res)
		return
	case err != nil:
		e.deps.Log.Info("call refused: no audio that can be used", "from", tx.Flow().String(), "err", err)
		res := e.response(req, 488, "Not Acceptable Here")
		res.AppendHeader(sip.NewHeader("Warning", `399 galilei "`+quoted(printable(err.Error(), 200))+`"`)) // for who looks why (RFC 3261 section 20.43)
		e.send(tx, res)
		return
	case !acceptsSDP(req):
		e.reply(tx, req, 406, "Not Acceptable") // our answer is a session description (RFC 3261 section 21.4.7)
		return
	case !contactServed(req.Contact(), tx.Flow()):
		e.reply(tx, req, 400, "Contact Is Missing")
		return
	}
	if res := e.sessionTooShort(req, o.line); res != nil {
		e.send(tx, res)
		return
	}
	from := tx.Flow().Remote.Addr()
	if o.unknown && !e.strangers.enter(from, time.Now()) {
		e.deps.Log.Warn("emergency call needs a password: too many of phones without", "from", tx.Flow().String())
		e.challenge(tx, req, authMissing)
		return
	}
	e.reply(tx, req, 100, "Trying")
	l, err := e.newLeg(req.CallID().Value(), tx.Flow(), reachedAt(req), legIncoming, o.line, o.urgent)
	if err != nil {
		if o.unknown {
			e.strangers.leave(from)
		}
		e.deps.Log.Warn("call refused", "from", tx.Flow().String(), "err", err)
		res := e.response(req, 503, "Service Unavailable")
		res.AppendHeader(sip.NewHeader("Retry-After", "5"))
		e.send(tx, res)
		return
	}
	accept(l, offer)
}

// merged reports whether an INVITE has come before, by another way: one that was
// sent on in two copies is one call (RFC 3261 section 8.2.2.2).
func (e *Edge) merged(req *sip.Request) bool {
	callID := req.CallID().Value()
	tag, _ := req.From().Params.Get("tag")
	same := e.legsWhere(func(l *leg) bool { return l.id.callID == callID })
	return slices.ContainsFunc(same, func(l *leg) bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.state == legIncoming && l.remoteTag == tag && l.serverRq != nil && l.serverRq.CSeq().SeqNo == req.CSeq().SeqNo
	})
}

// acceptsSDP reports whether the sender takes session descriptions: without
// Accept it does (RFC 3261 section 20.1).
func acceptsSDP(req *sip.Request) bool {
	fields := req.GetHeaders("accept")
	for _, h := range fields {
		for kind := range strings.SplitSeq(h.Value(), ",") {
			kind, _, _ = strings.Cut(strings.ToLower(kind), ";")
			switch strings.TrimSpace(kind) {
			case "application/sdp", "application/*", "*/*":
				return true
			}
		}
	}
	return len(fields) == 0
}

// accept begins the dialog (RFC 3261 section 12.1.1) and starts the call. u is nil
// for an emergency call of a phone that has not shown whose it is.
func (l *leg) accept(tx *transaction.Server, req *sip.Request, u *pbx.User, offer *media.Description, replaces *leg) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calledLocked(tx, req, offer)
	in := l.callerLocked(tx, req, u)
	in.Leg, in.Offer, in.Address, in.Passed = l, offer, tx.Flow().Remote.String(), passedBy(req)
	if replaces != nil {
		in.Replaces = replaces
	}
	if !in.Unknown { // what it says of who calls counts for nothing
		l.edge.identify(req, tx.Flow().Remote.Addr(), &in)
	}
	l.startLocked(tx, req, in)
}

// calledLocked takes what an INVITE says of the dialog (RFC 3261 section 12.1.1).
func (l *leg) calledLocked(tx *transaction.Server, req *sip.Request, offer *media.Description) {
	l.serverTx, l.serverRq = tx, req
	l.reliable.required = required(req, "100rel")
	l.learnMethodsLocked(req)
	l.remoteTag, _ = req.From().Params.Get("tag")
	l.remoteCSeq = req.CSeq().SeqNo
	l.target, l.sips = *req.Contact().Address.Clone(), req.Recipient.Scheme == "sips"
	for _, h := range req.GetHeaders("record-route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			l.routes = append(l.routes, *rr.Address.Clone())
		}
	}
	_, l.outbound = l.target.UriParams.Get("ob") // RFC 5626 section 4.3
	to, from := req.To(), req.From()
	l.localParty = sip.FromHeader{DisplayName: to.DisplayName, Address: *to.Address.Clone()}
	l.peerParty = sip.ToHeader{DisplayName: from.DisplayName, Address: *from.Address.Clone()}
	l.nat = behindNAT(req.Via().Host, tx.Flow().Remote.Addr()) || behindNAT(l.target.Host, tx.Flow().Remote.Addr())
	if offer != nil {
		l.expectOfferLocked(offer)
		l.held = !offer.Direction.Receives()
	}
}

// passedBy is how many hops a request has come over (RFC 7332).
func passedBy(req *sip.Request) int {
	if mf := req.MaxForwards(); mf != nil {
		return max(0, maxForwards-int(min(mf.Val(), maxForwards)))
	}
	return 0
}

// startLocked starts the call of an INVITE.
func (l *leg) startLocked(tx *transaction.Server, req *sip.Request, in call.Incoming) {
	l.calling, l.other = true, call.Party{Number: in.Digits}
	l.notify = l.edge.deps.Incoming(in)
	l.watchedLocked()
	l.expiresLocked(req)
	go tx.OnCancel(func(cancel *sip.Request) { l.cancelled(tx, cancel) }) // a CANCEL that has come already takes the lock that is held here
}

// callerLocked returns who calls and what was dialled.
func (l *leg) callerLocked(tx *transaction.Server, req *sip.Request, u *pbx.User) call.Incoming {
	cfg := l.edge.deps.Config()
	if u == nil {
		l.unknown = tx.Flow().Remote.Addr()
		l.phone = phoneIDOf("", req.Contact())
		tx.Flow().Trust() // the connection of a stranger ends soon
		in := l.edge.stranger(tx.Flow(), req)
		l.log.Warn("emergency call of a phone that has not shown whose it is", "from", tx.Flow().String(), "number", in.Digits, "likely", in.Likely, "claims", in.Claims)
		return in
	}
	l.phone = phoneIDOf(u.Extension, req.Contact())
	acting, away := l.edge.desks.acting(cfg, u)
	l.user = acting.Extension
	in := call.Incoming{Caller: call.Party{Number: acting.Extension, Name: acting.DisplayName()}, Phone: u.Extension, Away: away, Digits: withoutSeparators(dialled(req))}
	if number, urgent := emergencyNumber(cfg, req); urgent {
		if _, as := cfg.Emergency(in.Digits); !as { // a URN, or written with hyphens
			in.Digits = number
		}
	}
	return in
}

// dialled returns the number of the Request-URI.
func dialled(req *sip.Request) string {
	s, err := numberOf(&req.Recipient)
	if err != nil {
		s = req.Recipient.User
	}
	return printable(s, 64)
}

// withoutSeparators takes what people put into a number for the eye (RFC 3966
// section 5.1.1) out of it. What is no number stays as it is.
func withoutSeparators(digits string) string {
	if strings.Trim(digits, "0123456789+*#-.()") != "" {
		return digits
	}
	return strings.NewReplacer("-", "", ".", "", "(", "", ")", "").Replace(digits)
}

// numberOf returns the user part of a URI with escapes resolved, or the number of
// a tel URI, without the parameters of a telephone number (RFC 3261 section
// 19.1.6, RFC 3966).
func numberOf(u *sip.Uri) (string, error) {
	number := u.User
	if u.Scheme == "tel" {
		number = u.Raw()
	}
	number, _, _ = strings.Cut(number, ";")
	return url.PathUnescape(number)
}

// unacknowledged: our 2xx got no ACK for 32 s; the dialog ends (RFC 3261
// section 13.3.1.4).
func (l *leg) unacknowledged(tx *transaction.Server) {
	l.locked(func() func() {
		if l.acked != tx || l.state == legEnded {
			return nil
		}
		l.acked = nil
		return l.lostLocked()
	})
}

// lostLocked ends a dialog whose far end has not done its part.
func (l *leg) lostLocked() (then func()) {
	l.byeLocked(pbx.CauseRecoveryOnTimer)
	return func() { l.finish(pbx.CauseRecoveryOnTimer) }
}

// Ringing implements call.Leg.
func (l *leg) Ringing(early *media.Description) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != legIncoming || l.serverTx == nil {
		return
	}
	l.ringLocked(early)
}

// Answer implements call.Leg.
func (l *leg) Answer(answer *media.Description) {
	l.locked(func() func() {
		if l.state != legIncoming || l.serverTx == nil {
			return nil
		}
		if l.reliable.waiting != nil { // no 2xx before their PRACK (RFC 3262 section 3)
			l.reliable.answer = answer
			return nil
		}
		return l.answerCallLocked(answer)
	})
}

func (l *leg) answerCallLocked(answer *media.Description) (then func()) {
	at := l.mediaAddrLocked()
	if l.theirs == nil { // they left the offer to us
		l.bareACK = true
		keys := l.delayedKeysLocked()
		l.acceptLocked(l.describeLocked(func(o sdp.Origin) []byte { return sdp.Offer(answer, o, at, keys...) }))
		return nil
	}
	if _, err := sdp.Agreed(answer, l.theirs); err != nil {
		l.log.Info("call refused: the sides have no codec in common", "err", err)
		l.answerLocked(488, reasonHeader(pbx.CauseIncompatible))
		return func() { l.finish(pbx.CauseIncompatible) }
	}
	if l.reliable.done { // the audio has been agreed: the 2xx cannot change it (RFC 6337 section 3.1)
		if !l.sentLocked(answer) {
			l.reliable.settle = answer
		}
		l.acceptLocked(nil)
		return nil
	}
	if l.reliable.told && !l.sentLocked(answer) { // they have heard another answer, and only the first counts (RFC 3261 section 13.2.1)
		l.reliable.settle = answer
		l.acceptLocked(l.sent)
		return nil
	}
	keys := l.agreeOfferLocked(l.theirs)
	body := l.describeLocked(func(o sdp.Origin) []byte { return sdp.Answer(answer, l.theirs, o, at, keys...) })
	l.expectLocked(l.theirs) // with the payload types that were agreed
	l.acceptLocked(body)
	return nil
}

// sentLocked reports whether an answer to their last description says what we
// have said last.
func (l *leg) sentLocked(answer *media.Description) bool {
	at, keys := l.mediaAddrLocked(), l.agreeOfferLocked(l.theirs)
	return slices.Equal(sdp.Answer(answer, l.theirs, l.sentAs, at, keys...), l.sent)
}

// acceptLocked sends 200 to their INVITE, re-INVITE or UPDATE; the leg is up.
func (l *leg) acceptLocked(body []byte) {
	tx := l.serverTx
	res := l.edge.response(l.serverRq, 200, "OK")
	l.tag(res)
	res.AppendHeader(l.contact())
	l.answerSessionLocked(l.serverRq, res)
	if l.line != nil {
		res.AppendHeader(sip.NewHeader("Supported", l.line.supported()))
	}
	if l.named && l.line == nil && (l.other.Number != "" || l.unshown) {
		res.AppendHeader(l.assertedLocked())
		l.unshown = false
	}
	if body != nil {
		addBody(res, body)
	}
	if l.serverRq.IsInvite() {
		tx.OnNoACK(func() { l.unacknowledged(tx) })
		l.acked, l.ackCSeq = tx, l.serverRq.CSeq().SeqNo
	}
	l.edge.send(tx, res)
	l.serverTx, l.serverRq = nil, nil
	l.upLocked()
}
