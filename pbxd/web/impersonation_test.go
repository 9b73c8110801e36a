package web

import (
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// TestImpersonation takes the rights of another user and goes back.
func TestImpersonation(t *testing.T) {
	m, s := office(t)
	admin := enter(t, s, pbx.AdminID)
	var info SessionInfo
	admin.want(200, "POST", "/session/impersonation", `{"user":"anna"}`, &info)
	if info.User != "anna" || info.Actor == nil || info.Actor.User != "admin" || info.Admin {
		t.Fatalf("unexpected session: %+v", info)
	}
	admin.want(403, "GET", "/users", "", nil)
	admin.want(200, "PUT", "/profile", `{"mobile":"+491702","home":"","language":""}`, nil)
	admin.want(403, "PUT", "/profile/pin", `{"old":"1","new":"4711"}`, nil)
	admin.want(403, "POST", "/session/impersonation", `{"user":"ben"}`, nil) // anna has not the module
	cfg, _ := m.Current()
	if got := m.revisions[len(m.revisions)-1].Author; cfg.UserByID("anna").Mobile != "+491702" || got != "admin as anna" {
		t.Errorf("changed by %q: %q", got, cfg.UserByID("anna").Mobile)
	}
	info = SessionInfo{}
	admin.want(200, "DELETE", "/session/impersonation", "", &info)
	if info.User != "admin" || info.Actor != nil {
		t.Errorf("after the end: %+v", info)
	}
	admin.want(200, "GET", "/users", "", nil)
	admin.want(200, "POST", "/session/impersonation", `{"user":"boss"}`, nil)
	res := admin.want(409, "POST", "/session/impersonation", `{"user":"ben"}`, nil) // no nesting, whatever boss may
	if !strings.Contains(res.text, "boss already") {
		t.Errorf("nesting: got %s", res.text)
	}
	admin.want(204, "POST", "/logout", "", nil)
	admin.want(401, "GET", "/session", "", nil)
	type act struct{ actor, as, action, object string }
	want := []act{{"admin", "", "impersonate", "anna"}, {"admin", "anna", "change-profile", "anna"}, {"admin", "anna", "impersonate-end", "anna"},
		{"admin", "", "impersonate", "boss"}, {"admin", "boss", "impersonate-end", "boss"}, {"admin", "", "logout", "admin"}}
	for i, e := range m.audits {
		if got := (act{e.Actor, e.As, e.Action, e.Object}); i >= len(want) || got != want[i] {
			t.Errorf("entry %d: got %+v", i, got)
		}
	}
	if len(m.audits) != len(want) {
		t.Errorf("got %d entries, want %d", len(m.audits), len(want))
	}
	var entries []pbx.AuditEntry
	enter(t, s, pbx.AdminID).want(200, "GET", "/audit?actor=anna", "", &entries)
	if len(entries) != 2 {
		t.Errorf("acts with the rights of anna: got %d, want 2", len(entries))
	}
}

// TestWhoMayImpersonate checks module and permission, each missing in turn.
func TestWhoMayImpersonate(t *testing.T) {
	m, s := office(t)
	for _, tc := range []struct {
		who, target string
		want        int
		words       string
	}{
		{"keys", "anna", 200, ""},
		{"keys", "ben", 403, "permission Impersonate"},
		{"keys", "boss", 403, "administrator"}, // the permission alone does not do
		{"keys", "admin", 403, "administrator"},
		{"keys", "keys", 409, "already"},
		{"keys", "nobody", 422, "names no user"},
		{"clerk", "anna", 403, "module"},
		{"boss", "anna", 403, "module"}, // an administrator without the module
		{"admin", "boss", 200, ""},
	} {
		if tc.who == "boss" {
			m.edit(t, func(cfg *pbx.Config) { cfg.GUIGroupByID(pbx.GUIGroupAdmin).SetModules([]string{"users"}) })
		}
		res := enter(t, s, tc.who).do("POST", apiPrefix+"/session/impersonation", `{"user":"`+tc.target+`"}`)
		if res.StatusCode != tc.want || !strings.Contains(res.text, tc.words) {
			t.Errorf("%s as %s: got %d %s, want %d with %q", tc.who, tc.target, res.StatusCode, res.text, tc.want, tc.words)
		}
	}
}

// TestImpersonationEnds takes away what an impersonation needs while it lasts.
func TestImpersonationEnds(t *testing.T) {
	for name, change := range map[string]func(*pbx.Config){
		"the permission":                      func(cfg *pbx.Config) { cfg.PermissionGroupByID("annas").Members = []string{} },
		"the module":                          func(cfg *pbx.Config) { cfg.GUIGroupByID("gkeys").SetModules([]string{"login"}) },
		"the target becomes an administrator": func(cfg *pbx.Config) { cfg.UserByID("anna").Admin = true },
	} {
		m, s := office(t)
		keys := enter(t, s, "keys")
		keys.want(200, "POST", "/session/impersonation", `{"user":"anna"}`, nil)
		m.edit(t, change)
		var info SessionInfo
		keys.want(200, "GET", "/session", "", &info)
		if info.User != "keys" || info.Actor != nil {
			t.Errorf("without %s: still %s", name, info.User)
		}
	}
	m, s := office(t)
	keys := enter(t, s, "keys")
	keys.want(200, "POST", "/session/impersonation", `{"user":"anna"}`, nil)
	m.edit(t, func(cfg *pbx.Config) { cfg.UserByID("keys").PIN = anyPIN + "x" })
	keys.want(401, "GET", "/session", "", nil) // the session is that of who logged in
}
