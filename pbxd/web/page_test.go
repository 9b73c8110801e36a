package web

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/browser"
)

func registration(ext, agent, source string) pbx.Fact {
	return pbx.Fact{Kind: pbx.FactRegistration, Extension: ext, Registrations: []pbx.Registration{{
		Extension: ext, Contact: "sip:" + ext + "@" + source, Transport: "udp", Source: source, UserAgent: agent,
		Since: time.Now().Add(-time.Hour), Expires: time.Now().Add(time.Hour)}}}
}

// pageLive shows calls and phones as they come and go, and says when the
// device is gone or the session over.
func pageLive(t *testing.T, v *visit) {
	c := v.opened(t, "/status")
	v.Heading("General information")
	v.Sees("Nobody is calling.")
	now := time.Now()
	call := pbx.CallStatus{ID: "c1", From: "101", FromName: "Anna Demo", To: "102", State: pbx.CallRinging, Started: now}
	v.m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &call})
	v.m.tell(registration("101", "Snom D735/10.1", "192.168.0.21:5060"))
	v.m.tell(registration("102", "Yealink SIP-T46S", "192.168.0.22:5060"))
	v.Sees("Ringing")
	up := call
	up.State, up.Answered = pbx.CallUp, now
	v.m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &up})
	v.Sees("Talking")
	v.Look(360, 740, "light")
	v.Fits("a call at 360 px")
	v.Press("Menu")
	v.Sees("Audit log")
	v.Press("Users")
	v.Until("the dot of 101 is on", "document.querySelector('tr[data-id=demo101] .dot.on') && !document.querySelector('tr[data-id=demo103] .dot.on')")
	v.m.tell(registration("103", "Snom D735/10.1", "192.168.0.23:5060"))
	v.Until("the dot of 103 turns on", "document.querySelector('tr[data-id=demo103] .dot.on')")
	v.Look(1280, 860, "light")
	v.Press("General information")
	ended := up
	ended.State = pbx.CallEnded
	v.m.tell(pbx.Fact{Kind: pbx.FactCall, Call: &ended})
	v.Sees("Nobody is calling.")
	v.NoTroubles()

	v.Open(v.base + "/nothing")
	v.Heading("Not found")
	// The session ends with the PIN: the page asks to log in again.
	c.want(204, "PUT", "/profile/pin", `{"old":"`+adminPIN+`","new":"271828"}`, nil)
	v.Sees("Your session has ended")
	v.logIn("admin", "271828")
	v.Heading("Not found")
	v.NoTroubles()

	// The server stops: the banner says so.
	v.s.stopOnce.Do(func() { close(v.s.stopping) })
	v.Sees("The connection to the device is lost.")
}

// pageSettings refuses wrong values at their fields and asks before changes are
// lost.
func pageSettings(t *testing.T, v *visit) {
	v.opened(t, "/email-delivery")
	v.Tick("E-mail delivery", true)
	v.Fill("SMTP port", "70000")
	v.Press("Save")
	v.Sees("be 1 to 65535")
	v.Fill("SMTP port", "587")
	v.Press("Save")
	v.Sees("eeded when mail is sent")
	v.Fill("SMTP server", "mail.example.org")
	v.Press("Save")
	v.Sees("Settings are saved")
	if cfg, _ := v.m.Current(); cfg.Mail.Port != 587 {
		t.Errorf("SMTP port: got %d, want 587", cfg.Mail.Port)
	}
	v.Fill("Sender name", "Front desk")
	v.Press("Audit log")
	v.Sees("Discard your changes?")
	v.Press("Keep editing")
	v.SeesNot("Discard your changes?")
	v.Heading("E-mail delivery")
	v.Press("Cancel")
	v.SeesNot("1 change")
	v.Press("Audit log")
	v.Sees("logged in")
	v.NoTroubles()
}

