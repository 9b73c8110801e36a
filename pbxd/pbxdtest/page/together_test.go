package page_test

import (
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/browser"
)

// TestPeopleTogether lets two administrators edit one user: the second is told
// what the first has changed, and decides.
func TestPeopleTogether(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	one, two := chromium.Page(t), chromium.Page(t)
	for _, p := range []*browser.Page{one, two} {
		logIn(p, s, "admin")
		p.Press("Users")
		p.Press("anna")
		p.Heading("anna, Anna Cartman, 201")
	}
	two.Fill("Last name", "Berg")
	two.Sees("1 change")
	one.Fill("Last name", "Adler")
	one.Fill("E-mail", "adler@example.org")
	one.Press("Save")
	one.Heading("anna, Anna Adler, 201")

	two.Press("Save")
	two.Sees("Not saved: somebody else has changed this in the meantime.")
	two.Sees("Last name is now Adler; you have Berg.")
	two.Sees("E-mail is now adler@example.org.")
	shoot(two, "conflict")
	two.Press("Save mine anyway")
	two.Heading("anna, Anna Berg, 201")
	two.Holds("E-mail", "adler@example.org")
	one.Holds("Last name", "Berg") // a form without changes follows

	one.Fill("Last name", "Adler")
	one.Sees("1 change")
	two.Fill("Last name", "Clark")
	two.Press("Save")
	two.Heading("anna, Anna Clark, 201")
	one.Press("Save")
	one.Sees("Last name is now Clark; you have Adler.")
	one.Press("Load the new values")
	one.Holds("Last name", "Clark")
	one.SeesNot("1 change")
	one.NoTroubles()
	two.NoTroubles()
}

// TestPeopleImpersonate uses the page as another user and comes back; the audit
// log has both names.
func TestPeopleImpersonate(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("Profile of admin")
	p.Press("Impersonate")
	p.Fill("Name or number", "201")
	shoot(p, "impersonate-choose")
	p.Press("Anna Cartman (anna) 201")
	p.Sees("admin uses this page as Anna Cartman.")
	p.SeesNot("Users & extensions")
	shoot(p, "impersonate")
	p.Press("Profile")
	p.Fill("Mobile", "0170999")
	p.Press("Save")
	p.Sees("Settings are saved")
	p.Press("Back to admin")
	p.Sees("Users & extensions")
	p.Press("Audit log")
	p.Sees("admin as anna")
	p.NoTroubles()

	a := s.As("admin", pin)
	for _, want := range []string{"/impersonate ", "admin/anna/change-profile ", "/impersonate-end "} {
		s.Eventually(want+"in the audit log", func() bool { // it is written after the page is told
			var log []pbx.AuditEntry
			a.Do("GET", "/api/v1/audit", nil, 200, &log)
			return slices.ContainsFunc(log, func(e pbx.AuditEntry) bool { return strings.Contains(e.Actor+"/"+e.As+"/"+e.Action+" ", want) })
		})
	}
}

// TestPeopleSession ends a session under the page: it asks for the login, and
// comes back to where the user was.
func TestPeopleSession(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	p := chromium.Page(t)
	logIn(p, s, "petra")
	p.Press("Sammelanschlüsse")
	p.Sees("Hotline")
	a := s.As("admin", pin)
	a.Do("PUT", "/api/v1/users/"+idOf(a, "petra"), map[string]any{"user": "petra", "extension": "205", "firstName": "Petra", "lastName": "Klein", "admin": true, "language": "de",
		"pin": "815815", "mustChangePin": false}, 0, nil) // another PIN ends all sessions
	p.Sees("Anmelden")
	shoot(p, "session-ended")
	p.Fill("Benutzername", "petra")
	p.Fill("PIN", pin)
	p.Press("Anmelden")
	p.Sees("Benutzername oder PIN ist falsch.")
	p.Fill("PIN", "815815")
	p.Press("Anmelden")
	p.Sees("Hotline")

	p.Press("Benutzer")
	p.Press("anna")
	p.Fill("Nebenstelle", "101")
	p.Press("Speichern")
	p.Sees("101 ist schon die Nebenstelle von demo101 (Benutzer)")
	shoot(p, "german-refused")
	p.Press("Abbrechen")
	p.Press("Schließen")

	p.Press("Profil von Petra Klein")
	p.Press("Abmelden")
	p.Sees("Anmelden")
	p.Back()
	p.Sees("Anmelden")
	p.SeesNot("Hotline")
	p.NoTroubles()
}

// idOf returns the ID of a user by the login name.
func idOf(a *pbxdtest.Admin, user string) string {
	var list []person
	a.Do("GET", "/api/v1/users", nil, 200, &list)
	for _, u := range list {
		if u.User == user {
			return u.ID
		}
	}
	return ""
}
