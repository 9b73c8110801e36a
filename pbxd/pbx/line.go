package pbx

import "time"

// LineState is how far a gateway is usable.
type LineState string

// The states of a gateway.
const (
	LineOff         LineState = "off"         // in no group, or its transport is not open
	LineTrying      LineState = "trying"      // it registers, or is asked for the first time
	LineUp          LineState = "up"          // registered, or it answers; also one of which nothing is asked
	LineRefused     LineState = "refused"     // the provider does not take the registration
	LineUnreachable LineState = "unreachable" // the provider does not answer
)

// Usable reports whether calls are made over a gateway in that state: also while
// it is asked for the first time.
func (s LineState) Usable() bool { return s == LineUp || s == LineTrying }

// LineStatus is a gateway as shown to an administrator (F230).
type LineStatus struct {
	Gateway    string    `json:"gateway" title:"Gateway" doc:"Identifier of the gateway"`
	State      LineState `json:"state" title:"State" doc:"off, trying, up, refused or unreachable"`
	Since      time.Time `json:"since" title:"State since" doc:"When the gateway came into its state"`
	Reason     string    `json:"reason,omitempty" title:"Reason" doc:"Why it is not up, in English"`
	Message    Message   `json:"message,omitzero" title:"Message" doc:"The reason as template and arguments"`
	Status     int       `json:"status,omitempty" title:"SIP status" doc:"Last status of the provider that was no success, or absent"`
	Server     string    `json:"server,omitempty" title:"Server" doc:"Transport, address and port of the server in use, for example udp:192.0.2.1:5060"`
	URI        string    `json:"uri,omitempty" title:"URI" doc:"What the device is registered as, or calls from"`
	Registered time.Time `json:"registered,omitzero" title:"Registered" doc:"When the provider last took the registration; absent of a gateway that does not register"`
	Expires    time.Time `json:"expires,omitzero" title:"Expires" doc:"When that registration ends unless it is refreshed"`
	Refresh    int       `json:"refresh,omitempty" title:"Refresh" doc:"Seconds after which the device registers again" unit:"s"`
	Checked    time.Time `json:"checked,omitzero" title:"Checked" doc:"When the provider last answered OPTIONS; absent of a gateway that is not checked"`
	Calls      int       `json:"calls" title:"Calls" doc:"Calls over the gateway now"`
}
