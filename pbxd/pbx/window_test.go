package pbx

import (
	"strings"
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	work := strings.Fields("mon tue wed thu fri")
	night := Window{Weekdays: work, TimeFrom: "20:00", TimeTo: "06:00"}
	// 2026-11-23 is a Monday.
	tests := []struct {
		name string
		w    Window
		at   string
		want bool
	}{
		{"always", Window{}, "2026-11-23 03:00", true},
		{"night, Monday before", night, "2026-11-23 19:59", false},
		{"night, Monday", night, "2026-11-23 20:00", true},
		{"night, Tuesday early", night, "2026-11-24 05:59", true},
		{"night, Tuesday", night, "2026-11-24 06:00", false},
		{"night, Monday early belongs to Sunday", night, "2026-11-23 02:00", false},
		{"night, Saturday early belongs to Friday", night, "2026-11-28 02:00", true},
		{"night, Saturday", night, "2026-11-28 20:00", false},
		{"day", Window{TimeFrom: "08:00", TimeTo: "17:00"}, "2026-11-23 17:00", false},
		{"to midnight", Window{TimeFrom: "08:00", TimeTo: "24:00"}, "2026-11-23 23:59", true},
		{"to midnight, next day", Window{Weekdays: []string{"mon"}, TimeFrom: "08:00", TimeTo: "00:00"}, "2026-11-24 00:00", false},
		{"a whole day from 8", Window{Weekdays: []string{"mon"}, TimeFrom: "08:00", TimeTo: "08:00"}, "2026-11-24 07:59", true},
		{"one day", Window{DateFrom: "2026-12-24"}, "2026-12-24 12:00", true},
		{"one day, later", Window{DateFrom: "2026-12-24"}, "2026-12-25 00:00", false},
		{"one day, other year", Window{DateFrom: "2026-12-24"}, "2027-12-24 12:00", false},
		{"every year", Window{DateFrom: "12-24", DateTo: "12-26"}, "2030-12-26 23:59", true},
		{"over the new year", Window{DateFrom: "12-24", DateTo: "01-06"}, "2027-01-06 10:00", true},
		{"over the new year, out", Window{DateFrom: "12-24", DateTo: "01-06"}, "2027-01-07 10:00", false},
		{"until", Window{DateTo: "2026-11-30"}, "2026-11-30 10:00", true},
		{"until, out", Window{DateTo: "2026-11-30"}, "2026-12-01 10:00", false},
		{"night of one day", Window{DateFrom: "2026-12-31", TimeFrom: "22:00", TimeTo: "04:00"}, "2027-01-01 03:59", true},
		{"night of one day, the one before", Window{DateFrom: "2026-12-31", TimeFrom: "22:00", TimeTo: "04:00"}, "2026-12-31 03:59", false},
		{"holiday", Window{Holidays: "only"}, "2026-12-25 10:00", true},
		{"no holiday", Window{Holidays: "only"}, "2026-12-24 10:00", false},
		{"night of a holiday", Window{Holidays: "only", TimeFrom: "20:00", TimeTo: "06:00"}, "2026-12-26 05:00", true},
		{"working day", Window{Holidays: "never", Weekdays: work}, "2026-12-25 10:00", false},
		{"the clock goes back at 3", Window{TimeFrom: "02:00", TimeTo: "03:00"}, "2026-10-25 02:30", true},
		{"the clock has skipped the hour", Window{Weekdays: []string{"sun"}, TimeFrom: "22:00", TimeTo: "02:30"}, "2026-03-30 01:00", true},
		{"not to be read", Window{TimeFrom: "25:00", TimeTo: "02:30"}, "2026-03-30 01:00", false},
	}
	holiday := func(day time.Time) bool { return day.Month() == 12 && day.Day() == 25 }
	for _, tt := range tests {
		at, err := time.ParseInLocation("2006-01-02 15:04", tt.at, berlin)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.w.Holds(at, holiday); got != tt.want {
			t.Errorf("%s: %+v at %s: %v", tt.name, tt.w, tt.at, got)
		}
	}
	if (&Window{Holidays: "only"}).Holds(time.Now(), nil) || !(&Window{Holidays: "never"}).Holds(time.Now(), nil) {
		t.Error("without a calendar a day is a holiday")
	}
}

// At every minute of a week with and without a change of the clock, a window and
// the one of the rest of the day never hold together, and one of them does.
func TestWindowsOfADayAreComplete(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	day, night := Window{TimeFrom: "08:00", TimeTo: "18:30"}, Window{TimeFrom: "18:30", TimeTo: "08:00"}
	for _, first := range []string{"2026-03-26", "2026-10-22", "2026-12-29"} {
		at, _ := time.ParseInLocation(time.DateOnly, first, berlin)
		for range 7 * 24 * 60 {
			if day.Holds(at, nil) == night.Holds(at, nil) {
				t.Fatalf("at %s both say %v", at, day.Holds(at, nil))
			}
			at = at.Add(time.Minute)
		}
	}
}

func TestWindowIsChecked(t *testing.T) {
	for _, tt := range []struct {
		w    Window
		want string
	}{
		{Window{}, ""}, {Window{DateFrom: "02-29"}, ""}, {Window{DateFrom: "12-24", DateTo: "01-06"}, ""},
		{Window{DateFrom: "2026-02-29"}, "x.dateFrom"}, {Window{DateTo: "13-01"}, "x.dateTo"},
		{Window{DateFrom: "2026-02-20", DateTo: "02-21"}, "x.dateTo"}, {Window{DateFrom: "2026-02-20", DateTo: "2026-02-19"}, "x.dateTo"},
		{Window{TimeFrom: "08:00"}, "x.timeTo"}, {Window{TimeTo: "08:00"}, "x.timeFrom"}, {Window{Holidays: "only"}, "x.calendar"}, {Window{Weekdays: []string{"mon", "fri", "mon"}}, "x.weekdays[2]"},
	} {
		var got []string
		for _, e := range tt.w.check("x.") {
			got = append(got, e.Path)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%+v: %q, want %q", tt.w, got, tt.want)
		}
	}
}
