package csvtable

import (
	"reflect"
	"strings"
	"unicode"

	"galilei/pbxd/pbx"
)

// set puts text into the field v of a row, or says what is wrong with it.
func (c *column) set(v reflect.Value, text string) pbx.Message {
	switch c.kind {
	case kindSwitch:
		on, known := parseSwitch(text)
		if !known {
			return pbx.Say(MsgSwitch)
		}
		v.SetBool(on)
	case kindLanguage:
		code, known := parseLanguage(text)
		if !known {
			return pbx.Say(MsgLanguage)
		}
		v.SetString(code)
	case kindSecret:
		v.SetString(text)
		return pbx.CheckPIN(text)
	case kindList, kindGroups:
		list := parseList(text, c.kind == kindGroups)
		if len(list) > MaxEntries {
			return pbx.Say(MsgEntries, "limit", MaxEntries)
		}
		if list != nil {
			v.Set(reflect.ValueOf(list))
		}
	default:
		v.SetString(text)
	}
	return pbx.Message{}
}

// text returns the value of the field v of a row as it is written. lost counts
// characters of list entries that would have divided the entry.
func (c *column) text(v reflect.Value) (text string, lost int) {
	switch c.kind {
	case kindSwitch:
		if v.Bool() {
			return "yes", 0
		}
		return "no", 0
	case kindLanguage:
		return languageName(v.String()), 0
	case kindSecret:
		return "", 0
	case kindList, kindGroups:
		list, _ := v.Interface().([]string)
		if len(list) == 0 && c.kind == kindGroups {
			return "none", 0
		}
		for i, entry := range list {
			if i > 0 {
				text += "|"
			}
			n := strings.Count(entry, "|") + strings.Count(entry, ",")
			if lost += n; n > 0 {
				entry = strings.NewReplacer("|", "?", ",", "?").Replace(entry)
			}
			text += entry
		}
		return text, lost
	}
	return v.String(), 0
}

// parseSwitch reads yes and no in English and German, also as spreadsheets
// write them. Empty is no.
func parseSwitch(text string) (on, known bool) {
	switch strings.ToLower(text) {
	case "yes", "y", "true", "1", "on", "ja", "j", "wahr", "ein":
		return true, true
	case "", "no", "n", "false", "0", "off", "nein", "falsch", "aus":
		return false, true
	}
	return false, false
}

// parseLanguage returns the code of a language that is there, or "" for none.
func parseLanguage(text string) (code string, known bool) {
	switch strings.ToLower(text) {
	case "":
		return "", true
	case "en", "english", "englisch":
		return "en", true
	case "de", "german", "deutsch":
		return "de", true
	}
	return "", false
}

// languageName returns the name that the manual's file has for a code.
func languageName(code string) string {
	switch code {
	case "en":
		return "English"
	case "de":
		return "German"
	}
	return code
}

// parseList cuts text at '|' and comma. Empty entries are dropped, and the
// word none where groups are meant. It stops behind MaxEntries.
func parseList(text string, groups bool) (list []string) {
	if n := strings.Count(text, "|") + strings.Count(text, ",") + 1; text != "" {
		list = make([]string, 0, min(n, MaxEntries+1)) // exact: a file may hold two million entries
	}
	for entry := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '|' || r == ',' }) {
		entry = strings.TrimSpace(entry)
		if entry == "" || groups && (strings.EqualFold(entry, "none") || strings.EqualFold(entry, "keine")) {
			continue
		}
		if list = append(list, entry); len(list) > MaxEntries {
			break
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// isControl reports whether r is one of the characters that pbx.Validate
// refuses: C0, DEL, C1, and what turns the direction of writing.
func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// computed reports whether a spreadsheet would compute a cell with this text,
// or would do so but for the apostrophes before it. The full-width signs count
// in East Asian versions (OWASP, CSV Injection).
func computed(text string) bool {
	rest := strings.TrimLeftFunc(text, func(r rune) bool { return r == '\'' || unicode.IsSpace(r) })
	for _, r := range rest {
		return strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20", r)
	}
	return false
}

// dividers are the characters at which a spreadsheet may cut a cell in two when
// it takes another separator than that of the file.
const dividers = ",;\t"

// guard returns text with an apostrophe before it when it is computed, and one
// behind each divider that something follows which is.
func (c *column) guard(text string) string {
	if strings.ContainsAny(text, dividers) {
		var b strings.Builder
		for rest := text; ; {
			i := strings.IndexAny(rest, dividers) + 1
			if b.WriteString(rest[:i]); i == 0 {
				b.WriteString(rest)
				break
			}
			if rest = rest[i:]; computed(rest) {
				b.WriteByte('\'')
			}
		}
		text = b.String()
	}
	if !computed(text) || c.kind != kindText && isPhoneNumber(text) {
		return text
	}
	return "'" + text
}

// unguard takes back what guard did.
func unguard(text string) string {
	if rest, ok := strings.CutPrefix(text, "'"); ok && computed(rest) {
		text = rest
	}
	if !strings.ContainsAny(text, dividers) {
		return text
	}
	var b strings.Builder
	for rest := text; ; {
		i := strings.IndexAny(rest, dividers) + 1
		if b.WriteString(rest[:i]); i == 0 {
			b.WriteString(rest)
			return b.String()
		}
		rest = rest[i:]
		if bare, ok := strings.CutPrefix(rest, "'"); ok && computed(bare) {
			rest = bare
		}
	}
}

// isPhoneNumber reports whether text is + and what else a telephone number is
// written with. The worst that a spreadsheet makes of it is another number.
func isPhoneNumber(text string) bool {
	rest, plus := strings.CutPrefix(text, "+")
	return plus && rest != "" && strings.Trim(rest, "0123456789 ()/-.") == ""
}
