package pbx

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// fillers are letters and signs that show nothing: of Hangul, and the braille
// pattern without dots.
const fillers = "\u115f\u1160\u3164\uffa0\u2800"

// Bare returns text without the blanks, the characters of no width (Unicode
// category Cf) and the fillers around it: what of a name people see. Names are
// kept as they were typed, but what is needed or unique is judged by this.
func Bare(text string) string {
	return strings.TrimFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(fillers, r)
	})
}

// knownTimeZone reports whether name is that of a place in the IANA database.
// Local and some files beside the zones name whatever the machine is set to, or
// nothing.
func knownTimeZone(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	if slices.Contains([]string{"", "Local", "localtime", "posixrules", "Factory", "posix", "right"}, first) {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}
