package sipedge

import (
	"errors"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transaction"
)

// reliability is the state of our provisional answers to a caller that
// requires them to be reliable (RFC 3262 section 3). One is under way at a time.
type reliability struct {
	required bool
	rseq     uint32        // of the last one
	waiting  *sip.Response // sent, its PRACK has not come
	interval time.Duration
	timer    *time.Timer
	deadline time.Time

	offered bool // the one that waits made our offer: its PRACK brings the answer
	told    bool // a provisional answer, reliable or not, has described our audio
	agreed  bool // one of them has described our audio
	done    bool // and was acknowledged: later audio goes by UPDATE

	queued  bool               // a further one waits for that PRACK
	early   *media.Description // its audio, or nil
	answer  *media.Description // what Leg.Answer waits to send
	settle  *media.Description // audio of the answer that differs from what was agreed, offered after the ACK
	updates bool               // an UPDATE of ours has no answer yet
}

// ringLocked sends a provisional answer, with the early audio where there is
// some to describe.
func (l *leg) ringLocked(early *media.Description) {
	r := &l.reliable
	if r.waiting != nil {
		if early != nil || !r.queued {
			r.early = early
		}
		r.queued = true
		return
	}
	if r.agreed {
		if early != nil {
			l.changeEarlyLocked(early)
		}
		return
	}
	res := l.edge.response(l.serverRq, 180, "Ringing")
	at := l.mediaAddrLocked()
	switch {
	case l.theirs == nil && r.required: // the first reliable answer makes the offer (RFC 3262 section 5)
		if early == nil {
			early = ownOffer()
		}
		keys := l.delayedKeysLocked()
		addBody(res, l.describeLocked(func(o sdp.Origin) []byte { return sdp.Offer(early, o, at, keys...) }))
		r.offered, r.agreed = true, true
	case early != nil && l.theirs != nil && !r.told: // only the first counts
		if _, err := sdp.Agreed(early, l.theirs); err == nil {
			keys := l.agreeOfferLocked(l.theirs)
			res.StatusCode, res.Reason = 183, "Session Progress"
			addBody(res, l.describeLocked(func(o sdp.Origin) []byte { return sdp.Answer(early, l.theirs, o, at, keys...) }))
			l.expectLocked(l.theirs) // with the payload types that it may use now
			r.agreed, r.told = r.required, true
		}
	}
	l.tag(res)
	res.AppendHeader(l.contact())
	if r.required {
		r.rseq++
		res.AppendHeader(sip.NewHeader("Require", "100rel"))
		res.AppendHeader(sip.NewHeader("RSeq", strconv.FormatUint(uint64(r.rseq), 10)))
		r.waiting, r.interval, r.deadline = res, transaction.T1, time.Now().Add(transaction.Lifetime)
		r.timer = time.AfterFunc(r.interval, func() { l.ringAgain(res) })
	}
	l.edge.send(l.serverTx, res)
}

// ringAgain repeats a provisional answer that has no PRACK, T1 doubling; after
// 32 s the call is refused (RFC 3262 section 3).
func (l *leg) ringAgain(res *sip.Response) {
	l.locked(func() func() {
		r := &l.reliable
		if r.waiting != res || l.serverTx == nil {
			return nil
		}
		if !time.Now().Before(r.deadline) {
			r.waiting = nil
			l.answerLocked(504, reasonHeader(pbx.CauseRecoveryOnTimer))
			return func() { l.finish(pbx.CauseRecoveryOnTimer) }
		}
		l.edge.send(l.serverTx, res)
		r.interval *= 2
		r.timer.Reset(min(r.interval, time.Until(r.deadline)))
		return nil
	})
}

// prack takes the acknowledgement of a provisional answer, and what was held
// back until it came.
func (l *leg) prack(tx *transaction.Server, req *sip.Request) {
	l.locked(func() func() {
		r := &l.reliable
		ack, err := parseRAck(headerValue(req, "rack"))
		switch {
		case err != nil:
			l.edge.reply(tx, req, 400, "RAck Cannot Be Read")
			return nil
		case r.waiting == nil || l.serverRq == nil || ack != rack{r.rseq, l.serverRq.CSeq().SeqNo, string(sip.INVITE)}:
			l.edge.reply(tx, req, 481, "Call/Transaction Does Not Exist")
			return nil
		}
		body, status := l.prackBodyLocked(req)
		if status != 0 {
			l.edge.reply(tx, req, status, reasonPhrase(status))
			return nil
		}
		r.timer.Stop()
		r.waiting, r.offered, r.done = nil, false, r.agreed
		res := l.edge.response(req, 200, "OK")
		if body != nil {
			addBody(res, body)
		}
		l.edge.send(tx, res)
		return l.afterPRACKLocked()
	})
}

