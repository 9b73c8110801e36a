package dialplan

import (
	"fmt"
	"slices"
	"testing"

	"galilei/pbxd/pbx"
)

// Phones that send a call on by themselves do so as often as forwardings may.
func TestDeflectionsEnd(t *testing.T) {
	c := office(t, func(c *pbx.Config) {
		for i := range 14 {
			id := fmt.Sprint(200 + i)
			c.Users = append(c.Users, pbx.User{ID: "u" + id, UserSettings: pbx.UserSettings{Name: "u" + id, Extension: id}})
		}
	})
	q := Query{Caller: from("101"), Digits: "200"}
	d := Decide(c, q)
	for i := range maxDiversions {
		if d = Deflect(c, q, d, fmt.Sprint(201+i)); d.Kind != Ring || d.Ring[0].Extension != fmt.Sprint(201+i) {
			t.Fatalf("sent on %d times: %s, steps %v", i+1, text(d), steps(d))
		}
	}
	if d = Deflect(c, q, d, "213"); d.Kind != Refuse || d.Refuse != pbx.CauseCallRejected {
		t.Errorf("sent on once too often: %s", text(d))
	}
}

// Members of a hunt group do not send its calls on, nor does an intercom call go
// on.
func TestNoDeflection(t *testing.T) {
	c := office(t, everybody(pbx.PermitIntercom))
	for digits, want := range map[string]string{"600": "ring S:102 7s linear", "*83102": "refuse rejected"} {
		q := Query{Caller: from("105"), Digits: digits}
		d := Decide(c, q)
		if d.Kind != Ring {
			t.Fatalf("%s: %s", digits, text(d))
		}
		if got := text(Deflect(c, q, d, "104")); got != want {
			t.Errorf("%s sent on: %s, want %s", digits, got, want)
		}
	}
}

// A call that comes back to where it was, or was sent on too often before it came
// here, ends.
func TestDivertedBefore(t *testing.T) {
	ten := slices.Repeat([]string{"999"}, maxDiversions)
	for _, tt := range []struct {
		digits string
		before []string
		is     []func(*pbx.Config)
		want   string
	}{
		{"102", nil, nil, "ring 102 120s"},
		{"102", []string{"103"}, nil, "ring 102 120s"},
		{"102", []string{"102"}, nil, "refuse rejected"},
		{"102", ten, nil, "refuse rejected"},
		{"102", ten[1:], nil, "ring 102 120s"},
		{"102", []string{"104"}, []func(*pbx.Config){forwards("102", pbx.DivertAlways, "104")}, "ring 102 120s"},
		{"102", ten[1:], []func(*pbx.Config){forwards("102", pbx.DivertAlways, "104"), forwards("104", pbx.DivertAlways, "103")}, "ring 104 120s"},
		{"112", ten, nil, "refuse no line free"},
	} {
		d := Decide(office(t, tt.is...), Query{Caller: from("105"), Digits: tt.digits, Diverted: tt.before})
		if got := text(d); got != tt.want {
			t.Errorf("%s, for %q before: %s, want %s; steps %v", tt.digits, tt.before, got, tt.want, steps(d))
		}
	}
}

// The number of a forwarding may be dialled as ISDN and GSM have it; what calls
// cannot be sent on to is refused.
func TestNumberOfForwarding(t *testing.T) {
	for digits, want := range map[string]string{
		"*21106": "function forwardAlways 106", "*21*106": "function forwardAlways 106", "*21*106#": "function forwardAlways 106", "*21106#": "function forwardAlways 106",
		"*21*": "function forwardAlways off", "*21*93*": "function forwardAlways 93 off", "*21#": "refuse incomplete number", "*21**93": "refuse incomplete number",
		"*211*6": "refuse incomplete number", "*21*105#": "refuse incomplete number", "*61*106#": "function forwardNoAnswer 106", "*67*106#": "function forwardBusy 106",
	} {
		d := Decide(office(t), Query{Caller: from("105"), Digits: digits})
		if got := text(d); got != want {
			t.Errorf("%s: %s, want %s; steps %v", digits, got, want, steps(d))
		}
	}
}
