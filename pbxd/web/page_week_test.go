package web

import (
	"encoding/json"
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
