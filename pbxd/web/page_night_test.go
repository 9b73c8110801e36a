package web

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/browser"
)

// pageCalendar writes a holiday by hand and takes others from a file (P24).
func pageCalendar(t *testing.T, v *visit) {
	v.opened(t, "/calendars")
	v.Sees("There are no holiday calendars yet.")
	v.Press("Add holiday calendar")
	v.Heading("New holiday calendar")
	v.Fill("Name", "Bavaria")
	v.Press("Add a day")
	v.Fill("First day of entry 1", "24.12.")
	v.Fill("Title of entry 1", "Christmas Eve")
	v.Press("Add holiday calendar")
	v.Sees("a date as 2026-12-24 or 12-24")
	v.Fill("First day of entry 1", "12-24")
	v.Sees("December 24, every year")
	v.Press("Add holiday calendar")
	v.Heading("Bavaria")
	file := filepath.Join(t.TempDir(), "days.ics")
	event := func(id, day, more, title string) string {
		return "BEGIN:VEVENT\r\nUID:" + id + "\r\nDTSTART;VALUE=DATE:" + day + "\r\n" + more + "SUMMARY:" + title + "\r\nEND:VEVENT\r\n"
	}
	text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + event("1", "20001224", "RRULE:FREQ=YEARLY\r\n", "Eve") + event("2", "20000101", "RRULE:FREQ=YEARLY\r\n", "New Year") +
		event("3", "20010405", "", "Long ago") + "END:VCALENDAR\r\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	v.Choose("Choose file", file)
	v.Sees("2 days in the file")
	v.Sees("Events of past years that are left out: 1.")
	v.Sees("1 of them is in the calendar already")
	if cfg, _ := v.m.Current(); len(cfg.Calendars[0].Days) != 1 {
		t.Errorf("before the import the calendar has %+v", cfg.Calendars[0].Days)
	}
	v.Fill("Name", "Bayern")
	v.Press("Import 1 new day")
	v.Sees("1 day is imported")
	v.Holds("Title of entry 2", "New Year") // also in the form, beside what is edited there
	v.Holds("Name", "Bayern")
	v.Press("Save")
	v.Heading("Bayern")
	cfg, _ := v.m.Current()
	if want := []pbx.Holiday{{Title: "Christmas Eve", From: "12-24"}, {Title: "New Year", From: "01-01"}}; !slices.Equal(cfg.Calendars[0].Days, want) {
		t.Errorf("the calendar has %+v, want %+v", cfg.Calendars[0].Days, want)
	}
	v.NoTroubles()
	if err := os.WriteFile(file, []byte("no calendar"), 0o600); err != nil {
		t.Fatal(err)
	}
	v.Choose("Choose file", file)
	v.Until("it is refused", "!!document.querySelector('.calendar-import [role=alert]')")
}

// pageNight sets the night answer service: an administrator which profiles users
// may choose, a user one of those, seen by both at once (F192, F193).
func pageNight(t *testing.T, v *visit) {
	v.m.edit(t, linesToTry)
	v.m.edit(t, func(c *pbx.Config) {
		u := c.UserByID("demo102")
		u.PIN, u.MustChangePIN = v.s.pins.Hash("314159"), false
		c.PermissionGroups = append(c.PermissionGroups, pbx.PermissionGroup{ID: "night", PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Night", Type: "user",
			Members: []string{"demo102"}, Permissions: []pbx.GroupPermission{{Permission: pbx.PermitSetNightService, AppliesTo: pbx.GroupAllUsers}}}})
	})
	c := v.opened(t, "/night-service")
	v.Sees("Holiday")
	v.Tick("2", true)
	v.Tick("3", true)
	v.Press("Save")
	v.Sees("Settings are saved")
	c.want(204, "POST", "/logout", "", nil)
	browser.Eval[bool](v.Page, "fetch('/api/v1/logout', {method: 'POST', headers: {'If-Match': '*'}}).then(() => true)")
	v.Open(v.base + "/home")
	v.logIn("demo102", "314159")
	v.Heading("Home")
	v.Sees("No profile holds.")
	if v.Can("Profile 1") {
		t.Error("a profile can be chosen that users may not choose")
	}
	v.Press("Profile 2")
	v.Sees("Profile 2 holds for everybody.")
	v.Sees("Night answer service: Profile 2")
	if cfg, _ := v.m.Current(); cfg.NightService.Profile != 2 {
		t.Errorf("profile %d holds", cfg.NightService.Profile)
	}
	v.Until("the focus stays", "document.activeElement.dataset.profile === '2'")
	v.m.edit(t, func(c *pbx.Config) { c.NightService.Profile = 3 }) // by phone
	v.Sees("Profile 3 holds for everybody.")
	v.Press("No profile")
	v.Sees("No profile holds.")
	v.Press("Undo")
	v.Sees("Profile 3 holds for everybody.")
	v.NoTroubles()
}
