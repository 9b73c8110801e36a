package call

import (
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// Transfer is the wish of one side of a call to be replaced by another (RFC
// 3515).
type Transfer struct {
	Target string // number that the other side shall be connected to
	// Replaces is the asking side's leg of its other call: the other side shall
	// take its place there (attended transfer). Nil for a blind one.
	Replaces   Leg
	ReferredBy Party // who asks, as it says itself (RFC 3892); empty when not said
}

// TransferProgress is how far a transfer has come.
type TransferProgress int

// The steps of a transfer.
const (
	TransferTaken   TransferProgress = iota // the call tries
	TransferRinging                         // the target is alerted
	TransferDone                            // the target has answered; the last word
	TransferFailed                          // refused or failed; the last word
)

// Diversion is one party that a call was for before it was sent on.
type Diversion struct {
	Number string
	Name   string
	Reason pbx.DiversionReason
}

// transfer takes the wish of a side to be replaced.
func (c *call) transfer(s *side, t *Transfer) {
	other := c.otherOf(s)
	if other == nil || t == nil || !other.up || c.lent || c.by != nil || c.transferor != "" {
		s.leg.Transfer(TransferFailed, pbx.CauseCallRejected)
		return
	}
	if t.Replaces != nil {
		c.transferInto(s, other, t.Replaces)
		return
	}
	s.leg.Transfer(TransferTaken, 0)
	c.step("transfer", "{number} transfers {other} to {target}", "number", s.party.Number, "other", other.party.Number, "target", t.Target)
	c.part(s, other)
	c.a, c.b, c.by, c.transferor = other, nil, s, s.ext
	if c.transferor == "" {
		c.transferor = "anonymous" // nobody who could be called back
	}
	s.entry.pause(c.engine.deps.Now())
	c.mover = s.rec
	c.recordAct(c.mover, pbx.RecordTransferred)
	c.status.To = t.Target
	c.configure()
	c.changed()
	c.seek(s, t.Target, false)
}

// transferDone: the target of a transfer has answered.
func (c *call) transferDone() {
	c.transferor = ""
	if by := c.by; by != nil {
		c.by = nil
		by.leg.Transfer(TransferDone, 0)
		c.letGo(by, pbx.CauseNormalClearing)
	}
}

// transferFailed gives the call back to who wanted to transfer it, or calls them
// back when they have hung up.
func (c *call) transferFailed(cause pbx.Cause) {
	c.still()
	c.stopRinging(cause)
	c.alerted = false
	back := c.transferor
	c.transferor = ""
	c.noteRest()
	c.step("transfer", "The transfer fails: {cause}", "cause", cause.Message())
	if by := c.by; by != nil {
		c.recordUndone(c.mover)
		c.by, c.b, c.status.To = nil, by, by.party.Number
		by.entry.resume(c.engine.deps.Now())
		by.leg.Transfer(TransferFailed, cause)
		c.join(false)
		return
	}
	c.recall(back, "", cause)
}

// transferInto gives other to the call in which r is, in place of r (RFC 5589
// section 7). s has both calls.
func (c *call) transferInto(s, other *side, r Leg) {
	to := c.engine.callOf(r)
	if to == nil || to == c {
		s.leg.Transfer(TransferFailed, pbx.CauseTemporaryFailure)
		return
	}
	c.part(s, other)
	c.a, c.b, c.lent = s, nil, true
	s.entry.pause(c.engine.deps.Now())
	who := s.ext
	c.hand(handover{side: other, take: func(y *call, o *side) pbx.Cause { return y.replace(o, r, who) }, done: func(refused pbx.Cause, back *side) {
		c.lent = false
		if c.ended {
			if back != nil {
				c.letGo(back, refused)
			}
			return
		}
		switch {
		case back == nil:
			c.step("transfer", "{number} connects {other} with the other call", "number", who, "other", other.party.Number)
			c.recordAct(s.rec, pbx.RecordTransferred)
			if c.a != nil {
				c.a.leg.Transfer(TransferDone, 0)
			}
			c.onward = to.status.ID
			c.end(pbx.CauseNormalClearing)
		case c.a == nil: // hung up meanwhile
			c.a = back
			c.recall(who, "", refused)
		default:
			c.b = back
			c.a.entry.resume(c.engine.deps.Now())
			c.a.leg.Transfer(TransferFailed, refused)
			c.join(false)
		}
	}}, to)
	c.changed()
}

// recallTime is for how long somebody rings who is called back.
const recallTime = 60 * time.Second

// recall rings who has parked or transferred a, who waits. prefix is shown
// before a's number; cause is what a hears of when nobody can be called back.
func (c *call) recall(extension, prefix string, cause pbx.Cause) {
	u := c.cfg.UserByExtension(extension)
	if u == nil || extension == "" {
		c.release(cause)
		return
	}
	c.quest, c.cause, c.decision = questRecall, cause, dialplan.Decision{}
	shown := c.a.shown()
	c.ringAt(extension, dialplan.Target{Extension: extension, UserID: u.ID, Name: u.DisplayName()}, Dial{Caller: shown, Anonymous: shown.Number == "", Prefix: prefix})
	if len(c.rings) == 0 {
		c.recalled(extension, pbx.CauseSubscriberAbsent)
		c.recallFailed(cause)
		return
	}
	c.forked, c.cause = len(c.rings) > 1, 0
	c.noteRung(dialplan.Target{Extension: extension, UserID: u.ID, Number: shown.Number, CallerName: shown.Name}, "")
	c.status.To = extension
	c.step("recall", "{name} is called back", "name", extension)
	c.a.hear(hearsRingback, &c.country)
	c.changed()
	c.wait(recallTime, func() {
		c.recalled(extension, pbx.CauseNoAnswer)
		c.recallFailed(pbx.CauseNoAnswer)
	})
}

// recalled tells why somebody who was called back does not take the call.
func (c *call) recalled(extension string, cause pbx.Cause) {
	c.trace([]dialplan.Step{dialplan.Said(extension, dialplan.OutcomeOf(cause))})
}

// maxRecalls is how often a parked call rings back before it is given up.
const maxRecalls = 3

// recallFailed: who was called back does not answer. A parked call goes back to
// its place.
func (c *call) recallFailed(cause pbx.Cause) {
	c.still()
	c.stopRinging(pbx.CauseNoAnswer)
	c.alerted = false
	c.recalls++
	if c.parker != "" && c.recalls < maxRecalls && c.engine.park(c, c.parkedIn) {
		c.quest, c.status.To = questCall, c.cfg.FunctionCodes.Park+c.place
		c.step("park", "{number} is parked in {place}", "number", c.a.party.Number, "place", c.place)
		c.waitParked()
		return
	}
	c.release(cause)
}
