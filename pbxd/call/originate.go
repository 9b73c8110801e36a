package call

import (
	"errors"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// ErrBusy says that no call begins at present: too many go on, or the engine is
// stopping.
var ErrBusy = errors.New("no call can begin now")

// Origination is a call that the device makes by itself: it rings the phones of
// an extension, and who answers talks with a program or is connected to a
// number.
type Origination struct {
	Extension string
	Caller    Party         // who calls, as the phone shows it
	RingTime  time.Duration // 0: that of the settings
	Alert     string        // name of the ringing tone that the phone is to choose; empty for its own

	Program Program // talks with who answers; or
	Digits  string  // what who answers is connected to, as if dialled from that phone

	// Done, when set, is told once how the ringing ended: with 0 when somebody
	// has answered. It is called from the goroutine of the call and must not
	// block.
	Done func(pbx.Cause)
}

// Originate begins a call of the device and returns its ID. The error is
// ErrBusy.
func (e *Engine) Originate(o Origination) (id string, err error) {
	to := o.Digits
	if o.Program != nil { // who answers talks with what shows itself as the caller
		to = o.Caller.Number
	}
	c := e.newCall(pbx.CallStatus{From: o.Extension, To: to})
	c.wanted = o
	if e.begin(c, nil, c.fetch) != 0 {
		return "", ErrBusy
	}
	return c.status.ID, nil
}

// Fetch begins a call to o.Digits that the user of o.Extension asks for beside
// the phone. It counts as started by that extension, and returns once the phones
// were asked to ring: the ID of the call, or why there is none, which is
// CauseUserBusy while they ring for another such call, CauseSubscriberAbsent
// when none is registered, and CauseCongestion beyond MaxCalls or OwnCalls.
func (e *Engine) Fetch(o Origination) (id string, refused pbx.Cause) {
	c := e.newCall(pbx.CallStatus{From: o.Extension, To: o.Digits})
	c.wanted, c.starter, c.fetching = o, o.Extension, true
	asked := make(chan pbx.Cause, 1)
	refused = e.begin(c, nil, func() {
		why := pbx.CauseTemporaryFailure // of a fault of ours
		defer func() { asked <- why }()
		if c.fetch(); c.ended {
			why = c.status.Cause
			return
		}
		why = 0
	})
	if refused == 0 {
		refused = <-asked
	}
	if refused != 0 {
		return "", refused
	}
	return c.status.ID, 0
}

// fetch rings the phones of the extension that the device calls.
func (c *call) fetch() {
	o := c.wanted
	c.quest = questFetch
	u := c.cfg.UserByExtension(o.Extension)
	if u == nil || o.Extension == "" {
		c.end(pbx.CauseUnallocated)
		return
	}
	c.status.FromName = u.DisplayName()
	c.step("originate", "The device calls {name}", "name", u.DisplayName()+" ("+u.Extension+")")
	c.cause = pbx.CauseSubscriberAbsent
	t := dialplan.Target{Extension: u.Extension, UserID: u.ID, Name: u.DisplayName()}
	if o.Digits != "" && c.cfg.AnswersItself(u) && c.engine.Calls(u.Extension) == 0 { // who asks is at the phone, and not on it
		t.AutoAnswer, o.Alert = true, "alert-autoanswer"
		c.trace([]dialplan.Step{{Rule: "intercom", Message: pbx.Say("The phone of {name} answers by itself", "name", u.DisplayName()+" ("+u.Extension+")"),
			Permission: pbx.PermitIntercom, Granted: true}})
	}
	c.ringAt(o.Extension, t, Dial{Caller: o.Caller, Alert: o.Alert, AutoAnswer: t.AutoAnswer})
	c.changed()
	if len(c.rings) == 0 {
		c.end(c.cause)
		return
	}
	c.cause = 0
	if o.RingTime <= 0 {
		o.RingTime = time.Duration(c.cfg.SIP.RingTime) * time.Second
	}
	c.wait(o.RingTime, func() { c.end(pbx.CauseNoAnswer) })
}

// fetched goes on when the phone that the device called has answered.
func (c *call) fetched(s *side) {
	c.still()
	c.stopRinging(pbx.CauseAnsweredElsewhere)
	c.alerted = false
	c.a, c.quest = s, questCall
	c.recordHead(s.rec)
	c.engine.fetched(c)
	c.step("answered", "{number} answers", "number", s.party.Number)
	c.told(0)
	c.configure()
	if p := c.wanted.Program; p != nil {
		c.serve(p, dialplan.Decision{})
		return
	}
	s.hear(hearsSilence, &c.country)
	c.changed()
	c.seek(s, c.wanted.Digits, false)
}

// told says how the ringing of a call of the device ended.
func (c *call) told(cause pbx.Cause) {
	if done := c.wanted.Done; done != nil {
		c.wanted.Done = nil
		done(cause)
	}
}
