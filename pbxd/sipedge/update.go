package sipedge

import (
	"errors"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/media"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/sipedge/transaction"
)

// update takes an UPDATE (RFC 3311 section 5.2): without an offer it refreshes
// the target; with one it changes the audio, before the answer here, later as
// a re-INVITE does.
func (l *leg) update(tx *transaction.Server, req *sip.Request) {
	offer, err := l.described(req)
	if err == nil && offer != nil {
		err = usable(offer)
	}
	from, _ := req.From().Params.Get("tag")
	l.locked(func() func() {
		refuse := func(status int) func() { return func() { l.edge.refuseOffer(tx, req, status) } }
		switch {
		case l.state == legEnding || l.state == legEnded:
			return refuse(481)
		case errors.Is(err, errContentType):
			return refuse(415)
		case err != nil:
			return refuse(488)
		case l.edge.sessionTooShort(req, l.line) != nil:
			l.edge.send(tx, l.edge.sessionTooShort(req, l.line))
			return nil
		case offer == nil:
			l.retargetByLocked(req)
			res := l.edge.response(req, 200, "OK")
			res.AppendHeader(l.contact())
			if l.state == legUp {
				l.answerSessionLocked(req, res)
			}
			l.edge.send(tx, res)
			return nil
		case l.state == legUp && l.clientTx != nil, l.reliable.updates, l.state == legOutgoing && l.early[from] == nil:
			return refuse(491) // an offer of ours has no answer yet
		case l.state == legUp && (l.serverTx != nil || l.acked != nil), l.state == legIncoming && !l.reliable.done:
			return refuse(500) // one of theirs has none
		case l.state == legUp:
			l.retargetLocked(req)
			return l.takeOfferLocked(tx, req, offer)
		}
		body, err := l.answerHereLocked(offer)
		if err != nil {
			l.log.Info("UPDATE refused", "err", err)
			return refuse(488)
		}
		l.retargetByLocked(req)
		res := l.edge.response(req, 200, "OK")
		res.AppendHeader(l.contact())
		addBody(res, body)
		l.edge.send(tx, res)
		if l.state != legOutgoing {
			return nil
		}
		l.early[from] = offer
		return l.ringsWith(offer)
	})
}

// retargetLocked follows the Contact of a target refresh request.
func (d *dialog) retargetLocked(m sip.Message) {
	if c := contactOf(m); contactServed(c, d.flow) {
		d.target = *c.Address.Clone()
	}
}

// retargetByLocked follows an UPDATE: that of somebody who rings is nothing for
// the call before its answer, which may yet go elsewhere.
func (l *leg) retargetByLocked(req *sip.Request) {
	if l.state != legOutgoing {
		l.retargetLocked(req)
	}
}

// takeOfferLocked decides on their offer within a call that is up: what changes
// nothing is answered here, else the other side of the call is asked.
func (l *leg) takeOfferLocked(tx *transaction.Server, req *sip.Request, offer *media.Description) (then func()) {
	l.serverTx, l.serverRq = tx, req
	if before := l.theirs; before != nil && sameAudio(offer, before) {
		if body, err := l.answerHereLocked(offer); err == nil { // our last description may have been an offer: an answer says less
			l.acceptLocked(body)
			return nil
		}
	}
	l.pending = offer
	return l.askOther(tx, req, offer)
}

// refuseOffer refuses a request with an offer; 500 says when to come again
// (RFC 3261 section 14.2).
func (e *Edge) refuseOffer(tx *transaction.Server, req *sip.Request, status int) {
	res := e.response(req, status, reasonPhrase(status))
	switch status {
	case 415:
		res.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	case 500:
		res.AppendHeader(sip.NewHeader("Retry-After", "2"))
	}
	e.send(tx, res)
}

// answerHereLocked answers an offer without asking the other side of the call:
// with the formats that we named last, as far as the offer has them.
func (l *leg) answerHereLocked(offer *media.Description) ([]byte, error) {
	last, err := sdp.ParseSecure(l.sent)
	if err != nil {
		return nil, err
	}
	last.Direction = media.SendRecv
	if _, err := sdp.Agreed(last, offer); err != nil {
		return nil, err
	}
	at, keys := l.mediaAddrLocked(), l.agreeOfferLocked(offer)
	body := l.describeLocked(func(o sdp.Origin) []byte { return sdp.Answer(last, offer, o, at, keys...) })
	l.expectLocked(offer)
	return body, nil
}
