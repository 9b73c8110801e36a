package dialplan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// phones is a state: extensions without a phone, and calls of others.
type phones struct {
	gone  []string
	calls map[string]int
}

func (p phones) Registered(ext string) bool { return !slices.Contains(p.gone, ext) }
func (p phones) Calls(ext string) int       { return p.calls[ext] }

// office is a device with the users 101 to 103 of the factory, 104 and 105,
// and a hunt group 600 of 101, 102 and 103.
func office(t testing.TB, changes ...func(*pbx.Config)) *pbx.Config {
	t.Helper()
	c := pbx.Factory(pbx.Defaults{})
	c.SIP.CallsAtOnce = 2
	for _, ext := range []string{"104", "105"} {
		c.Users = append(c.Users, pbx.User{ID: "demo" + ext, UserSettings: pbx.UserSettings{Name: "demo" + ext, Extension: ext}})
	}
	c.HuntGroups = []pbx.HuntGroup{{ID: "sales", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "Sales", DisplayPrefix: "S:", CallScheme: "linear",
		Members: []pbx.HuntMember{{User: "demo101", Timeout: 5}, {User: "demo102", Timeout: 7}, {User: "demo103", Timeout: 9}}}}}
	for _, change := range changes {
		change(c)
	}
	if err := pbx.Validate(c, pbx.Model{}); err != nil {
		t.Fatal(err)
	}
	return c
}

func calls(ext string, set func(*pbx.UserCalls)) func(*pbx.Config) {
	return func(c *pbx.Config) { set(&c.UserByExtension(ext).Calls) }
}

func forwards(ext string, reason pbx.DiversionReason, to string) func(*pbx.Config) {
	return calls(ext, func(u *pbx.UserCalls) {
		u.SetForwarding(false, reason, true, to)
		u.SetForwarding(true, reason, true, to)
	})
}

func operator(ext, to string) func(*pbx.Config) {
	return func(c *pbx.Config) {
		u := c.UserByExtension(ext)
		u.DropToOperator, u.OperatorExtension = true, to
	}
}

func without(permissions ...pbx.Permission) func(*pbx.Config) {
	return func(c *pbx.Config) {
		for i := range c.PermissionGroups {
			g := &c.PermissionGroups[i]
			g.Permissions = slices.DeleteFunc(g.Permissions, func(p pbx.GroupPermission) bool { return slices.Contains(permissions, p.Permission) })
		}
	}
}

func everybody(p pbx.Permission) func(*pbx.Config) {
	return func(c *pbx.Config) {
		g := c.PermissionGroupByID(pbx.GroupAllUsers)
		g.Permissions = append(g.Permissions, pbx.GroupPermission{Permission: p, AppliesTo: pbx.GroupAllUsers})
	}
}

func group(set func(*pbx.HuntGroup)) func(*pbx.Config) {
	return func(c *pbx.Config) { set(&c.HuntGroups[0]) }
}

// text tells a decision in a line: "ring 102 20s", "function forwardAlways
// 102", "refuse busy".
func text(d Decision) string {
	var b strings.Builder
	b.WriteString(string(d.Kind))
	switch d.Kind {
	case Ring:
		for _, t := range d.Ring {
			b.WriteString(" " + t.Prefix + t.Extension)
			if t.Waiting {
				b.WriteString("w")
			}
			if t.AutoAnswer {
				b.WriteString("a")
			}
			if t.DoorStation {
				b.WriteString("d")
			}
		}
		fmt.Fprintf(&b, " %ds", d.Timeout)
		if d.Linear {
			b.WriteString(" linear")
		}
	case Function:
		fmt.Fprintf(&b, " %s", strings.TrimSpace(string(d.Function)+" "+d.Argument))
		if d.Off {
			b.WriteString(" off")
		}
	default:
		b.WriteString(" " + d.Refuse.String())
	}
	return b.String()
}

func from(ext string) Caller {
	if len(ext) > 3 {
		return Caller{Number: ext}
	}
	return Caller{UserID: "demo" + ext}
}

