package web

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"galilei/pbxd/pbx"
)

// trunk is an office with lines to the outside, all of it at random: what its
// phones and lines are doing, and how each of them takes a call.
type trunk struct {
	rand    *rand.Rand
	cfg     *pbx.Config
	at      time.Time
	gone    map[string]bool // extensions without a phone
	down    map[string]bool // gateways
	calls   map[string]int  // of gateways
	says    pbx.Cause       // with which every phone refuses
	answers map[string]pbx.Cause
	full    map[string]bool // gateways that take no further call, other than they say

	mu    sync.Mutex
	rang  []string
	steps []string
	open  []func()
	spent map[string]pbx.TollState // of users and gateways, by ID
}

func (x *trunk) oneIn(n int) bool { return x.rand.IntN(n) == 0 }

func choose[T any](x *trunk, list ...T) T { return list[x.rand.IntN(len(list))] }

// window is a time at random, over midnight too.
func (x *trunk) window() (w pbx.Window) {
	pbx.SetDefaults(&w)
	if x.oneIn(2) {
		return w
	}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		if x.oneIn(2) {
			w.Weekdays = append(w.Weekdays, day)
		}
	}
	if x.oneIn(2) {
		w.TimeFrom, w.TimeTo = choose(x, "06:00", "18:00", "22:30"), choose(x, "08:00", "20:00", "24:00")
	}
	if x.oneIn(3) {
		w.DateFrom, w.DateTo = choose(x, "11-20", "2026-11-01"), ""
		if w.DateTo = "12-31"; len(w.DateFrom) > 5 {
			w.DateTo = "2026-12-31"
		}
	}
	if w.Holidays = choose(x, "any", "any", "only", "never"); w.Holidays != "any" {
		w.Calendar = "days"
	}
	return w
}

// some leaves out entries of a list and changes their order.
func (x *trunk) some(list ...string) (out []string) {
	for _, i := range x.rand.Perm(len(list))[:1+x.rand.IntN(len(list))] {
		out = append(out, list[i])
	}
	return out
}

