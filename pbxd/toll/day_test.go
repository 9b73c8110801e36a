package toll

import (
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// Every moment is in its day, and days follow each other without a gap, also where the
// clock is changed at midnight: Chile and Cuba skip it in spring, in Gaza it came twice.
func TestMomentsAreInTheirDays(t *testing.T) {
	for name, days := range map[string][]string{
		"America/Santiago": {"2026-09-04", "2026-04-03"}, "America/Havana": {"2026-03-06", "2026-10-30"}, "Asia/Gaza": {"2020-10-22"},
		"Europe/Berlin": {"2026-03-27", "2026-10-23"}, "Australia/Lord_Howe": {"2026-04-03"},
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		cfg := &pbx.Config{Locale: pbx.Locale{TimeZone: name}}
		for _, begin := range days {
			at, err := time.ParseInLocation(time.DateOnly, begin, zone)
			if err != nil {
				t.Fatal(err)
			}
			was := dayOf(at, cfg)
			for range 5 * 24 * 60 / 5 {
				at = at.Add(5 * time.Minute)
				is := dayOf(at, cfg)
				if at.Before(is.from) || !at.Before(is.to) || !is.from.Equal(was.from) && !is.from.Equal(was.to) {
					t.Fatalf("%s: %v is of the day %v to %v, after %v to %v", name, at, is.from, is.to, was.from, was.to)
				}
				was = is
			}
		}
	}
}

// In another zone the day ends when it ends there, and what is used up stays so.
func TestZoneChanges(t *testing.T) {
	inBook(t, func(b *book) {
		b.End(func() uint64 { ticket := b.begin("demo101", pbx.TollForeign); time.Sleep(minutes(30)); return ticket }())
		b.mu.Lock()
		b.cfg = b.cfg.Clone()
		b.cfg.Locale.TimeZone = "America/New_York" // it is 6:30 there
		b.mu.Unlock()
		b.Configured()
		for _, want := range []time.Duration{minutes(30), 0} { // at 20:30, after midnight in Berlin, and at 10:30
			time.Sleep(14 * time.Hour)
			if s := b.UserToll("demo101"); s.Foreign != want {
				t.Errorf("%v are used up, want %v", s.Foreign, want)
			}
		}
	})
}
