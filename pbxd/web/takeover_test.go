package web

import (
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// TestTakeoverByLoss lets the clerk take from dora, who may see the audit log,
// what makes her more than the clerk, so as to set her PIN next, or anything
// else of hers.
func TestTakeoverByLoss(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) { // revision 4: dora has nothing yet
		withModules(cfg, "dora", 306, "home")
		u := cfg.UserByID("dora")
		u.Email, u.Image, u.VoicemailBoxes = "dora@example.com", strings.Repeat("b", 64), []string{"306"}
	})
	m.edit(t, func(cfg *pbx.Config) {
		cfg.GUIGroupByID("gdora").SetModules([]string{"login", "audit-log"})
		cfg.PermissionGroups = append(cfg.PermissionGroups, pbx.PermissionGroup{ID: "doras",
			PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Doras", Type: "user", Members: []string{"dora"}}})
	})
	before, _ := m.Current()
	clerk := enter(t, s, "clerk")
	const dora = `"user":"dora","extension":"306","voicemailBoxes":["306"]`
	const mail = `,"email":"dora@example.com"`
	for _, tc := range []struct{ what, method, path, body string }{
		{"takes her out of all groups", "PUT", "/users/dora", `{` + dora + mail + `,"userGroups":[]}`},
		{"takes her out of one that gives nothing", "PUT", "/users/dora", `{` + dora + mail + `,"userGroups":["pdora"]}`},
		{"does so from the group's side", "PUT", "/permission-groups/pdora", `{"name":"only dora","type":"user","members":[],"permissions":[{"permission":"show-gui","appliesTo":"gdora"}]}`},
		{"takes the permission of her group", "PUT", "/permission-groups/pdora", `{"name":"only dora","type":"user","members":["dora"],"permissions":[]}`},
		{"makes it a group of queues", "PUT", "/permission-groups/pdora", `{"name":"only dora","type":"queue","members":[],"permissions":[]}`},
		{"deletes it", "DELETE", "/permission-groups/pdora", ""},
		{"empties her GUI group", "PUT", "/gui-groups/gdora", `{"title":"only dora","modules":["login"]}`},
		{"deletes that", "DELETE", "/gui-groups/gdora", ""},
		{"goes back to when she had nothing", "POST", "/revisions/4/restore", ""},
		{"goes back to when she was not there", "POST", "/revisions/3/restore", ""},
		{"deletes her", "DELETE", "/users/dora", ""},
		{"deletes her picture", "DELETE", "/users/dora/image", ""},
		{"sends her voice messages elsewhere", "PUT", "/users/dora", `{` + dora + `,"email":"clerk@example.com"}`},
		{"takes her voicemail box", "PUT", "/users/dora", `{"user":"dora","extension":"306"` + mail + `,"voicemailBoxes":[]}`},
		{"takes her extension", "PUT", "/users/dora", `{"user":"dora","extension":"316","voicemailBoxes":["306"]` + mail + `}`},
		{"takes her login name", "PUT", "/users/dora", `{"user":"dorothea","extension":"306","voicemailBoxes":["306"]` + mail + `}`},
	} {
		res := clerk.do(tc.method, apiPrefix+tc.path, tc.body)
		if res.StatusCode != 403 || !strings.Contains(res.text, "dora may do more than you") {
			t.Errorf("the clerk %s: got %d %s", tc.what, res.StatusCode, res.text)
		}
		if now, _ := m.Current(); now != before {
			t.Fatalf("the clerk %s: it was done", tc.what)
		}
	}
	clerk.want(200, "PUT", "/users/dora", `{`+dora+mail+`,"firstName":"Dora"}`, nil)
	admin := enter(t, s, pbx.AdminID)
	admin.want(200, "DELETE", "/users/dora/image", "", nil)
	admin.want(200, "PUT", "/users/dora", `{`+dora+`,"email":"d@example.com","userGroups":[]}`, nil)
	clerk.want(204, "DELETE", "/users/dora", "", nil) // who has no more than the clerk
}

// TestImpersonationGivesNothing lets finn, who may impersonate the clerk and
// nothing else, try to keep as the clerk what is over when the impersonation is.
func TestImpersonationGivesNothing(t *testing.T) {
	m, s := office(t)
	m.edit(t, func(cfg *pbx.Config) {
		withModules(cfg, "finn", 306, "impersonate")
		cfg.PermissionGroups = append(cfg.PermissionGroups, pbx.PermissionGroup{ID: "clerks",
			PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Clerks", Type: "user", Members: []string{"clerk"}}})
		p := cfg.PermissionGroupByID("pfinn")
		p.Permissions = append(p.Permissions, pbx.GroupPermission{Permission: pbx.PermitImpersonate, AppliesTo: "clerks"})
		cfg.UserByID("clerk").Image = strings.Repeat("b", 64)
	})
	before, _ := m.Current()
	finn := enter(t, s, "finn")
	finn.want(200, "POST", "/session/impersonation", `{"user":"clerk"}`, nil)
	const clerk, group = `"user":"clerk","extension":"301"`, `"type":"user","permissions":[{"permission":"show-gui","appliesTo":"gclerk"}]}`
	for _, tc := range []struct{ what, method, path, body, words string }{
		{"sets the PIN of the clerk", "PUT", "/users/clerk", `{` + clerk + `,"pin":"4711","mustChangePin":false}`, "may do more than you"},
		{"has the clerk choose another", "PUT", "/users/clerk", `{` + clerk + `,"mustChangePin":true}`, "may do more than you"},
		{"sets the SIP password of the clerk", "PUT", "/users/clerk", `{` + clerk + `,"sipPassword":"abcdefg"}`, "may do more than you"},
		{"sees it", "POST", "/users/clerk/reveal-sip-password", "", "may do more than you"},
		{"makes a new one", "POST", "/users/clerk/new-sip-password", "", "may do more than you"},
		{"sends voice messages of the clerk elsewhere", "PUT", "/users/clerk", `{` + clerk + `,"email":"finn@example.com"}`, "may do more than you"},
		{"sets the PIN of anna, whom the clerk covers", "PUT", "/users/anna", `{"user":"anna","extension":"302","pin":"4711"}`, "may do more than you"},
		{"sees the password of anna", "POST", "/users/anna/reveal-sip-password", "", "may do more than you"},
		{"joins the group of the clerk", "PUT", "/permission-groups/pclerk", `{"name":"only clerk","members":["clerk","finn"],` + group, "finn would get the module"},
		{"joins it from the user's side", "PUT", "/users/finn", `{"user":"finn","extension":"306","userGroups":["pfinn","pclerk"]}`, "finn would get the module"},
		{"switches modules of the clerk on for himself", "PUT", "/gui-groups/gfinn", `{"title":"only finn","modules":["login","impersonate","users"]}`, "module"},
		{"adds somebody who may as much", "POST", "/users", `{"user":"gus","extension":"410","pin":"4711","mustChangePin":false,"userGroups":["pclerk"]}`, "gus would get the module"},
		{"puts ben there", "PUT", "/users/ben", `{"user":"ben","extension":"303","userGroups":["pben","pclerk"]}`, "ben would get the module"},
		{"strips anna, to set her PIN next", "PUT", "/users/anna", `{"user":"anna","extension":"302","userGroups":[]}`, "may do more than you"},
	} {
		res := finn.do(tc.method, apiPrefix+tc.path, tc.body)
		if res.StatusCode != 403 || !strings.Contains(res.text, tc.words) || strings.Contains(res.text, "abcdef") {
			t.Errorf("finn as the clerk %s: got %d %s", tc.what, res.StatusCode, res.text)
		}
		if now, _ := m.Current(); now != before {
			t.Fatalf("finn as the clerk %s: it was done", tc.what)
		}
	}
	finn.want(200, "PUT", "/users/anna", `{"user":"anna","extension":"302","firstName":"Anna"}`, nil)
	finn.want(201, "POST", "/pickup-groups", `{"number":7,"name":"Office","members":["anna","ben"]}`, nil)
	finn.want(200, "PUT", "/profile", `{"mobile":"+491702","home":"","language":""}`, nil)
	finn.want(200, "DELETE", "/profile/image", "", nil) // is the clerk's own
	admin := enter(t, s, pbx.AdminID)
	admin.want(200, "POST", "/session/impersonation", `{"user":"clerk"}`, nil)
	admin.want(200, "PUT", "/users/anna", `{"user":"anna","extension":"302","pin":"4711"}`, nil)
}
