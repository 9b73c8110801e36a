package web

import (
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const schemaPrefix = "#/components/schemas/"

// maxInteger is the largest whole number that every reader of JSON keeps (RFC
// 8259 section 6).
const maxInteger = float64(1<<53 - 1)

// annotate completes every schema with what the tags of its fields say and
// huma does not know: titles, units, what they refer to, which are needed, and
// that an empty text is free of every rule but minLength.
func annotate(r huma.Registry) {
	for name, s := range r.Map() {
		if t := r.TypeFromRef(schemaPrefix + name); t != nil && t.Kind() == reflect.Struct {
			annotateStruct(r, s, t)
		}
	}
}

func annotateStruct(r huma.Registry, s *huma.Schema, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Tag.Get("json") == "" {
			annotateStruct(r, s, f.Type)
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if p := s.Properties[name]; p != nil {
			s.Properties[name] = annotateField(p, f, options)
			if required(p, f) && !slices.Contains(s.Required, name) {
				s.Required = append(s.Required, name)
			}
		}
	}
}

// required reports whether a field must be there: it may not be empty or 0, and
// nothing takes its place. An administrator needs no extension.
func required(p *huma.Schema, f reflect.StructField) bool {
	if p.Type == huma.TypeInteger && !p.ReadOnly && p.Minimum != nil && *p.Minimum > 0 && f.Type.Kind() != reflect.Pointer && f.Tag.Get("default") == "" {
		return true
	}
	return p.MinLength != nil && *p.MinLength > 0 && p.Type == huma.TypeString && f.Type.Kind() != reflect.Pointer && f.Tag.Get("default") == ""
}

func annotateField(p *huma.Schema, f reflect.StructField, options string) *huma.Schema {
	p.Title = f.Tag.Get("title")
	extend := func(s *huma.Schema, key, value string) {
		if value == "" {
			return
		}
		if s.Extensions == nil {
			s.Extensions = map[string]any{}
		}
		s.Extensions[key] = value
	}
	extend(p, "x-unit", f.Tag.Get("unit"))
	extend(p, "x-ref", f.Tag.Get("ref"))
	text := p
	if p.Type == huma.TypeArray {
		p.Nullable = false // empty lists are written as []
		text = p.Items
	}
	if text.Type == huma.TypeString && f.Tag.Get("format") != "" && text.MinLength == nil {
		extend(text, "x-format", text.Format) // JSON Schema would refuse the empty text
		text.Format = ""
	}
	if p.Type == huma.TypeString && p.Pattern != "" && p.MinLength == nil {
		p.Pattern = orEmpty(p.Pattern)
	}
	if p.Type == huma.TypeInteger {
		bounded(p)
	}
	if f.Tag.Get("claims") == "user" { // the rule holds for what is written
		p.MinLength, p.Pattern, p.PatternDescription = nil, "^([0-9]{2,10})?$", "2 to 10 digits"
	}
	if p.Ref != "" && (p.Title != "" || p.Description != "" || f.Type.Kind() == reflect.Pointer) {
		return describedRef(p, f.Type.Kind() == reflect.Pointer && !strings.Contains(options, "omit"))
	}
	return p
}

// orEmpty lets a pattern also match the empty text.
func orEmpty(pattern string) string {
	inner, begins := strings.CutPrefix(pattern, "^")
	inner, ends := strings.CutSuffix(inner, "$")
	if !begins || !ends || inner == "" {
		return pattern
	}
	return "^(" + inner + ")?$"
}

// bounded gives a whole number that has no range of its own that of JSON.
func bounded(p *huma.Schema) {
	lo, hi := 0.0, maxInteger
	if p.Minimum == nil {
		p.Minimum = &lo
	}
	if p.Maximum == nil {
		p.Maximum = &hi
	}
	p.Format = "" // int64 says less than the range
	p.PrecomputeMessages()
}

// describedRef is a reference that carries its own title and description, and
// may be null.
func describedRef(p *huma.Schema, nullable bool) *huma.Schema {
	d := &huma.Schema{Title: p.Title, Description: p.Description, ReadOnly: p.ReadOnly, Extensions: p.Extensions}
	if !nullable {
		d.AllOf = []*huma.Schema{{Ref: p.Ref}}
		return d
	}
	d.AnyOf = []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}
	return d
}

// annotateParameters gives parameters and headers of operations the title and
// the range of their fields; huma has copied the rest.
func annotateParameters(api *huma.OpenAPI) {
	for _, item := range api.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
			if op == nil {
				continue
			}
			for _, p := range op.Parameters {
				if p.Schema != nil && p.Schema.Type == huma.TypeInteger {
					bounded(p.Schema)
				}
			}
		}
	}
}
