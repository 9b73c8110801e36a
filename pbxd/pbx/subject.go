package pbx

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Told is the rule together with what it is about, for a place where the
// parameter itself is not shown.
func (e FieldError) Told() Message {
	switch {
	case e.Title == "":
		return Say("{what}: {rule}", "what", e.Path, "rule", e.Rule)
	case e.Entry == "":
		return Say("{what}: {rule}", "what", Message{Template: e.Title}, "rule", e.Rule)
	}
	return Say("{what} of {name}: {rule}", "what", Message{Template: e.Title}, "name", e.Entry, "rule", e.Rule)
}

// subject returns the title of the parameter at a path of c and, when it is
// that of an entry, what people call the entry. A place within a parameter,
// such as huntGroups[0].members[2].user, has the title of that parameter.
func (c *Config) subject(path string) (title, entry string) {
	name, rest, inEntry := strings.Cut(path, "[")
	if !inEntry {
		return titleAt(reflect.TypeFor[Config](), path), ""
	}
	number, field, _ := strings.Cut(rest, "]")
	i, err := strconv.Atoi(number)
	l, known := c.listNamed(name)
	if err != nil || !known || i < 0 || i >= l.entries.Len() {
		return titleAt(reflect.TypeFor[Config](), name), ""
	}
	field, _, _ = strings.Cut(strings.TrimPrefix(field, "."), "[")
	return titleAt(l.entries.Type().Elem(), field), calledBy(l.entries.Index(i))
}

// titleAt returns the title of the field of t at a path of JSON names, or "".
func titleAt(t reflect.Type, path string) string {
	name, rest, more := strings.Cut(path, ".")
	name, _, _ = strings.Cut(name, "[")
	if t.Kind() != reflect.Struct {
		return ""
	}
	for _, f := range reflect.VisibleFields(t) {
		switch {
		case f.Anonymous || jsonName(f) != name:
		case more && f.Type.Kind() == reflect.Struct:
			return titleAt(f.Type, rest)
		default:
			return f.Tag.Get("title")
		}
	}
	return ""
}

// calledBy returns what people call an entry: for a user the name and the
// number.
func calledBy(entry reflect.Value) string {
	u, ok := entry.Interface().(User)
	switch {
	case !ok:
		return nameOf(entry)
	case u.Extension == "":
		return u.DisplayName()
	}
	return fmt.Sprintf("%s (%s)", u.DisplayName(), u.Extension)
}
