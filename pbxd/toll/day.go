package toll

import (
	"time"

	"galilei/pbxd/pbx"
)

// firstYear is the year before which the clock cannot have been set.
const firstYear = 2025

// day is a day of the device's time zone. The zero value is that of a clock that
// is not set.
type day struct {
	from, to time.Time // midnights; the second is the first of the next day
}

// dayOf is the day of a time.
func dayOf(now time.Time, cfg *pbx.Config) day {
	if now.Year() < firstYear {
		return day{}
	}
	zone, err := time.LoadLocation(cfg.Locale.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	y, m, d := now.In(zone).Date()
	return day{time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)}
}

// turn begins another day when it has come: nothing is used up of it, save by the
// calls that go on. The caller holds l.mu.
func (l *Ledger) turn(cfg *pbx.Config) {
	now := l.deps.Now()
	if l.day.from.Before(now) && now.Before(l.day.to) || l.day.from.Equal(now) && !now.IsZero() {
		return
	}
	today := dayOf(now, cfg)
	was := l.day
	if today.from.IsZero() || today.from.Equal(was.from) {
		return // a clock that is set back to nothing begins no day
	}
	l.day = today
	if was.from.IsZero() {
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
