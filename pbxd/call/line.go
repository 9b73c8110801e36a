package call

import (
	"cmp"
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

	Original   Party       // who has called, of a call that is forwarded; empty of one that nobody forwards, or whose caller is hidden
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
	if c.engine.deps.Lines == nil {
		c.cause = pbx.CauseNoCircuit
		return false
	}
	return d.Lines[0].Seize && c.seize(d) || c.dialOver(d)
}

// dialOver is dialLine without taking the line of another call.
func (c *call) dialOver(d dialplan.Decision) bool {
	l := d.Lines[0]
	if c.transferor == "" {
		c.a.hidden = l.Hidden || c.in.Anonymous && c.in.Gateway != "" // somebody outside stays so when the call is sent on
	}
	dial := LineDial{
		Gateway: l.Gateway, Number: l.Number, Asserted: l.Asserted, Hidden: l.Hidden, Emergency: l.Seize, Caller: Party{Number: l.CallerID},
		Offer: offerFor(nil, media.Format{}), Diversions: append(diversionsOf(d), c.in.Diversions...), Notify: func(ev Event) { c.engine.notify(c, ev) },
	}
	if c.a != nil {
		dial.Offer = offerFor(c.a.theirs, c.a.speech)
	}
	if c.a != nil && !c.in.Unknown && len(dial.Diversions) == 0 { // the number of who forwards has another name
		dial.Caller.Name = c.a.shown().Name
	}
	if c.in.Leg != nil {
		dial.Passed = c.in.Passed + 1
	}
	if c.by != nil {
		dial.ReferredBy = c.by.shown()
	}
	if len(dial.Diversions) > 0 && c.a != nil {
		dial.Original = c.a.shown()
	}
	leg, err := c.engine.deps.Lines.DialLine(dial)
	if err != nil {
		c.cause = pbx.CauseTemporaryFailure
		if errors.Is(err, ErrLineBusy) {
			c.cause = pbx.CauseNoCircuit
		}
		c.log.Info("no call over the gateway", "gateway", l.Name, "err", err)
		return false
	}
	rec := c.recordLine(&l)
	rec.Party.Name = cmp.Or(rec.Party.Name, c.engine.calledName(l, ""))
	c.rings[leg] = &rung{leg: leg, line: &l, target: dialplan.Target{Name: rec.Party.Name}, rec: c.recordLeg(rec)}
	c.engine.connectLine(leg, c)
	c.charged(leg)
	c.joined(leg, Party{Number: l.Called, Name: rec.Party.Name})
	c.engine.onLine(c, leg, l.Gateway, d.Emergency != "")
	c.helps(d, l.Gateway)
	c.forked, c.cause = false, 0 // what a provider says is heard, also when another comes after it
	c.changed()
	return true
}

// toned reports whether a hears our ringing tone in place of that of its provider
// (the enhanced parameter inband_progress).
func (c *call) toned() bool {
	if c.in.Gateway == "" || c.a.theirs == nil || c.a.up {
		return false
	}
	g := c.cfg.GatewayByID(c.in.Gateway)
	return g != nil && g.Options().InbandRinging
}

// lineFailed reports whether a cause says that a line could not take the call, so
// that another may (RFC 3398 section 7.2.4.1): 408, 5xx, congestion, no route.
// Who is busy, declines or does not exist is so by any line.
func lineFailed(cause pbx.Cause) bool {
	switch cause {
	case pbx.CauseNoRouteTransit, pbx.CauseNoRoute, pbx.CauseNoUserResponding, pbx.CauseOutOfOrder, pbx.CauseNoCircuit, pbx.CauseNetworkOutOfOrder,
		pbx.CauseTemporaryFailure, pbx.CauseCongestion, pbx.CauseChannelNotThere, pbx.CauseNoResource,
		pbx.CauseRecoveryOnTimer, pbx.CauseInterworking, pbx.CauseBearerNotAvailable, pbx.CauseNotAuthorised, pbx.CauseFacilityRejected, pbx.CauseNotImplemented:
		return true
	}
	return false
}

// outcome is why what was decided came to nothing.
func (c *call) outcome() dialplan.Outcome {
	if c.decision.Kind == dialplan.Outside && (lineFailed(c.cause) || c.decision.Emergency != "") { // not every provider knows every emergency number
		return dialplan.LineFailed
	}
	return dialplan.OutcomeOf(c.cause)
}

// onLine notes which gateway a leg of a call goes over.
func (e *Engine) onLine(c *call, l Leg, gateway string, emergency bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over[l], c.urgent = gateway, emergency
}

// line is the state of a gateway for the dialplan.
func (e *Engine) line(gateway string) (up bool, calls int) {
	if e.deps.Lines == nil {
		return false, 0
	}
	return e.deps.Lines.Line(gateway)
}
