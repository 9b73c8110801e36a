package dialplan

import (
	"strings"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbx/pattern"
)

// inbound decides a call that came over a gateway: which number of the device it
// is for by the rules of the gateway group, and where that goes now (F182-F191).
func (p *plan) inbound() {
	g := p.cfg.GatewayByID(p.q.Gateway)
	var group *pbx.GatewayGroup
	if g != nil {
		group = p.cfg.GatewayGroupByID(g.Group)
	}
	switch {
	case group == nil:
		p.step("inbound", "The gateway belongs to no group: its calls go nowhere")
		p.refuse(pbx.CauseUnallocated)
		return
	case !group.Inbound:
		p.step("inbound", "{group} takes no calls from outside", "group", group.Title)
		p.refuse(pbx.CauseNotAuthorised)
		return
	}
	p.step("inbound", "The call came over {gateway}, which belongs to {group}", "gateway", g.Name, "group", group.Title)
	if p.received != "" {
		p.rewrite("caller-id", "The caller {number} is shown as {result}", group.InboundCallerID, p.received)
	}
	number := p.rewrite("did", "{number} is {result} of this device", group.InboundDID, p.q.Digits)
	for i := range p.cfg.InboundRoutes {
		if r := &p.cfg.InboundRoutes[i]; r.Group == group.ID && p.inboundRoute(r, group, number) {
			return
		}
	}
	p.step("inbound", "No inbound route holds: {number} is called", "number", number)
	p.number(number, false)
}

// CallerOver returns how a caller is shown whose number came over a gateway, by ID
// (F183).
func CallerOver(c *pbx.Config, gateway, number string) string {
	return newPlan(c, Query{Gateway: gateway, Caller: Caller{Number: number}}, Decision{}).q.Caller.Number
}

// NumbersOf returns the numbers under which directories may know somebody outside
// whose number came over a gateway, by ID: as it is shown, as it came, and without
// the digit for an outside line that rules put before it so that people can call
// back. It is empty for a hidden number.
func NumbersOf(c *pbx.Config, gateway, number string) (list []string) {
	if number == "" {
		return nil
	}
	shown := CallerOver(c, gateway, number)
	list = []string{shown, number}
	if g := c.GatewayByID(gateway); g != nil {
		if whole, ok := withCountry(c.GatewayGroupByID(g.Group), number); ok {
			list = append(list, whole)
		}
	}
	if after, ok := strings.CutPrefix(shown, c.Locale.OutsideLine); ok && c.Locale.OutsideLine != "" {
		list = append(list, after)
	}
	return list
}

// withCountry returns what a number without a plus may be of a provider that
// writes all numbers as bare digits, the country first.
func withCountry(group *pbx.GatewayGroup, number string) (string, bool) {
	if group == nil || group.NumberStyle != pbx.StyleDigits || number == "" || number[0] < '1' || number[0] > '9' {
		return "", false
	}
	return "+" + number, true
}

// sameNumber reports whether a provider has sent a number of the configuration,
// however the one and the other write it: also as bare digits, the country first.
func (p *plan) sameNumber(own, number string) bool {
	n := p.numbering()
	return n.Same(own, number) || number != "" && number[0] >= '1' && number[0] <= '9' && n.Same(own, "+"+number)
}

// inboundRoute carries a route out when it is for a number and holds now.
func (p *plan) inboundRoute(r *pbx.InboundRoute, group *pbx.GatewayGroup, number string) bool {
	switch active := p.cfg.NightService.Profile; {
	case !r.Active:
		p.step("inbound", "The rule {rule} is switched off", "rule", r.Rule)
		return false
	case r.Profile != 0 && r.Profile != active:
		p.step("inbound", "The rule {rule} is of profile {n}, which does not hold", "rule", r.Rule, "n", r.Profile)
		return false
	case !p.holds(r.Rule, &r.Window):
		return false
	}
	source := pbx.SearchReplace{Search: r.Pattern, Replace: r.Target}
	if pattern.Plain(r.Pattern) && r.Pattern != "" && p.sameNumber(r.Pattern, number) {
		source.Search = "^(.*)$" // the same number, written in another way
	} else if pattern.Plain(r.Pattern) {
		source.Search = "^" + literal(r.Pattern) + "$"
	}
	search := p.q.Patterns.compile(source.Search)
	if search == nil {
		return false
	}
	m, ok := search.Find(number)
	if !ok {
		p.step("inbound", "The rule {rule} is not for {number}", "rule", r.Rule, "number", number).Pattern = r.Pattern
		return false
	}
	target := p.expand(search, r.Target, m)
	s := p.step("inbound", "The rule {rule} sends {number} to {target}", "rule", r.Rule, "number", number, "target", target)
	s.Pattern, s.Groups, s.Before, s.After = r.Pattern, m.Groups[1:], number, target
	p.number(target, false)
	return true
}
