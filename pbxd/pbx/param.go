package pbx

import (
	"fmt"
	"net/mail"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A parameter is defined once, by the tags of its field in Config: json (its
// name), title (its label), doc (its help text), default, unit, minLength,
// maxLength, pattern, patternDescription, minimum, maximum, maxItems, enum and
// format (ip, cidr, email or host), multiline (line breaks are allowed); ref (lists whose entries it names by ID), unique
// (no other entry of the list has it) and claims (it is an internal number,
// and of what). The API's schema reads the same tags.

// walkParams calls visit for every tagged leaf below v with its JSON path.
func walkParams(path string, v reflect.Value, visit func(path string, f reflect.StructField, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Anonymous {
				walkParams(path, v.Field(i), visit)
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			p := name
			if path != "" {
				p = path + "." + name
			}
			switch k := v.Field(i).Kind(); {
			case k == reflect.Struct:
				walkParams(p, v.Field(i), visit)
			case k == reflect.Slice && v.Field(i).Type().Elem().Kind() == reflect.Struct:
				visit(p, f, v.Field(i))
				for j := range v.Field(i).Len() {
					walkParams(fmt.Sprintf("%s[%d]", p, j), v.Field(i).Index(j), visit)
				}
			default:
				visit(p, f, v.Field(i))
			}
		}
	}
}

// SetDefaults sets every parameter of the struct that p points to to the
// default of its tag. Those without one stay.
func SetDefaults(p any) {
	walkParams("", reflect.ValueOf(p).Elem(), func(path string, f reflect.StructField, v reflect.Value) {
		d, ok := f.Tag.Lookup("default")
		if !ok {
			return
		}
		switch v.Kind() {
		case reflect.String:
			v.SetString(d)
		case reflect.Int:
			n, err := strconv.Atoi(d)
			if err != nil {
				panic(fmt.Sprintf("default of %s is no number: %q", path, d)) // a typing error in Config, caught by every test
			}
			v.SetInt(int64(n))
		case reflect.Bool:
			v.SetBool(d == "true")
		case reflect.Slice: // of texts
			v.Set(reflect.ValueOf(strings.Split(d, ",")).Convert(v.Type()))
		}
	})
}

// checkTags returns what the tags of the fields below v refuse.
func checkTags(path string, v reflect.Value) []FieldError {
	var errs []FieldError
	patterns := patterns{}
	walkParams(path, v, func(path string, f reflect.StructField, v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			if rule := stringRule(f.Tag, v.String(), patterns); !rule.IsZero() {
				errs = append(errs, FieldError{Path: path, Rule: rule})
			}
		case reflect.Int:
			if rule := intRule(f.Tag, v.Int()); !rule.IsZero() {
				errs = append(errs, FieldError{Path: path, Rule: rule})
			}
		case reflect.Slice:
			if m, ok := intTag(f.Tag, "maxItems"); ok && int64(v.Len()) > m {
				errs = append(errs, refused(path, "has {n} entries; at most {max} are allowed", "n", v.Len(), "max", m))
			}
			for i := range v.Len() {
				if v.Index(i).Kind() != reflect.String {
					continue
				}
				rule := stringRule(f.Tag, v.Index(i).String(), patterns)
				if v.Index(i).Len() == 0 {
					rule = Say("is empty")
				}
				if !rule.IsZero() {
					errs = append(errs, FieldError{Path: fmt.Sprintf("%s[%d]", path, i), Rule: rule})
				}
			}
		}
	})
	return errs
}

// CheckParams checks the struct that p points to by the tags of its fields. It
// returns nil or a *ValidationError whose paths are those of the struct.
func CheckParams(p any) error {
	if errs := checkTags("", reflect.ValueOf(p).Elem()); len(errs) > 0 {
		return &ValidationError{errs}
	}
	return nil
}

// ParamRule returns the rule that one parameter, a text or a whole number,
// breaks by the tags of its field, if any.
func ParamRule(tag reflect.StructTag, v reflect.Value) Message {
	switch v.Kind() {
	case reflect.String:
		return stringRule(tag, v.String(), patterns{})
	case reflect.Int, reflect.Int64:
		return intRule(tag, v.Int())
	}
	return Message{}
}

// patterns keeps compiled patterns for the length of one validation: hundreds
// of users share a few.
type patterns map[string]*regexp.Regexp

func (p patterns) match(pattern, s string) bool {
	re := p[pattern]
	if re == nil {
		re = regexp.MustCompile(pattern) // a typing error in Config, caught by every test
		p[pattern] = re
	}
	return re.MatchString(s)
}

// stringRule returns the rule that s breaks, if any. Empty is a matter of
// minLength alone: every other rule speaks of what is written.
func stringRule(tag reflect.StructTag, s string, patterns patterns) Message {
	n := int64(utf8.RuneCountInString(s))
	minLen, hasMin := intTag(tag, "minLength")
	maxLen, hasMax := intTag(tag, "maxLength")
	switch {
	case !utf8.ValidString(s):
		return Say("is not valid UTF-8")
	case hasMin && n < minLen && n == 0:
		return Say("is needed; it has 0 characters; at least {min} are needed", "min", minLen)
	case hasMin && n < minLen:
		return Say("has {n} characters; at least {min} are needed", "n", n, "min", minLen)
	case hasMax && n > maxLen:
		return Say("has {n} characters; at most {max} are allowed", "n", n, "max", maxLen)
	case s == "" && tag.Get("enum") == "": // of a choice, nothing is no choice
		return Message{}
	case s != "" && Bare(s) == "" && hasMin && minLen > 0:
		return Say("is needed; it has 0 characters; at least {min} are needed", "min", minLen)
	case s != "" && Bare(s) == "":
		return Say("holds nothing that can be seen: leave it empty")
	case strings.ContainsFunc(s, isControl) && !(tag.Get("multiline") != "" && !strings.ContainsFunc(strings.NewReplacer("\n", "", "\r", "").Replace(s), isControl)):
		return Say("contains a control character")
	}
	if p, ok := tag.Lookup("pattern"); ok && !patterns.match(p, s) {
		return Say("may contain only {what}", "what", tag.Get("patternDescription"))
	}
	if e, ok := tag.Lookup("enum"); ok && !slices.Contains(strings.Split(e, ","), s) {
		return Say("must be one of {choices}", "choices", strings.ReplaceAll(strings.TrimPrefix(e, ","), ",", ", "))
	}
	return formatRule(tag.Get("format"), s)
}

// formatRule returns the rule of a format that s breaks, if any.
func formatRule(format, s string) Message {
	switch format {
	case "ip":
		if a, err := netip.ParseAddr(s); err != nil || a.Zone() != "" {
			return Say("is not an IP address")
		}
	case "cidr":
		if _, err := netip.ParsePrefix(s); err != nil {
			return Say("is not an address with prefix length, such as 192.168.0.50/24")
		}
	case "email":
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s || strings.ContainsAny(s, " <>,;") {
			return Say("is not an e-mail address, such as anna@example.org")
		}
	case "host":
		_, err := netip.ParseAddr(s)
		if err != nil && (strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") != "" || strings.HasPrefix(s, "-") || strings.Contains(s, "..")) {
			return Say("is not a host name or an IP address")
		}
	}
	return Message{}
}

// isControl reports whether r is a control character (C0, DEL, C1) or turns
// the direction of the text around it, so that it reads as another one.
func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

func intRule(tag reflect.StructTag, n int64) Message {
	lo, hasLo := intTag(tag, "minimum")
	hi, hasHi := intTag(tag, "maximum")
	if hasLo && n < lo || hasHi && n > hi {
		return Say("is {n}; allowed are {min} to {max}", "n", n, "min", lo, "max", hi)
	}
	return Message{}
}

func intTag(tag reflect.StructTag, name string) (int64, bool) {
	s, ok := tag.Lookup(name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
