package dialplan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// lines gives the office two gateways in one group and one in another, and a
// route for everybody.
func lines(c *pbx.Config) {
	c.Locale.AreaCode = "89"
	for _, x := range [][3]string{{"g1", "sip one", "main"}, {"g2", "sip two", "main"}, {"g3", "spare line", "spare"}} {
		g := pbx.Gateway{ID: x[0]}
		pbx.SetDefaults(&g.GatewaySettings)
		g.Name, g.Group, g.Registrar, g.User, g.Codecs = x[1], x[2], "sip.example.org", "u", []string{"pcma"}
		c.Gateways = append(c.Gateways, g)
	}
	for _, id := range []string{"main", "spare"} {
		g := pbx.GatewayGroup{ID: id}
		pbx.SetDefaults(&g.GatewayGroupSettings)
		g.Title = id + " group"
		c.GatewayGroups = append(c.GatewayGroups, g)
	}
	c.OutboundRoutes = []pbx.OutboundRoute{outbound("all", "^.", "main", "spare")}
}

func outbound(rule, pattern string, groups ...string) pbx.OutboundRoute {
	r := pbx.OutboundRoute{ID: pbx.NewID()}
	pbx.SetDefaults(&r.OutboundRouteSettings)
	r.Rule, r.Pattern, r.Groups = rule, pattern, groups
	return r
}

func inboundRule(rule, pattern, target string, set ...func(*pbx.InboundRoute)) func(*pbx.Config) {
	return func(c *pbx.Config) {
		r := pbx.InboundRoute{ID: pbx.NewID()}
		pbx.SetDefaults(&r.InboundRouteSettings)
		r.Rule, r.Group, r.Pattern, r.Target = rule, "main", pattern, target
		for _, f := range set {
			f(&r)
		}
		c.InboundRoutes = append(c.InboundRoutes, r)
	}
}

func mainGroup(set func(*pbx.GatewayGroup)) func(*pbx.Config) {
	return func(c *pbx.Config) { set(c.GatewayGroupByID("main")) }
}

func routes(list ...pbx.OutboundRoute) func(*pbx.Config) {
	return func(c *pbx.Config) { c.OutboundRoutes = list }
}

// told tells the lines of a decision: gateway:number<caller ID.
func told(d Decision) string {
	if d.Kind != Outside {
		return text(d)
	}
	var list []string
	for _, l := range d.Lines {
		s := l.Gateway + ":" + l.Number + "<" + l.CallerID
		if l.Hidden {
			s += " hidden"
		}
		if l.Seize {
			s += " seize"
		}
		list = append(list, s)
	}
	return strings.Join(list, ", ")
}

