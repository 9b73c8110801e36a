package pbx

import "time"

// RecordDirection says which way a call went, as seen from the device.
type RecordDirection string

// The directions of a call record.
const (
	RecordIn       RecordDirection = "in"
	RecordOut      RecordDirection = "out"
	RecordInternal RecordDirection = "internal"
)

// RecordResult is what became of a call (F209).
type RecordResult string

// The results of a call record.
const (
	RecordAnswered RecordResult = "answered"
	RecordNoAnswer RecordResult = "noAnswer"
	RecordBusy     RecordResult = "busy"
	RecordFailed   RecordResult = "failed"
)

// RecordAct is what somebody did with a call beside speaking.
type RecordAct string

// The acts of a leg. Who did several has the last one.
const (
	RecordForwarded   RecordAct = "forwarded"   // a forwarding of the user, or the phone itself, sent the call on
	RecordTransferred RecordAct = "transferred" // handed the other side on
	RecordParked      RecordAct = "parked"
	RecordPickedUp    RecordAct = "pickedUp"  // took a call that rang elsewhere
	RecordRetrieved   RecordAct = "retrieved" // took a call from its parking place
)

// TollClass is what kind of number was called, for what a call may cost.
type TollClass string

// The classes of numbers.
const (
	TollInternal  TollClass = "internal"
	TollLocal     TollClass = "local"
	TollNational  TollClass = "national"
	TollForeign   TollClass = "foreign"
	TollPremium   TollClass = "premium"
	TollEmergency TollClass = "emergency"
)

// RecordParty is who took part in a call, as it was then: a user who is renamed
// or deleted later stays what the call has seen.
type RecordParty struct {
	Number string `json:"number" title:"Number" doc:"Number as it was signalled or is configured" maxLength:"100"`
	E164   string `json:"e164,omitempty" title:"Number, international" doc:"The number with + and country code, or empty when it has no such form" maxLength:"16"`
	Name   string `json:"name" title:"Name" doc:"Name, or empty when it is not known" maxLength:"100"`
	User   string `json:"user,omitempty" title:"User" doc:"Identifier of the user, or empty" maxLength:"26"`
}

// CallRecord is one call as a whole (call detail record), from its first leg to
// its last: transfer, forwarding and pickup do not begin another.
type CallRecord struct {
	ID         int64           `json:"id" title:"Number" doc:"Number of the record"`
	Call       string          `json:"call" title:"Call" doc:"Identifier of the call" maxLength:"40"`
	Direction  RecordDirection `json:"direction" title:"Direction" doc:"Which way the call went" enum:"in,out,internal"`
	Caller     RecordParty     `json:"caller" title:"Caller" doc:"Who called"`
	Hidden     bool            `json:"hidden" title:"Number hidden" doc:"The caller's number was not to be shown"`
	Dialled    string          `json:"dialled" title:"Dialled" doc:"Number as it was dialled" maxLength:"100"`
	DialledE   string          `json:"dialledE164,omitempty" title:"Dialled, international" doc:"The dialled number with + and country code, or empty when it has no such form" maxLength:"16"`
	Target     RecordParty     `json:"target" title:"Target" doc:"Who answered at last; empty when nobody did"`
	GatewayIn  string          `json:"gatewayIn,omitempty" title:"Gateway in" doc:"Identifier of the gateway by which the call came" maxLength:"26"`
	GroupIn    string          `json:"groupIn,omitempty" title:"Gateway group in" doc:"Identifier of that gateway's group" maxLength:"26"`
	GatewayOut string          `json:"gatewayOut,omitempty" title:"Gateway out" doc:"Identifier of the gateway by which the call left" maxLength:"26"`
	GroupOut   string          `json:"groupOut,omitempty" title:"Gateway group out" doc:"Identifier of that gateway's group" maxLength:"26"`
	Result     RecordResult    `json:"result" title:"Type" doc:"What became of the call" enum:"answered,noAnswer,busy,failed"`
	Cause      Cause           `json:"cause" title:"Cause" doc:"Why the call ended, as ITU-T Q.850 counts causes; 0 when it is not known"`
	Began      time.Time       `json:"began" title:"Time" doc:"When the call began"`
	Answered   time.Time       `json:"answered,omitzero" title:"Answered" doc:"When somebody answered first"`
	Ended      time.Time       `json:"ended" title:"Ended" doc:"When the last leg ended"`
	Ring       int             `json:"ring" title:"Ring time" doc:"Time until somebody answered, or until the caller gave up" unit:"s" minimum:"0"`
	Talk       int             `json:"talk" title:"Duration" doc:"Time from the answer to the end" unit:"s" minimum:"0"`
	Toll       TollClass       `json:"toll" title:"Class" doc:"What kind of number was called" enum:"internal,local,national,foreign,premium,emergency"`
	Estimated  bool            `json:"estimated" title:"Time estimated" doc:"The clock of the device was not set: the time is an estimate"`
	Legs       []RecordLeg     `json:"legs,omitempty" title:"Legs" doc:"Who took part, in the order of time; only of a single record"`
}

