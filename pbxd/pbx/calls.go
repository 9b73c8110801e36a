package pbx

import "fmt"

// UserCalls is what a user sets for the own calls (F064, F090, F092, F096).
// The zero value is that of a new user: nothing is switched on. A number stays
// when its forwarding is switched off.
type UserCalls struct {
	InternalAlways             bool   `json:"internalAlways" title:"Internal calls: always" doc:"Forwards every internal call"`
	InternalAlwaysNumber       string `json:"internalAlwaysNumber" title:"Internal calls, always to" doc:"Number that every internal call goes to" maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
	InternalBusy               bool   `json:"internalBusy" title:"Internal calls: busy" doc:"Forwards internal calls when you are busy or decline"`
	InternalBusyNumber         string `json:"internalBusyNumber" title:"Internal calls, when busy to" doc:"Number that internal calls go to when you are busy or decline" maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
	InternalNoAnswer           bool   `json:"internalNoAnswer" title:"Internal calls: no answer" doc:"Forwards internal calls that you do not answer"`
	InternalNoAnswerNumber     string `json:"internalNoAnswerNumber" title:"Internal calls, without answer to" doc:"Number that internal calls go to when you do not answer" maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
	InternalUnregistered       bool   `json:"internalUnregistered" title:"Internal calls: no phone" doc:"Forwards internal calls when no phone is registered"`
	InternalUnregisteredNumber string `json:"internalUnregisteredNumber" title:"Internal calls, without phone to" doc:"Number that internal calls go to when no phone is registered" maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
	ExternalAlways             bool   `json:"externalAlways" title:"External calls: always" doc:"Forwards every call from outside"`
	ExternalAlwaysNumber       string `json:"externalAlwaysNumber" title:"External calls, always to" doc:"Number that every call from outside goes to" maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
	ExternalBusy               bool   `json:"externalBusy" title:"External calls: busy" doc:"Forwards calls from outside when you are busy or decline"`
	ExternalBusyNumber         string `json:"externalBusyNumber" title:"External calls, when busy to" doc:"Number that calls from outside go to when you are busy or decline" maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
	ExternalNoAnswer           bool   `json:"externalNoAnswer" title:"External calls: no answer" doc:"Forwards calls from outside that you do not answer"`
	ExternalNoAnswerNumber     string `json:"externalNoAnswerNumber" title:"External calls, without answer to" doc:"Number that calls from outside go to when you do not answer" maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
	ExternalUnregistered       bool   `json:"externalUnregistered" title:"External calls: no phone" doc:"Forwards calls from outside when no phone is registered"`
	ExternalUnregisteredNumber string `json:"externalUnregisteredNumber" title:"External calls, without phone to" doc:"Number that calls from outside go to when no phone is registered" maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
	NoAnswerTime               int    `json:"noAnswerTime" title:"Forward after" doc:"Time until a call counts as not answered; 0: that of the device" unit:"s" minimum:"0" maximum:"300"`
	DoNotDisturb               bool   `json:"doNotDisturb" title:"Do not disturb" doc:"The phone does not ring. Callers hear that you are not available."`
	BusyOnBusy                 bool   `json:"busyOnBusy" title:"Busy on busy" doc:"While you are on the phone, further callers hear busy. Off: you hear them waiting."`
	HideNumber                 bool   `json:"hideNumber" title:"Hide number" doc:"The people whom you call do not see who calls"`
	ShowInternal               string `json:"showInternal" title:"Number for internal calls" doc:"Extension that is shown when you call inside: one of CLIP internal; empty: your own" maxLength:"10" pattern:"^[0-9]+$" patternDescription:"digits"`
	ShowExternal               string `json:"showExternal" title:"Number for external calls" doc:"Number that is shown when you call outside: one of CLIP external; empty: that of the line" maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
	RefuseIntercom             bool   `json:"refuseIntercom" title:"Refuse intercom" doc:"Your phone does not answer intercom calls by itself"`
	Reminder                   bool   `json:"reminder" title:"Reminder" doc:"Your phone rings at the time below"`
	ReminderAt                 string `json:"reminderAt" title:"Time of the reminder" doc:"Hours and minutes, for example 07:30" maxLength:"5" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" patternDescription:"hours and minutes, such as 07:30"`
	ReminderDaily              bool   `json:"reminderDaily" title:"Every day" doc:"The reminder comes every day. Off: once."`
}

// DiversionReason is why a call was sent on, in the words of RFC 5806 section
// 4.
type DiversionReason string

// The reasons for which a call is sent on.
const (
	DivertAlways       DiversionReason = "unconditional"
	DivertBusy         DiversionReason = "user-busy"
	DivertNoAnswer     DiversionReason = "no-answer"
	DivertUnregistered DiversionReason = "unavailable"
	DivertDeflection   DiversionReason = "deflection"
	DivertUnknown      DiversionReason = "unknown"
)

