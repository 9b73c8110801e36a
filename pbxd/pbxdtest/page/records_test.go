package page_test

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/browser"
	"galilei/pbxd/store"
)

// withRecords restarts an office with call records: 70 old ones, then three of
// yesterday.
func withRecords(t *testing.T) *pbxdtest.System {
	t.Helper()
	dir := t.TempDir()
	officeWith(t, pbxdtest.Options{Dir: dir}).Stop()
	st, err := store.Open(t.Context(), dir, store.Options{Model: pbx.Model{Name: "T640"}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	anna := pbx.RecordParty{Number: "101", Name: "Anna Demo", User: "demo101"}
	ben := pbx.RecordParty{Number: "102", Name: "Ben Demo", User: "demo102"}
	vienna := pbx.RecordParty{Number: "+4315551234", E164: "+4315551234", Name: "Vienna <b>office</b>"}
	old := time.Now().AddDate(0, 0, -40)
	for i := range 70 {
		at := old.Add(time.Duration(i) * time.Minute)
		st.NoteRecord(pbx.CallRecord{Call: fmt.Sprint("old", i), Direction: pbx.RecordInternal, Caller: anna, Dialled: "102", Target: ben, Result: pbx.RecordAnswered, Cause: pbx.CauseNormalClearing,
			Began: at, Answered: at.Add(2 * time.Second), Ended: at.Add(62 * time.Second), Ring: 2, Talk: 60, Toll: pbx.TollInternal})
	}
	at := time.Now().Add(-30 * time.Hour)
	plus := func(s int) time.Time { return at.Add(time.Duration(s) * time.Second) }
	st.NoteRecord(pbx.CallRecord{Call: "busy", Direction: pbx.RecordOut, Caller: ben, Dialled: "0004315559999", DialledE: "+4315559999", GatewayOut: "gw1", Result: pbx.RecordBusy, Cause: pbx.CauseUserBusy,
		Began: at, Ended: plus(3), Ring: 3, Toll: pbx.TollForeign, Legs: []pbx.RecordLeg{{Party: ben, Began: at, Ended: plus(3), Cause: pbx.CauseUserBusy}}})
	st.NoteRecord(pbx.CallRecord{Call: "transferred", Direction: pbx.RecordIn, Caller: vienna, Dialled: "101", Target: ben, GatewayIn: "gw1", Result: pbx.RecordAnswered, Cause: pbx.CauseNormalClearing,
		Began: plus(60), Answered: plus(64), Ended: plus(60 + 3000), Ring: 4, Talk: 2996, Toll: pbx.TollInternal, Legs: []pbx.RecordLeg{
			{Party: vienna, Gateway: "gw1", Began: plus(60), Answered: plus(64), Ended: plus(3060), Cause: pbx.CauseNormalClearing},
			{Party: anna, Began: plus(60), Answered: plus(64), Ended: plus(1000), Act: pbx.RecordTransferred, Cause: pbx.CauseNormalClearing},
			{Party: ben, Began: plus(900), Answered: plus(1000), Ended: plus(3060), Cause: pbx.CauseNormalClearing}}})
	st.NoteRecord(pbx.CallRecord{Call: "hidden", Direction: pbx.RecordIn, Hidden: true, Dialled: "101", Result: pbx.RecordNoAnswer, Began: plus(120), Ended: plus(150), Ring: 30, Toll: pbx.TollInternal})
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return pbxdtest.Start(t, pbxdtest.Options{Dir: dir})
}

// talked has 101 call 102 for a moment.
func talked(s *pbxdtest.System) {
	a, b := s.Phone("101", "udp").MustRegister(), s.Phone("102", "udp").MustRegister()
	call := a.Dial("102", pbxdtest.SDP(16000))
	b.Ringing().Answer(pbxdtest.SDP(16002))
	call.Answered()
	call.Send("BYE", "")
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	a.Response("BYE", 200)
}

// day chooses a day, YYYY-MM-DD, whatever the browser's way to type one.
func day(p *browser.Page, label, text string) {
	p.Until(label, fmt.Sprintf(`(() => {
		const input = [...document.querySelectorAll('label')].find((l) => l.textContent === %q)?.control;
		if (!input) return false;
		input.value = %q;
		input.dispatchEvent(new Event('input', {bubbles: true}));
		return true;
	})()`, label, text))
}

// TestCallRecords has an administrator look for calls, see who took part in one,
// take a file along and delete the old ones, while people go on calling.
func TestCallRecords(t *testing.T) {
	t.Parallel()
	s := withRecords(t)
	chromium := &browser.Chromium{}
	t.Cleanup(chromium.Close)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("Call records")
	p.Heading("Call records")
	rows := func() int { return browser.Eval[int](p, "document.querySelectorAll('.records tbody tr').length") }
	sums := func(want string) {
		t.Helper()
		p.Until("sums "+want, fmt.Sprintf("[...document.querySelectorAll('.sums dd')].map((x) => x.textContent).join(', ').startsWith(%q)", want))
	}
	sums("73, 1 h 59 min, 1 min 41 s, 2 h 2 min")
	p.Sees("Vienna <b>office</b>")
	p.Sees("Unknown")
	p.Sees("49 min 56 s")
	p.Sees("Call records are kept for 365 days, 200,000 of them at most.")
	if n := rows(); n != 50 {
		t.Errorf("%d rows are shown", n)
	}
	p.Press("Show older")
	p.Until("all records", "document.querySelectorAll('.records tbody tr').length === 73")
	shoot(p, "records")

	talked(s) // it stands there by itself
	sums("74, ")
	p.Until("the new call", "document.querySelector('.records tbody tr').textContent.includes('Ben Demo')")
	p.Look(360, 740, "dark")
	p.Fits("the records at 360 px")
	shoot(p, "records-narrow")
	p.Until("the top", "scrollTo(0, 0) ?? true")
	shoot(p, "records-narrow-top")
	p.Look(1280, 860, "light")

	p.Fill("Target", "+43*")
	p.Sees("0004315559999")
	sums("1, 0 s, 0 s, 3 s")
	p.Reload() // what is asked for stands in the address
	sums("1, 0 s, 0 s, 3 s")
	p.Holds("Target", "+43*")
	p.Fill("Target", "99*")
	p.Sees("No call matches.")
	p.Press("Clear filter")
	sums("74, ")
	day(p, "From", "0202-11-24") // of which more is typed
	p.Until("no day yet", "document.querySelector('.filters [type=date]').matches('[aria-invalid]') && !location.search")
	p.Fill("Duration from (s)", "-5")
	sums("74, ")
	if browser.Eval[bool](p, "!!document.querySelector('.toast.bad')") {
		t.Error("what is being typed is told as wrong")
	}
	p.Press("Clear filter")
	p.Select("Direction", "In")
	p.Select("Type", "Answered")
	p.Fill("Caller", "vienna")
	p.Fill("Duration from (s)", "2000")
	day(p, "From", time.Now().AddDate(0, 0, -3).Format("2006-01-02"))
	day(p, "Until", time.Now().Format("2006-01-02"))
	sums("1, 49 min 56 s, 49 min 56 s, 50 min 0 s")
	p.Select("Separator", "Semicolon")
	name, file := p.Download(func() { p.Press("Export as CSV") })
	lines := strings.Split(strings.TrimSpace(string(file)), "\r\n")
	if !strings.HasPrefix(name, "call-records-") || len(lines) != 2 || !strings.HasPrefix(lines[0], "began;direction;caller.number;") || !strings.Contains(lines[1], ";in;+4315551234;+4315551234;Vienna <b>office</b>;") {
		t.Errorf("downloaded %q with %q", name, lines)
	}
	p.Select("Header", "No header")
	if _, bare := p.Download(func() { p.Press("Export as CSV") }); string(bare) != lines[1]+"\r\n" {
		t.Errorf("without a header: %q", bare)
	}
	p.Run("open the record", chromedp.Click(chromedp.CSS(".records tbody a")))
	p.Sees("Vienna <b>office</b> → Ben Demo")
	p.Sees("transferred")
	p.Sees("a gateway that is gone")
	p.Sees("after 14 min 0 s · rang for 1 min 40 s · talked for 34 min 20 s")
	if p.Can("Why and how") {
		t.Error("there is a way to a trace that the device has forgotten")
	}
	shoot(p, "record")
	p.Look(360, 740, "light")
	p.Fits("a record at 360 px")
	shoot(p, "record-narrow")
	p.Look(1280, 860, "dark")
	shoot(p, "record-dark")
	p.Look(1280, 860, "light")
	p.Press("All call records")
	sums("1, 49 min 56 s, 49 min 56 s, 50 min 0 s")
	p.Press("Clear filter")
	p.Until("all records", "document.querySelectorAll('.records tbody tr').length === 50")
	p.Run("open the newest record", chromedp.Click(chromedp.CSS(".records tbody a")))
	p.Press("Why and how")
	p.Sees("Anna Demo (101) calls 102.")
	p.Back()
	p.Press("All call records")
	p.Until("all records again", "document.querySelectorAll('.records tbody tr').length === 50") // what is below stays where it is now

	last := time.Now().AddDate(0, 0, -10).Format("2006-01-02")
	p.Press("Delete old records")
	p.Sees("Choose the day before which records go.")
	day(p, "Calls before", last)
	p.Press("Delete old records")
	p.Sees("Delete 70 call records from before " + last + "?")
	p.Fill("Type “"+last+"” to go on", last)
	p.Press("Delete")
	sums("4, ")
	p.SeesNot("Records are being deleted.")
	if n := rows(); n != 4 {
		t.Errorf("%d rows are left", n)
	}
	p.Press("Delete old records")
	p.Sees("There are no call records from before.")
	p.Press("Change how long")
	p.Heading("System settings")
	p.Holds("Keep call records", "365")
	p.NoTroubles()

	german, words := chromium.Page(t), newEnglish(t)
	logIn(german, s, "petra")
	german.Open("https://" + s.Web.String() + "/call-records")
	german.Heading("Verbindungsdaten")
	german.Sees("49 min 56 s")
	words.check(german, t, "the call records")
	shoot(german, "records-german")
	german.Run("open a record", chromedp.Click(chromedp.CSS(".records tbody tr:nth-child(3) a")))
	german.Sees("verbunden")
	words.check(german, t, "a call record")
	german.Open("https://" + s.Web.String() + "/audit")
	german.Sees("hat Verbindungsdatensätze gelöscht, Anzahl: 70")
	if text := german.Text(); !regexp.MustCompile(`hat Verbindungsdaten exportiert`).MatchString(text) {
		t.Errorf("the audit log lacks the export: %s", text)
	}
	german.NoTroubles()
}

// TestRecordsThatGo shows more records than the device gives at once, of which somebody
// else deletes the oldest.
func TestRecordsThatGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	officeWith(t, pbxdtest.Options{Dir: dir}).Stop()
	st, err := store.Open(t.Context(), dir, store.Options{Model: pbx.Model{Name: "T640"}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range 300 {
		at := now.Add(-time.Duration(i+1) * time.Hour)
		st.NoteRecord(pbx.CallRecord{Call: fmt.Sprint(i), Direction: pbx.RecordInternal, Dialled: "102", Result: pbx.RecordBusy, Began: at, Ended: at, Toll: pbx.TollInternal})
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	s := pbxdtest.Start(t, pbxdtest.Options{Dir: dir})
	chromium := &browser.Chromium{}
	t.Cleanup(chromium.Close)
	p := chromium.Page(t)
	logIn(p, s, "admin")
	p.Press("Call records")
	rows := func(n int) {
		t.Helper()
		p.Until(fmt.Sprint(n, " rows"), fmt.Sprintf("document.querySelectorAll('.records tbody tr').length === %d", n))
	}
	for n := 50; n < 300; n += 50 {
		rows(n)
		p.Press("Show older")
	}
	rows(300)
	s.As("admin", pin).Do("DELETE", "/api/v1/call-records?before="+now.Add(-230*time.Hour).UTC().Format(time.RFC3339), nil, 202, nil)
	rows(200) // and 29 or 30 more
	p.Press("Show older")
	p.Until("the rest", "document.querySelectorAll('.records tbody tr').length > 200 && !document.querySelector('.older button')")
	p.NoTroubles()
}
