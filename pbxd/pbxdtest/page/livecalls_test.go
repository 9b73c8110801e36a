package page_test

import (
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/browser"
)

// phones starts a PBX with 101 and 102 registered, whose users can log in.
func phones(t *testing.T) (s *pbxdtest.System, a, b *pbxdtest.Phone) {
	t.Helper()
	s = pbxdtest.Start(t, pbxdtest.Options{Configure: func(c *pbx.Config) {
		c.Setup.WizardDone = true
		var pins pbx.PINs
		for _, name := range []string{"admin", "demo101", "demo102"} {
			u := c.UserByName(name)
			u.PIN, u.MustChangePIN = pins.Hash(pin), false
		}
	}})
	return s, s.Phone("101", "udp").MustRegister(), s.Phone("102", "udp").MustRegister()
}

// TestLiveCalls follows real calls on the pages of an administrator and of who
// is called, who touch nothing: they show what happens by themselves. Then the
// administrator hangs up, and the other calls back.
func TestLiveCalls(t *testing.T) {
	t.Parallel()
	chromium := &browser.Chromium{}
	t.Cleanup(chromium.Close)
	s, a, b := phones(t)
	admin, journal, home := chromium.Page(t), chromium.Page(t), chromium.Page(t)
	logIn(admin, s, "admin")
	admin.Press("Calls of now")
	admin.Sees("Nobody is calling.")
	for p, path := range map[*browser.Page]string{journal: "/journal", home: "/home"} {
		logIn(p, s, "demo102")
		p.Open("https://" + s.Web.String() + path)
	}
	journal.Sees("No calls yet.")
	home.Sees("You have missed no call.")

	call := a.Dial("102", pbxdtest.SDP(16000))
	in := b.Ringing()
	in.Reply(180, "Ringing", "")
	a.Response("INVITE", 180)
	admin.Sees("Ringing")
	in.Answer(pbxdtest.SDP(16002))
	call.Answered()
	admin.Sees("Talking")
	admin.Sees("Ben Demo")
	const shown = `document.querySelector('.ticking').textContent`
	before := browser.Eval[string](admin, shown)
	admin.Until("the duration to go on", shown+` !== `+"`"+before+"`")
	shoot(admin, "live-calls")
	admin.Look(360, 740, "light")
	admin.Fits("the calls at 360 px")
	admin.Look(1280, 860, "light")
	journal.Sees("No calls yet.")
	admin.Press("Hang up: Anna Demo and 102")
	admin.Sees("Hang up the call of Anna Demo and 102?")
	admin.Press("Cancel")
	admin.Sees("Talking")
	admin.Press("Hang up: Anna Demo and 102")
	admin.Press("Hang up")
	for _, p := range []*pbxdtest.Phone{a, b} {
		p.Reply(p.Request("BYE"), "", 200, "OK", "", "")
	}
	admin.Sees("Nobody is calling.")
	admin.Until("the title has the focus of the button that is gone", "document.activeElement.tagName === 'H1'")
	admin.NoTroubles()

	journal.Sees("In · Answered")
	journal.Sees("1 call")
	home.Sees("You have missed no call.")
	call = a.Dial("102", pbxdtest.SDP(16000))
	in = b.Ringing()
	in.Reply(180, "Ringing", "")
	a.Response("INVITE", 180)
	call.Cancel()
	b.Reply(b.Request("CANCEL"), "", 200, "OK", "", "")
	in.Reply(487, "Request Terminated", "")
	call.AckRefusal(a.Final("INVITE"))
	journal.Sees("In · Missed")
	journal.Sees("2 calls")
	home.NoTroubles()

	browser.Eval[string](journal, "import('/js/dial.js').then((m) => { window.dialable = m.dialable; }), ''")
	journal.Until("the script to be there", "!!window.dialable")
	for written, dialled := range map[string]string{"+49 (0)30 12-34": "+49301234", "0049 (0) 30/1": "0049301", "030 (0)1": "03001", "*93#": "*93#"} {
		got := browser.Eval[string](journal, "window.dialable('"+written+"')")
		if got != dialled {
			t.Errorf("%q is dialled as %q, want %q", written, got, dialled)
		}
	}
	journal.Press("Call Anna Demo")
	journal.Sees("Your phone rings. Answer it: then Anna Demo is called.")
	own := b.Ringing()
	own.Reply(180, "Ringing", "")
	own.Answer(pbxdtest.SDP(16002))
	other := a.Ringing()
	other.Reply(180, "Ringing", "")
	other.Answer(pbxdtest.SDP(16000))
	own.Send("BYE", "")
	b.Response("BYE", 200)
	a.Reply(a.Request("BYE"), "", 200, "OK", "", "")
	journal.Sees("Out · Answered")
	shoot(journal, "journal-live")
	journal.NoTroubles()
	if s.PBX.Counts().Calls != 0 {
		t.Error("a call is left")
	}
}
