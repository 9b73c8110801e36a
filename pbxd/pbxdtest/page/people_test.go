package page_test

import (
	"os"
	"slices"
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/browser"
)

// shoot looks at a moment that is on no screen of its own, a dialog or an
// answer: it fits, axe-core finds nothing serious, and a picture is kept when
// pictures are wanted.
func shoot(p *browser.Page, name string) {
	p.Fits(name)
	browser.NewAxe(p.T()).Check(p, name)
	if os.Getenv("GALILEI_SCREENSHOTS") != "" {
		p.Shoot(name)
	}
}

// TestPeopleOneModule gives a user one module of the administration and looks
// at what that user can see and do then.
func TestPeopleOneModule(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	a := s.As("admin", pin)
	var gui struct{ ID string }
	a.Do("POST", "/api/v1/gui-groups", map[string]any{"title": "Contacts", "modules": []string{"login", "logout", "profile-pin", "contact-list"}}, 201, &gui)
	var users []struct{ ID, User string }
	a.Do("GET", "/api/v1/users", nil, 200, &users)
	var member string
	for _, u := range users {
		if u.User == "anna" {
			member = u.ID
		}
	}
	a.Do("POST", "/api/v1/permission-groups", map[string]any{"name": "Contact editors", "type": "user", "members": []string{member},
		"permissions": []map[string]any{{"permission": "show-gui", "appliesTo": gui.ID}}}, 201, nil)

	p := chromium.Page(t)
	logIn(p, s, "anna")
	p.Sees("Contact list")
	p.SeesNot("Pickup groups")
	shoot(p, "one-module")
	p.Open("https://" + s.Web.String() + "/users")
	p.Heading("Not found")
	b := s.As("anna", pin)
	b.Do("GET", "/api/v1/users", nil, 403, nil)
	b.Do("GET", "/api/v1/contacts", nil, 200, nil)
	b.Do("GET", "/api/v1/audit", nil, 403, nil)
}

// TestPeopleCertificate replaces the page's certificate twice: once it is taken
// back by hand, once it is kept from the new situation.
func TestPeopleCertificate(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	a := s.As("admin", pin)
	chain, key := certificate(t, "pbx.example.org")
	a.Do("POST", "/api/v1/certificates", map[string]any{"description": "Office", "certificate": chain, "key": key}, 201, nil)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("Certificates")
	use := func() {
		p.In("Office").Press("Use for this page")
		p.Press("Use it")
		p.Sees("Not confirmed yet")
	}
	use()
	shoot(p, "certificate-pending")
	if got := s.Served(t); got != "pbx.example.org" {
		t.Errorf("the device shows the certificate of %q", got)
	}
	p.Press("Go back")
	p.SeesNot("Not confirmed yet")
	if got := s.Served(t); got == "pbx.example.org" {
		t.Error("the certificate was not taken back")
	}
	use()
	p.Reload()
	p.Sees("This page was loaded in the new situation.")
	p.Press("Keep")
	p.SeesNot("Not confirmed yet")
	if got := s.Served(t); got != "pbx.example.org" {
		t.Errorf("kept, but the device shows the certificate of %q", got)
	}
	s.Eventually("the confirmation in the audit log", func() bool { // it is written after the page is told
		var log []pbx.AuditEntry
		a.Do("GET", "/api/v1/audit", nil, 200, &log)
		return slices.ContainsFunc(log, func(e pbx.AuditEntry) bool { return e.Action == "confirm-change" })
	})
}
