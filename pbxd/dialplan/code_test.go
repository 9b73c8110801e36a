package dialplan

import (
	"testing"

	"galilei/pbxd/pbx"
)

func TestQuickDial(t *testing.T) {
	tests := []struct {
		name, digits string
		number       string // of the contact
		is           []func(*pbx.Config)
		want         string
	}{
		{"a colleague", "**12", "102", nil, "ring 102 120s"},
		{"with a hidden number", "*31**12", "102", nil, "ring 102 120s"},
		{"a hunt group", "**12", "600", nil, "ring S:101 5s linear"},
		{"the outside", "**12", "+49891234", nil, "refuse unknown number"},
		{"an emergency number", "**12", "112", nil, "refuse no line free"},
		{"a function", "**12", "*93", nil, "function doNotDisturb"},
		{"a function that is not permitted", "**12", "*93", []func(*pbx.Config){without(pbx.PermitDND)}, "refuse not permitted"},
		{"itself", "**12", "**12", nil, "refuse incomplete number"},
		{"no number", "**12", "", nil, "refuse unknown number"},
	}
	for _, tt := range tests {
		c := office(t, tt.is...)
		if q, ok := QuickDialled(c, tt.digits); !ok || q != "12" {
			t.Errorf("%s: quick dial %q, %v", tt.name, q, ok)
		}
		d := Decide(c, Query{Caller: from("105"), Digits: tt.digits, QuickDial: &pbx.QuickDial{Number: tt.number, Name: "Mill"}})
		if got := text(d); got != tt.want {
			t.Errorf("%s: got %s, want %s; steps %v", tt.name, got, tt.want, steps(d))
		}
	}
	for _, digits := range []string{"", "12", "**", "**x", "**1*", "*31102", "*31*31**12", "*2112"} {
		if q, ok := QuickDialled(office(t), digits); ok {
			t.Errorf("%s is taken for quick dial %s", digits, q)
		}
	}
}

// A phone whose user is logged in elsewhere calls nobody, except for help.
func TestAway(t *testing.T) {
	for digits, want := range map[string]string{
		"102": "refuse not permitted", "*93": "refuse not permitted", "*31102": "refuse not permitted", "600": "refuse not permitted",
		"112": "refuse no line free", "0112": "refuse no line free", "*31112": "refuse no line free",
		"*0101": "function phoneLogin 101", "*0*": "function phoneLogin off",
	} {
		d := Decide(office(t), Query{Caller: Caller{UserID: "demo105", Away: true}, Digits: digits})
		if got := text(d); got != want {
			t.Errorf("%s: got %s, want %s; steps %v", digits, got, want, steps(d))
		}
	}
}

// Who may choose a night profile, and which (F193).
func TestNightServiceCode(t *testing.T) {
	offered := func(c *pbx.Config) { c.NightService = pbx.NightService{Profile: 5, Selectable: []string{"2", "9"}} }
	may := everybody(pbx.PermitSetNightService)
	for _, x := range []struct {
		digits string
		is     []func(*pbx.Config)
		want   string
		last   string
	}{
		{"*382", []func(*pbx.Config){offered, may}, "function nightService 2", ""},
		{"*389", []func(*pbx.Config){offered, may}, "function nightService 9", ""},
		{"*385", []func(*pbx.Config){offered, may}, "function nightService 5", ""}, // it holds already
		{"*380", []func(*pbx.Config){offered, may}, "function nightService 0 off", ""},
		{"*38", []func(*pbx.Config){offered, may}, "function nightService off", ""},
		{"*383", []func(*pbx.Config){offered, may}, "refuse not permitted", "Profile 3 is none of those that users may choose"},
		{"*382", []func(*pbx.Config){offered}, "refuse not permitted", "demo105 (105) does not have the permission"},
		{"*380", []func(*pbx.Config){offered}, "refuse not permitted", "demo105 (105) does not have the permission"},
		{"*3822", []func(*pbx.Config){offered, may}, "refuse incomplete number", "Dial the number of the profile, 1 to 9, after the code, or 0 for none"},
		{"*38*", []func(*pbx.Config){offered, may}, "refuse incomplete number", "Dial the number of the profile, 1 to 9, after the code, or 0 for none"},
	} {
		d := Decide(office(t, x.is...), Query{Caller: from("105"), Digits: x.digits})
		if got, last := text(d), d.Trace[len(d.Trace)-1].Message.Text(); got != x.want || x.last != "" && last != x.last {
			t.Errorf("%s: got %s, %q; want %s, %q", x.digits, got, last, x.want, x.last)
		}
	}
}

// A code that needs an extension says so when none follows.
func TestExtensionAfterTheCode(t *testing.T) {
	for _, digits := range []string{"*82", "*83", "*82*", "*83102#", "*31*83"} {
		d := Decide(office(t), Query{Caller: from("105"), Digits: digits})
		if last := d.Trace[len(d.Trace)-1].Message.Text(); text(d) != "refuse incomplete number" || last != "Dial an extension after the code" {
			t.Errorf("%s: got %s, %q", digits, text(d), last)
		}
	}
}
