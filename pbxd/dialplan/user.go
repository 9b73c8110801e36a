package dialplan

import (
	"slices"

	"galilei/pbxd/pbx"
)

// userCalled decides a call to a user: who overrides forwardings, forwarding
// always, do not disturb, no phone, busy, and then the phone rings.
func (p *plan) userCalled(u *pbx.User) {
	if p.diverted(u.Extension) {
		return
	}
	override := p.caller != nil && p.caller != u && p.cfg.May(p.caller, pbx.PermitOverrideForward, u)
	if override {
		s := p.step("override-call-forward", "{name} reaches {target} in spite of forwarding", "name", called(p.caller), "target", called(u))
		s.Permission, s.Granted = pbx.PermitOverrideForward, true
	}
	if !override && p.forward(u, pbx.DivertAlways) {
		return
	}
	if u.Calls.DoNotDisturb && p.may("do-not-disturb", u, pbx.PermitDND, u) {
		p.step("do-not-disturb", "{name} does not wish to be disturbed", "name", called(u))
		p.failed(u, pbx.DivertBusy, pbx.CauseNormalUnspecified, override)
		return
	}
	if !p.q.State.Registered(u.Extension) {
		p.step("registered", "No phone is registered on {number}", "number", u.Extension)
		p.failed(u, pbx.DivertUnregistered, pbx.CauseSubscriberAbsent, override)
		return
	}
	waiting, busy := p.busy(u)
	if busy {
		p.failed(u, pbx.DivertBusy, pbx.CauseUserBusy, override)
		return
	}
	t := p.target(u)
	t.Waiting = waiting
	p.d.Kind, p.d.Ring, p.d.user = Ring, []Target{t}, u.ID
	p.d.Timeout = p.ringTime(u, override)
	p.step("ring", "{name} rings for {seconds} s", "name", called(u), "seconds", p.d.Timeout)
}

// diverted ends a call that has been at a number before it came here, or has been
// sent on too often.
func (p *plan) diverted(number string) bool {
	switch {
	case slices.Contains(p.q.Diverted, number):
		p.step("loop", "The call has been at {number} already: it is not sent there again", "number", number)
	case len(p.q.Diverted) >= maxDiversions:
		p.step("loop", "The call was sent on {n} times: that is enough", "n", len(p.q.Diverted))
	default:
		return false
	}
	p.refuse(pbx.CauseCallRejected)
	return true
}

// busy reports whether u takes no further call, or hears it waiting.
func (p *plan) busy(u *pbx.User) (waiting, busy bool) {
	n, most := p.q.State.Calls(u.Extension), p.cfg.SIP.CallsAtOnce
	if u == p.caller {
		p.step("busy", "{name} calls the own number", "name", called(u))
		return false, true
	}
	switch {
	case n == 0:
		return false, false
	case most > 0 && n >= most:
		p.step("busy", "{name} has {n} calls; at most {max} are allowed", "name", called(u), "n", n, "max", most)
		return false, true
	case u.Calls.BusyOnBusy:
		p.step("call-waiting", "{name} is on the phone and has switched call waiting off", "name", called(u))
		return false, true
	case !p.may("call-waiting", u, pbx.PermitCallWaiting, u):
		return false, true
	}
	p.step("call-waiting", "{name} is on the phone and hears the call waiting", "name", called(u))
	return true, false
}

// failed decides a call that u's phone does not take: it is forwarded, or goes
// to the operator, or ends.
func (p *plan) failed(u *pbx.User, reason pbx.DiversionReason, cause pbx.Cause, override bool) {
	if !override && p.forward(u, reason) {
		return
	}
	if reason != pbx.DivertBusy && p.operator(u, reason) {
		return
	}
	p.refuse(cause)
	p.d.called = u.ID
}

// CallerShown returns number and name that the phones of u show of the caller
// of a query; both empty when the caller is hidden from u.
func CallerShown(c *pbx.Config, q Query, u *pbx.User) (number, name string) {
	t := newPlan(c, q, Decision{}).target(u)
	return t.Number, t.CallerName
}