func TestOutbound(t *testing.T) {
	type is = []func(*pbx.Config)
	greg := func(c *pbx.Config) { // page 62: may call the own area alone
		c.PermissionGroups = append(c.PermissionGroups, pbx.PermissionGroup{ID: "local", PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Local", Type: "user", Members: []string{"demo102"}}})
		c.Locale.OutsideLine = ""
		for i := range c.Gateways {
			c.Gateways[i].DialCommand = "PJSIP/{prefix}{number}@{gateway}"
		}
		withCode, without := outbound("Local", "^089", "main"), outbound("Local 2", "^[1-9]", "main")
		withCode.UserGroup, without.UserGroup, without.Prefix = "local", "local", "089"
		c.OutboundRoutes = []pbx.OutboundRoute{withCode, without}
	}
	tests := []struct {
		name   string
		caller string
		digits string
		is     is
		want   string
		rule   string
	}{
		{"every way, in order", "101", "0030123456", nil, "g1:030123456<101, g2:030123456<101, g3:030123456<101", "outbound"},
		{"an extension goes before", "101", "102", nil, "ring 102 120s", "extension"},
		{"nobody takes it: busy tone", "101", "0030123456", is{routes(outbound("mobile", "^001[5-7]", "main"))}, "refuse busy", "outbound"},
		{"the first rule that matches", "101", "0017012345", is{routes(outbound("mobile", "^001[5-7]", "spare"), outbound("all", "^0", "main"))}, "g3:017012345<101", "outbound"},
		{"a number as pattern is a beginning", "101", "0017012345", is{routes(outbound("mobile", "0017", "spare"))}, "g3:017012345<101", "outbound"},
		{"switched off", "101", "0017012345", is{routes(func() pbx.OutboundRoute { r := outbound("off", "^0", "main"); r.Active = false; return r }(), outbound("all", "^0", "spare"))}, "g3:017012345<101", "outbound"},
		{"own area with the code", "102", "089223344", is{greg}, "g1:089223344<102, g2:089223344<102", "outbound"},
		{"own area without the code", "102", "223344", is{greg}, "g1:089223344<102, g2:089223344<102", "outbound"},
		{"not national", "102", "030123456", is{greg}, "refuse busy", "outbound"},
		{"not for others", "101", "089223344", is{greg}, "refuse busy", "outbound"},
		{"caller ID of the group", "101", "0030123456", is{mainGroup(func(g *pbx.GatewayGroup) {
			g.OutboundCallerID = pbx.SearchReplace{Search: `^\d\d(\d)`, Replace: "08912345$1"}
		}), routes(outbound("all", "^0", "main"))},
			"g1:030123456<089123451, g2:030123456<089123451", "caller-id"},
		{"caller ID of the extension", "101", "0030123456", is{mainGroup(func(g *pbx.GatewayGroup) {
			g.OutboundCallerID = pbx.SearchReplace{Search: "^(.*)", Replace: "10"}
			g.CallerIDs = []pbx.OutgoingNumber{{User: "demo101", CallerID: "751"}}
		}), routes(outbound("all", "^0", "main"))}, "g1:030123456<751, g2:030123456<751", "caller-id"},
		{"caller ID that the user has chosen", "101", "0030123456", is{func(c *pbx.Config) { c.UserByExtension("101").CLIPExternal = []string{"0891110"} }, calls("101", func(u *pbx.UserCalls) { u.ShowExternal = "0891110" }), routes(outbound("all", "^0", "spare"))},
			"g3:030123456<0891110", "clip"},
		{"hidden", "101", "*310030123456", is{routes(outbound("all", "^0", "spare"))}, "g3:030123456<101 hidden", "clir"},
		{"numbers as the provider wants them", "101", "0030123456", is{mainGroup(func(g *pbx.GatewayGroup) { g.NumberStyle = pbx.StyleE164 }), routes(outbound("all", "^0", "main"))}, "g1:+4930123456<101, g2:+4930123456<101", "gateway"},
		{"from a contact with its country", "101", "+4930123456", nil, "g1:030123456<101, g2:030123456<101, g3:030123456<101", "number"},
		{"abroad from a contact", "101", "+15551234567", is{routes(outbound("all", "^0", "spare"))}, "g3:0015551234567<101", "number"},
		{"a gateway that only takes calls", "101", "0030123456", is{func(c *pbx.Config) { c.Gateways[0].Outbound = false }}, "g2:030123456<101, g3:030123456<101", "gateway"},
		{"forwarded to the outside by its user", "08912345", "102", is{calls("102", func(u *pbx.UserCalls) { u.SetForwarding(true, pbx.DivertAlways, true, "0030123456") }), routes(outbound("all", "^0", "spare"))}, "g3:030123456<102", "forward"},
		{"from outside to outside", "08912345", "0030123456", nil, "refuse unknown number", "outside"},
		{"emergency", "101", "112", is{routes()}, "g1:112<101 seize, g2:112<101 seize, g3:112<101 seize", "emergency"},
		{"emergency after the digit", "101", "0112", is{routes()}, "g1:112<101 seize, g2:112<101 seize, g3:112<101 seize", "emergency"},
		{"emergency shows who calls", "101", "*31112", nil, "g1:112<101 seize, g2:112<101 seize, g3:112<101 seize", "emergency"},
		{"emergency goes before a rule that would change it", "101", "112", is{routes(outbound("all", "^1", "spare"))}, "g1:112<101 seize, g2:112<101 seize, g3:112<101 seize", "emergency"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := Decide(office(t, slices.Concat(is{lines}, tt.is)...), Query{Caller: from(tt.caller), Digits: tt.digits})
			if got := told(d); got != tt.want {
				t.Errorf("got %s, want %s; steps %v", got, tt.want, steps(d))
			}
			if !slices.ContainsFunc(d.Trace, func(s Step) bool { return s.Rule == tt.rule }) {
				t.Errorf("no step %s in %v", tt.rule, steps(d))
			}
		})
	}
}

// Who hides the number hides it also when somebody sends the call on to the
// outside, whom the permission is none of; and the other way round.
func TestHiddenAndForwarded(t *testing.T) {
	away := calls("102", func(u *pbx.UserCalls) { u.SetForwarding(false, pbx.DivertAlways, true, "0030123456") })
	may := func(id string) func(*pbx.Config) {
		return func(c *pbx.Config) {
			without(pbx.PermitCLIR)(c)
			c.PermissionGroups = append(c.PermissionGroups, pbx.PermissionGroup{ID: "hide", PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Hide", Type: "user",
				Members: []string{id}, Permissions: []pbx.GroupPermission{{Permission: pbx.PermitCLIR, AppliesTo: pbx.GroupAllUsers}}}})
		}
	}
	always := calls("101", func(u *pbx.UserCalls) { u.HideNumber = true })
	for _, tt := range []struct {
		digits string
		is     []func(*pbx.Config)
		want   bool
	}{
		{"*31102", []func(*pbx.Config){may("demo101")}, true},
		{"102", []func(*pbx.Config){may("demo101"), always}, true},
		{"102", []func(*pbx.Config){may("demo101")}, false},
		{"*31102", []func(*pbx.Config){may("demo102")}, false},
		{"102", []func(*pbx.Config){may("demo102"), calls("102", func(u *pbx.UserCalls) { u.HideNumber = true })}, true},
	} {
		d := Decide(office(t, slices.Concat([]func(*pbx.Config){lines, away}, tt.is)...), Query{Caller: from("101"), Digits: tt.digits})
		if d.Kind != Outside || d.Lines[0].Hidden != tt.want {
			t.Errorf("%s: %s, want hidden %v; steps %v", tt.digits, told(d), tt.want, steps(d))
		}
	}
}

