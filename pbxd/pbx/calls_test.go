package pbx

import (
	"slices"
	"testing"
)

// Each forwarding has two parameters of its own, and the number stays when it
// is switched off.
func TestForwardings(t *testing.T) {
	var c UserCalls
	for i, external := range []bool{false, true} {
		for j, reason := range forwardReasons() {
			number := string(rune('1'+i)) + string(rune('1'+j))
			if n, on := c.Forwarding(external, reason); n != "" || on {
				t.Errorf("%v %s: set by another: %q %v", external, reason, n, on)
			}
			c.SetForwarding(external, reason, true, number)
			if n, on := c.Forwarding(external, reason); n != number || !on {
				t.Errorf("%v %s: got %q %v", external, reason, n, on)
			}
			before := c
			c.SetForwarding(external, reason, false, "")
			if n, on := c.Forwarding(external, reason); n != number || on {
				t.Errorf("%v %s switched off: got %q %v", external, reason, n, on)
			}
			if c.SameForwarding(&before) {
				t.Errorf("%v %s: the difference is not seen", external, reason)
			}
		}
	}
	if _, on := c.Forwarding(true, "do-not-disturb"); on {
		t.Error("a reason without a forwarding has one")
	}
}

// The history tells of what was switched, not of all that was not.
func TestDiffOfCalls(t *testing.T) {
	old := Factory(Defaults{})
	new := old.Clone()
	new.Users[1].Calls.DoNotDisturb = true
	want := []Change{{"users[demo101].callSettings.doNotDisturb", "", "true"}}
	if got := Diff(old, new); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestMatch(t *testing.T) {
	codes := Factory(Defaults{}).FunctionCodes
	for _, tt := range []struct {
		digits   string
		function Function
		argument string
	}{
		{"*21102", FunctionForwardAlways, "102"},
		{"*21*", FunctionForwardAlways, "*"},
		{"*92", FunctionCallWaiting, ""},
		{"**12", FunctionQuickDial, "12"},
		{"*0*", FunctionPhoneLogin, "*"},
		{"*62", FunctionForwardUnregistered, ""},
		{"102", "", ""},
		{"", "", ""},
		{"*", "", ""},
		{"#", "", ""},
	} {
		code, argument, ok := codes.Match(tt.digits)
		if code.Function != tt.function || argument != tt.argument || ok != (tt.function != "") {
			t.Errorf("%q: got %s %q %v", tt.digits, code.Function, argument, ok)
		}
	}
	if n := len(codes.Codes()); n != 17 {
		t.Errorf("%d codes", n)
	}
}
