package page_test

import (
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/browser"
)

// TestPeopleTrial adds a certificate, lets the page use it, and
// does nothing more: the one before returns by itself.
func TestPeopleTrial(t *testing.T) {
	var chromium browser.Chromium
	defer chromium.Close()
	s := officeWith(t, pbxdtest.Options{Trial: 6 * time.Second})
	before := s.Served(t)
	chain, key := certificate(t, "pbx.example.org")
	_, other := certificate(t, "pbx.example.org")
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("Certificates")
	p.Press("Add certificate")
	p.Fill("Description", "Office")
	p.Fill("Certificate", chain)
	p.Fill("Private key", other)
	p.Press("Add certificate")
	p.Sees("Not saved:")
	shoot(p, "certificate-refused")
	p.Fill("Private key", key)
	p.Press("Add certificate")
	p.Sees("Office is added")

	p.In("Office").Press("Use for this page")
	p.Sees("the present certificate returns by itself")
	shoot(p, "certificate-asked")
	p.Press("Use it")
	p.Sees("Goes back by itself in")
	if got := s.Served(t); got != "pbx.example.org" {
		t.Errorf("the device shows the certificate of %q", got)
	}
	p.SeesNot("Goes back by itself in")
	if got := s.Served(t); got != before {
		t.Errorf("the device shows the certificate of %q, want %q as before", got, before)
	}
	var revisions []pbx.Revision
	s.As("admin", pin).Do("GET", "/api/v1/revisions", nil, 200, &revisions)
	if r := revisions[0]; r.Author != "system" {
		t.Errorf("the newest revision is %+v, want one by system", r)
	}
	p.Forgive() // connections end when the certificate changes
	p.Press("Certificates")
	p.Sees("Office")
	p.NoTroubles()
}

// TestPeopleGUI gives a user one module by the page: a GUI group, a permission
// group that shows it, and the user in it. The user then sees that and no more.
func TestPeopleGUI(t *testing.T) {
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("GUI")
	p.Press("Add GUI group")
	p.Fill("Title", "Audit only")
	p.Tick("Audit log", true)
	if !p.Ticked("System") {
		t.Error("the module System stays off above the module Audit log") // F101
	}
	shoot(p, "gui-group")
	p.Press("Add GUI group")
	p.Sees("Audit only is added")
	p.Press("Close")
	p.Press("Permission groups")
	p.Press("Add permission group")
	p.Fill("Name", "Auditors")
	p.Press("Add permission")
	p.Select("Permission", "Show GUI")
	p.Select("Apply to", "Audit only")
	p.Tick("Anna Cartman (anna) 201", true)
	shoot(p, "permission-group")
	p.Press("Add permission group")
	p.Sees("Auditors is added")
	p.NoTroubles()

	q := chromium.Page(t)
	logIn(q, s, "anna")
	q.Press("Audit log")
	q.Sees("logged in")
	q.SeesNot("Certificates")
	q.Open("https://" + s.Web.String() + "/certificates")
	q.Heading("Not found")
	b := s.As("anna", pin)
	b.Do("GET", "/api/v1/audit", nil, 200, nil)
	b.Do("GET", "/api/v1/certificates", nil, 403, nil)
	b.Do("GET", "/api/v1/users", nil, 403, nil)
	q.NoTroubles()
}

// TestPeoplePlain looks at the page as a plain user: own screens only, by menu,
// by address and by the API.
func TestPeoplePlain(t *testing.T) {
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	p := chromium.Page(t)
	logIn(p, s, "anna")
	p.Heading("Home")
	p.Look(360, 740, "light")
	p.Idle()
	p.Fits("home of a user")
	shoot(p, "plain-home-narrow")
	p.Look(1280, 860, "light")
	for _, path := range paths(p) {
		switch path {
		case "/home", "/internal-contacts", "/global-contacts", "/private-contacts", "/private-contact-csv", "/profile":
		default:
			t.Errorf("a plain user has %s in the menu", path)
		}
	}
	p.Open("https://" + s.Web.String() + "/users/admin")
	p.Heading("Not found")
	shoot(p, "plain-denied")
	b := s.As("anna", pin)
	for _, path := range []string{"/users", "/users/admin", "/users/admin/image", "/system-settings", "/certificates", "/revisions", "/audit", "/email-delivery"} {
		method := "GET"
		if path == "/users/admin/image" {
			method = "DELETE"
		}
		b.Do(method, "/api/v1"+path, nil, 403, nil)
	}
	p.NoTroubles()
}
