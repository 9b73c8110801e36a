package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// permit makes a permission that of all users, or takes it from all groups.
func permit(cfg *pbx.Config, p pbx.Permission, on bool) {
	for i := range cfg.PermissionGroups {
		g := &cfg.PermissionGroups[i]
		g.Permissions = slices.DeleteFunc(g.Permissions, func(x pbx.GroupPermission) bool { return x.Permission == p })
		if on && g.ID == pbx.GroupAllUsers {
			g.Permissions = append(g.Permissions, pbx.GroupPermission{Permission: p, AppliesTo: pbx.GroupAllUsers})
		}
	}
}

// TestOwnCalls has a user switch each of the own settings, with and without
// the permission for it.
func TestOwnCalls(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	loggedIn(t, s)
	m.edit(t, func(cfg *pbx.Config) {
		u := cfg.UserByID("demo101")
		u.PIN, u.MustChangePIN = s.pins.Hash(pbx.Secret("314159")), false
		u.CLIPInternal, u.CLIPExternal = []string{"102"}, []string{"+4989123"}
	})
	c := &client{t: t, s: s, addr: lanAddr}
	c.login("demo101", "314159")
	now := func() pbx.UserCalls {
		cfg, _ := m.Current()
		return cfg.UserByID("demo101").Calls
	}
	var shown UserCallSettings
	c.want(200, "GET", "/profile/calls", "", &shown)
	if shown.UserCalls != (pbx.UserCalls{}) || !slices.Equal(shown.CLIPInternal, []string{"102"}) || !slices.Equal(shown.CLIPExternal, []string{"+4989123"}) {
		t.Errorf("a new user has %+v", shown)
	}
	for _, tt := range []struct {
		body       string
		permission pbx.Permission
	}{
		{`{"internalAlways":true,"internalAlwaysNumber":"102"}`, pbx.PermitCallForwarding},
		{`{"externalUnregisteredNumber":"102"}`, pbx.PermitCallForwarding},
		{`{"noAnswerTime":12}`, pbx.PermitCallForwarding},
		{`{"doNotDisturb":true}`, pbx.PermitDND},
		{`{"busyOnBusy":true}`, pbx.PermitCallWaiting},
		{`{"hideNumber":true}`, pbx.PermitCLIR},
		{`{"showInternal":"102"}`, pbx.PermitCLIP},
		{`{"showExternal":"+4989123"}`, pbx.PermitCLIP},
		{`{"reminder":true,"reminderAt":"07:30"}`, pbx.PermitReminder},
	} {
		m.edit(t, func(cfg *pbx.Config) {
			cfg.UserByID("demo101").Calls = pbx.UserCalls{}
			permit(cfg, tt.permission, false)
		})
		if res := c.want(403, "PUT", "/profile/calls", tt.body, nil); !strings.Contains(res.text, string(tt.permission)) {
			t.Errorf("%s: %s", tt.body, res.text)
		}
		if now() != (pbx.UserCalls{}) {
			t.Errorf("%s: kept without permission", tt.body)
		}
		m.edit(t, func(cfg *pbx.Config) { permit(cfg, tt.permission, true) })
		c.want(200, "PUT", "/profile/calls", tt.body, nil)
		if now() == (pbx.UserCalls{}) {
			t.Errorf("%s: not kept", tt.body)
		}
	}
	for body, field := range map[string]string{
		`{"internalAlways":true}`:                              "body.internalAlwaysNumber",
		`{"internalAlways":true,"internalAlwaysNumber":"101"}`: "body.internalAlwaysNumber",
		`{"internalBusyNumber":"one"}`:                         "body.internalBusyNumber",
		`{"showInternal":"103"}`:                               "body.showInternal",
		`{"showExternal":"103"}`:                               "body.showExternal",
		`{"reminder":true}`:                                    "body.reminderAt",
		`{"reminderAt":"25:00"}`:                               "body.reminderAt",
		`{"noAnswerTime":301}`:                                 "body.noAnswerTime",
		`{"externalBusy":true,"externalBusyNumber":"112"}`:     "body.externalBusyNumber",
		`{"internalBusy":true,"internalBusyNumber":"0110"}`:    "body.internalBusyNumber",
	} {
		if res := c.want(422, "PUT", "/profile/calls", body, nil); !strings.Contains(res.text, fmt.Sprintf("%q", field)) {
			t.Errorf("%s: %s does not name %s", body, res.text, field)
		}
	}
	c.want(200, "PUT", "/profile/calls", `{"externalBusy":true,"externalBusyNumber":"103"}`, nil)
	c.want(200, "PUT", "/profile/calls", `{"externalBusyNumber":"103"}`, nil)
	kept := now()
	if number, on := kept.Forwarding(true, pbx.DivertBusy); number != "103" || on {
		t.Errorf("switched off: %q %v, want the number to stay", number, on)
	}
	if n := m.audited("change-own-calls"); n != 11 {
		t.Errorf("%d changes are in the audit log, want 11", n)
	}
	c.want(403, "PUT", "/users/demo102/calls", `{"doNotDisturb":true}`, nil)
}

