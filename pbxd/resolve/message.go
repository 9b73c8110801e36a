package resolve

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	typeNAPTR = dnsmessage.Type(35) // RFC 3403

	payload    = 1232 // octets of UDP that we announce to take, which no path fragments
	maxRecords = 32   // records of one answer that are kept
	maxAliases = 8    // CNAMEs from a name to its records
)

// Times that an answer is kept.
const (
	leastTTL    = 5 * time.Second
	mostTTL     = 24 * time.Hour
	negativeTTL = 60 * time.Second // most, of "there is no such name"
)

// question is what a name server is asked. Its name is in lower case, without
// the dot at the end.
type question struct {
	name string
	kind dnsmessage.Type
}

// answer is what a name server says to a question. None of its lists is longer
// than 32.
type answer struct {
	records []record
	alias   string // name that has the records, when they are to be asked for there
	ttl     time.Duration
}

// ErrAliasLoop says that names point to each other, or that the chain of aliases
// is longer than 8.
var ErrAliasLoop = errors.New("too many aliases")

// packed returns q in wire format, with EDNS0 (RFC 6891) or without.
func (q question) packed(id uint16, edns bool) ([]byte, error) {
	name, err := dnsmessage.NewName(q.name + ".")
	if err != nil {
		return nil, fmt.Errorf("question for %q: %w", q.name, err)
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: name, Type: q.kind, Class: dnsmessage.ClassINET}},
	}
	if edns {
		var h dnsmessage.ResourceHeader
		if err := h.SetEDNS0(payload, dnsmessage.RCodeSuccess, false); err != nil {
			return nil, fmt.Errorf("question for %q: %w", q.name, err)
		}
		m.Additionals = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.OPTResource{}}}
	}
	wire, err := m.Pack()
	if err != nil {
		return nil, fmt.Errorf("question for %q: %w", q.name, err)
	}
	return wire, nil
}

// answers reports whether msg is an answer to q with that id. What an old server
// says of a question that it cannot read may lack the question.
func (q question) answers(id uint16, msg []byte) bool {
	var p dnsmessage.Parser
	h, err := p.Start(msg)
	if err != nil || h.ID != id || !h.Response || h.OpCode != 0 {
		return false
	}
	asked, err := p.Question()
	if errors.Is(err, dnsmessage.ErrSectionDone) {
		return h.RCode == dnsmessage.RCodeFormatError || h.RCode == dnsmessage.RCodeNotImplemented
	}
	return err == nil && asked.Type == q.kind && asked.Class == dnsmessage.ClassINET && canonical(asked.Name) == q.name
}

// parse reads the answer to q. Records that are not of the name, nor of what it
// is an alias of, are not believed. truncated says that the same is to be asked
// over TCP. The error is a refusal when the server cannot help.
func (q question) parse(msg []byte) (a answer, truncated bool, err error) {
	var p dnsmessage.Parser
	h, err := p.Start(msg)
	if err != nil {
		return answer{}, false, fmt.Errorf("answer for %q: %w", q.name, err)
	}
	switch {
	case h.RCode != dnsmessage.RCodeSuccess && h.RCode != dnsmessage.RCodeNameError:
		return answer{}, false, refusal(h.RCode)
	case h.Truncated:
		return answer{}, true, nil
	}
	if err := p.SkipAllQuestions(); err != nil {
		return answer{}, false, fmt.Errorf("answer for %q: %w", q.name, err)
	}
	set, err := readSet(&p, msg, q.kind)
	if err != nil {
		return answer{}, false, fmt.Errorf("answer for %q: %w", q.name, err)
	}
	name, ttl, err := set.follow(q.name)
	if err != nil {
		return answer{}, false, fmt.Errorf("answer for %q: %w", q.name, err)
	}
	for _, r := range set.records {
		if r.owner == name && len(a.records) < maxRecords {
			a.records = append(a.records, r)
			ttl = min(ttl, r.ttl)
		}
	}
	switch {
	case len(a.records) > 0:
		a.ttl = max(ttl, leastTTL)
	case name != q.name && h.RCode == dnsmessage.RCodeSuccess && !set.negative:
		a.alias, a.ttl = name, max(ttl, leastTTL) // only the alias was told
	default:
		a.ttl = max(min(ttl, set.negativeTTL), leastTTL)
	}
	return a, false, nil
}

// refusal is the error of a name server that cannot help.
type refusal dnsmessage.RCode

func (r refusal) Error() string {
	return fmt.Sprintf("the name server refuses with code %d", uint16(r))
}

// canonical returns a name in lower case without the dot at its end; "" is the
// root.
func canonical(n dnsmessage.Name) string {
	return strings.ToLower(strings.TrimSuffix(n.String(), "."))
}
