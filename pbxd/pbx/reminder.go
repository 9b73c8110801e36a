package pbx

import "time"

// NextReminder returns when the reminder of c is due first after a time, in a
// time zone; false when it is off. A time that a day does not have, since the
// clock was put forward over it, is due when the clock has been put forward. Of
// a time that a day has twice, the first counts.
func (c *UserCalls) NextReminder(after time.Time, zone *time.Location) (time.Time, bool) {
	at, err := time.Parse("15:04", c.ReminderAt)
	if err != nil || !c.Reminder {
		return time.Time{}, false
	}
	day := after.In(zone)
	for range 3 { // a day may be shorter than 24 hours
		if due := timeOfDay(day, at.Hour(), at.Minute(), zone); due.After(after) {
			return due, true
		}
		day = time.Date(day.Year(), day.Month(), day.Day()+1, 12, 0, 0, 0, zone)
	}
	return time.Time{}, false
}

// timeOfDay is when the clock shows hour and minute on a day, the first time.
// When it does not, it is when the clock skips them.
func timeOfDay(day time.Time, hour, minute int, zone *time.Location) time.Time {
	t := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, zone) // one of two when the clock is set (package time)
	start, end := t.ZoneBounds()
	wanted := time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, time.UTC)
	switch shown := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC); {
	case shown.After(wanted): // skipped, told by the time after it
		return start
	case shown.Before(wanted): // or before it
		return end
	}
	if start.IsZero() {
		return t
	}
	_, now := t.Zone()
	_, before := start.Add(-1).Zone()
	if first := t.Add(time.Duration(now-before) * time.Second); first.Before(start) && first.Before(t) {
		return first
	}
	return t
}
