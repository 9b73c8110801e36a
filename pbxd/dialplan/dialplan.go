// Package dialplan decides where a call goes. It is pure: configuration,
// caller, digits and what the phones are doing go in, a decision and the steps
// that led to it come out. It does no I/O and reads no clock, so that the same
// code answers "who would ring if".
//
// Decide makes the first decision of a call, Next the one that follows when
// what was decided comes to nothing. Calling Next again and again ends.
package dialplan

import (
	"time"

	"galilei/pbxd/pbx"
)

// maxDiversions is how often a call is sent on at most. Each user sends a call
// on once only, so that this bounds chains that mean no loop.
const maxDiversions = 10

// maxEmergency is how many digits an emergency number has at most, those for an
// outside line before it; a profile of a country and the settings allow no more.
const maxEmergency = 8

// maxDigits bounds what is dialled, as a number in the configuration with a
// function code before it.
const maxDigits = 48

// Query is one dialled number, who dialled it and what is true at the time.
type Query struct {
	Caller Caller
	Digits string    // as dialled
	Time   time.Time // in the time zone of the device; zero when the clock is not set
	State  State     // nil: every phone is registered and free
	// QuickDial is the number that QuickDialled names; nil when no contact has
	// it.
	QuickDial *pbx.QuickDial
	// Diverted are the numbers that the call was for before it came here: phones
	// and other devices that sent it on say so (RFC 5806, RFC 7044).
	Diverted []string
	Patterns *Patterns // what compiled patterns are kept in; nil: they are compiled each time
	// Lines tells whether a gateway, by ID, can be reached, and how many calls it
	// has; nil: all can, and have none.
	Lines func(gateway string) (up bool, calls int)
	// Tolls tells what has been used up of the limits of calls; nil: nothing.
	Tolls   Tolls
	Gateway string // ID of the gateway that the call came over; "" for one of a phone
	Hidden  bool   // the phone wishes that the caller is not shown (RFC 3323)
	Shown   *Shown // whom the phones show in place of the caller, who transfers the call; nil for the caller
}

// Shown is who a call is transferred for: the phones show it, while the rights
// are those of the user who transfers.
type Shown struct {
	Number string // "" when it is not to be shown
	Name   string
}

// Caller is who calls: a user of the device, or somebody outside.
type Caller struct {
	UserID string // of the calling user; "" for a call from outside
	Number string // of a call from outside; "" when it is not shown
	Name   string // of a call from outside, when it is known
	// Away says that the user is logged in at another phone than the one that
	// calls: only emergency calls and log-in are made from it.
	Away bool
	// Unknown says that a phone of a local network calls that has not shown whose
	// it is, by a password: only emergency calls are made from it, and UserID is
	// empty.
	Unknown bool
}

// State is what the phones are doing.
type State interface {
	Registered(extension string) bool // at least one phone
	Calls(extension string) int       // calls that it is in, ringing and waiting ones included
}

// Kind is what a decision comes to.
type Kind string

// The kinds of decisions.
const (
	Ring     Kind = "ring"
	Function Kind = "function"
	Refuse   Kind = "refuse"
	Outside  Kind = "outside"
)

// Decision is where a call goes.
type Decision struct {
	Kind       Kind         `json:"kind" title:"Decision" doc:"ring: phones ring; function: a function of the device answers; refuse: the call ends; outside: it goes to the outside" enum:"ring,function,refuse,outside"`
	Ring       []Target     `json:"ring" title:"Rings" doc:"Who rings, all at the same time" maxItems:"200"`
	Timeout    int          `json:"timeout" title:"Timeout" unit:"s" doc:"Time after which nobody has answered" minimum:"0" maximum:"3600"`
	Linear     bool         `json:"linear" title:"Linear" doc:"Members of a hunt group ring one after the other; this is one of them"`
	Group      string       `json:"group" title:"Hunt group" doc:"Identifier of the hunt group that rings, or empty" maxLength:"26"`
	Function   pbx.Function `json:"function" title:"Function" doc:"Which function answers" maxLength:"40"`
	Off        bool         `json:"off" title:"Switched off" doc:"The function is switched off rather than on"`
	Argument   string       `json:"argument" title:"Argument" doc:"Digits after the function code" maxLength:"48"`
	Refuse     pbx.Cause    `json:"refuse" title:"Cause" doc:"Why the call ends (ITU-T Q.850)" minimum:"0" maximum:"127"`
	Emergency  string       `json:"emergency" title:"Emergency number" doc:"Emergency number that is called; empty for another call" maxLength:"6"`
	Lines      []Line       `json:"lines" title:"Lines" doc:"Ways to the outside, each when the one before cannot take the call" maxItems:"100"`
	Diversions []Diversion  `json:"diversions" title:"Sent on" doc:"Who has sent the call on so far, the first one first" maxItems:"10"`
	Trace      []Step       `json:"trace" title:"Steps" doc:"What was looked at, in order, since the decision before" maxItems:"5000"`

	user   string // ID of the user who rings by the own number; "" in a hunt group
	quick  bool   // a quick dial was dialled
	called string // ID of the user whom a refused call was for; "" in a hunt group
	hidden bool   // the caller hides the number of this call
	hunt   hunt   // where a linear group stands
}

// Called returns the ID of the user whom a call that ends was for and whose
// phones have not rung for it; "" when there is none.
func (d *Decision) Called() string { return d.called }

