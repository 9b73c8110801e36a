package sipedge

import (
	"errors"
	"net/url"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
)

// invite takes a new call of a phone.
func (e *Edge) invite(tx *transaction.Server, req *sip.Request) {
	u, ok := e.authenticate(tx, req)
	if !ok {
		return
	}
	offer, err := bodyOf(req)
	if err == nil && offer != nil {
		err = offer.Usable()
	}
	switch {
	case errors.Is(err, errContentType):
		res := e.response(req, 415, "Unsupported Media Type")
		res.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
		e.send(tx, res)
		return
	case err != nil:
		e.deps.Log.Info("call refused: no audio that can be used", "from", tx.Flow().String(), "err", err)
		e.reply(tx, req, 488, "Not Acceptable Here")
		return
	case req.Contact() == nil || req.Contact().Address.Scheme != "sip":
		e.reply(tx, req, 400, "Contact Is Missing")
		return
	}
	e.reply(tx, req, 100, "Trying")
	l, err := e.newLeg(req.CallID().Value(), tx.Flow(), reachedAt(req), legIncoming)
	if err != nil {
		e.deps.Log.Warn("call refused", "from", u.Extension, "err", err)
		res := e.response(req, 503, "Service Unavailable")
		res.AppendHeader(sip.NewHeader("Retry-After", "5"))
		e.send(tx, res)
		return
	}
	l.accept(tx, req, u, offer)
}

// accept begins the dialog (RFC 3261 section 12.1.1) and starts the call.
func (l *leg) accept(tx *transaction.Server, req *sip.Request, u *pbx.User, offer *media.Description) {
	l.mu.Lock()
	l.serverTx, l.serverRq = tx, req
	l.remoteTag, _ = req.From().Params.Get("tag")
	l.remoteCSeq = req.CSeq().SeqNo
	l.target = *req.Contact().Address.Clone()
	for _, h := range req.GetHeaders("record-route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			l.routes = append(l.routes, *rr.Address.Clone())
		}
	}
	to, from := req.To(), req.From()
	l.localParty = sip.FromHeader{DisplayName: to.DisplayName, Address: *to.Address.Clone()}
	l.peerParty = sip.ToHeader{DisplayName: from.DisplayName, Address: *from.Address.Clone()}
	l.nat = behindNAT(req.Via().Host, tx.Flow().Remote.Addr()) || behindNAT(l.target.Host, tx.Flow().Remote.Addr())
	if offer != nil {
		l.expectLocked(offer)
	}
	l.notify = l.edge.deps.Incoming(call.Incoming{
		Leg:    l,
		Caller: call.Party{Number: u.Extension, Name: u.DisplayName()},
		Digits: dialled(req),
		Offer:  offer,
	})
	l.mu.Unlock()
	tx.OnCancel(l.cancelled)
	tx.OnNoACK(l.unacknowledged)
}

// dialled returns the user part of the Request-URI with escapes resolved.
func dialled(req *sip.Request) string {
	if s, err := url.PathUnescape(req.Recipient.User); err == nil {
		return printable(s, 64)
	}
	return printable(req.Recipient.User, 64)
}

// cancelled: the caller gave up (RFC 3261 section 9.2).
func (l *leg) cancelled() {
	l.mu.Lock()
	tx, req := l.serverTx, l.serverRq
	initial := l.state == legIncoming
	if tx == nil {
		l.mu.Unlock()
		return
	}
	if !initial {
		l.serverTx, l.serverRq, l.pending = nil, nil, nil // a re-INVITE is given up, not the call
	}
	l.mu.Unlock()
	res := l.edge.response(req, 487, "Request Terminated")
	l.tag(res)
	l.edge.send(tx, res)
	if initial {
		l.finish(pbx.CauseNormalClearing, true)
	}
}

// unacknowledged: our 2xx got no ACK for 32 s; the dialog ends (RFC 3261
// section 13.3.1.4).
func (l *leg) unacknowledged() {
	l.mu.Lock()
	up := l.state == legUp
	if up {
		l.byeLocked(pbx.CauseRecoveryOnTimer)
	}
	l.mu.Unlock()
	if up {
		l.finish(pbx.CauseRecoveryOnTimer, true)
	}
}

