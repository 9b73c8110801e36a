package web

import (
	"testing"

	"galilei/pbxd/pbx"
)

// TestDuplicatesAreToldAtTheirField: what is already somebody else's is told at
// the field that was edited, wherever the other stands in the list.
func TestDuplicatesAreToldAtTheirField(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	c := loggedIn(t, s)
	add := func(path, body string) string {
		var e struct{ ID string }
		c.want(201, "POST", path, body, &e)
		return path + "/" + e.ID
	}
	hunt := add("/hunt-groups", `{"extension":"600","title":"Sales"}`)
	add("/hunt-groups", `{"extension":"601","title":"Shop"}`)
	pickup := add("/pickup-groups", `{"number":3,"name":"Office"}`)
	add("/pickup-groups", `{"number":4,"name":"Yard"}`)
	for _, tc := range []struct{ method, path, body, location, message string }{
		{"PUT", "/users/demo101", `{"user":"demo101","extension":"103"}`, "body.extension", "103 is already the extension of demo103 (user)"},
		{"PUT", "/users/demo103", `{"user":"demo103","extension":"101"}`, "body.extension", "101 is already the extension of demo101 (user)"},
		{"POST", "/users", `{"user":"eva","extension":"102"}`, "body.extension", "102 is already the extension of demo102 (user)"},
		{"POST", "/users", `{"user":"eva","extension":"601"}`, "body.extension", "601 is already the extension of Shop (hunt group)"},
		{"PUT", "/users/demo101", `{"user":"demo102","extension":"101"}`, "body.user", "demo102 is already in use"},
		{"POST", "/users", `{"user":"demo101","extension":"200"}`, "body.user", "demo101 is already in use"},
		{"PUT", hunt, `{"extension":"601","title":"Sales","callScheme":"linear"}`, "body.extension", "601 is already the extension of Shop (hunt group)"},
		{"PUT", hunt, `{"extension":"103","title":"Sales","callScheme":"linear"}`, "body.extension", "103 is already the extension of demo103 (user)"},
		{"PUT", hunt, `{"extension":"600","title":"shop","callScheme":"linear"}`, "body.title", "shop is already in use"},
		{"PUT", pickup, `{"number":4,"name":"Office"}`, "body.number", "4 is already in use"},
		{"PUT", "/permission-groups/" + pbx.GroupAdmins, `{"name":"All users","type":"user"}`, "body.name", "All users is already in use"},
		{"POST", "/wizard", `{"locale":{"country":"DE","language":"en"},"users":[{"firstName":"A","lastName":"B","extension":"601"}]}`, "body.users[0].extension", "601 is already the extension of Shop (hunt group)"},
	} {
		var p Problem
		c.want(422, tc.method, tc.path, tc.body, &p)
		if len(p.Errors) != 1 || p.Errors[0].Location != tc.location || p.Errors[0].Message != tc.message {
			t.Errorf("%s %s %s: got %+v, want %s at %s", tc.method, tc.path, tc.body, p.Errors, tc.message, tc.location)
		}
	}
}
