package page_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/browser"
	"galilei/pbxd/store"
)

// withCalls restarts an office with calls in the journal of anna, a minute apart,
// the first one three days ago.
func withCalls(t *testing.T, list []pbx.JournalEntry) *pbxdtest.System {
	t.Helper()
	dir := t.TempDir()
	s := officeWith(t, pbxdtest.Options{Dir: dir})
	anna := idOf(s.As("petra", pin), "anna")
	s.Stop()
	st, err := store.Open(t.Context(), dir, store.Options{Model: pbx.Model{Name: "T640"}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now().AddDate(0, 0, -3)
	for i, e := range list {
		e.User, e.Call, e.Time = anna, "x", begin.Add(time.Duration(i)*time.Minute)
		st.NoteCall(e)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return pbxdtest.Start(t, pbxdtest.Options{Dir: dir})
}

// shownCalls are the names in the journal, newest first.
func shownCalls(p *browser.Page) string {
	return browser.Eval[string](p, "[...document.querySelectorAll('.call .with strong')].map((x) => x.textContent).join(', ')")
}

// TestOwnJournal has a user look at missed calls, filter and delete.
func TestOwnJournal(t *testing.T) {
	t.Parallel()
	var list []pbx.JournalEntry
	for range 40 {
		list = append(list, pbx.JournalEntry{Direction: pbx.CallOut, Result: pbx.CallNoAnswer, Number: "0700", Name: "Older"})
	}
	list = append(list,
		pbx.JournalEntry{Direction: pbx.CallIn, Result: pbx.CallAnswered, Number: "101", Name: "Anna Demo", Duration: 61},
		pbx.JournalEntry{Direction: pbx.CallIn, Result: pbx.CallMissed, Number: "+49891234567", Name: "Susan <b>Black</b>"},
		pbx.JournalEntry{Direction: pbx.CallIn, Result: pbx.CallElsewhere, Number: "102", Name: "Ben Demo", Group: "Hotline"},
		pbx.JournalEntry{Direction: pbx.CallIn, Result: pbx.CallMissed})
	s := withCalls(t, list)
	chromium := &browser.Chromium{}
	t.Cleanup(chromium.Close)
	axe := browser.NewAxe(t)
	p := chromium.Page(t)
	logIn(p, s, "anna")
	p.Heading("Home")
	p.Sees("2 missed calls that you have not looked at.")
	p.Sees("Do not disturb is off.")
	p.Sees("Calls are not forwarded.")
	p.Look(360, 740, "light")
	p.Fits("home")
	shoot(p, "home-missed")
	p.Look(1280, 860, "light")
	p.Press("Show the journal")
	p.Heading("Journal")
	p.Sees("2 calls")
	if got := shownCalls(p); got != "Unknown, Susan <b>Black</b>" {
		t.Errorf("the missed calls are %q", got)
	}
	p.Press("All")
	p.Sees("44 calls")
	if got := shownCalls(p); strings.Count(got, ", ") != 29 || !strings.HasPrefix(got, "Unknown, Ben Demo, Susan <b>Black</b>, Anna Demo, Older") {
		t.Errorf("the calls are %q", got)
	}
	p.Sees("In · Answered elsewhere")
	p.Sees("1 min 1 s")
	shoot(p, "journal")
	p.Look(360, 740, "dark")
	p.Fits("the journal at 360 px")
	axe.Check(p, "journal in the dark", "color-contrast")
	shoot(p, "journal-narrow")
	p.Look(1280, 860, "light")
	p.Press("Show older")
	p.Until("all calls", "document.querySelectorAll('.call').length === 44")
	p.Press("Home")
	p.Sees("You have missed no call.")
	p.Back()
	p.Heading("Journal")
	p.Fill("Name begins with", "dem")
	p.Sees("2 calls")
	p.Fill("Number begins with", "102")
	p.Sees("1 call")
	p.Press("Out")
	p.Sees("Nothing begins with")
	p.Reload()
	p.Sees("Nothing begins with") // what is asked for stands in the address
	p.Fill("Number begins with", "")
	p.Fill("Name begins with", "")
	p.Sees("40 calls")
	p.Press("In")
	p.Sees("4 calls")

	german, words := chromium.Page(t), newEnglish(t)
	logIn(german, s, "petra")
	german.Open("https://" + s.Web.String() + "/user-journals")
	german.Sees("Wählen Sie einen Benutzer, um die Anrufe zu sehen.")
	german.Select("Benutzer", "Anna Cartman (anna) 201")
	german.Sees("44 Anrufe")
	if german.Can("Alle Anrufe löschen") || german.Can("Anruf mit Ben Demo löschen") {
		t.Error("a journal of somebody else can be changed")
	}
	german.Reload()
	german.Sees("44 Anrufe") // who was chosen stands in the address
	german.Sees("Von anderen angenommen")
	words.check(german, t, "the journal of a user")
	shoot(german, "journal-of-user")
	german.Press("Protokoll")
	german.Sees("sah die Anrufliste an von anna")
	german.NoTroubles()

	p.Press("Delete the call with Ben Demo")
	p.Sees("Delete the call with Ben Demo?")
	p.Press("Delete")
	p.Sees("3 calls")
	p.Press("Add Susan <b>Black</b> to the private contacts")
	p.Holds("Last name", "Susan <b>Black</b>")
	p.Holds("Office", "+49891234567")
	p.Press("Add contact")
	p.Sees("is added")
	p.Open("https://" + s.Web.String() + "/journal")
	p.Sees("43 calls")
	p.Press("Delete all calls")
	p.Press("Delete")
	p.Sees("Your journal is empty.")
	p.Sees("No calls yet.")
	p.NoTroubles()

	german.Open("https://" + s.Web.String() + "/journal")
	german.Heading("Anrufliste")
	words.check(german, t, "the journal")
	german.NoTroubles()
}