// prackBodyLocked takes the answer, or a further offer, that a PRACK brings. It
// returns our answer, or a status that refuses.
func (l *leg) prackBodyLocked(req *sip.Request) (body []byte, status int) {
	r := &l.reliable
	read := func() (*media.Description, error) { return l.described(req) }
	if r.offered {
		read = func() (*media.Description, error) { return l.answeredWithLocked(req) }
	}
	d, err := read()
	if err == nil && d != nil {
		err = usable(d)
	}
	switch {
	case errors.Is(err, errContentType):
		return nil, 415
	case err != nil:
		return nil, 488
	case r.offered && d == nil, !r.agreed && d != nil:
		return nil, 400 // no answer to our offer, or an offer before the answer to the first
	case r.offered:
		if _, err := sdp.Agreed(d, &media.Description{Formats: l.sentFmts, Audio: d.Audio, Sections: d.Sections}); err != nil {
			return nil, 488
		}
		l.expectAnswerLocked(d)
		return nil, 0
	case d != nil:
		if body, err = l.answerHereLocked(d); err != nil {
			return nil, 488
		}
	}
	return body, 0
}

func (l *leg) afterPRACKLocked() (then func()) {
	r := &l.reliable
	if l.state != legIncoming || l.serverTx == nil {
		return nil
	}
	if answer := r.answer; answer != nil {
		r.answer = nil
		return l.answerCallLocked(answer)
	}
	if r.queued {
		early := r.early
		r.queued, r.early = false, nil
		l.ringLocked(early)
	}
	return nil
}

// heardReliably takes a provisional answer to our INVITE that must be
// acknowledged (RFC 3262 section 4). It reports false for one that was heard
// before or comes too early: those in between are on their way again.
func (l *leg) heardReliablyLocked(res *sip.Response, d *media.Description) bool {
	tag, _ := res.To().Params.Get("tag")
	rseq, err := parseRSeq(headerValue(res, "rseq"))
	if err != nil || tag == "" {
		l.log.Info("provisional answer cannot be acknowledged", "status", res.StatusCode, "err", err)
		return false
	}
	last, known := l.rseqs[tag]
	if known && rseq != last+1 || !known && len(l.rseqs) >= maxForks {
		return false
	}
	if l.rseqs == nil {
		l.rseqs, l.early = map[string]uint32{}, map[string]*media.Description{}
	}
	l.rseqs[tag] = rseq
	if d != nil {
		l.early[tag] = d
	}
	l.sendPRACKLocked(res, tag, rseq)
	return true
}

// maxForks bounds the phones behind one contact whose provisional answers are
// acknowledged.
const maxForks = 16

// sendPRACKLocked acknowledges a provisional answer within its own early
// dialog.
func (l *leg) sendPRACKLocked(res *sip.Response, tag string, rseq uint32) {
	fork := l.forkOf(res, tag, l.cseq)
	req := fork.requestLocked(sip.PRACK)
	l.cseq = fork.cseq
	req.AppendHeader(sip.NewHeader("RAck", strconv.FormatUint(uint64(rseq), 10)+" "+strconv.FormatUint(uint64(res.CSeq().SeqNo), 10)+" INVITE"))
	req.SetBody(nil)
	flow, err := fork.wayLocked()
	if err == nil {
		fork.via(req, flow)
		_, err = l.askLocked(req, flow, func(res *sip.Response, err error, _ uint32) {
			if err != nil || res.StatusCode >= 300 { // the phone repeats its answer, or refuses the INVITE
				l.log.Info("PRACK was not taken", "rseq", rseq, "err", err)
			}
		})
	}
	if err != nil {
		l.log.Info("PRACK not sent", "rseq", rseq, "err", err)
	}
}

// changeEarlyLocked describes other early audio to a caller with whom early
// audio was agreed already: by UPDATE, where the phone serves it (RFC 3311
// section 5.1). Otherwise the answer brings it.
func (l *leg) changeEarlyLocked(early *media.Description) {
	r := &l.reliable
	if !r.done || r.updates || !l.servesLocked(sip.UPDATE) || l.sentLocked(early) {
		return
	}
	at, keys := l.mediaAddrLocked(), l.offerKeysLocked()
	before := l.said
	req := l.requestLocked(sip.UPDATE)
	req.AppendHeader(l.contact())
	req.AppendHeader(sip.NewHeader("Allow", l.line.allow()))
	addBody(req, l.describeLocked(func(o sdp.Origin) []byte { return sdp.Reoffer(early, l.theirs, o, at, keys...) }))
	flow, err := l.wayLocked()
	if err == nil {
		l.via(req, flow)
		r.updates = true
		_, err = l.askLocked(req, flow, func(res *sip.Response, err error, _ uint32) {
			if err == nil && res.StatusCode < 200 {
				return
			}
			l.locked(func() func() { return l.updatedLocked(res, err, before) })
		})
	}
	if err != nil {
		r.updates = false
		l.said = before
		l.log.Info("UPDATE not sent", "err", err)
	}
}

// updatedLocked takes the answer to an UPDATE of the early dialog; a refused
// one leaves the audio as it was.
func (l *leg) updatedLocked(res *sip.Response, err error, before said) (then func()) {
	l.reliable.updates = false
	if err == nil && res.StatusCode < 300 {
		if d, bad := l.answeredWithLocked(res); bad == nil && d != nil {
			l.expectAnswerLocked(d)
			return l.afterPRACKLocked()
		}
	}
	l.said = before
	return l.afterPRACKLocked()
}

// changed early audio of a phone that rings, told as ringing.
func (l *leg) ringsWith(d *media.Description) func() {
	return func() { l.tell(call.Event{Kind: call.EventRinging, Description: d}) }
}
