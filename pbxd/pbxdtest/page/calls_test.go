package page_test

import (
	"testing"

	"github.com/chromedp/chromedp"

	"galilei/pbxd/pbxdtest/browser"
)

// TestOwnCallSettings has a user forward the own calls, and an administrator
// try what then becomes of a call.
func TestOwnCallSettings(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	a := s.As("anna", pin)
	p := chromium.Page(t)
	logIn(p, s, "anna")
	p.Press("Call forwarding")
	p.Heading("Call forwarding")
	p.Run("switch the first forwarding on", chromedp.Click(chromedp.CSS("g-field[data-name=internalNoAnswer] input")))
	p.Fill("Without answer: forward to", "201")
	p.Press("Save")
	p.Sees("Not saved:")
	p.Sees("is the own extension")
	p.Fill("Without answer: forward to", "101")
	p.Press("Save")
	p.Sees("Settings are saved")
	var kept struct {
		InternalNoAnswer       bool
		InternalNoAnswerNumber string
		DoNotDisturb           bool
	}
	if a.Do("GET", "/api/v1/profile/calls", nil, 200, &kept); !kept.InternalNoAnswer || kept.InternalNoAnswerNumber != "101" {
		t.Errorf("the device holds %+v", kept)
	}
	p.Press("Service attributes")
	p.Heading("Service attributes")
	p.Tick("Do not disturb", true)
	p.Sees("1 change")
	p.Press("Save")
	p.SeesNot("1 change")
	if a.Do("GET", "/api/v1/profile/calls", nil, 200, &kept); !kept.DoNotDisturb || !kept.InternalNoAnswer {
		t.Errorf("the device holds %+v", kept)
	}
	p.Tick("Do not disturb", false)
	p.Sees("1 change")
	p.Press("Save")
	p.SeesNot("1 change")
	p.NoTroubles()

	// An administrator finds it from the user, and switches it off and on again.
	admin := chromium.Page(t)
	logIn(admin, s, "admin")
	admin.Press("Users")
	admin.Press("anna")
	admin.Press("Call forwarding and service attributes")
	admin.Heading("Call settings of users")
	admin.Sees("Anna Cartman (anna) 201")
	admin.Holds("Without answer: forward to", "101")
	shoot(admin, "user-calls")
	admin.Fill("Without answer: forward to", "201")
	admin.Press("Save")
	admin.Sees("is the own extension")
	admin.Fill("Without answer: forward to", "102")
	admin.Tick("Do not disturb", true)
	admin.Press("Save")
	admin.Sees("Settings are saved")
	if a.Do("GET", "/api/v1/profile/calls", nil, 200, &kept); kept.InternalNoAnswerNumber != "102" || !kept.DoNotDisturb {
		t.Errorf("the device holds %+v", kept)
	}
	admin.Fill("Without answer: forward to", "101")
	admin.Press("Another user")
	admin.Press("Discard")
	admin.Select("User", "Ben Demo (demo102) 102")
	admin.Sees("Ben Demo (demo102) 102")
	admin.Look(360, 740, "light")
	admin.Fits("the call settings of a user")
	shoot(admin, "user-calls-narrow")
	admin.Look(1280, 860, "light")
	admin.Back()
	admin.Select("User", "Anna Cartman (anna) 201")
	admin.Fill("Without answer: forward to", "101")
	admin.Tick("Do not disturb", false)
	admin.Sees("2 changes")
	admin.Press("Save")
	admin.SeesNot("2 changes") // that they are saved may still be said of the first time
	admin.NoTroubles()

	admin.Press("Try a number")
	admin.Fill("Caller", "102")
	admin.Press("Try")
	admin.Sees("Enter a number.")
	admin.Fill("Number", "201")
	admin.Press("Try")
	admin.Sees("Ben Demo 102 dials 201")
	admin.Sees("Rings: Anna Cartman 201 for 20 s")
	admin.Sees("201 is the extension of Anna Cartman")
	admin.Sees("Rings: Anna Demo 101")
	admin.Sees("The call ends: busy")
	shoot(admin, "try-forwarded")
	// A number as people write it, at a time of the device's clock: the browser's
	// shows another one.
	browser.Eval[string](admin, "document.querySelector('input[type=datetime-local]').value = '2026-11-24T21:00'")
	admin.Sees("In the time zone of the device, Europe/Berlin.")
	admin.Fill("Number", "2 0-1")
	admin.Press("Try")
	admin.Sees("Decided for Nov 24, 2026, 9:00")
	admin.Sees("Ben Demo 102 dials 201")
	admin.Fill("Number", "anna")
	admin.Press("Try")
	admin.SeesNot("Ben Demo 102 dials 201")
	admin.Fill("Number", "444")
	admin.Press("Try")
	admin.Sees("The call goes on like this for as long as it may ring.")
	admin.Sees("HL Ben Demo 102")
	shoot(admin, "try-group")
	admin.Fill("Number", "112")
	admin.Press("Try")
	admin.Sees("The call ends: no line free")
	admin.Look(360, 740, "light")
	admin.Fits("a tried number")
	admin.NoTroubles()

	admin.Open("https://" + s.Web.String() + "/try-number?caller=101&digits=*93")
	admin.Sees("Function: Do not disturb")
	admin.NoTroubles()

	german, words := chromium.Page(t), newEnglish(t)
	logIn(german, s, "petra")
	german.Open("https://" + s.Web.String() + "/try-number?caller=102&digits=444")
	german.Sees("Ben Demo 102 wählt 444")
	words.check(german, t, "a tried number")
	german.NoTroubles()
}
