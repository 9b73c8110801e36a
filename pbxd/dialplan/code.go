package dialplan

import (
	"strconv"
	"strings"

	"galilei/pbxd/pbx"
)

// QuickDialled returns the quick dial that a caller dials, also after the code
// that hides the number. Query.QuickDial is the number that it stands for.
func QuickDialled(c *pbx.Config, digits string) (quickdial string, ok bool) {
	if len(digits) > maxDigits {
		return "", false
	}
	code, argument, ok := c.FunctionCodes.Match(digits)
	if ok && code.Function == pbx.FunctionHideNumber {
		code, argument, ok = c.FunctionCodes.Match(argument)
	}
	return argument, ok && code.Function == pbx.FunctionQuickDial && argument != "" && strings.Trim(argument, "0123456789") == ""
}

// quickDial calls the number of a contact (F107), the caller's own contacts
// before the global ones. It then goes where it would go if it had been
// dialled.
func (p *plan) quickDial(argument string) {
	switch found := p.q.QuickDial; {
	case p.d.quick:
		p.step("quick-dial", "A quick dial leads to no other")
	case argument == "" || strings.Trim(argument, "0123456789") != "":
		p.step("quick-dial", "Dial the quick dial of a contact after the code")
	case found == nil || found.Number == "":
		p.step("quick-dial", "No contact has the quick dial {number}", "number", argument)
		p.refuse(pbx.CauseUnallocated)
		return
	default:
		template := pbx.Say("{quickdial} is the quick dial of {name} in the global contacts: {number}").Template
		if found.Private {
			template = pbx.Say("{quickdial} is the quick dial of {name} in the private contacts: {number}").Template
		}
		s := p.step("quick-dial", template, "quickdial", argument, "name", found.Name, "number", found.Number)
		s.Before, s.After = argument, found.Number
		p.d.quick = true
		p.number(found.Number, true)
		return
	}
	p.refuse(pbx.CauseInvalidNumber)
}

// mayAway reports whether a phone whose user is logged in elsewhere makes a call
// all the same: to log in or out, or an emergency call, which number has taken
// unless something stands before it.
func (p *plan) mayAway(digits string) bool {
	if code, argument, ok := p.cfg.FunctionCodes.Match(digits); ok {
		return code.Function == pbx.FunctionPhoneLogin || code.Function == pbx.FunctionHideNumber && p.emergencyDialled(argument)
	}
	return false
}

// served reports whether what a function is about exists. The caller may use
// the function.
func (p *plan) served(f pbx.Function) bool {
	switch f {
	case pbx.FunctionPhoneLogin:
		return p.mayLogIn()
	case pbx.FunctionQueueLogin:
		if p.d.Argument == "" {
			p.step("queue", "There is no queue")
		} else {
			p.step("queue", "There is no queue {number}", "number", p.d.Argument)
		}
	case pbx.FunctionNightService:
		return p.nightService()
	case pbx.FunctionVoicemail:
		p.step("voicemail", "{name} has no voicemail box", "name", called(p.caller))
	default:
		return true
	}
	p.refuse(pbx.CauseUnallocated)
	return false
}

// nightService decides whether the caller, who has the permission, may choose the
// profile that was dialled (F193).
func (p *plan) nightService() bool {
	profile, _ := strconv.Atoi(p.d.Argument) // "" is none
	if p.cfg.NightService.UsersMay(profile) {
		return true
	}
	p.step("night-service", "Profile {n} is none of those that users may choose", "n", profile)
	p.refuse(pbx.CauseNotAuthorised)
	return false
}

// mayLogIn decides whether a user may be logged in at the caller's phone (F072).
// Logging out needs no permission.
func (p *plan) mayLogIn() bool {
	if p.d.Off {
		return true
	}
	u := p.cfg.UserByExtension(p.d.Argument)
	if u == nil {
		p.step("extension", "Nobody has the extension {number}", "number", p.d.Argument)
		p.refuse(pbx.CauseUnallocated)
		return false
	}
	granted := p.cfg.Holds(u, pbx.PermitHotDesking)
	s := p.step("permission", "{name} has the permission", "name", called(u))
	if !granted {
		s.Message = pbx.Say("{name} does not have the permission", "name", called(u))
		p.refuse(pbx.CauseNotAuthorised)
	}
	s.Permission, s.Granted = pbx.PermitHotDesking, granted
	return granted
}
