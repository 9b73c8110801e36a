package dialplan

import (
	"slices"
	"testing"

	"galilei/pbxd/pbx"
)

// forwarded has the group 600 send internal calls on as set says, and those from
// outside to 103.
func forwarded(set func(*pbx.HuntForwarding)) func(*pbx.Config) {
	return group(func(g *pbx.HuntGroup) {
		g.HuntForwarding = pbx.HuntForwarding{ForwardExternalAlways: "demo103", ForwardExternalBusy: "demo103", ForwardExternalNoAnswer: "demo103"}
		set(&g.HuntForwarding)
	})
}

// second adds the group 601 of 104 that forwards as set says.
func second(set func(*pbx.HuntForwarding)) func(*pbx.Config) {
	return func(c *pbx.Config) {
		g := pbx.HuntGroup{ID: "night", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "601", Title: "Night", CallScheme: "parallel", Members: []pbx.HuntMember{{User: "demo104", Timeout: 5}}}}
		set(&g.HuntForwarding)
		c.HuntGroups = append(c.HuntGroups, g)
	}
}

// Hunt groups send calls on, of callers inside and outside each as it is set
// (F205), and no call goes round.
func TestGroupForwards(t *testing.T) {
	type is = []func(*pbx.Config)
	none := func(*pbx.HuntForwarding) {}
	always := func(to string) func(*pbx.HuntForwarding) {
		return func(f *pbx.HuntForwarding) { f.ForwardInternalAlways = to }
	}
	busy := func(to string) func(*pbx.HuntForwarding) {
		return func(f *pbx.HuntForwarding) { f.ForwardInternalBusy = to }
	}
	unanswered := func(to string, after int) func(*pbx.HuntForwarding) {
		return func(f *pbx.HuntForwarding) { f.ForwardInternalNoAnswer, f.ForwardTime = to, after }
	}
	parallel := group(func(g *pbx.HuntGroup) { g.CallScheme = "parallel" })
	noGroup := group(func(g *pbx.HuntGroup) { g.GroupBusy = true })
	allBusy := phones{calls: map[string]int{"101": 1, "102": 1, "103": 1}}
	for _, tt := range []struct {
		name     string
		caller   string
		is       is
		state    State
		first    string
		outcomes []Outcome
		want     []string // the decision after each
	}{
		{"inside, not set", "105", is{forwarded(none)}, nil, "ring S:101 5s linear", nil, nil},
		{"from outside", "08912345", is{forwarded(none)}, nil, "ring 103 120s", nil, nil},
		{"always", "105", is{forwarded(always("demo104"))}, nil, "ring 104 120s", []Outcome{Busy}, []string{"refuse busy"}},
		{"always, for who calls from there", "104", is{forwarded(always("demo104"))}, nil, "ring S:101 5s linear", nil, nil},
		{"to another group", "105", is{forwarded(always("night")), second(none)}, nil, "ring 104 120s", []Outcome{NoAnswer}, []string{"refuse no answer"}},
		{"to a group that sends it back", "105", is{forwarded(always("night")), second(always("sales"))}, nil, "ring 104 120s", nil, nil},
		{"to a user who sends it back", "105", is{forwarded(always("demo104")), forwards("104", pbx.DivertAlways, "600")}, nil, "ring 104 120s", nil, nil},
		{"a user forwards on", "105", is{forwarded(always("demo104")), forwards("104", pbx.DivertAlways, "102")}, nil, "ring 102 120s", nil, nil},
		{"all members busy", "105", is{forwarded(busy("demo104"))}, allBusy, "ring 104 120s", nil, nil},
		{"all members busy, without a number", "105", is{forwarded(unanswered("demo104", 9))}, allBusy, "refuse busy", nil, nil},
		{"all members busy, parallel", "105", is{forwarded(busy("demo104")), parallel}, allBusy, "ring 104 120s", nil, nil},
		{"one member busy", "105", is{forwarded(busy("demo104"))}, phones{calls: map[string]int{"101": 1}}, "ring S:102 7s linear", nil, nil},
		{"one member busy: the group is", "105", is{forwarded(busy("demo104")), noGroup}, phones{calls: map[string]int{"102": 1}}, "ring 104 120s", nil, nil},
		{"busy at the phone: the group is", "105", is{forwarded(busy("demo104")), noGroup}, nil, "ring S:101 5s linear", []Outcome{Busy}, []string{"ring 104 120s"}},
		{"all members decline", "105", is{forwarded(busy("demo104"))}, nil, "ring S:101 5s linear", []Outcome{Refused, Refused, Refused}, []string{"ring S:102 7s linear", "ring S:103 9s linear", "ring 104 120s"}},
		{"nobody there", "105", is{forwarded(unanswered("demo104", 9))}, phones{gone: []string{"101", "102", "103"}}, "ring 104 120s", nil, nil},
		{"nobody there is not busy", "105", is{forwarded(busy("demo104"))}, phones{gone: []string{"101", "102", "103"}}, "refuse no phone registered", nil, nil},
		{"no answer", "105", is{forwarded(unanswered("demo104", 9))}, nil, "ring S:101 5s linear", []Outcome{NoAnswer, NoAnswer, NoAnswer}, []string{"ring S:102 4s linear", "ring 104 120s", "refuse no answer"}},
		{"no answer, after more than a round", "105", is{forwarded(unanswered("demo104", 23))}, nil, "ring S:101 5s linear", []Outcome{NoAnswer, NoAnswer, NoAnswer, NoAnswer},
			[]string{"ring S:102 7s linear", "ring S:103 9s linear", "ring S:101 2s linear", "ring 104 120s"}},
		{"no answer, parallel", "105", is{forwarded(unanswered("demo104", 9)), parallel}, nil, "ring S:101 S:102 S:103 9s", []Outcome{NoAnswer}, []string{"ring 104 120s"}},
		{"no answer, time of the device", "105", is{forwarded(unanswered("demo104", 0)), parallel}, nil, "ring S:101 S:102 S:103 20s", nil, nil},
		{"no answer, back to the caller: rings on", "104", is{forwarded(unanswered("demo104", 9)), parallel}, nil, "ring S:101 S:102 S:103 120s", []Outcome{NoAnswer}, []string{"refuse no answer"}},
		{"outside by a user who forwards there", "105", is{forwarded(always("demo104")), forwards("104", pbx.DivertAlways, "0089123456"), lines}, nil, "outside", nil, nil},
	} {
		c := office(t, tt.is...)
		q := Query{Caller: from(tt.caller), Digits: "600", State: tt.state}
		d := Decide(c, q)
		is := func(want string) {
			t.Helper()
			if got := text(d); got != want && (want != "outside" || d.Kind != Outside) {
				t.Errorf("%s: got %s, want %s; steps %v", tt.name, got, want, steps(d))
			}
			if d.Kind == Ring && d.Refuse != 0 || d.Kind == Ring && d.Group == "" && d.Linear {
				t.Errorf("%s: %+v", tt.name, d)
			}
		}
		is(tt.first)
		for i, o := range tt.outcomes {
			d = Next(c, q, d, o)
			is(tt.want[i])
		}
	}
}

