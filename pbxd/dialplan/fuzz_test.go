package dialplan

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// longestChain bounds how many decisions may follow each other: ten diversions,
// each with its ringing, and a hunt group whose members ring a second each for
// the longest ring time, with busy ones between them.
const longestChain = 20 + 600*(1+5)

// random makes a valid configuration in which everybody forwards to anybody.
func random(t testing.TB, r *rand.Rand) *pbx.Config {
	numbers := []string{"101", "102", "103", "104", "105", "600", "601", "999", "112", "08912345", "+498912345"}
	maybe := func() bool { return r.IntN(3) == 0 }
	return office(t, func(c *pbx.Config) {
		c.SIP.RingTime = 5 + r.IntN(596)
		c.SIP.CallsAtOnce = r.IntN(4)
		for i := range c.Users {
			u := &c.Users[i]
			for _, external := range []bool{false, true} {
				for _, reason := range []pbx.DiversionReason{pbx.DivertAlways, pbx.DivertBusy, pbx.DivertNoAnswer, pbx.DivertUnregistered} {
					if to := numbers[r.IntN(len(numbers))]; to != u.Extension {
						u.Calls.SetForwarding(external, reason, maybe(), to)
					}
				}
			}
			u.Calls.DoNotDisturb, u.Calls.BusyOnBusy, u.Calls.HideNumber = r.IntN(9) == 0, maybe(), maybe()
			u.Calls.NoAnswerTime = r.IntN(301)
			if maybe() {
				u.DropToOperator, u.OperatorExtension = true, "104"
			}
		}
		second := c.HuntGroups[0]
		second.ID, second.Extension, second.Title = "second", "601", "Second"
		second.Members = []pbx.HuntMember{{User: "demo104", Timeout: 1}, {User: "demo105", Timeout: 1 + r.IntN(600)}}
		c.HuntGroups = append(c.HuntGroups, second)
		for i := range c.HuntGroups {
			g := &c.HuntGroups[i]
			g.GroupBusy, g.DoorStation = maybe(), maybe()
			if maybe() {
				g.CallScheme = "parallel"
			}
			to := func() string { return []string{"", "", "demo101", "demo104", "sales", "second"}[r.IntN(6)] }
			g.HuntForwarding = pbx.HuntForwarding{ForwardInternalAlways: to(), ForwardInternalBusy: to(), ForwardInternalNoAnswer: to(), ForwardExternalAlways: to(), ForwardExternalBusy: to(), ForwardExternalNoAnswer: to(), ForwardTime: r.IntN(601)}
			for _, x := range []*string{&g.ForwardInternalAlways, &g.ForwardInternalBusy, &g.ForwardInternalNoAnswer, &g.ForwardExternalAlways, &g.ForwardExternalBusy, &g.ForwardExternalNoAnswer} {
				if *x == g.ID {
					*x = ""
				}
			}
		}
		for _, p := range []pbx.Permission{pbx.PermitOverrideForward, pbx.PermitIntercom, pbx.PermitDirectPickup} {
			if maybe() {
				everybody(p)(c)
			}
		}
	})
}

// dice is a state that changes with every look.
type dice struct{ *rand.Rand }

func (d dice) Registered(string) bool { return d.IntN(4) > 0 }
func (d dice) Calls(string) int       { return max(0, d.IntN(5)-2) }

