package pbx

import (
	"errors"
	"testing"
)

func TestBare(t *testing.T) {
	for text, want := range map[string]string{
		"Anna": "Anna", " Anna\u200b": "Anna", "\u200b\u00ad\ufeff \u00a0\u3000": "", "": "", "a\u200bb": "a\u200bb", "\u200eAnna B \u200f": "Anna B", "\u3164\u2800\u115f": "",
	} {
		if got := Bare(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// wrongFields returns the rules that err tells of, by their paths.
func wrongFields(t *testing.T, err error) map[string]string {
	t.Helper()
	rules := map[string]string{}
	var wrong *ValidationError
	if err != nil && !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	if wrong != nil {
		for _, f := range wrong.Fields {
			rules[f.Path] = f.Rule.Text()
		}
	}
	return rules
}

// TestBlankNames checks that what nobody can see is no name, nor another one.
func TestBlankNames(t *testing.T) {
	group := func(id string, n int, name string) PickupGroup {
		return PickupGroup{id, PickupGroupSettings{Number: n, Name: name, Members: []string{}}}
	}
	c := Factory(Defaults{})
	c.PickupGroups = []PickupGroup{group("a", 1, "\u200b"), group("b", 2, "Sales"), group("c", 3, " Sales\u200b"), group("d", 4, "Sales 2 ")}
	c.Users[0].FirstName, c.Users[0].LastName = " \u00a0", "Brown "
	rules := wrongFields(t, Validate(c, Model{Name: "T"}))
	for path, want := range map[string]string{
		"pickupGroups[0].name": "is needed; it has 0 characters; at least 1 are needed",
		"pickupGroups[2].name": " Sales\u200b is already in use",
		"users[0].firstName":   "holds nothing that can be seen: leave it empty",
	} {
		if rules[path] != want {
			t.Errorf("%s: got %q, want %q", path, rules[path], want)
		}
		delete(rules, path)
	}
	if len(rules) > 0 {
		t.Errorf("refused, too: %q", rules)
	}
}

func TestBlankContact(t *testing.T) {
	for name, c := range map[string]ContactSettings{
		"nothing":       {},
		"no width":      {LastName: "\u200b"},
		"blanks":        {FirstName: " ", LastName: "\u00a0", Company: "\ufeff"},
		"number, blank": {LastName: "Brown", Office: " "},
	} {
		if rules := wrongFields(t, ValidateContact(&c)); len(rules) == 0 {
			t.Errorf("%s: no rule is broken", name)
		}
	}
	if err := ValidateContact(&ContactSettings{Company: " Brown & Sons"}); err != nil {
		t.Error(err)
	}
}

func TestTimeZones(t *testing.T) {
	for zone, known := range map[string]bool{
		"Europe/Berlin": true, "UTC": true, "America/Argentina/Ushuaia": true, "Etc/GMT+5": true,
		"Local": false, "localtime": false, "posixrules": false, "Factory": false, "right/Europe/Berlin": false, "Europe/Atlantis": false,
	} {
		c := Factory(Defaults{})
		c.Locale.TimeZone = zone
		if rule, refused := wrongFields(t, Validate(c, Model{Name: "T"}))["locale.timeZone"]; refused == known {
			t.Errorf("%s: got rule %q", zone, rule)
		}
	}
}
