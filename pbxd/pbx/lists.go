package pbx

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// list is one list of entries in a Config that have an ID.
type list struct {
	name    string // JSON name
	entries reflect.Value
}

// lists returns the lists of c whose entries have an ID.
func (c *Config) lists() (all []list) {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Type.Kind() != reflect.Slice {
			continue
		}
		if _, ok := f.Type.Elem().FieldByName("ID"); ok {
			all = append(all, list{f.Tag.Get("json"), v.Field(i)})
		}
	}
	return all
}

// idsOf returns the IDs of a list's entries.
func (l list) ids() map[string]bool {
	ids := map[string]bool{}
	for i := range l.entries.Len() {
		ids[l.entries.Index(i).FieldByName("ID").String()] = true
	}
	return ids
}

// nameOf returns what people call an entry.
func nameOf(entry reflect.Value) string {
	for _, field := range []string{"Name", "Title", "Rule", "Description"} {
		if f := entry.FieldByName(field); f.IsValid() {
			return f.String()
		}
	}
	return entry.FieldByName("ID").String()
}

// checkLists checks what holds for every list: IDs and fields tagged unique
// occur once, and fields tagged ref name an entry that there is.
func checkLists(c *Config) (errs []FieldError) {
	known := map[string]map[string]bool{}
	for _, l := range c.lists() {
		known[l.name] = l.ids()
		errs = append(errs, l.checkUnique()...)
	}
	walkParams("", reflect.ValueOf(c).Elem(), func(path string, f reflect.StructField, v reflect.Value) {
		ref, ok := f.Tag.Lookup("ref")
		if !ok {
			return
		}
		check := func(path, id string) {
			if id == "" || slices.ContainsFunc(strings.Split(ref, "|"), func(l string) bool { return known[l][id] }) {
				return
			}
			rule := refused(path, "names an entry that does not exist: {id}", "id", id)
			if ref == "users|huntGroups" { // who calls are sent on to (F206)
				rule = refused(path, "{id} is no user and no hunt group of this device. For a number outside, enter a user who forwards there.", "id", id)
			}
			errs = append(errs, rule)
		}
		if v.Kind() == reflect.String {
			check(path, v.String())
			return
		}
		seen := map[string]bool{}
		for i := range v.Len() {
			id := v.Index(i).String()
			check(fmt.Sprintf("%s[%d]", path, i), id)
			if seen[id] {
				errs = append(errs, refused(fmt.Sprintf("%s[%d]", path, i), "is in the list twice"))
			}
			seen[id] = true
		}
	})
	return errs
}

func (l list) checkUnique() (errs []FieldError) {
	check := func(field reflect.StructField, index []int, rule func(path, value, other string) FieldError) {
		at := func(i int) string { return fmt.Sprintf("%s[%d].%s", l.name, i, jsonName(field)) }
		seen := map[string]int{}
		for i := range l.entries.Len() {
			entry := l.entries.Index(i)
			value := fmt.Sprint(entry.FieldByIndex(index).Interface())
			key := strings.ToLower(Bare(value))
			if j, dup := seen[key]; dup && key != "" {
				first := rule(at(j), fmt.Sprint(l.entries.Index(j).FieldByIndex(index).Interface()), nameOf(entry))
				errs = append(errs, rule(at(i), value, nameOf(l.entries.Index(j))).or(first))
				continue
			}
			seen[key] = i
		}
	}
	for _, f := range reflect.VisibleFields(l.entries.Type().Elem()) {
		switch {
		case f.Name == "ID":
			check(f, f.Index, func(path, _, other string) FieldError {
				return refused(path, "is the same as that of {name}", "name", other)
			})
		case f.Tag.Get("unique") != "":
			check(f, f.Index, func(path, value, _ string) FieldError {
				return refused(path, "{name} is already in use", "name", value)
			})
		}
	}
	return errs
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// Forget takes every reference to the entry of that ID out of c: from lists of
// IDs the ID, from lists of places (as in a hunt group) the place, and single
// references become empty. It is called when the entry is deleted.
func (c *Config) Forget(listName, id string) {
	forget(reflect.ValueOf(c).Elem(), listName, id)
}

func refersTo(f reflect.StructField, listName string) bool {
	ref, ok := f.Tag.Lookup("ref")
	return ok && slices.Contains(strings.Split(ref, "|"), listName)
}

func forget(v reflect.Value, listName, id string) {
	for i := range v.NumField() {
		f, fv := v.Type().Field(i), v.Field(i)
		switch {
		case fv.Kind() == reflect.Struct:
			forget(fv, listName, id)
		case fv.Kind() == reflect.String && refersTo(f, listName) && fv.String() == id:
			fv.SetString("")
		case fv.Kind() == reflect.Slice && refersTo(f, listName):
			fv.Set(keep(fv, func(e reflect.Value) bool { return e.String() != id }))
		case fv.Kind() == reflect.Slice && fv.Type().Elem().Kind() == reflect.Struct:
			fv.Set(keep(fv, func(e reflect.Value) bool { return !isPlaceOf(e, listName, id) }))
			for j := range fv.Len() {
				forget(fv.Index(j), listName, id)
			}
		}
	}
}

// isPlaceOf reports whether e is nothing without the entry of that ID: it has
// no ID of its own and needs the reference.
func isPlaceOf(e reflect.Value, listName, id string) bool {
	if e.FieldByName("ID").IsValid() {
		return false
	}
	for i := range e.NumField() {
		f := e.Type().Field(i)
		if refersTo(f, listName) && f.Tag.Get("minLength") != "" && e.Field(i).String() == id {
			return true
		}
	}
	return false
}

func keep(s reflect.Value, wanted func(reflect.Value) bool) reflect.Value {
	kept := reflect.MakeSlice(s.Type(), 0, s.Len())
	for i := range s.Len() {
		if wanted(s.Index(i)) {
			kept = reflect.Append(kept, s.Index(i))
		}
	}
	return kept
}
