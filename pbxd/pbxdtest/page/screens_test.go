package page_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/browser"
)

const pin = "4711"

// office starts a PBX with something in every list. admin's PIN is changed and
// the wizard done; petra is an administrator who reads German.
func office(t *testing.T) *pbxdtest.System { return officeWith(t, pbxdtest.Options{}) }

func officeWith(t *testing.T, o pbxdtest.Options) *pbxdtest.System {
	t.Helper()
	o.Configure = func(c *pbx.Config) { c.Setup.WizardDone = true }
	s := pbxdtest.Start(t, o)
	a := s.Login()
	var anna struct {
		ID string `json:"id"`
	}
	a.Do("POST", "/api/v1/users", map[string]any{"user": "petra", "extension": "205", "firstName": "Petra", "lastName": "Klein", "admin": true, "language": "de", "pin": pin, "mustChangePin": false}, 201, nil)
	a.Do("POST", "/api/v1/users", map[string]any{"user": "anna", "extension": "201", "firstName": "Anna", "lastName": "Cartman", "email": "anna@example.org", "pin": pin, "mustChangePin": false}, 201, &anna)
	a.Do("POST", "/api/v1/pickup-groups", map[string]any{"number": 1, "name": "Sales", "members": []string{anna.ID, "demo101"}}, 201, nil)
	a.Do("POST", "/api/v1/hunt-groups", map[string]any{"extension": "444", "title": "Hotline", "displayPrefix": "HL", "callScheme": "linear",
		"members": []map[string]any{{"user": anna.ID, "timeout": 5}, {"user": "demo101", "timeout": 10}}}, 201, nil)
	a.Do("POST", "/api/v1/permission-groups", map[string]any{"name": "Secretariat", "type": "user", "members": []string{anna.ID},
		"permissions": []map[string]any{{"permission": "direct-pickup", "appliesTo": "allusers"}}}, 201, nil)
	for i, name := range []string{"Black", "Brown", "Miller", "O'Neill", "Zander"} {
		a.Do("POST", "/api/v1/contacts", map[string]any{"firstName": "Susan", "lastName": name, "company": "Example", "office": fmt.Sprintf("+49891234%d", i), "officeQuickdial": fmt.Sprint(i + 1)}, 201, nil)
	}
	a.Do("PUT", "/api/v1/system-settings/drafts/sip.ringTime", map[string]any{"value": 60}, 0, nil)
	return s
}

// outside gives the office a line, rules for it, and holidays.
func outside(a *pbxdtest.Admin) {
	var group, calendar struct {
		ID string `json:"id"`
	}
	rewrite := func(search, replace string) map[string]any {
		return map[string]any{"search": search, "replace": replace}
	}
	a.Do("POST", "/api/v1/gateway-groups", map[string]any{"title": "Telco", "outboundCallerId": rewrite("^(.*)$", "+49891234$1"), "assertedIdentity": rewrite("", ""),
		"inboundDid": rewrite(`^49891234(\d\d\d)$`, "$1"), "inboundCallerId": rewrite("", "")}, 201, &group)
	a.Do("POST", "/api/v1/gateways", map[string]any{"name": "Line 1", "group": group.ID, "registrar": "192.0.2.1", "user": "49891234", "register": false, "check": false, "codecs": []string{"pcma"}, "allowedSubnets": []string{"192.0.2.0/24"}}, 201, nil)
	a.Do("POST", "/api/v1/calendars", map[string]any{"name": "Bavaria", "days": []map[string]any{{"title": "Christmas", "first": "12-24", "last": "12-26"}, {"title": "Bridge", "first": "2026-12-28"}}}, 201, &calendar)
	night := map[string]any{"weekdays": []string{"mon", "tue", "wed", "thu", "fri"}, "timeFrom": "18:00", "timeTo": "08:00", "holidays": "never", "calendar": calendar.ID}
	for _, rule := range []map[string]any{{"rule": "Nacht", "target": "101", "window": night, "profile": 1}, {"rule": "Tags", "target": "$1", "window": map[string]any{}, "active": false}} {
		rule["group"], rule["pattern"] = group.ID, "^(.*)$"
		a.Do("POST", "/api/v1/inbound-routes", rule, 201, nil)
	}
	a.Do("POST", "/api/v1/outbound-routes", map[string]any{"rule": "Alles", "pattern": "^0", "groups": []string{group.ID}, "window": map[string]any{}, "userGroup": "allusers"}, 201, nil)
	a.Do("PUT", "/api/v1/night-service", map[string]any{"profile": 1, "selectable": []string{"1", "2"}}, 200, nil)
}

