package call

import (
	"errors"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
)

// Lines makes legs to the outside.
type Lines interface {
	// DialLine starts a call over a gateway. The error wraps ErrLineBusy when the
	// gateway has all the calls that it may have.
	DialLine(d LineDial) (Leg, error)
	// Line tells whether a gateway, by ID, can be reached, and how many calls it
	// has.
	Line(gateway string) (up bool, calls int)
}

// ErrLineBusy says that a gateway takes no further call.
var ErrLineBusy = errors.New("the gateway has all the calls that it may have")

// LineDial asks for a leg over a gateway.
type LineDial struct {
	Gateway string             // by ID
	Number  string             // as the provider is told it
	Caller  Party              // whom the called side is to see; without a number the gateway's own
	Offer   *media.Description // audio of the calling side; nil leaves the choice to the edge
	Notify  func(Event)        // does not block; may be called before DialLine returns

	Asserted   string      // number that the provider is told of who calls (RFC 3325)
	Hidden     bool        // the called side must not see who calls (RFC 3323)
	Emergency  bool        // it takes a line beyond what the gateway may have
	Diversions []Diversion // who the call was for before, the last one first (RFC 5806, RFC 7044)
	ReferredBy Party       // who transfers the caller; empty when nobody does
	Passed     int         // hops that the call has come over
}

// lineTime is for how long a call over a line may ring: a provider ends it before.
const lineTime = 5 * time.Minute

// dialLine calls over the first line of a decision; false when it does not take
// the call. c.cause then says why.
func (c *call) dialLine(d dialplan.Decision) bool {
	l := d.Lines[0]
	lines := c.engine.deps.Lines
	if lines == nil {
		c.cause = pbx.CauseNoCircuit
		return false
	}
	if l.Seize {
		c.seize(l)
	}
	if c.transferor == "" {
		c.a.hidden = l.Hidden
	}
	dial := LineDial{
		Gateway: l.Gateway, Number: l.Number, Asserted: l.Asserted, Hidden: l.Hidden, Emergency: l.Seize, Caller: Party{Number: l.CallerID},
		Offer: offerFor(nil, media.Format{}), Diversions: append(diversionsOf(d), c.in.Diversions...), Notify: func(ev Event) { c.engine.notify(c, ev) },
	}
	if c.a != nil {
		dial.Offer, dial.Caller.Name = offerFor(c.a.theirs, c.a.speech), c.a.shown().Name
	}
	if c.in.Leg != nil {
		dial.Passed = c.in.Passed + 1
	}
	if c.by != nil {
		dial.ReferredBy = c.by.shown()
	}
	leg, err := lines.DialLine(dial)
	if err != nil {
		c.cause = pbx.CauseTemporaryFailure
		if errors.Is(err, ErrLineBusy) {
			c.cause = pbx.CauseNoCircuit
		}
		c.log.Info("no call over the gateway", "gateway", l.Name, "err", err)
		return false
	}
	c.rings[leg] = &rung{leg: leg, line: &l}
	c.engine.connectLine(leg, c)
	c.joined(leg, Party{Number: l.Called})
	c.engine.onLine(c, l.Gateway, l.Seize)
	c.forked, c.cause = len(d.Lines) > 1, 0
	c.changed()
	return true
}

// lineFailed reports whether a cause says that a line could not take the call, so
// that another may (RFC 3398 section 7.2.4.1): 408, 5xx, congestion, no route.
// Who is busy, declines or does not exist is so by any line.
func lineFailed(cause pbx.Cause) bool {
	switch cause {
	case pbx.CauseNoUserResponding, pbx.CauseOutOfOrder, pbx.CauseNoCircuit, pbx.CauseNetworkOutOfOrder, pbx.CauseTemporaryFailure, pbx.CauseCongestion,
		pbx.CauseRecoveryOnTimer, pbx.CauseInterworking, pbx.CauseBearerNotAvailable, pbx.CauseNotAuthorised, pbx.CauseFacilityRejected, pbx.CauseNotImplemented:
		return true
	}
	return false
}

// outcome is why what was decided came to nothing.
func (c *call) outcome() dialplan.Outcome {
	if c.decision.Kind == dialplan.Outside && lineFailed(c.cause) {
		return dialplan.LineFailed
	}
	return dialplan.OutcomeOf(c.cause)
}

// seize ends a call over a gateway that has no line free, for an emergency call:
// the one that has begun last, and none that is an emergency call itself.
func (c *call) seize(l dialplan.Line) {
	g := c.cfg.GatewayByID(l.Gateway)
	_, calls := c.engine.deps.Lines.Line(l.Gateway)
	if g == nil || g.MaxCalls == 0 || calls < g.MaxCalls {
		return
	}
	victim := c.engine.lastOn(l.Gateway)
	if victim == nil || victim == c {
		return
	}
	c.step("emergency", "A call over {gateway} is ended for this one", "gateway", l.Name)
	c.engine.post(victim, func() {
		victim.step("ended", "The line is needed for an emergency call")
		victim.end(pbx.CauseNoCircuit)
	})
}

// onLine notes which gateway a call goes over.
func (e *Engine) onLine(c *call, gateway string, emergency bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.gateway, c.urgent = gateway, emergency
}

// lastOn returns the call over a gateway that has begun last and is no emergency
// call, or nil.
func (e *Engine) lastOn(gateway string) (last *call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.calls {
		if c.gateway == gateway && !c.urgent && (last == nil || c.order > last.order) {
			last = c
		}
	}
	return last
}

// line is the state of a gateway for the dialplan.
func (e *Engine) line(gateway string) (up bool, calls int) {
	if e.deps.Lines == nil {
		return false, 0
	}
	return e.deps.Lines.Line(gateway)
}
