package holiday

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

var now = time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)

// file makes a calendar of events, each given as its lines.
func file(events ...string) []byte {
	text := "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\n"
	for i, e := range events {
		if !strings.Contains(e, "UID:") {
			e = fmt.Sprintf("UID:%d\n", i) + e
		}
		text += "BEGIN:VEVENT\nDTSTAMP:20260101T000000Z\n" + e + "\nEND:VEVENT\n"
	}
	return []byte(strings.ReplaceAll(text+"END:VCALENDAR\n", "\n", "\r\n"))
}

func shown(days []pbx.Holiday) (list []string) {
	for _, d := range days {
		list = append(list, strings.TrimSpace(d.From+" "+d.To+" "+d.Title))
	}
	return list
}

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		name   string
		events []string
		want   []string // from, to, title
	}{
		{"a day", []string{"SUMMARY:Epiphany\nDTSTART;VALUE=DATE:20270106\nDTEND;VALUE=DATE:20270107"}, []string{"2027-01-06  Epiphany"}},
		{"without an end", []string{"SUMMARY:A\\, b\nDTSTART;VALUE=DATE:20270106"}, []string{"2027-01-06  A, b"}},
		{"several days", []string{"DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20270107"}, []string{"2026-12-24 2027-01-06"}},
		{"for so long", []string{"DTSTART;VALUE=DATE:20270106\nDURATION:P2D"}, []string{"2027-01-06 2027-01-07"}},
		{"a time in UTC is the next day here", []string{"DTSTART:20270105T233000Z\nDTEND:20270106T003000Z"}, []string{"2027-01-06"}},
		{"until midnight", []string{"DTSTART;TZID=Europe/Berlin:20270106T080000\nDTEND;TZID=Europe/Berlin:20270107T000000"}, []string{"2027-01-06"}},
		{"until 24 o'clock", []string{"DTSTART:20270106T000000\nDTEND:20270106T240000"}, []string{"2027-01-06"}},
		{"Sundays elsewhere", []string{"DTSTART:20261206T233000Z\nRRULE:FREQ=WEEKLY;BYDAY=SU;COUNT=2"}, []string{"2026-12-07", "2026-12-14"}},
		{"until a moment, elsewhere", []string{"DTSTART;TZID=America/New_York:20261206T200000\nRRULE:FREQ=WEEKLY;BYDAY=SU;UNTIL=20261214T010000Z"}, []string{"2026-12-07", "2026-12-14"}},
		{"over midnight", []string{"DTSTART:20270106T200000\nDTEND:20270107T010000"}, []string{"2027-01-06 2027-01-07"}},
		{"another zone", []string{"DTSTART;TZID=America/New_York:20270106T200000"}, []string{"2027-01-07"}},
		{"a zone that nobody knows", []string{"DTSTART;TZID=\"W. Europe Standard Time\":20270106T200000"}, []string{"2027-01-06"}},
		{"every year", []string{"SUMMARY:Unity\nDTSTART;VALUE=DATE:20101003\nRRULE:FREQ=YEARLY"}, []string{"10-03  Unity"}},
		{"every year, said twice", []string{"DTSTART;VALUE=DATE:20101003\nRRULE:FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=3"}, []string{"10-03"}},
		{"days of every year", []string{"DTSTART;VALUE=DATE:20101224\nDTEND;VALUE=DATE:20110102\nRRULE:FREQ=YEARLY"}, []string{"12-24 01-01"}},
		{"a Thursday of November", []string{"DTSTART;VALUE=DATE:20241128\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20281231"}, []string{"2026-11-26", "2027-11-25", "2028-11-23"}},
		{"until the end of a day here", []string{"DTSTART;TZID=Europe/Berlin:20261201T000000\nDTEND;TZID=Europe/Berlin:20261202T000000\nRRULE:FREQ=DAILY;UNTIL=20261202T230000Z"}, []string{"2026-12-01", "2026-12-02", "2026-12-03"}},
		{"until before it begins on the last day", []string{"DTSTART;TZID=Europe/Berlin:20261201T180000\nRRULE:FREQ=DAILY;UNTIL=20261203T120000Z"}, []string{"2026-12-01", "2026-12-02"}},
		{"days until a moment", []string{"DTSTART;VALUE=DATE:20261201\nRRULE:FREQ=DAILY;UNTIL=20261202T000000Z"}, []string{"2026-12-01", "2026-12-02"}},
		{"so many times", []string{"DTSTART;VALUE=DATE:20261201\nRRULE:FREQ=WEEKLY;COUNT=3"}, []string{"2026-12-01", "2026-12-08", "2026-12-15"}},
		{"every second year", []string{"DTSTART;VALUE=DATE:20250501\nRRULE:FREQ=YEARLY;INTERVAL=4"}, []string{"2029-05-01", "2033-05-01"}},
		{"without one", []string{"DTSTART;VALUE=DATE:20261201\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20261202"}, []string{"2026-12-01", "2026-12-03"}},
		{"with some", []string{"DTSTART;VALUE=DATE:20261201\nRDATE;VALUE=DATE:20270101,20270301"}, []string{"2026-12-01", "2027-01-01", "2027-03-01"}},
		{"one is moved", []string{"UID:s\nDTSTART;VALUE=DATE:20261201\nRRULE:FREQ=DAILY;COUNT=2", "UID:s\nRECURRENCE-ID;VALUE=DATE:20261202\nDTSTART;VALUE=DATE:20261209"}, []string{"2026-12-01", "2026-12-09"}},
		{"one is cancelled", []string{"UID:s\nDTSTART;VALUE=DATE:20261201\nRRULE:FREQ=DAILY;COUNT=2", "UID:s\nSTATUS:CANCELLED\nRECURRENCE-ID;VALUE=DATE:20261202\nDTSTART;VALUE=DATE:20261202"}, []string{"2026-12-01"}},
		{"twice the same", []string{"DTSTART;VALUE=DATE:20261201", "DTSTART;VALUE=DATE:20261201"}, []string{"2026-12-01"}},
		{"never", []string{"DTSTART;VALUE=DATE:20261201\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, []string{"2026-12-01"}},
		{"folded", []string{"SUMMARY:Long\n  name\nDTSTART;VALUE=DATE:20261201"}, []string{"2026-12-01  Long name"}},
	} {
		r, err := Read(file(tc.events...), berlin(t), now)
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		want := slices.Clone(tc.want)
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], "  ", " ")
		}
		got := shown(r.Days)
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], "  ", " ")
		}
		if !slices.Equal(got, want) || r.Skipped+r.Past+r.Later != 0 {
			t.Errorf("%s: got %q, %d skipped, %d past, %d later, want %q", tc.name, got, r.Skipped, r.Past, r.Later, want)
		}
	}
}

