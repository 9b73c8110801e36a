package store

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxKeyRunes is how much of a text is in its key, before letters are taken
// apart. The longest parameter of a contact has 254 characters.
const maxKeyRunes = 300

// sortKey returns what stands for s when names are sorted and searched: letters
// without case and marks, so that Müller is found by "mul" and stands among
// the Mullers (DIN 5007-1). It is made here and not by the tables of a
// collation library, which change from version to version while keys are kept
// in the database. The key of a prefix of s is a prefix of the key of s.
func sortKey(s string) string {
	runes := []rune(strings.TrimSpace(s)) // each byte that is not UTF-8 becomes one U+FFFD
	var b strings.Builder
	for _, r := range norm.NFKD.String(string(runes[:min(len(runes), maxKeyRunes)])) {
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		r = unicode.ToLower(r)
		if spelled := spelledOut(r); spelled != "" {
			b.WriteString(spelled)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// spelledOut returns the letters that a letter is sorted as which Unicode does
// not take apart, or "".
func spelledOut(r rune) string {
	switch r {
	case 'ß':
		return "ss"
	case 'æ':
		return "ae"
	case 'œ':
		return "oe"
	case 'þ':
		return "th"
	case 'ø':
		return "o"
	case 'đ', 'ð':
		return "d"
	case 'ł':
		return "l"
	case 'ħ':
		return "h"
	case 'ı':
		return "i"
	}
	return ""
}

// digits returns the digits of a number: spaces and signs do not count.
func digits(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}

// beyond returns the smallest text that sorts after everything which begins
// with prefix, or "" when there is none. Keys hold no invalid UTF-8, so that
// the byte 0xff is beyond all that may follow.
func beyond(prefix string) string { return prefix + "\xff" }
