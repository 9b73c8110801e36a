package store

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

// shifted is a clock that runs beside that of the bubble.
type shifted struct{ by atomic.Int64 } // ns

func (c *shifted) now() time.Time { return time.Now().Round(0).Add(time.Duration(c.by.Load())) }

// One wrong date deletes neither the audit log nor the contacts of users that
// were deleted lately.
func TestWrongDateDeletesNothing(t *testing.T) {
	const years = 10 * 365 * 24 * time.Hour
	synctest.Test(t, func(t *testing.T) {
		c := &shifted{}
		c.by.Store(int64(time.Until(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC))))
		s, err := Open(t.Context(), t.TempDir(), Options{Model: model(), Now: c.now})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		go s.Run(t.Context())
		if err := s.Audit(t.Context(), pbx.AuditEntry{Action: "login"}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), addUser(1)); err != nil {
			t.Fatal(err)
		}
		addContacts(t, s, "u1", manyContacts(3))
		if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), func(c *pbx.Config) error { c.Users = c.Users[:4]; return nil }); err != nil {
			t.Fatal(err)
		}
		held := func() string {
			p, err := s.Contacts(t.Context(), pbx.ContactQuery{Owner: "u1"})
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(p.Total, " contacts, ", len(s.audits(t)), " entries")
		}
		s.tidy(t.Context())
		all := held()
		check := func(when string, want bool) {
			t.Helper()
			synctest.Wait()
			if got := held(); (got == all) != want {
				t.Errorf("%s: %s of %s", when, got, all)
			}
		}
		c.by.Add(int64(years))
		time.Sleep(25 * time.Hour)
		check("a day after the leap", true)
		c.by.Add(-int64(years))
		time.Sleep(25 * time.Hour)
		check("with the clock right again", true)
		c.by.Add(int64(years))
		time.Sleep(25 * time.Hour)
		check("a day after the second leap", true)
		c.by.Add(int64(years))
		time.Sleep(24 * time.Hour)
		check("a day after a leap from the leap", true)
		time.Sleep(24 * time.Hour)
		check("two days after the last leap", false)
	})
}

// audits returns the audit log.
func (s *Store) audits(t *testing.T) []pbx.AuditEntry {
	t.Helper()
	list, err := s.AuditLog(t.Context(), pbx.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Registrations from before the clock was set, or from a clock that was wrong,
// are neither lost nor kept for years.
func TestRegistrationsAcrossClockSet(t *testing.T) {
	c := &clock{time.Unix(500, 0)}
	dir := t.TempDir()
	s := openAt(t, dir, c)
	save := func(ext string) {
		t.Helper()
		r := []pbx.Registration{{Contact: "sip:" + ext + "@1", Since: c.at, Expires: c.at.Add(time.Hour)}}
		if err := s.SaveRegistrations(t.Context(), map[string][]pbx.Registration{ext: r}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...string) {
		t.Helper()
		list, err := s.Registrations(t.Context())
		if err != nil || len(list) != len(want) {
			t.Fatalf("%+v, %v; want %q", list, err, want)
		}
		for i, r := range list {
			if left := r.Expires.Sub(c.at); r.Extension != want[i] || left <= 0 || left > time.Hour {
				t.Errorf("%s for %v, want %s for at most an hour", r.Extension, left, want[i])
			}
		}
	}
	save("101")
	c.at = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	save("102") // once deleted that of 101
	check("101", "102")
	c.at = c.at.Add(2 * time.Hour)
	save("103")
	check("101", "103")
	c.at = time.Unix(500, 0) // a restart without a battery
	check("101", "103")
}

func TestDamagedRegistration(t *testing.T) {
	s := openIn(t, t.TempDir())
	list := func(ext string) []pbx.Registration {
		return []pbx.Registration{{Contact: "sip:" + ext + "@1", Expires: time.Now().Add(time.Hour)}}
	}
	if err := s.SaveRegistrations(t.Context(), map[string][]pbx.Registration{"101": list("101"), "102": list("102")}); err != nil {
		t.Fatal(err)
	}
	s = damage(t, s, "UPDATE registration SET binding = '{\"contact\":' WHERE extension = '101'")
	got, err := s.Registrations(t.Context())
	if err != nil || len(got) != 1 || got[0].Extension != "102" {
		t.Errorf("%+v, %v", got, err)
	}
}

// A change on trial whose record is damaged goes back all the same.
func TestDamagedPendingChange(t *testing.T) {
	s := openIn(t, t.TempDir())
	if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), setHostname("office")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CommitTentative(t.Context(), "a", pbx.Typed("trial"), "network", time.Minute, setHostname("trial")); err != nil {
		t.Fatal(err)
	}
	s = damage(t, s, "UPDATE pending SET altered = '{', message = '{'")
	if c, n := s.Current(); s.Pending() != nil || n != 4 || c.Network.Hostname != "office" {
		t.Errorf("pending %v, hostname %q in revision %d", s.Pending(), c.Network.Hostname, n)
	}
}
