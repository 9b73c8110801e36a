package qemutest

import (
	"testing"
	"time"

	"galilei/pbxd/pbxdtest/browser"
	"galilei/pbxd/pbxdtest/peer"
)

// TestBrowser sets a new device up by its page: the PIN, a user, and with the
// password that the page shows the user's phone.
func TestBrowser(t *testing.T) {
	peer.NeedBaresip(t)
	var chromium browser.Chromium
	defer chromium.Close()
	p := chromium.Page(t) // first, since it skips the test where there is no chromium
	m := boot(t, newDisk(t, releaseImage(t)))
	p.Open("https://" + webAddress + "/")
	p.Fill("User name", "admin")
	p.Fill("PIN", factoryPIN)
	p.Press("Log in")
	p.Heading("Choose your PIN")
	p.Fill("New PIN", adminPIN)
	p.Fill("Repeat the new PIN", adminPIN)
	p.Press("Change PIN")
	p.Heading("Installation wizard")
	p.Press("Finish here")
	p.Press("Users")
	p.Sees("demo103")

	p.Press("Add user")
	p.Heading("New user")
	p.Fill("First name", "Eva")
	p.Fill("Last name", "Maier")
	p.Fill("User", "eva")
	p.Fill("Extension", "201")
	p.Press("Add user")
	p.Heading("eva, Eva Maier, 201")
	p.In("Phone set-up").Press("Show")
	p.Until("the password shows", "/^[a-zA-Z0-9]{20}$/.test(document.querySelector('.secret').textContent)")
	password := browser.Eval[string](p, "document.querySelector('.secret').textContent")
	p.Press("Close")

	// The page is not loaded again from here on.
	p.Press("General information")
	p.Sees("Nobody is calling.")
	one := startPhone(t, peer.BaresipOptions{User: "101", Password: m.passwords["101"], Tone: 880})
	eva := startPhone(t, peer.BaresipOptions{User: "201", Password: password, Tone: 440})
	p.In("101").Sees("baresip") // the rows of the registered phones
	p.In("201").Sees("baresip")
	const short = 3 * time.Second
	connect(t, eva, one, "101")
	p.Sees("Talking")
	talkUntilHeard(t, short, eva, one)
	hangUp(t, eva, one)
	p.Sees("Nobody is calling.")
	hears(t, eva, "201", 880, short)
	hears(t, one, "101", 440, short)
	p.NoTroubles()
}
