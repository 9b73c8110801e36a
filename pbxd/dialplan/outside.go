package dialplan

import (
	"slices"
	"strings"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbx/pattern"
)

// Line is one way to the outside that a call may take.
type Line struct {
	Gateway  string        `json:"gateway" title:"Gateway" doc:"Identifier of the gateway" maxLength:"26"`
	Name     string        `json:"name" title:"Name" doc:"Name of the gateway" maxLength:"50"`
	Group    string        `json:"group" title:"Gateway group" doc:"Identifier of its group" maxLength:"26"`
	Number   string        `json:"number" title:"Number" doc:"Number as the provider is told it" maxLength:"64"`
	Called   string        `json:"called" title:"Called number" doc:"The same as E.164 where it has that form" maxLength:"64"`
	CallerID string        `json:"callerId" title:"Caller ID" doc:"Number that the called side is to see; empty: the gateway's own" maxLength:"64"`
	Asserted string        `json:"asserted" title:"Asserted identity" doc:"Number that the provider is told of who calls" maxLength:"64"`
	Hidden   bool          `json:"hidden" title:"Hidden" doc:"The called side must not see who calls"`
	Class    pbx.TollClass `json:"toll" title:"Class" doc:"What kind of number it is, for what the call may cost" enum:"local,national,foreign,premium,emergency"`
	Payer    string        `json:"payer" title:"On behalf of" doc:"Identifier of the user whose limits of calls it counts for: who calls, forwards or transfers; empty of an emergency call" maxLength:"26"`
	Seize    bool          `json:"seize" title:"Seizes" doc:"A call for police, fire brigade, ambulance or rescue: it takes the line of another call when none is free"`
}

// outside decides a number that is none of the device's own; dialled says that
// somebody has dialled it.
func (p *plan) outside(digits string, dialled bool) {
	who := p.payer()
	if who == nil {
		p.step("outside", "{number} is no number of this device, and calls from outside are not put through to the outside", "number", digits)
		p.refuse(pbx.CauseUnallocated)
		return
	}
	digits = p.asDialled(digits)
	if len(p.cfg.OutboundRoutes) == 0 { // then nobody calls outside: a wrong number is said to be one
		p.step("outside", "{number} is no number of this device, and there is no outbound route", "number", digits)
		p.refuse(pbx.CauseUnallocated)
		return
	}
	for i := range p.cfg.OutboundRoutes {
		r := &p.cfg.OutboundRoutes[i]
		if !p.routeHolds(r, who, digits) {
			continue
		}
		if e, is := p.emergencyTold(r, digits); is {
			p.emergencyCall(e, dialled)
			return
		}
		if lines := p.linesOf(r, who, digits); len(lines) > 0 {
			if lines = p.within(who, lines); len(lines) > 0 {
				p.d.Kind, p.d.Lines = Outside, lines
			}
			return
		}
		p.step("gateway", "No gateway of the rule {rule} can take the call", "rule", r.Rule)
		p.refuse(pbx.CauseNoCircuit)
		return
	}
	p.step("outbound", "No outbound route takes {number}", "number", digits)
	p.refuse(pbx.CauseUserBusy) // the caller hears the busy tone (F198)
}

// payer is the user whose call it is: who has sent it on last, or the caller.
func (p *plan) payer() *pbx.User {
	if n := len(p.d.Diversions); n > 0 {
		return p.cfg.UserByID(p.d.Diversions[n-1].UserID)
	}
	return p.caller
}

// numbering is how numbers are written where the device stands.
func (p *plan) numbering() pbx.Numbering { return p.profile().Numbering(p.cfg.Locale.AreaCode) }

// asDialled writes a number with its country, as contacts have it, as people dial
// it.
func (p *plan) asDialled(digits string) string {
	if !strings.HasPrefix(digits, "+") {
		return digits
	}
	n := p.numbering()
	e164, ok := n.E164(digits)
	if !ok {
		return digits
	}
	to := p.cfg.Locale.OutsideLine + n.Write(e164, pbx.StyleNational)
	s := p.step("number", "{number} is dialled as {result}", "number", digits, "result", to)
	s.Before, s.After = digits, to
	return to
}

