package call

import (
	"slices"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
)

// firstYear is the year before which the clock cannot have been set.
const firstYear = 2025

// route begins a call that a phone has made.
func (c *call) route() {
	if c.in.Gateway == "" {
		c.identify(c.a, c.in.Caller.Number)
	} else { // whatever number somebody outside has, it is no extension
		c.a.party.Number = dialplan.CallerOver(c.cfg, c.in.Gateway, c.in.Caller.Number)
		c.nameCaller()
	}
	c.recordCaller(c.a)
	if c.in.Replaces != nil {
		c.takesPlace()
		return
	}
	c.joined(c.a.leg, c.a.party)
	c.changed()
	c.seek(c.a, c.in.Digits, c.in.Anonymous)
}

// identify finds the user whose extension a side has.
func (c *call) identify(s *side, extension string) {
	if u := c.cfg.UserByExtension(extension); u != nil && extension != "" {
		s.user, s.ext = u.ID, u.Extension
	}
}

// seek carries out what the dialplan decides for digits that a side of the
// device has dialled. a is who waits for the answer.
func (c *call) seek(dialler *side, digits string, hidden bool) {
	q := dialplan.Query{Digits: digits, State: c.engine, Hidden: hidden, Patterns: &c.engine.patterns, Lines: c.engine.line, Tolls: c.engine.tolls(), Caller: dialplan.Caller{UserID: dialler.user, Away: dialler.away}}
	if dialler == c.a {
		for _, x := range c.in.Diversions {
			q.Diverted = append(q.Diverted, x.Number)
		}
	}
	if dialler.user == "" && dialler == c.a && c.in.Unknown {
		q.Caller = dialplan.Caller{Unknown: true}
	} else if dialler.user == "" {
		q.Caller = dialplan.Caller{Number: dialler.shown().Number, Name: dialler.shown().Name}
	}
	if dialler == c.a && !c.a.up && c.in.Gateway != "" {
		q.Gateway = c.in.Gateway
		if !c.a.hidden {
			q.Caller.Number = c.in.Caller.Number
		}
	}
	if dialler != c.a { // transferred: the phone shows whom it will talk with
		shown := c.a.shown()
		q.Shown = &dialplan.Shown{Number: shown.Number, Name: shown.Name}
	}
	if quickdial, ok := dialplan.QuickDialled(c.cfg, digits); ok && dialler.user != "" && c.engine.deps.QuickDial != nil {
		q.QuickDial = c.engine.deps.QuickDial(dialler.user, quickdial)
	}
	if now := c.engine.deps.Now(); now.Year() >= firstYear {
		q.Time = now
		if zone, err := time.LoadLocation(c.cfg.Locale.TimeZone); err == nil {
			q.Time = now.In(zone)
		}
	}
	c.query, c.quest, c.sentOn = q, questCall, 0
	c.carryOut(dialplan.Decide(c.cfg, q))
}

// carryOut does what was decided, and what follows when no phone can be
// called.
func (c *call) carryOut(d dialplan.Decision) {
	for {
		c.nameTargets(&d)
		c.decision = d
		c.log.Debug("decided", "kind", d.Kind, "extensions", len(d.Ring), "seconds", d.Timeout, "diversions", len(d.Diversions))
		c.trace(d.Trace)
		c.noteDecision(d)
		c.recordSought(d)
		switch d.Kind {
		case dialplan.Refuse:
			if c.retake(d) {
				return
			}
			c.helps(d, "")
			c.fails(d.Refuse)
			return
		case dialplan.Function:
			c.function(d)
			return
		case dialplan.Outside:
			if refused := c.reserve(d.Lines[0]); refused != 0 {
				c.fails(refused)
				return
			}
		}
		rings, most, fails := c.dial, time.Duration(d.Timeout)*time.Second, dialplan.NotRegistered
		if d.Kind == dialplan.Outside {
			rings, most, fails = c.dialLine, lineTime, dialplan.LineFailed
		}
		if rings(d) {
			c.wait(most, func() {
				c.cause = pbx.CauseNoAnswer
				c.follow(dialplan.NoAnswer)
			})
			return
		}
		c.unreserve()
		d = c.following(fails)
	}
}

// dial calls the phones of everybody who rings. It returns false when there is
// none.
func (c *call) dial(d dialplan.Decision) bool {
	c.cause = pbx.CauseSubscriberAbsent
	for _, t := range d.Ring {
		if c.transferor == "" {
			c.a.hidden = t.Number == ""
		}
		c.ringAt(t.Extension, t, Dial{
			Extension: t.Extension, Caller: Party{Number: t.Number, Name: t.CallerName}, Prefix: t.Prefix, Anonymous: t.Number == "",
			Alert: alertOf(t), AutoAnswer: t.AutoAnswer, Diversions: append(diversionsOf(d), c.in.Diversions...),
		})
	}
	c.forked = len(c.rings) > 1 || c.mayGoOn(d)
	c.changed()
	if len(c.rings) == 0 {
		return false
	}
	c.cause = 0
	return true
}

