package pattern

import (
	"errors"
	"fmt"
	"strings"
)

// MaxReplacement bounds a replacement, characters.
const MaxReplacement = 100

// Errors of NewRewrite.
var (
	ErrLongReplacement = fmt.Errorf("is longer than %d characters", MaxReplacement)
	ErrGroup           = errors.New("refers to a group that the pattern does not have")
	ErrReference       = errors.New("has a $ without the number of a group")
)

// Rewrite is a search and replace pattern for numbers (F180-F183).
type Rewrite struct {
	search *Pattern
	parts  []part
}

// part is literal text, or a group when there is none.
type part struct {
	text  string
	group int
}

// NewRewrite reads a replacement for what search matches: text in which $n or
// ${n} stands for group n, $0 for the whole match, and $$ for a dollar. Of
// several digits after $ two are taken when there is such a group, else one.
// The error wraps ErrLongReplacement, ErrGroup or ErrReference.
func NewRewrite(search *Pattern, replacement string) (*Rewrite, error) {
	if len(replacement) > MaxReplacement {
		return nil, ErrLongReplacement
	}
	r := &Rewrite{search: search}
	text := func(s string) {
		if n := len(r.parts); n > 0 && r.parts[n-1].text != "" {
			r.parts[n-1].text += s
		} else if s != "" {
			r.parts = append(r.parts, part{text: s})
		}
	}
	for rest := replacement; rest != ""; {
		before, after, found := strings.Cut(rest, "$")
		text(before)
		if !found {
			break
		}
		if strings.HasPrefix(after, "$") {
			text("$")
			rest = after[1:]
			continue
		}
		n, left, err := reference(after, search.Groups())
		if err != nil {
			return nil, err
		}
		r.parts = append(r.parts, part{group: n})
		rest = left
	}
	return r, nil
}

// reference reads the number of a group after a $.
func reference(s string, groups int) (n int, rest string, err error) {
	digits, braced := s, strings.HasPrefix(s, "{")
	if braced {
		inner, after, closed := strings.Cut(s[1:], "}")
		if !closed || inner == "" || len(inner) > 2 {
			return 0, "", ErrReference
		}
		digits, rest = inner, after
	}
	count := 0
	for count < len(digits) && count < 2 && digits[count] >= '0' && digits[count] <= '9' {
		n = n*10 + int(digits[count]-'0')
		count++
	}
	if count == 2 && n > groups && !braced {
		n, count = n/10, 1
	}
	switch {
	case count == 0, braced && count != len(digits):
		return 0, "", ErrReference
	case n > groups:
		return 0, "", fmt.Errorf("$%d %w: it has %d", n, ErrGroup, groups)
	case !braced:
		rest = digits[count:]
	}
	return n, rest, nil
}

// Search is the pattern that is looked for.
func (r *Rewrite) Search() *Pattern { return r.search }

// Expand returns the replacement for a match.
func (r *Rewrite) Expand(m Match) string {
	var b strings.Builder
	for _, p := range r.parts {
		if p.text != "" {
			b.WriteString(p.text)
		} else {
			b.WriteString(m.Groups[p.group])
		}
	}
	return b.String()
}

// Apply replaces the first match in a number. A number that does not match stays
// as it is; then ok is false.
func (r *Rewrite) Apply(number string) (out string, m Match, ok bool) {
	if m, ok = r.search.Find(number); !ok {
		return number, m, false
	}
	return number[:m.Start] + r.Expand(m) + number[m.End:], m, true
}
