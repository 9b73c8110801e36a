package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// TestCollections takes an entry of each list through its life.
func TestCollections(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	for _, tc := range []struct{ path, one, add, change, wrong, field string }{
		{"/pickup-groups", "pickup-group", `{"number":3,"name":"Office","members":["demo101"]}`, `{"number":4,"name":"Office","members":["demo102","demo101"]}`, `{"number":0,"name":"Office"}`, "number"},
		{"/hunt-groups", "hunt-group", `{"extension":"600","title":"Sales","members":[{"user":"demo101","timeout":7}]}`, `{"extension":"601","title":"Sales","callScheme":"parallel","members":[]}`,
			`{"extension":"101","title":"Sales","callScheme":"linear"}`, "extension"},
		{"/hunt-groups", "hunt-group", `{"extension":"610","title":"Shop"}`, `{"extension":"611","title":"Shop","callScheme":"linear"}`,
			`{"extension":"612","title":"Shop","callScheme":"linear","members":[{"user":"demo101","timeout":5},{"user":"nobody","timeout":5}]}`, "members[1].user"},
		{"/permission-groups", "permission-group", `{"name":"Local","members":["demo101"],"permissions":[{"permission":"allow-dnd","appliesTo":"allusers"}]}`, `{"name":"National","type":"user","members":[]}`,
			`{"name":"Local","type":"user","permissions":[{"permission":"fly","appliesTo":"allusers"}]}`, "permissions[0].permission"},
		{"/gui-groups", "gui-group", `{"title":"Reception","modules":["contacts-private-csv"]}`, `{"title":"Reception","modules":["home"]}`, `{"title":"Reception","modules":["x"]}`, "modules[0]"},
		{"/provisioning-groups", "provisioning-group", `{"name":"Desk phones"}`, `{"name":"Door phones"}`, `{"name":""}`, "name"},
	} {
		before, _ := m.Current()
		var e struct{ ID string }
		res := c.want(201, "POST", tc.path, tc.add, &e)
		at := tc.path + "/" + e.ID
		if got := res.Header.Get("Location"); got != apiPrefix+at {
			t.Errorf("%s: Location %q, want %q", tc.path, got, apiPrefix+at)
		}
		tag := res.Header.Get("ETag")
		if got := c.want(200, "GET", at, "", nil); got.Header.Get("ETag") != tag || got.text != res.text {
			t.Errorf("%s: read %s %s, added %s %s", tc.path, got.Header.Get("ETag"), got.text, tag, res.text)
		}
		var list []json.RawMessage
		c.want(200, "GET", tc.path, "", &list)
		if len(list) == 0 || string(list[len(list)-1])+"\n" != res.text {
			t.Errorf("%s: the list ends with %s, want %s", tc.path, list[len(list)-1], res.text)
		}
		for header, want := range map[string]int{"": 428, `"other"`: 412, `"other", ` + tag: 200} {
			if got := c.do("PUT", apiPrefix+at, tc.change, "If-Match", header); got.StatusCode != want {
				t.Errorf("PUT %s with If-Match %q: got %d %s, want %d", at, header, got.StatusCode, got.text, want)
			} else if want == 200 && got.Header.Get("ETag") == tag {
				t.Errorf("PUT %s: the ETag stays", at)
			}
		}
		n, acts := len(m.revisions), len(m.audits)
		c.want(200, "PUT", at, tc.change, nil) // the same again
		if len(m.revisions) != n || len(m.audits) != acts {
			t.Errorf("PUT %s: no change makes a revision or an entry", at)
		}
		var p Problem
		c.want(422, "PUT", at, tc.wrong, &p)
		if len(p.Errors) == 0 || p.Errors[0].Location != "body."+tc.field || p.Errors[0].Template == "" {
			t.Errorf("PUT %s %s: got %+v, want a refusal of %s", at, tc.wrong, p.Errors, tc.field)
		}
		for header, want := range map[string]int{"": 428, tag: 412} {
			if got := c.do("DELETE", apiPrefix+at, "", "If-Match", header); got.StatusCode != want {
				t.Errorf("DELETE %s with If-Match %q: got %d, want %d", at, header, got.StatusCode, want)
			}
		}
		c.want(204, "DELETE", at, "", nil)
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			c.want(404, method, at, map[string]string{"PUT": tc.change}[method], nil)
		}
		if now, _ := m.Current(); fmt.Sprintf("%+v", now) != fmt.Sprintf("%+v", before) {
			t.Errorf("%s: adding, changing and deleting left a trace", tc.path)
		}
		for _, act := range []string{"add-", "change-", "delete-"} {
			if m.audited(act+tc.one) == 0 {
				t.Errorf("%s%s is not in the audit log", act, tc.one)
			}
		}
	}
}

// TestPredefinedGroups checks what cannot be changed of them.
func TestPredefinedGroups(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	c.want(409, "DELETE", "/permission-groups/allusers", "", nil)
	c.want(409, "DELETE", "/gui-groups/newusergui", "", nil)
	var g PermissionGroup
	c.want(200, "GET", "/permission-groups/allvisibleusers", "", &g)
	if !g.Predefined || fmt.Sprint(g.Members) != "[demo101 demo102 demo103]" {
		t.Errorf("all visible users: %+v", g)
	}
	c.want(200, "PUT", "/permission-groups/allvisibleusers", `{"name":"In the phonebook","type":"queue","members":["admin"],"permissions":[]}`, &g)
	cfg, _ := m.Current()
	if kept := cfg.PermissionGroupByID("allvisibleusers"); kept.Name != "In the phonebook" || kept.Type != "user" || len(kept.Members) != 0 || len(g.Members) != 3 {
		t.Errorf("after the change: %+v, shown %v", kept, g.Members)
	}
	var gui GUIGroup
	c.want(200, "PUT", "/gui-groups/newusergui", `{"title":"Users","modules":["login","logout","profile-pin"]}`, &gui)
	if fmt.Sprint(gui.Modules) != "[login logout profile profile-pin]" {
		t.Errorf("modules: %v", gui.Modules)
	}
}

