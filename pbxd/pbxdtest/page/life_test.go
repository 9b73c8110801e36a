package page_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"galilei/pbxd/pbxdtest/browser"
)

// person is a user as the API tells of one.
type person struct{ ID, User, FirstName, LastName, Extension, Language, Image string }

// TestPeopleLife adds a user, changes and deletes it, and undoes that from the
// notice and from the history.
func TestPeopleLife(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	a := s.As("admin", pin)
	named := func(user string) (p person) {
		t.Helper()
		var list []person
		a.Do("GET", "/api/v1/users", nil, 200, &list)
		for _, u := range list {
			if u.User == user {
				return u
			}
		}
		return p
	}
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("Users")
	p.Press("Add user")
	p.Heading("New user")
	p.Fill("First name", "Eva")
	p.Fill("Last name", "Maier")
	p.Fill("User", "eva")
	p.Fill("Extension", "201") // anna's
	p.Press("Add user")
	p.Sees("Not saved:")
	shoot(p, "user-refused")
	p.Fill("Extension", "211")
	p.Press("Add user")
	p.Heading("eva, Eva Maier, 211")
	p.Fill("E-mail", "eva@example.org")
	p.Sees("1 change")
	p.Press("Save")
	p.Sees("eva, Eva Maier, 211 is saved")
	p.SeesNot("1 change")

	p.Choose("Choose picture", picture(t))
	p.Until("the picture shows", "[...document.querySelectorAll('dialog img')].some((i) => i.complete && i.naturalWidth > 0)")
	shoot(p, "user-open")
	if u := named("eva"); u.Image == "" || u.Extension != "211" {
		t.Errorf("the device holds %+v", u)
	}
	p.Press("Delete the picture")
	p.Until("the picture is gone", "!document.querySelector('dialog img')")

	id := named("eva").ID
	p.Press("Delete")
	p.Sees("Delete eva, Eva Maier, 211?")
	shoot(p, "user-delete")
	p.Press("Delete")
	p.Sees("eva, Eva Maier, 211 is deleted")
	if u := named("eva"); u.ID != "" {
		t.Errorf("deleted, but there is %+v", u)
	}
	p.Press("Undo")
	p.Sees("The entry is back")
	if u := named("eva"); u.ID != id || u.LastName != "Maier" {
		t.Errorf("undone, but there is %+v, want ID %s", u, id)
	}

	p.Press("Delete eva, Eva Maier, 211")
	p.Press("Delete")
	p.Sees("eva, Eva Maier, 211 is deleted")
	p.Press("History")
	p.Sees("Current")
	revisions := strings.Fields(browser.Eval[string](p, "[...document.querySelectorAll('details.revision .number')].map((e) => e.innerText).join(' ')"))
	if len(revisions) < 3 {
		t.Fatalf("revisions: %q", revisions)
	}
	p.Run("open the revision before", chromedp.Click(chromedp.CSS("details.revision:nth-of-type(2) > summary")))
	p.Press("Restore revision " + revisions[1])
	p.Sees("Brought back, with PIN and password of then: eva.")
	shoot(p, "history-restore")
	p.Press("Restore")
	p.Sees("Revision " + revisions[1] + " is restored")
	if u := named("eva"); u.ID != id {
		t.Errorf("restored, but there is %+v, want ID %s", u, id)
	}
	p.NoTroubles()
}

// TestPeopleSlow presses a button before the list beside it has come: what it
// opens comes nevertheless.
func TestPeopleSlow(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("General information")
	p.Slow(time.Second)
	p.Press("Hunt groups")
	p.Press("Add hunt group")
	if text := p.Text(); strings.Contains(text, "Hotline") {
		t.Fatalf("the list was there before the button was pressed: %s", text)
	}
	p.Heading("New hunt group")
	p.NoTroubles()
}

// TestPeopleKeyboard logs in, adds a user and saves a change without a mouse.
func TestPeopleKeyboard(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	p := chromium.Page(t)
	p.Open("https://" + s.Web.String() + "/users")
	p.Until("the focus is in the user name", "document.activeElement?.autocomplete === 'username'")
	p.Keys("admin\t" + pin + kb.Enter)
	p.Heading("Users")
	// tab goes on until the focus is on what has that name.
	tab := func(name string) {
		t.Helper()
		for range 60 {
			if browser.Eval[string](p, `((e) => (e?.labels?.[0]?.innerText ?? e?.getAttribute('aria-label') ?? e?.innerText ?? '').trim())(document.activeElement)`) == name {
				return
			}
			p.Keys("\t")
		}
		t.Fatalf("the tabulator does not come to %s", name)
	}
	tab("Add user")
	p.Keys(kb.Enter)
	p.Heading("New user")
	tab("First name")
	p.Keys("Otto")
	tab("User")
	p.Keys("otto\t222")
	p.Keys("s", chromedp.ModifierCtrl)
	p.Heading("otto, Otto, 222")
	tab("Last name")
	p.Keys("Berg")
	p.Sees("1 change")
	p.Keys("s", chromedp.ModifierCtrl)
	p.Sees("otto, Otto Berg, 222 is saved")
	p.SeesNot("1 change")
	p.Keys(kb.Escape)
	p.Until("the sheet is closed", "!document.querySelector('dialog.sheet')")
	p.NoTroubles()
}
