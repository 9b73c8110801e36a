package dialplan

import (
	"slices"
	"strconv"
	"strings"

	"galilei/pbxd/pbx"
)

// number decides what digits reach. Codes are for the phones of the device: a
// call from outside or one that is sent on dials none, and an emergency number
// is only what somebody dials.
func (p *plan) number(digits string, dialled bool) {
	if p.emergency(digits, dialled) {
		return
	}
	if p.q.Caller.Unknown {
		p.step("emergency", "The phone has not shown whose it is: it makes emergency calls only")
		p.refuse(pbx.CauseNotAuthorised)
		return
	}
	if dialled && p.caller != nil && p.q.Caller.Away && !p.mayAway(digits) {
		p.step("logged-in", "{name} is logged in at another phone: this one makes emergency calls only", "name", called(p.caller))
		p.refuse(pbx.CauseNotAuthorised)
		return
	}
	if p.caller != nil && dialled {
		if code, argument, ok := p.cfg.FunctionCodes.Match(digits); ok {
			s := p.step("function-code", "{code} is the code of {function}", "code", code.Code, "function", pbx.Message{Template: code.Title})
			s.Pattern, s.Before, s.After = code.Code, digits, argument
			p.function(code, argument)
			return
		}
		p.step("function-code", "{number} begins with no function code", "number", digits)
	}
	if u := p.cfg.UserByExtension(digits); u != nil {
		p.step("extension", "{number} is the extension of {name}", "number", digits, "name", u.DisplayName()).After = digits
		p.userCalled(u)
		return
	}
	p.step("extension", "Nobody has the extension {number}", "number", digits)
	if g := huntGroupOf(p.cfg, digits); g != nil {
		p.step("hunt-group", "{number} is the hunt group {name}", "number", digits, "name", g.Title).After = digits
		p.huntGroup(g)
		return
	}
	p.step("hunt-group", "No hunt group has the number {number}", "number", digits)
	p.outside(digits, dialled)
}

// profile is the country in which the device stands.
func (p *plan) profile() *pbx.Country {
	if p.country == nil {
		country, _ := pbx.CountryByCode(p.cfg.Locale.Country)
		p.country = &country
	}
	return p.country
}

// function decides a function code. The caller is a user of the device.
func (p *plan) function(code pbx.Code, argument string) {
	switch code.Function {
	case pbx.FunctionHideNumber:
		p.hidden(argument)
		return
	case pbx.FunctionIntercom, pbx.FunctionDirectPickup:
		if strings.Trim(argument, "0123456789") != "" || argument == "" {
			p.step("extension", "Dial an extension after the code")
			p.refuse(pbx.CauseInvalidNumber)
			return
		}
		if code.Function == pbx.FunctionIntercom {
			p.intercom(argument)
		} else {
			p.pickup(argument)
		}
		return
	case pbx.FunctionGroupPickup:
		p.groupPickup(argument)
		return
	case pbx.FunctionQuickDial:
		p.quickDial(argument)
		return
	case pbx.FunctionPark:
		p.park(argument)
		return
	}
	p.d.Function, p.d.Argument = code.Function, argument
	if rest, off := strings.CutSuffix(argument, "*"); off && switches(code.Function) {
		p.d.Argument, p.d.Off = rest, true
	}
	if _, diverts := code.Function.Diverts(); diverts { // *21*NUMBER# is how ISDN and GSM have it
		p.d.Argument = strings.TrimSuffix(strings.TrimPrefix(p.d.Argument, "*"), "#")
	}
	if code.Function == pbx.FunctionNightService {
		p.d.Off = argument == "" || argument == "0"
	}
	if permission := code.Function.Permission(); permission != "" && code.Function != pbx.FunctionPhoneLogin {
		granted := false
		switch code.Function {
		case pbx.FunctionQueueLogin, pbx.FunctionNightService:
			granted = p.cfg.Holds(p.caller, permission)
			s := p.step("permission", "{name} has the permission", "name", called(p.caller))
			if !granted {
				s.Message = pbx.Say("{name} does not have the permission", "name", called(p.caller))
			}
			s.Permission, s.Granted = permission, granted
		default:
			granted = p.may("permission", p.caller, permission, p.caller)
		}
		if !granted {
			p.refuse(pbx.CauseNotAuthorised)
			return
		}
	}
	if rule := p.argumentRule(code.Function); !rule.IsZero() {
		p.d.Trace = append(p.d.Trace, Step{Rule: "function-code", Message: rule})
		p.refuse(pbx.CauseInvalidNumber)
		return
	}
	if p.served(code.Function) {
		p.d.Kind = Function
	}
}