// settle makes the configuration.
func (x *trunk) settle(c *pbx.Config) {
	c.NightService.Profile = x.rand.IntN(3)
	c.Calendars = []pbx.Calendar{{ID: "days", CalendarSettings: pbx.CalendarSettings{Name: "Days", Days: []pbx.Holiday{{From: "11-2" + strconv.Itoa(x.rand.IntN(10))}}}}}
	c.PermissionGroups = append(c.PermissionGroups, pbx.PermissionGroup{ID: "some", PermissionGroupSettings: pbx.PermissionGroupSettings{
		Name: "Some", Type: "user", Members: []string{"demo102"}, Permissions: []pbx.GroupPermission{}}})
	c.HuntGroups = []pbx.HuntGroup{{ID: "all", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "All", CallScheme: "parallel",
		Members: []pbx.HuntMember{{User: "demo101", Timeout: 20}, {User: "demo102", Timeout: 20}}}}}
	for _, id := range []string{"demo101", "demo102", "demo103"} {
		u := c.UserByID(id)
		u.CLIPExternal = []string{"4989777"}
		u.Calls = pbx.UserCalls{HideNumber: x.oneIn(4), ShowExternal: choose(x, "", "", "4989777")}
		if to := choose(x, "0030123456", "000331234", "103", "600"); x.oneIn(3) && "demo"+to != id {
			u.Calls.SetForwarding(x.oneIn(2), choose(x, pbx.DivertBusy, pbx.DivertAlways, pbx.DivertNoAnswer), true, to)
		}
	}
	for _, id := range []string{"a", "b"} {
		g := pbx.GatewayGroup{ID: id}
		pbx.SetDefaults(&g.GatewayGroupSettings)
		g.Title, g.Inbound, g.NumberStyle = "Group "+id, !x.oneIn(6), choose(x, pbx.StyleAsIs, pbx.StyleE164, pbx.StyleInternational, pbx.StyleNational)
		g.OutboundCallerID = choose(x, pbx.SearchReplace{}, pbx.SearchReplace{Search: "^(.*)$", Replace: "+4989123$1"}, pbx.SearchReplace{Search: `^\d(\d*)`, Replace: "052512088$1"})
		g.AssertedIdentity = choose(x, pbx.SearchReplace{}, pbx.SearchReplace{Search: "^(.*)", Replace: "0049891230"})
		g.InboundDID = choose(x, pbx.SearchReplace{}, pbx.SearchReplace{Search: `^49891234(\d\d\d)$`, Replace: "$1"}, pbx.SearchReplace{Search: "^(.*)", Replace: "102"})
		g.InboundCallerID = choose(x, pbx.SearchReplace{}, pbx.SearchReplace{Search: "^", Replace: "0"})
		if x.oneIn(2) {
			g.CallerIDs = []pbx.OutgoingNumber{{User: "demo102", CallerID: "498912399"}}
		}
		c.GatewayGroups = append(c.GatewayGroups, g)
	}
	for _, id := range []string{"g1", "g2", "g3", "g4"} {
		g := pbx.Gateway{ID: id}
		pbx.SetDefaults(&g.GatewaySettings)
		g.Name, g.Registrar, g.User, g.Codecs, g.Group, g.Outbound, g.MaxCalls = "Line "+id, "sip.example.org", "u", []string{"pcma"}, choose(x, "a", "a", "b", ""), !x.oneIn(5), x.rand.IntN(3)
		g.DialCommand = choose(x, "PJSIP/{prefix}{number:1}@{gateway}", "PJSIP/{number}@{gateway}", "PJSIP/{prefix}00{number:3}@{gateway}")
		c.Gateways = append(c.Gateways, g)
	}
	for i := range x.rand.IntN(5) {
		r := pbx.InboundRoute{ID: "in" + strconv.Itoa(i)}
		pbx.SetDefaults(&r.InboundRouteSettings)
		r.Rule, r.Group, r.Active, r.Profile, r.Window = "In "+strconv.Itoa(i), choose(x, "a", "b"), !x.oneIn(5), choose(x, 0, 0, 1, 2), x.window()
		r.Pattern, r.Target = choose(x, "^(.*)$", "^1(.*)", "^49891234(.*)"), choose(x, "$1", "1$1", "103", "600", "0030123456", "999")
		if x.oneIn(4) {
			r.Pattern, r.Target = "102", choose(x, "101", "600")
		}
		c.InboundRoutes = append(c.InboundRoutes, r)
	}
	for i := range x.rand.IntN(5) {
		r := pbx.OutboundRoute{ID: "out" + strconv.Itoa(i)}
		pbx.SetDefaults(&r.OutboundRouteSettings)
		r.Rule, r.Active, r.Window, r.Pattern = "Out "+strconv.Itoa(i), !x.oneIn(5), x.window(), choose(x, "^0", "^0", "^0[1-9]", "^00", "0030", "^(.*)", "089")
		r.UserGroup, r.Groups, r.Prefix = choose(x, "", "", "some"), x.some("a", "b"), choose(x, "", "01077")
		c.OutboundRoutes = append(c.OutboundRoutes, r)
	}
}

// mood says what the phones and lines are doing, and tells the facts of it.
func (x *trunk) mood() (facts []pbx.Fact) {
	x.gone, x.down, x.calls, x.full, x.answers = map[string]bool{}, map[string]bool{}, map[string]int{}, map[string]bool{}, map[string]pbx.Cause{}
	for _, ext := range []string{"101", "102", "103"} {
		if x.gone[ext] = x.oneIn(5); !x.gone[ext] {
			facts = append(facts, pbx.Fact{Kind: pbx.FactRegistration, Extension: ext, Registrations: []pbx.Registration{{Extension: ext}}})
		}
	}
	for _, id := range []string{"g1", "g2", "g3", "g4"} {
		x.down[id], x.calls[id], x.full[id] = x.oneIn(4), x.rand.IntN(3), x.oneIn(6)
		x.answers[id] = choose(x, pbx.CauseTemporaryFailure, pbx.CauseCongestion, pbx.CauseNoUserResponding, pbx.CauseUserBusy, pbx.CauseUnallocated)
		state := choose(x, pbx.LineUp, pbx.LineTrying)
		if x.down[id] {
			state = choose(x, pbx.LineUnreachable, pbx.LineRefused, pbx.LineOff)
		}
		facts = append(facts, pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: id, State: state, Calls: x.calls[id]}})
	}
	x.spent = map[string]pbx.TollState{}
	for _, id := range []string{"demo101", "demo102", "demo103", "g1", "g2", "g3", "g4"} {
		x.spent[id] = pbx.TollState{Calls: choose(x, 0, 0, 0, 0, 4), Foreign: choose(x, 0, 0, 2*time.Hour, 20*time.Hour), Premium: choose(x, 0, 14*time.Minute, time.Hour)}
	}
	x.says = choose(x, pbx.CauseUserBusy, pbx.CauseCallRejected, pbx.CauseNoAnswer, pbx.CauseSubscriberAbsent)
	return facts
}
