package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"galilei/pbxd/pbx"
)

func registration(ext, agent, source string) pbx.Fact {
	return pbx.Fact{Kind: pbx.FactRegistration, Extension: ext, Registrations: []pbx.Registration{{
		Extension: ext, Contact: "sip:" + ext + "@" + source, Transport: "udp", Source: source, UserAgent: agent,
		Since: time.Now().Add(-time.Hour), Expires: time.Now().Add(time.Hour)}}}
}

// TestPage walks through the page as an administrator on the first day does.
func TestPage(t *testing.T) {
	b := browse(t, newMemory())
	b.look(1280, 860, "light")
	b.run("open", chromedp.Navigate(b.base+"/"))

	b.text("h1", "Log in")
	b.shoot("login")
	b.logIn("admin", "9999")
	b.text("[role=alert]", "User name or PIN is wrong")
	b.logIn("admin", "0000")
	b.text("h1", "Choose your PIN")
	b.fill("New PIN", "482913")
	b.fill("Repeat the new PIN", "482914")
	b.button("Change PIN")
	b.text(".error", "do not match")
	b.shoot("pin")
	b.fill("Repeat the new PIN", adminPIN)
	b.button("Change PIN")
	b.text("h1", "Installation wizard") // by itself, on the first day
	b.shoot("wizard")
	b.button("Finish here")
	b.text("h1", "Users")
	b.text("td", "demo103")
	b.text(".pill", "All good")

	// A phone registers: the dot turns without a reload.
	b.until("demo101 is not registered", "!document.querySelector('tr[data-id=demo101] .dot.on')")
	b.m.tell(registration("101", "Snom D735/10.1", "192.168.0.21:5060"))
	b.until("demo101 is registered", "document.querySelector('tr[data-id=demo101] .dot.on')")

	// A wrong value is told at its field, by the page and by the server.
	b.button("Add user")
	b.fill("First name", "Eva")
	b.fill("Last name", "Maier")
	b.fill("User", "eva")
	b.fill("Extension", "1")
	b.button("Add user")
	b.text("g-field .error", "2 to 10 digits")
	b.fill("Extension", "101")
	b.button("Add user")
	b.text("g-field .error", "101 is already the extension of demo101")
	b.shoot("new-user-refused")
	b.fill("Extension", "210")
	b.fill("PIN", "314159")
	b.button("Add user")
	b.text(".sheet h2", "eva, Eva Maier, 210")
	if cfg, _ := b.m.Current(); cfg.UserByExtension("210") == nil {
		t.Fatal("the user is not in the configuration")
	}

	// The password shows on request, and that is recorded.
	b.text(".phone-setup code", "127.0.0.1")
	b.click(".reveal")
	b.until("the password shows", "/^[a-zA-Z0-9]{20}$/.test(document.querySelector('.secret').textContent)")
	if n := b.m.audited("reveal-sip-password"); n != 1 {
		t.Errorf("reveal audited %d times, want 1", n)
	}
	b.shoot("user-light")

	// A change shows the save bar; Ctrl+S saves.
	b.fill("Last name", "Huber")
	b.text(".save-bar", "1 change")
	b.eval("document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 's', ctrlKey: true, bubbles: true}))")
	b.text(".sheet h2", "eva, Eva Huber, 210")
	b.gone(".save-bar.shown")

	// Deletion names its object.
	b.button("Delete")
	b.text("dialog.ask h2", "Delete eva, Eva Huber, 210?")
	b.shoot("delete")
	b.button("Delete")
	b.gone(".sheet")
	b.until("eva is gone", "![...document.querySelectorAll('td a')].some((a) => a.innerText === 'eva')")

	// Back from the history.
	b.button("History")
	b.text(".revision", "User eva deleted")
	b.eval("document.querySelectorAll('.revision summary')[1].click()")
	b.text(".diff", "Huber")
	b.shoot("history")
	b.button(fmt.Sprintf("Restore revision %d", len(b.m.revisions)-1))
	b.button("Restore")
	b.until("eva is back", "true")
	b.text(".revision .comment", "restored")
	if cfg, _ := b.m.Current(); cfg.UserByExtension("210") == nil {
		t.Error("restore did not bring the user back")
	}
	b.noTroubles()
}

