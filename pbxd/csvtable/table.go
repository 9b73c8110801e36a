package csvtable

import (
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"galilei/pbxd/pbx"
)

// Column is a column of a file.
type Column struct {
	Name  string `json:"name"`  // JSON name of the field, or "" for one that is passed over
	Title string `json:"title"` // as it stands in a header
}

// Table says how a row type T, a struct, is read and written. Each field has
// the tags json (its name) and csv (the name that is written, then, after '|',
// further ones that are read), and may have kind (number, language or groups),
// required and unique. A Table is never modified.
type Table[T any] struct {
	columns   []column
	spellings map[string]int // normal form of a name => index in columns
	layouts   [][]Column     // by position; the first one is written
	secret    bool           // has a column that must not be shown
}

type column struct {
	Column
	field    int // of T
	kind     kind
	required bool
	unique   bool
}

// kind is how the text of a column is understood.
type kind int

const (
	kindText kind = iota
	kindNumber
	kindLanguage
	kindSecret
	kindSwitch
	kindList
	kindGroups
)

// newTable makes the table of T from its tags, with one layout of the named
// columns. It panics on a typing error in T, which every test catches.
func newTable[T any](layout []string) *Table[T] {
	t := &Table[T]{spellings: map[string]int{}}
	typ := reflect.TypeFor[T]()
	for i := range typ.NumField() {
		f := typ.Field(i)
		names := strings.Split(f.Tag.Get("csv"), "|")
		c := column{
			Column: Column{Name: f.Tag.Get("json"), Title: names[0]}, field: i, kind: kindOf(f),
			required: f.Tag.Get("required") == "true", unique: f.Tag.Get("unique") == "true",
		}
		t.secret = t.secret || c.kind == kindSecret
		for _, n := range append(names, c.Name) {
			if j, taken := t.spellings[normal(n)]; taken && j != len(t.columns) || normal(n) == "" {
				panic(fmt.Sprintf("%s.%s: column name %q is empty or taken", typ, f.Name, n))
			}
			t.spellings[normal(n)] = len(t.columns)
		}
		t.columns = append(t.columns, c)
	}
	var columns []Column
	for _, name := range layout {
		columns = append(columns, t.named(name).Column)
	}
	t.layouts = [][]Column{columns}
	return t
}

func kindOf(f reflect.StructField) kind {
	switch k := f.Tag.Get("kind"); {
	case f.Type == reflect.TypeFor[pbx.Secret]():
		return kindSecret
	case f.Type.Kind() == reflect.Bool:
		return kindSwitch
	case f.Type == reflect.TypeFor[[]string]() && k == "groups":
		return kindGroups
	case f.Type == reflect.TypeFor[[]string]():
		return kindList
	case f.Type.Kind() == reflect.String && k == "number":
		return kindNumber
	case f.Type.Kind() == reflect.String && k == "language":
		return kindLanguage
	case f.Type.Kind() == reflect.String && k == "":
		return kindText
	}
	panic(fmt.Sprintf("column %s: %s cannot be read from text", f.Name, f.Type))
}

// named returns the column with that JSON name, or nil.
func (t *Table[T]) named(name string) *column {
	for i := range t.columns {
		if t.columns[i].Name == name {
			return &t.columns[i]
		}
	}
	return nil
}

// Columns returns the columns that Write writes unless told otherwise.
func (t *Table[T]) Columns() []Column { return append([]Column(nil), t.layouts[0]...) }

// normal returns the form in which names of columns are compared.
func normal(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// match returns the columns that a header names.
func (t *Table[T]) match(header record, ignoreUnknown bool) ([]Column, error) {
	refuse := func(template string, pairs ...any) error {
		return &FileError{header.line, pbx.Say(template, pairs...)}
	}
	if header.count > MaxColumns {
		return nil, refuse(MsgTooManyColumns, "columns", header.count, "limit", MaxColumns)
	}
	columns := make([]Column, len(header.fields))
	titles := map[string]string{}
	for i, title := range header.fields {
		columns[i].Title = title
		j, known := t.spellings[normal(title)]
		switch {
		case !known && ignoreUnknown:
			continue
		case normal(title) == "":
			return nil, refuse(MsgUnnamedColumn, "position", i+1)
		case !known && t.secret && strings.ContainsAny(title, "0123456789"): // perhaps no header but a row with its PIN
			return nil, refuse(MsgUnknownNth, "position", i+1)
		case !known:
			return nil, refuse(MsgUnknownColumn, "column", shorten(title))
		}
		columns[i].Name = t.columns[j].Name
		if first, twice := titles[columns[i].Name]; twice {
			return nil, refuse(MsgColumnTwice, "first", shorten(first), "second", shorten(title))
		}
		titles[columns[i].Name] = title
	}
	for _, c := range t.columns {
		if _, present := titles[c.Name]; c.required && !present {
			return nil, refuse(MsgLacksColumn, "column", c.Title)
		}
	}
	return columns, nil
}

// shorten returns s for a message: at most 40 characters.
func shorten(s string) string {
	n := 0
	for i := range s {
		if n++; n > 40 {
			return s[:i] + "..."
		}
	}
	return s
}
