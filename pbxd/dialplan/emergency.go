package dialplan

import (
	"slices"

	"galilei/pbxd/pbx"
)

// emergency decides an emergency number before anything else could (T11).
// Nobody sends a call on to one.
func (p *plan) emergency(digits string, dialled bool) bool {
	if len(digits) > maxEmergency || len(digits) < 2 {
		p.step("emergency", "{number} is no emergency number", "number", digits)
		return false
	}
	e, is := p.cfg.EmergencyIn(p.profile(), digits)
	if !is {
		p.step("emergency", "{number} is no emergency number of {country}", "number", digits, "country", p.profile().Name)
		return false
	}
	s := p.step("emergency", "{number} is an emergency number of {country}", "number", e.Number, "country", p.profile().Name)
	if s.After = e.Number; digits != e.Number {
		s.Before = digits
	}
	p.emergencyCall(e, dialled)
	return true
}

// emergencyCall takes a line for an emergency call that a phone of the device
// makes.
func (p *plan) emergencyCall(e pbx.Emergency, dialled bool) {
	if !dialled || p.caller == nil && !p.q.Caller.Unknown {
		p.step("emergency", "No call is sent on to an emergency number")
		p.refuse(pbx.CauseNotAuthorised)
		return
	}
	p.emergencyLines(e)
}

// emergencyDialled reports whether digits are an emergency number as phones dial
// it.
func (p *plan) emergencyDialled(digits string) bool {
	_, is := p.cfg.EmergencyIn(p.profile(), digits)
	return is
}

// emergencyTold returns the emergency number that a route would have a provider
// told, when it leaves one of what was dialled: 9112 with a 9 for a second line.
// That is an emergency call like any other.
func (p *plan) emergencyTold(r *pbx.OutboundRoute, digits string) (e pbx.Emergency, is bool) {
	for i := range p.cfg.Gateways {
		g := &p.cfg.Gateways[i]
		if !slices.Contains(r.Groups, g.Group) {
			continue
		}
		command, err := pbx.ParseDialCommand(g.DialCommand)
		if err != nil {
			continue // refused when it was saved
		}
		told := command.Number(r.Prefix, digits)
		if n := slices.IndexFunc(p.profile().Emergency, func(e pbx.Emergency) bool { return e.Number == told }); n >= 0 {
			e = p.profile().Emergency[n]
			s := p.step("emergency", "{gateway} would be told {number}, an emergency number of {country}", "gateway", g.Name, "number", told, "country", p.profile().Name)
			s.Before, s.After = digits, told
			return e, true
		}
	}
	return e, false
}

// emergencyLines are all ways to the outside for an emergency number, whatever the
// routes say and just with that number: gateways in their order, the free ones
// first, then those from which another call must give way, then those that seem
// to be gone, which may be wrong. At last come those that are not for calls to the
// outside.
func (p *plan) emergencyLines(e pbx.Emergency) {
	var free, full, gone, closed []Line
	for i := range p.cfg.Gateways {
		g := &p.cfg.Gateways[i]
		group := p.cfg.GatewayGroupByID(g.Group)
		if group == nil {
			p.step("gateway", "{gateway} belongs to no group", "gateway", g.Name)
			continue
		}
		l := Line{Gateway: g.ID, Name: g.Name, Group: group.ID, Number: e.Number, Called: e.Number, Class: pbx.TollEmergency, Seize: e.Kind == pbx.EmergencyRescue}
		if p.caller != nil {
			p.identity(&l, group, p.caller)
		}
		switch up, calls := p.q.Lines(g.ID); {
		case !g.Outbound:
			closed = append(closed, l)
		case !up:
			gone = append(gone, l)
		case g.MaxCalls > 0 && calls >= g.MaxCalls:
			full = append(full, l)
		default:
			free = append(free, l)
		}
	}
	p.d.Emergency = e.Number
	lines := slices.Concat(free, full, gone, closed)
	if len(lines) == 0 {
		p.step("outside", "There is no outside line")
		p.refuse(pbx.CauseNoCircuit)
		return
	}
	p.step("emergency", "{gateway} is told {number}", "gateway", lines[0].Name, "number", e.Number)
	p.d.Kind, p.d.Lines = Outside, lines
}
