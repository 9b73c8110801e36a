package sipedge

import (
	"crypto/rand"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
	"galilei/pbxd/media/sdp"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge/transport"
)

// Dial implements call.Dialer: one INVITE to each phone of the extension.
func (e *Edge) Dial(d call.Dial) ([]call.Leg, error) {
	var legs []call.Leg
	var lastErr error
	ringing := map[string]bool{} // devices
	for _, reg := range slices.Backward(e.phones(d.Extension)) {
		if ringing[device(reg)] { // over another flow of it, which is newer (RFC 5626 section 6)
			continue
		}
		l, err := e.dial(d, reg)
		if err != nil {
			if !errors.Is(err, transport.ErrClosed) { // else it counts as not registered
				lastErr = err
			}
			e.deps.Log.Info("phone cannot be called", "extension", d.Extension, "contact", reg.Source, "err", err)
			continue
		}
		legs = append(legs, l)
		if id := device(reg); id != "" {
			ringing[id] = true
		}
	}
	slices.Reverse(legs)
	if len(legs) > 0 {
		lastErr = nil
	}
	return legs, lastErr
}

// Registered reports whether a phone is registered on an extension.
func (e *Edge) Registered(extension string) bool { return len(e.phones(extension)) > 0 }

// seen returns the flow that a phone registered over.
func (e *Edge) seen(reg pbx.Registration) (transport.Flow, error) {
	remote, err := netip.ParseAddrPort(reg.Source)
	if err != nil {
		return transport.Flow{}, err
	}
	if reg.Transport != "udp" {
		return e.transport.Open(reg.Transport, remote), nil
	}
	return e.transport.UDP(remote)
}

func (e *Edge) dial(d call.Dial, reg pbx.Registration) (*leg, error) {
	w, err := e.reach(reg)
	if err != nil {
		return nil, err
	}
	l, err := e.newLeg(strings.ToLower(rand.Text()), w.flow, w.reachedAt, legOutgoing, nil, false)
	if err != nil {
		return nil, err
	}
	if err := l.call(d, reg, w); err != nil {
		l.mu.Lock()
		l.released = true // the call learns of it by the error
		l.mu.Unlock()
		l.finish(pbx.CauseNetworkOutOfOrder)
		return nil, err
	}
	return l, nil
}

// call sends the INVITE for d to the phone of a registration.
func (l *leg) call(d call.Dial, reg pbx.Registration, w way) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notify = d.Notify
	l.target, l.routes, l.outbound = w.target, w.routes, reg.Outbound
	l.user = d.Extension
	l.phone = phoneID{extension: reg.Extension, contact: reg.Contact, instance: reg.Instance}
	l.nat = behindNAT(w.target.Host, w.seen.Remote.Addr())
	host := l.selfOver(l.flow).Addr().String()
	l.localParty = callerShown(d, host)
	l.fields, l.passed = identityFields(d, host), d.Passed
	if l.other = d.Caller; d.Anonymous {
		l.other = call.Party{Name: l.localParty.DisplayName}
	}
	l.peerParty = sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: d.Extension, Host: host}}
	if err := l.inviteLocked(d.Offer); err != nil {
		return err
	}
	l.watchedLocked()
	return nil
}

// inviteLocked sends the first INVITE (RFC 3261 section 13.2.1).
func (l *leg) inviteLocked(offer *media.Description) error {
	if offer == nil {
		offer = ownOffer()
	}
	offer = l.line.takes(offer)
	l.invited = offer
	at, keys := l.mediaAddrLocked(), l.offerKeysLocked()
	req := l.requestLocked(sip.INVITE)
	req.AppendHeader(l.contact())
	req.AppendHeader(sip.NewHeader("Allow", l.line.allow()))
	req.AppendHeader(sip.NewHeader("Supported", l.line.supported()))
	l.offerSessionLocked(req)
	hops := sip.MaxForwardsHeader(maxForwards - min(l.passed, maxForwards)) // a loop through phones ends (RFC 7332 section 4.2)
	req.ReplaceHeader(&hops)
	for _, h := range l.fields {
		req.AppendHeader(h)
	}
	addBody(req, l.describeLocked(func(o sdp.Origin) []byte { return sdp.Offer(offer, o, at, keys...) }))
	l.via(req, l.flow)
	l.attempt++
	n, flow := l.attempt, l.flow
	var err error
	l.clientTx, err = l.askLocked(req, flow, func(res *sip.Response, err error, cseq uint32) {
		if l.givenUp(n, flow, res, cseq) {
			return
		}
		l.response(res, err, cseq)
	})
	return err
}

