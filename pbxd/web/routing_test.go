package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// outsideLines gives cfg one provider, two routes each way and a calendar.
func outsideLines(cfg *pbx.Config) {
	g := pbx.Gateway{ID: "gw1"}
	pbx.SetDefaults(&g.GatewaySettings)
	g.Name, g.Group, g.Registrar, g.User, g.Codecs = "Provider", "gg1", "sip.example", "4989123", []string{"pcma"}
	cfg.Gateways = []pbx.Gateway{g}
	group := func(id, title string) pbx.GatewayGroup {
		g := pbx.GatewayGroup{ID: id}
		pbx.SetDefaults(&g.GatewayGroupSettings)
		g.Title = title
		return g
	}
	cfg.GatewayGroups = []pbx.GatewayGroup{group("gg1", "Outside"), group("gg2", "Mobile")}
	cfg.InboundRoutes, cfg.OutboundRoutes = nil, nil
	for _, r := range [][3]string{{"in1", "Day", "gg1"}, {"in2", "Cell", "gg2"}, {"in3", "Night", "gg1"}} {
		in := pbx.InboundRoute{ID: r[0]}
		pbx.SetDefaults(&in.InboundRouteSettings)
		in.Rule, in.Group, in.Pattern, in.Target = r[1], r[2], "^(.*)", "$1"
		cfg.InboundRoutes = append(cfg.InboundRoutes, in)
	}
	for _, r := range [][2]string{{"out1", "National"}, {"out2", "Foreign"}} {
		out := pbx.OutboundRoute{ID: r[0]}
		pbx.SetDefaults(&out.OutboundRouteSettings)
		out.Rule, out.Pattern, out.Groups = r[1], "0", []string{"gg1"}
		cfg.OutboundRoutes = append(cfg.OutboundRoutes, out)
	}
	cfg.Calendars = []pbx.Calendar{{ID: "cal1", CalendarSettings: pbx.CalendarSettings{Name: "Bavaria", Days: []pbx.Holiday{{Title: "Epiphany", From: "01-06"}}}}}
}

func nowOf(m *memory) *pbx.Config {
	cfg, _ := m.Current()
	return cfg
}