// routeHolds reports whether an outbound route is for a call, with its steps.
func (p *plan) routeHolds(r *pbx.OutboundRoute, who *pbx.User, digits string) bool {
	switch {
	case !r.Active:
		p.step("outbound", "The rule {rule} is switched off", "rule", r.Rule)
		return false
	case !p.holds(r.Rule, &r.Window):
		return false
	}
	m, ok := pattern.Match{}, false
	if match := p.q.Patterns.route(r.Pattern, false); match != nil {
		if m, ok = match.Find(digits); !ok && pattern.NamesPlus(r.Pattern) { // it means numbers with their country
			if e164, is := p.numbering().E164(strings.TrimPrefix(digits, p.cfg.Locale.OutsideLine)); is {
				m, ok = match.Find(e164)
			}
		}
	}
	if !ok {
		s := p.step("outbound", "The rule {rule} is not for {number}", "rule", r.Rule, "number", digits)
		s.Pattern = r.Pattern
		return false
	}
	if g := p.cfg.PermissionGroupByID(r.UserGroup); r.UserGroup != "" && (g == nil || !g.Has(who)) {
		name := ""
		if g != nil {
			name = g.Name
		}
		p.step("outbound", "The rule {rule} is for {group}, and {name} is not in it", "rule", r.Rule, "group", name, "name", called(who)).Pattern = r.Pattern
		return false
	}
	if strings.ContainsAny(digits, "*#") && !pattern.NamesSigns(r.Pattern) {
		p.step("outbound", "{number} has signs that only a rule for them takes, and {rule} is none", "number", digits, "rule", r.Rule).Pattern = r.Pattern
		return false
	}
	s := p.step("outbound", "The rule {rule} takes {number}", "rule", r.Rule, "number", digits)
	s.Pattern, s.Groups, s.Before = r.Pattern, m.Groups[1:], digits
	return true
}

// holds reports whether a window holds now, with a step when it does not.
func (p *plan) holds(rule string, w *pbx.Window) bool {
	if w.Always() {
		return true
	}
	if !p.q.Time.IsZero() && w.Holds(p.q.Time, p.holidays(w.Calendar)) {
		p.step("time", "It is the time of the rule {rule}", "rule", rule).Window = w.String()
		return true
	}
	p.step("time", "It is not the time of the rule {rule}", "rule", rule).Window = w.String()
	return false
}

