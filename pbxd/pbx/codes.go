package pbx

import (
	"reflect"
	"strings"
)

// Function is what a function code does: the JSON name of its field in
// FunctionCodes.
type Function string

// The functions that are dialled (features.md 2a).
const (
	FunctionPhoneLogin          Function = "phoneLogin"
	FunctionQueueLogin          Function = "queueLogin"
	FunctionNightService        Function = "nightService"
	FunctionCallWaiting         Function = "callWaiting"
	FunctionDoNotDisturb        Function = "doNotDisturb"
	FunctionForwardAlways       Function = "forwardAlways"
	FunctionForwardNoAnswer     Function = "forwardNoAnswer"
	FunctionForwardBusy         Function = "forwardBusy"
	FunctionForwardUnregistered Function = "forwardUnregistered"
	FunctionVoicemail           Function = "voicemail"
	FunctionGroupPickup         Function = "groupPickup"
	FunctionDirectPickup        Function = "directPickup"
	FunctionIntercom            Function = "intercom"
	FunctionQuickDial           Function = "quickDial"
	FunctionHideNumber          Function = "hideNumber"
	FunctionReminder            Function = "reminder"
	FunctionPark                Function = "park"
)

// Code is one function code of the registry.
type Code struct {
	Function Function
	Code     string // as dialled
	Title    string // of the function, in English
}

// Codes returns the registry in its order.
func (f FunctionCodes) Codes() []Code {
	v := reflect.ValueOf(f)
	list := make([]Code, v.NumField())
	for i := range list {
		t := v.Type().Field(i)
		list[i] = Code{Function(jsonName(t)), v.Field(i).String(), t.Tag.Get("title")}
	}
	return list
}

// Match returns the code that digits begin with, and what follows it. No code
// of a valid configuration begins with another, so that at most one fits.
func (f FunctionCodes) Match(digits string) (code Code, argument string, ok bool) {
	for _, c := range f.Codes() {
		if rest, is := strings.CutPrefix(digits, c.Code); is && c.Code != "" {
			return c, rest, true
		}
	}
	return Code{}, "", false
}

// Permission returns the permission that the function needs towards the caller,
// or "" for none. Pickup, intercom and hidden numbers need theirs towards
// somebody else, and log-on to a queue towards queues; it returns these, too.
func (f Function) Permission() Permission {
	switch f {
	case FunctionPhoneLogin:
		return PermitHotDesking
	case FunctionQueueLogin:
		return PermitQueueLogon
	case FunctionNightService:
		return PermitSetNightService
	case FunctionCallWaiting:
		return PermitCallWaiting
	case FunctionDoNotDisturb:
		return PermitDND
	case FunctionForwardAlways, FunctionForwardBusy, FunctionForwardNoAnswer, FunctionForwardUnregistered:
		return PermitCallForwarding
	case FunctionGroupPickup:
		return PermitGroupPickup
	case FunctionDirectPickup:
		return PermitDirectPickup
	case FunctionIntercom:
		return PermitIntercom
	case FunctionHideNumber:
		return PermitCLIR
	case FunctionReminder:
		return PermitReminder
	}
	return ""
}

// Diverts returns the reason of a function that switches a forwarding.
func (f Function) Diverts() (DiversionReason, bool) {
	switch f {
	case FunctionForwardAlways:
		return DivertAlways, true
	case FunctionForwardBusy:
		return DivertBusy, true
	case FunctionForwardNoAnswer:
		return DivertNoAnswer, true
	case FunctionForwardUnregistered:
		return DivertUnregistered, true
	}
	return "", false
}

// checkCodes checks that no function code begins with another, none stands in
// the way of an emergency number and none in that of an extension.
func checkCodes(c *Config, country Country) (errs []FieldError) {
	codes, claims := c.FunctionCodes.Codes(), c.claims()
	for i, x := range codes {
		at := "functionCodes." + string(x.Function)
		for j, other := range codes {
			if i == j || other.Code == "" || !strings.HasPrefix(x.Code, other.Code) || other.Code == x.Code && i < j {
				continue
			}
			errs = append(errs, refused(at, "{code} begins with {other}, the code of {name}", "code", x.Code, "other", other.Code, "name", other.Title))
		}
		e, hides := country.EmergencyPrefixedBy(x.Code)
		for _, line := range []string{country.OutsideLine, c.Locale.OutsideLine} { // people dial the digit for an outside line before it, too
			if after, ok := strings.CutPrefix(x.Code, line); ok && !hides {
				e, hides = country.EmergencyPrefixedBy(after)
			}
		}
		if hides {
			errs = append(errs, refused(at, "hides the emergency number {emergency} of {country}; choose another", "emergency", e.Number, "country", country.Name))
		}
		for _, n := range claims {
			if x.Code == "" || !strings.HasPrefix(n.number, x.Code) && !strings.HasPrefix(x.Code, n.number) {
				continue
			}
			inTheWay := refused(at, "{code} and {number}, the extension of {name} ({kind}), begin alike", "code", x.Code, "number", n.number, "name", n.owner, "kind", n.kind)
			errs = append(errs, inTheWay.or(refused(n.path, "{number} and {code}, the code of {name}, begin alike", "number", n.number, "code", x.Code, "name", x.Title)))
		}
	}
	return errs
}
