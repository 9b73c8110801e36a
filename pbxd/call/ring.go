package call

import (
	"galilei/pbxd/dialplan"
	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
)

// rung is a phone that rings.
type rung struct {
	leg     Leg
	ext     string
	target  dialplan.Target
	line    *dialplan.Line // of a leg to the outside
	alerted bool           // it says that it rings
	rec     *recordLeg
}

// alerting handles an event of a phone that rings.
func (c *call) alerting(r *rung, ev Event) {
	switch ev.Kind {
	case EventRinging:
		c.alert(r, ev.Description)
	case EventAnswered:
		c.answered(r, ev.Description)
	case EventEnded:
		delete(c.rings, r.leg)
		c.recordEnd(r.rec, ev.Cause)
		if c.early == r.leg {
			c.noEarly()
		}
		if ev.Deflected != "" && c.quest == questCall && c.decision.Group == "" && c.decision.Emergency == "" { // the phone of a member only declines
			c.deflect(ev.Deflected)
			return
		}
		switch ev.Cause {
		case pbx.CauseUnallocated, pbx.CauseNumberChanged, pbx.CauseInvalidNumber: // that of the phone: ours exists
			if r.line == nil {
				ev.Cause = pbx.CauseSubscriberAbsent
			}
		}
		if ev.Cause == pbx.CauseCallRejected {
			c.silence(r.ext)
		}
		c.declined(r, ev.Cause)
		c.saidOf(r, ev.Cause)
		c.cause = worse(c.cause, ev.Cause)
		c.crowdedBy(r.line, ev.Cause)
		if len(c.rings) > 0 {
			c.changed()
			return
		}
		switch c.quest {
		case questCall:
			c.follow(c.outcome())
		case questFetch:
			c.end(c.cause)
		case questRecall:
			c.recalled(r.ext, ev.Cause)
			c.recallFailed(c.cause)
		}
	}
}

// silence ends the ringing of the phones of an extension whose user has declined
// at one of them (RFC 3261 section 21.6.2).
func (c *call) silence(ext string) {
	for l, r := range c.rings {
		if r.ext != ext {
			continue
		}
		if c.early == l {
			c.noEarly()
		}
		delete(c.rings, l)
		c.engine.dropLine(l)
		c.recordEnd(r.rec, pbx.CauseAnsweredElsewhere)
		l.Hangup(pbx.CauseAnsweredElsewhere)
	}
}

// deflect goes on with a call that a phone has sent on by itself.
func (c *call) deflect(to string) {
	c.still()
	c.stopRinging(pbx.CauseNoAnswer)
	c.cause = pbx.CauseCallRejected
	c.changed()
	c.carryOut(dialplan.Deflect(c.cfg, c.query, c.decision, to))
}

// saidOf tells why a phone rings no more that rang beside those of others: how
// one alone ended that is told with what follows.
func (c *call) saidOf(r *rung, cause pbx.Cause) {
	if len(c.decision.Ring) < 2 || c.quest != questCall {
		return
	}
	for _, other := range c.rings {
		if other.ext == r.ext {
			return
		}
	}
	c.trace([]dialplan.Step{dialplan.Said(r.ext, dialplan.OutcomeOf(cause))})
}

// alert lets a hear that a phone rings: its early audio, where a has nothing
// else to expect, or ringing as a's own phone makes it, or as we make it when a
// is connected already.
func (c *call) alert(r *rung, early *media.Description) {
	r.alerted = true
	first := !c.alerted
	c.alerted = true
	if c.by != nil && first {
		c.by.leg.Transfer(TransferRinging, 0)
	}
	switch {
	case c.a == nil: // the device calls by itself
	case early != nil && c.early == nil && (c.a.up || !c.forked):
		// Early audio of one of several phones could differ from the answer of
		// another, and the caller takes only the first description that it
		// gets (RFC 3261 section 13.2.1).
		c.early = r.leg
		media.Bridge(c.a.leg.Audio(), r.leg.Audio())
		c.a.hear(hearsPeer, &c.country)
		if !c.a.up {
			d, _ := answerTo(c.a.theirs, &side{theirs: early, speech: speechOf(early)})
			c.a.listens = true
			c.a.leg.Ringing(d)
		}
	case first && c.toned():
		d, _ := answerTo(c.a.theirs, nil)
		c.a.listens = true
		c.a.leg.Ringing(d)
		c.a.hear(hearsRingback, &c.country)
	case c.a.up, c.a.listens: // it makes no ringing tone of its own any more
		if c.early == nil {
			c.a.hear(hearsRingback, &c.country)
		}
	case first:
		c.a.leg.Ringing(nil)
	}
	c.changed()
}

