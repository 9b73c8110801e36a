package page_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/browser"
)

// shoot keeps a picture when pictures are wanted.
func shoot(p *browser.Page, name string) {
	if os.Getenv("GALILEI_SCREENSHOTS") != "" {
		p.Shoot(name)
	}
}

// TestPeopleWizard sets a new device up, given nothing but its address: first
// login with the factory PIN, the forced change, and the wizard, which begins by
// itself (F027-F037).
func TestPeopleWizard(t *testing.T) {
	var chromium browser.Chromium
	defer chromium.Close()
	s := pbxdtest.Start(t, pbxdtest.Options{})
	p := chromium.Page(t)
	p.Open("https://" + s.Web.String() + "/")
	p.Fill("User name", "admin")
	p.Fill("PIN", "0000")
	p.Press("Log in")
	p.Heading("Choose your PIN")
	p.Fill("New PIN", pin)
	p.Fill("Repeat the new PIN", pin)
	p.Press("Change PIN")
	p.Heading("Installation wizard")
	p.Sees("Step 1 of 5")
	shoot(p, "wizard-1-language")
	p.Press("Next")
	p.Select("Country", "Belgium")
	p.Sees("What Belgium sets")
	shoot(p, "wizard-2-country")
	p.Press("Next")
	shoot(p, "wizard-3-mail")
	p.Press("Next")
	first := p.In("User demo101")
	first.Fill("First name", "Susan")
	first.Fill("Extension", "101")
	p.Press("Next")
	p.Sees("Hides the emergency number 101; choose another")
	first.Fill("Extension", "201")
	for i, name := range []string{"User demo102", "User demo103"} {
		p.In(name).Fill("Extension", []string{"202", "203"}[i])
	}
	shoot(p, "wizard-4-users")
	p.Press("Next")
	shoot(p, "wizard-5-review")
	p.Press("Submit settings")
	p.Sees("The settings are in use")
	p.NoTroubles()

	var locale struct{ Country, TimeZone string }
	a := s.As("admin", pin)
	a.Do("GET", "/api/v1/locale", nil, 200, &locale)
	if locale.Country != "BE" || locale.TimeZone != "Europe/Brussels" {
		t.Errorf("locale %+v", locale)
	}
	var users []struct{ User, Extension, FirstName string }
	a.Do("GET", "/api/v1/users", nil, 200, &users)
	got := ""
	for _, u := range users {
		got += u.User + " " + u.Extension + " " + u.FirstName + "; "
	}
	if want := "admin  ; demo101 201 Susan; demo102 202 Ben; demo103 203 Clara; "; got != want {
		t.Errorf("users: got %q, want %q", got, want)
	}
	p.Reload()
	p.Until("no wizard", "location.pathname !== '/wizard' || !!document.querySelector('nav.menu a')")
}

// manual is the example of the manual (p23), of whose rows each lacks a field
// (T1).
const manual = "User;Extension;First name;Last name;PIN;Voicemail box;E-mail;Language;CLIP internal;CLIP external;Hide from phonebook;Drop to operator;Operator extension;Call pick up group;Collective line\n" +
	"susi;14;Susan;Brown;12345;14;susan.brown@company.org;English;;111;no;no;1;444\n" +
	"ben;15;Ben;Smith;54321;15;ben.smith@company.org;English;;222;no;no;none;none\n"

// TestPeopleImport imports the manual's file, which must not be guessed at, and
// exports the contacts.
func TestPeopleImport(t *testing.T) {
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	file := filepath.Join(t.TempDir(), "user_11.csv")
	if err := os.WriteFile(file, []byte(manual), 0o600); err != nil {
		t.Fatal(err)
	}
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("User import")
	p.Choose("Choose file", file)
	p.Sees("14 of 15 fields")
	shoot(p, "import-flagged")
	p.Select("Which column is missing?", "Operator extension")
	p.Sees("2 of 2 rows can be imported.")
	shoot(p, "import-checked")
	p.Press("Import 2 users")
	p.Sees("2 users are imported.")
	p.NoTroubles()
	a := s.As("admin", pin)
	var hunt []struct {
		Extension string
		Members   []struct{ User string }
	}
	a.Do("GET", "/api/v1/hunt-groups", nil, 200, &hunt)
	if len(hunt) != 1 || hunt[0].Extension != "444" || len(hunt[0].Members) != 3 {
		t.Errorf("hunt groups: %+v", hunt)
	}

	p.Press("CSV import/export")
	name, text := p.Download(func() { p.Press("Download") })
	if !strings.HasPrefix(name, "prv_pb_") || !strings.Contains(string(text), "O'Neill") || strings.Count(string(text), "\n") != 6 {
		t.Errorf("exported %s: %q", name, text)
	}
}

// TestPeopleOneModule gives a user one module of the administration and looks
// at what that user can see and do then.
func TestPeopleOneModule(t *testing.T) {
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
	var log []pbx.AuditEntry
	a.Do("GET", "/api/v1/audit", nil, 200, &log)
	acts := ""
	for _, e := range log {
		acts += e.Action + " "
	}
	if !strings.Contains(acts, "confirm") {
		t.Errorf("audit log: %s", acts)
	}
}
