package web

import (
	"slices"
	"testing"

	"galilei/pbxd/pbx"
)

// linesToTry gives a device two gateways in one group and routes both ways:
// from 20:00 to 06:00, and in profile 2, calls go to 103.
func linesToTry(c *pbx.Config) {
	group := pbx.GatewayGroup{ID: "main"}
	pbx.SetDefaults(&group.GatewayGroupSettings)
	group.Title = "Provider"
	group.OutboundCallerID = pbx.SearchReplace{Search: "^(.*)$", Replace: "+49891234$1"}
	group.AssertedIdentity = pbx.SearchReplace{Search: "^(.*)$", Replace: "+498912340"}
	group.InboundDID = pbx.SearchReplace{Search: `^49891234(\d\d\d)$`, Replace: "$1"}
	c.GatewayGroups = []pbx.GatewayGroup{group}
	for _, id := range []string{"one", "two"} {
		g := pbx.Gateway{ID: id}
		pbx.SetDefaults(&g.GatewaySettings)
		g.Name, g.Group, g.Registrar, g.User, g.Codecs = "Line "+id, "main", "sip.example.org", "u", []string{"pcma"}
		c.Gateways = append(c.Gateways, g)
	}
	night := pbx.InboundRoute{ID: "night"}
	pbx.SetDefaults(&night.InboundRouteSettings)
	night.Rule, night.Group, night.Pattern, night.Target, night.Window.TimeFrom, night.Window.TimeTo = "Night", "main", "^(.*)", "103", "20:00", "06:00"
	second := night
	second.ID, second.Rule, second.Profile, second.Window = "second", "Holiday", 2, pbx.Window{Holidays: "any"}
	c.InboundRoutes = []pbx.InboundRoute{night, second}
	out := pbx.OutboundRoute{ID: "out"}
	pbx.SetDefaults(&out.OutboundRouteSettings)
	out.Rule, out.Pattern, out.Groups = "Everything", "^0", []string{"main"}
	c.OutboundRoutes = []pbx.OutboundRoute{out}
}

// Calls to and from the outside are tried over gateways that may be down, at a
// time and in a profile of the night answer service.
func TestTryOutside(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	m.edit(t, linesToTry)
	try := func(query string) (x Tried) {
		t.Helper()
		c.want(200, "GET", "/dialplan/try?"+query, "", &x)
		return x
	}
	lines := func(x Tried) (list []string) {
		for _, l := range x.Decision.Lines {
			list = append(list, l.Name+" "+l.Number+" "+l.CallerID+" "+l.Asserted)
		}
		return list
	}
	const first, second = "Line one 030123456 +49891234101 +498912340", "Line two 030123456 +49891234101 +498912340"
	x := try("caller=101&digits=0030123456")
	if got := lines(x); x.Decision.Kind != "outside" || !slices.Equal(got, []string{first, second}) {
		t.Errorf("outside: %s over %q", x.Decision.Kind, got)
	}
	if len(x.Follows) != 2 || x.Follows[0].Outcomes[0] != "line-failed" || x.Follows[0].Decision.Lines[0].Name != "Line two" || x.Follows[1].Decision.Refuse != pbx.CauseCongestion {
		t.Errorf("when a line fails: %+v", x.Follows)
	}
	if got := lines(try("caller=101&digits=0030123456&down=one,none")); !slices.Equal(got, []string{second}) {
		t.Errorf("with the first line down: %q", got)
	}
	if x := try("caller=101&digits=0030123456&now=true"); x.Decision.Refuse != pbx.CauseNoCircuit {
		t.Errorf("with the lines of now, of which there are none: %+v", x.Decision)
	}
	m.tell(pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: "two", State: pbx.LineUp}})
	m.tell(pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: "one", State: pbx.LineUnreachable}})
	if got := lines(try("caller=101&digits=0030123456&now=true")); !slices.Equal(got, []string{second}) {
		t.Errorf("with the lines of now: %q", got)
	}
	for query, want := range map[string]string{
		"at=2026-11-24T12:00:00%2B01:00":           "101",
		"at=2026-11-24T21:00:00%2B01:00":           "103",
		"at=2026-11-25T05:59:00%2B01:00":           "103",
		"at=2026-11-24T12:00:00%2B01:00&profile=2": "103",
		"at=2026-11-24T12:00:00%2B01:00&profile=1": "101",
	} {
		x := try("gateway=one&caller=101&digits=49891234101&" + query)
		if x.Internal || x.Gateway != "Line one" || x.Decision.Kind != "ring" || x.Decision.Ring[0].Extension != want {
			t.Errorf("%s: %+v, want %s", query, x, want)
		}
	}
	if cfg, _ := m.Current(); cfg.NightService.Profile != 0 {
		t.Error("trying a profile has chosen it")
	}
	c.want(422, "GET", "/dialplan/try?digits=1&gateway=none", "", nil)
	c.want(422, "GET", "/dialplan/try?digits=1&profile=10", "", nil)
}
