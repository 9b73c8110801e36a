package page_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest/browser"
)

// TestPeopleList comes to a list by an address that names a page, also one that
// is no longer there, and waits for a slow device.
func TestPeopleList(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	a := s.As("admin", pin)
	for i := range 25 {
		a.Do("POST", "/api/v1/pickup-groups", map[string]any{"number": i + 10, "name": fmt.Sprintf("Group %02d", i), "members": []string{}}, 201, nil)
		a.Do("POST", "/api/v1/contacts", map[string]any{"lastName": fmt.Sprintf("Contact %02d", i), "office": "089123"}, 201, nil)
	}
	p := chromium.Page(t)
	logIn(p, s, "admin")
	base := "https://" + s.Web.String()

	p.Open(base + "/pickup-groups?size=20&page=2")
	p.Sees("21-26 of 26") // the whole list is in the browser
	p.Reload()
	p.Sees("21-26 of 26")
	p.Open(base + "/contact-list?size=20&page=9") // the device has it
	p.Sees("21-30 of 30")
	p.Sees("Zander")
	p.SeesNot("No contacts yet")

	p.Slow(2 * time.Second)
	start := time.Now()
	p.Press("B")
	p.Until("the letter is marked", "document.querySelector('[data-letter=B]').getAttribute('aria-pressed') === 'true'")
	if text := p.Text(); strings.Contains(text, "Black") || time.Since(start) > 2*time.Second {
		t.Fatalf("the letter is marked only with what it leaves, after %v", time.Since(start))
	}
	p.Until("the list says that it waits", "!!document.querySelector('table[aria-busy=true] tr.grey')")
	shoot(p, "list-waits")
	p.Slow(0)
	p.Sees("Black")
	p.Until("the list waits no more", "!document.querySelector('[aria-busy=true], tr.grey')")
	p.NoTroubles()
}
