package web

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"galilei/pbxd/pbx"
)

// escape presses the key as the browser itself sees it.
func (b *browser) escape() {
	b.t.Helper()
	b.run("press Escape", chromedp.KeyEvent("\u001b"))
}

// value waits until the field with a label holds a text.
func (b *browser) value(label, want string) {
	b.t.Helper()
	b.until(label+" is "+want, fmt.Sprintf("document.querySelector(%q).value === %q", b.field(label), want))
}

// opened logs the administrator in and opens an address of the page.
func opened(t *testing.T, path string) (*browser, *client) {
	t.Helper()
	b := newBrowser(t)
	c := loggedIn(t, b.s)
	b.look(1280, 860, "light")
	b.run("open", chromedp.Navigate(b.base+path))
	b.logIn("admin", adminPIN)
	return b, c
}

// TestPageEscape presses Escape again and again over a form with a change: it
// is neither lost nor stuck.
func TestPageEscape(t *testing.T) {
	b, _ := opened(t, "/users/demo101")
	b.text(".sheet h2", "demo101")
	b.fill("First name", "Changed")
	for range 7 {
		b.escape()
		time.Sleep(100 * time.Millisecond) // for the browser to do what it does by itself
		b.until("the sheet is there", "document.querySelectorAll('dialog.sheet[open]').length === 1 && document.querySelectorAll('dialog.ask').length < 2")
	}
	b.eval("document.querySelector('dialog.ask .button.plain')?.click()")
	b.gone("dialog.ask")
	b.value("First name", "Changed")
	b.escape()
	b.text("dialog.ask h2", "Discard your changes?")
	b.button("Discard")
	b.gone("dialog")
	b.click("tr[data-id=demo101] a")
	b.text(".sheet h2", "demo101, Anna Demo, 101")
	b.value("First name", "Anna")
	b.escape()
	b.gone("dialog")
	b.noTroubles()
}

// TestPageBack goes back over a form with a change.
func TestPageBack(t *testing.T) {
	b, _ := opened(t, "/users")
	b.button("E-mail delivery")
	b.toggle("E-mail delivery")
	b.fill("SMTP server", "mx99")
	b.eval("history.back()")
	b.text("dialog.ask h2", "Discard your changes?")
	b.button("Cancel")
	b.gone("dialog.ask")
	b.value("SMTP server", "mx99")
	b.until("the address is that of the form", "location.pathname === '/email-delivery'")
	b.eval("history.back()")
	b.text("dialog.ask h2", "Discard your changes?")
	b.button("Discard")
	b.text("h1", "Users")

	// What was closed does not come again.
	b.click("tr[data-id=demo102] a")
	b.text(".sheet h2", "demo102")
	b.fill("First name", "Typed")
	b.eval("history.back()")
	b.text("dialog.ask h2", "Discard your changes?")
	b.button("Discard")
	b.gone("dialog")
	b.click("tr[data-id=demo103] a")
	b.text(".sheet h2", "demo103")
	b.escape()
	b.gone("dialog")
	b.eval("history.back()")
	time.Sleep(200 * time.Millisecond)
	b.until("no sheet opens", "location.pathname === '/users' && !document.querySelector('dialog')")
	b.run("open a malformed address", chromedp.Navigate(b.base+"/users/%ff"))
	b.text("h1", "Not found")
	b.noTroubles()
}

// TestPageConflict has somebody else change what is being edited.
func TestPageConflict(t *testing.T) {
	b, c := opened(t, "/users/demo101")
	change := func(first, last string) {
		t.Helper()
		c.want(200, "PUT", "/users/demo101", fmt.Sprintf(`{"user":"demo101","extension":"101","firstName":%q,"lastName":%q}`, first, last), nil)
	}
	b.fill("First name", "Mine")
	change("Theirs", "Other")
	b.value("First name", "Mine")
	b.button("Save")
	b.text(".summary", "somebody else has changed this")
	b.text(".summary", "First name is now Theirs; you have Mine")
	b.text(".summary", "Last name is now Other")
	b.value("Last name", "Other")
	b.value("First name", "Mine")
	b.shoot("conflict")
	b.button("Save mine anyway")
	b.text(".toast", "is saved")
	if cfg, _ := b.m.Current(); cfg.UserByID("demo101").FirstName != "Mine" || cfg.UserByID("demo101").LastName != "Other" {
		t.Errorf("got %q, want Mine Other", cfg.UserByID("demo101").DisplayName())
	}
	change("Fifty", "Other") // without changes the form follows
	b.value("First name", "Fifty")
	b.fill("First name", "Sixty")
	change("Seventy", "Other")
	b.button("Save")
	b.text(".summary", "First name is now Seventy; you have Sixty")
	b.button("Load the new values")
	b.value("First name", "Seventy")
	b.until("nothing differs", "![...document.querySelectorAll('g-form')].some((f) => f.changes.length)")
	b.noTroubles()
}