func TestDecide(t *testing.T) {
	type is = []func(*pbx.Config)
	always, busy, unanswered, absent := pbx.DivertAlways, pbx.DivertBusy, pbx.DivertNoAnswer, pbx.DivertUnregistered
	talking := func(ext string, n int) phones { return phones{calls: map[string]int{ext: n}} }
	dnd := func(u *pbx.UserCalls) { u.DoNotDisturb = true }
	tests := []struct {
		name   string
		caller string
		digits string
		is     is
		state  State
		want   string
		rule   string // that the trace must name
	}{
		{"extension", "101", "102", nil, nil, "ring 102 120s", "extension"},
		{"from outside", "08912345", "102", nil, nil, "ring 102 120s", "extension"},
		{"unknown number", "101", "999", nil, nil, "refuse unknown number", "outside"},
		{"nothing dialled must not reach the administrator, who has no extension", "101", "", nil, nil, "refuse unknown number", "outside"},
		{"a login name is no number", "101", "demo101", nil, nil, "refuse unknown number", "outside"},
		{"longer than an extension", "101", "1021", nil, nil, "refuse unknown number", "outside"},
		{"far too long", "101", strings.Repeat("1", 5000), nil, nil, "refuse incomplete number", "digits"},
		{"own number", "101", "101", nil, nil, "refuse busy", "busy"},
		{"emergency number without a line", "101", "112", nil, nil, "refuse no line free", "emergency"},
		{"emergency number with a hidden number", "101", "*31112", nil, nil, "refuse no line free", "emergency"},
		{"emergency number after the digit for an outside line", "101", "0112", nil, nil, "refuse no line free", "emergency"},
		{"no digit for an outside line: an extension goes before that", "101", "0112", is{func(c *pbx.Config) { c.UserByExtension("102").Extension, c.Locale.OutsideLine = "0112", "" }}, nil, "ring 0112 120s", "extension"},
		{"emergency number from outside", "08912345", "112", nil, nil, "refuse not permitted", "emergency"},
		{"forwarded to an emergency number", "101", "102", is{forwards("102", always, "112")}, nil, "refuse not permitted", "emergency"},
		{"no phone", "101", "102", nil, phones{gone: []string{"102"}}, "refuse no phone registered", "registered"},
		{"waiting", "101", "102", nil, talking("102", 1), "ring 102w 120s", "call-waiting"},
		{"no room for another waiting call", "101", "102", nil, talking("102", 2), "refuse busy", "busy"},
		{"as many as the phone takes", "101", "102", is{func(c *pbx.Config) { c.SIP.CallsAtOnce = 0 }}, talking("102", 50), "ring 102w 120s", "call-waiting"},
		{"busy on busy", "101", "102", is{calls("102", func(u *pbx.UserCalls) { u.BusyOnBusy = true })}, talking("102", 1), "refuse busy", "call-waiting"},
		{"waiting not permitted", "101", "102", is{without(pbx.PermitCallWaiting)}, talking("102", 1), "refuse busy", "call-waiting"},
		{"do not disturb", "101", "102", is{calls("102", dnd)}, nil, "refuse not available", "do-not-disturb"},
		{"do not disturb not permitted", "101", "102", is{calls("102", dnd), without(pbx.PermitDND)}, nil, "ring 102 120s", "do-not-disturb"},
		{"do not disturb is forwarded as busy", "101", "102", is{calls("102", dnd), forwards("102", busy, "103")}, nil, "ring 103 120s", "do-not-disturb"},
		{"forwarded always", "101", "102", is{forwards("102", always, "103")}, nil, "ring 103 120s", "forward"},
		{"forwarding not permitted", "101", "102", is{forwards("102", always, "103"), without(pbx.PermitCallForwarding)}, nil, "ring 102 120s", "forward"},
		{"only calls from outside are forwarded", "101", "102", is{calls("102", func(u *pbx.UserCalls) { u.SetForwarding(true, always, true, "103") })}, nil, "ring 102 120s", ""},
		{"calls from outside are forwarded", "08912345", "102", is{calls("102", func(u *pbx.UserCalls) { u.SetForwarding(true, always, true, "103") })}, nil, "ring 103 120s", "forward"},
		{"always goes before do not disturb", "101", "102", is{calls("102", dnd), forwards("102", always, "103")}, nil, "ring 103 120s", "forward"},
		{"busy is forwarded", "101", "102", is{forwards("102", busy, "103")}, talking("102", 2), "ring 103 120s", "forward"},
		{"no phone is forwarded", "101", "102", is{forwards("102", absent, "103")}, phones{gone: []string{"102"}}, "ring 103 120s", "forward"},
		{"no phone goes to the operator", "101", "102", is{operator("102", "104")}, phones{gone: []string{"102"}}, "ring 104 120s", "operator"},
		{"busy does not go to the operator", "101", "102", is{operator("102", "104")}, talking("102", 2), "refuse busy", "busy"},
		{"no answer is forwarded after the time of the device", "101", "102", is{forwards("102", unanswered, "103")}, nil, "ring 102 20s", "ring"},
		{"no answer is forwarded after the own time", "101", "102", is{forwards("102", unanswered, "103"), calls("102", func(u *pbx.UserCalls) { u.NoAnswerTime = 8 })}, nil, "ring 102 8s", "ring"},
		{"to the operator after the time of the device", "101", "102", is{operator("102", "103")}, nil, "ring 102 20s", "ring"},
		{"chain of forwardings", "101", "102", is{forwards("102", always, "103"), forwards("103", always, "104")}, nil, "ring 104 120s", "forward"},
		{"loop of two: the second rings", "105", "102", is{forwards("102", always, "103"), forwards("103", always, "102")}, nil, "ring 103 120s", "loop"},
		{"forwarded back to the caller: the phone rings", "101", "102", is{forwards("102", always, "101")}, nil, "ring 102 120s", "loop"},
		{"forwarded to nobody", "101", "102", is{forwards("102", always, "999")}, nil, "refuse unknown number", "outside"},
		{"forwarded to a hunt group", "105", "104", is{forwards("104", always, "600")}, nil, "ring S:101 5s linear", "hunt-group"},

		{"intercom", "101", "*83102", is{everybody(pbx.PermitIntercom)}, nil, "ring 102a 120s", "intercom"},
		{"intercom not permitted", "101", "*83102", nil, nil, "refuse not permitted", "intercom"},
		{"intercom to who talks", "101", "*83102", is{everybody(pbx.PermitIntercom)}, talking("102", 1), "refuse busy", "busy"},
		{"intercom refused", "101", "*83102", is{everybody(pbx.PermitIntercom), calls("102", func(u *pbx.UserCalls) { u.RefuseIntercom = true })}, nil, "refuse rejected", "intercom"},
		{"intercom does not disturb", "101", "*83102", is{everybody(pbx.PermitIntercom), calls("102", dnd)}, nil, "refuse not available", "do-not-disturb"},
		{"intercom is not forwarded", "101", "*83102", is{everybody(pbx.PermitIntercom), forwards("102", always, "103")}, nil, "ring 102a 120s", "intercom"},
		{"direct pickup", "101", "*82102", is{everybody(pbx.PermitDirectPickup)}, nil, "function directPickup 102", "pickup"},
		{"direct pickup not permitted", "101", "*82102", nil, nil, "refuse not permitted", "pickup"},
		{"direct pickup from nobody", "101", "*82999", nil, nil, "refuse unknown number", "extension"},
		{"group pickup", "101", "*81", is{func(c *pbx.Config) {
			c.PickupGroups = []pbx.PickupGroup{{ID: "p", PickupGroupSettings: pbx.PickupGroupSettings{Number: 4, Name: "Yard", Members: []string{"demo101"}}}}
		}}, nil, "function groupPickup", "pickup"},
		{"group pickup without a group", "101", "*81", nil, nil, "refuse not permitted", "pickup"},
		{"group pickup not permitted", "101", "*81", is{without(pbx.PermitGroupPickup)}, nil, "refuse not permitted", "permission"},
		{"forward on", "101", "*21102", nil, nil, "function forwardAlways 102", "function-code"},
		{"forward off", "101", "*21*", nil, nil, "function forwardAlways off", "function-code"},
		{"forward on without a number", "101", "*21", nil, nil, "refuse incomplete number", "function-code"},
		{"forward to an emergency number", "101", "*21112", nil, nil, "refuse incomplete number", "function-code"},
		{"forward to one by a line", "101", "*61*0110#", nil, nil, "refuse incomplete number", "function-code"},
		{"forward on again", "101", "*21", is{calls("101", func(u *pbx.UserCalls) { u.InternalAlwaysNumber = "102" })}, nil, "function forwardAlways", "function-code"},
		{"forward to oneself", "101", "*67101", nil, nil, "refuse incomplete number", "function-code"},
		{"forward not permitted", "101", "*61102", is{without(pbx.PermitCallForwarding)}, nil, "refuse not permitted", "permission"},
		{"do not disturb by code", "101", "*93", nil, nil, "function doNotDisturb", "permission"},
		{"call waiting off", "101", "*92*", nil, nil, "function callWaiting off", "permission"},
		{"reminder", "101", "*340730", nil, nil, "function reminder 0730", "permission"},
		{"reminder at no time", "101", "*342460", nil, nil, "refuse incomplete number", "permission"},
		{"reminder off", "101", "*34*", nil, nil, "function reminder off", "permission"},
		{"quick dial of nobody", "101", "**13", nil, nil, "refuse unknown number", "quick-dial"},
		{"quick dial without a number", "101", "**", nil, nil, "refuse incomplete number", "quick-dial"},
		{"log in", "101", "*0102", nil, nil, "function phoneLogin 102", "permission"},
		{"log out", "101", "*0*", nil, nil, "function phoneLogin off", "function-code"},
		{"log in who may not", "101", "*0102", is{without(pbx.PermitHotDesking)}, nil, "refuse not permitted", "permission"},
		{"log in nobody", "101", "*0999", nil, nil, "refuse unknown number", "extension"},
		{"log out and more", "101", "*0102*", nil, nil, "refuse incomplete number", "function-code"},
		{"queue", "101", "*5700", nil, nil, "refuse unknown number", "queue"},
		{"off all queues", "101", "*5*", nil, nil, "refuse unknown number", "queue"},
		{"night service not permitted", "101", "*382", nil, nil, "refuse not permitted", "permission"},
		{"hidden number", "101", "*31102", nil, nil, "ring 102 120s", "clir"},
		{"hidden number of nobody", "101", "*31", nil, nil, "refuse incomplete number", "clir"},
		{"hidden twice", "101", "*31*31102", nil, nil, "refuse incomplete number", "clir"},
		{"codes are not for calls from outside", "08912345", "*93", nil, nil, "refuse unknown number", "outside"},
		{"voicemail", "101", "*97", nil, nil, "refuse unknown number", "voicemail"},

		{"hunt group", "105", "600", nil, nil, "ring S:101 5s linear", "hunt-group"},
		{"first member busy", "105", "600", nil, talking("101", 1), "ring S:102 7s linear", "member"},
		{"first member not registered", "105", "600", nil, phones{gone: []string{"101"}}, "ring S:102 7s linear", "member"},
		{"member does not wish to be disturbed", "105", "600", is{calls("101", dnd)}, nil, "ring S:102 7s linear", "member"},
		{"member calls", "101", "600", nil, nil, "ring S:102 7s linear", "member"},
		{"forwarding of a member does not apply", "105", "600", is{forwards("101", always, "104")}, nil, "ring S:101 5s linear", "ring"},
		{"nobody of the group is there", "105", "600", nil, phones{gone: []string{"101", "102", "103"}}, "refuse no phone registered", "hunt-group"},
		{"group busy", "105", "600", is{group(func(g *pbx.HuntGroup) { g.GroupBusy = true })}, talking("103", 1), "refuse busy", "group-busy"},
		{"parallel", "105", "600", is{group(func(g *pbx.HuntGroup) { g.CallScheme = "parallel" })}, talking("102", 1), "ring S:101 S:103 120s", "ring"},
		{"parallel and busy", "105", "600", is{group(func(g *pbx.HuntGroup) { g.CallScheme, g.GroupBusy = "parallel", true })}, talking("102", 1), "refuse busy", "group-busy"},
		{"door station", "105", "600", is{group(func(g *pbx.HuntGroup) { g.DoorStation = true })}, nil, "ring S:101d 5s linear", "ring"},
		{"group without members", "105", "600", is{group(func(g *pbx.HuntGroup) { g.Members = nil })}, nil, "refuse no phone registered", "hunt-group"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := Decide(office(t, tt.is...), Query{Caller: from(tt.caller), Digits: tt.digits, State: tt.state})
			if got := text(d); got != tt.want {
				t.Errorf("got %s, want %s; steps %v", got, tt.want, steps(d))
			}
			if tt.rule != "" && !slices.ContainsFunc(d.Trace, func(s Step) bool { return s.Rule == tt.rule }) {
				t.Errorf("no step %s in %v", tt.rule, steps(d))
			}
		})
	}
}

