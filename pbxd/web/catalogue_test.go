package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
	"galilei/webroot"
)

// catalogue holds the words of one language: the page's own by key, and those
// of the API by their English text.
type catalogue struct {
	words map[string]string
	api   map[string]string
}

func readCatalogue(t *testing.T, language string) catalogue {
	t.Helper()
	text, err := fs.ReadFile(webroot.Files(), "i18n/"+language+".json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("catalogue %s: %v", language, err)
	}
	c := catalogue{map[string]string{}, map[string]string{}}
	for key, v := range all {
		switch v := v.(type) {
		case string:
			c.words[key] = v
		case map[string]any:
			for text, translated := range v {
				c.api[text] = fmt.Sprint(translated)
			}
		}
	}
	return c
}

// places returns the {names} in a text, sorted, each once.
func places(text string) []string {
	return slices.Compact(slices.Sorted(slices.Values(regexp.MustCompile(`\{\w+\}`).FindAllString(text, -1))))
}

// TestCatalogueKeys wants the same keys with the same placeholders in each
// language.
func TestCatalogueKeys(t *testing.T) {
	en, de := readCatalogue(t, "en"), readCatalogue(t, "de")
	for _, key := range slices.Sorted(maps.Keys(en.words)) {
		switch translated, ok := de.words[key]; {
		case !ok:
			t.Errorf("de.json lacks %q: %q", key, en.words[key])
		case strings.TrimSpace(translated) == "":
			t.Errorf("de.json has nothing for %q", key)
		case !slices.Equal(places(en.words[key]), places(translated)):
			t.Errorf("%q: %q has other placeholders than %q", key, translated, en.words[key])
		}
	}
	for key := range de.words {
		if _, ok := en.words[key]; !ok {
			t.Errorf("en.json lacks %q", key)
		}
	}
	if len(en.api) != 0 {
		t.Error("en.json translates the API, which is English")
	}
}

// spoken are the arguments of messages that are themselves words: types of
// values, and what has a number.
var spoken = []string{"text", "true or false", "a whole number", "a list", "an object", "a time", "user", "hunt group"}

// TestCatalogueAPI wants a German text for every title, help text and message
// of the API, and none besides.
func TestCatalogueAPI(t *testing.T) {
	de := readCatalogue(t, "de")
	wanted := map[string]string{} // text to where it is from
	describe(t, wanted)
	describeSettings(wanted)
	describeCountries(wanted)
	for _, text := range spoken {
		wanted[text] = "an argument"
	}
	for _, name := range []string{".", "pbx", "dialplan", "call", "ladder", "store", "web", "csvtable", "picture", "license", "certificate", "mail", "holiday", "sipedge"} {
		templatesOf(t, filepath.Join("..", name), wanted)
	}
	if len(wanted) < 300 {
		t.Fatalf("only %d texts were found", len(wanted))
	}
	for _, text := range slices.Sorted(maps.Keys(wanted)) {
		switch translated, ok := de.api[text]; {
		case !ok:
			t.Errorf("de.json lacks %q (%s)", text, wanted[text])
		case strings.TrimSpace(translated) == "":
			t.Errorf("de.json has nothing for %q", text)
		case !slices.Equal(places(text), places(translated)):
			t.Errorf("%q has other placeholders than %q", translated, text)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(de.api)) {
		if wanted[text] == "" {
			t.Errorf("de.json translates %q, which nobody says", text)
		}
	}
}

// TestCatalogueEnums wants a word for each value that a person may choose.
func TestCatalogueEnums(t *testing.T) {
	en := readCatalogue(t, "en")
	wanted := map[string]bool{}
	for name, schema := range schemas(t) {
		for prop, p := range schema.Properties {
			for _, v := range p.Enum {
				if technical.MatchString(fmt.Sprint(v)) {
					continue
				}
				key := "value." + prop + "." + fmt.Sprint(v)
				if v == "" {
					key = "value." + prop + ".none"
				}
				wanted[key] = true
				if en.words[key] == "" {
					t.Errorf("en.json lacks %q (%s)", key, name)
				}
			}
		}
	}
	for _, m := range pbx.Modules() {
		if en.words["module."+m.ID] == "" {
			t.Errorf("en.json lacks the module %s", m.ID)
		}
	}
	s := newServer(t, newMemory(), nil)
	for _, action := range s.actions {
		if en.words["audit."+action] == "" {
			t.Errorf("en.json lacks the action %s of the audit log", action)
		}
	}
	if len(s.actions) < 20 {
		t.Errorf("only %d actions were found", len(s.actions))
	}
	if len(wanted) < 30 {
		t.Errorf("only %d values were found", len(wanted))
	}
}

var (
	// A text literal, or the parts of a template literal that are fixed.
	literal = regexp.MustCompile("'([a-z][A-Za-z0-9]*(?:\\.[A-Za-z0-9_-]+)+)'|`([a-z][A-Za-z0-9]*\\.[^`]*)`")
	asked   = regexp.MustCompile(`\bt\('([^']+)'`)
	hole    = regexp.MustCompile(`\$\{[^}]*\}`)
)

// TestCatalogueUse wants every key of the catalogue to be used by the page, and
// every key that the page names to be there.
func TestCatalogueUse(t *testing.T) {
	en := readCatalogue(t, "en")
	known := func(key string) bool { return en.words[key] != "" || en.words[key+".other"] != "" }
	used, patterns := map[string]bool{}, []*regexp.Regexp{}
	err := fs.WalkDir(webroot.Files(), "js", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(webroot.Files(), path)
		if err != nil {
			return err
		}
		for _, m := range asked.FindAllStringSubmatch(string(text), -1) {
			if !known(m[1]) {
				t.Errorf("%s: no words for t('%s')", path, m[1])
			}
		}
		for _, m := range literal.FindAllStringSubmatch(string(text), -1) {
			if m[1] != "" {
				used[m[1]] = true
				continue
			}
			var b strings.Builder
			for i, part := range hole.Split(m[2], -1) {
				if i > 0 {
					b.WriteString(".+")
				}
				b.WriteString(regexp.QuoteMeta(part))
			}
			patterns = append(patterns, regexp.MustCompile("^"+b.String()+"$"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	plural := regexp.MustCompile(`\.(one|other)$`)
	for _, key := range slices.Sorted(maps.Keys(en.words)) {
		short := plural.ReplaceAllString(key, "")
		if used[key] || used[short] || strings.HasPrefix(key, "value.") {
			continue
		}
		if !slices.ContainsFunc(patterns, func(p *regexp.Regexp) bool { return p.MatchString(key) || p.MatchString(short) }) {
			t.Errorf("%q is in en.json and used nowhere", key)
		}
	}
}
