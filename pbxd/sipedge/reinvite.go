package sipedge

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"time"

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
	offer, err := l.described(req)
	if err == nil && offer != nil {
		err = usable(offer)
	}
	l.locked(func() func() {
		if l.acked != nil && !l.bareACK && l.reliable.settle == nil && l.state == legUp { // it has overtaken the ACK, which it proves (RFC 5407 section 3.1.4)
			l.acked.Acknowledged()
			l.acked = nil
		}
		switch {
		case l.state == legEnding || l.state == legEnded:
			return func() { l.edge.reply(tx, req, 481, "Call/Transaction Does Not Exist") }
		case l.state != legUp || l.clientTx != nil:
			return func() { l.edge.reply(tx, req, 491, "Request Pending") }
		case l.serverTx != nil || l.acked != nil:
			return func() {
				res := l.edge.response(req, 500, "Server Internal Error")
				res.AppendHeader(sip.NewHeader("Retry-After", "2"))
				l.edge.send(tx, res)
			}
		case errors.Is(err, errContentType):
			return func() { l.edge.reply(tx, req, 415, "Unsupported Media Type") }
		case err != nil:
			return func() { l.edge.reply(tx, req, 488, "Not Acceptable Here") }
		}
		if res := l.edge.sessionTooShort(req, l.line); res != nil {
			return func() { l.edge.send(tx, res) }
		}
		l.retargetLocked(req)
		if offer == nil { // they want an offer: all that we have, hold or not (RFC 6337 section 5.3)
			l.serverTx, l.serverRq = tx, req
			l.bareACK = true
			l.acceptLocked(l.fullOfferLocked())
			return nil
		}
		return l.takeOfferLocked(tx, req, offer)
	})
}

// fullOfferLocked writes an offer of the formats in use and all others that we
// have, in both directions and with the keys in use (RFC 3264 section 8).
func (l *leg) fullOfferLocked() []byte {
	d := &media.Description{Direction: media.SendRecv, PTime: 20, Formats: slices.Clone(l.sentFmts)}
	for _, f := range l.line.takes(ownOffer()).Formats {
		same := func(g media.Format) bool { return g.Same(f) || g.PT == f.PT }
		if !slices.ContainsFunc(d.Formats, same) {
			d.Formats = append(d.Formats, f)
		}
	}
	at, keys := l.mediaAddrLocked(), l.offerKeysLocked()
	return l.describeLocked(func(o sdp.Origin) []byte {
		if l.theirs == nil {
			return sdp.Offer(d, o, at, keys...)
		}
		return sdp.Reoffer(d, l.theirs, o, at, keys...)
	})
}

// askOther puts their offer to the other side of the call.
func (l *leg) askOther(tx *transaction.Server, req *sip.Request, offer *media.Description) func() {
	if req.IsInvite() {
		l.edge.reply(tx, req, 100, "Trying")
	}
	return func() {
		if req.IsInvite() {
			tx.OnCancel(func(cancel *sip.Request) { l.cancelled(tx, cancel) })
		}
		l.tell(call.Event{Kind: call.EventOffer, Description: offer})
	}
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
	l.locked(func() func() { return l.respondLocked(answer) })
}

func (l *leg) respondLocked(answer *media.Description) (then func()) {
	if l.state != legUp || l.serverTx == nil || l.pending == nil {
		return nil
	}
	offer := l.pending
	l.pending, l.direct = nil, netip.AddrPort{}
	if answer != nil {
		if _, err := sdp.Agreed(answer, offer); err != nil {
			l.log.Info("re-INVITE refused: the sides have no codec in common", "err", err)
			answer = nil
		}
	}
	if answer == nil {
		l.answerLocked(488, nil)
		return nil
	}
	at := l.mediaAddrLocked()
	keys := l.agreeOfferLocked(offer)
	body := l.describeLocked(func(o sdp.Origin) []byte { return sdp.Answer(answer, offer, o, at, keys...) })
	l.expectLocked(offer)
	l.acceptLocked(body)
	return l.holdLocked(offer)
}

// holdLocked notes whether their description takes our audio, by direction or by
// an address of 0.0.0.0 (RFC 3264 section 8.4), and returns what tells of a
// change.
func (l *leg) holdLocked(d *media.Description) (then func()) {
	held := !d.Direction.Receives()
	if held == l.held {
		return func() {}
	}
	l.held = held
	ev := call.Event{Kind: call.EventResumed, Description: d}
	if held {
		ev.Kind = call.EventHeld
	}
	return func() { l.tell(ev) }
}

// offerTime is how long a re-INVITE may be without a final answer: it rings
// nowhere, nobody has to be fetched. One that gets none at all ends before, and the
// call with it.
const offerTime = transaction.Lifetime + 2*time.Second

// Offer implements call.Leg: it sends a re-INVITE (RFC 3261 section 14.1).
func (l *leg) Offer(offer *media.Description) {
	l.locked(func() func() {
		l.direct = netip.AddrPort{}
		if err := l.offerLocked(offer); err != nil {
			l.log.Info("re-INVITE not sent", "err", err)
			busy := errors.Is(err, errBusyDialog)
			return func() { l.tell(call.Event{Kind: call.EventOfferRefused, Retry: busy}) }
		}
		return nil
	})
}

var errBusyDialog = errors.New("another offer is under way or the leg is not up")

