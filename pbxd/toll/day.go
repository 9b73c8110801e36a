package toll

import (
	"time"

	"galilei/pbxd/pbx"
)

// firstYear is the year before which the clock cannot have been set.
const firstYear = 2025

// day is a day of the device's time zone.
type day struct {
	from, to time.Time // first moments of this day and of the next one
	set      bool      // the clock is set; otherwise it is a day since the start, more or less
	zone     string    // of the settings
}

// dayOf is the day of a time.
func dayOf(now time.Time, cfg *pbx.Config) day {
	zone, err := time.LoadLocation(cfg.Locale.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	y, m, d := now.In(zone).Date()
	return day{pbx.Midnight(y, m, d, zone), pbx.Midnight(y, m, d+1, zone), now.Year() >= firstYear, cfg.Locale.TimeZone}
}

// turn begins another day when it has come: nothing is used up of it, save by the
// calls that go on. The caller holds l.mu.
func (l *Ledger) turn(cfg *pbx.Config) {
	now := l.deps.Now()
	if !now.Before(l.day.from) && now.Before(l.day.to) {
		if l.day.zone != cfg.Locale.TimeZone {
			l.day = dayOf(now, cfg) // it ends when it ends there, and what is used up stays so
		}
		return
	}
	was, today := l.day, dayOf(now, cfg)
	if was.set && !today.set {
		return // a clock that loses its time begins no day
	}
	l.day = today
	if was.from.IsZero() || today.set && !was.set {
		return // the clock was set: what was spoken since the start counts for today
	}
	for h, a := range l.accounts {
		if clear(a.spoken); a.calls == 0 {
			delete(l.accounts, h)
		}
		clear(a.told)
	}
	for _, t := range l.calls {
		if !t.since.IsZero() && t.since.Before(today.from) {
			t.since = now.Add(today.from.Sub(now.Round(0))) // keeps the monotonic clock
		}
	}
	l.look()
}