func steps(d Decision) (list []string) {
	for _, s := range d.Trace {
		list = append(list, s.Rule+": "+s.Message.Text())
	}
	return list
}

// TestNext follows calls whose ringing comes to nothing.
func TestNext(t *testing.T) {
	type is = []func(*pbx.Config)
	busy, unanswered, absent := pbx.DivertBusy, pbx.DivertNoAnswer, pbx.DivertUnregistered
	tests := []struct {
		name     string
		digits   string
		is       is
		outcomes []Outcome
		want     []string // the decision after each
	}{
		{"nothing follows", "102", nil, []Outcome{NoAnswer}, []string{"refuse no answer"}},
		{"declined", "102", nil, []Outcome{Refused}, []string{"refuse rejected"}},
		{"busy at the phone", "102", is{forwards("102", busy, "103")}, []Outcome{Busy, Busy}, []string{"ring 103 120s", "refuse busy"}},
		{"declining is being busy", "102", is{forwards("102", busy, "103")}, []Outcome{Refused}, []string{"ring 103 120s"}},
		{"no answer", "102", is{forwards("102", unanswered, "103")}, []Outcome{NoAnswer, NoAnswer}, []string{"ring 103 120s", "refuse no answer"}},
		{"phone gone", "102", is{forwards("102", absent, "103")}, []Outcome{NotRegistered}, []string{"ring 103 120s"}},
		{"other reasons do not hold", "102", is{forwards("102", absent, "103")}, []Outcome{NoAnswer}, []string{"refuse no answer"}},
		{"operator", "102", is{operator("102", "104")}, []Outcome{NoAnswer, NoAnswer}, []string{"ring 104 120s", "refuse no answer"}},
		{"operator after the forwarding is busy: each user sends on once", "102", is{forwards("102", unanswered, "103"), operator("103", "104")},
			[]Outcome{NoAnswer, NoAnswer, Refused}, []string{"ring 103 20s", "ring 104 120s", "refuse rejected"}},
		{"round about", "102", is{forwards("102", unanswered, "103"), forwards("103", unanswered, "102")}, []Outcome{NoAnswer, NoAnswer}, []string{"ring 103 120s", "refuse no answer"}},
		{"intercom ends", "*83102", is{everybody(pbx.PermitIntercom), forwards("102", unanswered, "103")}, []Outcome{NoAnswer}, []string{"refuse no answer"}},
		{"linear group", "600", nil, []Outcome{NoAnswer, Busy, NoAnswer, Busy, Busy, Busy},
			[]string{"ring S:102 7s linear", "ring S:103 9s linear", "ring S:101 5s linear", "ring S:102 7s linear", "ring S:103 9s linear", "refuse no answer"}},
		{"linear group, all decline", "600", nil, []Outcome{Refused, Refused, Refused}, []string{"ring S:102 7s linear", "ring S:103 9s linear", "refuse rejected"}},
		{"linear group rings no longer than a call", "600", is{func(c *pbx.Config) { c.SIP.RingTime = 10 }}, []Outcome{NoAnswer, NoAnswer},
			[]string{"ring S:102 5s linear", "refuse no answer"}},
		{"group busy at the phone", "600", is{group(func(g *pbx.HuntGroup) { g.GroupBusy = true })}, []Outcome{Busy}, []string{"refuse busy"}},
		{"parallel group", "600", is{group(func(g *pbx.HuntGroup) { g.CallScheme = "parallel" })}, []Outcome{NoAnswer}, []string{"refuse no answer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := office(t, tt.is...)
			q := Query{Caller: from("105"), Digits: tt.digits}
			d := Decide(c, q)
			for i, o := range tt.outcomes {
				before := text(d)
				next := Next(c, q, d, o)
				if text(d) != before {
					t.Errorf("Next changed the decision before: %s, was %s", text(d), before)
				}
				if got := text(next); got != tt.want[i] {
					t.Fatalf("after %s of %s: got %s, want %s; steps %v", o, before, got, tt.want[i], steps(next))
				}
				d = next
			}
		})
	}
}

