package call

import (
	"log/slog"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
)

// eventQueue is how many events of its legs a call may lag behind. A leg
// reports few: one outstanding offer at a time, and its end.
const eventQueue = 256

// call is one call. Its goroutine alone touches it, save notify.
type call struct {
	engine *Engine
	log    *slog.Logger
	events chan Event
	in     Incoming

	a      Leg            // the calling side
	b      Leg            // the connected called side, nil until it answers
	legs   map[Leg]string // dialled and not yet answered or failed, with their extensions
	cause  pbx.Cause      // best reason of the legs of the decision that failed so far
	status pbx.CallStatus
	ended  bool
	// offering is the leg whose re-offer waits for the other's answer.
	offering Leg
	restore  *media.Description // what it withdrew its offer to; nil when it did not
	early    Leg                // the leg whose early audio the caller hears
	forked   bool               // another phone than the one that rings may answer

	cfg      *pbx.Config // of the call's beginning: a change holds for the next call
	query    dialplan.Query
	decision dialplan.Decision // that is carried out
	ring     *time.Timer       // until the decision comes to nothing
	own      string            // extension of the caller; "" of a call from outside
	holds    map[string]bool   // extensions that are in the call
}

// notify takes an event of a leg. A full queue drops it: the leg repeats
// nothing, but a call that is so far behind has lost its goroutine.
func (c *call) notify(ev Event) {
	select {
	case c.events <- ev:
	default:
		c.log.Error("call does not keep up: event lost", "leg", ev.Leg.ID(), "kind", ev.Kind)
	}
}

func (c *call) handle(ev Event) {
	switch {
	case ev.Kind == EventTransfer:
		refuseTransfer(ev)
	case ev.Leg == c.a && ev.Kind == EventEnded:
		c.a = nil
		c.end(ev.Cause)
	case ev.Leg == c.b && ev.Kind == EventEnded:
		c.b = nil
		c.end(ev.Cause)
	case c.b != nil && (ev.Leg == c.a || ev.Leg == c.b):
		c.connected(ev)
	case c.b == nil && c.dialled(ev.Leg):
		c.alerting(ev)
	}
}

// alerting handles an event of a dialled leg while nobody has answered.
func (c *call) alerting(ev Event) {
	switch ev.Kind {
	case EventRinging:
		// Early audio of one of several phones could differ from the answer of
		// another, and the caller takes only the first description that it
		// gets (RFC 3261 section 13.2.1).
		if ev.Description != nil && c.early == nil && !c.forked {
			c.early = ev.Leg
			media.Bridge(c.a.Audio(), ev.Leg.Audio())
			c.a.Ringing(ev.Description)
		} else if c.status.State != pbx.CallRinging {
			c.a.Ringing(nil)
		}
		if c.status.State != pbx.CallRinging {
			c.status.State = pbx.CallRinging
			c.publish()
		}
	case EventAnswered:
		c.answered(ev)
	case EventEnded:
		delete(c.legs, ev.Leg)
		if c.early == ev.Leg {
			media.Unbridge(c.a.Audio(), ev.Leg.Audio())
			c.early = nil
		}
		c.cause = worse(c.cause, ev.Cause)
		if len(c.legs) == 0 {
			c.next(dialplan.OutcomeOf(c.cause))
		}
	}
}

// answered connects the first leg that answers; the others stop ringing.
func (c *call) answered(ev Event) {
	c.b = ev.Leg
	c.ring.Stop()
	c.engine.release(c, c.own, c.legs[ev.Leg])
	delete(c.legs, ev.Leg)
	for l := range c.legs {
		l.Hangup(pbx.CauseAnsweredElsewhere)
	}
	clear(c.legs)
	media.Bridge(c.a.Audio(), c.b.Audio())
	c.a.Answer(ev.Description)
	c.status.State, c.status.Answered = pbx.CallUp, c.engine.deps.Now()
	c.publish()
}

// connected handles an event of either side of a call that is up: an offer of
// one goes to the other, its answer comes back.
func (c *call) connected(ev Event) {
	other := c.a
	if ev.Leg == c.a {
		other = c.b
	}
	switch ev.Kind {
	case EventOffer:
		if c.offering != nil { // both at once: the second tries again
			ev.Leg.Respond(nil, true)
			return
		}
		c.offering = ev.Leg
		other.Offer(ev.Description)
	case EventOfferCancelled:
		if c.offering == ev.Leg {
			c.restore = ev.Description
		}
	case EventOfferAnswered, EventOfferRefused:
		if c.offering != other {
			return
		}
		restore := c.restore
		c.offering, c.restore = nil, nil
		if restore != nil && ev.Kind == EventOfferAnswered { // withdrawn too late: back to how it was
			c.offering = other
			ev.Leg.Offer(restore)
			return
		}
		other.Respond(ev.Description, ev.Retry) // nil when refused
	}
}

// end hangs up whatever is still there and tells the others of the end.
func (c *call) end(cause pbx.Cause) {
	if c.ended {
		return
	}
	c.ended = true
	c.engine.release(c)
	if cause == 0 {
		cause = pbx.CauseNormalUnspecified
	}
	legs := []Leg{c.a, c.b}
	for l := range c.legs {
		legs = append(legs, l)
	}
	clear(c.legs)
	for _, l := range legs {
		if l != nil {
			l.Hangup(cause)
		}
	}
	c.status.State, c.status.Ended, c.status.Cause = pbx.CallEnded, c.engine.deps.Now(), cause
	c.publish()
	c.log.Info("call ended", "from", c.status.From, "to", c.status.To, "cause", cause.String(), "answered", !c.status.Answered.IsZero())
}

func (c *call) publish() {
	s := c.status
	c.engine.deps.Publish(pbx.Fact{Kind: pbx.FactCall, Call: &s})
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
