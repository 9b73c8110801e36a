package dialplan

import (
	"slices"

	"galilei/pbxd/pbx"
)

// hunt is where a linear hunt group stands. A round calls each member once;
// rounds go on for the ring time of the device, as long as anybody rings.
type hunt struct {
	left  []string // IDs of the members that this round has yet to call
	spent int      // seconds that members have rung
	rang  bool     // a member of this round did
	cause pbx.Cause
	parts bool // busy members send the call elsewhere than those who do not answer
}

func huntGroupOf(c *pbx.Config, number string) *pbx.HuntGroup {
	if number == "" {
		return nil
	}
	for i := range c.HuntGroups {
		if c.HuntGroups[i].Extension == number {
			return &c.HuntGroups[i]
		}
	}
	return nil
}

// huntGroup decides a call to a hunt group (F080 to F086). What members set for
// their own calls does not apply, save do not disturb: a group has its own ways
// on.
func (p *plan) huntGroup(g *pbx.HuntGroup) {
	if p.diverted(g.Extension) || p.groupForward(g, pbx.DivertAlways) {
		return
	}
	p.d.Group = g.ID
	if g.GroupBusy {
		for _, m := range g.Members {
			if u := p.cfg.UserByID(m.User); u != nil && u != p.caller && p.q.State.Calls(u.Extension) > 0 {
				p.step("group-busy", "{name} is on the phone: the group is busy", "name", called(u))
				p.groupFails(g, pbx.CauseUserBusy)
				return
			}
		}
	}
	if g.CallScheme == "linear" {
		p.d.hunt = hunt{left: members(g), cause: pbx.CauseSubscriberAbsent, parts: g.Forwarding(p.external(), pbx.DivertBusy) != g.Forwarding(p.external(), pbx.DivertNoAnswer)}
		p.member(g)
		return
	}
	cause := pbx.CauseSubscriberAbsent
	for _, m := range g.Members {
		if t, why := p.free(g, m.User); why == 0 {
			p.d.Ring = append(p.d.Ring, t)
		} else {
			cause = saysMore(cause, why)
		}
	}
	if len(p.d.Ring) == 0 {
		p.step("hunt-group", "No member of {name} is free", "name", g.Title)
		p.groupFails(g, cause)
		return
	}
	p.d.Kind, p.d.Timeout = Ring, p.groupTime(g)
	p.step("ring", "Members of {name} who ring for {seconds} s: {n}", "name", g.Title, "seconds", p.d.Timeout, "n", len(p.d.Ring))
}

func members(g *pbx.HuntGroup) (ids []string) {
	for _, m := range g.Members {
		ids = append(ids, m.User)
	}
	return ids
}

// free returns how a member rings, or why it does not.
func (p *plan) free(g *pbx.HuntGroup, id string) (t Target, why pbx.Cause) {
	u := p.cfg.UserByID(id)
	switch {
	case u == nil || u.Extension == "":
		p.step("member", "A member of {name} has no number", "name", g.Title)
		return t, pbx.CauseSubscriberAbsent
	case u == p.caller:
		p.step("member", "{name} is the caller", "name", called(u))
		return t, pbx.CauseUserBusy
	case u.Calls.DoNotDisturb && p.cfg.May(u, pbx.PermitDND, u):
		p.step("member", "{name} does not wish to be disturbed", "name", called(u))
		return t, pbx.CauseUserBusy
	case !p.q.State.Registered(u.Extension):
		p.step("member", "No phone is registered on {number}", "number", u.Extension)
		return t, pbx.CauseSubscriberAbsent
	case p.q.State.Calls(u.Extension) > 0:
		p.step("member", "{name} is on the phone", "name", called(u))
		return t, pbx.CauseUserBusy
	}
	t = p.target(u)
	t.Prefix, t.DoorStation = g.DisplayPrefix, g.DoorStation
	return t, 0
}

// saysMore chooses what a caller is told of several members: that one did not
// answer says more than busy, busy more than no phone.
func saysMore(a, b pbx.Cause) pbx.Cause {
	for _, c := range []pbx.Cause{pbx.CauseNoAnswer, pbx.CauseCallRejected, pbx.CauseUserBusy} {
		if a == c || b == c {
			return c
		}
	}
	return a
}

// member lets the next free member of a linear group ring.
func (p *plan) member(g *pbx.HuntGroup) {
	h := &p.d.hunt
	for {
		for len(h.left) > 0 {
			id := h.left[0]
			h.left = h.left[1:]
			t, why := p.free(g, id)
			if why != 0 {
				h.cause = saysMore(h.cause, why)
				continue
			}
			timeout := p.memberTime(g, id)
			if timeout <= 0 {
				break
			}
			p.d.Kind, p.d.Linear, p.d.Ring, p.d.Timeout = Ring, true, []Target{t}, timeout
			p.step("ring", "{name} of {group} rings for {seconds} s", "name", called(p.cfg.UserByID(id)), "group", g.Title, "seconds", timeout)
			return
		}
		if !h.rang || h.spent >= p.groupTime(g) {
			break
		}
		p.step("hunt-group", "{name} begins again with the first member", "name", g.Title)
		h.left, h.rang = members(g), false
	}
	p.step("hunt-group", "No member of {name} takes the call", "name", g.Title)
	p.groupFails(g, h.cause)
}

// memberTime returns for how long a member rings, in seconds: its own time, as
// far as that of the call goes.
func (p *plan) memberTime(g *pbx.HuntGroup, id string) int {
	for _, m := range g.Members {
		if m.User == id {
			return min(m.Timeout, p.groupTime(g)-p.d.hunt.spent)
		}
	}
	return 0
}

// nextMember decides what follows in a hunt group.
func (p *plan) nextMember(d Decision, o Outcome) {
	p.outcome(o, d.Ring)
	g := p.cfg.HuntGroupByID(d.Group)
	switch {
	case g == nil: // deleted meanwhile
		p.refuse(o.cause())
		return
	case !d.Linear:
		p.groupFails(g, o.cause())
		return
	case g.GroupBusy && o == Busy:
		p.step("group-busy", "One member of {name} is busy: the group is busy", "name", g.Title)
		p.groupFails(g, pbx.CauseUserBusy)
		return
	}
	p.d.Group, p.d.Linear = d.Group, true
	p.d.hunt = d.hunt
	p.d.hunt.left = slices.Clone(d.hunt.left)
	p.d.hunt.cause = saysMore(d.hunt.cause, o.cause())
	if o == NoAnswer {
		p.d.hunt.spent += max(d.Timeout, 1)
		p.d.hunt.rang = true
	}
	p.member(g)
}
