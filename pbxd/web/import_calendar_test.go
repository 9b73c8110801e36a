package web

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/holiday"
)

const icsFile = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n" +
	"BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Epiphany\r\nDTSTART;VALUE=DATE:20200106\r\nDTEND;VALUE=DATE:20200107\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Unity\r\nDTSTART;VALUE=DATE:20201003\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:3\r\nSUMMARY:Party\r\nDTSTART:20270105T233000Z\r\nDTEND:20270106T003000Z\r\nEND:VEVENT\r\n" +
	"BEGIN:VEVENT\r\nUID:4\r\nSUMMARY:Old\r\nDTSTART;VALUE=DATE:20200101\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

// TestImportCalendar looks at a file, then imports it, twice.
func TestImportCalendar(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	s.Now = func() time.Time { return time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC) }
	c := loggedIn(t, s)
	m.edit(t, outsideLines) // the calendar has 01-06
	send := func(status int, query, match, body string) (*response, CalendarImport) {
		t.Helper()
		res := c.do("POST", apiPrefix+"/calendars/cal1/import"+query, body, "Content-Type", "text/calendar", "If-Match", match)
		if res.StatusCode != status {
			t.Fatalf("import %s: got %d %s, want %d", query, res.StatusCode, res.text, status)
		}
		var r CalendarImport
		if err := json.Unmarshal([]byte(res.text), &r); err != nil {
			t.Fatal(err)
		}
		return res, r
	}
	tag := c.want(200, "GET", "/calendars/cal1", "", nil).Header.Get("ETag")
	before, revision := m.Current()
	res, r := send(200, "", tag, icsFile)
	if now, n := m.Current(); n != revision || now != before || res.Header.Get("ETag") != tag {
		t.Error("a look has changed something")
	}
	var got []string
	for _, d := range r.Days {
		got = append(got, d.From+" "+d.Title)
	}
	if !slices.Equal(got, []string{"01-06 Epiphany", "10-03 Unity", "2027-01-06 Party"}) || !r.Days[0].Known || r.Fresh != 2 || r.Known != 1 || r.Imported != 0 {
		t.Errorf("got %+v", r)
	}
	if len(r.Warnings) != 2 || !strings.Contains(r.Warnings[0].Message, "Events of past years that are left out: 1.") ||
		!strings.Contains(r.Warnings[1].Message, "count as whole days: 1.") { // Party is in the evening
		t.Errorf("warnings: got %v", r.Warnings)
	}
	send(412, "?check=false", `"another"`, icsFile)
	res, r = send(200, "?check=false", tag, icsFile)
	if days := nowOf(m).Calendars[0].Days; r.Imported != 2 || len(days) != 3 || days[1].Title != "Unity" {
		t.Errorf("imported %d: %+v", r.Imported, days)
	}
	if last := m.revisions[len(m.revisions)-1].Comment; last != "Holidays imported into Bavaria: 2" || m.audited("import-calendar") != 1 {
		t.Errorf("the history says %q", last)
	}
	if now := c.want(200, "GET", "/calendars/cal1", "", nil).Header.Get("ETag"); now != res.Header.Get("ETag") {
		t.Error("the ETag is not that of the calendar")
	}
	if _, r = send(200, "?check=false", "*", icsFile); r.Imported != 0 || r.Known != 3 {
		t.Errorf("again: got %+v", r)
	}
	for _, tc := range []struct {
		path, contentType, body string
		status                  int
	}{
		{"cal1", "text/calendar", "Date;Name\n", 422},
		{"cal1", "text/calendar", "", 422},
		{"cal1", "application/json", "{}", 415},
		{"gone", "text/calendar", icsFile, 404},
		{"cal1", "text/calendar", strings.Repeat("x", 2*holiday.MaxBytes), 413},
		{"cal1", "text/calendar", strings.Replace(strings.Replace(icsFile, "UID:2", "RRULE:FREQ=DAILY;COUNT=999\r\nUID:2", 1), "\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:3", "\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:3", 1), 200},
	} {
		if res := c.do("POST", apiPrefix+"/calendars/"+tc.path+"/import?check=true", tc.body, "Content-Type", tc.contentType); res.StatusCode != tc.status {
			t.Errorf("%s with %.20q: got %d %.300s, want %d", tc.path, tc.body, res.StatusCode, res.text, tc.status)
		}
	}
}
