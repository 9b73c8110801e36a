package web

import (
	"reflect"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// namesIn collects the JSON names of the parameters of a type, by the path of
// one that has it.
func namesIn(t reflect.Type, path string, names map[string]string) {
	switch t.Kind() {
	case reflect.Slice, reflect.Pointer:
		namesIn(t.Elem(), path, names)
	case reflect.Struct:
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous && name == "" {
				namesIn(f.Type, path, names)
			} else if name != "-" && name != "id" {
				names[name] = path + "." + name
				namesIn(f.Type, path+"."+name, names)
			}
		}
	}
}

// TestCataloguePaths wants words for every parameter and every part of the
// configuration, which the history names by their paths.
func TestCataloguePaths(t *testing.T) {
	en := readCatalogue(t, "en")
	titled := map[string]bool{}
	for _, schema := range schemas(t) {
		for name, p := range schema.Properties {
			titled[name] = titled[name] || p.Title != ""
		}
	}
	names := map[string]string{}
	for part := range reflect.TypeFor[pbx.Config]().Fields() {
		section, _, _ := strings.Cut(part.Tag.Get("json"), ",")
		if en.words["part."+section] == "" {
			t.Errorf("en.json has no words for the part %s of the configuration", section)
		}
		namesIn(part.Type, section, names)
	}
	for name, path := range names {
		if !titled[name] && en.words["field."+name] == "" {
			t.Errorf("en.json has no words for %q (%s)", name, path)
		}
	}
	if len(names) < 80 {
		t.Errorf("only %d parameters were found", len(names))
	}
}