// noEarly ends early audio.
func (c *call) noEarly() {
	if c.early == nil {
		return
	}
	if c.a != nil {
		media.Unbridge(c.a.leg.Audio(), c.early.Audio())
	}
	c.early = nil
}

// stopRinging ends the ringing of all phones.
func (c *call) stopRinging(cause pbx.Cause) {
	c.noEarly()
	for l, r := range c.rings {
		c.engine.dropLine(l)
		c.recordEnd(r.rec, cause)
		l.Hangup(cause)
	}
	clear(c.rings)
}

// answered connects the first phone that answers; the others stop ringing.
func (c *call) answered(r *rung, d *media.Description) {
	s := &side{leg: r.leg, ext: r.ext, user: r.target.UserID, up: true, since: c.engine.deps.Now(), theirs: d, speech: speechOf(d), rec: r.rec}
	c.recordAnswer(s.rec)
	if s.party = (Party{Number: r.ext, Name: r.target.Name}); r.line != nil {
		s.party.Number, s.gateway = r.line.Called, r.line.Gateway
		c.engine.talks(r.leg)
	}
	s.held = d != nil && !d.Direction.Receives()
	delete(c.rings, r.leg)
	if c.early == r.leg {
		c.early = nil // it stays joined
	}
	s.entry = c.entries[s.user]
	delete(c.entries, s.user)
	if s.entry != nil {
		s.entry.begin(s.since)
	}
	if c.quest == questFetch {
		c.fetched(s)
		return
	}
	c.step("answered", "{number} answers", "number", s.party.Number)
	c.heldAtOnce(s)
	c.connect(s)
}

// connect lets a and s talk. Whoever of them waits for an answer gets it.
func (c *call) connect(s *side) {
	c.still()
	c.engine.unpark(c)
	c.stopRinging(pbx.CauseAnsweredElsewhere)
	met := c.a.up || !s.up // not made for each other
	c.b = s
	c.alerted = false
	c.quest, c.recalls, c.parker = questCall, 0, ""
	c.a.leg.Shows(s.shown())
	if met {
		s.leg.Shows(c.a.shown())
	}
	c.answer(c.a, s)
	c.answer(s, c.a)
	if e := c.a.entry; e != nil && e.Result == "" { // the caller's phone was rung first
		e.begin(c.engine.deps.Now())
		e.named(s)
	}
	c.noteElsewhere()
	c.transferDone()
	c.join(met)
}

// answer answers a side that waits for it, for a talk with other or, when that
// is nil, with the device.
func (c *call) answer(s, other *side) {
	if s.up {
		return
	}
	var d *media.Description
	d, s.speech = answerTo(s.theirs, other)
	s.up, s.since = true, c.engine.deps.Now()
	c.recordAnswer(s.rec)
	if s.entry != nil && other != nil {
		s.entry.begin(s.since)
		s.entry.named(other)
	}
	if other != nil {
		c.heldAtOnce(s)
	}
	s.leg.Answer(d)
}

// worse chooses what the caller of several phones is told: an answer of a
// person (busy, rejected) says more than silence, silence more than absence
// (compare the proxy's choice of RFC 3261 section 16.7 step 6).
func worse(a, b pbx.Cause) pbx.Cause {
	if rank(b) > rank(a) {
		return b
	}
	return a
}

func rank(c pbx.Cause) int {
	switch c {
	case 0:
		return 0
	case pbx.CauseSubscriberAbsent, pbx.CauseUnallocated:
		return 1
	case pbx.CauseNoUserResponding, pbx.CauseRecoveryOnTimer, pbx.CauseTemporaryFailure, pbx.CauseNetworkOutOfOrder:
		return 2
	case pbx.CauseCallRejected:
		return 5
	case pbx.CauseUserBusy:
		return 4
	}
	return 3
}