// Whoever asks what follows learns where a linear group sends the call when all
// are busy and where when nobody answers.
func TestGroupForwardAlike(t *testing.T) {
	for _, parts := range []bool{false, true} {
		c := office(t, forwarded(func(f *pbx.HuntForwarding) {
			f.ForwardInternalBusy, f.ForwardInternalNoAnswer = "demo104", "demo104"
			if parts {
				f.ForwardInternalNoAnswer = "demo105"
			}
		}))
		q := Query{Caller: Caller{UserID: "admin"}, Digits: "600"}
		first := Decide(c, q)
		busy, declined, unanswered := Next(c, q, first, Busy), Next(c, q, first, Refused), Next(c, q, first, NoAnswer)
		if !busy.Alike(&declined) || busy.Alike(&unanswered) == parts {
			t.Errorf("parts %t: alike %t, %t", parts, busy.Alike(&declined), busy.Alike(&unanswered))
		}
	}
}

// What a forwarding group adds: its step, and that it has sent the call on.
func TestGroupForwardSays(t *testing.T) {
	c := office(t, forwarded(func(f *pbx.HuntForwarding) { f.ForwardInternalAlways = "demo104" }), forwards("104", pbx.DivertAlways, "0089123456"), lines)
	d := Decide(c, Query{Caller: from("105"), Digits: "600"})
	want := []Diversion{
		{Extension: "600", Name: "Sales", To: "104", Reason: pbx.DivertAlways},
		{UserID: "demo104", Extension: "104", Name: "demo104", To: "0089123456", Reason: pbx.DivertAlways},
	}
	if !slices.Equal(d.Diversions, want) {
		t.Errorf("diversions %+v", d.Diversions)
	}
	if !slices.Contains(steps(d), "forward: Sales forwards every call to 104") {
		t.Errorf("steps %v", steps(d))
	}
	// A call that the group has sent on already comes back over a line.
	d = Decide(c, Query{Caller: from("105"), Digits: "600", Diverted: []string{"600"}})
	if got := text(d); got != "refuse rejected" || steps(d)[len(d.Trace)-1] != "loop: The call has been at 600 already: it is not sent there again" {
		t.Errorf("%s, steps %v", got, steps(d))
	}
}
