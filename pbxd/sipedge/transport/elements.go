package transport

import (
	"fmt"
	"strconv"
	"strings"
)

// canonical returns the value of a field that is understood as sipgo reads it.
func canonical(name, v string) (string, error) {
	switch name {
	case "via":
		return separated(v, "/;=,:", false)
	case "to", "from":
		v, err := quoteName(v)
		if err != nil {
			return "", err
		}
		return separated(v, ";=", true)
	case "contact", "route", "record-route", "path", "refer-to", "referred-by":
		v, err := separated(v, ";=,", true)
		if err == nil && name == "contact" && !strings.ContainsRune(v, '<') && strings.ContainsRune(v, '?') {
			return "", fmt.Errorf("URI with header fields stands without brackets: %w", errField) // section 20
		}
		return v, err
	case "cseq":
		number, method, _ := strings.Cut(v, " ")
		method = strings.Trim(method, " \t")
		n, err := strconv.ParseUint(number, 10, 32)
		if err != nil || n >= 1<<31 || !isToken(method) { // section 8.1.1.5
			return "", errField
		}
		return strconv.FormatUint(n, 10) + " " + method, nil
	case "max-forwards":
		n, err := strconv.ParseUint(v, 10, 8) // 0 to 255, section 20.22
		if err != nil {
			return "", errField
		}
		return strconv.FormatUint(n, 10), nil
	}
	return v, nil
}

// separated takes the white space from around the separators of a structured
// value and makes one space of the rest. It refuses what no grammar has:
// parameters and elements that are empty, strings and brackets without end.
func separated(v, separators string, address bool) (string, error) {
	b := make([]byte, 0, len(v))
	quoted, bracket, space := false, false, false
	for i := 0; i < len(v); i++ {
		c := v[i]
		switch {
		case quoted:
			b = append(b, c)
			if c == '\\' && i+1 < len(v) {
				i++
				b = append(b, v[i])
			}
			quoted = c != '"'
			continue
		case bracket:
			if c == '<' || c == ' ' || c == '\t' { // nothing in a URI is white
				return "", errField
			}
			bracket = c != '>'
			b = append(b, c)
			continue
		case c == ' ' || c == '\t':
			space = true
			continue
		}
		last := byte(0)
		if len(b) > 0 {
			last = b[len(b)-1]
		}
		separator := strings.IndexByte(separators, c) >= 0
		if (c == ';' || c == ',') && (last == 0 || last == ';' || last == ',' || last == '=') {
			return "", errField
		}
		if space && last != 0 && !separator && strings.IndexByte(separators, last) < 0 {
			b = append(b, ' ')
		}
		space = false
		quoted, bracket = c == '"', c == '<' && address
		b = append(b, c)
	}
	if n := len(b); quoted || bracket || n == 0 || b[n-1] == ';' || b[n-1] == ',' {
		return "", errField
	}
	return string(b), nil
}

// quoteName puts a display name that is neither quoted nor made of tokens into
// quotes: phones send names with umlauts, dots and commas bare, and only one
// name can stand there.
func quoteName(v string) (string, error) {
	at := strings.IndexByte(v, '<')
	if at <= 0 || v[0] == '"' {
		return v, nil
	}
	name := strings.Trim(v[:at], " \t")
	for word := range strings.FieldsSeq(name) {
		if !isToken(word) {
			if strings.ContainsAny(name, "\"\\>") || strings.Contains(name, "sip:") {
				return "", errField
			}
			return `"` + name + `" ` + v[at:], nil
		}
	}
	return v, nil
}

// elements adds a field, or each element of a list as a field of its own, which
// is the same (RFC 3261 section 7.3.1).
func elements(fields []field, name, v string) []field {
	switch name {
	case "via", "contact", "route", "record-route", "path":
	default:
		return append(fields, field{name, v})
	}
	quoted, bracket, from := false, false, 0
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quoted && c == '\\':
			i++
		case c == '"' && !bracket:
			quoted = !quoted
		case quoted:
		case c == '<' && name != "via":
			bracket = true
		case c == '>':
			bracket = false
		case c == ',' && !bracket && len(fields) <= maxFields:
			fields = append(fields, field{name, v[from:i]})
			from = i + 1
		}
	}
	return append(fields, field{name, v[from:]})
}