// whole checks what holds for every decision.
func whole(t testing.TB, c *pbx.Config, d Decision) {
	t.Helper()
	ok := false
	switch d.Kind {
	case Ring:
		ok = len(d.Ring) > 0 && d.Timeout > 0 && d.Timeout <= c.SIP.RingTime && d.Refuse == 0 && d.Function == ""
	case Function:
		ok = len(d.Ring) == 0 && d.Function != "" && d.Refuse == 0
	case Refuse:
		ok = len(d.Ring) == 0 && d.Refuse != 0
	}
	if !ok || len(d.Trace) == 0 || len(d.Trace) > 1000 || len(d.Diversions) > maxDiversions {
		t.Fatalf("decision %+v", d)
	}
	visited := map[string]bool{}
	for _, x := range d.Diversions {
		if visited[x.Extension] {
			t.Fatalf("%s sends the call on twice: %+v", x.Extension, d.Diversions)
		}
		visited[x.Extension] = true
	}
	for _, target := range d.Ring {
		if c.UserByExtension(target.Extension) == nil {
			t.Fatalf("nobody has the extension that rings: %+v", target)
		}
	}
}

// chain follows a call to its end.
func chain(t testing.TB, c *pbx.Config, q Query, r *rand.Rand) (length int) {
	t.Helper()
	d := Decide(c, q)
	for {
		whole(t, c, d)
		length++
		if d.Kind != Ring {
			return length
		}
		if length > longestChain {
			t.Fatalf("the call to %q does not end", q.Digits)
		}
		o := NoAnswer
		if r.IntN(3) == 0 {
			o = Outcomes()[r.IntN(len(Outcomes()))]
		}
		d = Next(c, q, d, o)
	}
}

// TestChainsEnd runs calls through configurations full of forwardings while the
// phones change what they do.
func TestChainsEnd(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	longest := 0
	for range 200 {
		c := random(t, r)
		for _, digits := range []string{"101", "102", "103", "600", "601", "*31600", "*83102"} {
			for _, caller := range []Caller{from("105"), from("101"), from("08912345"), {UserID: "gone"}} {
				longest = max(longest, chain(t, c, Query{Caller: caller, Digits: digits, State: dice{r}}, r))
			}
		}
	}
	if longest < 10 {
		t.Errorf("the longest call had %d decisions only: the test does not reach what it should", longest)
	}
}

func FuzzDecide(f *testing.F) {
	for i, digits := range []string{"", "101", "102", "600", "112", "*31112", "*21102", "*21*", "**12", "*0*", "*83102", "*82101", "*811", "*340730", "*5*", "*38", "+49891234", "\x00", "１０１", "*31*31*31102"} {
		f.Add(digits, uint64(i), "101")
	}
	f.Add("102", uint64(3), "")
	f.Fuzz(func(t *testing.T, digits string, seed uint64, caller string) {
		r := rand.New(rand.NewPCG(seed, 2))
		c := random(t, r)
		q := Query{Caller: Caller{Number: caller}, Digits: digits, State: dice{r}}
		if u := c.UserByExtension(caller); u != nil {
			q.Caller = Caller{UserID: u.ID}
		}
		q.Caller.Away = seed%5 == 0
		if _, ok := QuickDialled(c, digits); ok && seed%3 == 0 {
			q.QuickDial = &pbx.QuickDial{Number: []string{"102", "600", "*93", "**1", "112", "*31**1", ""}[seed%7], Name: "Mill"}
		}
		if seed%2 == 0 {
			q.Time = time.Unix(int64(seed>>32), 0)
		}
		chain(t, c, q, r)
	})
}

// A decision is the same each time: nothing but what comes in counts.
func TestDecideIsPure(t *testing.T) {
	c := random(t, rand.New(rand.NewPCG(7, 7)))
	before := fmt.Sprintf("%+v", *c)
	q := Query{Caller: from("101"), Digits: "102"}
	first := fmt.Sprintf("%+v", Decide(c, q))
	for range 10 {
		if again := fmt.Sprintf("%+v", Decide(c, q)); again != first {
			t.Fatalf("got %s, then %s", first, again)
		}
	}
	if fmt.Sprintf("%+v", *c) != before {
		t.Error("the configuration was changed")
	}
}

func BenchmarkDecide(b *testing.B) {
	c := office(b)
	q := Query{Caller: from("101"), Digits: "102"}
	for b.Loop() {
		Decide(c, q)
	}
}
