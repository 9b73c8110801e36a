package pbx

import "time"

// Registration is one binding of an extension to a phone (RFC 3261 section
// 10), as the registrar grants and the store keeps it.
type Registration struct {
	Extension string    `json:"extension"`
	Contact   string    `json:"contact"`             // URI as the phone gave it
	Transport string    `json:"transport"`           // udp or tcp
	Source    string    `json:"source"`              // address and port that the REGISTER came from
	Local     string    `json:"local"`               // address and port that it arrived at
	Instance  string    `json:"instance,omitempty"`  // +sip.instance and reg-id of RFC 5626, empty when the phone gives none
	ReachedAt string    `json:"reachedAt,omitempty"` // host and port of the REGISTER's Request-URI: how the phone reaches us
	UserAgent string    `json:"userAgent"`
	CallID    string    `json:"callId"`
	CSeq      uint32    `json:"cseq"`
	Path      []string  `json:"path,omitempty"` // RFC 3327, topmost first
	Since     time.Time `json:"since"`          // when the binding was first made
	Refreshed time.Time `json:"refreshed"`      // when the phone last said so
	Expires   time.Time `json:"expires"`
}

// CallState is how far a call has come.
type CallState string

// The states of a call as shown to people.
const (
	CallRouting CallState = "routing"
	CallRinging CallState = "ringing"
	CallUp      CallState = "up"
	CallEnded   CallState = "ended"
)

// CallStatus is one call as shown to an administrator.
type CallStatus struct {
	ID       string    `json:"id"`
	From     string    `json:"from"` // calling extension or number
	FromName string    `json:"fromName"`
	To       string    `json:"to"` // dialled number
	State    CallState `json:"state"`
	Started  time.Time `json:"started"`
	Answered time.Time `json:"answered,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	Cause    Cause     `json:"cause,omitempty"` // why it ended
}

// Revision is one accepted state of the configuration.
type Revision struct {
	Number  int64     `json:"number"`
	Time    time.Time `json:"time"`
	Author  string    `json:"author"`
	Comment string    `json:"comment"`
	Changes []Change  `json:"changes"`
}

// AuditEntry is one act that must be accounted for: a login, a reveal of a
// password, a change.
type AuditEntry struct {
	ID     int64     `json:"id"`
	Time   time.Time `json:"time"`
	Actor  string    `json:"actor"`  // login name, or "system"
	Action string    `json:"action"` // for example "login", "login-failed", "reveal-sip-password"
	Object string    `json:"object"` // what it was done to
	From   string    `json:"from"`   // address of the client
	As     string    `json:"as"`     // login name of the user whose rights the actor used, or "" (F051)
}

// AuditQuery asks for a part of the audit log, the newest first.
type AuditQuery struct {
	Before int64     // only entries with a smaller ID; 0 for the newest
	Limit  int       // 1 to 500
	Actor  string    // whose acts, exactly, or those done as that user; "" for all
	Action string    // one kind of act, exactly; "" for all
	Since  time.Time // zero for all
	Until  time.Time // zero for all
}

// FactKind says what a Fact is about.
type FactKind string

// The kinds of facts that are published to the page and to phones.
const (
	FactRegistration FactKind = "registration" // Extension and Registrations are set
	FactCall         FactKind = "call"         // Call is set; CallEnded is the last of its ID
	FactRevision     FactKind = "revision"     // Revision is set
	FactPending      FactKind = "pending"      // a change waits to be confirmed, or no longer; Pending is set while it does
	FactDrafts       FactKind = "drafts"       // the uncommitted system settings have changed; Drafts is their number
	FactMail         FactKind = "mail"         // the mail queue has changed
)

// Fact is one thing that is true now and that others show live.
type Fact struct {
	Kind          FactKind       `json:"kind"`
	Extension     string         `json:"extension,omitempty"`
	Registrations []Registration `json:"registrations,omitempty"` // all of the extension; none means unregistered
	Call          *CallStatus    `json:"call,omitempty"`
	Revision      int64          `json:"revision,omitempty"`
	Pending       *PendingChange `json:"pending,omitempty"`
	Drafts        int            `json:"drafts,omitempty"`
}