// holidays tells the days of a calendar; nil when there is none.
func (p *plan) holidays(id string) func(day time.Time) bool {
	i := slices.IndexFunc(p.cfg.Calendars, func(c pbx.Calendar) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return p.cfg.Calendars[i].Holds
}

// linesOf are the ways that a route offers, the best first, with their steps.
func (p *plan) linesOf(r *pbx.OutboundRoute, who *pbx.User, digits string) (lines []Line) {
	for _, id := range r.Groups {
		group := p.cfg.GatewayGroupByID(id)
		for i := range p.cfg.Gateways {
			if g := &p.cfg.Gateways[i]; group != nil && g.Group == id && p.takes(g) {
				if l, ok := p.line(g, group, who, r.Prefix, digits); ok && p.carries(g, l.Class) {
					lines = append(lines, l)
				}
			}
		}
	}
	return lines
}

// takes reports whether a gateway takes a call, with a step when it does not.
func (p *plan) takes(g *pbx.Gateway) bool {
	up, calls := p.q.Lines(g.ID)
	switch {
	case !g.Outbound:
		p.step("gateway", "{gateway} is not for calls to the outside", "gateway", g.Name)
	case !up:
		p.step("gateway", "{gateway} cannot be reached", "gateway", g.Name)
	case g.MaxCalls > 0 && calls >= g.MaxCalls:
		p.step("gateway", "{gateway} has {n} calls; at most {max} are allowed", "gateway", g.Name, "n", calls, "max", g.MaxCalls)
	default:
		return true
	}
	return false
}

// line works out what a gateway is told.
func (p *plan) line(g *pbx.Gateway, group *pbx.GatewayGroup, who *pbx.User, prefix, digits string) (Line, bool) {
	l := Line{Gateway: g.ID, Name: g.Name, Group: group.ID, Payer: who.ID}
	command, err := pbx.ParseDialCommand(g.DialCommand)
	if err != nil {
		return l, false // refused when it was saved
	}
	if l.Number = command.Number(prefix, digits); l.Number == "" {
		p.step("gateway", "Nothing is left of {number} for {gateway}", "number", digits, "gateway", g.Name)
		return l, false
	}
	n := p.numbering()
	l.Called = n.Key(l.Number)
	l.Class = p.class(l.Called)
	// What was put before the number may be a code of the provider: it is then none any more.
	for _, plain := range []string{command.Number("", digits), strings.TrimPrefix(digits, p.cfg.Locale.OutsideLine)} {
		l.Class = l.Class.Dearer(p.class(plain))
	}
	if group.NumberStyle != pbx.StyleAsIs {
		l.Number = n.Write(l.Called, group.NumberStyle)
	}
	s := p.step("gateway", "{gateway} is told {number}", "gateway", g.Name, "number", l.Number)
	s.Pattern, s.Before, s.After = g.DialCommand, digits, l.Number
	p.identity(&l, group, who)
	p.withhold(&l, who)
	return l, true
}

// identity works out whom the called side sees and the provider is told of.
func (p *plan) identity(l *Line, group *pbx.GatewayGroup, who *pbx.User) {
	own := who.Extension
	if choice := who.Calls.ShowExternal; choice != "" && slices.Contains(who.CLIPExternal, choice) {
		own = choice
		p.step("clip", "{name} shows {number}", "name", called(who), "number", choice).After = choice
	}
	l.CallerID = p.rewrite("caller-id", "{number} is shown as {result}", group.OutboundCallerID, own)
	for _, x := range group.CallerIDs {
		if x.User == who.ID && own == who.Extension {
			l.CallerID = x.CallerID
			p.step("caller-id", "{number} is shown as {result}", "number", own, "result", x.CallerID).After = x.CallerID
		}
	}
	if group.AssertedIdentity.Search != "" {
		l.Asserted = p.rewrite("asserted-identity", "The provider is told {result} of {number}", group.AssertedIdentity, who.Extension)
	}
}

// withhold works out whether the called side sees who calls: as who calls wants
// it, and who sends the call on. Who helps in an emergency always does.
func (p *plan) withhold(l *Line, who *pbx.User) {
	hides := func(u *pbx.User, wants bool) {
		if !l.Hidden && wants && p.cfg.Holds(u, pbx.PermitCLIR) {
			l.Hidden = true
			p.step("clir", "{name} hides the number", "name", called(u)).Permission = pbx.PermitCLIR
		}
	}
	if u := p.caller; u != nil && u != who {
		hides(u, p.d.hidden || u.Calls.HideNumber)
	}
	hides(who, who.Calls.HideNumber || p.d.hidden && (p.caller == nil || p.caller == who))
}

// nextLine decides what follows when a line could not take the call.
func (p *plan) nextLine(d Decision, o Outcome) {
	p.d.Emergency = d.Emergency
	switch {
	case o != LineFailed:
		p.refuse(o.cause())
	case len(d.Lines) > 1:
		p.step("gateway", "{gateway} does not take the call: {other} is next", "gateway", d.Lines[0].Name, "other", d.Lines[1].Name)
		p.d.Kind, p.d.Lines = Outside, slices.Clone(d.Lines[1:])
	default:
		p.step("gateway", "{gateway} does not take the call, and there is no other", "gateway", d.Lines[0].Name)
		p.refuse(pbx.CauseCongestion)
	}
}
