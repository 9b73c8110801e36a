package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// walk calls f for every operation of the API.
func walk(s *Server, f func(method string, op *huma.Operation)) {
	for _, item := range s.api.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "DELETE": item.Delete} {
			if op != nil {
				f(method, op)
			}
		}
	}
}

// anyPIN is a hash that no PIN has: for users who are let in by the test.
const anyPIN pbx.PINHash = "argon2id:AAAAAAAAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// edit changes the configuration past the API.
func (m *memory) edit(t testing.TB, change func(*pbx.Config)) {
	t.Helper()
	_, err := m.Commit(t.Context(), "system", pbx.Typed("test"), func(cfg *pbx.Config) error {
		change(cfg)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// enter returns a client in a session of the user with that ID.
func enter(t testing.TB, s *Server, id string) *client {
	t.Helper()
	cfg, _ := s.Store.Current()
	u := cfg.UserByID(id)
	if u == nil {
		t.Fatalf("no user %s", id)
	}
	return &client{t: t, s: s, addr: lanAddr, token: s.sessions.open(u, cfg.Page, s.Now())}
}

// withModules gives a new user exactly these modules, those above them and
// login; nobody has any by All users.
func withModules(cfg *pbx.Config, id string, number int, modules ...string) {
	cfg.Users = append(cfg.Users, pbx.User{ID: id, UserSettings: pbx.UserSettings{Name: id, Extension: fmt.Sprint(number)}, PIN: anyPIN})
	gui := pbx.GUIGroup{ID: "g" + id, GUIGroupSettings: pbx.GUIGroupSettings{Title: "only " + id}}
	gui.SetModules(append(modules, "login"))
	cfg.GUIGroups = append(cfg.GUIGroups, gui)
	cfg.PermissionGroups = append(cfg.PermissionGroups, pbx.PermissionGroup{ID: "p" + id, PermissionGroupSettings: pbx.PermissionGroupSettings{
		Name: "only " + id, Type: "user", Members: []string{id}, Permissions: []pbx.GroupPermission{{Permission: pbx.PermitShowGUI, AppliesTo: gui.ID}}}})
	all := cfg.PermissionGroupByID(pbx.GroupAllUsers)
	kept := []pbx.GroupPermission{}
	for _, p := range all.Permissions {
		if p.Permission != pbx.PermitShowGUI {
			kept = append(kept, p)
		}
	}
	all.Permissions = kept
}

// subject is one who calls the whole API.
type subject struct {
	name    string
	c       *client
	modules map[string]bool
	holds   func(pbx.Permission) bool
	fresh   bool // must change the PIN first
}

// expected returns the status that refuses op to x, or 0.
func (x *subject) expected(op *huma.Operation) int {
	access, module := access(fmt.Sprint(op.Extensions["x-access"])), fmt.Sprint(op.Extensions["x-module"])
	switch {
	case access == accessPublic:
		return 0
	case x.c.token == "":
		return 401
	case access == accessAny:
		return 0
	case x.fresh:
		return 403
	case access == accessUser:
		return 0
	}
	if p, ok := op.Extensions["x-permission"]; ok && x.holds(pbx.Permission(fmt.Sprint(p))) {
		return 0
	}
	for m := range strings.SplitSeq(module, "|") {
		if x.modules[m] {
			return 0
		}
		for _, a := range pbx.Modules() {
			if m == anyAdminModule && a.Area == "admin" && x.modules[a.ID] {
				return 0
			}
		}
	}
	return 403
}

// TestAccess walks all operations as nobody, as who must change the PIN, as a
// plain user, as a user with each module alone, with a permission that stands for one, and as
// admin.
func TestAccess(t *testing.T) {
	m := newMemory()
	m.model.MaxUsers = 0
	s := newServer(t, m, nil)
	m.edit(t, func(cfg *pbx.Config) {
		cfg.UserByID(pbx.AdminID).PIN, cfg.UserByID(pbx.AdminID).MustChangePIN = anyPIN, false
		var own []string
		for i, x := range pbx.Modules() {
			withModules(cfg, "only"+strings.ReplaceAll(x.ID, "-", ""), 300+i, x.ID)
			if x.Area == "user" {
				own = append(own, x.ID)
			}
		}
		withModules(cfg, "plain", 200, own...)
		withModules(cfg, "editor", 201, "home")
		editor := cfg.PermissionGroupByID("peditor")
		editor.Permissions = append(editor.Permissions, pbx.GroupPermission{Permission: pbx.PermitEditContacts, AppliesTo: pbx.GroupAllUsers})
		members := &cfg.PermissionGroupByID("pplain").Members
		*members = append(*members, "demo101")
	})
	cfg, _ := m.Current()
	subjects := []*subject{{name: "nobody", c: &client{t: t, s: s, addr: lanAddr}}, {name: "who must change the PIN", fresh: true}}
	for i := range cfg.Users {
		if u := &cfg.Users[i]; u.PIN == anyPIN {
			subjects = append(subjects, &subject{name: u.Name, modules: cfg.ModulesOf(u), holds: func(p pbx.Permission) bool { return cfg.Holds(u, p) }})
		}
	}
	seen := map[access]int{}
	walk(s, func(method string, op *huma.Operation) {
		a := access(fmt.Sprint(op.Extensions["x-access"]))
		seen[a]++
		if a == accessModule == (op.Extensions["x-module"] == "") {
			t.Errorf("%s: access %q with module %q", op.OperationID, a, op.Extensions["x-module"])
		}
		for m := range strings.SplitSeq(fmt.Sprint(op.Extensions["x-module"]), "|") {
			if m != "" && m != anyAdminModule && !cfg.ModulesOf(cfg.UserByID(pbx.AdminID))[m] {
				t.Errorf("%s needs the module %q, which does not exist", op.OperationID, m)
			}
		}
		for _, x := range subjects {
			x.call(t, s, m, cfg, method, op)
		}
	})
	for _, a := range []access{accessPublic, accessAny, accessUser, accessModule} {
		if seen[a] == 0 {
			t.Errorf("no operation has access %q", a)
		}
	}
	if len(seen) != 4 {
		t.Errorf("operations with unknown access: %v", seen)
	}
}

// call sends an operation without what it needs to change anything, and checks
// who is let through to be told so.
func (x *subject) call(t *testing.T, s *Server, m *memory, cfg *pbx.Config, method string, op *huma.Operation) {
	switch {
	case x.name == "nobody":
		x.c = &client{t: t, s: s, addr: lanAddr}
	case x.fresh:
		x.c = enter(t, s, "demo101")
	default:
		x.c = enter(t, s, cfg.UserByName(x.name).ID)
	}
	deny := x.expected(op)
	path := strings.NewReplacer("{id}", "demo102", "{number}", "99999", "{hash}", strings.Repeat("0", 64)).Replace(op.Path)
	res := x.c.doOnce(method, path)
	var p Problem
	if res.StatusCode == 401 || res.StatusCode == 403 {
		if err := json.Unmarshal([]byte(res.text), &p); err != nil {
			t.Errorf("%s as %s: %v in %s", op.OperationID, x.name, err, res.text)
		}
	}
	byModule := p.Template == noModule("x").Template && strings.Contains("|"+fmt.Sprint(op.Extensions["x-module"])+"|", fmt.Sprintf("|%v|", p.Args["module"]))
	switch {
	case deny != 0 && res.StatusCode != deny:
		t.Errorf("%s as %s: got status %d, want %d", op.OperationID, x.name, res.StatusCode, deny)
	case deny == 403 && !x.fresh && !byModule:
		t.Errorf("%s as %s: refused without naming the module: %s", op.OperationID, x.name, res.text)
	case deny == 0 && (res.StatusCode == 401 && op.OperationID != "login" || res.StatusCode == 403 && byModule || p.Type == changePINProblem):
		t.Errorf("%s as %s: refused with %d: %s", op.OperationID, x.name, res.StatusCode, p.Detail)
	case res.StatusCode >= 500 && res.StatusCode != 503:
		t.Errorf("%s as %s: got %d %s", op.OperationID, x.name, res.StatusCode, res.text)
	}
	now, _ := m.Current()
	if now == cfg {
		return
	}
	if deny != 0 {
		t.Errorf("%s as %s: refused, and yet the configuration changed", op.OperationID, x.name)
	}
	m.mu.Lock()
	m.cfgs[len(m.cfgs)-1] = cfg // for the next
	m.mu.Unlock()
}

// TestOwnPIN checks the module of the one operation that also those may call
// who must change their PIN.
func TestOwnPIN(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "with", 301, "profile-pin")
		withModules(cfg, "without", 302, "profile-data")
		withModules(cfg, "fresh", 303, "profile-data")
		cfg.UserByID("fresh").MustChangePIN = true
	})
	for id, want := range map[string]string{"with": "not your PIN", "without": "profile-pin", "fresh": "not your PIN"} {
		res := enter(t, s, id).do("PUT", apiPrefix+"/profile/pin", `{"old":"1","new":"4711"}`)
		if !strings.Contains(res.text, want) {
			t.Errorf("%s: got %d %s, want %q", id, res.StatusCode, res.text, want)
		}
	}
}