// unanswered decides what follows when the phone of a user did not take the
// call.
func (p *plan) unanswered(d Decision, o Outcome) {
	u := p.cfg.UserByID(d.user)
	p.outcome(o, d.Ring)
	if u == nil || len(d.Ring) == 1 && d.Ring[0].AutoAnswer { // deleted meanwhile, or an intercom call
		p.refuse(o.cause())
		return
	}
	override := p.caller != nil && p.caller != u && p.cfg.May(p.caller, pbx.PermitOverrideForward, u)
	p.failed(u, o.reason(), o.cause(), override)
}

// outcome notes why a ringing came to nothing.
func (p *plan) outcome(o Outcome, ring []Target) {
	if len(ring) == 1 {
		p.d.Trace = append(p.d.Trace, Said(ring[0].Extension, o))
		return
	}
	for _, t := range ring { // each for its own reason, which is known where they ring
		p.step("outcome", "{number} does not take the call", "number", t.Extension)
	}
}

// Said is the step that tells how the phones of one extension that rang have
// ended that.
func Said(extension string, o Outcome) Step {
	m := pbx.Say("{number} does not answer", "number", extension)
	switch o {
	case Busy:
		m = pbx.Say("{number} is busy", "number", extension)
	case Refused:
		m = pbx.Say("{number} declines the call", "number", extension)
	case NotRegistered:
		m = pbx.Say("{number} cannot be reached", "number", extension)
	case Unusable:
		m = pbx.Say("The phone of {number} has no audio that goes with the caller's", "number", extension)
	}
	return Step{Rule: "outcome", Message: m}
}

// ringTime returns for how long u's phone rings, in seconds: until the call is
// sent on, if it is.
func (p *plan) ringTime(u *pbx.User, override bool) int {
	to, on := u.Calls.Forwarding(p.external(), pbx.DivertNoAnswer)
	forwards := on && !override && p.cfg.May(u, pbx.PermitCallForwarding, u) && p.visited(to) == ""
	drops := u.DropToOperator && p.visited(u.OperatorExtension) == ""
	if !forwards && !drops {
		return p.cfg.SIP.RingTime
	}
	if u.Calls.NoAnswerTime > 0 {
		return min(u.Calls.NoAnswerTime, p.cfg.SIP.RingTime)
	}
	return min(p.cfg.SIP.ForwardTime, p.cfg.SIP.RingTime)
}

// forward sends the call on when u forwards for that reason, may do so, and it
// leads nowhere that the call has been.
func (p *plan) forward(u *pbx.User, reason pbx.DiversionReason) bool {
	to, on := u.Calls.Forwarding(p.external(), reason)
	if !on {
		return false
	}
	s := p.step("forward", forwardWords(reason), "name", called(u), "number", to)
	s.Before, s.After = u.Extension, to
	if !p.may("forward", u, pbx.PermitCallForwarding, u) {
		return false
	}
	return p.divert(divertedBy(u, to, reason))
}

func forwardWords(reason pbx.DiversionReason) (template string) {
	switch reason {
	case pbx.DivertAlways:
		return pbx.Say("{name} forwards every call to {number}").Template
	case pbx.DivertBusy:
		return pbx.Say("{name} forwards calls to {number} when busy").Template
	case pbx.DivertUnregistered:
		return pbx.Say("{name} forwards calls to {number} without a phone").Template
	}
	return pbx.Say("{name} forwards calls that are not answered to {number}").Template
}

// operator sends the call to the operator of u (F067).
func (p *plan) operator(u *pbx.User, reason pbx.DiversionReason) bool {
	if !u.DropToOperator || u.OperatorExtension == "" {
		return false
	}
	s := p.step("operator", "Calls that {name} does not answer go to the operator, {number}", "name", called(u), "number", u.OperatorExtension)
	s.Before, s.After = u.Extension, u.OperatorExtension
	return p.divert(divertedBy(u, u.OperatorExtension, reason))
}

func divertedBy(u *pbx.User, to string, reason pbx.DiversionReason) Diversion {
	return Diversion{UserID: u.ID, Extension: u.Extension, Name: u.DisplayName(), To: to, Reason: reason}
}