// The call goes by ten users at most.
func TestLongChain(t *testing.T) {
	c := office(t, func(c *pbx.Config) {
		for i := range 20 {
			ext := fmt.Sprint(200 + i)
			u := pbx.User{ID: "demo" + ext, UserSettings: pbx.UserSettings{Name: "demo" + ext, Extension: ext}}
			u.Calls.SetForwarding(false, pbx.DivertAlways, true, fmt.Sprint(201+i))
			c.Users = append(c.Users, u)
		}
	})
	d := Decide(c, Query{Caller: from("101"), Digits: "200"})
	if got := text(d); got != "ring 210 120s" || len(d.Diversions) != maxDiversions {
		t.Errorf("got %s after %d diversions", got, len(d.Diversions))
	}
	if last := d.Diversions[9]; last.Extension != "209" || last.To != "210" || last.Reason != pbx.DivertAlways || d.Diversions[0].Extension != "200" {
		t.Errorf("diversions %+v", d.Diversions)
	}
}

// TestCallerShown says what the called phone sees of the caller.
func TestCallerShown(t *testing.T) {
	chosen := func(c *pbx.Config) {
		u := c.UserByExtension("101")
		u.CLIPInternal, u.Calls.ShowInternal = []string{"600"}, "600"
	}
	hide := calls("101", func(u *pbx.UserCalls) { u.HideNumber = true })
	type is = []func(*pbx.Config)
	for _, tt := range []struct {
		name, digits string
		is           is
		number, says string
	}{
		{"own number", "102", nil, "101", "Anna Demo"},
		{"chosen number", "102", is{chosen}, "600", "Anna Demo"},
		{"choice that is offered no more", "102", is{chosen, func(c *pbx.Config) { c.UserByExtension("101").CLIPInternal = nil }}, "101", "Anna Demo"},
		{"choice without permission", "102", is{chosen, without(pbx.PermitCLIP)}, "101", "Anna Demo"},
		{"hidden", "102", is{hide}, "", ""},
		{"hidden without permission", "102", is{hide, without(pbx.PermitCLIR)}, "101", "Anna Demo"},
		{"hidden for this call", "*31102", nil, "", ""},
		{"hidden for this call without permission", "*31102", is{without(pbx.PermitCLIR)}, "101", "Anna Demo"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Decide(office(t, tt.is...), Query{Caller: from("101"), Digits: tt.digits})
			if len(d.Ring) != 1 || d.Ring[0].Number != tt.number || d.Ring[0].CallerName != tt.says {
				t.Errorf("got %+v", d.Ring)
			}
		})
	}
	c := office(t, forwards("102", pbx.DivertNoAnswer, "103"))
	q := Query{Caller: from("101"), Digits: "*31102"}
	if d := Next(c, q, Decide(c, q), NoAnswer); len(d.Ring) != 1 || d.Ring[0].Extension != "103" || d.Ring[0].Number != "" {
		t.Errorf("forwarded: the hidden number is shown: %+v", d.Ring)
	}
}
