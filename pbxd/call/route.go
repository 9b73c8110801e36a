package call

import (
	"context"
	"slices"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
)

// firstYear is the year before which the clock cannot have been set.
const firstYear = 2025

// run carries out decisions of the dialplan until somebody answers or nothing
// follows, and then the call until it ends.
func (c *call) run(ctx context.Context) {
	c.cfg = c.engine.deps.Config()
	c.publish()
	if c.in.Replaces != nil {
		c.end(pbx.CauseCallRejected)
		return
	}
	c.query = c.asked()
	c.engine.hold(c, c.own)
	c.ring = time.NewTimer(time.Hour)
	defer c.ring.Stop()
	c.carryOut(dialplan.Decide(c.cfg, c.query))
	for !c.ended {
		select {
		case ev := <-c.events:
			c.handle(ev)
		case <-c.ring.C:
			if c.b == nil {
				c.cause = pbx.CauseNoAnswer
				c.next(dialplan.NoAnswer)
			}
		case <-ctx.Done():
			c.end(pbx.CauseNormalClearing)
		}
	}
}

// asked is what the dialplan is asked.
func (c *call) asked() dialplan.Query {
	q := dialplan.Query{Digits: c.in.Digits, State: c.engine, Caller: dialplan.Caller{Number: c.in.Caller.Number, Name: c.in.Caller.Name}}
	if u := c.cfg.UserByExtension(c.in.Caller.Number); u != nil {
		q.Caller, c.own = dialplan.Caller{UserID: u.ID, Away: c.in.Away}, u.Extension
	}
	if quickdial, ok := dialplan.QuickDialled(c.cfg, q.Digits); ok && q.Caller.UserID != "" && c.engine.deps.QuickDial != nil {
		q.QuickDial = c.engine.deps.QuickDial(q.Caller.UserID, quickdial)
	}
	if now := c.engine.deps.Now(); now.Year() >= firstYear {
		q.Time = now
		if zone, err := time.LoadLocation(c.cfg.Locale.TimeZone); err == nil {
			q.Time = now.In(zone)
		}
	}
	return q
}

// carryOut does what was decided, and what follows when no phone can be
// called.
func (c *call) carryOut(d dialplan.Decision) {
	for {
		c.decision = d
		c.log.Debug("decided", "kind", d.Kind, "extensions", len(d.Ring), "seconds", d.Timeout, "diversions", len(d.Diversions))
		switch d.Kind {
		case dialplan.Refuse:
			c.end(d.Refuse)
			return
		case dialplan.Function:
			c.log.Info("this function cannot be dialled yet", "function", d.Function)
			c.end(pbx.CauseNotImplemented)
			return
		}
		if c.dial(d) {
			c.ring.Reset(time.Duration(d.Timeout) * time.Second)
			return
		}
		d = c.following(dialplan.NotRegistered)
	}
}

// dial calls the phones of everybody who rings. It returns false when there is
// none.
func (c *call) dial(d dialplan.Decision) bool {
	c.cause = pbx.CauseSubscriberAbsent
	for _, t := range d.Ring {
		c.engine.hold(c, t.Extension)
		legs, err := c.engine.deps.Dialer.Dial(Dial{
			Extension: t.Extension, Caller: Party{Number: t.Number, Name: t.CallerName}, Prefix: t.Prefix, Anonymous: t.Number == "", Offer: c.in.Offer, Notify: c.notify,
			Alert: alertOf(t), AutoAnswer: t.AutoAnswer, Diversions: diversionsOf(d),
		})
		if err != nil {
			c.log.Warn("no leg could be started", "extension", t.Extension, "err", err)
			c.cause = pbx.CauseTemporaryFailure
		}
		for _, l := range legs {
			c.legs[l] = t.Extension
		}
	}
	if len(c.legs) == 0 {
		return false
	}
	c.cause = 0
	c.forked = len(c.legs) > 1 || c.mayGoOn(d)
	return true
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

// mayGoOn reports whether another phone rings when this one does not take the
// call. The caller then hears no early audio: it would take its description
// for that of the phone that answers.
func (c *call) mayGoOn(d dialplan.Decision) bool {
	for _, o := range dialplan.Outcomes() {
		if dialplan.Next(c.cfg, c.query, d, o).Kind == dialplan.Ring {
			return true
		}
	}
	return false
}

// next goes on with what follows an outcome of the decision.
func (c *call) next(o dialplan.Outcome) {
	c.ring.Stop()
	for l := range c.legs {
		l.Hangup(pbx.CauseNoAnswer)
	}
	clear(c.legs)
	if c.early != nil {
		media.Unbridge(c.a.Audio(), c.early.Audio())
		c.early = nil
	}
	c.carryOut(c.following(o))
}

// following is the decision that follows an outcome. When it is the end, the
// caller is told the cause that the phones gave.
func (c *call) following(o dialplan.Outcome) dialplan.Decision {
	c.engine.release(c, c.own)
	d := dialplan.Next(c.cfg, c.query, c.decision, o)
	if d.Kind == dialplan.Refuse && c.decision.Group == "" && len(d.Diversions) == len(c.decision.Diversions) {
		d.Refuse = c.cause
	}
	return d
}

// dialled reports whether a leg rings.
func (c *call) dialled(l Leg) bool {
	_, is := c.legs[l]
	return is
}
