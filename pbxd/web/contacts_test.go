package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

func TestContacts(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	admin := loggedIn(t, s)
	for _, path := range []string{"/contacts", "/private-contacts"} {
		var c pbx.Contact
		res := admin.want(201, "POST", path, `{"firstName":"Peter","lastName":"Brown","office":"+49 89 1234","officeQuickdial":"1"}`, &c)
		if got, want := res.Header.Get("Location"), apiPrefix+path+"/"+c.ID; got != want {
			t.Errorf("Location: got %q, want %q", got, want)
		}
		tag := res.Header.Get("ETag")
		admin.want(201, "POST", path, `{"company":"Org"}`, nil)
		for _, tc := range []struct{ body, field, words string }{
			{`{}`, "lastName", "first name, a last name or a company"},
			{`{"lastName":"X","office":"call me"}`, "office", "may contain only"},
			{`{"lastName":"X","mobileQuickdial":"1"}`, "mobileQuickdial", "already dials Peter Brown"},
			{`{"lastName":"X","homeQuickdial":"2","mobileQuickdial":"2"}`, "homeQuickdial", "already dials X"},
			{`{"lastName":"X","colour":"red"}`, "colour", "not known"},
		} {
			admin.refused(t, "POST", path, tc.body, tc.field, tc.words)
		}
		var list []pbx.Contact
		res = admin.want(200, "GET", path+"?name=bro&number=4989", "", &list)
		if len(list) != 1 || list[0].ID != c.ID || res.Header.Get("X-Total-Count") != "1" {
			t.Errorf("%s: got %+v, total %s", path, list, res.Header.Get("X-Total-Count"))
		}
		put := `{"firstName":"Peter","lastName":"Braun","officeQuickdial":"1"}`
		if res := admin.do("PUT", apiPrefix+path+"/"+c.ID, put, "If-Match", `"other"`); res.StatusCode != 412 {
			t.Errorf("change from another state: got %d, want 412", res.StatusCode)
		}
		if res := admin.do("PUT", apiPrefix+path+"/"+c.ID, put, "If-Match", ""); res.StatusCode != 428 {
			t.Errorf("change from no state: got %d, want 428", res.StatusCode)
		}
		if res := admin.do("PUT", apiPrefix+path+"/"+c.ID, put, "If-Match", tag); res.StatusCode != 200 || res.Header.Get("ETag") == tag {
			t.Errorf("change: got %d %s", res.StatusCode, res.text)
		}
		admin.want(204, "DELETE", path+"/"+c.ID, "", nil)
		admin.want(404, "GET", path+"/"+c.ID, "", nil)
		admin.want(404, "PUT", path+"/"+c.ID, put, nil)
		admin.want(422, "DELETE", path, "", nil)
		var gone DeletedContacts
		if admin.want(200, "DELETE", path+"?all=true", "", &gone); gone.Deleted != 1 {
			t.Errorf("%s: %d deleted, want 1", path, gone.Deleted)
		}
	}
	for _, e := range m.audits {
		if strings.Contains(e.Action, "private") && strings.Contains(e.Object, "Brown") {
			t.Errorf("the audit log tells a private contact: %+v", e)
		}
	}
}

// refused checks that a request is refused at a field, in these words.
func (c *client) refused(t *testing.T, method, path, body, field, words string) {
	t.Helper()
	var p Problem
	res := c.want(422, method, path, body, &p)
	for _, d := range p.Errors {
		if d.Location == "body."+field && strings.Contains(d.Message, words) && d.Template != "" {
			return
		}
	}
	t.Errorf("%s %s %s: want %q at %s: %s", method, path, body, words, field, res.text)
}

// TestContactAccess checks whose contacts are whose, and that the permission
// Edit global contacts stands for the module.
func TestContactAccess(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	m.edit(t, func(cfg *pbx.Config) {
		for i := range cfg.Users {
			cfg.Users[i].PIN, cfg.Users[i].MustChangePIN = anyPIN, false
		}
		cfg.PermissionGroups = append(cfg.PermissionGroups, pbx.PermissionGroup{ID: "editors", PermissionGroupSettings: pbx.PermissionGroupSettings{
			Name: "Editors", Type: "user", Members: []string{"demo102"}, Permissions: []pbx.GroupPermission{{Permission: pbx.PermitEditContacts, AppliesTo: pbx.GroupAllUsers}}}})
	})
	anna, ben := enter(t, s, "demo101"), enter(t, s, "demo102")
	var own, global pbx.Contact
	anna.want(201, "POST", "/private-contacts", `{"lastName":"Secret"}`, &own)
	ben.want(404, "GET", "/private-contacts/"+own.ID, "", nil)
	ben.want(404, "PUT", "/private-contacts/"+own.ID, `{"lastName":"Mine"}`, nil)
	ben.want(404, "DELETE", "/private-contacts/"+own.ID, "", nil)
	ben.want(404, "GET", "/contacts/"+own.ID, "", nil)
	var list []pbx.Contact
	if ben.want(200, "GET", "/private-contacts", "", &list); len(list) != 0 {
		t.Errorf("another user's private contacts are shown: %+v", list)
	}
	anna.want(403, "POST", "/contacts", `{"lastName":"Global"}`, nil)
	ben.want(201, "POST", "/contacts", `{"lastName":"Global"}`, &global)
	anna.want(200, "GET", "/contacts/"+global.ID, "", nil)
	anna.want(403, "DELETE", "/contacts?all=true", "", nil)
	ben.want(403, "GET", "/contacts/export", "", nil) // another module
}

func TestInternalContacts(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	m.edit(t, func(cfg *pbx.Config) {
		cfg.UserByID("demo102").HideFromPhonebook = true
		cfg.UserByID("demo103").Mobile = "+491701"
		cfg.UserByID("demo103").LastName = "Özil"
	})
	for query, want := range map[string]string{
		"":                          "demo101 demo103",
		"?sort=extension&down=true": "demo103 demo101",
		"?name=öz":                  "demo103",
		"?letter=A":                 "demo101",
		"?number=%2B4917":           "demo103",
		"?name=a&number=103":        "",
		"?offset=1":                 "demo103",
		"?limit=1":                  "demo101",
	} {
		var list []InternalContact
		c.want(200, "GET", "/internal-contacts"+query, "", &list)
		var ids []string
		for _, x := range list {
			ids = append(ids, x.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%q: got %q, want %q", query, got, want)
		}
	}
}

// TestFullDirectory checks that a directory takes no more than it holds.
func TestFullDirectory(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	list := make([]pbx.Contact, pbx.MaxPrivateContacts)
	for i := range list {
		list[i] = pbx.Contact{ID: fmt.Sprint(i), ContactSettings: pbx.ContactSettings{LastName: fmt.Sprint("N", i)}}
	}
	m.contacts["admin"] = list[1:]
	c.want(201, "POST", "/private-contacts", `{"lastName":"Last"}`, nil)
	var p Problem
	res := c.want(409, "POST", "/private-contacts", `{"lastName":"Too many"}`, nil)
	if err := json.Unmarshal([]byte(res.text), &p); err != nil || p.Args["max"] != float64(pbx.MaxPrivateContacts) {
		t.Errorf("got %s, error %v", res.text, err)
	}
}