// switches reports whether '*' after the code and its argument switches a
// function off.
func switches(f pbx.Function) bool {
	switch f {
	case pbx.FunctionPhoneLogin, pbx.FunctionQueueLogin, pbx.FunctionCallWaiting, pbx.FunctionDoNotDisturb, pbx.FunctionReminder:
		return true
	}
	_, diverts := f.Diverts()
	return diverts
}

// argumentRule says what is wrong with the digits after the code.
func (p *plan) argumentRule(f pbx.Function) pbx.Message {
	a, off := p.d.Argument, p.d.Off
	digits := strings.Trim(a, "0123456789") == ""
	if reason, diverts := f.Diverts(); diverts && !off {
		inside, _ := p.caller.Calls.Forwarding(false, reason)
		outside, _ := p.caller.Calls.Forwarding(true, reason)
		switch {
		case a == "" && inside == "" && outside == "":
			return pbx.Say("Dial the number to forward to after the code")
		case a == p.caller.Extension:
			return pbx.Say("Calls cannot be forwarded to the own extension")
		case p.emergencyDialled(a):
			return pbx.Say("Calls cannot be forwarded to an emergency number")
		case strings.Trim(strings.TrimPrefix(a, "+"), "0123456789") != "": // a call that is sent on dials no code
			return pbx.Say("Only digits follow this code")
		case len(a) > 32:
			return pbx.Say("{n} digits are more than any number has", "n", len(a))
		}
		return pbx.Message{}
	}
	switch f {
	case pbx.FunctionReminder:
		if !off && (!digits || len(a) != 4 || a[:2] > "23" || a[2:] > "59") {
			return pbx.Say("Dial hours and minutes after the code, such as 0730")
		}
	case pbx.FunctionPhoneLogin:
		if off && a != "" || !off && (a == "" || !digits) {
			return pbx.Say("Dial the extension to log in after the code, or * to log out")
		}
	case pbx.FunctionQueueLogin:
		if !digits || a == "" && !off {
			return pbx.Say("Dial the number of the queue after the code")
		}
	case pbx.FunctionNightService:
		if !off && (!digits || len(a) != 1) {
			return pbx.Say("Dial the number of the profile, 1 to 9, after the code, or 0 for none")
		}
	case pbx.FunctionCallWaiting, pbx.FunctionDoNotDisturb:
		if a != "" {
			return pbx.Say("Nothing follows this code, or * to switch off")
		}
	case pbx.FunctionVoicemail:
		if !digits {
			return pbx.Say("Only digits follow this code")
		}
	}
	return pbx.Message{}
}

// hidden calls a number without showing the caller's. An emergency number is
// one after the code, too.
func (p *plan) hidden(number string) {
	if number == "" {
		p.step("clir", "Dial a number after the code")
		p.refuse(pbx.CauseInvalidNumber)
		return
	}
	if p.d.hidden && !p.q.Hidden { // by the code, not by the phone
		p.step("clir", "The number is hidden already")
		p.refuse(pbx.CauseInvalidNumber)
		return
	}
	p.d.hidden = true
	p.number(number, true)
}

// pickup decides which ringing phone the caller takes a call from.
func (p *plan) pickup(extension string) {
	u := p.cfg.UserByExtension(extension)
	if u == nil {
		p.step("extension", "Nobody has the extension {number}", "number", extension)
		p.refuse(pbx.CauseUnallocated)
		return
	}
	if !p.may("pickup", p.caller, pbx.PermitDirectPickup, u) {
		p.refuse(pbx.CauseNotAuthorised)
		return
	}
	p.d.Kind, p.d.Function, p.d.Argument = Function, pbx.FunctionDirectPickup, extension
}

// groupPickup decides in which of the caller's pickup groups a call is taken;
// without a number in any of them (F077 to F079).
func (p *plan) groupPickup(number string) {
	if !p.may("permission", p.caller, pbx.PermitGroupPickup, p.caller) {
		p.refuse(pbx.CauseNotAuthorised)
		return
	}
	for i := range p.cfg.PickupGroups {
		g := &p.cfg.PickupGroups[i]
		if number != "" && number != strconv.Itoa(g.Number) || !slices.Contains(g.Members, p.caller.ID) {
			continue
		}
		p.step("pickup", "{name} is in the pickup group {group}", "name", called(p.caller), "group", g.Name)
		p.d.Kind, p.d.Function, p.d.Argument = Function, pbx.FunctionGroupPickup, number
		return
	}
	if number == "" {
		p.step("pickup", "{name} is in no pickup group", "name", called(p.caller))
	} else {
		p.step("pickup", "{name} is not in the pickup group {number}", "name", called(p.caller), "number", number)
	}
	p.refuse(pbx.CauseNotAuthorised)
}