// ringAt rings the phones of one extension for a.
func (c *call) ringAt(extension string, t dialplan.Target, d Dial) {
	d.Extension, d.Notify = extension, func(ev Event) { c.engine.notify(c, ev) }
	if c.in.Leg != nil {
		d.Passed = c.in.Passed + 1
	}
	if c.by != nil {
		d.ReferredBy = c.by.shown()
	}
	if d.Offer = offerFor(nil, media.Format{}); c.a != nil {
		d.Offer = offerFor(c.a.theirs, c.a.speech)
	}
	c.engine.rings(c, extension) // before a phone does: somebody may be quick to pick the call up
	legs, err := c.engine.deps.Dialer.Dial(d)
	if err != nil {
		c.log.Warn("no leg could be started", "extension", extension, "err", err)
		c.cause = pbx.CauseTemporaryFailure
	}
	for _, l := range legs {
		c.rings[l] = &rung{leg: l, ext: extension, target: t, rec: c.recordLeg(recordLeg{
			RecordLeg: pbx.RecordLeg{Party: pbx.RecordParty{Number: extension, Name: t.Name, User: t.UserID}}, dialed: true})}
		c.engine.connectLine(l, c)
		c.joined(l, Party{Number: extension, Name: t.Name})
	}
}

// alertOf is the word for which a phone is set to another ringing tone (RFC 3261
// section 20.4).
func alertOf(t dialplan.Target) string {
	switch {
	case t.AutoAnswer:
		return "alert-autoanswer"
	case t.DoorStation:
		return "alert-door"
	}
	return ""
}

// diversionsOf is who has sent the call on, the last one first.
func diversionsOf(d dialplan.Decision) (list []Diversion) {
	for _, x := range slices.Backward(d.Diversions) {
		list = append(list, Diversion{Number: x.Extension, Name: x.Name, Reason: x.Reason})
	}
	return list
}

// mayGoOn reports whether another phone rings, or somebody outside is called, when
// this one does not take the call. The caller then hears no early audio: it would take its description
// for that of the phone that answers.
func (c *call) mayGoOn(d dialplan.Decision) bool {
	for _, o := range dialplan.Outcomes() {
		if kind := dialplan.Next(c.cfg, c.query, d, o).Kind; kind == dialplan.Ring || kind == dialplan.Outside {
			return true
		}
	}
	return false
}

// follow goes on with what follows an outcome of the decision.
func (c *call) follow(o dialplan.Outcome) {
	c.still()
	c.stopRinging(pbx.CauseNoAnswer)
	c.carryOut(c.following(o))
}

// following is the decision that follows an outcome. When it is the end, the
// caller is told the cause that the phones gave.
func (c *call) following(o dialplan.Outcome) dialplan.Decision {
	c.changed()
	d := dialplan.Next(c.cfg, c.query, c.decision, o)
	if d.Kind == dialplan.Refuse && c.decision.Group == "" && len(d.Diversions) == len(c.decision.Diversions) {
		d.Refuse = c.cause
	}
	return d
}

// function answers a function code.
func (c *call) function(d dialplan.Decision) {
	switch d.Function {
	case pbx.FunctionPark:
		c.parkCode(d.Argument)
		return
	case pbx.FunctionDirectPickup:
		c.pickUp(d.Argument)
		return
	case pbx.FunctionGroupPickup:
		c.pickUp(c.pickupExtensions(d.Argument)...)
		return
	}
	var p Program
	if find := c.engine.deps.Function; find != nil && c.transferor == "" {
		p = find(d)
	}
	if p == nil {
		c.step("function-code", "Nothing answers this function")
		c.fails(pbx.CauseNotImplemented)
		return
	}
	c.serve(p, d)
}

// fails: nobody was found for a.
func (c *call) fails(cause pbx.Cause) {
	switch {
	case c.transferor != "":
		c.transferFailed(cause)
	case c.a != nil && c.a.up:
		c.release(cause)
	default:
		c.end(cause)
	}
}

// releaseTime is for how long somebody hears that a call has failed.
const releaseTime = 10 * time.Second

// release lets a hear why nobody was found, and then hangs up.
func (c *call) release(cause pbx.Cause) {
	tone := hearsCongestion
	switch cause {
	case pbx.CauseUserBusy, pbx.CauseNoAnswer, pbx.CauseCallRejected, pbx.CauseNormalUnspecified, pbx.CauseSubscriberAbsent:
		tone = hearsBusy
	}
	c.stopRinging(cause)
	c.engine.unpark(c)
	c.quest, c.transferor, c.alerted, c.released = questCall, "", false, true
	c.a.hear(tone, &c.country)
	c.step("release", "{number} hears the busy tone: {cause}", "number", c.a.party.Number, "cause", cause.Message())
	c.changed()
	c.wait(releaseTime, func() { c.end(cause) })
}
