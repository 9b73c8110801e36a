package page_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"galilei/pbxd/pbxdtest/browser"
)

// TestPeopleFrame scrolls a list under the bars of the page, searches before
// the search is there, and reads names that are written from right to left.
func TestPeopleFrame(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	a := s.As("admin", pin)
	const mail = "a.very.long.name.of.the.reception.desk@mail.subsidiary.example.org"
	a.Do("POST", "/api/v1/users", map[string]any{"user": "abraham", "extension": "231", "firstName": "אברהם", "email": mail}, 201, nil)

	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Slow(2 * time.Second)
	p.Keys("k", chromedp.ModifierCtrl)
	p.Keys("hist")
	p.Holds("Search screens, parameters, users and numbers", "hist")
	p.Slow(0)
	p.Press("History …")
	p.Heading("History")

	p.Press("Profile of admin")
	p.Press("Impersonate")
	p.Press("Petra Klein (petra) 205")
	p.Sees("admin verwendet diese Oberfläche als Petra Klein.")
	p.Look(1280, 420, "light")
	p.Press("Benutzer")
	p.Sees("abraham")
	p.Run("scroll", chromedp.Evaluate[chromedp.Void]("scrollTo(0, 9999)"))
	p.Until("the bars stay in sight, and the titles of the list below them", `(() => {
		const at = (css) => document.querySelector(css).getBoundingClientRect();
		return scrollY > 100 && at('.actor').top === 0 && Math.abs(at('thead th').top - at('.bars').bottom) < 1;
	})()`)
	p.Until("the menu begins below the bars", "Math.abs(document.querySelector('nav.menu').getBoundingClientRect().top - document.querySelector('.bars').getBoundingClientRect().bottom) < 1")
	p.Until("a long address stays in one line", `(() => {
		const cell = [...document.querySelectorAll('td.line')].find((c) => c.innerText === '`+mail+`');
		return cell.firstElementChild.title === cell.innerText && cell.clientHeight < 60;
	})()`)
	p.Press("Verlauf")
	p.Until("the menu shows where one is", `(() => {
		const [menu, here] = ['nav.menu', 'nav.menu [aria-current]'].map((css) => document.querySelector(css).getBoundingClientRect());
		return here.top >= menu.top && here.bottom <= menu.bottom;
	})()`)
	if missing := browser.Eval[string](p, "[...document.querySelectorAll('svg.icon use')].map((u) => u.getAttribute('href')).filter((x) => !document.querySelector(x)).join(' ')"); missing != "" {
		t.Errorf("the document has no picture for the icons %s", missing)
	}
	p.Press("Benutzer")
	p.Press("abraham")
	p.Until("the name is set apart", `document.querySelector('dialog h2')?.textContent === 'abraham, \u2068אברהם\u2069, 231'`)
	if got := browser.Eval[string](p, "getComputedStyle(document.documentElement).overflowY"); got != "hidden" {
		t.Errorf("the page behind a sheet scrolls: overflow-y is %s", got)
	}
	p.NoTroubles()
}

// TestPeopleNarrow opens the sheets that hold most in German at 360 px: with a
// picture, and with long names.
func TestPeopleNarrow(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	a := s.As("admin", pin)
	long := strings.Repeat("Wolfeschlegelsteinhausen", 2)
	var user, hunt, group struct{ ID string }
	a.Do("POST", "/api/v1/users", map[string]any{"user": "wolfe", "extension": "232", "firstName": long, "lastName": long}, 201, &user)
	a.Do("POST", "/api/v1/hunt-groups", map[string]any{"extension": "445", "title": "Lange Namen", "callScheme": "linear", "members": []map[string]any{{"user": user.ID, "timeout": 5}}}, 201, &hunt)
	a.Do("POST", "/api/v1/permission-groups", map[string]any{"name": long, "type": "user", "members": []string{user.ID},
		"permissions": []map[string]any{{"permission": "direct-pickup", "appliesTo": "allvisibleusers"}}}, 201, &group)
	p := chromium.Page(t)
	logIn(p, s, "petra")
	p.Look(360, 740, "light")
	for _, path := range []string{"/users/" + user.ID, "/hunt-groups/" + hunt.ID, "/permission-groups/" + group.ID, "/permission-groups/new", "/permission-groups/allusers"} {
		p.Open("https://" + s.Web.String() + path)
		p.Until("the sheet of "+path, "!!document.querySelector('dialog.sheet h2')")
		p.Idle()
		if strings.HasPrefix(path, "/users/") {
			p.Choose("Bild wählen", picture(t))
			p.Sees("Anderes Bild wählen")
			p.Fill("Vorname", "Anna")
			p.Sees("1 Änderung")
		}
		p.Fits(path + " at 360 px")
		if strings.HasPrefix(path, "/permission-groups") {
			p.Until("the first column has its title", "document.querySelector('thead th').innerText === 'Name'")
		}
		p.SeesNot("All visible users")
		if strings.HasPrefix(path, "/users/") {
			p.Press("Abbrechen")
		}
	}
	p.NoTroubles()
}
