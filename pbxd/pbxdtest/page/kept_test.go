package page_test

import (
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/browser"
)

// TestPeopleKept ends a session while somebody types: the same user comes back
// and saves what was typed; another user does not find it.
func TestPeopleKept(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	p := chromium.Page(t)
	logIn(p, s, "petra")
	p.Press("Benutzer")
	p.Press("anna")
	p.Fill("Nachname", "Adler")
	a := s.As("admin", pin)
	newPIN := func(pin string) { // which ends all sessions
		a.Do("PUT", "/api/v1/users/"+idOf(a, "petra"), map[string]any{"user": "petra", "extension": "205", "firstName": "Petra", "lastName": "Klein", "admin": true, "language": "de",
			"pin": pin, "mustChangePin": false}, 0, nil)
	}
	newPIN("815815")
	p.Sees("Ihre Sitzung ist beendet")
	shoot(p, "session-ended-typed")
	p.Holds("Benutzername", "petra")
	p.Keys("\x1b\x1b\x1b") // there is no other way out
	p.Fill("PIN", "815815")
	p.Press("Anmelden")
	p.Holds("Nachname", "Adler")
	p.Press("Speichern")
	p.Heading("anna, Anna Adler, 201")

	p.Fill("Nachname", "Berg")
	browser.Eval[bool](p, "import('/js/live.js').then((m) => (m.live.stop(), true))") // only Save finds out
	newPIN("709709")
	p.Press("Speichern")
	p.Sees("Ihre Sitzung ist beendet")
	p.Fill("PIN", "709709")
	p.Press("Anmelden")
	p.Sees("Nicht gespeichert: Ihre Sitzung war beendet. Versuchen Sie es noch einmal.")
	shoot(p, "session-ended-saved")
	p.Press("Speichern")
	p.Heading("anna, Anna Berg, 201")

	p.Fill("Nachname", "Clark")
	newPIN("918918")
	p.Fill("Benutzername", "admin")
	p.Fill("PIN", pin)
	p.Press("Anmelden")
	p.Heading("anna, Anna Berg, 201")
	p.Holds("Last name", "Berg")
	p.NoTroubles()
}

// TestPeopleRefusedSetting leaves a system setting that cannot be: it is not
// lost without a question, neither by the menu nor by another tab.
func TestPeopleRefusedSetting(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("System settings")
	p.Fill("Ring time", "9999")
	p.Keys("\t")
	p.Sees("5 to 600")
	for _, away := range []string{"Audio", "Users"} {
		p.Press(away)
		p.Sees("Discard your changes?")
		p.Keys("\x1b")
		p.SeesNot("Discard your changes?")
		p.Holds("Ring time", "9999")
	}
	p.Press("Audio")
	p.Press("Discard")
	p.Sees("First audio port")
	p.Reload()
	p.Sees("First audio port")
	p.Back()
	p.Sees("Ring time")
	p.Press("Users")
	p.Heading("Users")
	p.NoTroubles()
}

// TestPeopleWizardAgain runs the wizard a second time: it begins with what the
// device has, and brings nobody back who was deleted.
func TestPeopleWizardAgain(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	a := s.As("admin", pin)
	var locale pbx.Locale
	a.Do("GET", "/api/v1/locale", nil, 200, &locale)
	locale.Language = "en"
	a.Do("PUT", "/api/v1/locale", locale, 0, nil)
	a.Do("DELETE", "/api/v1/users/"+idOf(a, "demo103"), nil, 0, nil)
	p := chromium.Page(t)
	logIn(p, s, "petra")
	p.Press("Installationsassistent")
	if !p.Ticked("English") {
		t.Error("the wizard does not begin with the language of the device")
	}
	p.Press("Weiter")
	p.Press("Weiter")
	p.Press("Weiter")
	p.Sees("Vorerst keine")
	p.Press("Weiter")
	p.Sees("Neue Benutzer haben die PIN 0000")
	p.In("Benutzer demo103").Holds("Nebenstelle", "")
	p.In("Benutzer demo101").Fill("Vorname", "Eva")
	p.Press("Hier beenden")
	p.Sees("Änderungen verwerfen?")
	p.Keys("\x1b")
	p.Press("Weiter")
	p.Press("Einstellungen übernehmen")
	p.Sees("Die Einstellungen gelten")
	if idOf(a, "demo103") != "" {
		t.Error("the wizard brought a deleted user back")
	}
	var now pbx.Locale
	if a.Do("GET", "/api/v1/locale", nil, 200, &now); now != locale {
		t.Errorf("the wizard made %+v of %+v", now, locale)
	}
	p.NoTroubles()
}
