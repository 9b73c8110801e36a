package web

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"galilei/pbxd/pbx"
)

// press sends a key to whatever has the focus, as the browser itself sees it.
func (b *browser) press(key string) {
	b.t.Helper()
	b.run("press "+key, chromedp.KeyEvent(key))
}

// choose picks an option of a select by hand.
func (b *browser) choose(selector, value string) {
	b.t.Helper()
	b.until("there is "+selector, fmt.Sprintf("document.querySelector(%q)", selector))
	b.eval(fmt.Sprintf("(e => { e.value = %q; e.dispatchEvent(new Event('change', {bubbles: true})); })(document.querySelector(%q))", value, selector))
}

// rows waits until the list shows that many.
func (b *browser) rows(n int) {
	b.t.Helper()
	b.until(fmt.Sprintf("%d rows", n), fmt.Sprintf("document.querySelectorAll('tbody tr[data-id]').length === %d", n))
}

// manyUsers gives the device 60 users.
func manyUsers(cfg *pbx.Config) {
	for i := len(cfg.Users); i < 60; i++ {
		name := fmt.Sprintf("user%02d", i)
		cfg.Users = append(cfg.Users, pbx.User{ID: name, UserSettings: pbx.UserSettings{Name: name, Extension: fmt.Sprint(200 + i),
			FirstName: string(rune('A'+i%26)) + "da", LastName: "Ober"}})
	}
}

// TestPageList filters, sorts and pages, and finds it again by the address and
// by Back (F041 to F045).
func TestPageList(t *testing.T) {
	b, _ := opened(t, "/users")
	b.text("td", "demo103")
	b.m.edit(t, manyUsers)
	b.rows(50)
	b.text(".position", "1-50 of 60")
	b.choose(".list-foot select", "20")
	b.rows(20)
	b.click("[aria-label='Next page']")
	b.text(".position", "21-40 of 60")
	b.until("the address says so", "location.search.includes('page=2')")
	b.click("[aria-label='Next page']")
	b.text(".position", "41-60 of 60")
	b.eval("history.back()")
	b.text(".position", "21-40 of 60")

	b.run("open anew", chromedp.Navigate(b.base+"/users?letter=O&sort=extension&down=true"))
	b.rows(20) // the page size is remembered; every last name begins with O
	b.until("sorted downwards", "document.querySelector('tbody tr[data-id]').dataset.id === 'user59'")
	b.click(".clear")
	b.rows(20)
	b.keys("[aria-label='Name begins with']", "Ob")
	b.text(".list-count", "56 of 60")
	b.keys("[aria-label='Number begins with']", "21")
	b.rows(10) // both at once: 210 to 219
	b.click("tr[data-id=user12] a")
	b.text(".sheet h2", "user12")
	b.escape()
	b.gone("dialog")
	b.rows(10) // what the list shows stays
	b.noTroubles()
}

// TestPageHuntGroup puts members in order by keyboard alone (F086).
func TestPageHuntGroup(t *testing.T) {
	b, _ := opened(t, "/hunt-groups")
	b.text("td", "no hunt groups yet")
	b.button("Add hunt group")
	b.fill("Extension", "500")
	b.fill("Title", "Sales")
	for _, id := range []string{"demo101", "demo102", "demo103"} {
		b.until(id+" can be chosen", fmt.Sprintf("document.querySelector('.places + select option[value=%s]')", id))
		b.choose(".places + select", id)
	}
	b.eval("document.querySelector('[aria-label^=\"Move Clara\"][data-move=up]').focus()")
	b.press("\r")
	b.until("the focus moves along", "document.activeElement.ariaLabel.startsWith('Move Clara')")
	b.press("\r")
	b.until("Clara is first", "document.querySelector('.places li').innerText.includes('Clara')")
	b.keys(".places li:nth-child(2) input", "0000")
	b.click(".sheet button[type=submit]")
	b.text("g-field .error", "lace 2: must be 1 to 600")
	b.shoot("hunt-group")
	b.keys(".places li:nth-child(2) input", "\b\b\b")
	b.click(".sheet button[type=submit]")
	b.text(".sheet h2", "Sales, 500")
	cfg, _ := b.m.Current()
	want := []pbx.HuntMember{{User: "demo103", Timeout: 5}, {User: "demo101", Timeout: 50}, {User: "demo102", Timeout: 5}}
	if len(cfg.HuntGroups) != 1 || !slices.Equal(cfg.HuntGroups[0].Members, want) {
		t.Errorf("got %+v, want members %+v", cfg.HuntGroups, want)
	}

	// Deleted and brought back.
	b.button("Delete")
	b.text("dialog.ask h2", "Delete Sales, 500?")
	b.button("Delete")
	b.text(".toast", "is deleted")
	b.text("td", "no hunt groups yet")
	b.button("Undo")
	b.text("td", "Sales")
	b.noTroubles()
}

// TestPageGUI switches modules: one that goes off takes those below along, one
// that goes on those above (F101).
func TestPageGUI(t *testing.T) {
	b, _ := opened(t, "/gui-groups/newusergui")
	on := func(id string) string { return fmt.Sprintf("document.querySelector('#module-%s').checked", id) }
	b.text(".sheet h2", "New user GUI")
	b.until("contacts are on", on("contacts-private-csv"))
	b.click("#module-contacts")
	b.until("all below is off", "!"+on("contacts-private-csv")+" && !"+on("contacts-global"))
	b.click("#module-pickup-groups")
	b.until("all above is on", on("users-and-groups")+" && "+on("users-and-extensions"))
	b.button("Save")
	b.text(".toast", "is saved")
	cfg, _ := b.m.Current()
	got := cfg.GUIGroupByID(pbx.GUIGroupUser).Modules()
	if slices.Contains(got, "contacts") || !slices.Contains(got, "pickup-groups") || slices.Contains(got, "users") {
		t.Errorf("modules: got %v", got)
	}
	b.noTroubles()
}