// The patterns of pages 61 to 63 (F199), each before a rule for all other numbers
// over the spare line. Nothing is dialled for an outside line there.
func TestPatternsOfTheManual(t *testing.T) {
	for _, tt := range []struct {
		pattern, is, isNot string
	}{
		{"^[1-9]", "223344", "089223344"},
		{"^0[1-9]", "089223344", "0043223344"},
		{"^01[5-7]", "0171223344", "0181223344"},
		{"^00491[5-7]", "0049171223344", "0049891223344"},
		{"^089", "089223344", "030223344"},
	} {
		c := office(t, lines, routes(outbound("manual", tt.pattern, "main"), outbound("all", "^(.*)", "spare")), func(c *pbx.Config) {
			c.Locale.OutsideLine = ""
			for i := range c.Gateways {
				c.Gateways[i].DialCommand = "PJSIP/{number}@{gateway}"
			}
		})
		for digits, want := range map[string]string{tt.is: "g1:" + tt.is + "<101, g2:" + tt.is + "<101", tt.isNot: "g3:" + tt.isNot + "<101"} {
			if d := Decide(c, Query{Caller: from("101"), Digits: digits}); told(d) != want {
				t.Errorf("%s, %s: %s, want %s", tt.pattern, digits, told(d), want)
			}
		}
	}
}

// A gateway that is gone or full is passed over; an emergency call takes it all the
// same, at last.
func TestLinesThatAreNotFree(t *testing.T) {
	c := office(t, lines, func(c *pbx.Config) { c.Gateways[1].MaxCalls = 2 })
	state := func(gateway string) (bool, int) { return gateway != "g1", map[string]int{"g2": 2}[gateway] }
	if got := told(Decide(c, Query{Caller: from("101"), Digits: "0030123456", Lines: state})); got != "g3:030123456<101" {
		t.Error(got)
	}
	if got := told(Decide(c, Query{Caller: from("101"), Digits: "112", Lines: state})); got != "g3:112<101 seize, g2:112<101 seize, g1:112<101 seize" {
		t.Error(got)
	}
	none := Decide(c, Query{Caller: from("101"), Digits: "0030123456", Lines: func(string) (bool, int) { return false, 0 }})
	if got := told(none); got != "refuse no line free" {
		t.Error(got)
	}
}

