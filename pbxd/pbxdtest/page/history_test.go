package page_test

import (
	"strings"
	"testing"

	"galilei/pbxd/pbxdtest/browser"
)

// TestPeopleHistory opens the first revision, which holds everything: in words
// only, not all at once, and the way back stands above it. Going back is also
// possible while a change waits to be confirmed, and leaves that alone.
func TestPeopleHistory(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	a := s.As("admin", pin)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	// A read may be lost with a connection that the device leaves, as below: it is asked again.
	browser.Eval[bool](p, `(() => {
		const real = fetch;
		window.fetch = (path, how) => (path.includes('/revisions') && how.method === 'GET' ? (window.fetch = real, Promise.reject(new TypeError('Failed to fetch'))) : real(path, how));
		return true;
	})()`)
	p.Press("History")
	for p.Idle(); p.Can("Show older"); p.Idle() {
		p.Press("Show older")
	}
	p.Press("1 …")
	rows := "document.querySelectorAll('details.revision[open] .diff tbody tr').length"
	if n := browser.Eval[int](p, rows); n != 50 {
		t.Errorf("%d changes are shown at once", n)
	}
	if browser.Eval[bool](p, "!!(document.querySelector('details[open] button').compareDocumentPosition(document.querySelector('details[open] .diff')) & Node.DOCUMENT_POSITION_PRECEDING)") {
		t.Error("the way back lies below the changes")
	}
	shoot(p, "history-first")
	p.Press("Show all…")
	p.Until("all changes are there", rows+" > 100")
	internal := browser.Eval[[]string](p, "[...document.querySelectorAll('details[open] .diff th[scope=row], details[open] .diff td.new')].map((e) => e.innerText).filter((x) => /(^|[ :])[a-z]+[A-Z]/.test(x))")
	if len(internal) > 0 {
		t.Errorf("the history speaks of %s", strings.Join(internal, "; "))
	}
	shoot(p, "history-all")

	chain, key := certificate(t, "pbx.example.org")
	var c struct {
		ID string `json:"id"`
	}
	a.Do("POST", "/api/v1/certificates", map[string]any{"description": "Office", "certificate": chain, "key": key}, 0, &c)
	a.Do("POST", "/api/v1/certificates/"+c.ID+"/use", nil, 0, nil)
	p.Sees("Not confirmed yet")
	p.Press("Restore revision 1")
	p.Sees("The change that waits to be confirmed is not touched by this.")
	shoot(p, "history-restore-trial")
	p.Press("Restore")
	p.Sees("Revision 1 is restored")
	p.Sees("Not confirmed yet")
	if got := s.Served(t); got != "pbx.example.org" {
		t.Errorf("the device shows the certificate of %q", got)
	}
	p.NoTroubles()
}
