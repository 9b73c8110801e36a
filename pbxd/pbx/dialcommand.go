package pbx

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// DialCommand is how a gateway is told a number (F160): the template
// PJSIP/{prefix}{number:1}@{gateway}, in which {prefix} is that of the outbound
// route, {number:n} the number without its first n digits, and {gateway} the
// gateway itself. PJSIP/ and @{gateway} may be left out.
type DialCommand struct{ parts []dialPart }

// dialPart is literal text, the prefix, or the number.
type dialPart struct {
	text   string
	prefix bool
	number bool
	cut    int
}

// Errors of ParseDialCommand.
var (
	ErrDialNumber  = errors.New("has no {number}")
	ErrDialUnknown = errors.New("has a placeholder that is none of {prefix}, {number}, {number:n} and {gateway}")
	ErrDialText    = errors.New("has signs between the placeholders that are no digits, '+', '*' or '#'")
)

// maxCut bounds n of {number:n}.
const maxCut = 20

// ParseDialCommand reads a template.
func ParseDialCommand(s string) (DialCommand, error) {
	for _, technology := range []string{"PJSIP/", "SIP/"} {
		if rest, ok := strings.CutPrefix(s, technology); ok {
			s = rest
			break
		}
	}
	s = strings.TrimSuffix(s, "@{gateway}")
	var c DialCommand
	number := false
	for s != "" {
		text, rest, found := strings.Cut(s, "{")
		if strings.Trim(text, "0123456789+*#") != "" {
			return DialCommand{}, ErrDialText
		}
		if text != "" {
			c.parts = append(c.parts, dialPart{text: text})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		s = after
		kind, digits, cut := strings.Cut(name, ":")
		n, err := strconv.ParseUint(digits, 10, 8)
		switch {
		case !closed:
			return DialCommand{}, ErrDialUnknown
		case name == "prefix":
			c.parts = append(c.parts, dialPart{prefix: true})
		case kind == "number" && !cut:
			c.parts, number = append(c.parts, dialPart{number: true}), true
		case kind == "number" && err == nil && n <= maxCut:
			c.parts, number = append(c.parts, dialPart{number: true, cut: int(n)}), true
		default:
			return DialCommand{}, fmt.Errorf("{%.20s}: %w", name, ErrDialUnknown)
		}
	}
	if !number {
		return DialCommand{}, ErrDialNumber
	}
	return c, nil
}

// Number returns what the gateway is sent for a number as it was dialled, with
// the prefix of the outbound route.
func (c DialCommand) Number(prefix, dialled string) string {
	var b strings.Builder
	for _, p := range c.parts {
		switch {
		case p.prefix:
			b.WriteString(prefix)
		case p.number:
			b.WriteString(dialled[min(p.cut, len(dialled)):])
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}
