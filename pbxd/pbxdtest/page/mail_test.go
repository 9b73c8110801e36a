package page_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"galilei/pbxd/pbxdtest/browser"
)

// TestPeopleMail sees why a test mail fails; then an administrator changes a
// user, who is told by mail (F216).
func TestPeopleMail(t *testing.T) {
	t.Parallel()
	post := startMailServer(t)
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("E-mail delivery")
	p.Fill("Send a test mail to", "nobody@example.net")
	p.Press("Send test mail")
	p.Sees("Switch e-mail delivery on first.")
	p.Tick("E-mail delivery", true)
	p.Fill("Sender e-mail address", "pbx@example.org")
	p.Press("Send test mail")
	p.In("Test").Sees("SMTP server is needed")
	p.Until("the error stands at the field", "document.querySelector('[data-name=server]').error !== ''")
	p.Fill("SMTP server", "127.0.0.1")
	p.Fill("SMTP port", strconv.Itoa(post.port))
	p.Tick("Plaintext", true)
	p.Press("Send test mail")
	p.Sees("Failed: receiver")
	p.Sees("no such user")
	shoot(p, "mail-refused")
	p.Press("Save")
	p.Sees("Settings are saved")

	p.Press("Users")
	p.Press("anna")
	p.Fill("Last name", "Adler")
	p.Press("Save")
	p.Sees("anna, Anna Adler, 201 is saved")
	if m := post.next(t); !slices.Equal(m.To, []string{"anna@example.org"}) || !strings.Contains(m.Content, "Last name") || !strings.Contains(m.Content, "Adler") {
		t.Errorf("the user is told %+v", m)
	}
	p.Press("Close")
	p.Press("Audit log")
	p.Sees("tried to send a test mail to")
	p.NoTroubles()
}
