package pbxdtest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/ladder"
	"galilei/pbxd/pbx"
)

// guesser is an office whose users set at random what they can, and in which
// somebody asks first what would become of a call.
type guesser struct {
	*System
	t       *testing.T
	rand    *rand.Rand
	admin   *Admin
	phones  map[string]*Phone
	answers map[string]int // status with which the phone of an extension answers a call
	seen    chan string    // who rang, and what was shown there
}

// outcomes are those that phones cause by what they answer; the first of them
// decides when several rang together.
func outcomes() []struct {
	status  int
	outcome dialplan.Outcome
} {
	return []struct {
		status  int
		outcome dialplan.Outcome
	}{{603, dialplan.Refused}, {486, dialplan.Busy}, {480, dialplan.NoAnswer}, {404, dialplan.NotRegistered}}
}

func (o *guesser) pick(list ...string) string { return list[o.rand.IntN(len(list))] }
func (o *guesser) oneIn(n int) bool           { return o.rand.IntN(n) == 0 }

// refuses lets a phone refuse every call with the status of the round.
func (o *guesser) refuses(p *Phone) {
	o.phones[p.Ext] = p
	p.Answers(func(m *Message) bool {
		switch m.Method() {
		case "BYE":
			p.Reply(m, "", 200, "OK", "", "")
		case "INVITE":
			if m.Status() > 0 {
				break
			}
			from, _, _ := strings.Cut(m.Get("From"), "@")
			o.seen <- fmt.Sprintf("%s: %s door:%v auto:%v", p.Ext, from, strings.Contains(m.Get("Alert-Info"), "alert-door"), m.Get("Answer-Mode") == "Auto")
			p.Reply(m, m.Get("To")+";tag="+p.Unique(), o.answers[p.Ext], "So", "", "")
		}
		return m.Status() == 0
	})
}

// settle gives everybody other settings and the phones other answers.
func (o *guesser) settle() {
	o.t.Helper()
	for _, ext := range []string{"101", "102", "103", "201", "202", "203"} {
		c := pbx.UserCalls{DoNotDisturb: o.oneIn(6), BusyOnBusy: o.oneIn(2), HideNumber: o.oneIn(4), RefuseIntercom: o.oneIn(4), ShowInternal: o.pick("", "201", "299")}
		if o.oneIn(2) {
			c.NoAnswerTime = 1 + o.rand.IntN(60)
		}
		for _, reason := range []pbx.DiversionReason{pbx.DivertAlways, pbx.DivertBusy, pbx.DivertNoAnswer, pbx.DivertUnregistered} {
			to := o.pick("101", "102", "103", "201", "202", "203", "600", "601", "999")
			if to != ext && (o.oneIn(5) || reason != pbx.DivertAlways && o.oneIn(3)) {
				c.SetForwarding(false, reason, true, to)
			}
		}
		o.admin.Do("PUT", "/api/v1/users/demo"+ext, map[string]any{"user": "demo" + ext, "extension": ext, "firstName": "N" + ext, "lastName": "Demo",
			"dropToOperator": o.oneIn(4), "operatorExtension": o.pick("101", "203", "600"), "clipInternal": []string{"201", "299"}}, 200, nil)
		o.admin.Do("PUT", "/api/v1/users/demo"+ext+"/calls", c, 200, nil)
		o.answers[ext] = outcomes()[o.rand.IntN(len(outcomes()))].status
	}
	for _, ext := range []string{"600", "601"} {
		g := pbx.HuntGroupSettings{Extension: ext, Title: "Group " + ext, DisplayPrefix: o.pick("", "Shop"), CallScheme: o.pick("linear", "parallel"),
			GroupBusy: o.oneIn(3), DoorStation: o.oneIn(3), Members: []pbx.HuntMember{}}
		users := []string{"demo101", "demo102", "demo103", "demo201", "demo203"}
		for _, i := range o.rand.Perm(len(users))[:o.rand.IntN(4)] {
			g.Members = append(g.Members, pbx.HuntMember{User: users[i], Timeout: 40 + o.rand.IntN(60)})
		}
		if to := []string{"demo101", "demo102", "demo202", "demo203", "g600", "g601"}; o.oneIn(2) {
			to = slices.DeleteFunc(to, func(id string) bool { return id == "g"+ext })
			to = append(to, make([]string, len(to))...)
			g.ForwardInternalBusy, g.ForwardInternalNoAnswer = o.pick(to...), o.pick(to...)
			if o.oneIn(3) {
				g.ForwardInternalAlways = o.pick(to...)
			}
		}
		o.admin.Do("PUT", "/api/v1/hunt-groups/g"+ext, g, 200, nil)
	}
	all := pbx.PermissionGroupSettings{Name: "All users", Type: "user", Members: []string{}}
	for _, p := range []pbx.Permission{pbx.PermitCallWaiting, pbx.PermitCallForwarding, pbx.PermitCLIR, pbx.PermitDND, pbx.PermitCLIP, pbx.PermitGroupPickup,
		pbx.PermitOverrideForward, pbx.PermitDirectPickup, pbx.PermitIntercom} {
		if !o.oneIn(4) {
			all.Permissions = append(all.Permissions, pbx.GroupPermission{Permission: p, AppliesTo: o.pick(pbx.GroupAllUsers, "some")})
		}
	}
	o.admin.Do("PUT", "/api/v1/permission-groups/allusers", all, 200, nil)
}

