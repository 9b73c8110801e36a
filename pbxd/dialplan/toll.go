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

// within reports whether the limits of the user on whose behalf a call leaves let
// it begin, and refuses it when they do not.
func (p *plan) within(who *pbx.User, lines []Line) bool {
	class := pbx.TollClass("")
	for i := range lines {
		class = class.Dearer(lines[i].Class)
	}
	said, refused := p.cfg.Toll.User(called(who), class, p.q.Tolls.UserToll(who.ID))
	p.tell(said)
	if refused != 0 {
		p.refuse(refused)
		return false
	}
	return true
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