// Each module lets its own part be changed.
func TestOwnCallsModules(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	loggedIn(t, s)
	m.edit(t, func(cfg *pbx.Config) {
		u := cfg.UserByID("demo101")
		u.PIN, u.MustChangePIN = s.pins.Hash(pbx.Secret("314159")), false
		cfg.GUIGroupByID(pbx.GUIGroupUser).Off = []string{"service-attributes"}
	})
	c := &client{t: t, s: s, addr: lanAddr}
	c.login("demo101", "314159")
	c.want(200, "PUT", "/profile/calls", `{"internalAlways":true,"internalAlwaysNumber":"102"}`, nil)
	c.want(403, "PUT", "/profile/calls", `{"internalAlways":true,"internalAlwaysNumber":"102","doNotDisturb":true}`, nil)
	m.edit(t, func(cfg *pbx.Config) { cfg.GUIGroupByID(pbx.GUIGroupUser).Off = []string{"call-forwarding"} })
	c.want(403, "PUT", "/profile/calls", `{}`, nil)
	c.want(200, "PUT", "/profile/calls", `{"internalAlways":true,"internalAlwaysNumber":"102","doNotDisturb":true}`, nil)
	m.edit(t, func(cfg *pbx.Config) {
		cfg.GUIGroupByID(pbx.GUIGroupUser).Off = []string{"call-forwarding", "service-attributes"}
	})
	c.want(403, "GET", "/profile/calls", "", nil)
}

func TestCallsOfAUser(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	m.edit(t, func(cfg *pbx.Config) { permit(cfg, pbx.PermitDND, false) })
	c.want(200, "PUT", "/users/demo102/calls", `{"doNotDisturb":true}`, nil) // an administrator may, though it does not hold
	var shown UserCallSettings
	if c.want(200, "GET", "/users/demo102/calls", "", &shown); !shown.DoNotDisturb {
		t.Errorf("got %+v", shown)
	}
	c.want(404, "GET", "/users/nobody/calls", "", nil)
	c.want(404, "PUT", "/users/nobody/calls", `{}`, nil)
	if n := m.audited("change-user-calls"); n != 1 {
		t.Errorf("%d changes are in the audit log", n)
	}
	// A change of the user keeps the call settings.
	c.want(200, "PUT", "/users/demo102", `{"user":"demo102","extension":"102","firstName":"Benno"}`, nil)
	if cfg, _ := m.Current(); !cfg.UserByID("demo102").Calls.DoNotDisturb {
		t.Error("lost with a change of the name")
	}
}

// Who may do less does not send the calls of others elsewhere.
func TestCallsOfWhoMayDoMore(t *testing.T) {
	before := pbx.Factory(pbx.Defaults{})
	before.PermissionGroups = append(before.PermissionGroups, pbx.PermissionGroup{ID: "chiefs", PermissionGroupSettings: pbx.PermissionGroupSettings{
		Name: "Chiefs", Type: "user", Members: []string{"demo102"}, Permissions: []pbx.GroupPermission{{Permission: pbx.PermitOverrideForward, AppliesTo: pbx.GroupAllUsers}}}})
	for id, refused := range map[string]bool{"demo102": true, "demo103": false} {
		after := before.Clone()
		after.UserByID(id).Calls.SetForwarding(true, pbx.DivertAlways, true, "101")
		if p := guardRights(before, after, before.UserByID("demo101"), "demo101"); (p != nil) != refused {
			t.Errorf("%s: refused %v, want %v", id, p, refused)
		}
	}
}