// TestTryAgreesWithTheCall asks "Try a number" what would become of a call, and
// makes it: the same phones ring and show the same, for the same reasons, and the
// caller gets the same answer.
func TestTryAgreesWithTheCall(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := Start(t, Options{Further: 3, Configure: func(c *pbx.Config) {
		c.PermissionGroups = append(c.PermissionGroups, pbx.PermissionGroup{ID: "some", PermissionGroupSettings: pbx.PermissionGroupSettings{
			Name: "Some", Type: "user", Members: []string{"demo102", "demo201", "demo202"}, Permissions: []pbx.GroupPermission{}}})
		for _, ext := range []string{"600", "601"} {
			c.HuntGroups = append(c.HuntGroups, pbx.HuntGroup{ID: "g" + ext, HuntGroupSettings: pbx.HuntGroupSettings{Extension: ext, Title: "Group " + ext, CallScheme: "linear", Members: []pbx.HuntMember{}}})
		}
		c.PickupGroups = []pbx.PickupGroup{{ID: "one", PickupGroupSettings: pbx.PickupGroupSettings{Number: 1, Name: "One", Members: []string{"demo101", "demo102"}}}}
	}})
	o := &guesser{System: s, t: t, rand: rand.New(rand.NewPCG(seed, 0)), admin: s.Login(), phones: map[string]*Phone{}, answers: map[string]int{}, seen: make(chan string, 100)}
	o.admin.Do("POST", "/api/v1/contacts", map[string]any{"lastName": "Yard", "office": "10 2", "officeQuickdial": "12"}, 201, nil)
	busy, other := s.Phone("201", "udp").MustRegister(), s.Phone("202", "udp").MustRegister()
	talk := busy.Dial("202", SDP(16000)) // these are on the phone, 203 has none
	in := other.Ringing()
	in.Answer(SDP(16002))
	talk.Answered()
	for _, p := range []*Phone{busy, other, s.Phone("101", "udp").MustRegister(), s.Phone("102", "tcp").MustRegister(), s.Phone("103", "udp").MustRegister()} {
		o.refuses(p)
	}
	for range 8 {
		o.settle()
		for range 8 {
			o.call(o.pick("101", "102", "103"), o.pick("101", "102", "103", "201", "202", "203", "600", "601", "600", "601", "999", "112", "0112",
				"*31102", "*31601", "*83102", "*83201", "*82103", "*81", "*812", "*7099", "**12", "**13", "*31**12", "*99", "*0*1"))
		}
	}
	talk.Hangup()
	nothingLeft(t, s)
}

