package pbx

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// or says that the same is wrong at another place, where two entries have what
// only one may have.
func (e FieldError) or(other FieldError) FieldError {
	e.Other = &other
	return e
}

// Blame moves what two entries have in common to the one whose value differs
// between before and after, when the other's does not: an administrator who
// edits an entry is told there, also when the other comes later in its list.
func (e *ValidationError) Blame(before, after *Config) {
	for i, f := range e.Fields {
		if f.Other == nil || differs(before, after, f.Path) || !differs(before, after, f.Other.Path) {
			continue
		}
		other := *f.Other
		f.Other = nil
		e.Fields[i] = other.or(f)
	}
}

// differs reports whether the parameter at a path of after, such as
// users[3].extension, has another value than in before. Entries are the same by
// their ID; what is not of an entry never differs.
func differs(before, after *Config, path string) bool {
	name, rest, _ := strings.Cut(path, "[")
	number, field, ok := strings.Cut(rest, "].")
	i, err := strconv.Atoi(number)
	if !ok || err != nil {
		return false
	}
	now, ok := after.listNamed(name)
	if !ok || i < 0 || i >= now.entries.Len() {
		return false
	}
	entry := now.entries.Index(i)
	was, _ := before.listNamed(name)
	for j := range was.entries.Len() {
		if old := was.entries.Index(j); old.FieldByName("ID").String() == entry.FieldByName("ID").String() {
			return valueOf(old, field) != valueOf(entry, field)
		}
	}
	return true
}

func (c *Config) listNamed(name string) (list, bool) {
	for _, l := range c.lists() {
		if l.name == name {
			return l, true
		}
	}
	return list{}, false
}

// valueOf returns the field of an entry with that JSON name, as text.
func valueOf(entry reflect.Value, field string) string {
	for _, f := range reflect.VisibleFields(entry.Type()) {
		if jsonName(f) == field {
			return fmt.Sprint(entry.FieldByIndex(f.Index).Interface())
		}
	}
	return ""
}
