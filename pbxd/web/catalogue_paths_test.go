package web

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// titlesIn collects the titles of the parameters of a type by their paths.
func titlesIn(t reflect.Type, path string, titles map[string]string) {
	switch t.Kind() {
	case reflect.Slice, reflect.Pointer:
		titlesIn(t.Elem(), path, titles)
	case reflect.Struct:
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous && name == "" {
				titlesIn(f.Type, path, titles)
			} else if name != "-" && name != "id" {
				titles[path+"."+name] = f.Tag.Get("title")
				titlesIn(f.Type, path+"."+name, titles)
			}
		}
	}
}

// TestCataloguePaths wants words for every parameter and every part of the
// configuration, which the history names by their paths.
func TestCataloguePaths(t *testing.T) {
	en := readCatalogue(t, "en")
	all := schemas(t)
	order := slices.Sorted(maps.Keys(all))
	// label is what the page finds, as schema.js does.
	label := func(name, hint string) string {
		titled := slices.DeleteFunc(slices.Clone(order), func(s string) bool {
			p := all[s].Properties[name]
			return p == nil || p.Title == ""
		})
		i := slices.IndexFunc(titled, func(s string) bool { return strings.HasPrefix(strings.ToLower(s), strings.ToLower(hint)) })
		switch word := en.words["field."+name]; {
		case i >= 0:
			return all[titled[i]].Properties[name].Title
		case word != "" || len(titled) == 0:
			return word
		}
		return all[titled[0]].Properties[name].Title
	}
	titles := map[string]string{}
	for part := range reflect.TypeFor[pbx.Config]().Fields() {
		section, _, _ := strings.Cut(part.Tag.Get("json"), ",")
		if en.words["part."+section] == "" {
			t.Errorf("en.json has no words for the part %s of the configuration", section)
		}
		titlesIn(part.Type, section, titles)
	}
	for path, title := range titles {
		section, _, _ := strings.Cut(path, ".")
		switch got := label(path[strings.LastIndex(path, ".")+1:], strings.TrimSuffix(section, "s")); {
		case got == "":
			t.Errorf("nothing says what %s is", path)
		case title != "" && got != title:
			t.Errorf("%s shows as %q, but is %q", path, got, title)
		}
	}
	if len(titles) < 80 {
		t.Errorf("only %d parameters were found", len(titles))
	}
}