// TestGroupOfARoute deletes a permission group that a route is for: the route must
// not be everybody's then.
func TestGroupOfARoute(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	m.edit(t, outsideLines)
	m.edit(t, func(cfg *pbx.Config) {
		cfg.PermissionGroups = append(cfg.PermissionGroups, pbx.PermissionGroup{ID: "local", PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Local", Type: "user", Members: []string{}, Permissions: []pbx.GroupPermission{}}})
		cfg.OutboundRoutes[1].UserGroup = "local"
	})
	c.want(409, "DELETE", "/permission-groups/local", "", nil)
	if got := nowOf(m).OutboundRoutes[1].UserGroup; got != "local" {
		t.Errorf("the route is for %q", got)
	}
	m.edit(t, func(cfg *pbx.Config) { cfg.OutboundRoutes[1].UserGroup = "" })
	c.want(204, "DELETE", "/permission-groups/local", "", nil)
}

// TestWhatRoutesUse deletes what routes are made of: refused, with the name of the
// rule, rather than that the rule means something else then.
func TestWhatRoutesUse(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	m.edit(t, outsideLines)
	m.edit(t, func(cfg *pbx.Config) {
		cfg.OutboundRoutes[1].Window = pbx.Window{Holidays: "only", Calendar: "cal1"}
		cfg.OutboundRoutes[0].Groups = []string{"gg1", "gg2"}
	})
	for _, tc := range [][2]string{{"gateway-groups/gg1", "Day"}, {"gateway-groups/gg2", "Cell"}, {"calendars/cal1", "Foreign"}} {
		if res := c.want(409, "DELETE", "/"+tc[0], "", nil); !strings.Contains(res.text, tc[1]) {
			t.Errorf("%s: got %s", tc[0], res.text)
		}
	}
	m.edit(t, func(cfg *pbx.Config) {
		cfg.InboundRoutes = cfg.InboundRoutes[:1]
		cfg.OutboundRoutes[1].Window = pbx.Window{Holidays: "any", Calendar: "cal1"}
	})
	c.want(204, "DELETE", "/gateway-groups/gg2", "", nil)
	c.want(204, "DELETE", "/calendars/cal1", "", nil)
	if got := nowOf(m).OutboundRoutes[1].Window.Calendar; got != "" {
		t.Errorf("the route still names the calendar %s", got)
	}
	if res := c.want(409, "DELETE", "/transports/defaultudp", "", nil); !strings.Contains(res.text, "The gateway ") {
		t.Errorf("the transport: got %s", res.text)
	}
	c.want(204, "DELETE", "/transports/defaulttcp", "", nil)
	if got := nowOf(m).OutboundRoutes[0].Groups; !slices.Equal(got, []string{"gg1"}) {
		t.Errorf("the route goes over %v", got)
	}
}

// TestMoveRoutes moves routes and gateways within their order.
func TestMoveRoutes(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	m.edit(t, outsideLines)
	m.edit(t, func(cfg *pbx.Config) {
		for _, g := range [][2]string{{"gw2", "gg2"}, {"gw3", "gg1"}} {
			other := cfg.Gateways[0]
			other.ID, other.Name, other.Group, other.User = g[0], g[0], g[1], g[0]
			cfg.Gateways = append(cfg.Gateways, other)
		}
	})
	for _, tc := range []struct {
		list, id, body string
		want           []string
		comment        string // "": nothing is changed
	}{
		{"inbound-routes", "in3", `{"before":"in1"}`, []string{"in3", "in1", "in2"}, "Inbound route Night moved before Day"},
		{"inbound-routes", "in3", `{}`, []string{"in1", "in3", "in2"}, "Inbound route Night moved to the end"},
		{"inbound-routes", "in1", `{"before":""}`, []string{"in3", "in1", "in2"}, "Inbound route Day moved to the end"},
		{"inbound-routes", "in1", `{"before":"in1"}`, []string{"in3", "in1", "in2"}, ""},
		{"outbound-routes", "out2", `{"before":"out1"}`, []string{"out2", "out1"}, "Outbound route Foreign moved before National"},
		{"outbound-routes", "out2", `{}`, []string{"out1", "out2"}, "Outbound route Foreign moved to the end"},
		{"gateways", "gw3", `{"before":"gw1"}`, []string{"gw3", "gw1", "gw2"}, "Gateway gw3 moved before Provider"},
	} {
		var before, after, list EntryOrder
		seen := c.want(200, "GET", "/"+tc.list+"/order", "", &before).Header.Get("ETag")
		path := apiPrefix + "/" + tc.list + "/" + tc.id + "/move"
		if res := c.do("POST", path, tc.body, "If-Match", `"another"`); res.StatusCode != 412 {
			t.Errorf("%s %s by another order: got %d, want 412", tc.id, tc.body, res.StatusCode)
		}
		res := c.do("POST", path, tc.body, "If-Match", seen)
		if res.StatusCode != 200 {
			t.Fatalf("%s %s: got %d %s", tc.id, tc.body, res.StatusCode, res.text)
		}
		if err := json.Unmarshal([]byte(res.text), &after); err != nil {
			t.Fatal(err)
		}
		now := c.want(200, "GET", "/"+tc.list+"/order", "", &list).Header.Get("ETag")
		if !slices.Equal(after.IDs, tc.want) || !slices.Equal(list.IDs, tc.want) || now != res.Header.Get("ETag") {
			t.Errorf("%s %s: got %v, then %v, want %v", tc.id, tc.body, after.IDs, list.IDs, tc.want)
		}
		last := m.revisions[len(m.revisions)-1]
		switch {
		case tc.comment == "" && now != seen:
			t.Errorf("%s %s: the order has changed", tc.id, tc.body)
		case tc.comment != "" && last.Comment != tc.comment:
			t.Errorf("%s %s: the history says %q, want %q", tc.id, tc.body, last.Comment, tc.comment)
		}
	}
	for _, tc := range []struct {
		path, body string
		status     int
	}{
		{"/inbound-routes/in1/move", `{"before":"in2"}`, 422}, // of another group
		{"/inbound-routes/in1/move", `{"before":"gone"}`, 422},
		{"/inbound-routes/gone/move", `{}`, 404},
		{"/outbound-routes/out1/move", `{"before":1}`, 422},
		{"/gateways/gw1/move", `{"before":"gw2"}`, 422},
	} {
		if res := c.do("POST", apiPrefix+tc.path, tc.body); res.StatusCode != tc.status {
			t.Errorf("POST %s %s: got %d %s, want %d", tc.path, tc.body, res.StatusCode, res.text, tc.status)
		}
	}
}

// TestMovedToAnotherGroup lets a route go to another group: the order that was
// seen before is that of now no more.
func TestMovedToAnotherGroup(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	m.edit(t, outsideLines)
	seen := c.want(200, "GET", "/inbound-routes/order", "", nil).Header.Get("ETag")
	m.edit(t, func(cfg *pbx.Config) { cfg.InboundRoutes[1].Group = "gg1" })
	if res := c.do("POST", apiPrefix+"/inbound-routes/in1/move", `{}`, "If-Match", seen); res.StatusCode != 412 {
		t.Errorf("got %d %s, want 412", res.StatusCode, res.text)
	}
}

// TestGatewayPassword checks that a password is kept for its account alone.
func TestGatewayPassword(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	m.edit(t, outsideLines)
	var all map[string]any
	c.want(200, "GET", "/gateways/gw1", "", &all)
	delete(all, "id")
	delete(all, "passwordSet")
	delete(all, "options")
	with := func(name string, value any) string {
		body := maps.Clone(all)
		body[name] = value
		return asJSON(t, body)
	}
	var g Gateway
	if res := c.want(200, "PUT", "/gateways/gw1", with("password", "geheim"), &g); !g.PasswordSet || strings.Contains(res.text, "geheim") {
		t.Errorf("got %s", res.text)
	}
	kept := nowOf(m).Gateways[0].Password
	c.want(200, "PUT", "/gateways/gw1", with("maxCalls", 4), nil)
	if now := nowOf(m).Gateways[0].Password; now != kept {
		t.Error("the password has not stayed")
	}
	if res := c.want(422, "PUT", "/gateways/gw1", with("registrar", "sip.thief.example"), nil); !strings.Contains(res.text, "body.password") {
		t.Errorf("another server: got %s", res.text)
	}
	c.want(200, "PUT", "/gateways/gw1", with("password", ""), &g)
	if g.PasswordSet || nowOf(m).Gateways[0].Password != "" {
		t.Error("the password is still there")
	}
}

// TestWhatRoutesReferTo reads what may be chosen in routes and transports with their
// modules alone.
func TestWhatRoutesReferTo(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "olga", 311, "outbound-routes")
		withModules(cfg, "tom", 312, "transports")
		withModules(cfg, "ines", 313, "inbound-routes")
		withModules(cfg, "gerd", 314, "gateways")
		withModules(cfg, "gina", 315, "gateway-groups")
	})
	for id, paths := range map[string][]string{
		"olga": {"gateway-groups", "permission-groups", "calendars"}, "tom": {"certificates"}, "ines": {"gateway-groups", "calendars"}, "gerd": {"gateway-groups", "transports"}, "gina": {"gateways", "user-names"},
	} {
		for _, path := range paths {
			enter(t, s, id).want(200, "GET", "/"+path, "", nil)
		}
	}
	enter(t, s, "tom").want(403, "POST", "/certificates", `{}`, nil)
	enter(t, s, "olga").want(403, "POST", "/permission-groups", `{}`, nil)
}

