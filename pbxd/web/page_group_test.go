package web

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/browser"
)

// rows waits until the list shows that many.
func (v *visit) rows(t *testing.T, n int) {
	t.Helper()
	v.Until(fmt.Sprintf("there are %d rows", n), fmt.Sprintf("document.querySelectorAll('tbody tr[data-id]').length === %d", n))
}

// manyUsers gives the device 60 users.
func manyUsers(cfg *pbx.Config) {
	for i := len(cfg.Users); i < 60; i++ {
		name := fmt.Sprintf("user%02d", i)
		cfg.Users = append(cfg.Users, pbx.User{ID: name, UserSettings: pbx.UserSettings{Name: name, Extension: fmt.Sprint(200 + i),
			FirstName: string(rune('A'+i%26)) + "da", LastName: "Ober"}})
	}
}

// pageList filters, sorts and pages, and finds it again by the address and by
// Back (F041 to F045).
func pageList(t *testing.T, v *visit) {
	v.opened(t, "/users")
	v.Sees("demo103")
	v.m.edit(t, manyUsers)
	v.rows(t, 50)
	v.Sees("1-50 of 60")
	v.Select("Entries on a page", "20 on a page")
	v.rows(t, 20)
	v.Press("Next page")
	v.Sees("21-40 of 60")
	v.Until("the address says so", "location.search.includes('page=2')")
	v.Press("Next page")
	v.Sees("41-60 of 60")
	v.Back()
	v.Sees("21-40 of 60")

	v.Open(v.base + "/users?letter=O&sort=extension&down=true")
	v.rows(t, 20) // the page size is remembered; every last name begins with O
	v.Until("sorted downwards", "document.querySelector('tbody tr[data-id]').dataset.id === 'user59'")
	v.Press("Clear filter")
	v.rows(t, 20)
	v.Fill("Name begins with", "Ob")
	v.Sees("56 of 60")
	v.Fill("Number begins with", "21")
	v.rows(t, 10) // both at once: 210 to 219
	v.Press("user12")
	v.Heading("user12, Mda Ober, 212")
	v.Keys(kb.Escape)
	v.Until("the sheet is closed", "!document.querySelector('dialog')")
	v.rows(t, 10) // what the list shows stays
	v.NoTroubles()
}

// pageHuntGroup puts members in order by keyboard alone (F086).
func pageHuntGroup(t *testing.T, v *visit) {
	v.opened(t, "/hunt-groups")
	v.Sees("There are no hunt groups yet.")
	v.Press("Add hunt group")
	v.Heading("New hunt group")
	v.Fill("Extension", "500")
	v.Fill("Title", "Sales")
	for _, member := range []string{"Anna Demo (demo101)", "Ben Demo (demo102)", "Clara Demo (demo103)"} {
		v.Select("Add a member", member)
	}
	browser.Eval[bool](v.Page, `(document.querySelector('[aria-label^="Move Clara"][data-move=up]').focus(), true)`)
	v.Keys(kb.Enter)
	v.Until("the focus moves along", "document.activeElement.ariaLabel.startsWith('Move Clara') && document.querySelectorAll('.places li')[1].innerText.includes('Clara')")
	v.Keys(kb.Enter)
	v.Until("Clara is first", "document.querySelector('.places li').innerText.includes('Clara')")
	v.Fill("Timeout, Anna Demo (demo101)", "50000")
	v.Press("Add hunt group")
	v.Sees("lace 2: must be 1 to 600")
	v.Fill("Timeout, Anna Demo (demo101)", "50")
	v.Press("Add hunt group")
	v.Heading("Sales, 500")
	cfg, _ := v.m.Current()
	want := []pbx.HuntMember{{User: "demo103", Timeout: 5}, {User: "demo101", Timeout: 50}, {User: "demo102", Timeout: 5}}
	if len(cfg.HuntGroups) != 1 || !slices.Equal(cfg.HuntGroups[0].Members, want) {
		t.Errorf("got %+v, want members %+v", cfg.HuntGroups, want)
	}

	// Calls are sent on to users with an extension and to other groups (F205).
	v.SeesNot("No answer after")
	v.Select("External calls: no answer", "Clara Demo (demo103), 103")
	v.Fill("No answer after", "25")
	v.Press("Save")
	v.Sees("Sales, 500 is saved")
	cfg, _ = v.m.Current()
	if f := cfg.HuntGroups[0].HuntForwarding; f != (pbx.HuntForwarding{ForwardExternalNoAnswer: "demo103", ForwardTime: 25}) {
		t.Errorf("forwards %+v", f)
	}
	if offered := browser.Eval[int](v.Page, `document.querySelector('[data-name=forwardInternalBusy] select').options.length`); offered != 4 { // nowhere, and three users: neither the group nor the administrator
		t.Errorf("%d choices are offered", offered)
	}

	// Deleted and brought back.
	v.Press("Delete")
	v.Sees("Delete Sales, 500?")
	v.Press("Delete")
	v.Sees("Sales, 500 is deleted")
	v.Sees("There are no hunt groups yet.")
	v.Press("Undo")
	v.SeesNot("There are no hunt groups yet.")
	v.In("Sales").Sees("500")
	v.NoTroubles()
}

// pageGUI switches modules: one that goes off takes those below along, one that
// goes on those above (F101).
func pageGUI(t *testing.T, v *visit) {
	v.opened(t, "/gui-groups/newusergui")
	v.Heading("New user GUI")
	on := func(name string, want bool) {
		t.Helper()
		if got := v.Ticked(name); got != want {
			t.Errorf("the module %s is on: %t, want %t", name, got, want)
		}
	}
	on("Import and export of private contacts", true)
	v.Tick("Contacts", false)
	on("Import and export of private contacts", false)
	on("Global contacts", false)
	v.Tick("Pickup groups", true)
	on("Users & groups", true)
	on("Users & extensions", true)
	v.Press("Save")
	v.Sees("is saved")
	cfg, _ := v.m.Current()
	got := cfg.GUIGroupByID(pbx.GUIGroupUser).Modules()
	if slices.Contains(got, "contacts") || !slices.Contains(got, "pickup-groups") || slices.Contains(got, "users") {
		t.Errorf("modules: got %v", got)
	}
	v.NoTroubles()
}
