package web

import (
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// TestTakeover lets the clerk try to act as dora, who is no administrator but
// may see the audit log, and as emil, who may impersonate hidden users.
func TestTakeover(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "dora", 306, "audit-log")
		withModules(cfg, "demo104", 307, "users")
		p := cfg.PermissionGroupByID("pben")
		p.Permissions = append(p.Permissions, pbx.GroupPermission{Permission: pbx.PermitSetNightService, AppliesTo: pbx.GroupAllUsers})
		for _, id := range []string{"dora", "ben"} {
			cfg.UserByID(id).SIPPassword = m.key.Seal(pbx.SIPPasswordPurpose(id), "abcdef")
		}
	})
	before, _ := m.Current()
	clerk := enter(t, s, "clerk")
	const dora, ben = `"user":"dora","extension":"306"`, `"user":"ben","extension":"303"`
	for _, tc := range []struct{ what, method, path, body string }{
		{"sets the PIN of dora", "PUT", "/users/dora", `{` + dora + `,"pin":"4711"}`},
		{"has dora choose a new one", "PUT", "/users/dora", `{` + dora + `,"mustChangePin":true}`},
		{"sets the SIP password of dora", "PUT", "/users/dora", `{` + dora + `,"sipPassword":"abcdefg"}`},
		{"sees it", "POST", "/users/dora/reveal-sip-password", ""},
		{"makes a new one", "POST", "/users/dora/new-sip-password", ""},
		{"sets the PIN of ben, who has a permission", "PUT", "/users/ben", `{` + ben + `,"pin":"4711"}`},
		{"sees the password of ben", "POST", "/users/ben/reveal-sip-password", ""},
	} {
		res := clerk.do(tc.method, apiPrefix+tc.path, tc.body, "If-Match", "*")
		if res.StatusCode != 403 || !strings.Contains(res.text, "may do more than you") || strings.Contains(res.text, "abcdef") {
			t.Errorf("the clerk %s: got %d %s", tc.what, res.StatusCode, res.text)
		}
		if now, _ := m.Current(); now != before {
			t.Fatalf("the clerk %s: it was done", tc.what)
		}
	}
	clerk.want(200, "PUT", "/users/dora", `{`+dora+`,"firstName":"Dora"}`, nil) // that needs no more than the module
	clerk.want(200, "PUT", "/users/anna", `{"user":"anna","extension":"302","pin":"4711"}`, nil)
}

// TestWizardTakeover runs the wizard as somebody who may do nothing else, when
// a user of its has no PIN yet and may do more.
func TestWizardTakeover(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "wiz", 306, "wizard")
		u := cfg.UserByID("demo101")
		u.PIN, u.MustChangePIN = "", false
		p := cfg.PermissionGroupByID("pclerk")
		p.Members = append(p.Members, "demo101")
	})
	wiz := enter(t, s, "wiz")
	res := wiz.do("POST", apiPrefix+"/wizard", `{`+locale+`,"users":[{"firstName":"Eva","lastName":"Maier","extension":"101"}]}`)
	if res.StatusCode != 403 || !strings.Contains(res.text, "may do more than you") {
		t.Errorf("factory PIN for a user with modules: got %d %s", res.StatusCode, res.text)
	}
	wiz.want(200, "POST", "/wizard", `{`+locale+`}`, nil)
}

// TestTargetOfPredefined hides somebody to get the permission that one has
// towards hidden users.
func TestTargetOfPredefined(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "emil", 306, "users", "impersonate")
		p := cfg.PermissionGroupByID("pemil")
		p.Permissions = append(p.Permissions, pbx.GroupPermission{Permission: pbx.PermitImpersonate, AppliesTo: pbx.GroupInvisibleUsers})
	})
	emil := enter(t, s, "emil")
	res := emil.do("PUT", apiPrefix+"/users/clerk", `{"user":"clerk","extension":"301","hideFromPhonebook":true}`, "If-Match", "*")
	if res.StatusCode != 403 || !strings.Contains(res.text, "impersonate") {
		t.Errorf("hides the clerk: got %d %s", res.StatusCode, res.text)
	}
	emil.want(403, "POST", "/session/impersonation", `{"user":"clerk"}`, nil)
	emil.want(200, "PUT", "/users/clerk", `{"user":"clerk","extension":"301","firstName":"Carl"}`, nil)
}

// TestAdministratorsKeepRights lets the clerk try to take rights from an
// administrator by way of groups.
func TestAdministratorsKeepRights(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) { // revision 4: boss may not impersonate
		cfg.PermissionGroupByID(pbx.GroupAdmins).Permissions = []pbx.GroupPermission{{Permission: pbx.PermitShowGUI, AppliesTo: pbx.GUIGroupAdmin}}
	})
	m.edit(t, func(cfg *pbx.Config) { // revision 5: again
		p := cfg.PermissionGroupByID(pbx.GroupAdmins)
		p.Permissions = append(p.Permissions, pbx.GroupPermission{Permission: pbx.PermitImpersonate, AppliesTo: pbx.GroupAllUsers})
	})
	before, _ := m.Current()
	clerk := enter(t, s, "clerk")
	for _, tc := range []struct{ what, method, path, body string }{
		{"takes the permissions of Admins", "PUT", "/permission-groups/admins", `{"name":"Admins","type":"user","permissions":[]}`},
		{"empties the admin GUI", "PUT", "/gui-groups/newadmingui", `{"title":"New admin GUI","modules":[]}`},
		{"deletes the group of an administrator", "DELETE", "/permission-groups/bosses", ""},
		{"takes an administrator out of it", "PUT", "/permission-groups/bosses", `{"name":"Bosses","type":"user","members":[],"permissions":[]}`},
		{"takes an administrator out of it from the user's side", "PUT", "/users/boss", `{"user":"boss","extension":"305","userGroups":["pboss"]}`},
		{"takes the GUI of an administrator", "PUT", "/gui-groups/gboss", `{"title":"only boss","modules":["login"]}`},
		{"deletes that", "DELETE", "/gui-groups/gboss", ""},
		{"goes back to a revision with less", "POST", "/revisions/4/restore", ""},
	} {
		res := clerk.do(tc.method, apiPrefix+tc.path, tc.body, "If-Match", "*")
		if res.StatusCode != 403 || !strings.Contains(res.text, "would lose") {
			t.Errorf("the clerk %s: got %d %s", tc.what, res.StatusCode, res.text)
		}
		if now, _ := m.Current(); now != before {
			t.Fatalf("the clerk %s: it was done", tc.what)
		}
	}
	boss := enter(t, s, "boss")
	boss.want(200, "PUT", "/permission-groups/bosses", `{"name":"Bosses","type":"user","members":[],"permissions":[]}`, nil)
}

