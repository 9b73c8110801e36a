package sipedge

import (
	"bytes"
	"errors"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
)

// reinvite takes their re-INVITE (RFC 3261 section 14.2): a change of audio
// is put to the other side of the call, a mere refresh is answered here.
func (l *leg) reinvite(tx *transaction.Server, req *sip.Request) {
	offer, err := bodyOf(req)
	if err == nil && offer != nil {
		err = offer.Usable()
	}
	l.mu.Lock()
	switch {
	case l.state == legEnding:
		l.mu.Unlock()
		l.edge.reply(tx, req, 481, "Call/Transaction Does Not Exist")
		return
	case l.state != legUp || l.clientTx != nil:
		l.mu.Unlock()
		l.edge.reply(tx, req, 491, "Request Pending")
		return
	case l.serverTx != nil || l.acked != nil:
		l.mu.Unlock()
		res := l.edge.response(req, 500, "Server Internal Error")
		res.AppendHeader(sip.NewHeader("Retry-After", "2"))
		l.edge.send(tx, res)
		return
	case err != nil:
		l.mu.Unlock()
		status := 488
		if errors.Is(err, errContentType) {
			status = 415
		}
		l.edge.reply(tx, req, status, "Not Acceptable Here")
		return
	}
	if c := req.Contact(); c != nil && c.Address.Scheme == "sip" {
		l.target = *c.Address.Clone() // target refresh
	}
	l.serverTx, l.serverRq = tx, req
	if offer == nil { // they want an offer: ours as it stands
		l.bareACK = true
		l.acceptedLocked(l.sent)
		l.mu.Unlock()
		tx.OnNoACK(l.unacknowledged)
		return
	}
	if l.theirs != nil && sameAudio(offer, l.theirs) {
		l.expectLocked(offer)
		l.acceptedLocked(l.sent)
		l.mu.Unlock()
		tx.OnNoACK(l.unacknowledged)
		return
	}
	l.pending = offer
	l.mu.Unlock()
	l.edge.reply(tx, req, 100, "Trying")
	tx.OnCancel(l.cancelled)
	tx.OnNoACK(l.unacknowledged)
	l.tell(call.Event{Kind: call.EventOffer, Description: offer})
}

// sameAudio reports whether two descriptions ask for the same: a session
// refresh repeats the last one.
func sameAudio(a, b *media.Description) bool {
	at := a.RTP()
	return bytes.Equal(sdp.Offer(a, sdp.Origin{}, at), sdp.Offer(b, sdp.Origin{}, at)) && a.RTP() == b.RTP() &&
		a.NullAddr == b.NullAddr && len(a.Sections) == len(b.Sections)
}

// Respond implements call.Leg.
func (l *leg) Respond(answer *media.Description) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != legUp || l.serverTx == nil || l.pending == nil {
		return
	}
	offer := l.pending
	l.pending = nil
	if answer != nil {
		if _, err := sdp.Agreed(answer, offer); err != nil {
			l.log.Info("re-INVITE refused: the sides have no codec in common", "err", err)
			answer = nil
		}
	}
	if answer == nil {
		res := l.edge.response(l.serverRq, 488, "Not Acceptable Here")
		l.tag(res)
		l.edge.send(l.serverTx, res)
		l.serverTx, l.serverRq = nil, nil
		return
	}
	at := l.mediaAddrLocked()
	body := l.describeLocked(func(o sdp.Origin) []byte { return sdp.Answer(answer, offer, o, at) })
	l.expectLocked(offer)
	l.acceptedLocked(body)
}

// Offer implements call.Leg: it sends a re-INVITE (RFC 3261 section 14.1).
func (l *leg) Offer(offer *media.Description) {
	l.mu.Lock()
	err := l.offerLocked(offer)
	l.mu.Unlock()
	if err != nil {
		l.log.Info("re-INVITE not sent", "err", err)
		l.tell(call.Event{Kind: call.EventOfferRefused})
	}
}

var errBusyDialog = errors.New("another offer is under way or the leg is not up")

func (l *leg) offerLocked(offer *media.Description) error {
	if l.state != legUp || l.clientTx != nil || l.serverTx != nil || l.theirs == nil {
		return errBusyDialog
	}
	at := l.mediaAddrLocked()
	req := l.requestLocked(sip.INVITE)
	req.AppendHeader(l.contact())
	req.AppendHeader(sip.NewHeader("Allow", allow))
	addBody(req, l.describeLocked(func(o sdp.Origin) []byte { return sdp.Reoffer(offer, l.theirs, o, at) }))
	flow, err := l.edge.flowTo(l.nextHopLocked(), l.flow)
	if err != nil {
		return err
	}
	l.via(req, flow)
	cseq := l.cseq
	l.clientTx, err = l.edge.tx.Request(req, flow, func(res *sip.Response, err error) { l.reoffered(res, err, cseq) })
	return err
}

// reoffered takes the responses to our re-INVITE.
func (l *leg) reoffered(res *sip.Response, err error, cseq uint32) {
	if err == nil && res.StatusCode < 200 {
		return
	}
	l.mu.Lock()
	if err == nil && res.StatusCode < 300 {
		retransmitted := l.clientTx == nil
		l.ackLocked(res, cseq, l.remoteTag)
		if retransmitted || l.state != legUp {
			l.mu.Unlock()
			return
		}
		l.clientTx = nil
		if c := res.Contact(); c != nil && c.Address.Scheme == "sip" {
			l.target = *c.Address.Clone()
		}
		d, derr := bodyOf(res)
		if derr == nil && d != nil && d.Usable() == nil {
			l.expectLocked(d)
			l.mu.Unlock()
			l.tell(call.Event{Kind: call.EventOfferAnswered, Description: d})
			return
		}
		l.mu.Unlock()
		l.log.Info("re-INVITE was answered without usable audio", "err", derr)
		l.tell(call.Event{Kind: call.EventOfferRefused})
		return
	}
	l.clientTx = nil
	up := l.state == legUp
	gone := err != nil || res.StatusCode == 481 || res.StatusCode == 408 // RFC 3261 section 12.2.1.2: the dialog is no more
	if up && gone {
		l.byeLocked(pbx.CauseRecoveryOnTimer)
	}
	l.mu.Unlock()
	switch {
	case up && gone:
		l.finish(pbx.CauseRecoveryOnTimer, true)
	case up:
		l.tell(call.Event{Kind: call.EventOfferRefused})
	}
}
