package call

import (
	"context"
	"log/slog"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
)

// call is one call. Its goroutine alone touches it, save what is said to be
// under Engine.mu. It holds one side, a, for whom somebody is sought, and b once
// somebody is found; whoever of them began it.
type call struct {
	engine *Engine
	order  uint64 // later calls have a higher one
	log    *slog.Logger
	wake   chan struct{} // there is something in queue
	queue  []item        // under Engine.mu
	closed bool          // under Engine.mu: takes no items any more

	in        Incoming
	a         *side // who waits, or talks with b
	b         *side // nil until somebody is connected
	by        *side // who transfers a, while the target is called
	lent      bool  // a side is on its way to another call
	status    pbx.CallStatus
	published pbx.CallStatus
	ended     bool

	rings   map[Leg]*rung // phones that ring
	quest   quest         // what for
	cause   pbx.Cause     // best reason of those that rang for the decision and failed
	alerted bool          // one of them is known to ring
	forked  bool          // another phone than the one that rings may answer
	early   Leg           // whose early audio a hears

	cfg      *pbx.Config // of the beginning, or of the last transfer
	country  pbx.Country
	query    dialplan.Query
	decision dialplan.Decision // that is carried out
	reserved *charge           // of the line that is being dialled
	timer    *time.Timer
	expired  func() // when timer ends

	transferor string // extension of who transfers a; "" without a transfer
	place      string // where a is parked; written under Engine.mu
	parker     string // extension of who parked a
	parkedIn   string // the place, to which the call goes back when nobody is called back
	recalls    int    // how often the parker was called back
	parking    string // place where whoever takes the place of a is parked
	serving    *Conversation
	sentOn     int         // how many diversions of the decision are in the record
	mover      *recordLeg  // who transfers or has transferred a
	onward     string      // ID of the call in which this one goes on
	released   bool        // a hears that nobody was found
	patient    bool        // has waited for the leg that it replaces
	wanted     Origination // what begins when the phones that the device calls answer

	straights int // how often the audio was to go straight

	guess bool // the two who talk were not made for each other

	record  *record           // under Engine.recording
	entries map[string]*entry // in the journals of those who rang, by user ID
	holds   map[string]bool   // extensions that count as in the call; under Engine.mu

	starter  string          // extension that the call counts for, until it is out of it; under Engine.mu
	fetching bool            // it has asked for the call beside its phones, and they ring; under Engine.mu
	talks    bool            // somebody has answered; under Engine.mu
	gateway  string          // that the call has come over, by ID; "" for none; never changes
	urgent   bool            // it is an emergency call; under Engine.mu
	yields   bool            // its line goes to an emergency call; under Engine.mu
	seizing  bool            // it waits for the line of another call
	helped   bool            // it was told of as an emergency call
	crowded  []dialplan.Line // over which an emergency call found no line free, perhaps
	retaken  map[string]bool // gateways where another call was ended for that
}

// quest is why phones ring.
type quest int

const (
	questCall   quest = iota // somebody has dialled
	questFetch               // the device calls by itself
	questRecall              // whoever parked or transferred a is called back
)

// measureTime is how often what was measured is told: who looks at a call that
// is up sees how it sounds now.
const measureTime = 10 * time.Second

// run deals with what comes until the call has ended.
func (c *call) run(ctx context.Context, first func()) {
	c.timer = time.NewTimer(time.Hour)
	defer c.timer.Stop()
	measuring := time.NewTicker(measureTime)
	defer measuring.Stop()
	c.configure()
	first()
	for !c.ended {
		select {
		case <-c.wake:
			for !c.ended {
				i, ok := c.engine.next(c, false)
				if !ok {
					break
				}
				c.deal(i)
			}
		case <-c.timer.C:
			if then := c.expired; then != nil {
				c.expired = nil
				then()
			}
		case <-measuring.C:
			c.measure()
			c.straighten()
		case <-ctx.Done():
			c.end(pbx.CauseNormalClearing)
		}
	}
}

// close deals with what has come since the call has ended: sides that were on
// their way to it go back.
func (c *call) close() {
	for {
		i, ok := c.engine.next(c, true)
		if !ok {
			return
		}
		c.deal(i)
	}
}

// configure takes the configuration of now: a change holds for the next
// decision, not for what goes on.
func (c *call) configure() {
	c.cfg = c.engine.deps.Config()
	c.country, _ = pbx.CountryByCode(c.cfg.Locale.Country)
}

func (c *call) deal(i item) {
	if i.do != nil {
		i.do()
		return
	}
	c.handle(i.ev)
}