// TestPageSearch finds a screen, a parameter and a person by keyboard.
func TestPageSearch(t *testing.T) {
	b, _ := opened(t, "/status")
	b.text("h1", "General information")
	find := func(words string) {
		b.t.Helper()
		// chromedp types the character even when the page takes the key.
		b.eval("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '/', bubbles: true}))")
		b.until("the search is open", "document.activeElement.matches('dialog.find input')")
		b.keys("dialog.find input", words)
		b.until("something is found", "document.querySelector('[aria-selected=true]')")
		b.press("\r")
		b.gone("dialog.find")
	}
	find("pickup gr")
	b.text("h1", "Pickup groups")
	find("103")
	b.text(".sheet h2", "Clara Demo")
	b.escape()
	b.gone("dialog")
	find("keep the audit")
	b.text("h1", "System settings")
	b.until("its tab is open", "document.activeElement.closest('g-field')?.name === 'auditDays'")
	b.button("History")
	b.text("h1", "History")
	find("ring time")
	b.text("h1", "System settings")
	b.until("the field has the focus", "document.activeElement.closest('g-field')?.name === 'ringTime'")
	find("operator ext")
	b.text(".notice", "Operator extension")
	b.click("tr[data-id=demo101] a")
	b.until("the field has the focus", "document.activeElement.closest('g-field')?.name === 'operatorExtension'")
	b.noTroubles()
}

// TestPageImpersonate takes the rights of a user and gives them back (F051).
func TestPageImpersonate(t *testing.T) {
	b, _ := opened(t, "/users")
	b.text("td", "demo103")
	b.click(".profile summary")
	b.button("Impersonate")
	b.button("Ben Demo (demo102) · 102")
	b.text(".actor", "admin uses this page as Ben Demo")
	b.text("h1", "Home")
	b.gone("a[href='/users']")
	b.button("Back to admin")
	b.text("nav.menu", "Pickup groups")
	b.gone(".actor")
	if n := b.m.audited("impersonate") + b.m.audited("impersonate-end"); n != 2 {
		t.Errorf("audited %d times, want 2", n)
	}
	b.noTroubles()
}

// TestPageGerman changes the language by the profile menu and looks at each
// screen: what is told, too, is German.
func TestPageGerman(t *testing.T) {
	b, _ := opened(t, "/users")
	b.text("td", "demo103")
	b.click(".profile summary")
	b.button("Change language")
	b.eval("document.querySelector('.sheet input[value=de]').click()")
	b.button("Save")
	b.text("h1", "Benutzer")
	b.until("the language is marked", "document.documentElement.lang === 'de'")
	b.click("tr[data-id=demo102] a")
	b.fill("Nebenstelle", "101")
	b.button("Speichern")
	b.text("g-field .error", "101 ist schon die Nebenstelle von demo101 (Benutzer)")
	b.shoot("german-refused")
	b.button("Abbrechen")
	b.gone(".save-bar.shown")
	for _, path := range []string{"/users", "/users/demo101", "/pickup-groups/new", "/hunt-groups/new", "/permission-groups/admins", "/gui-groups/newusergui", "/name-number",
		"/settings", "/email-delivery", "/history", "/audit", "/status", "/home", "/profile"} {
		for _, width := range []int64{1280, 360} {
			b.look(width, 740, "light")
			b.run("open "+path, chromedp.Navigate(b.base+path))
			b.until("there is a screen", "document.querySelector('h1')?.innerText && !document.querySelector('.alert')")
			b.fits(path + " in German")
		}
	}
	b.noTroubles()
}

// TestPagePending keeps a change from the new situation, and another goes back
// by hand.
func TestPagePending(t *testing.T) {
	b, _ := opened(t, "/users")
	b.text("td", "demo103")
	b.m.addCertificate(t, "c1", "new.example")
	use := func(id string) {
		t.Helper()
		if _, err := b.s.commitTentative(asAdmin(t, b.s), pbx.Say("Certificate"), "page", pendingWindow, func(cfg *pbx.Config) error {
			cfg.Page.Certificate = id
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	use("c1")
	b.text("g-pending", "Not confirmed yet: Certificate")
	b.text("g-pending .left", "seconds")
	b.shoot("pending")
	b.run("open anew", chromedp.Navigate(b.base+"/users"))
	b.button("Keep")
	b.text(".toast", "The change is kept")
	b.until("the bar is gone", "!document.querySelector('g-pending').checkVisibility()")
	if cfg, _ := b.m.Current(); cfg.Page.Certificate != "c1" || b.m.Pending() != nil {
		t.Errorf("certificate %q, pending %v", cfg.Page.Certificate, b.m.Pending())
	}
	use("")
	b.button("Go back")
	b.text(".toast", "The change is taken back")
	if cfg, _ := b.m.Current(); cfg.Page.Certificate != "c1" {
		t.Errorf("certificate %q, want c1", cfg.Page.Certificate)
	}
}
