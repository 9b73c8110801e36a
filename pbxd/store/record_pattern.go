package store

import (
	"strings"

	"galilei/pbxd/pbx"
)

// numberPattern is how numbers look, in the form in which they are compared: '*'
// stands for any characters, '?' for one.
type numberPattern string

// maxPattern is the longest pattern of a number, in characters; what is longer
// matches nothing.
const maxPattern = 64

// numberPatterns returns what keys look like whose numbers are asked for. The
// beginning of the pattern may be written in any way in which a number may be:
// 043*, 004943* and +4943* are one, in Germany.
func numberPatterns(n pbx.Numbering, asked string) []numberPattern {
	asked = strings.TrimSpace(asked)
	if strings.HasPrefix(asked, "+") || strings.HasPrefix(asked, "00") {
		asked = strings.Replace(asked, "(0)", "", 1)
	}
	asked = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || strings.ContainsRune("+*?#", r) {
			return r
		}
		return -1
	}, asked)
	for strings.Contains(asked, "**") { // one does as well, and costs less
		asked = strings.ReplaceAll(asked, "**", "*")
	}
	if asked == "" || len(asked) > maxPattern {
		return nil
	}
	list := []numberPattern{numberPattern(asked)}
	add := func(p string) {
		for _, x := range list {
			if string(x) == p {
				return
			}
		}
		list = append(list, numberPattern(p))
	}
	head, _, wild := strings.Cut(strings.ReplaceAll(asked, "?", "*"), "*")
	if !wild {
		if e164, ok := n.E164(asked); ok {
			add(e164)
		}
		return list
	}
	if head == "" || head[0] == '+' || n.CallingCode == "" || strings.Contains(head, "#") {
		return list
	}
	if rest, ok := strings.CutPrefix(asked, n.InternationalPrefix); ok && n.InternationalPrefix != "" {
		add("+" + rest)
		return list
	}
	switch national := n.NationalPrefix; {
	case n.CallingCode == "1" && head[0] > '1': // the prefix is left out there
		add("+1" + asked)
	case national != "" && head == national: // and of other countries, whose prefix begins alike
		add("+" + n.CallingCode + asked[len(national):])
		if strings.HasPrefix(n.InternationalPrefix, national) && asked == national+"*" {
			add("+*")
		}
	case national != "" && strings.HasPrefix(head, national):
		add("+" + n.CallingCode + asked[len(national):])
	case national != "" && n.AreaCode != "" && head[0] > '1':
		add("+" + n.CallingCode + n.AreaCode + asked)
	case national == "":
		add("+" + n.CallingCode + asked)
	}
	return list
}

// condition is true of a column that looks like the pattern.
func (p numberPattern) condition(column string) condition {
	head, rest, wild := p.head()
	switch {
	case !wild:
		return condition{column + " = ?", []any{head}}
	case rest == "*" && head == "":
		return condition{column + " <> ''", nil}
	case rest == "*":
		return p.bounds(column)
	}
	return condition{column + " GLOB ?", []any{string(p)}} // holds no '[', which GLOB would take for a class
}

// bounds is a range of a column outside which nothing looks like the pattern;
// without text when there is none.
func (p numberPattern) bounds(column string) condition {
	head, _, wild := p.head()
	switch {
	case !wild:
		return condition{column + " = ?", []any{head}}
	case head == "":
		return condition{}
	}
	return condition{column + " >= ? AND " + column + " < ?", []any{head, beyond(head)}}
}

// head splits the pattern before its first wildcard.
func (p numberPattern) head() (head, rest string, wild bool) {
	if i := strings.IndexAny(string(p), "*?"); i >= 0 {
		return string(p[:i]), string(p[i:]), true
	}
	return string(p), "", false
}
