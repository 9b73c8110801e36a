package web

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func TestLogOutPhone(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	admin := loggedIn(t, s)
	var left []string
	s.LogOutPhone = func(_ context.Context, extension string) error { left = append(left, extension); return nil }
	m.edit(t, func(cfg *pbx.Config) {
		u := cfg.UserByID("demo101")
		u.PIN, u.MustChangePIN = s.pins.Hash(pbx.Secret("314159")), false
	})
	anna := &client{t: t, s: s, addr: lanAddr}
	anna.login("demo101", "314159")
	anna.want(204, "POST", "/profile/log-out-phone", "", nil)
	anna.want(403, "POST", "/users/demo102/log-out-phone", "", nil)
	admin.want(204, "POST", "/users/demo102/log-out-phone", "", nil)
	admin.want(204, "POST", "/profile/log-out-phone", "", nil) // who has no phone
	admin.want(404, "POST", "/users/gone/log-out-phone", "", nil)
	if len(left) != 2 || left[0] != "101" || left[1] != "102" {
		t.Errorf("logged out: %v", left)
	}
	s.LogOutPhone = nil
	anna.want(503, "POST", "/profile/log-out-phone", "", nil)
}

// PINs that are entered at phones are slowed down like those of the page, and
// that of a new device is good for none.
func TestVerifyPIN(t *testing.T) {
	m := newMemory()
	now := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	s := newServer(t, m, func() time.Time { return now })
	u := pbx.User{UserSettings: pbx.UserSettings{Name: "demo101"}, PIN: s.pins.Hash(pbx.Secret("314159"))}
	at, other := netip.MustParseAddr("192.168.0.17"), netip.MustParseAddr("192.168.0.18")
	verify := func(u *pbx.User, at netip.Addr, pin pbx.Secret) string {
		t.Helper()
		switch ok, err := s.VerifyPIN(u, at, pin); {
		case errors.Is(err, ErrTooManyLogins):
			return "wait"
		case err != nil:
			t.Fatal(err)
		case ok:
			return "right"
		}
		return "wrong"
	}
	if got := verify(&u, other, "314159"); got != "right" {
		t.Errorf("the PIN is %s", got)
	}
	for range freeFailures + 1 {
		if got := verify(&u, at, "271828"); got != "wrong" {
			t.Errorf("another PIN is %s", got)
		}
	}
	if got := verify(&u, at, "314159"); got != "wait" {
		t.Errorf("after many wrong ones the PIN is %s", got)
	}
	if got := verify(&u, other, "314159"); got != "right" {
		t.Errorf("at the phone of before the PIN is %s", got)
	}
	now = now.Add(maxWaitLocal)
	if got := verify(&u, at, "314159"); got != "right" {
		t.Errorf("later the PIN is %s", got)
	}
	factory := pbx.User{UserSettings: pbx.UserSettings{Name: "demo102"}, PIN: pbx.FactoryPIN}
	if got := verify(&factory, at, "0000"); got != "wrong" {
		t.Errorf("the PIN of a new device is %s", got)
	}
}

// What is set at phones counts like what is set in the page.
func TestSpendRevision(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	u := pbx.User{ID: "demo101"}
	for range revisionsAnHour {
		if _, err := s.SpendRevision(&u); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.SpendRevision(&u); err == nil {
		t.Error("there is no end of them")
	}
	u = pbx.User{ID: "demo102"}
	for range revisionsAnHour + 1 {
		giveBack, err := s.SpendRevision(&u)
		if err != nil {
			t.Fatal(err)
		}
		giveBack()
	}
	if _, err := s.SpendRevision(&pbx.User{ID: pbx.AdminID, Admin: true}); err != nil {
		t.Error(err)
	}
}