// divert sends the call on. It returns false when that would be a loop or once
// too often; the forwarding then does not hold.
func (p *plan) divert(by Diversion) bool {
	if who := p.visited(by.To); who != "" || by.To == by.Extension {
		p.step("loop", "The call has been at {number} already: it is not sent there again", "number", by.To)
		return false
	}
	if n := len(p.d.Diversions) + len(p.q.Diverted); n >= maxDiversions {
		p.step("loop", "The call was sent on {n} times: that is enough", "n", n)
		return false
	}
	p.d.Diversions = append(p.d.Diversions, by)
	p.number(by.To, false)
	return true
}

// visited returns by whom the call has been at a number: the extension that
// sent it on, or the caller. It is empty when it has not.
func (p *plan) visited(number string) string {
	if p.caller != nil && p.caller.Extension == number {
		return number
	}
	if slices.Contains(p.q.Diverted, number) {
		return number
	}
	for _, d := range p.d.Diversions {
		if d.Extension == number || d.To == number {
			return d.Extension
		}
	}
	return ""
}

// target says what the phone of u is told of the caller.
func (p *plan) target(u *pbx.User) Target {
	t := Target{Extension: u.Extension, UserID: u.ID, Name: u.DisplayName()}
	switch {
	case p.q.Shown != nil:
		t.Number, t.CallerName = p.q.Shown.Number, p.q.Shown.Name
	case p.external():
		t.Number, t.CallerName = p.q.Caller.Number, p.q.Caller.Name
	case p.caller == nil: // deleted meanwhile
	case p.hides(u):
	default:
		t.Number, t.CallerName = p.shown(u), p.caller.DisplayName()
	}
	return t
}

// hides reports whether the caller hides the number from u.
func (p *plan) hides(u *pbx.User) bool {
	if !p.d.hidden && !p.caller.Calls.HideNumber {
		return false
	}
	return p.may("clir", p.caller, pbx.PermitCLIR, u)
}

// shown returns the number that the caller shows to u: the chosen one when it
// still is one of those that the administrator offers.
func (p *plan) shown(u *pbx.User) string {
	choice := p.caller.Calls.ShowInternal
	if choice == "" || choice == p.caller.Extension {
		return p.caller.Extension
	}
	for _, offered := range p.caller.CLIPInternal {
		if offered != choice {
			continue
		}
		if !p.may("clip", p.caller, pbx.PermitCLIP, u) {
			return p.caller.Extension
		}
		s := p.step("clip", "{name} shows {number}", "name", called(p.caller), "number", choice)
		s.Before, s.After = p.caller.Extension, choice
		return choice
	}
	p.step("clip", "{number} is no longer offered to {name}", "number", choice, "name", called(p.caller))
	return p.caller.Extension
}

// intercom decides a call that the phone answers by itself. It is never
// forwarded and disturbs nobody who is on the phone.
func (p *plan) intercom(extension string) {
	u := p.cfg.UserByExtension(extension)
	if u == nil {
		p.step("extension", "Nobody has the extension {number}", "number", extension)
		p.refuse(pbx.CauseUnallocated)
		return
	}
	if !p.may("intercom", p.caller, pbx.PermitIntercom, u) {
		p.refuse(pbx.CauseNotAuthorised)
		return
	}
	switch {
	case u.Calls.RefuseIntercom:
		p.step("intercom", "{name} takes no intercom calls", "name", called(u))
		p.refuse(pbx.CauseCallRejected)
	case u.Calls.DoNotDisturb && p.may("do-not-disturb", u, pbx.PermitDND, u):
		p.step("do-not-disturb", "{name} does not wish to be disturbed", "name", called(u))
		p.refuse(pbx.CauseNormalUnspecified)
	case !p.q.State.Registered(extension):
		p.step("registered", "No phone is registered on {number}", "number", extension)
		p.refuse(pbx.CauseSubscriberAbsent)
	case u == p.caller || p.q.State.Calls(extension) > 0:
		p.step("busy", "{name} is on the phone", "name", called(u))
		p.refuse(pbx.CauseUserBusy)
	default:
		t := p.target(u)
		t.AutoAnswer = true
		p.d.Kind, p.d.Ring, p.d.user, p.d.Timeout = Ring, []Target{t}, u.ID, p.cfg.SIP.RingTime
		p.step("ring", "The phone of {name} answers by itself", "name", called(u))
	}
}