// call tries a number and dials it.
func (o *guesser) call(from, digits string) {
	o.t.Helper()
	var tried struct {
		Decision dialplan.Decision
		Follows  []struct {
			After    int
			Outcomes []dialplan.Outcome
			Decision dialplan.Decision
		}
		More bool
	}
	o.admin.Do("GET", "/api/v1/dialplan/try?"+url.Values{"now": {"true"}, "caller": {from}, "digits": {digits}}.Encode(), nil, 200, &tried)
	if tried.More {
		return
	}
	var wantSteps, wantRings []string
	// The end of a linear group has the cause that says most of all members, and
	// who is busy does not count for another round: that is not tried for each.
	d, at, grouped, open := &tried.Decision, 0, false, false
	for {
		grouped = grouped || d.Group != ""
		for i := range d.Trace {
			wantSteps = told(wantSteps, d.Trace[i])
		}
		if d.Kind != dialplan.Ring || open {
			break
		}
		var outcome dialplan.Outcome
		for _, x := range outcomes() {
			if outcome == "" && slices.ContainsFunc(d.Ring, func(r dialplan.Target) bool { return o.answers[r.Extension] == x.status }) {
				outcome = x.outcome
			}
		}
		for _, r := range d.Ring {
			shown := fmt.Sprintf("%q <sip:%s", strings.TrimSpace(r.Prefix+" "+r.CallerName), r.Number)
			if r.Number == "" {
				shown = fmt.Sprintf("%q <sip:anonymous", cmp.Or(r.Prefix, "Anonymous"))
			}
			wantRings = append(wantRings, fmt.Sprintf("%s: %s door:%v auto:%v", r.Extension, shown, r.DoorStation, r.AutoAnswer))
		}
		next := slices.IndexFunc(tried.Follows, func(f struct {
			After    int
			Outcomes []dialplan.Outcome
			Decision dialplan.Decision
		}) bool {
			return f.After == at && slices.Contains(f.Outcomes, outcome)
		})
		if next < 0 {
			o.t.Fatalf("%s calls %s: nothing is said of what follows %q after decision %d: %+v", from, digits, outcome, at, tried)
		}
		open = d.Linear && outcome != dialplan.NoAnswer
		d, at = &tried.Follows[next].Decision, next+1
	}

	call := o.phones[from].Dial(digits, SDP(16000))
	res := call.Phone.Final("INVITE")
	if res.Status() == 200 {
		o.t.Fatalf("%s calls %s: %s", from, digits, res.Start)
	}
	call.AckRefusal(res)
	o.Eventually("the call to be over", func() bool { return o.PBX.Counts().Calls == 1 })
	var rings, steps []string
	for len(o.seen) > 0 {
		rings = append(rings, <-o.seen)
	}
	var list []ladder.Call
	o.admin.Do("GET", "/api/v1/call-traces?limit=1", nil, 200, &list)
	var trace ladder.Trace
	o.admin.Do("GET", "/api/v1/calls/"+list[0].ID+"/trace", nil, 200, &trace)
	for _, m := range trace.Steps {
		steps = told(steps, m.Step)
	}
	if d.Kind == dialplan.Function || open { // what the function does is no decision
		steps = steps[:min(len(steps), len(wantSteps))]
		rings = rings[:min(len(rings), len(wantRings))]
	}
	slices.Sort(rings)
	slices.Sort(wantRings)
	if !slices.Equal(steps, wantSteps) || !slices.Equal(rings, wantRings) || d.Kind == dialplan.Refuse && !grouped && !open && res.Status() != d.Refuse.SIPStatus() {
		o.t.Fatalf("%s calls %s; it was tried as\n  %s\n%s\nending with %s; the call was\n  %s\n%s\nand ended with %s\nphones answer %v", from, digits,
			strings.Join(wantSteps, "\n  "), strings.Join(wantRings, "\n"), d.Refuse, strings.Join(steps, "\n  "), strings.Join(rings, "\n"), res.Start, o.answers)
	}
}

// told adds a step as people read it, unless it differs as a matter of course:
// the minute of the decision, and how phones ended that rang together, which the
// call tells as it happens.
func told(list []string, s dialplan.Step) []string {
	switch s.Rule {
	case "ended", "outcome", "time":
		return list
	}
	return append(list, s.Rule+": "+s.Message.Text())
}