func TestTryNumber(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	busy := map[string]int{}
	s.CallsOf = func(ext string) int { return busy[ext] }
	m.edit(t, func(cfg *pbx.Config) {
		cfg.UserByID("demo102").Calls.SetForwarding(false, pbx.DivertNoAnswer, true, "103")
		cfg.SIP.CallsAtOnce = 2
		cfg.HuntGroups = []pbx.HuntGroup{{ID: "h", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "Sales", CallScheme: "linear",
			Members: []pbx.HuntMember{{User: "demo101", Timeout: 5}, {User: "demo102", Timeout: 5}}}}}
	})
	try := func(query string) (x Tried) {
		t.Helper()
		c.want(200, "GET", "/dialplan/try?"+query, "", &x)
		return x
	}
	x := try("caller=101&digits=102&at=2026-11-24T20:00:00Z")
	if x.Caller != "Anna Demo 101" || !x.Internal || x.Decision.Kind != "ring" || x.Decision.Ring[0].Extension != "102" || x.Decision.Timeout != 20 {
		t.Fatalf("got %+v", x)
	}
	if first := x.Decision.Trace[0].Message.Text(); first != "Decided for 2026-11-24 21:00" { // in the zone of the device
		t.Errorf("first step %q", first)
	}
	follows := map[string]string{}
	for _, f := range x.Follows {
		what := string(f.Decision.Kind) + " " + f.Decision.Refuse.String()
		if len(f.Decision.Ring) > 0 {
			what = "ring " + f.Decision.Ring[0].Extension
		}
		follows[fmt.Sprintf("%d %v", f.After, f.Outcomes)] = what
	}
	for key, want := range map[string]string{"0 [no-answer]": "ring 103", "0 [busy]": "refuse busy", "1 [no-answer]": "refuse no answer", "1 [refused]": "refuse rejected"} {
		if follows[key] != want {
			t.Errorf("after %s: got %q, want %q of %v", key, follows[key], want, follows)
		}
	}
	if x := try("caller=%2B49891234&digits=102"); x.Internal || x.Caller != "+49891234" || x.Decision.Ring[0].Number != "+49891234" {
		t.Errorf("from outside: %+v", x)
	}
	if x := try("caller=103&digits=600"); !x.More || len(x.Follows) != maxFollows {
		t.Errorf("hunt group: %d decisions follow, more %v", len(x.Follows), x.More)
	}
	if x := try("caller=101&digits=102&now=true"); x.Decision.Refuse != pbx.CauseSubscriberAbsent {
		t.Errorf("with the phones of now: %+v", x.Decision)
	}
	m.tell(pbx.Fact{Kind: pbx.FactRegistration, Extension: "102", Registrations: []pbx.Registration{{Extension: "102"}}})
	if x := try("caller=101&digits=102&now=true"); x.Decision.Kind != "ring" {
		t.Errorf("with a phone: %+v", x.Decision)
	}
	busy["102"] = 2
	if x := try("caller=101&digits=102&now=true"); x.Decision.Refuse != pbx.CauseUserBusy {
		t.Errorf("busy: %+v", x.Decision)
	}
	c.want(422, "GET", "/dialplan/try?digits=abc", "", nil)
	c.want(422, "GET", "/dialplan/try?digits="+strings.Repeat("1", 49), "", nil)
	c.want(422, "GET", "/dialplan/try?digits=1&at=tomorrow", "", nil)
	for _, at := range []string{"9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1999-12-31T23:59:59Z", "2101-01-01T00:00:00Z"} {
		if res := c.want(422, "GET", "/dialplan/try?digits=1&at="+at, "", nil); !strings.Contains(res.text, `"query.at"`) {
			t.Errorf("at %s: %s", at, res.text)
		}
	}
	c.want(200, "GET", "/dialplan/try?digits=1&at=2100-12-31T23:59:59Z", "", nil)

	m.edit(t, func(cfg *pbx.Config) {
		u := cfg.UserByID("demo101")
		u.PIN, u.MustChangePIN = s.pins.Hash(pbx.Secret("314159")), false
	})
	anna := &client{t: t, s: s, addr: lanAddr}
	anna.login("demo101", "314159")
	anna.want(403, "GET", "/dialplan/try?digits=102", "", nil)
}
