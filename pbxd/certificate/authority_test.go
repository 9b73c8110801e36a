package certificate

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func TestCheckAuthorities(t *testing.T) {
	ca := issue(t, authority("Authority"), newKey(t), nil)
	leaf := issue(t, leafTemplate(), newKey(t), &ca)
	alone := issue(t, leafTemplate(), newKey(t), nil)
	both := append(ca.pem(), alone.pem()...)
	info, text, err := CheckAuthorities(append([]byte("a comment\n"), both...), now)
	if err != nil || !bytes.Equal(text, both) || info.Fingerprint == "" {
		t.Errorf("%+v %q %v", info, text, err)
	}
	for name, tt := range map[string]struct {
		text []byte
		want Problem
	}{
		"issued by another": {leaf.pem(), NoAuthority},
		"among others":      {append(ca.pem(), leaf.pem()...), NoAuthority},
		"no PEM":            {[]byte("x"), NotPEM},
		"a key":             {append(ca.pem(), ca.keyPEM(t)...), WrongBlock},
	} {
		_, _, err := CheckAuthorities(tt.text, now)
		var e *Error
		if !errors.As(err, &e) || e.Problem != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if _, _, err := CheckAuthorities(ca.pem(), now.AddDate(50, 0, 0)); err == nil {
		t.Error("an authority that is out of its time is taken")
	}
	if info, _, err := CheckAuthorities(ca.pem(), now.AddDate(-60, 0, 0)); err != nil || len(info.Warnings) != 1 {
		t.Errorf("with a clock that was never set: %+v %v", info, err)
	}
}

// Ending tells of what ends within 30 days or has ended, and is silent of all else.
func TestEnding(t *testing.T) {
	h := newHierarchy(t)
	leaf := join(h.leaf.pem(), h.middle.pem())
	for _, tt := range []struct {
		name string
		text []byte
		now  time.Time
		want string
	}{
		{"far away", leaf, now, ""},
		{"soon", leaf, h.leaf.cert.NotAfter.AddDate(0, 0, -10), templateExpiring},
		{"over", leaf, h.leaf.cert.NotAfter.Add(time.Hour), templateExpired},
		{"no clock", leaf, time.Unix(3600, 0), ""},
		{"no certificate", []byte("x"), now, ""},
	} {
		if got := Ending(tt.text, tt.now); got.Template != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got.Text(), tt.want)
		}
	}
}
