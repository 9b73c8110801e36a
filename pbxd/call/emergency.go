package call

import (
	"slices"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// emergencyReserve is how many calls may go on beyond MaxCalls when they are
// emergency calls.
const emergencyReserve = 64

// seizeTime is for how long an emergency call waits at most until the call whose
// line it takes has been hung up.
const seizeTime = 500 * time.Millisecond

// Emergency is a call for help, as those are told who look after the office.
type Emergency struct {
	Call    string    // CallStatus.ID
	At      time.Time // when the number was dialled
	Number  string    // emergency number, as the authority knows it
	User    string    // ID of who calls; "" when that is not known
	Phone   string    // extension that the phone is registered on; "" when that is not known
	Likely  string    // extension that is registered from the address of a phone that has not shown whose it is; "" for none
	Claims  string    // extension that such a phone says it has; "" for none
	Address string    // of the phone, with the port; "" when somebody is transferred to the number
	Gateway string    // ID of the gateway over which the call goes; "" when none takes it
}

// urgent reports whether digits are those of an emergency call, which no number
// of calls prevents.
func (e *Engine) urgent(digits string) bool {
	_, is := e.deps.Config().Emergency(digits)
	return is
}

// helps tells of an emergency call once a line takes it, and when none has. Calls
// of help lines concern nobody else.
func (c *call) helps(d dialplan.Decision, gateway string) {
	told := c.engine.deps.Watch.Emergency
	if told == nil || d.Emergency == "" || c.helped && gateway != "" || !c.rescue(d.Emergency) {
		return
	}
	c.helped = true
	x := Emergency{Call: c.status.ID, At: c.status.Started, Number: d.Emergency, User: c.query.Caller.UserID, Gateway: gateway}
	switch {
	case c.transferor != "":
		x.Phone = c.transferor
	case c.in.Leg != nil:
		x.Phone, x.Likely, x.Claims, x.Address = c.in.Phone, c.in.Likely, c.in.Claims, c.in.Address
	}
	told(x)
}

// rescue reports whether an emergency number is one of police, fire brigade,
// ambulance or rescue.
func (c *call) rescue(number string) bool {
	return slices.ContainsFunc(c.country.Emergency, func(e pbx.Emergency) bool { return e.Number == number && e.Kind == pbx.EmergencyRescue })
}

// seize ends a call over a gateway that has no line free, for an emergency call:
// the one that has begun last, and none that is an emergency call itself. The
// emergency call dials once the other has been hung up, since the provider counts
// lines, too. False when there is nothing to wait for.
func (c *call) seize(d dialplan.Decision) bool {
	l := d.Lines[0]
	g := c.cfg.GatewayByID(l.Gateway)
	_, calls := c.engine.deps.Lines.Line(l.Gateway)
	if g == nil || g.MaxCalls == 0 || calls < g.MaxCalls {
		return false
	}
	victim := c.engine.lastOn(l.Gateway, c)
	return victim != nil && c.seizeFrom(victim, d)
}

// seizeFrom is seize with the call that ends.
func (c *call) seizeFrom(victim *call, d dialplan.Decision) bool {
	l := d.Lines[0]
	c.step("emergency", "A call over {gateway} is ended for this one", "gateway", l.Name)
	c.seizing = true
	dial := func() { c.engine.post(c, func() { c.seized(d) }) }
	if !c.engine.post(victim, func() {
		defer dial()
		victim.step("ended", "The line is needed for an emergency call")
		victim.end(pbx.CauseNoCircuit)
	}) {
		c.seizing = false
		return false
	}
	time.AfterFunc(seizeTime, dial)
	return true
}

// seized dials over a line that another call has given up, once.
func (c *call) seized(d dialplan.Decision) {
	if !c.seizing || c.ended {
		return
	}
	c.seizing = false
	if !c.dialOver(d) {
		c.follow(dialplan.LineFailed)
	}
}

// crowdedBy notes that a provider has refused an emergency call for what may mean
// that it has no line left for us: how many we have, it knows best.
func (c *call) crowdedBy(l *dialplan.Line, cause pbx.Cause) {
	if l == nil || !l.Seize {
		return
	}
	switch cause {
	case pbx.CauseUserBusy, pbx.CauseNoCircuit, pbx.CauseTemporaryFailure, pbx.CauseCongestion, pbx.CauseBearerNotAvailable:
		c.crowded = append(c.crowded, *l)
	}
}

// retake tries once more, after every line has failed, over a gateway that may have
// had no line left, when there is a call to end there; each gateway once.
func (c *call) retake(d dialplan.Decision) bool {
	for d.Emergency != "" && len(c.crowded) > 0 {
		l := c.crowded[0]
		c.crowded = c.crowded[1:]
		if c.retaken[l.Gateway] {
			continue
		}
		victim := c.engine.lastOn(l.Gateway, c)
		if victim == nil {
			continue
		}
		if c.retaken == nil {
			c.retaken = map[string]bool{}
		}
		c.retaken[l.Gateway] = true
		again := dialplan.Decision{Kind: dialplan.Outside, Emergency: d.Emergency, Lines: []dialplan.Line{l}, Diversions: []dialplan.Diversion{}, Ring: []dialplan.Target{}}
		c.decision = again
		if c.seizeFrom(victim, again) || c.dialOver(again) {
			c.wait(lineTime, func() {
				c.cause = pbx.CauseNoAnswer
				c.follow(dialplan.NoAnswer)
			})
			return true
		}
	}
	return false
}

// lastOn returns the call over a gateway that has begun last, is not that for which
// it is sought, is no emergency call and does not give up its line for one already;
// it does so from now on. Nil when there is none.
func (e *Engine) lastOn(gateway string, by *call) (last *call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for l, over := range e.over { // wherever the leg has gone since
		if c := e.lines[l]; c != nil && over == gateway && c != by && !c.urgent && !c.yields && (last == nil || c.order > last.order) {
			last = c
		}
	}
	if last != nil {
		last.yields = true
	}
	return last
}
