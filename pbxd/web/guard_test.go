package web

import (
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// office is a configuration in which "clerk" administers users and groups
// without being an administrator, "boss" is an administrator, and "anna" and
// "ben" are users. "keys" may impersonate anna alone.
func office(t *testing.T) (*memory, *Server) {
	t.Helper()
	m := newMemory()
	s := newServer(t, m, nil)
	build := func(cfg *pbx.Config) {
		withModules(cfg, "clerk", 301, "home", "profile", "profile-data", "profile-image", "users", "user-import", "permission-groups", "gui-groups", "pickup-groups", "provisioning-groups", "revisions", "contacts-private")
		withModules(cfg, "anna", 302, "home", "profile", "profile-data", "contacts-private", "profile-image")
		withModules(cfg, "ben", 303, "home", "profile", "contacts-private", "profile-image")
		withModules(cfg, "keys", 304, "impersonate")
		withModules(cfg, "boss", 305, "home")
		cfg.UserByID("boss").Admin = true
		for i := range cfg.Users {
			cfg.Users[i].SIPPassword = m.key.Seal(pbx.SIPPasswordPurpose(cfg.Users[i].ID), "abcdef")
		}
		cfg.UserByID(pbx.AdminID).PIN, cfg.UserByID(pbx.AdminID).MustChangePIN = anyPIN, false
		cfg.PermissionGroups = append(cfg.PermissionGroups,
			pbx.PermissionGroup{ID: "annas", PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Annas", Type: "user", Members: []string{"anna"}}},
			pbx.PermissionGroup{ID: "bosses", PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Bosses", Type: "user", Members: []string{"boss"}}})
		p := cfg.PermissionGroupByID("pkeys")
		p.Permissions = append(p.Permissions, pbx.GroupPermission{Permission: pbx.PermitImpersonate, AppliesTo: "annas"}, pbx.GroupPermission{Permission: pbx.PermitImpersonate, AppliesTo: "bosses"})
	}
	m.edit(t, func(cfg *pbx.Config) { // revision 2: the clerk has every module
		build(cfg)
		p := cfg.PermissionGroupByID("pclerk")
		p.Permissions = append(p.Permissions, pbx.GroupPermission{Permission: pbx.PermitShowGUI, AppliesTo: pbx.GUIGroupAdmin})
	})
	m.edit(t, func(cfg *pbx.Config) { // revision 3: no longer
		p := cfg.PermissionGroupByID("pclerk")
		p.Permissions = p.Permissions[:1]
	})
	return m, s
}

// TestEscalation lets the clerk try to get, or to give, what the clerk does
// not have, in every way that the API has.
func TestEscalation(t *testing.T) {
	m, s := office(t)
	before, revision := m.Current()
	clerk := enter(t, s, "clerk")
	const anna = `"user":"anna","extension":"302"`
	for _, tc := range []struct {
		what, method, path, body string
		want                     int
		words                    string
	}{
		{"makes anna an administrator", "PUT", "/users/anna", `{` + anna + `,"admin":true}`, 403, "Only administrators may make"},
		{"makes himself one", "PUT", "/users/clerk", `{"user":"clerk","extension":"301","admin":true}`, 403, "Only administrators may make"},
		{"adds one", "POST", "/users", `{"user":"eva","extension":"410","admin":true}`, 403, "Only administrators may make"},
		{"changes an administrator", "PUT", "/users/boss", `{"user":"boss","extension":"306"}`, 403, "is an administrator"},
		{"sets the PIN of an administrator", "PUT", "/users/boss", `{"user":"boss","extension":"305","pin":"4711"}`, 403, "is an administrator"},
		{"sets the PIN of admin", "PUT", "/users/admin", `{"user":"admin","pin":"4711"}`, 403, "is an administrator"},
		{"deletes an administrator", "DELETE", "/users/boss", "", 403, "is an administrator"},
		{"takes the administration away", "PUT", "/users/boss", `{"user":"boss","extension":"305","admin":false}`, 403, "is an administrator"},
		{"sees the password of an administrator", "POST", "/users/boss/reveal-sip-password", "", 403, "Only administrators"},
		{"makes a new one for an administrator", "POST", "/users/boss/new-sip-password", "", 403, "is an administrator"},
		{"deletes the picture of an administrator", "DELETE", "/users/boss/image", "", 0, ""}, // there is none: no change
		{"puts himself into the group that impersonates", "PUT", "/users/clerk", `{"user":"clerk","extension":"301","userGroups":["pclerk","pkeys"]}`, 403, "impersonate"},
		{"puts himself there from the group's side", "PUT", "/permission-groups/pkeys", `{"name":"only keys","type":"user","members":["keys","clerk"],"permissions":[{"permission":"show-gui","appliesTo":"gkeys"}]}`, 403, "impersonate"},
		{"gives his group a permission", "PUT", "/permission-groups/pclerk", `{"name":"only clerk","type":"user","members":["clerk"],"permissions":[{"permission":"show-gui","appliesTo":"gclerk"},{"permission":"impersonate","appliesTo":"allusers"}]}`, 403, "impersonate"},
		{"gives all users a permission", "PUT", "/permission-groups/allusers", `{"name":"All users","type":"user","permissions":[{"permission":"allow-intercom","appliesTo":"allusers"}]}`, 403, "allow-intercom"},
		{"gives all users monitoring", "PUT", "/permission-groups/allusers", `{"name":"All users","type":"user","permissions":[{"permission":"direct-pickup","appliesTo":"allusers"}]}`, 403, "direct-pickup"},
		{"switches his modules on", "PUT", "/gui-groups/gclerk", `{"title":"only clerk","modules":["login","users","permission-groups","gui-groups","revisions","audit-log"]}`, 403, "module"},
		{"shows himself the admin GUI", "PUT", "/permission-groups/pclerk", `{"name":"only clerk","type":"user","members":["clerk"],"permissions":[{"permission":"show-gui","appliesTo":"newadmingui"}]}`, 403, "module"},
		{"gives anna the admin GUI", "PUT", "/permission-groups/panna", `{"name":"only anna","type":"user","members":["anna"],"permissions":[{"permission":"show-gui","appliesTo":"newadmingui"}]}`, 403, "module"},
		{"puts ben where keys may impersonate", "PUT", "/users/ben", `{"user":"ben","extension":"303","userGroups":["pben","annas"]}`, 403, "impersonate"},
		{"puts himself there to be impersonated", "PUT", "/permission-groups/annas", `{"name":"Annas","type":"user","members":["anna","clerk"],"permissions":[]}`, 403, "impersonate"},
		{"goes back to a revision without himself", "POST", "/revisions/1/restore", "", 409, "yourself"},
		{"goes back to a revision in which he could more", "POST", "/revisions/2/restore", "", 403, "which you do not have"},
		{"deletes himself", "DELETE", "/users/clerk", "", 409, "yourself"},
		{"deletes admin", "DELETE", "/users/admin", "", 409, "admin cannot be deleted"},
	} {
		res := clerk.do(tc.method, apiPrefix+tc.path, tc.body, "If-Match", "*")
		if tc.want != 0 && (res.StatusCode != tc.want || !strings.Contains(res.text, tc.words)) {
			t.Errorf("the clerk %s: got %d %s, want %d with %q", tc.what, res.StatusCode, res.text, tc.want, tc.words)
		}
		if now, n := m.Current(); now != before {
			t.Fatalf("the clerk %s: revision %d became %d", tc.what, revision, n)
		}
	}
}

// TestOrdinaryWork lets the clerk do what the clerk is there for.
func TestOrdinaryWork(t *testing.T) {
	m, s := office(t)
	clerk := enter(t, s, "clerk")
	var eva User
	clerk.want(201, "POST", "/users", `{"user":"eva","extension":"410","pin":"4711"}`, &eva)
	clerk.want(200, "PUT", "/users/anna", `{"user":"anna","extension":"312","firstName":"Anna","pin":"4712"}`, nil)
	clerk.want(201, "POST", "/pickup-groups", `{"number":7,"name":"Office","members":["anna","ben"]}`, nil)
	clerk.want(201, "POST", "/permission-groups", `{"name":"Local calls","members":["anna"]}`, nil) // a selector for routing
	clerk.want(200, "POST", "/users/anna/reveal-sip-password", "", nil)
	clerk.want(204, "DELETE", "/users/"+eva.ID, "", nil)
	clerk.want(200, "PUT", "/users/ben", `{"user":"ben","extension":"303","hideFromPhonebook":true}`, nil)
	clerk.want(200, "PUT", "/users/ben", `{"user":"ben","extension":"303","hideFromPhonebook":false}`, nil)
	if cfg, _ := m.Current(); len(cfg.PickupGroups) != 1 || cfg.UserByName("eva") != nil {
		t.Errorf("unexpected configuration: %+v", cfg.PickupGroups)
	}
}

// TestAdministratorsMayAll does as an administrator what the clerk may not.
func TestAdministratorsMayAll(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		g := cfg.PermissionGroupByID(pbx.GroupAdmins)
		if len(g.Permissions) == 0 {
			t.Error("administrators have no permissions")
		}
	})
	boss := enter(t, s, "boss")
	boss.want(200, "PUT", "/users/anna", `{"user":"anna","extension":"302","admin":true}`, nil)
	boss.want(200, "PUT", "/users/admin", `{"user":"admin","firstName":"Chief"}`, nil)
	boss.want(200, "PUT", "/permission-groups/pclerk", `{"name":"only clerk","type":"user","members":["clerk"],"permissions":[{"permission":"show-gui","appliesTo":"newadmingui"}]}`, nil)
	for path, words := range map[string]string{"/users/boss": "yourself", "/users/admin": "admin cannot be deleted"} {
		if res := boss.want(409, "DELETE", path, "", nil); !strings.Contains(res.text, words) {
			t.Errorf("DELETE %s: got %s", path, res.text)
		}
	}
	boss.want(422, "PUT", "/users/boss", `{"user":"boss","extension":"305","admin":false}`, nil)
}

// TestOwnObjects lets ben try for what is anna's.
func TestOwnObjects(t *testing.T) {
	m, s := office(t)
	hash := strings.Repeat("a", 64)
	if err := m.PutPicture(t.Context(), "anna", hash, []byte("jpeg")); err != nil {
		t.Fatal(err)
	}
	if err := m.AddContacts(t.Context(), "anna", []pbx.Contact{{ID: "c1", ContactSettings: pbx.ContactSettings{LastName: "Secret"}, Image: hash}}); err != nil {
		t.Fatal(err)
	}
	anna, ben, boss := enter(t, s, "anna"), enter(t, s, "ben"), enter(t, s, "boss")
	anna.want(200, "GET", "/private-contacts/c1", "", nil)
	if res := anna.do("GET", apiPrefix+"/pictures/"+hash, ""); res.StatusCode != 200 || res.text != "jpeg" {
		t.Errorf("the own picture: got %d %s", res.StatusCode, res.text)
	}
	for name, c := range map[string]*client{"ben": ben, "boss": boss, "admin": enter(t, s, pbx.AdminID)} {
		for _, x := range []struct{ method, path, body string }{
			{"GET", "/private-contacts/c1", ""}, {"PUT", "/private-contacts/c1", `{"lastName":"Mine"}`}, {"DELETE", "/private-contacts/c1", ""},
			{"DELETE", "/private-contacts/c1/image", ""}, {"GET", "/pictures/" + hash, ""},
		} {
			if res := c.do(x.method, apiPrefix+x.path, x.body); res.StatusCode != 404 && res.StatusCode != 403 {
				t.Errorf("%s %s as %s: got %d %s", x.method, x.path, name, res.StatusCode, res.text)
			}
		}
		if res := c.do("GET", apiPrefix+"/private-contacts", ""); strings.Contains(res.text, "Secret") {
			t.Errorf("%s sees anna's contacts: %s", name, res.text)
		}
		if res := c.do("GET", apiPrefix+"/private-contacts/export", ""); strings.Contains(res.text, "Secret") {
			t.Errorf("%s exports anna's contacts: %s", name, res.text)
		}
	}
	var p Profile
	ben.want(200, "GET", "/profile", "", &p)
	if p.ID != "ben" {
		t.Errorf("ben's profile is that of %s", p.ID)
	}
	ben.want(403, "PUT", "/profile", `{"mobile":"1","home":"","language":""}`, nil) // no module for it
	anna.want(200, "PUT", "/profile", `{"mobile":"+491701","home":"","language":""}`, nil)
	if res := anna.do("PUT", apiPrefix+"/profile", `{"mobile":"+491701","home":"","language":"de"}`); res.StatusCode != 403 || !strings.Contains(res.text, "profile-language") {
		t.Errorf("language without its module: got %d %s", res.StatusCode, res.text)
	}
	if cfg, _ := m.Current(); cfg.UserByID("anna").Mobile != "+491701" || cfg.UserByID("ben").Mobile != "" {
		t.Error("the profile of the wrong user was changed")
	}
	if c, err := m.Contact(t.Context(), "anna", "c1"); err != nil || c.LastName != "Secret" || c.Image != hash {
		t.Errorf("anna's contact is now %+v: %v", c, err)
	}
}

// FuzzGuard makes any change of rights as the clerk: whatever is let through,
// nobody has a module that neither they nor the clerk had.
func FuzzGuard(f *testing.F) {
	f.Add(uint8(0), uint8(1), uint8(2), true)
	f.Add(uint8(3), uint8(200), uint8(9), false)
	f.Fuzz(func(t *testing.T, user, group, permission uint8, join bool) {
		cfg := pbx.Factory(pbx.Defaults{})
		withModules(cfg, "clerk", 301, "home", "profile", "profile-data", "profile-image", "users", "permission-groups")
		withModules(cfg, "anna", 302, "home")
		before := cfg.Clone()
		u := &cfg.Users[int(user)%len(cfg.Users)]
		g := &cfg.PermissionGroups[int(group)%len(cfg.PermissionGroups)]
		if join {
			g.Members = append(g.Members, u.ID)
		} else {
			gui := cfg.GUIGroups[int(permission)%len(cfg.GUIGroups)]
			g.Permissions = append(g.Permissions, pbx.GroupPermission{Permission: pbx.PermitShowGUI, AppliesTo: gui.ID})
		}
		me := before.UserByID("clerk")
		if guard(before, cfg, &caller{user: *me, actor: *me}) != nil {
			return
		}
		mine := before.ModulesOf(me)
		for i := range cfg.Users {
			u := &cfg.Users[i]
			had := before.ModulesOf(before.UserByID(u.ID))
			for id := range cfg.ModulesOf(u) {
				if !had[id] && !mine[id] {
					t.Fatalf("%s got %s", u.ID, id)
				}
			}
		}
	})
}
