package pbx

import "strings"

// Numbering turns numbers as people and lines write them into E.164 numbers and
// back (ITU-T E.164, E.123). Inside, a number of the outside is E.164 with a +
// where it can be: two numbers of one subscriber are then one text.
type Numbering struct {
	CallingCode         string // of the country, "49"
	NationalPrefix      string // before a national number, "0"; empty where there is none
	InternationalPrefix string // before a country code, "00"
	AreaCode            string // of the place, without prefix, "89"; empty where it is not known or none is needed
}

// Numbering returns how numbers are written in a country, at a place with an area
// code.
func (c *Country) Numbering(areaCode string) Numbering {
	switch c.Code {
	case "BE", "CH", "FR": // numbers are always dialled whole: what is shorter is a service
		areaCode = ""
	}
	return Numbering{CallingCode: c.CallingCode, NationalPrefix: c.NationalPrefix, InternationalPrefix: c.InternationalPrefix, AreaCode: areaCode}
}

// How long numbers are, digits.
const (
	maxE164   = 15 // with the country code (E.164 section 6.1)
	minE164   = 5  // with it: the shortest that are in use
	lenNANP   = 11 // with the 1 of North America
	minLocal  = 4  // of a local number: shorter ones are services, too
	minClosed = 8  // of a number in a country without national prefix, shorter ones are services
)

// Dialable leaves of a number, as people write it, what is dialled: a plus at its
// beginning, digits, and the signs * and #. The (0) of a number with its country,
// +49 (0)30 1234, is dialled within the country only; in Italy it belongs to the
// number.
func Dialable(number string) string {
	number = strings.TrimSpace(number)
	if strings.HasPrefix(number, "+") || strings.HasPrefix(number, "00") {
		if before, after, ok := strings.Cut(number, "(0)"); ok && strings.Trim(before, "+0 ") != "39" {
			number = before + after
		}
	}
	var b strings.Builder
	for _, c := range []byte(number) {
		if c >= '0' && c <= '9' || c == '*' || c == '#' || c == '+' && b.Len() == 0 {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// E164 returns a number that was dialled, or that a line has sent, in the form
// +4989123456; false when it is none of the public network as far as can be
// told: an extension, a code, a short or an emergency number, a local number at a
// place whose area code is not known.
func (n Numbering) E164(number string) (string, bool) {
	number = Dialable(number)
	if strings.ContainsAny(number, "*#") || n.CallingCode == "" {
		return "", false
	}
	rest, whole := strings.CutPrefix(number, "+")
	if !whole && n.InternationalPrefix != "" {
		rest, whole = strings.CutPrefix(number, n.InternationalPrefix)
	}
	switch {
	case whole:
		return n.check(rest)
	case n.CallingCode == "1" && len(number) == 10 && number[0] > '1': // in North America the prefix is for some places only
		return n.check(n.CallingCode + number)
	case n.NationalPrefix != "":
		if rest, ok := strings.CutPrefix(number, n.NationalPrefix); ok {
			return n.check(n.CallingCode + rest)
		}
		if n.AreaCode == "" || len(number) < minLocal || number[0] == '0' || number[0] == '1' { // those are services
			return "", false
		}
		return n.check(n.CallingCode + n.AreaCode + number)
	case len(number) >= minClosed: // all numbers are dialled whole
		return n.check(n.CallingCode + number)
	}
	return "", false
}

// check puts a plus before digits that can be a number. The national prefix that
// some write after the code of their own country is taken out.
func (n Numbering) check(digits string) (string, bool) {
	if national, own := strings.CutPrefix(digits, n.CallingCode); own && n.NationalPrefix != "" {
		national = strings.TrimPrefix(national, n.NationalPrefix)
		if strings.HasPrefix(national, n.NationalPrefix) {
			return "", false
		}
		digits = n.CallingCode + national
	}
	if len(digits) < minE164 || len(digits) > maxE164 || digits[0] == '0' || digits[0] == '1' && len(digits) != lenNANP {
		return "", false
	}
	return "+" + digits, true
}

// NumberStyle is how a line wants numbers to be written.
type NumberStyle string

// The styles. What is not E.164 is written as it is.
const (
	StyleAsIs          NumberStyle = "as-is"
	StyleE164          NumberStyle = "e164"          // +4989123456
	StyleDigits        NumberStyle = "digits"        // 4989123456
	StyleInternational NumberStyle = "international" // 004989123456
	StyleNational      NumberStyle = "national"      // 089123456; other countries as international
)

// Write writes a number, E.164 with its plus, in a style.
func (n Numbering) Write(number string, style NumberStyle) string {
	digits, ok := strings.CutPrefix(number, "+")
	if !ok {
		return number
	}
	switch style {
	case StyleDigits:
		return digits
	case StyleNational:
		if rest, own := strings.CutPrefix(digits, n.CallingCode); own && n.CallingCode != "" {
			return n.NationalPrefix + rest
		}
		return n.InternationalPrefix + digits
	case StyleInternational:
		return n.InternationalPrefix + digits
	}
	return number
}

// Same reports whether two numbers, however written, are those of one subscriber.
func (n Numbering) Same(a, b string) bool { return n.Key(a) == n.Key(b) && n.Key(a) != "" }

// Key is what all ways to write a number have in common: E.164, or what is dialled
// where it has no such form.
func (n Numbering) Key(number string) string {
	if e164, ok := n.E164(number); ok {
		return e164
	}
	return Dialable(number)
}