// givenUp reports whether our first INVITE has gone another way since attempt n,
// whose far end answers all the same: a call that it took is ended.
func (l *leg) givenUp(n int, flow transport.Flow, res *sip.Response, cseq uint32) bool {
	l.mu.Lock()
	current := n == l.attempt
	l.mu.Unlock()
	if !current && res != nil && res.StatusCode >= 200 && res.StatusCode < 300 {
		tag, _ := res.To().Params.Get("tag")
		l.endForkOver(flow, res, tag, cseq)
	}
	return !current
}

// response takes the responses to our first INVITE, in order.
func (l *leg) response(res *sip.Response, err error, cseq uint32) {
	if l.out != nil && l.out.takes(l, res, err) {
		return
	}
	switch {
	case err != nil:
		l.finish(pbx.CauseNoUserResponding)
	case res.StatusCode == 100:
	case res.StatusCode < 200:
		l.provisional(res)
	case res.StatusCode < 300:
		l.accepted(res, cseq)
	default:
		again := false
		switch res.StatusCode {
		case 422:
			l.locked(func() func() { again = l.inviteAgainLocked(res); return nil })
		case 415, 488, 606:
			l.locked(func() func() { again = l.inviteOtherwiseLocked(); return nil })
		}
		if again {
			return
		}
		if to := deflectedTo(res, l.peerParty.Address.User); to != "" && l.line == nil {
			l.finishWith(call.Event{Cause: pbx.CauseCallRejected, Deflected: to})
			return
		}
		fallback := pbx.CauseOfSIP(res.StatusCode)
		if l.line != nil && (res.StatusCode == 401 || res.StatusCode == 407) { // the provider does not know us: another may
			fallback = pbx.CauseNotAuthorised
		}
		l.finish(causeOf(res, fallback))
	}
}

func (l *leg) provisional(res *sip.Response) {
	l.locked(func() func() {
		if l.state != legOutgoing {
			return nil
		}
		d, err := l.answeredWithLocked(res)
		if err != nil {
			d = nil // early audio is a courtesy: ring without it
		}
		l.learnMethodsLocked(res)
		if required(res, "100rel") && !l.heardReliablyLocked(res, d) {
			return nil
		}
		tag, ok := res.To().Params.Get("tag")
		if _, known := l.seqs[tag]; ok && !known && len(l.seqs) < maxForks {
			if l.seqs == nil {
				l.seqs = map[string]uint32{}
			}
			l.seqs[tag] = 0
		}
		if d != nil {
			l.expectAnswerLocked(d)
			l.heardBy = tag
		}
		if ok && l.remoteTag == "" {
			l.remoteTag = tag // of the early dialog, whose requests are admitted
			l.watchedLocked()
		}
		return func() { l.tell(call.Event{Kind: call.EventRinging, Description: d}) }
	})
}

// accepted takes a 2xx: the first makes the dialog, its retransmissions are
// acknowledged again, that of another phone behind the contact is acknowledged
// and ended (RFC 3261 section 13.2.2.4).
func (l *leg) accepted(res *sip.Response, cseq uint32) {
	tag, _ := res.To().Params.Get("tag")
	l.locked(func() func() {
		switch {
		case l.ack != nil && l.ack.tag == tag && l.ack.cseq == cseq:
			if err := l.edge.transport.Send(l.ack.flow, l.ack.bytes); err != nil {
				l.log.Debug("ACK not sent again", "err", err)
			}
			return nil
		case l.ack != nil && l.remoteTag == tag: // of before a re-INVITE
			l.ackLocked(res, cseq, tag)
			return nil
		case l.state == legEnded, l.ack != nil:
			return func() { l.endFork(res, tag, cseq) }
		}
		return l.answeredLocked(res, tag, cseq)
	})
}

