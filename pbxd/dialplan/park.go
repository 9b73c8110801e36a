package dialplan

import "galilei/pbxd/pbx"

// park decides in which parking place a call is parked, or from which it is
// taken: 1 to 9 are for everybody, and each user has one of the number of the
// extension, which the code alone means.
func (p *plan) park(place string) {
	switch {
	case len(place) == 1 && place >= "1" && place <= "9":
		p.step("park", "{place} is a parking place for everybody", "place", place)
	case place == "" || place == p.caller.Extension:
		place = p.caller.Extension
		if place == "" {
			p.step("park", "{name} has no extension and so no parking place", "name", called(p.caller))
			p.refuse(pbx.CauseInvalidNumber)
			return
		}
		p.step("park", "{place} is the parking place of {name}", "place", place, "name", called(p.caller))
	default:
		u := p.cfg.UserByExtension(place)
		if u == nil {
			p.step("park", "There is no parking place {place}: dial 1 to 9 or an extension after the code", "place", place)
			p.refuse(pbx.CauseInvalidNumber)
			return
		}
		p.step("park", "{place} is the parking place of {name}", "place", place, "name", called(u))
		if !p.may("pickup", p.caller, pbx.PermitDirectPickup, u) {
			p.refuse(pbx.CauseNotAuthorised)
			return
		}
	}
	p.d.Kind, p.d.Function, p.d.Argument = Function, pbx.FunctionPark, place
}
