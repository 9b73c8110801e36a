package dialplan

import "galilei/pbxd/pbx"

// groupTime returns for how long the members of a group ring, in seconds: until
// the call is sent on, if it is.
func (p *plan) groupTime(g *pbx.HuntGroup) int {
	to := p.numberOf(g.Forwarding(p.external(), pbx.DivertNoAnswer))
	switch {
	case to == "" || p.visited(to) != "":
		return p.cfg.SIP.RingTime
	case g.ForwardTime > 0:
		return min(g.ForwardTime, p.cfg.SIP.RingTime)
	}
	return min(p.cfg.SIP.ForwardTime, p.cfg.SIP.RingTime)
}

// numberOf is the number of a user or hunt group, by ID; "" when there is none.
func (p *plan) numberOf(id string) string {
	if u := p.cfg.UserByID(id); u != nil {
		return u.Extension
	}
	if g := p.cfg.HuntGroupByID(id); g != nil {
		return g.Extension
	}
	return ""
}

// groupFails decides a call that no member takes: it is forwarded, or ends. Only
// a group that is busy as a whole forwards as busy; that some have no phone does
// not count.
func (p *plan) groupFails(g *pbx.HuntGroup, cause pbx.Cause) {
	reason := pbx.DivertNoAnswer
	if cause == pbx.CauseUserBusy || cause == pbx.CauseCallRejected {
		reason = pbx.DivertBusy
	}
	p.d.Ring, p.d.Linear, p.d.Group, p.d.hunt = []Target{}, false, "", hunt{}
	if !p.groupForward(g, reason) {
		p.refuse(cause)
	}
}

// groupForward sends the call on when the group forwards for that reason and it
// leads nowhere that the call has been.
func (p *plan) groupForward(g *pbx.HuntGroup, reason pbx.DiversionReason) bool {
	to := p.numberOf(g.Forwarding(p.external(), reason))
	if to == "" {
		return false
	}
	s := p.step("forward", forwardWords(reason), "name", g.Title, "number", to)
	s.Before, s.After = g.Extension, to
	return p.divert(Diversion{Extension: g.Extension, Name: g.Title, To: to, Reason: reason})
}
