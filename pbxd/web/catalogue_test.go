package web

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
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
	for _, name := range []string{".", "pbx", "store", "web", "csvtable", "picture", "license", "certificate", "mail"} {
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

// described is a schema of the OpenAPI document.
type described struct {
	Properties map[string]*described
	Items      *described
	Title      string
	Text       string   `json:"description"`
	Pattern    string   `json:"patternDescription"`
	Enum       []any    `json:"enum"`
	Required   []string `json:"required"`
}

func schemas(t *testing.T) map[string]*described {
	t.Helper()
	s := newServer(t, newMemory(), nil)
	c := &client{t: t, s: s, addr: lanAddr}
	var spec struct {
		Components struct{ Schemas map[string]*described }
	}
	c.want(200, "GET", "/openapi.json", "", &spec)
	return spec.Components.Schemas
}

// describe collects the texts of every property.
func describe(t *testing.T, wanted map[string]string) {
	t.Helper()
	for name, schema := range schemas(t) {
		for prop, p := range schema.Properties {
			for _, text := range []string{p.Title, p.Text, p.Pattern} {
				if text != "" && !strings.HasPrefix(prop, "$") {
					wanted[text] = name + "." + prop
				}
			}
			if p.Items != nil && p.Items.Pattern != "" {
				wanted[p.Items.Pattern] = name + "." + prop
			}
		}
	}
}

// technical values, such as an impedance, are the same in every language.
var technical = regexp.MustCompile(`^[0-9+|n]+$`)

// describeSettings collects the texts of the system settings, which the API
// sends as values, and the names of function codes, which messages speak of.
func describeSettings(wanted map[string]string) {
	sections := map[string]bool{"functionCodes": true}
	for _, tab := range pbx.SettingsTabs() {
		sections[tab.Section] = true
	}
	config := reflect.TypeFor[pbx.Config]()
	for section := range config.Fields() {
		name, _, _ := strings.Cut(section.Tag.Get("json"), ",")
		if !sections[name] {
			continue
		}
		for f := range section.Type.Fields() {
			for _, tag := range []string{"title", "doc", "patternDescription"} {
				if text := f.Tag.Get(tag); text != "" && (name != "functionCodes" || tag == "title") {
					wanted[text] = name + "." + f.Name
				}
			}
		}
	}
}

// describeCountries collects the texts of the country profiles.
func describeCountries(wanted map[string]string) {
	for _, c := range pbx.Countries() {
		wanted[c.Recording.Text] = c.Code
		if c.NumberingNotes != "" {
			wanted[c.NumberingNotes] = c.Code
		}
		for _, e := range c.Emergency {
			wanted[e.Service] = c.Code + " " + e.Number
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

// templatesOf collects the message templates of a package: what is handed to a
// parameter named template, and constants that begin with "template" or "Msg".
func templatesOf(t *testing.T, dir string, wanted map[string]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s (%v)", dir, err)
	}
	set := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	takes := map[string]int{"Say": 0} // function to the place of its template
	constants := map[string]string{}
	for _, f := range parsed {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if i, ok := templateAt(n.Type); ok {
					takes[n.Name.Name] = i
				}
			case *ast.AssignStmt:
				if fn, ok := n.Rhs[0].(*ast.FuncLit); ok {
					if i, ok := templateAt(fn.Type); ok {
						takes[n.Lhs[0].(*ast.Ident).Name] = i
					}
				}
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if i < len(n.Values) {
						if text, ok := textOf(n.Values[i]); ok {
							constants[name.Name] = text
						}
					}
				}
			}
			return true
		})
	}
	for name, text := range constants {
		if strings.HasPrefix(name, "template") || strings.HasPrefix(name, "Msg") {
			wanted[text] = dir + " " + name
		}
	}
	for _, f := range parsed {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch fn := call.Fun.(type) {
			case *ast.Ident:
				name = fn.Name
			case *ast.SelectorExpr:
				name = fn.Sel.Name
			}
			at, ok := takes[name]
			if !ok || at >= len(call.Args) {
				return true
			}
			where := set.Position(call.Pos()).String()
			if text, ok := textOf(call.Args[at]); ok {
				wanted[text] = where
			} else if id, ok := call.Args[at].(*ast.Ident); ok && constants[id.Name] != "" {
				wanted[constants[id.Name]] = where
			}
			return true
		})
	}
}

// templateAt returns the place of the parameter named template.
func templateAt(f *ast.FuncType) (int, bool) {
	at := 0
	for _, field := range f.Params.List {
		for _, name := range field.Names {
			if name.Name == "template" {
				return at, true
			}
			at++
		}
	}
	return 0, false
}

// textOf returns the value of a text literal or of a sum of such.
func textOf(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		a, okA := textOf(e.X)
		b, okB := textOf(e.Y)
		return a + b, okA && okB
	}
	return "", false
}