// Forwarding returns where c sends a call on for a reason, and whether that is
// switched on. The number is that of the time when it last was on.
func (c *UserCalls) Forwarding(external bool, reason DiversionReason) (number string, on bool) {
	o, n := c.forwarding(external, reason)
	if o == nil {
		return "", false
	}
	return *n, *o
}

// SetForwarding switches one forwarding. With on and an empty number it keeps
// the number of the last time.
func (c *UserCalls) SetForwarding(external bool, reason DiversionReason, on bool, number string) {
	o, n := c.forwarding(external, reason)
	if o == nil {
		return
	}
	*o = on
	if number != "" {
		*n = number
	}
}

// ClearForwarding switches one forwarding off and forgets its number.
func (c *UserCalls) ClearForwarding(external bool, reason DiversionReason) {
	if o, n := c.forwarding(external, reason); o != nil {
		*o, *n = false, ""
	}
}

// forwarding returns the two parameters of one forwarding; nil when there is
// none for the reason.
func (c *UserCalls) forwarding(external bool, reason DiversionReason) (on *bool, number *string) {
	switch {
	case reason == DivertAlways && external:
		return &c.ExternalAlways, &c.ExternalAlwaysNumber
	case reason == DivertAlways:
		return &c.InternalAlways, &c.InternalAlwaysNumber
	case reason == DivertBusy && external:
		return &c.ExternalBusy, &c.ExternalBusyNumber
	case reason == DivertBusy:
		return &c.InternalBusy, &c.InternalBusyNumber
	case reason == DivertNoAnswer && external:
		return &c.ExternalNoAnswer, &c.ExternalNoAnswerNumber
	case reason == DivertNoAnswer:
		return &c.InternalNoAnswer, &c.InternalNoAnswerNumber
	case reason == DivertUnregistered && external:
		return &c.ExternalUnregistered, &c.ExternalUnregisteredNumber
	case reason == DivertUnregistered:
		return &c.InternalUnregistered, &c.InternalUnregisteredNumber
	}
	return nil, nil
}

// SameForwarding reports whether c and o forward alike.
func (c *UserCalls) SameForwarding(o *UserCalls) bool {
	for _, external := range []bool{false, true} {
		for _, reason := range forwardReasons() {
			n, on := c.Forwarding(external, reason)
			if m, also := o.Forwarding(external, reason); n != m || on != also {
				return false
			}
		}
	}
	return c.NoAnswerTime == o.NoAnswerTime
}

// forwardReasons are the reasons for which users forward.
func forwardReasons() []DiversionReason {
	return []DiversionReason{DivertAlways, DivertBusy, DivertNoAnswer, DivertUnregistered}
}

// jsonNameOfForwarding names the number of one forwarding.
func jsonNameOfForwarding(external bool, reason DiversionReason) string {
	side := "internal"
	if external {
		side = "external"
	}
	when := map[DiversionReason]string{DivertAlways: "Always", DivertBusy: "Busy", DivertNoAnswer: "NoAnswer", DivertUnregistered: "Unregistered"}
	return fmt.Sprintf("%s%sNumber", side, when[reason])
}

// KeepCalls gives the user what another state of the same user has set for the
// own calls. A forwarding to what is the own extension now is switched off.
func (u *User) KeepCalls(other *User) {
	u.Calls = other.Calls
	for _, external := range []bool{false, true} {
		for _, reason := range forwardReasons() {
			if number, on := u.Calls.Forwarding(external, reason); on && number == u.Extension {
				u.Calls.SetForwarding(external, reason, false, number)
			}
		}
	}
}

// EmergencyForwards names the forwardings that are on to an emergency number of
// cfg and were not in before: no call is sent on to one. Configurations may hold
// them from another country.
func (c *UserCalls) EmergencyForwards(before *UserCalls, cfg *Config) (errs []FieldError) {
	for _, external := range []bool{false, true} {
		for _, reason := range forwardReasons() {
			number, on := c.Forwarding(external, reason)
			if was, also := before.Forwarding(external, reason); on && !(also && was == number) {
				if _, is := cfg.Emergency(number); !is {
					continue
				}
				errs = append(errs, refused(jsonNameOfForwarding(external, reason), "is an emergency number. Calls are not forwarded to one."))
			}
		}
	}
	return errs
}

// checkUserCalls checks what tags cannot say.
func checkUserCalls(u *User, path string) (errs []FieldError) {
	for _, external := range []bool{false, true} {
		for _, reason := range forwardReasons() {
			number, on := u.Calls.Forwarding(external, reason)
			at := path + jsonNameOfForwarding(external, reason)
			switch {
			case on && number == "":
				errs = append(errs, refused(at, "is needed, because calls are forwarded there"))
			case on && number == u.Extension:
				errs = append(errs, refused(at, "is the own extension"))
			}
		}
	}
	if u.Calls.Reminder && u.Calls.ReminderAt == "" {
		errs = append(errs, refused(path+"reminderAt", "is needed for the reminder"))
	}
	return errs
}