// TestPageLive shows calls as they come and go, and says when the device is
// gone or the session over.
func TestPageLive(t *testing.T) {
	b := newBrowser(t)
	c := loggedIn(t, b.s)
	b.look(1280, 860, "light")
	b.run("open", chromedp.Navigate(b.base+"/status"))
	b.logIn("admin", adminPIN)
	b.text("h1", "General information")
	b.text("td", "Nobody is calling.")
	now := time.Now()
	call := pbx.CallStatus{ID: "c1", From: "101", FromName: "Anna Demo", To: "102", State: pbx.CallRinging, Started: now}
	b.m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &call})
	b.m.tell(registration("101", "Snom D735/10.1", "192.168.0.21:5060"))
	b.m.tell(registration("102", "Yealink SIP-T46S", "192.168.0.22:5060"))
	b.text("td", "Ringing")
	up := call
	up.State, up.Answered = pbx.CallUp, now
	b.m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &up})
	b.text("td", "Talking")
	b.shoot("status-light")
	ended := up
	ended.State = pbx.CallEnded
	b.m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &ended})
	b.text("td", "Nobody is calling.")
	b.noTroubles()

	b.button("E-mail delivery")
	b.toggle("E-mail delivery")
	b.fill("SMTP port", "70000")
	b.button("Save")
	b.text("g-field .error", "be 1 to 65535")
	b.fill("SMTP port", "587")
	b.button("Save")
	b.text("g-field .error", "needed when mail is sent")
	b.fill("SMTP server", "mail.example.org")
	b.button("Save")
	b.text(".toast", "Settings are saved")
	if cfg, _ := b.m.Current(); cfg.Mail.Port != 587 {
		t.Errorf("SMTP port: got %d, want 587", cfg.Mail.Port)
	}
	b.shoot("settings")

	// Changes that are not saved are not lost without a question.
	b.fill("Sender name", "Front desk")
	b.button("Audit log")
	b.text("dialog.ask h2", "Discard your changes?")
	b.button("Cancel")
	b.gone("dialog.ask")
	b.text("h1", "E-mail delivery")
	b.button("Cancel")
	b.gone(".save-bar.shown")
	b.button("Audit log")
	b.text(".audit", "logged in")
	b.shoot("audit")
	b.run("open what is not there", chromedp.Navigate(b.base+"/nothing"))
	b.text("h1", "Not found")

	// The session ends with the PIN: the page asks to log in again.
	c.want(204, "PUT", "/profile/pin", `{"old":"`+adminPIN+`","new":"271828"}`, nil)
	b.text(".notice", "Your session has ended")
	b.logIn("admin", "271828")
	b.text("h1", "Not found")

	// The server stops: the banner says so.
	b.s.stopOnce.Do(func() { close(b.s.stopping) })
	b.text(".banner", "connection to the device is lost")
	b.shoot("lost")
}

// TestPageUser shows an ordinary user the own phone and nothing else.
func TestPageUser(t *testing.T) {
	b := newBrowser(t)
	b.m.tell(registration("102", "Yealink SIP-T46S", "192.168.0.22:5060"))
	b.run("open", chromedp.Navigate(b.base+"/users"))
	b.logIn("demo102", "0000")
	b.fill("New PIN", "5555")
	b.fill("Repeat the new PIN", "5555")
	b.button("Change PIN")
	b.text("h1", "Not found") // the list of users is not for users
	b.button("To the start")
	b.text("h1", "Home")
	b.text(".phones", "Yealink")
	b.shoot("profile")
	b.noTroubles()
}

// TestPageNarrow looks at every screen at 360 px and in both colour schemes.
func TestPageNarrow(t *testing.T) {
	b := newBrowser(t)
	loggedIn(t, b.s)
	b.m.tell(registration("101", "Snom D735/10.1", "192.168.0.21:5060"))
	b.m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &pbx.CallStatus{ID: "c1", From: "101", FromName: "Anna Demo", To: "102", State: pbx.CallUp, Started: time.Now(), Answered: time.Now()}})
	b.look(360, 740, "light")
	b.run("open", chromedp.Navigate(b.base+"/"))
	b.text("h1", "Log in")
	b.fits("login")
	b.logIn("admin", adminPIN)
	b.text("td", "demo103")
	for _, x := range []struct{ path, selector, words string }{
		{"/users", "td", "demo103"}, {"/users/demo101", ".sheet", "Phone set-up"}, {"/users/new", ".sheet", "New user"}, {"/settings", "g-field", "Ring time"}, {"/pickup-groups/new", ".sheet", "Members"}, {"/hunt-groups/new", ".sheet", "Call scheme"}, {"/permission-groups/admins", ".sheet", "Add permission"},
		{"/gui-groups/newusergui", ".sheet", "modules"}, {"/name-number", "td", "103"},
		{"/history", ".revision", "changed"}, {"/audit", ".audit", "logged in"}, {"/status", "td", "Snom"}, {"/profile", "h1", "Profile"},
	} {
		for _, view := range []struct {
			name   string
			width  int64
			scheme string
		}{{"wide-dark", 1280, "dark"}, {"wide-light", 1280, "light"}, {"360", 360, "light"}} {
			b.look(view.width, 740, view.scheme)
			if view.name == "wide-dark" {
				b.run("open "+x.path, chromedp.Navigate(b.base+x.path))
			}
			b.text(x.selector, x.words)
			b.fits(x.path + " " + view.name)
			b.shoot("screen" + strings.ReplaceAll(x.path, "/", "-") + "-" + view.name)
		}
	}
	b.run("open", chromedp.Navigate(b.base+"/users"))
	b.click(".drawer-button")
	b.text("nav.menu", "Audit log")
	b.shoot("drawer-360")
	b.noTroubles()
}
