package pbx

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestMembership(t *testing.T) {
	c := office()
	c.Users[2].HideFromPhonebook = true
	members := map[string][]string{}
	for i := range c.PermissionGroups {
		members[c.PermissionGroups[i].ID] = c.MembersOf(&c.PermissionGroups[i])
	}
	want := map[string][]string{
		GroupAdmins: {"admin"}, GroupAllHosts: {}, GroupInvisibleUsers: {"admin", "demo102"}, GroupAllUsers: {"admin", "demo101", "demo102", "demo103"},
		GroupVisibleUsers: {"demo101", "demo103"}, GroupAllQueues: {}, "g1": {"demo101"},
	}
	if !maps.EqualFunc(members, want, slices.Equal) {
		t.Errorf("got %v\nwant %v", members, want)
	}
}

// The manual's example (F097): the executive picks up and overrides the
// secretariat's forwarding; the secretariat picks up for itself.
func TestExecutiveAndSecretariat(t *testing.T) {
	c := Factory(Defaults{})
	boss, anna, ben := &c.Users[1], &c.Users[2], &c.Users[3]
	c.PermissionGroups = append(c.PermissionGroups,
		PermissionGroup{"sec", PermissionGroupSettings{"Secretariat", "user", []string{anna.ID}, []GroupPermission{{PermitCallForwarding, "sec"}, {PermitDirectPickup, "sec"}}}},
		PermissionGroup{"exec", PermissionGroupSettings{"Executive's office", "user", []string{boss.ID}, []GroupPermission{{PermitDirectPickup, "exec"}, {PermitOverrideForward, "sec"}}}})
	if got := refusals(c); got != nil {
		t.Fatalf("refused: %q", got)
	}
	for _, tc := range []struct {
		u      *User
		p      Permission
		target *User
		want   bool
	}{
		{boss, PermitOverrideForward, anna, true}, {boss, PermitOverrideForward, ben, false}, {anna, PermitOverrideForward, boss, false},
		{boss, PermitDirectPickup, boss, true}, {boss, PermitDirectPickup, anna, false}, {anna, PermitDirectPickup, anna, true}, {anna, PermitDirectPickup, boss, false},
		{ben, PermitGroupPickup, boss, true}, {ben, PermitImpersonate, anna, false}, {&c.Users[0], PermitImpersonate, anna, true},
	} {
		if got := c.May(tc.u, tc.p, tc.target); got != tc.want {
			t.Errorf("%s %s %s: got %v", tc.u.Name, tc.p, tc.target.Name, got)
		}
	}
	if !c.Holds(&c.Users[0], PermitEditContacts) || c.Holds(boss, PermitEditContacts) {
		t.Error("who edits the global contacts")
	}
}

func TestModules(t *testing.T) {
	seen := map[string]bool{"": true}
	for _, m := range Modules() {
		if seen[m.ID] || !seen[m.Parent] {
			t.Errorf("module %q comes twice or before its parent %q", m.ID, m.Parent)
		}
		seen[m.ID] = true
	}
	c := office()
	if n, all := len(c.ModulesOf(&c.Users[0])), len(Modules()); n != all {
		t.Errorf("admin has %d of %d modules", n, all)
	}
	if on := c.ModulesOf(&c.Users[1]); !on["home"] || !on["contacts-private"] || on["users"] || on["impersonate"] {
		t.Errorf("a plain user has %v", on)
	}
	g := &GUIGroup{}
	g.SetModules([]string{"users", "login"})
	if got, want := g.Modules(), []string{"login", "users-and-extensions", "users-and-groups", "users"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	g = &GUIGroup{Base: "user"}
	g.SetModules(slices.DeleteFunc(g.Modules(), func(id string) bool { return id == "contacts" }))
	if slices.Contains(g.Modules(), "contacts") != true {
		t.Error("a module below keeps its parent on")
	}
	g.Off = []string{"contacts"}
	if got := g.Modules(); slices.ContainsFunc(got, func(id string) bool { return strings.HasPrefix(id, "contacts") }) {
		t.Errorf("a parent that is off leaves %q on", got)
	}
}

// Setting what is on changes nothing, for every group.
func TestSetModulesKeeps(t *testing.T) {
	for _, g := range append(factoryGUIGroups(), GUIGroup{On: []string{"login", "system", "revisions"}}, GUIGroup{Base: "admin", Off: []string{"permissions"}, On: []string{"login"}}) {
		before := g.Modules()
		g.SetModules(before)
		if after := g.Modules(); !slices.Equal(before, after) {
			t.Errorf("%+v: before %q, after %q", g, before, after)
		}
	}
}

func TestSettings(t *testing.T) {
	c := Factory(Defaults{})
	n := 0
	for _, tab := range SettingsTabs() {
		for _, p := range tab.Paths {
			n++
			value, ok := c.Param(p)
			if !ok || !IsSetting(p) {
				t.Fatalf("%s is no parameter", p)
			}
			d := c.Clone()
			if err := d.SetParam(p, value); err != nil || !reflect.DeepEqual(c, d.Clone()) {
				t.Errorf("%s = %s: %v", p, value, err)
			}
			if err := d.SetParam(p, json.RawMessage(`{}`)); err == nil {
				t.Errorf("%s takes an object", p)
			}
			if err := d.SetParam(p, json.RawMessage(`null`)); err == nil {
				t.Errorf("%s takes null", p)
			}
		}
	}
	if n < 12 || IsSetting("page.certificate") || IsSetting("mail.server") || IsSetting("users") {
		t.Errorf("%d settings", n)
	}
	if err := c.SetParam("sip.ringTime", json.RawMessage(`700`)); err != nil {
		t.Fatal(err)
	}
	if err := c.CheckParam("sip.ringTime"); err == nil || !strings.Contains(err.Error(), "5 to 600") {
		t.Errorf("got %v", err)
	}
	if err := c.CheckParam("sip.minExpires"); err != nil {
		t.Errorf("another parameter's fault: %v", err)
	}
	if err := c.SetParam("sip.moon", json.RawMessage(`1`)); err == nil {
		t.Error("an unknown parameter was set")
	}
	if DefaultOf("sip.ringTime") != "120" || DefaultOf("sip.moon") != "" {
		t.Error("defaults")
	}
}

func TestMessage(t *testing.T) {
	for _, tc := range []struct {
		m    Message
		want string
	}{
		{Say("is needed"), "is needed"},
		{Say("is {n}; allowed are {min} to {max}", "n", 7, "min", 1, "max", 5), "is 7; allowed are 1 to 5"},
		{Say("{a}{b} {c}", "a", "{b}", "b", 2), "{b}2 {c}"},
		{Say("open {a", "a", 1), "open {a"},
		{Message{}, ""},
	} {
		if got := tc.m.Text(); got != tc.want {
			t.Errorf("%+v: got %q, want %q", tc.m, got, tc.want)
		}
	}
}
