package pbx

import (
	"testing"
	"time"
)

func TestMidnight(t *testing.T) {
	for zone, days := range map[string]map[int]string{
		"America/Santiago": {20260905: "2026-09-05 00:00 -0400", 20260906: "2026-09-06 01:00 -0300", 20260907: "2026-09-07 00:00 -0300", 20260405: "2026-04-05 00:00 -0400"},
		"America/Havana":   {20260308: "2026-03-08 01:00 -0400", 20261101: "2026-11-01 00:00 -0400"},
		"Asia/Gaza":        {20201024: "2020-10-24 00:00 +0300"},
		"Europe/Berlin":    {20260329: "2026-03-29 00:00 +0100", 20260330: "2026-03-30 00:00 +0200"},
	} {
		at, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for day, want := range days {
			if got := Midnight(day/10000, time.Month(day/100%100), day%100, at).Format("2006-01-02 15:04 -0700"); got != want {
				t.Errorf("%s, %d: %s, want %s", zone, day, got, want)
			}
		}
	}
}