// logIn opens the page and logs in.
func logIn(p *browser.Page, s *pbxdtest.System, user string) {
	p.Open("https://" + s.Web.String() + "/")
	p.Fill("User name", user)
	p.Fill("PIN", pin)
	p.Press("Log in")
	p.Until("the menu", "!!document.querySelector('nav.menu a')")
}

// paths returns the addresses of the menu.
func paths(p *browser.Page) []string {
	return strings.Fields(browser.Eval[string](p, "[...document.querySelectorAll('nav.menu a')].map((a) => a.getAttribute('href')).join(' ')"))
}

// settled waits until a screen shows what it has.
const settled = "!!document.querySelector('main h1') && !document.querySelector('main [aria-busy=true]')"

// look is one way in which a screen is looked at.
type look struct {
	name          string
	width, height int64
	scheme, user  string
	entries       bool // look also at the sheet of a new entry, and of the first one
}

func looks() []look {
	return []look{
		{"wide", 1280, 860, "light", "admin", false}, {"dark", 1280, 860, "dark", "admin", false},
		{"narrow", 360, 740, "light", "admin", true}, {"german", 1280, 860, "light", "petra", true},
	}
}

// firstEntries are the addresses of the sheets that a list opens.
const firstEntries = `[document.querySelector('main .head a.button[href]'), document.querySelector('main td a[href^="/"]')].filter(Boolean).map((a) => a.pathname).join(' ')`

// TestScreens opens every screen of the menu in four ways: it has a title,
// breaks nothing, fits, says nothing in English to Germans, and axe-core finds
// nothing serious. With GALILEI_SCREENSHOTS=1 it keeps a picture of each.
func TestScreens(t *testing.T) {
	t.Parallel()
	chromium := &browser.Chromium{}
	t.Cleanup(chromium.Close)
	axe, words := browser.NewAxe(t), newEnglish(t)
	s := office(t)
	outside(s.As("admin", pin))
	for _, l := range looks() {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel() // the waiting of one is the work of another
			p := chromium.Page(t)
			logIn(p, s, l.user)
			list := paths(p)
			if len(list) < 20 {
				t.Fatalf("%d screens in the menu: %q", len(list), list)
			}
			p.Look(l.width, l.height, l.scheme)
			for i := 0; i < len(list); i++ { // entries are added as their lists are seen
				path := list[i]
				p.Open("https://" + s.Web.String() + path)
				p.Until("the screen "+path, settled)
				p.Idle()
				where := l.name + path
				p.Fits(where)
				if l.user == "petra" {
					words.check(p, t, where)
					p.Look(360, 740, "light")
					p.Fits(where + " at 360 px")
					p.Look(l.width, l.height, l.scheme)
				} else if l.scheme == "dark" {
					axe.Check(p, where, "color-contrast", "link-in-text-block") // what colours can spoil
				} else {
					axe.Check(p, where)
				}
				p.NoTroubles()
				if l.entries && !strings.Contains(path[1:], "/") {
					list = append(list, strings.Fields(browser.Eval[string](p, firstEntries))...)
				}
				if os.Getenv("GALILEI_SCREENSHOTS") != "" {
					p.Shoot(l.name + strings.ReplaceAll(path, "/", "-"))
				}
			}
			if axe == nil {
				t.Skip("axe-core is missing: run scripts/axe")
			}
		})
	}
}