// handle takes an event of a leg.
func (c *call) handle(ev Event) {
	if ev.Kind == EventEnded {
		c.engine.dropLine(ev.Leg)
	}
	if c.ended {
		return
	}
	for _, s := range []*side{c.a, c.b, c.by} {
		if s != nil && s.leg == ev.Leg {
			c.said(s, ev)
			return
		}
	}
	if r := c.rings[ev.Leg]; r != nil {
		c.alerting(r, ev)
	}
}

// said takes an event of a side.
func (c *call) said(s *side, ev Event) {
	switch ev.Kind {
	case EventOffer:
		c.reoffered(s, ev.Description)
	case EventOfferAnswered, EventOfferRefused:
		c.realigned(s, ev)
	case EventHeld, EventResumed:
		c.holding(s, ev.Kind == EventHeld)
	case EventTransfer:
		c.transfer(s, ev.Transfer)
	case EventDigit:
		if err := s.leg.Audio().Dial(byte(ev.Digit), int(ev.Length/time.Millisecond)); err != nil {
			c.log.Info("digit not passed on", "leg", s.leg.ID(), "err", err)
		}
	case EventEnded:
		c.left(s, ev.Cause)
	}
}

// left: a side has hung up, or is gone.
func (c *call) left(s *side, cause pbx.Cause) {
	if cause == pbx.CauseIncompatible && s.up && s.theirs == nil {
		c.neverTalked()
	}
	c.out(s, cause)
	if s == c.by {
		c.by = nil
		c.changed()
		return
	}
	if s == c.a {
		c.a = nil
	} else {
		c.b = nil
	}
	if c.lent { // what becomes of the other is decided elsewhere
		return
	}
	if s.party.Number != "" && !s.hidden {
		switch cause {
		case pbx.CauseIncompatible:
			c.step("ended", "The phone of {number} has no audio that goes with the other's", "number", s.party.Number)
		case pbx.CauseRecoveryOnTimer, pbx.CauseNoUserResponding, pbx.CauseNetworkOutOfOrder:
			c.step("ended", "The phone of {number} is no longer there", "number", s.party.Number)
		default:
			c.step("ended", "{number} hangs up", "number", s.party.Number)
		}
	}
	c.end(cause)
}

// wait has the call do something after a time, unless something else is waited
// for by then.
func (c *call) wait(d time.Duration, then func()) {
	c.expired = then
	c.timer.Reset(d)
}

// still waits for nothing any more.
func (c *call) still() {
	c.timer.Stop()
	c.expired = nil
}

// end hangs up whatever is still there and tells the others of the end.
func (c *call) end(cause pbx.Cause) {
	if c.ended {
		return
	}
	c.ended = true
	if c.serving != nil {
		c.serving.stop()
	}
	if cause == 0 {
		cause = pbx.CauseNormalUnspecified
	}
	if c.by != nil && c.transferor != "" {
		c.by.leg.Transfer(TransferFailed, cause)
	}
	for _, s := range []*side{c.a, c.b, c.by} {
		if s != nil {
			c.letGo(s, cause)
		}
	}
	c.a, c.b, c.by = nil, nil, nil
	c.stopRinging(cause)
	if cause == pbx.CauseAnsweredElsewhere { // as the caller says
		c.noteElsewhere()
	}
	c.noteRest()
	c.told(cause)
	c.unreserve()
	c.engine.gone(c)
	c.status.State, c.status.Ended, c.status.Cause = pbx.CallEnded, c.engine.deps.Now(), cause
	c.publish()
	if c.onward != "" {
		c.step("ended", "The call goes on as call {call}", "call", c.onward)
	} else {
		c.step("ended", "The call ends: {cause}", "cause", cause.Message())
	}
	c.log.Info("call ended", "from", c.status.From, "to", c.status.To, "cause", cause.String(), "answered", !c.status.Answered.IsZero())
}

// letGo hangs up a side that the call does not need any more.
func (c *call) letGo(s *side, cause pbx.Cause) {
	c.engine.dropLine(s.leg)
	c.out(s, cause)
	s.leg.Hangup(cause)
}

// out takes leave of a side: its journal and its measurements are complete.
func (c *call) out(s *side, cause pbx.Cause) {
	if other := c.otherOf(s); other != nil {
		media.Unbridge(s.leg.Audio(), other.leg.Audio())
	}
	c.measureSide(s)
	c.recordOut(s, cause)
	c.note(s, cause)
}

// otherOf is who talks with a side, or nil.
func (c *call) otherOf(s *side) *side {
	switch {
	case c.a == nil || c.b == nil:
	case s == c.a:
		return c.b
	case s == c.b:
		return c.a
	}
	return nil
}