// offerLocked sends a re-INVITE.
func (l *leg) offerLocked(offer *media.Description) error {
	return l.reofferLocked(offer, false)
}

// reofferLocked sends a re-INVITE with an offer as it is; one that is quiet is
// not told to the call, which did not ask for it.
func (l *leg) reofferLocked(offer *media.Description, quiet bool) error {
	if offer = l.line.takes(offer); !slices.ContainsFunc(offer.Formats, media.Format.Speech) {
		return errNotOffered
	}
	if l.state != legUp || l.clientTx != nil || l.serverTx != nil || l.theirs == nil || l.bareACK {
		return errBusyDialog
	}
	at, keys, before := l.mediaAddrLocked(), l.offerKeysLocked(), l.said
	body := l.describeLocked(func(o sdp.Origin) []byte { return sdp.Reoffer(offer, l.theirs, o, at, keys...) })
	if err := l.reinviteLocked(body, quiet); err != nil {
		l.said = before
		return err
	}
	l.before = before
	return nil
}

// reinviteLocked sends a re-INVITE with the offer that body holds: our last
// description, or a new one whose predecessor the caller notes.
func (l *leg) reinviteLocked(body []byte, quiet bool) error {
	req := l.requestLocked(sip.INVITE)
	req.AppendHeader(l.contact())
	req.AppendHeader(sip.NewHeader("Allow", l.line.allow()))
	req.AppendHeader(sip.NewHeader("Supported", l.line.supported()))
	l.offerSessionLocked(req)
	if l.unshown {
		req.AppendHeader(l.assertedLocked())
	}
	addBody(req, body)
	flow, err := l.wayLocked()
	if err != nil {
		return err
	}
	l.via(req, flow)
	l.offerSeq, l.quiet = l.cseq, quiet
	tx, err := l.askLocked(req, flow, l.reoffered)
	if err != nil {
		return err
	}
	l.clientTx, l.before, l.unshown = tx, l.said, false
	l.offerNo++
	n := l.offerNo
	l.offerEnd = time.AfterFunc(offerTime, func() { l.offerTimedOut(n) })
	return nil
}

// offerTimedOut gives up our re-INVITE of that number when it only got provisional
// answers.
func (l *leg) offerTimedOut(number int) {
	l.locked(func() func() {
		if l.clientTx == nil || l.offerNo != number {
			return nil
		}
		l.clientTx.Cancel()
		l.clientTx, l.said = nil, l.before
		l.offerOverLocked(false)
		quiet := l.quiet
		return func() { l.tellOffer(call.Event{Kind: call.EventOfferRefused}, quiet) }
	})
}

// reoffered takes the responses to our re-INVITE of number cseq.
func (l *leg) reoffered(res *sip.Response, err error, cseq uint32) {
	if err == nil && res.StatusCode < 200 {
		return
	}
	l.locked(func() func() {
		if err == nil && res.StatusCode < 300 {
			return l.reacceptedLocked(res, cseq)
		}
		if l.clientTx == nil || cseq != l.offerSeq {
			return nil
		}
		l.clientTx, l.said = nil, l.before // the audio stays as it is, and so does what refreshes repeat
		l.offerOverLocked(false)
		l.offerEnd.Stop()
		switch {
		case l.state != legUp:
			return nil
		case err != nil || res.StatusCode == 481 || res.StatusCode == 408: // RFC 3261 section 12.2.1.2: the dialog is no more
			return l.lostLocked()
		}
		l.refreshRefusedLocked(res)
		retry, quiet := res.StatusCode == 491, l.quiet
		return func() { l.tellOffer(call.Event{Kind: call.EventOfferRefused, Retry: retry}, quiet) }
	})
}

func (l *leg) reacceptedLocked(res *sip.Response, cseq uint32) (then func()) {
	first := l.clientTx != nil && l.state == legUp && cseq == l.offerSeq
	l.ackLocked(res, cseq, l.remoteTag)
	if !first {
		return nil // a retransmission, or it was given up
	}
	quiet := l.quiet
	l.clientTx = nil
	l.offerEnd.Stop()
	l.retargetLocked(res)
	l.sessionAgreedLocked(res)
	d, err := l.answeredWithLocked(res)
	l.offerOverLocked(err == nil && d != nil)
	if err != nil || d == nil {
		l.log.Info("re-INVITE was answered without usable audio", "err", err)
		l.said = l.before
		return func() { l.tellOffer(call.Event{Kind: call.EventOfferRefused}, quiet) }
	}
	l.expectAnswerLocked(d)
	return func() { l.tellOffer(call.Event{Kind: call.EventOfferAnswered, Description: d}, quiet) }
}

// tellOffer reports how an offer of ours went, unless it was a quiet one. One
// that came late is the answer to the call, or its end.
func (l *leg) tellOffer(ev call.Event, quiet bool) {
	l.mu.Lock()
	late := l.late
	l.late = false
	if late && ev.Description != nil {
		l.held = !ev.Description.Direction.Receives()
	}
	l.mu.Unlock()
	switch {
	case late && ev.Kind == call.EventOfferAnswered:
		ev.Kind = call.EventAnswered
		l.tell(ev)
	case late:
		l.locked(func() func() {
			l.byeLocked(pbx.CauseIncompatible)
			return func() { l.finish(pbx.CauseIncompatible) }
		})
	case !quiet:
		l.tell(ev)
	}
}