// TestPagePassword makes a new password and saves in the same sheet, sets a PIN
// and deletes.
func TestPagePassword(t *testing.T) {
	b, _ := opened(t, "/users/demo102")
	b.text(".sheet h2", "demo102")
	b.click("[aria-label='Make a new password']")
	b.text("dialog.ask h2", "New SIP password for demo102?")
	b.button("Make a new password")
	b.until("the password shows", "/^[a-zA-Z0-9]{20}$/.test(document.querySelector('.secret').textContent)")
	b.fill("First name", "Benno")
	b.until("the focus is in the form", "document.activeElement.matches('g-field input')")
	b.button("Save")
	b.text(".sheet h2", "Benno")
	b.gone(".save-bar.shown")

	must := fmt.Sprintf("document.querySelector(%q).checked", b.field("New PIN at next login"))
	b.eval(fmt.Sprintf("%s && document.querySelector(%q).click()", must, b.field("New PIN at next login"))) // off
	b.until("the switch is off", "!"+must)
	b.fill("PIN", "314159")
	b.until("the switch is on", must)
	b.eval(fmt.Sprintf("document.querySelector(%q).click()", b.field("New PIN at next login")))
	b.button("Save")
	b.gone(".save-bar.shown")
	b.text("g-field .help", "A PIN is set.")
	if cfg, _ := b.m.Current(); cfg.UserByID("demo102").MustChangePIN || cfg.UserByID("demo102").PIN == pbx.FactoryPIN {
		t.Error("the switch showed off, and the PIN must be changed")
	}
	b.button("Delete")
	b.text("dialog.ask h2", "Delete demo102")
	b.button("Delete")
	b.gone("dialog")
	b.noTroubles()
}

// TestPageRights gives and takes rights while the page is open.
func TestPageRights(t *testing.T) {
	b := newBrowser(t)
	c := loggedIn(t, b.s)
	const ben = `{"user":"demo102","extension":"102","firstName":"Ben"`
	c.want(200, "PUT", "/users/demo102", ben+`,"pin":"314159","mustChangePin":false}`, nil)
	b.run("open", chromedp.Navigate(b.base+"/"))
	b.button("Log in") // with nothing filled in
	b.text(".error", "be filled in")
	if n := b.m.audited("login-failed"); n != 0 {
		t.Errorf("the empty form was sent: %d failed logins", n)
	}
	b.logIn("demo102", "314159")
	b.text("h1", "Home")
	b.text(".pill", "All good")
	c.want(200, "PUT", "/users/demo102", ben+`,"admin":true}`, nil)
	b.text("nav.menu", "Audit log")
	b.button("Audit log")
	b.text("h1", "Audit log")
	c.want(200, "PUT", "/users/demo102", ben+`,"admin":false}`, nil)
	b.text("h1", "Not found")
	c.want(200, "PUT", "/users/demo102", ben+`,"mustChangePin":true}`, nil)
	b.text("h1", "Choose your PIN")
	b.noTroubles()
}

// TestPageProblem shows administrators at once what is wrong, and says when
// there is no live display.
func TestPageProblem(t *testing.T) {
	b, _ := opened(t, "/status")
	b.text(".pill", "All good")
	b.m.ail(fmt.Errorf("store: %w", syscall.ENOSPC))
	b.run("open", chromedp.Navigate(b.base+"/status"))
	b.text(".pill", "Needs attention")
	b.text(".banner", "memory is full")
	b.shoot("problem")
	b.m.ail(nil)
	b.s.streams.mu.Lock()
	b.s.streams.admins = 2 * maxAdminStreams
	b.s.streams.mu.Unlock()
	b.run("open", chromedp.Navigate(b.base+"/status"))
	b.text(".banner", "Live display is not available")
	b.text(".pill", "Not live")
	b.m.tell(registration("101", "Snom D735/10.1", "192.168.0.21:5060"))
	b.run("open", chromedp.Navigate(b.base+"/status")) // not live, and not wrong
	b.text("td", "Snom")
	b.text(".pill", "Not live")
	b.shoot("not-live")
}
