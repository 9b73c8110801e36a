package pbx

import "time"

// Registration is one binding of an extension to a phone (RFC 3261 section
// 10), as the registrar grants and the store keeps it.
type Registration struct {
	Extension string    `json:"extension" title:"Extension" doc:"Extension that the phone is registered on"`
	Phone     string    `json:"phone,omitempty" title:"Phone of" doc:"Extension that the phone belongs to, when another user is logged in at it; otherwise absent"`
	Contact   string    `json:"contact" title:"Contact" doc:"Address that the phone gave"`
	Transport string    `json:"transport" title:"Transport" doc:"udp, tcp or tls"`
	Source    string    `json:"source" title:"Address" doc:"Address and port that the registration came from"`
	Local     string    `json:"local" title:"Reached at" doc:"Address and port of the device that it arrived at"`
	Instance  string    `json:"instance,omitempty" title:"Instance" doc:"What tells the phone from others (RFC 5626), or empty"`
	Outbound  bool      `json:"outbound,omitempty" title:"Outbound" doc:"Whether the phone is reached only by the way that it registered over (RFC 5626)"`
	ReachedAt string    `json:"reachedAt,omitempty" title:"Server" doc:"Host and port by which the phone reaches the device"`
	UserAgent string    `json:"userAgent" title:"Phone" doc:"Make and version of the phone, as it says"`
	CallID    string    `json:"callId" title:"Call-ID" doc:"Call-ID of the registration"`
	CSeq      uint32    `json:"cseq" title:"CSeq" doc:"Number of the last registration request"`
	Path      []string  `json:"path,omitempty" title:"Path" doc:"Proxies that the phone is reached by (RFC 3327), topmost first"`
	Since     time.Time `json:"since" title:"Since" doc:"When the phone registered first"`
	Refreshed time.Time `json:"refreshed" title:"Refreshed" doc:"When the phone last registered"`
	Expires   time.Time `json:"expires" title:"Expires" doc:"When the registration ends unless it is refreshed"`
}

// CallState is how far a call has come.
type CallState string

// The states of a call as shown to people.
const (
	CallRouting CallState = "routing"
	CallRinging CallState = "ringing"
	CallUp      CallState = "up"
	CallParked  CallState = "parked"
	CallEnded   CallState = "ended"
)

// CallStatus is one call as shown to an administrator.
type CallStatus struct {
	ID       string    `json:"id" title:"Identifier" doc:"Identifier of the call"`
	From     string    `json:"from" title:"From" doc:"Calling extension or number"`
	FromName string    `json:"fromName" title:"Caller" doc:"Name of the caller"`
	To       string    `json:"to" title:"To" doc:"Number that was dialled"`
	State    CallState `json:"state" title:"State" doc:"How far the call has come"`
	With     string    `json:"with,omitempty" title:"With" doc:"Extension or number that From talks with; absent while it talks with nobody"`
	WithName string    `json:"withName,omitempty" title:"Name of the other" doc:"Name of whom From talks with"`
	Held     bool      `json:"held,omitempty" title:"Held" doc:"One of both holds the call"`
	Since    time.Time `json:"since" title:"State since" doc:"When the call came into its state"`
	Started  time.Time `json:"started" title:"Started" doc:"When the call began"`
	Answered time.Time `json:"answered,omitzero" title:"Answered" doc:"When the call was answered; absent before"`
	Ended    time.Time `json:"ended,omitzero" title:"Ended" doc:"When the call ended; absent before"`
	Cause    Cause     `json:"cause,omitempty" title:"Cause" doc:"Why the call ended"`
}

// Revision is one accepted state of the configuration.
type Revision struct {
	Number  int64     `json:"number" title:"Revision" doc:"Number of the revision"`
	Time    time.Time `json:"time" title:"Time" doc:"When the change was made"`
	Author  string    `json:"author" title:"Author" doc:"Who made the change"`
	Comment string    `json:"comment" title:"Comment" doc:"What the change was about, in English or as its author wrote it"`
	Message Message   `json:"message" title:"Message" doc:"The comment as template and arguments"`
	Changes []Change  `json:"changes" title:"Changes" doc:"Parameters that differ from the revision before"`
	Damaged bool      `json:"damaged,omitempty" title:"Damaged" doc:"The revision cannot be read any more: what it changed is not known, and it cannot be restored"`
}

// AuditEntry is one act that must be accounted for: a login, a reveal of a
// password, a change.
type AuditEntry struct {
	ID     int64     `json:"id" title:"Number" doc:"Number of the entry"`
	Time   time.Time `json:"time" title:"Time" doc:"When it was done"`
	Actor  string    `json:"actor" title:"User" doc:"Login name of who did it, or system"`
	Action string    `json:"action" title:"Action" doc:"What was done, for example login"`
	Object string    `json:"object" title:"Object" doc:"What it was done to"`
	From   string    `json:"from" title:"Address" doc:"Address of the client"`
	As     string    `json:"as" title:"With the rights of" doc:"Login name of the user whose rights were used, or empty"`
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

// Warning is what administrators should look after, though calls can be made.
type Warning struct {
	Message Message
	Screen  string // of the page, that mends it or tells more; "" for none
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
	FactJournal      FactKind = "journal"      // the journals of Users have changed
	FactTexts        FactKind = "texts"        // the text messages of Users have changed
	FactLine         FactKind = "line"         // Line is set; Gone when the gateway is no more
	FactRecords      FactKind = "records"      // there are further call records
	FactWarning      FactKind = "warning"      // there is another thing to look after
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
	Users         []string       `json:"-"` // IDs; of others nobody learns
	Line          *LineStatus    `json:"line,omitempty"`
	Gone          bool           `json:"gone,omitempty"` // of Line: the gateway is no more
}