// A line that fails gives way to the next; who is busy or declines is not called
// again by another.
func TestNextLine(t *testing.T) {
	c := office(t, lines)
	q := Query{Caller: from("101"), Digits: "0030123456"}
	d := Decide(c, q)
	for _, want := range []string{"g2:030123456<101, g3:030123456<101", "g3:030123456<101", "refuse congestion"} {
		if d = Next(c, q, d, LineFailed); told(d) != want {
			t.Errorf("got %s, want %s", told(d), want)
		}
	}
	for _, o := range []Outcome{Busy, Refused, NoAnswer} {
		if d := Next(c, q, Decide(c, q), o); d.Kind != Refuse || d.Refuse != o.cause() {
			t.Errorf("%s: %s", o, text(d))
		}
	}
}

func TestInbound(t *testing.T) {
	type is = []func(*pbx.Config)
	did := mainGroup(func(g *pbx.GatewayGroup) {
		g.InboundDID = pbx.SearchReplace{Search: `00498912345670(\d)`, Replace: "10$1"} // page 60
	})
	night := func(r *pbx.InboundRoute) { r.Profile = 2 }
	monday := time.Date(2026, 11, 23, 21, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		digits string
		is     is
		want   string
		rule   string
	}{
		{"as it is", "102", nil, "ring 102 120s", "inbound"},
		{"the worked example", "004989123456702", is{did}, "ring 102 120s", "did"},
		{"by day", "004989123456702", is{did, inboundRule("Day", "^(.*)", "$1")}, "ring 102 120s", "inbound"},
		{"by night", "004989123456702", is{did, inboundRule("Night", "^(.*)", "101", night), func(c *pbx.Config) { c.NightService.Profile = 2 }}, "ring 101 120s", "inbound"},
		{"the night is over", "004989123456702", is{did, inboundRule("Night", "^(.*)", "101", night)}, "ring 102 120s", "inbound"},
		{"another profile", "004989123456702", is{did, inboundRule("Night", "^(.*)", "101", night), func(c *pbx.Config) { c.NightService.Profile = 3 }}, "ring 102 120s", "inbound"},
		{"one number", "062345679", is{inboundRule("Service", "062345679", "103")}, "ring 103 120s", "inbound"},
		{"one number, written in another way", "004962345679", is{inboundRule("Service", "062345679", "103")}, "ring 103 120s", "inbound"},
		{"one number, as bare digits", "4962345679", is{inboundRule("Service", "062345679", "103"), mainGroup(func(g *pbx.GatewayGroup) { g.NumberStyle = pbx.StyleDigits })}, "ring 103 120s", "inbound"},
		{"one number, as bare digits of a line that takes others", "4962345679", is{inboundRule("Service", "062345679", "103")}, "ring 103 120s", "inbound"},
		{"another number, as bare digits", "4962345670", is{inboundRule("Service", "062345679", "103")}, "refuse unknown number", "inbound"},
		{"another number", "062345670", is{inboundRule("Service", "062345679", "103")}, "refuse unknown number", "inbound"},
		{"in its time", "102", is{inboundRule("Late", "^(.*)", "103", func(r *pbx.InboundRoute) { r.Window = pbx.Window{TimeFrom: "20:00", TimeTo: "06:00", Holidays: "any"} })}, "ring 103 120s", "time"},
		{"out of its time", "102", is{inboundRule("Noon", "^(.*)", "103", func(r *pbx.InboundRoute) { r.Window = pbx.Window{TimeFrom: "12:00", TimeTo: "13:00", Holidays: "any"} })}, "ring 102 120s", "time"},
		{"switched off", "102", is{inboundRule("Off", "^(.*)", "103", func(r *pbx.InboundRoute) { r.Active = false })}, "ring 102 120s", "inbound"},
		{"to a hunt group", "0", is{inboundRule("Group", "0", "600")}, "ring S:101 5s linear", "hunt-group"},
		{"to the outside", "102", is{inboundRule("Out", "^(.*)", "0030123456")}, "refuse unknown number", "outside"},
		{"no code from outside", "*93", nil, "refuse unknown number", "inbound"},
		{"no emergency call from outside", "112", nil, "refuse not permitted", "emergency"},
		{"the group takes none", "102", is{mainGroup(func(g *pbx.GatewayGroup) { g.Inbound = false })}, "refuse not permitted", "inbound"},
		{"another group's rule", "102", is{inboundRule("Other", "^(.*)", "103", func(r *pbx.InboundRoute) { r.Group = "spare" })}, "ring 102 120s", "inbound"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := office(t, slices.Concat(is{lines}, tt.is)...)
			d := Decide(c, Query{Gateway: "g1", Caller: Caller{Number: "030998877"}, Digits: tt.digits, Time: monday})
			if got := told(d); got != tt.want {
				t.Errorf("got %s, want %s; steps %v", got, tt.want, steps(d))
			}
			if !slices.ContainsFunc(d.Trace, func(s Step) bool { return s.Rule == tt.rule }) {
				t.Errorf("no step %s in %v", tt.rule, steps(d))
			}
		})
	}
	c := office(t, lines, mainGroup(func(g *pbx.GatewayGroup) { g.InboundCallerID = pbx.SearchReplace{Search: `^(\d*)`, Replace: "0$1"} }))
	d := Decide(c, Query{Gateway: "g1", Caller: Caller{Number: "030998877"}, Digits: "102"})
	if len(d.Ring) != 1 || d.Ring[0].Number != "0030998877" {
		t.Errorf("shown %+v", d.Ring)
	}
	if d := Decide(c, Query{Gateway: "gone", Digits: "102"}); text(d) != "refuse unknown number" {
		t.Error(text(d))
	}
}

