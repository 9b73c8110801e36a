package page_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/browser"
)

// newcomer is somebody who was given the address of a new device and nothing
// else. What newcomers do they find by what they read: no address but the first
// is typed, and nothing is asked of the API.
type newcomer struct {
	*browser.Page
	chromium *browser.Chromium
	s        *pbxdtest.System
}

// trial is how long a risky change waits to be confirmed in these tests.
const trial = 10 * time.Second

// TestTwelveTasks does on one new device, one after the other, what an
// administrator must be able to do without being told how.
func TestTwelveTasks(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := pbxdtest.Start(t, pbxdtest.Options{Trial: trial})
	p := &newcomer{Page: chromium.Page(t), chromium: &chromium, s: s}
	for _, task := range []struct {
		name string
		do   func(*testing.T)
	}{
		{"1 first login", p.logsIn},
		{"2 wizard", p.setsUp},
		{"3 add, change and delete a user", p.keepsUsers},
		{"4 import the manual's CSV", p.importsUsers},
		{"5 give a user one GUI module", p.delegates},
		{"6 find a parameter by name", p.finds},
		{"7 upload a picture", p.showsFaces},
		{"8 send a test mail", p.sendsMail},
		{"9 change the language", p.readsGerman},
		{"10 undo a revision", p.undoes},
		{"11 replace the certificate and let it revert", p.triesCertificate},
		{"12 export contacts", p.exportsContacts},
	} {
		if !t.Run(task.name, func(t *testing.T) {
			p.Under(t)
			task.do(t)
			p.NoTroubles()
		}) {
			t.FailNow() // each task begins where the one before has ended
		}
	}
}

func (p *newcomer) logsIn(*testing.T) {
	p.Open("https://" + p.s.Web.String())
	p.Sees("On a new device: user name admin, PIN 0000.")
	p.Fill("User name", "admin")
	p.Fill("PIN", "1234")
	p.Press("Log in")
	p.Sees("User name or PIN is wrong.")
	p.Fill("PIN", "0000")
	p.Press("Log in")
	p.Heading("Choose your PIN")
	p.Fill("New PIN", "0000")
	p.Fill("Repeat the new PIN", "0000")
	p.Press("Change PIN")
	p.Sees("New PIN must not be all zeros")
	p.Fill("New PIN", pin)
	p.Fill("Repeat the new PIN", "4712")
	p.Press("Change PIN")
	p.Sees("The two do not match.")
	p.Fill("Repeat the new PIN", pin)
	p.Press("Change PIN")
	p.Heading("Installation wizard") // which begins by itself
}

func (p *newcomer) setsUp(*testing.T) {
	p.Sees("Step 1 of 6")
	shoot(p.Page, "wizard-1-language")
	p.Press("Next")
	p.Select("Country", "Belgium")
	p.Sees("What Belgium sets")
	shoot(p.Page, "wizard-2-country")
	p.Press("Next")
	shoot(p.Page, "wizard-3-mail")
	p.Press("Next")
	p.takesALine()
	first := p.In("User demo101")
	first.Fill("First name", "Susan")
	first.Fill("Extension", "101")
	p.Press("Next")
	p.Sees("Extension hides the emergency number 101; choose another")
	first.Fill("Extension", "201")
	p.In("User demo102").Fill("Extension", "202")
	p.In("User demo103").Fill("Extension", "203")
	shoot(p.Page, "wizard-5-users")
	p.Press("Next")
	for _, words := range []string{"English", "Belgium", "Office line", "demo101 Susan"} {
		p.Sees(words)
	}
	shoot(p.Page, "wizard-6-review")
	p.Press("Submit settings")
	p.Sees("The settings are in use")
	p.Press("Users")
	for user, row := range map[string]string{"demo101": "demo101 Susan Demo 201", "demo102": "demo102 Ben Demo 202", "demo103": "demo103 Clara Demo 203"} {
		p.In(user).Sees(row)
	}
	p.Press("Country")
	p.Sees("Belgium")
	p.Holds("Time zone", "Europe/Brussels")
	p.Press("Gateways")
	p.In("Office line").Sees("4989123 · 127.0.0.1")
	p.Press("Gateway groups")
	p.Press("Office line")
	p.In("Outbound caller ID").Holds("Search pattern", "^(.*)")
	p.Press("Close")
}

// takesALine sets the outside line up: gateway, gateway group and default
// routes come of it (F035, F197).
func (p *newcomer) takesALine() {
	p.Heading("Outside line")
	p.Tick("SIP provider", true)
	p.Press("Next")
	p.Sees("Registrar must be filled in")
	p.Fill("Registrar", "127.0.0.1")
	p.Fill("User", "4989123")
	p.Fill("Password", "geheim-1")
	p.Fill("Call number", "+3222345678")
	shoot(p.Page, "wizard-4-line")
	p.Press("Further parameters")
	p.Fill("Name", "Office line")
	p.Press("Next")
}

