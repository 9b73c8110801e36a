package pbx

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A parameter is defined once, by the tags of its field in Config: json (its
// name), doc (its help text), default, unit, minLength, maxLength, pattern,
// patternDescription, minimum, maximum, maxItems, enum and format (ip or
// cidr). The API's schema reads the same tags.

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
				for j := range v.Field(i).Len() {
					walkParams(fmt.Sprintf("%s[%d]", p, j), v.Field(i).Index(j), visit)
				}
			default:
				visit(p, f, v.Field(i))
			}
		}
	}
}

// applyDefaults sets every parameter below c to the default of its tag.
func applyDefaults(c *Config) {
	walkParams("", reflect.ValueOf(c).Elem(), func(path string, f reflect.StructField, v reflect.Value) {
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
			if rule := stringRule(f.Tag, v.String(), patterns); rule != "" {
				errs = append(errs, FieldError{path, rule})
			}
		case reflect.Int:
			if rule := intRule(f.Tag, v.Int()); rule != "" {
				errs = append(errs, FieldError{path, rule})
			}
		case reflect.Slice:
			if m, ok := intTag(f.Tag, "maxItems"); ok && int64(v.Len()) > m {
				errs = append(errs, FieldError{path, fmt.Sprintf("has %d entries; at most %d are allowed", v.Len(), m)})
			}
			for i := range v.Len() {
				if v.Index(i).Kind() != reflect.String {
					continue
				}
				rule := stringRule(f.Tag, v.Index(i).String(), patterns)
				if v.Index(i).Len() == 0 {
					rule = "is empty"
				}
				if rule != "" {
					errs = append(errs, FieldError{fmt.Sprintf("%s[%d]", path, i), rule})
				}
			}
		}
	})
	return errs
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

// stringRule returns the rule that s breaks, or "". Empty is a matter of
// minLength alone: every other rule speaks of what is written.
func stringRule(tag reflect.StructTag, s string, patterns patterns) string {
	n := int64(utf8.RuneCountInString(s))
	minLen, hasMin := intTag(tag, "minLength")
	maxLen, hasMax := intTag(tag, "maxLength")
	switch {
	case !utf8.ValidString(s):
		return "is not valid UTF-8"
	case hasMin && n < minLen:
		return fmt.Sprintf("has %d characters; at least %d are needed", n, minLen)
	case hasMax && n > maxLen:
		return fmt.Sprintf("has %d characters; at most %d are allowed", n, maxLen)
	case s == "" && tag.Get("enum") == "": // of a choice, nothing is no choice
		return ""
	case strings.ContainsFunc(s, isControl):
		return "contains a control character"
	}
	if p, ok := tag.Lookup("pattern"); ok && !patterns.match(p, s) {
		return "may contain only " + tag.Get("patternDescription")
	}
	if e, ok := tag.Lookup("enum"); ok && !slices.Contains(strings.Split(e, ","), s) {
		return "must be one of " + strings.ReplaceAll(e, ",", ", ")
	}
	switch tag.Get("format") {
	case "ip":
		if a, err := netip.ParseAddr(s); err != nil || a.Zone() != "" {
			return "is not an IP address"
		}
	case "cidr":
		if _, err := netip.ParsePrefix(s); err != nil {
			return "is not an address with prefix length, such as 192.168.0.50/24"
		}
	}
	return ""
}

// isControl reports whether r is a control character (C0, DEL, C1) or turns
// the direction of the text around it, so that it reads as another one.
func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

func intRule(tag reflect.StructTag, n int64) string {
	lo, hasLo := intTag(tag, "minimum")
	hi, hasHi := intTag(tag, "maximum")
	if hasLo && n < lo || hasHi && n > hi {
		return fmt.Sprintf("is %d; allowed are %d to %d", n, lo, hi)
	}
	return ""
}

func intTag(tag reflect.StructTag, name string) (int64, bool) {
	s, ok := tag.Lookup(name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