// pageUser shows an ordinary user the own phone and nothing else.
func pageUser(_ *testing.T, v *visit) {
	v.m.tell(registration("102", "Yealink SIP-T46S", "192.168.0.22:5060"))
	v.Open(v.base + "/users")
	v.logIn("demo102", "0000")
	v.Fill("New PIN", "5555")
	v.Fill("Repeat the new PIN", "5555")
	v.Press("Change PIN")
	v.Heading("Not found") // the list of users is not for users
	v.Press("To the start")
	v.Heading("Home")
	v.Sees("Yealink")
	v.NoTroubles()
}

// pageRights gives and takes rights while the page is open.
func pageRights(t *testing.T, v *visit) {
	c := loggedIn(t, v.s)
	const ben = `{"user":"demo102","extension":"102","firstName":"Ben"`
	c.want(200, "PUT", "/users/demo102", ben+`,"pin":"314159","mustChangePin":false}`, nil)
	v.Open(v.base + "/")
	v.Press("Log in") // with nothing filled in
	v.Sees("ust be filled in")
	if n := v.m.audited("login-failed"); n != 0 {
		t.Errorf("the empty form was sent: %d failed logins", n)
	}
	v.logIn("demo102", "314159")
	v.Heading("Home")
	v.Sees("All good")
	c.want(200, "PUT", "/users/demo102", ben+`,"admin":true}`, nil)
	v.Press("Audit log")
	v.Heading("Audit log")
	c.want(200, "PUT", "/users/demo102", ben+`,"admin":false}`, nil)
	v.Heading("Not found")
	c.want(200, "PUT", "/users/demo102", ben+`,"mustChangePin":true}`, nil)
	v.Heading("Choose your PIN")
	v.NoTroubles()
}

// pageProblem shows administrators at once what is wrong, and says when there
// is no live display.
func pageProblem(t *testing.T, v *visit) {
	v.opened(t, "/status")
	v.Sees("All good")
	v.m.ail(fmt.Errorf("store: %w", syscall.ENOSPC))
	v.Reload()
	v.Sees("Needs attention")
	v.Sees("memory is full")
	v.m.ail(nil)
	v.s.streams.mu.Lock()
	v.s.streams.admins = 2 * maxAdminStreams
	v.s.streams.mu.Unlock()
	v.Reload()
	v.Sees("Live display is not available")
	v.Sees("Not live")
	v.m.tell(registration("101", "Snom D735/10.1", "192.168.0.21:5060"))
	v.Reload() // not live, and not wrong
	v.Sees("Snom")
	v.Sees("Not live")
}

// pageSearch finds a screen, a setting, a parameter of entries, and a person.
func pageSearch(t *testing.T, v *visit) {
	const field = "Search screens, parameters, users and numbers"
	v.opened(t, "/status")
	v.Heading("General information")
	find := func(words, found string) {
		t.Helper()
		// chromedp types the character even when the page takes the key.
		browser.Eval[bool](v.Page, "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '/', bubbles: true}))")
		v.Fill(field, words)
		v.Until(found+" is found", fmt.Sprintf("document.querySelector('[role=option][aria-selected=true]')?.innerText.includes(%q)", found))
		v.Keys("\r")
		v.Until("the search is closed", "!document.querySelector('dialog.find')")
	}
	at := func(label string) {
		t.Helper()
		v.Until("the focus is in "+label, fmt.Sprintf("document.activeElement.labels?.[0]?.innerText.trim() === %q", label))
	}
	find("pickup gr", "Pickup groups")
	v.Heading("Pickup groups")
	find("103", "Clara Demo")
	v.Heading("demo103, Clara Demo, 103")
	v.Press("Close")
	find("keep the audit", "Keep the audit log")
	v.Heading("System settings")
	at("Keep the audit log") // on a tab that was not open
	v.Press("History")
	v.Heading("History")
	find("weekdays", "Weekdays") // a part of the time of a route
	v.Heading("Inbound routes")
	v.Sees("Open an entry to see When.")
	find("operator ext", "Operator extension")
	v.Sees("Open an entry to see Operator extension.")
	v.Press("demo101")
	at("Operator extension")
	v.NoTroubles()
}
