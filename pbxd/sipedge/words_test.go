package sipedge

import "testing"

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
