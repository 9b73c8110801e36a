package pbx

import "time"

// CallDirection says whether a user was called or called.
type CallDirection string

// The directions of a call as its user sees them.
const (
	CallIn  CallDirection = "in"
	CallOut CallDirection = "out"
)

// CallResult is what became of a call as one user sees it.
type CallResult string

// The results. A call that another phone or user took is not missed.
const (
	CallAnswered  CallResult = "answered"
	CallMissed    CallResult = "missed"    // of CallIn: it rang and nobody took it, or it found the user busy or without a phone
	CallElsewhere CallResult = "elsewhere" // of CallIn: somebody else took it, by a group, by pickup, or where it was sent on to
	CallDeclined  CallResult = "declined"  // of CallIn: the user refused it
	CallNoAnswer  CallResult = "noAnswer"  // of CallOut
	CallBusy      CallResult = "busy"      // of CallOut
	CallFailed    CallResult = "failed"    // of CallOut
)

// JournalEntry is one call as one of its users saw it. The time that a user has
// spoken is that of the user alone: it ends with a transfer.
type JournalEntry struct {
	ID        int64         `json:"id" title:"Number" doc:"Number of the entry"`
	User      string        `json:"user" title:"User" doc:"Identifier of the user" maxLength:"26"`
	Call      string        `json:"call" title:"Call" doc:"Identifier of the call" maxLength:"40"`
	Direction CallDirection `json:"direction" title:"Direction" doc:"in: the user was called; out: the user called" enum:"in,out"`
	Result    CallResult    `json:"result" title:"Result" doc:"What became of the call" enum:"answered,missed,elsewhere,declined,noAnswer,busy,failed"`
	Number    string        `json:"number" title:"Number" doc:"Number of the other side as the user saw it; empty when it was hidden" maxLength:"64"`
	Name      string        `json:"name" title:"Name" doc:"Name of the other side; empty when it is not known" maxLength:"100"`
	Group     string        `json:"group,omitempty" title:"Group" doc:"Title of the hunt group that was called, or empty" maxLength:"100"`
	Time      time.Time     `json:"time" title:"Time" doc:"When it began to ring, or when the user dialled"`
	Duration  int           `json:"duration" title:"Duration" doc:"For how long the user has spoken" unit:"s" minimum:"0"`
	New       bool          `json:"new" title:"New" doc:"A missed call that the user has not looked at yet"`
}

// JournalQuery asks for a part of the journal of one user, the newest first:
// in the order in which the calls ended for the user, which a clock that is set
// does not change.
type JournalQuery struct {
	User      string        // ID
	Before    int64         // only entries with a smaller ID; 0 for the newest
	Limit     int           // 1 to 200
	Direction CallDirection // "" for both
	Result    CallResult    // "" for all
	New       bool          // only missed calls that the user has not looked at
	Name      string        // beginning of a word of the name, without regard to case and accents; "" for all
	Number    string        // beginning of the number, of which only digits count; "" for all
}

// JournalPage is a part of a journal.
type JournalPage struct {
	Total   int // that match, whatever Before says
	Entries []JournalEntry
}
