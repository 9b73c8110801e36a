package dialplan

import (
	"reflect"
	"slices"

	"galilei/pbxd/pbx"
)

// Step is one thing that was looked at.
type Step struct {
	Rule       string         `json:"rule" title:"Rule" doc:"What was looked at, for example function-code" maxLength:"40"`
	Message    pbx.Message    `json:"message" title:"Step" doc:"What came of it"`
	Pattern    string         `json:"pattern,omitempty" title:"Pattern" doc:"What the number was compared with" maxLength:"100"`
	Groups     []string       `json:"groups,omitempty" title:"Parts" doc:"Parts of the number that the pattern found" maxItems:"10" maxLength:"100"`
	Before     string         `json:"before,omitempty" title:"Before" doc:"Number before the step" maxLength:"100"`
	After      string         `json:"after,omitempty" title:"After" doc:"Number after it" maxLength:"100"`
	Permission pbx.Permission `json:"permission,omitempty" title:"Permission" doc:"Permission that decided" maxLength:"40"`
	Granted    bool           `json:"granted,omitempty" title:"Granted" doc:"The permission is there"`
	Window     string         `json:"window,omitempty" title:"Time window" doc:"When the rule holds" maxLength:"100"`
}

// Alike reports whether two decisions do the same for the same reasons: they
// differ at most in how the phones ended that rang before. What follows in a
// linear hunt group may differ then, since only members who rang make it begin
// again; where the group sends the call on does not.
func (d *Decision) Alike(other *Decision) bool {
	bare := func(d Decision) Decision {
		was := d.hunt
		if d.hunt = (hunt{}); was.parts {
			d.hunt.cause = was.cause
			if d.hunt.cause == pbx.CauseCallRejected {
				d.hunt.cause = pbx.CauseUserBusy // it is forwarded as that
			}
		}
		d.Trace = slices.DeleteFunc(slices.Clone(d.Trace), func(s Step) bool { return s.Rule == "outcome" })
		return d
	}
	return reflect.DeepEqual(bare(*d), bare(*other))
}

// plan is one decision in the making.
type plan struct {
	cfg     *pbx.Config
	q       Query
	caller  *pbx.User // nil for a call from outside
	d       Decision
	country *pbx.Country // found when it is needed

	received string                   // number of a caller outside as the provider sends it
	classes  map[string]pbx.TollClass // of numbers, once they are known
}

// newPlan begins the decision that follows d.
func newPlan(c *pbx.Config, q Query, d Decision) *plan {
	p := &plan{cfg: c, q: q, d: Decision{Ring: []Target{}, Lines: []Line{}, Trace: []Step{}, hidden: d.hidden || q.Hidden, quick: d.quick}}
	p.d.Diversions = append([]Diversion{}, d.Diversions...)
	if q.Caller.UserID != "" {
		p.caller = c.UserByID(q.Caller.UserID)
	}
	if g := c.GatewayByID(q.Gateway); g != nil && q.Caller.Number != "" {
		p.received = q.Caller.Number
		if group := c.GatewayGroupByID(g.Group); group != nil {
			p.q.Caller.Number, _, _ = q.Patterns.replaced(group.InboundCallerID, p.received) // told where the call is decided
		}
	}
	if p.q.State == nil {
		p.q.State = allFree{}
	}
	if p.q.Tolls == nil {
		p.q.Tolls = nothingSpoken{}
	}
	if p.q.Lines == nil {
		p.q.Lines = func(string) (up bool, calls int) { return true, 0 }
	}
	return p
}

// allFree is the state in which every phone is registered and free.
type allFree struct{}

func (allFree) Registered(string) bool { return true }
func (allFree) Calls(string) int       { return 0 }

// external reports whether the call comes from outside.
func (p *plan) external() bool { return p.q.Caller.UserID == "" }

// step notes what was looked at. The returned step may be completed until the
// next one.
func (p *plan) step(rule, template string, pairs ...any) *Step {
	p.d.Trace = append(p.d.Trace, Step{Rule: rule, Message: pbx.Say(template, pairs...)})
	return &p.d.Trace[len(p.d.Trace)-1]
}

// refuse ends the call.
func (p *plan) refuse(cause pbx.Cause) Decision {
	p.d.Kind, p.d.Refuse = Refuse, cause
	p.d.Ring, p.d.Timeout, p.d.Linear, p.d.Group, p.d.user, p.d.hunt, p.d.Lines = []Target{}, 0, false, "", "", hunt{}, []Line{}
	return p.d
}

// may reports whether u has a permission towards target, and notes the step.
func (p *plan) may(rule string, u *pbx.User, permission pbx.Permission, target *pbx.User) bool {
	granted := p.cfg.May(u, permission, target)
	var s *Step
	switch {
	case granted && u == target:
		s = p.step(rule, "{name} has the permission", "name", called(u))
	case granted:
		s = p.step(rule, "{name} has the permission towards {target}", "name", called(u), "target", called(target))
	case u == target:
		s = p.step(rule, "{name} does not have the permission", "name", called(u))
	default:
		s = p.step(rule, "{name} does not have the permission towards {target}", "name", called(u), "target", called(target))
	}
	s.Permission, s.Granted = permission, granted
	return granted
}

// when notes for which time the decision holds.
func (p *plan) when() {
	if p.q.Time.IsZero() {
		p.step("time", "The clock is not set: what depends on the time does not hold")
		return
	}
	p.step("time", "Decided for {time}", "time", p.q.Time.Format("2006-01-02 15:04"))
}

// called is what people call a user: name and number.
func called(u *pbx.User) string { return u.Label() }
