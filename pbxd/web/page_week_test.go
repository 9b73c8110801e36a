package web

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/browser"
)

// pageWeek compares the picture of a week with the rule by which windows hold, at
// each half hour of the week for windows at random.
func pageWeek(t *testing.T, v *visit) {
	v.opened(t, "/night-service")
	v.Heading("Night answer service")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	x := rand.New(rand.NewPCG(seed, 0))
	var windows []pbx.Window
	for range 60 {
		w := pbx.Window{Weekdays: []string{}}
		for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
			if x.IntN(2) == 0 {
				w.Weekdays = append(w.Weekdays, day)
			}
		}
		if x.IntN(4) > 0 {
			times := []string{"00:00", "06:00", "08:30", "12:00", "18:00", "22:30"}
			w.TimeFrom, w.TimeTo = times[x.IntN(len(times))], append(times, "24:00")[x.IntN(len(times)+1)]
		}
		windows = append(windows, w)
	}
	text, err := json.Marshal(windows)
	if err != nil {
		t.Fatal(err)
	}
	drawn := browser.Eval[[][][][]any](v.Page, "import('/js/week.js').then(({stretches}) => "+string(text)+".map(stretches))")
	monday := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	for i, w := range windows {
		for half := range 7 * 48 {
			day, minute := half/48, float64(half%48*30)
			shown := false
			for _, s := range drawn[i][day] {
				shown = shown || s[0].(float64) <= minute && minute < s[1].(float64)
			}
			if at := monday.AddDate(0, 0, day).Add(time.Duration(minute) * time.Minute); shown != w.Holds(at, nil) {
				t.Fatalf("%s at %s: shown %v, holds %v", w.String(), at.Format("Mon 15:04"), shown, !shown)
			}
		}
	}
	v.NoTroubles()
}

// pageDays asks when days begin, in zones where the clock is changed at midnight,
// too: lists are narrowed down by them.
func pageDays(t *testing.T, v *visit) {
	v.opened(t, "/call-records")
	v.Heading("Call records")
	for _, x := range [][3]string{
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00.000Z"}, {"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00.000Z"},
		{"America/Santiago", "2026-09-06", "2026-09-06T04:00:00.000Z"}, {"Atlantic/Azores", "2026-03-29", "2026-03-29T01:00:00.000Z"}, // it skips midnight
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00.000Z"}, {"Pacific/Auckland", "2026-04-05", "2026-04-04T11:00:00.000Z"},
	} {
		got := browser.Eval[string](v.Page, fmt.Sprintf("Promise.all([import('/js/text.js'), import('/js/time.js')]).then(([text, time]) => { text.useZone(%q); return time.dayStart(%q); })", x[0], x[1]))
		if got != x[2] {
			t.Errorf("%s begins in %s at %s, want %s", x[1], x[0], got, x[2])
		}
	}
	v.NoTroubles()
}