// TestMemberships edits the groups of a user from the user's side, and deletes
// what others refer to.
func TestMemberships(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	var a, b, p struct{ ID string }
	c.want(201, "POST", "/pickup-groups", `{"number":1,"name":"A","members":["demo102"]}`, &a)
	c.want(201, "POST", "/pickup-groups", `{"number":2,"name":"B","members":["demo101"]}`, &b)
	c.want(201, "POST", "/permission-groups", `{"name":"P","permissions":[{"permission":"direct-pickup","appliesTo":"allusers"}]}`, &p)
	c.want(201, "POST", "/hunt-groups", `{"extension":"600","title":"H","members":[{"user":"demo101","timeout":5},{"user":"demo102","timeout":5}]}`, nil)
	const anna = `{"user":"demo101","extension":"101"`
	first := c.want(200, "GET", "/users/demo101", "", nil)
	var u User
	c.want(200, "PUT", "/users/demo101", anna+`,"pickupGroups":["`+a.ID+`"],"userGroups":["`+p.ID+`"]}`, &u)
	found := false
	for _, x := range u.Authorisations {
		found = found || x == Authorisation{pbx.PermitDirectPickup, "All users", "P"}
	}
	if fmt.Sprint(u.PickupGroups, u.UserGroups) != fmt.Sprintf("[%s] [%s]", a.ID, p.ID) || len(u.HuntGroups) != 1 || !found ||
		fmt.Sprint(u.PredefinedGroups) != "[allusers allvisibleusers]" {
		t.Errorf("unexpected user: %+v", u)
	}
	if m.audited("change-user") != 1 {
		t.Errorf("change-user recorded %d times, want 1", m.audited("change-user"))
	}
	if res := c.do("PUT", apiPrefix+"/users/demo101", anna+`}`, "If-Match", first.Header.Get("ETag")); res.StatusCode != 412 {
		t.Errorf("change from before the membership: got %d, want 412", res.StatusCode)
	}
	c.want(200, "PUT", "/users/demo101", anna+`}`, &u) // absent groups stay
	if cfg, _ := m.Current(); fmt.Sprint(cfg.PickupGroups[0].Members, cfg.PickupGroups[1].Members, len(u.UserGroups)) != "[demo102 demo101] [] 1" {
		t.Errorf("members: %v and %v, user groups %v", cfg.PickupGroups[0].Members, cfg.PickupGroups[1].Members, u.UserGroups)
	}
	c.want(200, "PUT", "/users/demo101", anna+`,"pickupGroups":[]}`, &u) // an empty list leaves all, of one kind
	if fmt.Sprint(u.PickupGroups, len(u.UserGroups)) != "[] 1" {
		t.Errorf("groups after leaving the pickup groups: %v %v", u.PickupGroups, u.UserGroups)
	}
	c.want(200, "PUT", "/users/demo101", anna+`,"pickupGroups":["`+a.ID+`"]}`, nil)
	for body, field := range map[string]string{`,"pickupGroups":["x"]}`: "pickupGroups[0]", `,"userGroups":["` + p.ID + `","allusers"]}`: "userGroups[1]"} {
		var problem Problem
		c.want(422, "PUT", "/users/demo101", anna+body, &problem)
		if len(problem.Errors) != 1 || problem.Errors[0].Location != "body."+field {
			t.Errorf("%s: got %+v", body, problem.Errors)
		}
	}
	var lines []NameNumber
	c.want(200, "GET", "/name-number", "", &lines)
	if fmt.Sprint(lines[1].HuntGroups, lines[1].PickupGroups) != "[H] [A]" {
		t.Errorf("overview: %+v", lines[1])
	}
	c.want(204, "DELETE", "/users/demo101", "", nil)
	c.want(204, "DELETE", "/permission-groups/"+p.ID, "", nil)
	cfg, _ := m.Current()
	if text, err := json.Marshal(cfg); err != nil || strings.Contains(string(text), `"demo101"`) || strings.Contains(string(text), p.ID) {
		t.Errorf("something still names what was deleted: %s %v", text, err)
	}
}

// TestAuditFilters asks for parts of the audit log.
func TestAuditFilters(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	c.want(401, "POST", "/login", `{"user":"demo101","pin":"1"}`, nil)
	c.want(204, "DELETE", "/users/demo103", "", nil)
	for query, want := range map[string]int{"": 4, "?actor=admin": 3, "?action=delete-user": 1, "?actor=demo101&action=login-failed": 1, "?limit=2": 2, "?before=2": 1,
		"?since=2099-01-01T00:00:00Z": 0, "?until=2099-01-01T00:00:00Z": 4, "?until=2001-01-01T00:00:00Z": 0} {
		var list []pbx.AuditEntry
		c.want(200, "GET", "/audit"+query, "", &list)
		if len(list) != want {
			t.Errorf("%q: got %d entries, want %d", query, len(list), want)
		}
	}
	c.want(422, "GET", "/audit?since=yesterday", "", nil)
	var actions []string
	c.want(200, "GET", "/audit/actions", "", &actions)
	for _, a := range []string{"login", "login-failed", "impersonate", "delete-user", "change-pickup-group", "grant-admin", "restore-revision"} {
		if !strings.Contains(fmt.Sprint(actions), a) {
			t.Errorf("%s is not among %v", a, actions)
		}
	}
}
