package sipedge

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
)

func FuzzParseRAck(f *testing.F) {
	for _, s := range []string{"776656 1 INVITE", "0 1 INVITE", "4294967295 2147483647 UPDATE", "", "1 1", "-1 1 INVITE"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := parseRAck(s); err == nil && (r.rseq == 0 || r.method == "") {
			t.Errorf("%q was read as %+v", s, r)
		}
	})
}

func FuzzParseSessionExpires(f *testing.F) {
	for _, s := range []string{"1800;refresher=uac", "90", "99999999999", "-1;refresher=uas", ";;", "1 ; Refresher = UAS"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		x, err := parseSessionExpires(s)
		if err == nil && (x.interval < 0 || x.refresher != "" && x.refresher != "uac" && x.refresher != "uas") {
			t.Errorf("%q was read as %+v", s, x)
		}
	})
}

func FuzzParseReplaces(f *testing.F) {
	for _, s := range []string{"425928@bobster.example.org;to-tag=7743;from-tag=6472", "a;to-tag=1;from-tag=2;early-only", "a;to-tag=1;to-tag=2;from-tag=3", ";to-tag=;from-tag="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := parseReplaces(s); err == nil && (r.callID == "" || r.toTag == "" || r.fromTag == "") {
			t.Errorf("%q was read as %+v", s, r)
		}
	})
}

func FuzzParseReferTo(f *testing.F) {
	for _, s := range []string{
		"<sip:103@pbx>", "sip:103@pbx;method=INVITE", `"Carl" <sip:103@pbx?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>`,
		"<tel:103>", "<sip:103@pbx;method=BYE>", "<sip:103@pbx?Replaces=%zz>", "<sip:%2A21%23@pbx>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var u sip.Uri
		if _, err := sip.ParseAddressValue(s, &u, nil); err != nil {
			return
		}
		if to, err := parseReferTo(&u); err == nil && (to.target == "" || len(to.target) > 64) {
			t.Errorf("%q was read as %+v", s, to)
		}
	})
}

func FuzzParseEvent(f *testing.F) {
	for _, s := range []string{"dialog", "refer;id=93809824", "message-summary", ";", "DIALOG ; ID = 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if ev, err := parseEvent(s); err == nil && ev.name == "" {
			t.Errorf("%q was read as %+v", s, ev)
		}
	})
}

func FuzzParseDTMF(f *testing.F) {
	for _, s := range []string{"Signal=5\r\nDuration=160\r\n", "5", "*", "11", "Signal= #", "Signal=\r\nDuration=99999999999"} {
		f.Add("application/dtmf-relay", s)
		f.Add("application/dtmf", s)
	}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		d, length, err := parseDTMF(contentType, body)
		if err == nil && (!strings.ContainsRune("0123456789*#ABCD!", d) || length < 0 || length > maxDigit) {
			t.Errorf("%q was read as %c for %v", body, d, length)
		}
	})
}

func FuzzParseHistory(f *testing.F) {
	f.Add(`<sip:102@pbx?Reason=SIP%3Bcause%3D486>;index=1, "B, C" <sip:103@pbx>;index=1.1`)
	f.Add(`"A" <sip:101@pbx>;reason=user-busy;counter=1,<tel:+49301234>;reason="no-answer"`)
	f.Fuzz(func(t *testing.T, s string) {
		values := splitList(s)
		for _, list := range [][]call.Diversion{parseHistory(values), parseDiversions(values)} {
			if len(list) > maxDiversions {
				t.Errorf("%q was read as %d diversions", s, len(list))
			}
		}
	})
}

func TestParseDTMF(t *testing.T) {
	tests := []struct {
		kind, body string
		want       rune
		length     time.Duration
	}{
		{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", '5', 160 * time.Millisecond},
		{"Application/DTMF-Relay; x=y", "Signal= *\nDuration= 250", '*', 250 * time.Millisecond},
		{"application/dtmf-relay", "Signal=11\r\n", '#', 0},
		{"application/dtmf-relay", "Signal=12\r\n", 'A', 0},
		{"application/dtmf-relay", "Signal=15\r\n", 'D', 0},
		{"application/dtmf", "d", 'D', 0},
		{"application/dtmf", "16", '!', 0},
	}
	for _, tt := range tests {
		d, length, err := parseDTMF(tt.kind, tt.body)
		if err != nil || d != tt.want || length != tt.length {
			t.Errorf("%s %q: got %c for %v, error %v; want %c for %v", tt.kind, tt.body, d, length, err, tt.want, tt.length)
		}
	}
}

func TestDiversionsAreRead(t *testing.T) {
	want := []call.Diversion{{Number: "103", Reason: pbx.DivertNoAnswer}, {Number: "102", Name: "B, C", Reason: pbx.DivertBusy}}
	got := parseHistory(splitList(`"B, C" <sip:102@pbx?Reason=SIP%3Bcause%3D486>;index=1,<sip:103@pbx?Reason=SIP%3Bcause%3D408>;index=1.1,<sip:104@pbx>;index=1.1.1`))
	if !slices.Equal(got, want) {
		t.Errorf("History-Info is read as %+v, want %+v", got, want)
	}
	got = parseDiversions(splitList(`<sip:103@pbx>;reason=no-answer, "B, C" <sip:102@pbx>;reason=user-busy;counter=1`))
	if !slices.Equal(got, want) {
		t.Errorf("Diversion is read as %+v, want %+v", got, want)
	}
}