// Target is one extension that rings and what its phone is told.
type Target struct {
	Extension   string `json:"extension" title:"Extension" doc:"Extension that rings" maxLength:"10"`
	UserID      string `json:"userId" title:"User" doc:"Identifier of its user" maxLength:"26"`
	Name        string `json:"name" title:"Name" doc:"Name of its user" maxLength:"101"`
	Number      string `json:"number" title:"Number shown" doc:"Number that the phone shows; empty when the caller hides it" maxLength:"32"`
	CallerName  string `json:"callerName" title:"Name shown" doc:"Name that the phone shows, without the prefix" maxLength:"101"`
	Prefix      string `json:"prefix" title:"Display prefix" doc:"Shown before the caller" maxLength:"20"`
	DoorStation bool   `json:"doorStation" title:"Door station" doc:"Rings with the tone of the door interphone"`
	Waiting     bool   `json:"waiting" title:"Call waiting" doc:"The user is on the phone and hears the call waiting"`
	AutoAnswer  bool   `json:"autoAnswer" title:"Auto answer" doc:"The phone answers by itself"`
}

// Diversion is one user or hunt group that sent the call on (RFC 5806, RFC 7044).
type Diversion struct {
	UserID    string              `json:"userId" title:"User" doc:"Identifier of the user who sent the call on; empty for a hunt group" maxLength:"26"`
	Extension string              `json:"extension" title:"Extension" doc:"Extension of that user or group" maxLength:"10"`
	Name      string              `json:"name" title:"Name" doc:"Name of that user or group" maxLength:"101"`
	To        string              `json:"to" title:"To" doc:"Number that the call was sent to" maxLength:"32"`
	Reason    pbx.DiversionReason `json:"reason" title:"Reason" doc:"Why, in the words of RFC 5806" enum:"unconditional,user-busy,no-answer,unavailable,deflection"`
}

// Outcome is why a decision to ring came to nothing.
type Outcome string

// The outcomes of ringing.
const (
	Busy          Outcome = "busy"
	NoAnswer      Outcome = "no-answer"
	NotRegistered Outcome = "not-registered"
	Refused       Outcome = "refused"
	Unusable      Outcome = "unusable"    // a phone has no audio that goes with the caller's
	LineFailed    Outcome = "line-failed" // the provider cannot take the call, or is not there
)

// Outcomes returns every outcome that people cause.
func Outcomes() []Outcome { return []Outcome{NoAnswer, Busy, Refused, NotRegistered} }

// OutcomeOf returns the outcome that a cause of a called phone means.
func OutcomeOf(c pbx.Cause) Outcome {
	switch c {
	case pbx.CauseUserBusy:
		return Busy
	case pbx.CauseCallRejected, pbx.CauseNotAuthorised:
		return Refused
	case pbx.CauseIncompatible:
		return Unusable
	case pbx.CauseSubscriberAbsent, pbx.CauseUnallocated, pbx.CauseNoUserResponding, pbx.CauseOutOfOrder,
		pbx.CauseNetworkOutOfOrder, pbx.CauseTemporaryFailure, pbx.CauseRecoveryOnTimer:
		return NotRegistered // there is a phone no more, or none that can be reached
	}
	return NoAnswer
}

// cause is what a caller is told when nothing follows an outcome.
func (o Outcome) cause() pbx.Cause {
	switch o {
	case Busy:
		return pbx.CauseUserBusy
	case NotRegistered:
		return pbx.CauseSubscriberAbsent
	case Refused:
		return pbx.CauseCallRejected
	case Unusable:
		return pbx.CauseIncompatible
	}
	return pbx.CauseNoAnswer
}

// reason is the forwarding that an outcome asks for. Who declines a call is
// busy for it (user determined user busy, 3GPP TS 22.082 section 1.2.2).
func (o Outcome) reason() pbx.DiversionReason {
	switch o {
	case Busy, Refused:
		return pbx.DivertBusy
	case NotRegistered:
		return pbx.DivertUnregistered
	}
	return pbx.DivertNoAnswer
}

// Decide routes one call.
func Decide(c *pbx.Config, q Query) Decision {
	p := newPlan(c, q, Decision{})
	p.when()
	if len(q.Digits) > maxDigits {
		p.step("digits", "{n} digits are more than any number has", "n", len(q.Digits))
		return p.refuse(pbx.CauseInvalidNumber)
	}
	if q.Gateway != "" {
		p.inbound()
		return p.d
	}
	p.number(q.Digits, true)
	return p.d
}

// Deflect says what follows when the phone of somebody whom d rings sends the
// call on to a number by itself: it goes there as by a forwarding of that user
// (RFC 5806, reason deflection). Where that may not be, the phone has declined.
func Deflect(c *pbx.Config, q Query, d Decision, to string) Decision {
	p := newPlan(c, q, d)
	u := c.UserByID(d.user)
	if u == nil || d.Kind != Ring || to == "" || len(to) > maxDigits || len(d.Ring) == 1 && d.Ring[0].AutoAnswer {
		return Next(c, q, d, Refused) // members of a hunt group do not send its calls on
	}
	s := p.step("forward", "The phone of {name} sends the call on to {number}", "name", called(u), "number", to)
	s.Before, s.After = u.Extension, to
	if !p.may("forward", u, pbx.PermitCallForwarding, u) || !p.divert(divertedBy(u, to, pbx.DivertDeflection)) {
		p.unanswered(d, Refused)
	}
	return p.d
}

// Next says what follows when what d decided ended with an outcome: the
// forwarding of the user, the next member of the hunt group, or the end of the
// call. Its trace holds the new steps only.
func Next(c *pbx.Config, q Query, d Decision, o Outcome) Decision {
	p := newPlan(c, q, d)
	switch {
	case d.Kind == Outside && len(d.Lines) > 0:
		p.nextLine(d, o)
	case d.Kind != Ring:
		return p.refuse(o.cause())
	case d.Group != "":
		p.nextMember(d, o)
	default:
		p.unanswered(d, o)
	}
	return p.d
}