func (p *newcomer) keepsUsers(*testing.T) {
	p.Press("Users")
	p.Press("Add user")
	p.Heading("New user")
	p.Fill("First name", "Eva")
	p.Fill("Last name", "Maier")
	p.Fill("User", "eva")
	p.Fill("Extension", "201") // Susan's
	p.Press("Add user")
	p.Sees("Not saved:")
	p.Sees("201 is already the extension of demo101")
	shoot(p.Page, "user-refused")
	p.Fill("Extension", "211")
	p.Press("Add user")
	p.Heading("eva, Eva Maier, 211")
	p.Fill("Last name", "Huber")
	p.Sees("1 change")
	p.Press("Save")
	p.Sees("eva, Eva Huber, 211 is saved")
	shoot(p.Page, "user-open")
	p.Press("Close")
	p.In("eva").Sees("eva Eva Huber 211")
	p.Press("Delete eva, Eva Huber, 211")
	p.Sees("Extension 211 is free at once")
	shoot(p.Page, "user-delete")
	p.Press("Delete")
	p.Sees("eva, Eva Huber, 211 is deleted")
	p.Until("the row is gone", "![...document.querySelectorAll('main tr')].some((r) => r.innerText.includes('Huber'))")
}

// manual is the example of the manual (p23), of whose rows each lacks a field
// (T1).
const manual = "User;Extension;First name;Last name;PIN;Voicemail box;E-mail;Language;CLIP internal;CLIP external;Hide from phonebook;Drop to operator;Operator extension;Call pick up group;Collective line\n" +
	"susi;14;Susan;Brown;12345;14;susan.brown@company.org;English;;111;no;no;1;444\n" +
	"ben;15;Ben;Smith;54321;15;ben.smith@company.org;English;;222;no;no;none;none\n"

func (p *newcomer) importsUsers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "user_11.csv")
	if err := os.WriteFile(file, []byte(manual), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Press("User import")
	p.Choose("Choose file", file)
	p.Sees("14 of 15 fields")
	p.Sees("0 of 2 rows can be imported.") // a missing field is not guessed at
	shoot(p.Page, "import-flagged")
	p.Select("Which column is missing?", "Operator extension")
	p.Sees("1 of 2 rows can be imported.") // the groups of the other are missing
	p.Tick("Add groups that do not exist", true)
	p.Sees("2 of 2 rows can be imported.")
	shoot(p.Page, "import-checked")
	p.Press("Import 2 users")
	p.Sees("2 users are imported.")
	p.Press("Users")
	for user, row := range map[string]string{"susi": "susi Susan Brown 14 susan.brown@company.org", "ben": "ben Ben Smith 15 ben.smith@company.org"} {
		p.In(user).Sees(row)
	}
	p.Press("Hunt groups")
	p.Sees("444")
}

// delegates gives susi the audit log, and susi has it and no more.
func (p *newcomer) delegates(t *testing.T) {
	p.Press("GUI")
	p.Press("Add GUI group")
	p.Fill("Title", "Audit only")
	p.Tick("Audit log", true)
	if !p.Ticked("System") {
		t.Error("the module System stays off above the module Audit log") // F101
	}
	shoot(p.Page, "gui-group")
	p.Press("Add GUI group")
	p.Heading("Audit only")
	p.Press("Close")
	p.Press("Permission groups")
	p.Press("Add permission group")
	p.Fill("Name", "Auditors")
	p.Press("Add permission")
	p.Select("Permission", "Show GUI")
	p.Select("Apply to", "Audit only")
	p.Tick("Susan Brown (susi) 14", true)
	shoot(p.Page, "permission-group")
	p.Press("Add permission group")
	p.Heading("Auditors")
	p.Press("Close")

	susi := p.chromium.Page(t)
	susi.Open("https://" + p.s.Web.String())
	susi.Fill("User name", "susi")
	susi.Fill("PIN", "12345") // as the file says
	susi.Press("Log in")
	susi.Heading("Choose your PIN") // the file is not the only one that knows it
	susi.Fill("New PIN", "57341")
	susi.Fill("Repeat the new PIN", "57341")
	susi.Press("Change PIN")
	susi.Press("Audit log")
	susi.Sees("logged in")
	own := []string{"Audit log", "Home", "Journal", "Internal contacts", "Global contacts", "Private contacts", "Private contacts: CSV",
		"Call forwarding", "Service attributes", "Messages", "Code card", "Profile"}
	if got := menu(susi); strings.Join(got, "|") != strings.Join(own, "|") {
		t.Errorf("the menu of a user with one module is %q, want %q", got, own)
	}
	shoot(susi, "one-module")
	susi.NoTroubles()
}

// menu returns the names in the menu, in order.
func menu(p *browser.Page) []string {
	return browser.Eval[[]string](p, "[...document.querySelectorAll('nav.menu a')].filter((a) => a.checkVisibility()).map((a) => a.innerText.trim())")
}

// finds opens the very field of a parameter by its name, then a user by number.
func (p *newcomer) finds(*testing.T) {
	const search = "Search screens, parameters, users and numbers"
	for _, x := range []struct{ words, screen, field string }{
		{"SMTP port", "E-mail delivery", "SMTP port"},
		{"ring time", "System settings", "Ring time"},
		{"time zone", "Country", "Time zone"},
	} {
		p.Press(search)
		p.Fill(search, x.words)
		p.Press(x.field + " " + x.screen)
		p.Heading(x.screen)
		p.Until("the focus is in "+x.field, "document.activeElement.labels?.[0]?.innerText.trim() === '"+x.field+"'")
	}
	p.Keys("k", chromedp.ModifierCtrl)
	p.Fill(search, "202")
	p.Until("it is found", "document.querySelector('[role=option][aria-selected=true]')?.innerText.includes('Ben Demo')")
	shoot(p.Page, "search")
	p.Keys(kb.Enter)
	p.Heading("demo102, Ben Demo, 202")
	p.Press("Close")
}
