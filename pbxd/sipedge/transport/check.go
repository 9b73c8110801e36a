package transport

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
)

var (
	errHeader = errors.New("mandatory header field is missing or unreadable")
	errMethod = errors.New("method differs from that of CSeq")
)

// maxCallID bounds what is kept for each dialog and registration, octets.
const maxCallID = 256

// check refuses what no later code could handle: RFC 3261 section 8.1.1
// demands To, From, CSeq, Call-ID and Via in every message.
func check(m sip.Message) error {
	switch {
	case m == nil:
		return errHeader
	case m.Via() == nil:
		return fmt.Errorf("field Via: %w", errHeader)
	case m.From() == nil:
		return fmt.Errorf("field From: %w", errHeader)
	case m.To() == nil:
		return fmt.Errorf("field To: %w", errHeader)
	case m.CallID() == nil || *m.CallID() == "" || len(*m.CallID()) > maxCallID:
		return fmt.Errorf("field Call-ID: %w", errHeader)
	case m.CSeq() == nil:
		return fmt.Errorf("field CSeq: %w", errHeader)
	}
	if req, ok := m.(*sip.Request); ok {
		// sipgo capitalises methods, which are case sensitive (section 7.1); that of
		// CSeq it leaves, and both were the same before.
		req.Method = m.CSeq().MethodName
	}
	lowerNames(m)
	return nil
}

// lowerNames writes the names of the parameters that are looked up in small
// letters: they are not case sensitive (RFC 3261 section 7.3.1), sipgo's
// look-up is.
func lowerNames(m sip.Message) {
	lower(m.Via().Params)
	lower(m.From().Params)
	lower(m.To().Params)
	for _, h := range m.GetHeaders("contact") {
		if c, ok := h.(*sip.ContactHeader); ok {
			lower(c.Params)
			lower(c.Address.UriParams)
		}
	}
}

func lower(p sip.HeaderParams) {
	for i := range p {
		p[i].K = strings.ToLower(p[i].K)
	}
}

// brief cuts a parser's error: some quote the whole message, which may hold
// secrets and control characters.
func brief(err error) string {
	s := err.Error()
	if len(s) > 80 {
		s = s[:80] + "..."
	}
	return fmt.Sprintf("%q", s)
}
