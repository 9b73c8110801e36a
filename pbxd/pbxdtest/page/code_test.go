package page_test

import (
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/browser"
)

// dialCode dials a function code and waits until the PBX hangs up.
func dialCode(p *pbxdtest.Phone, digits string) {
	p.T.Helper()
	p.Dial(digits, pbxdtest.SDP(16000)).Answered()
	p.Reply(p.Request("BYE"), "", 200, "OK", "", "")
}

// What is switched at the phone shows in the page that is open, and what is
// switched there can be switched back at the phone.
func TestCodesAndPage(t *testing.T) {
	t.Parallel()
	s := pbxdtest.Start(t, pbxdtest.Options{Configure: func(c *pbx.Config) {
		var pins pbx.PINs
		u := c.UserByExtension("101")
		u.PIN, u.MustChangePIN = pins.Hash(pin), false
		c.Setup.WizardDone = true
	}})
	phone := s.Phone("101", "udp").MustRegister()
	chromium := &browser.Chromium{}
	t.Cleanup(chromium.Close)
	p := chromium.Page(t)
	logIn(p, s, "demo101")
	p.Open("https://" + s.Web.String() + "/service-attributes")
	p.Heading("Service attributes")
	ticked := func(name string, on bool) {
		t.Helper()
		p.Until(name+" to follow the phone", "[...document.querySelectorAll('main label')].some((l) => l.textContent.includes('"+name+"') && document.getElementById(l.htmlFor)?.checked === "+map[bool]string{true: "true", false: "false"}[on]+")")
	}
	ticked("Do not disturb", false)
	dialCode(phone, "*93")
	ticked("Do not disturb", true)
	p.Tick("Do not disturb", false)
	p.Press("Save")
	p.Sees("Settings are saved")
	dialCode(phone, "*340730")
	ticked("Reminder", true)
	p.Sees("Rings next:")
	if v := p.Value("Time of the reminder"); v != "07:30" {
		t.Errorf("the time of the reminder is %q", v)
	}
	dialCode(phone, "*34*")
	ticked("Reminder", false)
	p.SeesNot("Rings next:")
	dialCode(phone, "*92*")
	ticked("Busy on busy", true)
	p.NoTroubles()
}
