package pbx

import (
	"testing"
	"time"
)

func TestNextReminder(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, x := range []struct{ name, zone, set, after, want string }{
		{"today", "Europe/Berlin", "07:30", "2026-11-23T07:29:59+01:00", "2026-11-23T07:30:00+01:00"},
		{"tomorrow", "Europe/Berlin", "07:30", "2026-11-23T07:30:00+01:00", "2026-11-24T07:30:00+01:00"},
		{"midnight at the end of a year", "Europe/Berlin", "00:00", "2026-12-31T12:00:00+01:00", "2027-01-01T00:00:00+01:00"},
		{"asked in another zone", "Europe/Berlin", "23:30", "2026-11-23T22:29:00Z", "2026-11-23T23:30:00+01:00"},
		{"day with 23 hours", "Europe/Berlin", "07:30", "2026-03-28T08:00:00+01:00", "2026-03-29T07:30:00+02:00"},
		{"skipped: when the clock is put forward", "Europe/Berlin", "02:30", "2026-03-28T12:00:00+01:00", "2026-03-29T03:00:00+02:00"},
		{"the day after", "Europe/Berlin", "02:30", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"},
		{"twice: the first counts", "Europe/Berlin", "02:30", "2026-10-24T12:00:00+02:00", "2026-10-25T02:30:00+02:00"},
		{"and not the second", "Europe/Berlin", "02:30", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		{"day with 25 hours", "Europe/Berlin", "07:30", "2026-10-24T08:00:00+02:00", "2026-10-25T07:30:00+01:00"},
		{"skipped in New York", "America/New_York", "02:30", "2026-03-07T12:00:00-05:00", "2026-03-08T03:00:00-04:00"},
		{"twice in New York", "America/New_York", "01:30", "2026-10-31T12:00:00-04:00", "2026-11-01T01:30:00-04:00"},
		{"no summer time", "UTC", "02:30", "2026-03-28T12:00:00Z", "2026-03-29T02:30:00Z"},
	} {
		zone, err := time.LoadLocation(x.zone)
		if err != nil {
			t.Fatal(err)
		}
		c := UserCalls{Reminder: true, ReminderAt: x.set}
		if got, ok := c.NextReminder(at(x.after), zone); !ok || !got.Equal(at(x.want)) {
			t.Errorf("%s: %v %v, want %s", x.name, got, ok, x.want)
		}
	}
	for _, c := range []UserCalls{{}, {Reminder: true}, {ReminderAt: "07:30"}, {Reminder: true, ReminderAt: "7"}} {
		if got, ok := c.NextReminder(time.Unix(0, 0), time.UTC); ok {
			t.Errorf("%+v rings at %v", c, got)
		}
	}
}

// In every zone that has summer time or not, a reminder comes once a day, in
// order, and not long after the time that was set.
func TestReminderOnceADay(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "America/Santiago", "UTC"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range []string{"00:00", "00:30", "01:00", "01:45", "02:00", "02:30", "03:00", "23:59"} {
			c := UserCalls{Reminder: true, ReminderAt: set}
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
			for range 365 {
				next, ok := c.NextReminder(at, zone)
				if gap := next.Sub(at); !ok || gap <= 0 || gap > 25*time.Hour+time.Minute {
					t.Fatalf("%s at %s: %v after %v", name, set, next, at)
				}
				at = next
			}
			if at.Year() != 2026 && at.Sub(time.Date(2027, 1, 2, 0, 0, 0, 0, zone)) > 0 {
				t.Errorf("%s at %s: 365 reminders end at %v", name, set, at)
			}
		}
	}
}