// TestKeepsLogin checks that nobody shuts themselves out, and that the group
// that shows everybody the page cannot lose its login.
func TestKeepsLogin(t *testing.T) {
	m, s := office(t)
	before, _ := m.Current()
	for name, c := range map[string]*client{"boss": enter(t, s, "boss"), "clerk": enter(t, s, "clerk")} {
		res := c.do("PUT", apiPrefix+"/gui-groups/g"+name, `{"title":"only `+name+`","modules":["home"]}`, "If-Match", "*")
		if res.StatusCode != 409 && name == "boss" || !strings.Contains(res.text, "no longer log in") && name == "boss" || res.StatusCode < 400 {
			t.Errorf("%s shuts himself out: got %d %s", name, res.StatusCode, res.text)
		}
	}
	for _, modules := range []string{`[]`, `["login","home"]`, `["logout"]`} {
		var p Problem
		enter(t, s, pbx.AdminID).want(422, "PUT", "/gui-groups/newusergui", `{"title":"New user GUI","modules":`+modules+`}`, &p)
		if len(p.Errors) == 0 || p.Errors[0].Location != "body.modules" || !strings.Contains(p.Errors[0].Message, "log") {
			t.Errorf("%s: got %+v", modules, p)
		}
	}
	if now, _ := m.Current(); now != before {
		t.Error("something was changed")
	}
	enter(t, s, pbx.AdminID).want(200, "PUT", "/gui-groups/newusergui", `{"title":"New user GUI","modules":["login","logout","home"]}`, nil)
}

// TestRestoreKeepsCertificate goes back to before the page's certificate: it
// changes on trial alone.
func TestRestoreKeepsCertificate(t *testing.T) {
	m, s := office(t)
	m.addCertificate(t, "c1", "new.example")
	m.edit(t, func(cfg *pbx.Config) { cfg.Page.Certificate = "c1" })
	now, _ := m.Current()
	c := enter(t, s, pbx.AdminID)
	c.want(200, "POST", "/revisions/3/restore", "", nil)
	cfg, n := m.Current()
	if cfg.Page.Certificate != "c1" || len(cfg.Certificates) != 1 || cfg.Certificates[0] != now.Certificates[0] {
		t.Errorf("revision %d has the certificate %q of %d", n, cfg.Page.Certificate, len(cfg.Certificates))
	}
	m.edit(t, func(cfg *pbx.Config) { cfg.Page.Certificate = "" })
	c.want(200, "POST", "/revisions/5/restore", "", nil)
	if cfg, _ := m.Current(); cfg.Page.Certificate != "" || len(cfg.Certificates) != 1 {
		t.Errorf("back from the device's own to %q of %d", cfg.Page.Certificate, len(cfg.Certificates))
	}
}

// TestImportedGroups lets somebody who may import users alone try to add groups
// with them.
func TestImportedGroups(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "imp", 306, "user-import")
		cfg.PickupGroups = []pbx.PickupGroup{{ID: "p1", PickupGroupSettings: pbx.PickupGroupSettings{Number: 1, Name: "Sales"}}}
	})
	imp := enter(t, s, "imp")
	const file = "User,Extension,PIN,Call pick up group,Collective line\neva,410,4711,1,\nmax,411,4711,2,\nlea,412,4711,,444\n"
	r := imp.upload(t, 200, "/users/import?check=false&createGroups=true", "text/csv", file)
	cfg, _ := m.Current()
	if r.Imported != 1 || r.Bad != 2 || len(cfg.PickupGroups) != 1 || len(cfg.HuntGroups) != 0 || cfg.UserByName("eva") == nil {
		t.Errorf("got %+v with %d pickup groups and %d hunt groups", r, len(cfg.PickupGroups), len(cfg.HuntGroups))
	}
	for _, row := range r.Rows {
		if !row.OK && !strings.Contains(row.Problems[0].Message, "needs the module") {
			t.Errorf("row %d: %+v", row.Line, row.Problems)
		}
	}
	res := imp.do("POST", apiPrefix+"/users/import", "User;Extension;First name;PIN\n\"xx9;413;a;864209\n\"b;864209;86420;1\n", "Content-Type", "text/csv")
	if res.StatusCode != 200 || strings.Contains(res.text, "86420") {
		t.Errorf("PINs in the answer: %d %s", res.StatusCode, res.text)
	}
}