// A number with its country is a pattern, though it is no expression.
func TestNumbersAsPatterns(t *testing.T) {
	c := office(t, lines, inboundRule("Hotline", "+4962345679", "103"), routes(outbound("Abroad", "+43", "spare"), outbound("all", "0", "main")))
	if d := Decide(c, Query{Gateway: "g1", Digits: "062345679"}); text(d) != "ring 103 120s" {
		t.Errorf("got %s; steps %v", text(d), steps(d))
	}
	for _, number := range []string{"+4366012345", "0004366012345"} { // the same, from a directory and by hand
		if d := Decide(c, Query{Caller: from("101"), Digits: number}); !strings.HasPrefix(told(d), "g3:") {
			t.Errorf("%s: got %s; steps %v", number, told(d), steps(d))
		}
	}
	if d := Decide(c, Query{Caller: from("101"), Digits: "0030123456"}); told(d) != "g1:030123456<101, g2:030123456<101" {
		t.Errorf("got %s; steps %v", told(d), steps(d))
	}
}

// Directories are asked for a caller as the number is shown, as it came, and
// without the digit for an outside line.
func TestNumbersOf(t *testing.T) {
	for _, tt := range []struct {
		is     func(*pbx.GatewayGroup)
		number string
		want   string
	}{
		{func(g *pbx.GatewayGroup) {}, "+4989123", "+4989123 +4989123"},
		{func(g *pbx.GatewayGroup) { g.InboundCallerID = pbx.SearchReplace{Search: "^", Replace: "0"} }, "089123", "0089123 089123 089123"},
		{func(g *pbx.GatewayGroup) { g.NumberStyle = pbx.StyleDigits }, "4989123", "4989123 4989123 +4989123"},
		{func(g *pbx.GatewayGroup) {}, "", ""},
	} {
		if got := strings.Join(NumbersOf(office(t, lines, mainGroup(tt.is)), "g1", tt.number), " "); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.number, got, tt.want)
		}
	}
}