func (l *leg) answeredLocked(res *sip.Response, tag string, cseq uint32) (then func()) {
	l.remoteTag = tag
	if l.seqs != nil {
		l.remoteCSeq, l.seqs = l.seqs[tag], nil
	}
	l.takeTargetLocked(res)
	l.learnMethodsLocked(res)
	l.ackLocked(res, cseq, tag)
	l.clientTx = nil
	if l.state == legEnding { // our CANCEL crossed their answer
		l.byeLocked(pbx.CauseNormalClearing)
		return nil
	}
	d, err := l.answeredWithLocked(res)
	if err == nil && d == nil { // a provisional answer has brought it; RFC 3262 has it be a reliable one
		if d = l.early[tag]; d == nil && l.heardBy == tag {
			d = l.theirs
		}
	}
	l.early, l.rseqs = nil, nil
	if errors.Is(err, media.ErrNoAudio) && l.plainlyLocked(res, d) {
		return nil
	}
	if err != nil || d == nil {
		l.log.Info("call was answered without usable audio", "err", err)
		l.byeLocked(pbx.CauseIncompatible)
		return func() { l.finish(pbx.CauseIncompatible) }
	}
	l.expectAnswerLocked(d)
	l.held = !d.Direction.Receives()
	l.invited, l.fields = nil, nil
	l.sessionAgreedLocked(res)
	l.upLocked()
	return func() { l.tell(call.Event{Kind: call.EventAnswered, Description: d}) }
}

// endFork acknowledges the 2xx of another phone behind the contact, and ends
// it the first time.
func (l *leg) endFork(res *sip.Response, tag string, cseq uint32) {
	l.mu.Lock()
	flow := l.flow
	l.mu.Unlock()
	l.endForkOver(flow, res, tag, cseq)
}

func (l *leg) endForkOver(flow transport.Flow, res *sip.Response, tag string, cseq uint32) {
	l.mu.Lock()
	again := l.forks[tag]
	if !again && len(l.forks) == maxForks {
		l.mu.Unlock()
		return // nobody has so many phones behind one contact
	}
	if l.forks == nil {
		l.forks = map[string]bool{}
	}
	l.forks[tag] = true
	fork := l.forkOf(res, tag, cseq)
	fork.flow = flow
	l.mu.Unlock()
	fork.mu.Lock() // for the form: nobody else knows it
	defer fork.mu.Unlock()
	fork.ackLocked(res, cseq, tag)
	if again {
		return
	}
	bye := fork.requestLocked(sip.BYE)
	bye.AppendHeader(reasonHeader(pbx.CauseAnsweredElsewhere))
	bye.SetBody(nil)
	flow, err := fork.wayLocked()
	if err == nil {
		fork.via(bye, flow)
		_, err = fork.askLocked(bye, flow, func(*sip.Response, error, uint32) {}) // whatever it says, nothing is held
	}
	if err != nil {
		l.log.Info("BYE to another phone behind the contact not sent", "err", err)
	}
}

// forkOf is a dialog that exists only to be ended: another phone behind the
// same contact answered, too.
func (l *leg) forkOf(res *sip.Response, tag string, cseq uint32) *leg {
	f := &leg{notify: func(call.Event) {}, dialog: l.dialog}
	f.remoteTag, f.cseq, f.routes = tag, cseq, nil
	f.takeTargetLocked(res)
	return f
}

// ackLocked acknowledges a 2xx: the number of the INVITE, a branch of its own
// (RFC 3261 section 13.2.2.4).
func (l *leg) ackLocked(res *sip.Response, cseq uint32, tag string) {
	req := l.requestWithLocked(sip.ACK, cseq)
	if cseq == l.proofSeq { // it cannot be challenged (RFC 3261 section 22.1)
		for _, h := range l.proof {
			req.AppendHeader(h)
		}
	}
	req.SetBody(nil)
	flow, err := l.wayLocked()
	if err != nil {
		l.log.Info("ACK not sent", "err", err)
		return
	}
	l.via(req, flow)
	l.ack = &sentACK{flow: flow, bytes: []byte(req.String()), tag: tag, cseq: cseq}
	if err := l.edge.transport.Send(flow, l.ack.bytes); err != nil {
		l.log.Info("ACK not sent", "err", err)
	}
}