// TestNightService lets administrators and users choose the profile.
func TestNightService(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		outsideLines(cfg)
		withModules(cfg, "nora", 311, "home")
		withModules(cfg, "otto", 312, "home")
		withModules(cfg, "rolf", 313, "inbound-routes")
		cfg.PermissionGroupByID("pnora").Permissions = append(cfg.PermissionGroupByID("pnora").Permissions,
			pbx.GroupPermission{Permission: pbx.PermitSetNightService, AppliesTo: pbx.GroupAllUsers})
	})
	rolf, nora, otto := enter(t, s, "rolf"), enter(t, s, "nora"), enter(t, s, "otto")
	var v NightServiceStatus
	rolf.want(200, "PUT", "/night-service", `{"profile":3,"selectable":["1","2"]}`, &v)
	if v.Profile != 3 || !slices.Equal(v.Selectable, []string{"1", "2"}) || !v.MaySet {
		t.Errorf("the administrator: got %+v", v)
	}
	if got := m.revisions[len(m.revisions)-1].Comment; got != "Night answer service: profile 3" {
		t.Errorf("the history says %q", got)
	}
	tag := nora.want(200, "GET", "/night-service", "", &v).Header.Get("ETag")
	if !v.MayChoose || v.MaySet || v.Profile != 3 {
		t.Errorf("the user: got %+v", v)
	}
	nora.want(422, "PUT", "/night-service", `{"profile":4}`, nil)
	nora.want(200, "PUT", "/night-service", `{"profile":3,"selectable":["9"]}`, &v) // that which holds may stay
	for _, profile := range []int{2, 0} {
		nora.want(200, "PUT", "/night-service", fmt.Sprintf(`{"profile":%d}`, profile), &v)
		if v.Profile != profile || !slices.Equal(v.Selectable, []string{"1", "2"}) {
			t.Errorf("the user chose %d: got %+v", profile, v)
		}
	}
	if res := nora.do("PUT", apiPrefix+"/night-service", `{"profile":1}`, "If-Match", tag); res.StatusCode != 412 {
		t.Errorf("an old state: got %d, want 412", res.StatusCode)
	}
	otto.want(403, "GET", "/night-service", "", nil)
	otto.want(403, "PUT", "/night-service", `{"profile":1}`, nil)
	rolf.want(422, "PUT", "/night-service", `{"profile":10}`, nil)
	rolf.want(422, "PUT", "/night-service", `{"selectable":["1","1"]}`, nil)
	nora.want(403, "GET", "/toll-limits", "", nil)
	if nowOf(m).NightService.Profile != 0 {
		t.Error("a refused change was made")
	}
}
