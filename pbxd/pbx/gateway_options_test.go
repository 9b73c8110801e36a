package pbx

import "testing"

func TestGatewayOptions(t *testing.T) {
	g := GatewaySettings{Parameters: []string{"expires=600", "inband_progress=yes", "history_info=no"}}
	o := g.Options()
	if o.Expires != 600 || !o.InbandRinging || o.HistoryInfo || !o.Diversion || o.CheckInterval != 30 || o.NoAnswer != 3500 {
		t.Errorf("%+v", o)
	}
	for text, want := range map[string]string{
		"expires=59":          "is 59; allowed are 60 to 86400",
		"expires=soon":        "is no whole number",
		"inband_progress=1":   "must be one of yes, no",
		"inband_progess=yes":  "is not known; known are expires, check_interval, keepalive, no_answer, proxy_route, user_phone, ppi, diversion, history_info, clip_no_screening, names, redirect, session_timers, 100rel, inband_progress",
		"Expires=600":         "is not known; known are expires, check_interval, keepalive, no_answer, proxy_route, user_phone, ppi, diversion, history_info, clip_no_screening, names, redirect, session_timers, 100rel, inband_progress",
		"diversion=yes":       "is in the list twice",
		"check_interval=3600": "",
	} {
		_, errs := parseOptions("p", []string{"diversion=no", text})
		got := ""
		if len(errs) > 0 {
			got = errs[0].Rule.String()
			if errs[0].Path != "p[1]" {
				t.Errorf("%s: field %s", text, errs[0].Path)
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