// TestLoginModule checks that who is shown no login cannot log in, admin
// excepted, and that a session ends when the module is taken away.
func TestLoginModule(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	admin := loggedIn(t, s)
	user := &client{t: t, s: s, addr: lanAddr}
	user.login("demo101", "0000")
	var home GUIGroup
	admin.want(201, "POST", "/gui-groups", `{"title":"No login","modules":["home","profile"]}`, &home)
	admin.want(200, "PUT", "/permission-groups/allusers", `{"name":"All users","type":"user","permissions":[{"permission":"show-gui","appliesTo":"`+home.ID+`"}]}`, nil)
	user.want(401, "GET", "/session", "", nil)
	res := user.do("POST", apiPrefix+"/login", `{"user":"demo101","pin":"0000"}`)
	if res.StatusCode != 403 || !strings.Contains(res.text, "GUI groups") {
		t.Errorf("login without the module: got %d %s", res.StatusCode, res.text)
	}
	user.want(401, "POST", "/login", `{"user":"demo101","pin":"1"}`, nil) // a wrong PIN is told nothing more
	admin.want(200, "PUT", "/gui-groups/newadmingui", `{"title":"New admin GUI","modules":[]}`, nil)
	admin.login("admin", adminPIN)
	admin.want(200, "GET", "/users", "", nil)
}
