package call

import (
	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// Meter counts what calls to the outside use up of the limits of calls. Its
// methods are called from any goroutine and do not block.
type Meter interface {
	dialplan.Tolls
	// Begin takes a call into account that is about to leave, on behalf of a user and
	// over a gateway, both by ID, unless limits forbid it: that is decided for one
	// call after the other. It returns 0, what there is to say and the cause then.
	// over is called, not by one of the methods, when a limit is reached while they
	// talk.
	Begin(user, gateway string, class pbx.TollClass, over func(why pbx.Message)) (ticket uint64, said []pbx.Message, refused pbx.Cause)
	// Answered says that they talk from now on.
	Answered(ticket uint64)
	// End says that the call has come to its end, answered or not.
	End(ticket uint64)
}

// charge is a leg to the outside that counts for somebody.
type charge struct {
	ticket uint64
	leg    Leg // under Engine.mu; nil until there is one
}

// tolls is what has been used up of the limits of calls, for the dialplan.
func (e *Engine) tolls() dialplan.Tolls {
	if e.deps.Meter == nil {
		return nil
	}
	return e.deps.Meter
}

// reserve takes a call to the outside into account before it leaves. It returns
// why it may not, or 0. Emergency calls count for nobody.
func (c *call) reserve(l dialplan.Line) (refused pbx.Cause) {
	c.unreserve()
	e := c.engine
	if e.deps.Meter == nil || l.Class == pbx.TollEmergency {
		return 0
	}
	x := &charge{}
	ticket, said, refused := e.deps.Meter.Begin(l.Payer, l.Gateway, l.Class, func(why pbx.Message) { e.exhausted(x, why) })
	if refused != 0 {
		for _, m := range said {
			c.trace([]dialplan.Step{{Rule: "toll", Message: m}})
		}
		return refused
	}
	x.ticket, c.reserved = ticket, x
	return 0
}

// unreserve gives up what was taken into account for a leg that there is none of.
func (c *call) unreserve() {
	if c.reserved != nil {
		c.engine.deps.Meter.End(c.reserved.ticket)
		c.reserved = nil
	}
}

// charged says that the leg is there for which something was taken into account.
func (c *call) charged(l Leg) {
	if c.reserved == nil {
		return
	}
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.reserved.leg = l
	c.engine.charges[l] = c.reserved
	c.reserved = nil
}

// talks says that a leg to the outside was answered.
func (e *Engine) talks(l Leg) {
	e.mu.Lock()
	x := e.charges[l]
	e.mu.Unlock()
	if x != nil {
		e.deps.Meter.Answered(x.ticket)
	}
}

// exhausted ends the call in which a leg is by now: a limit is reached.
func (e *Engine) exhausted(x *charge, why pbx.Message) {
	e.mu.Lock()
	c := e.lines[x.leg]
	e.mu.Unlock()
	if c == nil {
		return
	}
	e.post(c, func() {
		for _, s := range []*side{c.a, c.b, c.by} {
			if s != nil && s.leg == x.leg {
				c.trace([]dialplan.Step{{Rule: "toll", Message: why}, {Rule: "toll", Message: pbx.LimitReached()}})
				c.end(pbx.CauseNotAuthorised)
				return
			}
		}
		if now := e.callOf(x.leg); now != c { // it has gone to another call meanwhile
			e.exhausted(x, why)
		}
	})
}
