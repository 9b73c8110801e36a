package pbx

import "time"

// Midnight is the first moment of a day in a zone. Where the clock skips midnight in
// spring, as in Chile, that is when it does so, while time.Date gives 23:00 of the day
// before; where midnight comes twice in autumn it is the first.
func Midnight(y int, m time.Month, d int, zone *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	earlier := t.Add(-time.Hour)
	_, change := t.ZoneBounds()
	switch {
	case t.Hour() == 23 && change.Sub(t) <= time.Hour:
		return change
	case t.Hour() == 0 && earlier.Day() == t.Day():
		return earlier
	}
	return t
}