// RecordLeg is the part that one phone or line had in a call. A user whose phones
// did not ring since a forwarding had sent the call on before has one that begins
// and ends at that time.
type RecordLeg struct {
	Party    RecordParty `json:"party" title:"Who" doc:"Whose phone or line it was"`
	Gateway  string      `json:"gateway,omitempty" title:"Gateway" doc:"Identifier of the gateway, or empty" maxLength:"26"`
	Began    time.Time   `json:"began" title:"Began" doc:"When it began to ring"`
	Answered time.Time   `json:"answered,omitzero" title:"Answered" doc:"When it was answered"`
	Ended    time.Time   `json:"ended" title:"Ended" doc:"When it ended"`
	Act      RecordAct   `json:"act,omitempty" title:"Act" doc:"What was done with the call there beside speaking; empty: nothing" enum:",forwarded,transferred,parked,pickedUp,retrieved"`
	Payer    string      `json:"payer,omitempty" title:"On behalf of" doc:"Identifier of the user on whose behalf the call left the device: who called, forwarded or transferred it; empty of a leg of the device" maxLength:"26"`
	Toll     TollClass   `json:"toll,omitempty" title:"Class" doc:"What kind of number a leg to the outside called; empty of a leg of the device" enum:",internal,local,national,foreign,premium,emergency"`
	Cause    Cause       `json:"cause" title:"Cause" doc:"Why it ended, as ITU-T Q.850 counts causes; 0 when it is not known"`
}

// RecordPlace is where a record stands in the list: by the time at which its call
// began, then by its number. The zero value is before the newest.
type RecordPlace struct {
	Began int64 // ms since 1970, UTC
	ID    int64
}

// RecordQuery asks for call records; conditions hold together. Numbers match
// however they are written. In Caller and Target '*' stands for any characters
// and '?' for one; without them the whole number must match. What holds a letter
// is looked for in names: each word of it at the beginning of a word.
type RecordQuery struct {
	Since, Until time.Time // began at Since or after it, and before Until; zero for no bound
	Caller       string    // "" for all
	Target       string    // who answered, or the dialled number when nobody did; "" for all
	MinSeconds   int       // of Talk; 0 for no bound
	MaxSeconds   int       // of Talk; 0 for no bound
	WithRing     bool      // MinSeconds and MaxSeconds are of Ring and Talk together
	Result       RecordResult
	Direction    RecordDirection
	User         string // ID of a user who called or answered; "" for all
	Gateway      string // ID of a gateway by which the call came or left; "" for all

	After RecordPlace // only records that follow it
	Limit int         // 1 to 200
}

// RecordPage is a part of the call records, newest first.
type RecordPage struct {
	Records []CallRecord // without legs
	// Next is where the following part begins, when More is set. A part may hold
	// fewer records than were asked for, even none, and there are more: the search
	// stops after so many that it has looked at.
	Next RecordPlace
	More bool
}

// RecordTotals sums up the records that match (F209).
type RecordTotals struct {
	Calls    int
	Answered int
	Talk     int64 // seconds
	Ring     int64 // seconds
	// Since is set when there were too many to look at: the totals are those of the
	// calls that began at this time or later.
	Since time.Time
}

// AverageTalk returns the mean time of speech of an answered call.
func (t RecordTotals) AverageTalk() time.Duration { return mean(t.Talk, t.Answered) }

// AverageWithRing returns the mean time of a call with its ringing.
func (t RecordTotals) AverageWithRing() time.Duration { return mean(t.Talk+t.Ring, t.Calls) }

func mean(seconds int64, n int) time.Duration {
	if n == 0 {
		return 0
	}
	return time.Duration(float64(seconds) / float64(n) * float64(time.Second))
}
