// Package pattern runs the regular expressions that administrators write for
// call numbers (F233-F235): Go's own engine, in linear time, wherever it can, and
// one with look-around and back-references, bounded in time, where it cannot.
package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// Bounds of what is compiled and matched.
const (
	MaxSource = 200                   // characters of a pattern
	MaxNumber = 64                    // octets of a number that is matched; a longer one does not match
	timeout   = 20 * time.Millisecond // of a match that is not linear in time; beyond it there is none
	tick      = 5 * time.Millisecond  // how exactly that is kept, after Prepare
)

// Prepare makes patterns that are not linear in time keep their time-out to 5 ms.
// It is called once, by the program, before any pattern is compiled; without it
// they keep it to 100 ms.
func Prepare() { regexp2.SetTimeoutCheckPeriod(tick) }

// Pattern is a compiled expression. It is safe for use by several goroutines.
type Pattern struct {
	source string
	linear *regexp.Regexp  // or
	full   *regexp2.Regexp // nil where linear will do
	groups int
}

// Errors of Compile.
var (
	ErrLong      = fmt.Errorf("is longer than %d characters", MaxSource)
	ErrNamed     = errors.New("has a named group; groups are numbered here")
	ErrMalformed = errors.New("is no regular expression")
)

// Compile reads an expression in the syntax of PCRE, as far as the manual teaches
// it, and look-around, back-references and atomic groups. Digits (\d) are those
// of ASCII, letters are told apart by case. The error wraps ErrLong, ErrNamed or
// ErrMalformed.
func Compile(source string) (*Pattern, error) {
	if len(source) > MaxSource {
		return nil, ErrLong
	}
	if named(source) {
		return nil, ErrNamed
	}
	re, err := regexp.Compile(source)
	if err == nil {
		return &Pattern{source: source, linear: re, groups: re.NumSubexp()}, nil
	}
	full, fullErr := regexp2.Compile(source, regexp2.RE2)
	if fullErr != nil {
		return nil, fmt.Errorf("%w: %s", ErrMalformed, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	full.MatchTimeout = timeout
	return &Pattern{source: source, full: full, groups: len(full.GetGroupNumbers()) - 1}, nil
}

// Plain reports whether the pattern of a route is a number rather than an
// expression: digits, with a plus at the beginning at most.
func Plain(source string) bool {
	return strings.Trim(strings.TrimPrefix(source, "+"), "0123456789") == ""
}

// NamesSigns reports whether an expression asks for the signs * and # themselves:
// to a provider they are orders, such as to forward a line. One that shuts them
// out, as [^*#] does, does not.
func NamesSigns(source string) bool {
	class, others := false, false // within brackets; those of [^
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case c == '#', c == '*' && class:
			if !others {
				return true
			}
		case c == '\\':
			if i++; i < len(source) && source[i] == '*' && !others {
				return true
			}
		case c == '[' && !class:
			class, others = true, strings.HasPrefix(source[i+1:], "^")
		case c == ']':
			class, others = false, false
		}
	}
	return false
}

// NamesPlus reports whether a pattern speaks of the plus before the code of a
// country: one at its beginning when it is a number, or one that is no repetition.
func NamesPlus(source string) bool {
	return Plain(source) && strings.HasPrefix(source, "+") || strings.Contains(source, `\+`) || strings.Contains(source, "[+")
}

// named reports whether an expression names a group: (?P<x>, (?<x> or (?'x'.
// Look-behind begins alike.
func named(source string) bool {
	for rest := source; ; {
		i := strings.Index(rest, "(?")
		if i < 0 {
			return false
		}
		escaped := 0
		for j := i - 1; j >= 0 && rest[j] == '\\'; j-- {
			escaped++
		}
		rest = rest[i+2:]
		if escaped%2 == 1 {
			continue
		}
		if strings.HasPrefix(rest, "P<") || strings.HasPrefix(rest, "'") ||
			strings.HasPrefix(rest, "<") && !strings.HasPrefix(rest, "<=") && !strings.HasPrefix(rest, "<!") {
			return true
		}
	}
}

// String returns the expression as it was written.
func (p *Pattern) String() string { return p.source }

// Groups returns how many groups can be referred to, $1 and on.
func (p *Pattern) Groups() int { return p.groups }

// Match is where a pattern matches a number first.
type Match struct {
	Start, End int      // of the whole, octets
	Groups     []string // the whole, then each group; "" for one that has no part in it
}

// Find returns the first match, or false; text that is no UTF-8 has none. A match that takes more time than is
// given counts as none.
func (p *Pattern) Find(number string) (m Match, ok bool) {
	if len(number) > MaxNumber || !utf8.ValidString(number) {
		return Match{}, false
	}
	if p.linear != nil {
		at := p.linear.FindStringSubmatchIndex(number)
		if at == nil {
			return Match{}, false
		}
		m.Start, m.End = at[0], at[1]
		for i := 0; i < len(at); i += 2 {
			part := ""
			if at[i] >= 0 {
				part = number[at[i]:at[i+1]]
			}
			m.Groups = append(m.Groups, part)
		}
		return m, true
	}
	found, err := p.full.FindStringMatch(number)
	if err != nil || found == nil {
		return Match{}, false
	}
	runes := []rune(number) // what the engine counts in
	m.Start = len(string(runes[:found.Index]))
	m.End = m.Start + len(found.String())
	for _, g := range found.Groups() {
		m.Groups = append(m.Groups, g.String())
	}
	return m, true
}
