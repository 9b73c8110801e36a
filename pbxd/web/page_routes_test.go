package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/browser"
)

// ruled waits until the configuration has these rules in this order.
func (v *visit) ruled(t *testing.T, rules ...string) {
	t.Helper()
	want := strings.Join(rules, ",")
	v.Until("the rules are "+want, fmt.Sprintf("[...document.querySelectorAll('g-order tbody tr a')].map((a) => a.innerText).join() === %q", want))
	cfg, _ := v.m.Current()
	var got []string
	for _, r := range cfg.InboundRoutes {
		got = append(got, r.Rule)
	}
	for _, r := range cfg.OutboundRoutes {
		if len(cfg.InboundRoutes) == 0 {
			got = append(got, r.Rule)
		}
	}
	if !slices.Equal(got, rules) {
		t.Errorf("the configuration has %q, want %q", got, rules)
	}
}

// pageRoutes adds a rule with a time, is told what is wrong with it, and puts the
// rules in order: by keyboard, by mouse, and when somebody else has been quicker
// (F187, F188).
func pageRoutes(t *testing.T, v *visit) {
	v.opened(t, "/inbound-routes")
	v.Sees("Rules are for gateway groups, and there are none yet.")
	v.m.edit(t, linesToTry)
	v.ruled(t, "Night", "Holiday")
	v.Press("Add inbound route")
	v.Heading("New inbound route")
	v.Holds("Gateway group", "main") // the only one
	v.Fill("Rule", "Weekend")
	v.Fill("Number", "^(.*)")
	v.Fill("Target", "$2")
	v.Press("Advanced")
	v.Tick("Saturday", true)
	v.Tick("Sunday", true)
	v.Fill("Time from", "25")
	v.Press("Add inbound route")
	v.Sees("Time from may contain only a time as 20:00") // at the part of the field
	v.Fill("Time from", "22:00")
	v.Fill("Time to", "06:00")
	v.Sees("Saturday, Sunday, 22:00 to 06:00 of the next day")
	// Of Sunday's night, Monday has the end.
	v.Until("the picture shows the night after", "[...document.querySelectorAll('.week-days svg')].map((s) => s.querySelectorAll('rect').length).join('') === '1000012'")
	v.Press("Add inbound route")
	v.Sees("refers to a group that the pattern does not have")
	v.Fill("Target", "101")
	v.Fill("Date from", "2026-12-24")
	v.Fill("Date to", "12-31")
	v.Press("Add inbound route")
	v.Sees("Date to must have a year when the first day has one")
	v.Press("Date to") // the link to the part
	v.Until("the part has the focus", "document.activeElement.labels?.[0]?.innerText === 'Date to'")
	v.Fill("Date to", "2026-12-31")
	v.Press("Add inbound route")
	v.Heading("Weekend")
	if cfg, _ := v.m.Current(); !slices.Equal(cfg.InboundRoutes[2].Window.Weekdays, []string{"sat", "sun"}) || cfg.InboundRoutes[2].Window.TimeTo != "06:00" || cfg.InboundRoutes[2].Window.DateTo != "2026-12-31" {
		t.Errorf("the rule is for %+v", cfg.InboundRoutes[2].Window)
	}
	v.SeesNot("1 change")
	v.Press("Try a call")
	v.Heading("Try a number")
	v.Holds("Call comes from", "one")
	v.Back()
	v.Heading("Weekend")
	v.Press("Close")

	// By keyboard: the focus stays with the rule.
	v.ruled(t, "Night", "Holiday", "Weekend")
	browser.Eval[bool](v.Page, `(document.querySelector('[aria-label="Move Weekend up"]').focus(), true)`)
	v.Keys(kb.Enter)
	v.ruled(t, "Night", "Weekend", "Holiday")
	v.Keys(kb.Enter)
	v.ruled(t, "Weekend", "Night", "Holiday")
	v.Until("the focus is where there is still a way", `document.activeElement.ariaLabel === 'Move Weekend down'`)
	v.Until("it is said", `document.querySelector('g-order [role=status]').textContent === 'Weekend is now at place 1 of 3'`)

	// By mouse, down and up again.
	row := func(rule string) string {
		return fmt.Sprintf("tr[data-id=%q]", browser.Eval[string](v.Page, fmt.Sprintf("[...document.querySelectorAll('g-order tbody tr')].find((tr) => tr.innerText.includes(%q)).dataset.id", rule)))
	}
	v.Drag(row("Weekend")+" .grip", row("Holiday"), false)
	v.ruled(t, "Night", "Holiday", "Weekend")
	v.Drag(row("Weekend")+" .grip", row("Holiday"), true)
	v.ruled(t, "Night", "Weekend", "Holiday")

	// Somebody else moves one while a move is on its way: nothing is moved, the
	// order is shown anew.
	browser.Eval[bool](v.Page, `((fetched) => {
		window.held = [];
		window.fetch = (url, how) => (String(url).endsWith('/inbound-routes/order') ? new Promise((go) => held.push(go)).then(() => fetched(url, how)) : fetched(url, how));
		return true;
	})(fetch)`)
	v.Press("Move Night down")
	v.Until("the move is on its way", "held.length === 1")
	v.m.edit(t, func(c *pbx.Config) {
		c.InboundRoutes[0], c.InboundRoutes[2] = c.InboundRoutes[2], c.InboundRoutes[0]
	})
	browser.Eval[bool](v.Page, "(held[0](), true)")
	v.Sees("Somebody else has changed the order.")
	v.ruled(t, "Holiday", "Weekend", "Night")
	v.NoTroubles()
}