func TestLeftOut(t *testing.T) {
	r, err := Read(file("DTSTART;VALUE=DATE:20251231", "DTSTART;VALUE=DATE:20360101", "DTSTART;VALUE=DATE:20260101", "DTSTART:soon", "SUMMARY:none",
		"DTSTART;VALUE=DATE:20260102\nRRULE:FREQ=SECONDLY", "DTSTART;VALUE=DATE:20260103\nDTEND;VALUE=DATE:99990103"), berlin(t), now)
	if err != nil {
		t.Fatal(err)
	}
	if got := shown(r.Days); len(got) != 1 || r.Past != 1 || r.Later != 1 || r.Skipped != 4 {
		t.Errorf("got %q, %d past, %d later, %d skipped", got, r.Past, r.Later, r.Skipped)
	}
}

// A day stays that day where the clock skips its midnight, as in Chile.
func TestDayWithoutMidnight(t *testing.T) {
	zone, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{"DTSTART;VALUE=DATE:20260906", "DTSTART;VALUE=DATE:20260906\nDTEND;VALUE=DATE:20260907", "DTSTART;VALUE=DATE:20260906\nDURATION:P1D"} {
		r, err := Read(file(event), zone, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(r.Days); len(got) != 1 || r.Days[0].From != "2026-09-06" || r.Days[0].To != "" || r.Partial != 0 {
			t.Errorf("%s: got %q, %d with a time", event, got, r.Partial)
		}
	}
}

func TestRefused(t *testing.T) {
	var weekly []string
	for range maxRules + 1 {
		weekly = append(weekly, "DTSTART;VALUE=DATE:20261201\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
	}
	for name, tc := range map[string]struct {
		text []byte
		want string
	}{
		"empty":           {[]byte(" \n"), "is empty"},
		"large":           {make([]byte, MaxBytes+1), "larger than 1 MB"},
		"Latin-1":         {[]byte("BEGIN:VCALENDAR\nX:\xfc\n"), "UTF-8"},
		"CSV":             {[]byte("Date;Name\n2026-01-01;New Year\n"), "no iCalendar file"},
		"cut":             {file("DTSTART;VALUE=DATE:20261201")[:80], "no iCalendar file"},
		"parser panics":   {[]byte("BEGIN:VCALENDAR\nX;A=b\nEND:VCALENDAR\n"), "no iCalendar file"},
		"long parameter":  {[]byte("BEGIN:VCALENDAR\nX;A=\":" + strings.Repeat("b", maxBefore) + "\":1\nEND:VCALENDAR\n"), "no iCalendar file"},
		"deep":            {[]byte(strings.Repeat("BEGIN:VCALENDAR\n", 1000)), "no iCalendar file"},
		"deep and folded": {[]byte(strings.Repeat("BEG\n IN:VCALENDAR\n", 1000)), "no iCalendar file"},
		"many days":       {file("DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=DAILY"), "more than 1000 days"},
		"many rules":      {file(weekly...), "more than 100 events"},
	} {
		_, err := Read(tc.text, berlin(t), now)
		wrong, ok := errors.AsType[*FileError](err)
		if !ok || !strings.Contains(wrong.Text(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

// FuzzRead wants days that a calendar takes, or a *FileError.
func FuzzRead(f *testing.F) {
	f.Add(file("SUMMARY:A\nDTSTART;VALUE=DATE:20101224\nDTEND;VALUE=DATE:20110102\nRRULE:FREQ=YEARLY"))
	f.Add(file("DTSTART;TZID=Europe/Berlin:20270106T080000\nDURATION:P1DT2H\nRDATE;VALUE=PERIOD:20270301T000000Z/PT5H\nEXDATE:20270106T070000Z"))
	f.Add(file("UID:s\nDTSTART;VALUE=DATE:20261201\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=20;BYSETPOS=1", "UID:s\nSTATUS:CANCELLED\nRECURRENCE-ID:20261202\nDTSTART:20261202"))
	zone := berlin(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Read(text, zone, now)
		if err != nil {
			if _, ok := errors.AsType[*FileError](err); !ok {
				t.Fatalf("got %v", err)
			}
			return
		}
		cfg := pbx.Factory(pbx.Defaults{})
		cfg.Calendars = []pbx.Calendar{{ID: "c", CalendarSettings: pbx.CalendarSettings{Name: "c", Days: r.Days}}}
		if wrong, ok := errors.AsType[*pbx.ValidationError](pbx.Validate(cfg, pbx.Model{})); ok {
			for _, w := range wrong.Fields {
				if strings.HasPrefix(w.Path, "calendars") {
					t.Fatalf("%q: %s %s", shown(r.Days), w.Path, w.Rule.Text())
				}
			}
		}
	})
}
