package csvtable

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

func TestMessagesAreComplete(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "messages.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			text, err := strconv.Unquote(spec.Values[i].(*ast.BasicLit).Value)
			if err != nil || !slices.Contains(Messages(), text) {
				t.Errorf("Messages lacks %s %q", name, text)
			}
			n++
		}
		return true
	})
	if n != len(Messages()) || n < 30 {
		t.Errorf("%d constants, %d messages", n, len(Messages()))
	}
}

func TestMessagesOfPINs(t *testing.T) {
	for _, pin := range []string{"", "1", "12345678901", "12a4", "000", "0000000000"} {
		m := pbx.CheckPIN(pin)
		if m.IsZero() || !slices.Contains(Messages(), m.Template) {
			t.Errorf("%q: %q is not among the messages", pin, m.Template)
		}
	}
}

func TestSeparatorNamed(t *testing.T) {
	for name, want := range map[string]Separator{"comma": ',', "semicolon": ';', "tab": '\t'} {
		if got, ok := SeparatorNamed(name); got != want || !ok {
			t.Errorf("%s: got %q, %t", name, got, ok)
		}
	}
	if got, ok := SeparatorNamed(","); ok {
		t.Errorf("got %q for a comma", got)
	}
}

func TestSpellingsOfSwitchesAndLanguages(t *testing.T) {
	for text, want := range map[string]string{"yes": "on", "TRUE": "on", "1": "on", "On": "on", "ja": "on", "WAHR": "on",
		"no": "off", "False": "off", "0": "off", "off": "off", "Nein": "off", "": "off", "2": "?", "none": "?"} {
		on, known := parseSwitch(text)
		if got := map[bool]string{true: "on", false: "off"}[on]; known && got != want || !known && want != "?" {
			t.Errorf("%q: got %s, known %t; want %s", text, got, known, want)
		}
	}
	for text, want := range map[string]string{"English": "en", "EN": "en", "Deutsch": "de", "german": "de", "de": "de", "": "", "fr": "?"} {
		if got, known := parseLanguage(text); known && got != want || !known && want != "?" {
			t.Errorf("%q: got %q, known %t; want %q", text, got, known, want)
		}
	}
	if long := shorten(strings.Repeat("ä", 41)); long != strings.Repeat("ä", 40)+"..." {
		t.Errorf("got %q", long)
	}
}
