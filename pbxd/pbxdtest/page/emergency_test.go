package page_test

import (
	"testing"

	"galilei/pbxd/pbxdtest/browser"
)

// TestPeopleEmergencyCalls reads that a new device makes no emergency calls yet, and
// that it is well all the same; saves a gateway so that they cannot leave any more,
// reads that on every screen, and mends it.
func TestPeopleEmergencyCalls(t *testing.T) {
	t.Parallel()
	var chromium browser.Chromium
	defer chromium.Close()
	s := office(t)
	a := s.As("admin", pin)
	const stays = "Emergency calls may not leave the device (110, 112): no gateway allows outbound calls."
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("All good")
	p.Sees("Emergency calls are not possible yet (110, 112): there is no gateway.")
	p.Until("that is no alarm", "document.querySelector('.banner').hidden")
	shoot(p, "emergency-calm")
	var group struct{ ID string }
	a.Do("POST", "/api/v1/gateway-groups", map[string]any{"title": "Outside"}, 201, &group)
	a.Do("POST", "/api/v1/gateways", map[string]any{"name": "Provider", "group": group.ID, "registrar": "127.0.0.1", "user": "u", "codecs": []string{"pcma"}, "register": false, "check": false}, 201, nil)
	p.Press("Gateways")
	p.Press("Provider")
	p.Tick("Allow outbound calls", false)
	p.Press("Save")
	p.Sees(stays)
	p.Press("Close")
	p.Press("Users")
	p.Heading("Users")
	p.Sees(stays)
	shoot(p, "emergency-banner")
	p.Look(360, 740, "dark")
	p.Fits("the warning at 360 px")
	shoot(p, "emergency-banner-360")
	p.Look(1280, 900, "light")
	p.Press("Gateways")
	p.Press("Provider")
	p.Tick("Allow outbound calls", true)
	p.Press("Save")
	p.SeesNot(stays)
	p.Press("Close")
	p.Sees("All good")
	p.NoTroubles()
}
