package pbx

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestTonePeriod(t *testing.T) {
	for _, c := range []struct {
		name string
		tone Tone
		want int
	}{
		{"not known", Tone{}, 0},
		{"continuous", continuous(425), 0},
		{"interrupted", interrupted(425, 480, 480), 960},
		{"two bursts", interruptedSum([]int{400, 450}, 400, 200, 400, 2000), 3000},
		{"odd cadence", interrupted(425, 200, 600, 200), 1000},
		{"rising", rising(950, 1400, 1800, 330, 15, 1000), 2020},
		{"repeated", interrupted(440, 100, 100).times(10).thenContinuous(), 200},
	} {
		if got := c.tone.Period(); got != c.want {
			t.Errorf("%s: got %d ms, want %d ms", c.name, got, c.want)
		}
		if got, want := c.tone.Known(), c.name != "not known"; got != want {
			t.Errorf("%s: known %t", c.name, got)
		}
	}
}

// notation writes a tone as the ITU list does: frequencies, + for together,
// / for after one another, then on and off times in seconds.
func notation(tone Tone) string {
	var freqs, times []string
	for _, b := range tone.Bursts {
		f := strings.ReplaceAll(strings.Trim(fmt.Sprint(b.Frequencies), "[]"), " ", "+")
		if len(freqs) == 0 || freqs[len(freqs)-1] != f {
			freqs = append(freqs, f)
		}
		if b.On != 0 {
			times = append(times, fmt.Sprintf("%g on", float64(b.On)/1000))
		}
		if b.Off != 0 {
			times = append(times, fmt.Sprintf("%g off", float64(b.Off)/1000))
		}
	}
	if len(times) == 0 && len(freqs) > 0 {
		times = []string{"continuous"}
	}
	return strings.TrimSpace(strings.Join(freqs, "/") + " " + strings.Join(times, " "))
}

// TestTonesAreThoseOfTheITUList holds the entries of the list "Various tones
// used in national networks" (ITU Operational Bulletin 781) as printed there,
// save the ones marked.
func TestTonesAreThoseOfTheITUList(t *testing.T) {
	for code, want := range map[string]map[string]string{
		"DE": {
			"Dial":               "425 continuous",
			"StutterDial":        "425+400 continuous",
			"Ringback":           "425 1 on 4 off",
			"Busy":               "425 0.48 on 0.48 off",
			"Congestion":         "425 0.24 on 0.24 off",
			"CallWaiting":        "425 0.2 on 0.2 off 0.2 on 5 off",
			"SpecialInformation": "950/1400/1800 0.33 on 0.33 on 0.33 on 1 off",
		},
		"GB": {
			"Dial":        "350+440 continuous",
			"StutterDial": "350+440/440 0.75 on 0.75 on", // SIN 350
			"Ringback":    "400+450 0.4 on 0.2 off 0.4 on 2 off",
			"Busy":        "400 0.375 on 0.375 off",
			"Congestion":  "400 0.4 on 0.35 off 0.225 on 0.525 off",
		},
		"US": {
			"Dial":        "350+440 continuous",
			"Ringback":    "440+480 2 on 4 off",
			"Busy":        "480+620 0.5 on 0.5 off",
			"Congestion":  "480+620 0.3 on 0.2 off",
			"CallWaiting": "440 0.3 on 10 off",
		},
		"FR": {
			"Dial":               "440 continuous",
			"Ringback":           "440 1.5 on 3.5 off",
			"Busy":               "440 0.5 on 0.5 off",
			"Congestion":         "", // not in the list
			"CallWaiting":        "440 0.3 on 10 off",
			"SpecialInformation": "950/1400/1800 0.33 on 0.33 on 0.33 on",
		},
		"NL": {
			"Dial":        "425 continuous",
			"StutterDial": "425 0.5 on 0.05 off",
			"Ringback":    "425 1 on 4 off",
			"Busy":        "425 0.5 on 0.5 off",
			"Congestion":  "425 0.25 on 0.25 off",
			"CallWaiting": "425 0.5 on 9.5 off",
		},
	} {
		tones := reflect.ValueOf(country(t, code).Tones)
		for name, w := range want {
			if got := notation(tones.FieldByName(name).Interface().(Tone)); got != w {
				t.Errorf("%s %s: got %q, want %q", code, name, got, w)
			}
		}
	}
}