// Ringing implements call.Leg.
func (l *leg) Ringing(early *media.Description) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != legIncoming {
		return
	}
	res := l.edge.response(l.serverRq, 180, "Ringing")
	if early != nil && l.theirs != nil {
		if _, err := sdp.Agreed(early, l.theirs); err == nil {
			res = l.edge.response(l.serverRq, 183, "Session Progress")
			at := l.mediaAddrLocked()
			addBody(res, l.describeLocked(func(o sdp.Origin) []byte { return sdp.Answer(early, l.theirs, o, at) }))
		}
	}
	l.tag(res)
	res.AppendHeader(l.contact())
	l.edge.send(l.serverTx, res)
}

// Answer implements call.Leg.
func (l *leg) Answer(answer *media.Description) {
	l.mu.Lock()
	if l.state != legIncoming {
		l.mu.Unlock()
		return
	}
	at := l.mediaAddrLocked()
	var body []byte
	if l.theirs == nil { // they left the offer to us
		body = l.describeLocked(func(o sdp.Origin) []byte { return sdp.Offer(answer, o, at) })
		l.bareACK = true
	} else if _, err := sdp.Agreed(answer, l.theirs); err != nil {
		l.log.Info("call refused: the sides have no codec in common", "err", err)
		tx, req := l.serverTx, l.serverRq
		l.mu.Unlock()
		l.refuse(tx, req, pbx.CauseIncompatible)
		l.finish(pbx.CauseIncompatible, true)
		return
	} else {
		body = l.describeLocked(func(o sdp.Origin) []byte { return sdp.Answer(answer, l.theirs, o, at) })
		l.expectLocked(l.theirs) // with the payload types that were agreed
	}
	l.acceptedLocked(body)
	l.state = legUp
	l.mu.Unlock()
}

// acceptedLocked sends 200 to their INVITE.
func (l *leg) acceptedLocked(body []byte) {
	res := l.edge.response(l.serverRq, 200, "OK")
	l.tag(res)
	res.AppendHeader(l.contact())
	addBody(res, body)
	l.edge.send(l.serverTx, res)
	l.acked = l.serverTx
	l.serverTx, l.serverRq = nil, nil
}

// acknowledge takes the ACK of our 2xx.
func (l *leg) acknowledge(req *sip.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acked != nil {
		l.acked.Acknowledged()
		l.acked = nil
	}
	if !l.bareACK {
		return
	}
	l.bareACK = false
	if d, err := bodyOf(req); err == nil && d != nil {
		l.expectLocked(d)
		return
	}
	l.log.Info("ACK brought no answer to our offer")
}

// request takes a request within the dialog (RFC 3261 section 12.2.2).
func (l *leg) request(tx *transaction.Server, req *sip.Request) {
	from, _ := req.From().Params.Get("tag")
	l.mu.Lock()
	if l.state == legEnded || l.remoteTag != "" && from != l.remoteTag {
		l.mu.Unlock()
		l.edge.reply(tx, req, 481, "Call/Transaction Does Not Exist")
		return
	}
	if req.CSeq().SeqNo <= l.remoteCSeq && l.remoteCSeq != 0 {
		l.mu.Unlock()
		l.edge.reply(tx, req, 500, "Out Of Order")
		return
	}
	l.remoteCSeq = req.CSeq().SeqNo
	l.flow = tx.Flow() // follows a phone that changes its address
	l.mu.Unlock()
	switch req.Method {
	case sip.BYE:
		l.edge.reply(tx, req, 200, "OK")
		l.bye(req)
	case sip.INVITE:
		l.reinvite(tx, req)
	case sip.OPTIONS:
		l.edge.reply(tx, req, 200, "OK")
	default:
		l.edge.notAllowed(tx, req)
	}
}

// bye: they hung up. A BYE may also meet an INVITE of theirs that has no
// answer yet.
func (l *leg) bye(req *sip.Request) {
	l.mu.Lock()
	tx, invite := l.serverTx, l.serverRq
	l.serverTx, l.serverRq = nil, nil
	l.mu.Unlock()
	if tx != nil {
		res := l.edge.response(invite, 487, "Request Terminated")
		l.tag(res)
		l.edge.send(tx, res)
	}
	l.finish(causeOf(req, pbx.CauseNormalClearing), true)
}
