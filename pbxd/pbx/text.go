package pbx

import (
	"strings"
	"time"
	"unicode"
)

// Text is a text message to a user (RFC 3428), as the device keeps it.
type Text struct {
	ID        int64     `json:"id" title:"Number" doc:"Number of the message"`
	Number    string    `json:"number" title:"From" doc:"Number of who sent it; empty when it has none" maxLength:"64"`
	Name      string    `json:"name" title:"Name" doc:"Name of who sent it" maxLength:"101"`
	Time      time.Time `json:"time" title:"Time" doc:"When it was sent"`
	Delivered bool      `json:"delivered" title:"Delivered" doc:"A phone of the receiver has taken it"`
	Body      string    `json:"body" title:"Text" doc:"The message" maxLength:"1000"`
}

// Limits of text messages.
const (
	MaxText      = 1000 // characters
	MaxTextsKept = 100  // of a user, the newest
)

// PlainText reports whether s is text with no control characters but tabs and
// ends of lines, which a phone or a terminal could take for orders.
func PlainText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' })
}

// Desk is a phone at which another user than its own is logged in (F072).
type Desk struct {
	Phone string    // ID of the user whose phone it is
	User  string    // ID of the user who is logged in there
	Since time.Time // when that was
}
