package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

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
// sends as values.
func describeSettings(wanted map[string]string) {
	sections := map[string]bool{}
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
				if text := f.Tag.Get(tag); text != "" {
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
		wanted[c.Name] = c.Code
		if c.NumberingNotes != "" {
			wanted[c.NumberingNotes] = c.Code
		}
		for _, e := range c.Emergency {
			wanted[e.Service] = c.Code + " " + e.Number
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
	takes := map[string]int{"Say": 0, "alarm": 0} // function to the place of its template
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