// pageOutbound makes a route over two groups, in another order, for one user
// group (F194 to F196).
func pageOutbound(t *testing.T, v *visit) {
	v.m.edit(t, linesToTry)
	v.m.edit(t, func(c *pbx.Config) {
		c.InboundRoutes = nil
		second := c.GatewayGroups[0]
		second.ID, second.Title = "backup", "Backup"
		c.GatewayGroups = append(c.GatewayGroups, second)
	})
	v.opened(t, "/outbound-routes")
	v.ruled(t, "Everything")
	if v.Can("Move Everything up") || v.Can("Move Everything down") {
		t.Error("one rule can be moved")
	}
	v.Press("Add outbound route")
	v.Heading("New outbound route")
	v.Fill("Rule", "Abroad")
	v.Fill("Number", "^00")
	v.Press("Add outbound route")
	v.Sees("Gateway groups is needed: calls go over a gateway group")
	v.Select("Add a gateway group", "Provider")
	v.Select("Add a gateway group", "Backup")
	v.Press("Move Backup up")
	v.Press("Advanced")
	v.Select("User group", "All users")
	v.Fill("Add prefix", "01077")
	v.Press("Add outbound route")
	v.Heading("Abroad")
	cfg, _ := v.m.Current()
	if r := cfg.OutboundRoutes[0]; !slices.Equal(r.Groups, []string{"backup", "main"}) || r.UserGroup != pbx.GroupAllUsers || r.Prefix != "01077" {
		t.Errorf("got %+v", r)
	}
	v.Press("Close")
	v.ruled(t, "Abroad", "Everything") // where it holds
	v.Press("Move Abroad down")
	v.ruled(t, "Everything", "Abroad")
	v.Press("Move Abroad up")
	v.ruled(t, "Abroad", "Everything")
	v.Press("Abroad")
	v.Heading("Abroad")
	v.Press("Try this number")
	v.Heading("Try a number")
	v.Holds("Number", "00")
	v.Press("Limits of calls")
	v.Heading("Limits of calls")
	v.Fill("Calls of a user", "101")
	v.Press("Save")
	v.Sees("be 0 to 100")
	v.Fill("Calls of a user", "2")
	v.Press("Save")
	v.Sees("Settings are saved")
	if cfg, _ := v.m.Current(); cfg.Toll.UserCalls != 2 {
		t.Errorf("the limit is %+v", cfg.Toll)
	}
	v.NoTroubles()
}

// pageTryOutside tries calls over lines: which of them, with what numbers, and
// what follows when one fails; from outside at night and in a profile.
func pageTryOutside(t *testing.T, v *visit) {
	v.m.edit(t, linesToTry)
	v.opened(t, "/try-number?caller=101&digits=0030123456")
	v.Sees("Goes to the outside over Line one")
	v.Sees("is told 030123456 · National · caller shown as +49891234101 · asserted identity +498912340")
	v.Sees("The rule Everything takes 0030123456")
	v.Sees("The line does not take the call")
	v.Sees("Goes over Line two instead")
	v.Sees("The call ends: no line takes the call")
	v.Tick("Line one sip.example.org", true)
	v.Press("Try")
	v.Sees("Line one cannot be reached")
	v.Sees("Goes to the outside over Line two")
	v.Fill("Number", "anna")
	v.Press("Try")
	v.Sees("Number may contain only digits, '*' and '#', with '+' at the beginning at most.")
	v.Fill("Number", "0112")
	v.Press("Try")
	v.Sees("Emergency 112")
	v.Sees("emergency: takes the line of another call when none is free")
	v.Select("Call comes from", "the outside, over Line one")
	v.Fill("Caller", "+49 30 / 999")
	v.Fill("Number", "49891234101")
	browser.Eval[bool](v.Page, `(document.querySelector('input[type=datetime-local]').value = '2026-11-24T23:00', true)`)
	v.Press("Try")
	v.Sees("+4930999 calls 49891234101 over Line one")
	v.Sees("The rule Night sends 101 to 103")
	v.Sees("Rings: Clara Demo 103")
	browser.Eval[bool](v.Page, `(document.querySelector('input[type=datetime-local]').value = '2026-11-24T12:00', true)`)
	v.Press("Try")
	v.Sees("It is not the time of the rule Night")
	v.Sees("Rings: Anna Demo 101")
	v.Select("Night answer service", "Profile 2")
	v.Press("Try")
	v.Sees("The rule Holiday sends 101 to 103")
	v.NoTroubles()
}
