package web

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/browser"
)

// pageEscape presses Escape again and again over a form with a change: it is
// neither lost nor stuck.
func pageEscape(t *testing.T, v *visit) {
	v.opened(t, "/users/demo101")
	v.Heading("demo101, Anna Demo, 101")
	v.Fill("First name", "Changed")
	for range 7 {
		v.Keys(kb.Escape)
		// What the browser does by itself it has done by the second frame.
		browser.Eval[bool](v.Page, "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))")
		v.Until("the sheet is there", "document.querySelectorAll('dialog.sheet[open]').length === 1 && document.querySelectorAll('dialog.ask').length < 2")
	}
	if !v.Can("Discard") {
		v.Keys(kb.Escape)
	}
	v.Sees("Discard your changes?")
	v.Press("Keep editing")
	v.Holds("First name", "Changed")
	v.Keys(kb.Escape)
	v.Sees("Discard your changes?")
	v.Press("Discard")
	v.Until("the sheet is closed", "!document.querySelector('dialog')")
	v.Press("demo101")
	v.Heading("demo101, Anna Demo, 101")
	v.Holds("First name", "Anna")
	v.Keys(kb.Escape)
	v.Until("the sheet is closed", "!document.querySelector('dialog')")
	v.NoTroubles()
}

// pageBack goes back over a form with a change.
func pageBack(t *testing.T, v *visit) {
	v.opened(t, "/users")
	v.Press("E-mail delivery")
	v.Tick("E-mail delivery", true)
	v.Fill("SMTP server", "mx99")
	v.Back()
	v.Sees("Discard your changes?")
	v.Press("Keep editing")
	v.SeesNot("Discard your changes?")
	v.Holds("SMTP server", "mx99")
	v.Until("the address is that of the form", "location.pathname === '/email-delivery'")
	v.Back()
	v.Sees("Discard your changes?")
	v.Press("Discard")
	v.Heading("Users")

	// What was closed does not come again.
	v.Press("demo102")
	v.Heading("demo102, Ben Demo, 102")
	v.Fill("First name", "Typed")
	v.Back()
	v.Sees("Discard your changes?")
	v.Press("Discard")
	v.Until("the sheet is closed", "!document.querySelector('dialog')")
	v.Press("demo103")
	v.Heading("demo103, Clara Demo, 103")
	v.Keys(kb.Escape)
	v.Until("the sheet is closed", "!document.querySelector('dialog') && location.pathname === '/users'")
	browser.Eval[bool](v.Page, "(addEventListener('popstate', () => { window.wentBack = true; }), true)")
	v.Back()
	v.Until("the browser went back", "window.wentBack")
	v.Idle()
	v.Until("no sheet opens", "location.pathname === '/users' && !document.querySelector('dialog')")
	v.Open(v.base + "/users/%ff") // malformed
	v.Heading("Not found")
	v.NoTroubles()
}

// pagePassword reveals a password, makes a new one and saves in the same
// sheet, sets a PIN and deletes.
func pagePassword(t *testing.T, v *visit) {
	const shown = "/^[a-zA-Z0-9]{20}$/.test(document.querySelector('.secret').textContent)"
	v.opened(t, "/users/demo102")
	v.Heading("demo102, Ben Demo, 102")
	v.In("Phone set-up").Press("Show")
	v.Until("the password shows", shown)
	if n := v.m.audited("reveal-sip-password"); n != 1 {
		t.Errorf("reveal audited %d times, want 1", n)
	}
	old := browser.Eval[string](v.Page, "document.querySelector('.secret').textContent")
	v.Press("Make a new password")
	v.Sees("New SIP password for demo102")
	v.Press("Make a new password")
	v.Until("another password shows", fmt.Sprintf("%s && document.querySelector('.secret').textContent !== %q", shown, old))
	v.Fill("First name", "Benno")
	v.Press("Save")
	v.Heading("demo102, Benno Demo, 102")
	v.SeesNot("1 change")

	v.Tick("New PIN at next login", false)
	v.Fill("PIN", "314159")
	v.Until("the switch turns on", "[...document.querySelectorAll('dialog label')].find((l) => l.innerText.trim() === 'New PIN at next login').control.checked")
	v.Tick("New PIN at next login", false)
	v.Press("Save")
	v.Sees("A PIN is set.")
	v.SeesNot("2 changes")
	if cfg, _ := v.m.Current(); cfg.UserByID("demo102").MustChangePIN || cfg.UserByID("demo102").PIN == pbx.FactoryPIN {
		t.Error("the switch showed off, and the PIN must be changed")
	}
	v.Press("Delete")
	v.Sees("Delete demo102, Benno Demo, 102?")
	v.Press("Delete")
	v.Until("the sheet is closed", "!document.querySelector('dialog')")
	v.NoTroubles()
}
