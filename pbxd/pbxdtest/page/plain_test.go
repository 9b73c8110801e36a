package page_test

import (
	"testing"

	"galilei/pbxd/pbxdtest/browser"
)

// TestPeoplePlain looks at the page as a plain user: own screens only, by menu,
// by address and by the API.
func TestPeoplePlain(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	p := chromium.Page(t)
	logIn(p, s, "anna")
	p.Heading("Home")
	p.Look(360, 740, "light")
	p.Idle()
	p.Fits("home of a user")
	shoot(p, "plain-home-narrow")
	p.Look(1280, 860, "light")
	for _, path := range paths(p) {
		switch path {
		case "/home", "/journal", "/internal-contacts", "/global-contacts", "/private-contacts", "/private-contact-csv", "/profile",
			"/call-forwarding", "/service-attributes", "/messages", "/code-card":
		default:
			t.Errorf("a plain user has %s in the menu", path)
		}
	}
	p.Open("https://" + s.Web.String() + "/users/admin")
	p.Heading("Not found")
	shoot(p, "plain-denied")
	b := s.As("anna", pin)
	for _, path := range []string{"/users", "/users/admin", "/users/admin/image", "/system-settings", "/certificates", "/revisions", "/audit", "/email-delivery"} {
		method := "GET"
		if path == "/users/admin/image" {
			method = "DELETE"
		}
		b.Do(method, "/api/v1"+path, nil, 403, nil)
	}
	p.NoTroubles()
}
