package web

import (
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// annotate completes the schemas with what the tags of pbx say and huma does
// not know: units, which fields are needed, and that an empty text is free of
// every rule but minLength.
func annotate(r huma.Registry) {
	for name, t := range map[string]reflect.Type{
		"User":          reflect.TypeFor[User](),
		"UserChange":    reflect.TypeFor[UserChange](),
		"SIP":           reflect.TypeFor[pbx.SIP](),
		"Media":         reflect.TypeFor[pbx.Media](),
		"MediaSettings": reflect.TypeFor[pbx.Media](),
	} {
		if s := r.Map()[name]; s != nil {
			annotateStruct(s, t)
		}
	}
	for _, s := range r.Map() {
		for _, p := range s.Properties {
			if p.Type == huma.TypeArray {
				p.Nullable = false // empty lists are written as []
			}
		}
	}
	for _, name := range []string{"User", "UserChange"} {
		// Administrators need no phone: the rule holds for what is written.
		if p := property(r.Map()[name], "extension"); p != nil {
			p.MinLength, p.Pattern = nil, "^([0-9]{2,10})?$"
			p.PatternDescription = "2 to 10 digits"
			r.Map()[name].Required = slices.DeleteFunc(r.Map()[name].Required, func(f string) bool { return f == "extension" })
		}
	}
}

func property(s *huma.Schema, name string) *huma.Schema {
	if s == nil {
		return nil
	}
	return s.Properties[name]
}

func annotateStruct(s *huma.Schema, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			annotateStruct(s, f.Type)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		p := property(s, name)
		if p == nil {
			continue
		}
		if unit := f.Tag.Get("unit"); unit != "" {
			p.Extensions = map[string]any{"x-unit": unit}
		}
		text := p
		if p.Type == huma.TypeArray {
			text = p.Items
		}
		if text.Type == huma.TypeString && text.Format != "" && text.Format != "date-time" && text.MinLength == nil {
			text.Extensions = map[string]any{"x-format": text.Format}
			text.Format = ""
		}
		if p.MinLength != nil && *p.MinLength > 0 && f.Type.Kind() != reflect.Pointer {
			s.Required = append(s.Required, name)
		}
	}
}
