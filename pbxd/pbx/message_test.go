package pbx

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestMessageOutlivesJSON(t *testing.T) {
	for want, m := range map[string]Message{
		"Factory configuration":     Say("Factory configuration"),
		"User anna added":           Say("{what} {name} added", "what", Say("User"), "name", "anna"),
		"Not kept: {own} 5; back":   Say("Not kept: {change}; back", "change", Typed("{own} 5")),
		"1000000 of 0.5, true":      Say("{n} of {part}, {yes}", "n", 1000000, "part", 0.5, "yes", true),
		"a: b: c {unknown} {broken": Say("a: {x}", "x", Say("b: {x}", "x", Say("c {unknown} {broken"))),
		"":                          Typed(""),
	} {
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back Message
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, m) || back.Text() != want {
			t.Errorf("%s: %#v, %q, %v; want %q", text, back, back.Text(), err, want)
		}
	}
}

// FuzzMessage: what can be read is read the same again from what is written of
// it.
func FuzzMessage(f *testing.F) {
	f.Add(`{"template":"{a} {b}","args":{"a":{"template":"x"},"b":1e3}}`)
	f.Add(`{"template":"{a}","args":{"a":[{"template":1}],"b":null}}`)
	f.Add(`{"args":{"a":{"args":{"a":{"args":{}}}}}}`)
	f.Add(`[]`)
	f.Add(`{"args":{"a":1e999}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var m, again Message
		if json.Unmarshal([]byte(text), &m) != nil {
			return
		}
		written, err := json.Marshal(m)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if err := json.Unmarshal(written, &again); err != nil {
			t.Fatalf("%q: %v", written, err)
		}
		if a, b := strings.ToValidUTF8(m.Text(), "\ufffd"), again.Text(); a != b {
			t.Errorf("%q becomes %q", a, b)
		}
	})
}
