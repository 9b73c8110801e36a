package dialplan

import "galilei/pbxd/pbx"

// Tolls tells what has been used up of the limits of calls.
type Tolls interface {
	UserToll(user string) pbx.TollState       // by ID
	GatewayToll(gateway string) pbx.TollState // by ID
}

// class is what kind of number a provider is told. Most gateways are told the
// same, and to look at the profiles of other countries takes 70 us.
func (p *plan) class(number string) pbx.TollClass {
	class, known := p.classes[number]
	if !known {
		class = p.profile().TollClass(p.cfg.Locale.AreaCode, number)
		if p.classes == nil {
			p.classes = map[string]pbx.TollClass{}
		}
		p.classes[number] = class
	}
	return class
}

// within leaves of lines those that the limits of the user let a call take on
// whose behalf it leaves; what a number is told as may make it dearer on one of
// them. Without any the call is refused.
func (p *plan) within(who *pbx.User, lines []Line) (left []Line) {
	refused := map[pbx.TollClass]pbx.Cause{}
	for _, l := range lines {
		if _, known := refused[l.Class]; !known {
			said, cause := p.cfg.Toll.User(called(who), l.Class, p.q.Tolls.UserToll(who.ID))
			p.tell(said)
			refused[l.Class] = cause
		}
		if refused[l.Class] == 0 {
			left = append(left, l)
		}
	}
	if len(left) == 0 {
		p.refuse(refused[lines[0].Class])
	}
	return left
}

// carries reports whether the limits of a gateway let a call begin.
func (p *plan) carries(g *pbx.Gateway, class pbx.TollClass) bool {
	said, may := p.cfg.Toll.Gateway(g.Name, class, p.q.Tolls.GatewayToll(g.ID))
	if !may {
		p.tell(said)
	}
	return may
}

func (p *plan) tell(said []pbx.Message) {
	for _, m := range said {
		p.d.Trace = append(p.d.Trace, Step{Rule: "toll", Message: m})
	}
}

// nothingSpoken are limits of which nothing is used up.
type nothingSpoken struct{}

func (nothingSpoken) UserToll(string) pbx.TollState    { return pbx.TollState{} }
func (nothingSpoken) GatewayToll(string) pbx.TollState { return pbx.TollState{} }
