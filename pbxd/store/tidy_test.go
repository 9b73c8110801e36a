package store

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

func TestAuditQuery(t *testing.T) {
	c := &clock{time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	s := openAt(t, t.TempDir(), c)
	ctx := t.Context()
	for i := range 60 {
		c.at = c.at.Add(time.Minute)
		e := pbx.AuditEntry{Actor: []string{"admin", "anna", "ben"}[i%3], Action: []string{"login", "logout"}[i/3%2]}
		if i%10 == 0 {
			e.As = "carl"
		}
		if err := s.Audit(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.AuditLog(ctx, pbx.AuditQuery{})
	if err != nil || len(all) != 60 || all[59].As != "carl" || all[58].As != "" {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	at := func(i int) time.Time { return all[60-i].Time } // of entry i
	for _, q := range []pbx.AuditQuery{
		{Actor: "anna"}, {Actor: "carl"}, {Actor: "nobody"}, {Actor: "Anna"}, {Action: "login"}, {Action: "log"}, {Actor: "ben", Action: "logout"},
		{Since: at(30)}, {Until: at(30)}, {Since: at(10), Until: at(20)}, {Since: at(20), Until: at(10)},
		{Before: 31, Limit: 5, Actor: "admin"}, {Before: 1}, {Limit: 7}, {Limit: -1}, {Actor: "carl", Action: "login", Since: at(2), Before: 50},
	} {
		var want []pbx.AuditEntry
		for _, e := range all {
			if (q.Actor == "" || e.Actor == q.Actor || e.As == q.Actor) && (q.Action == "" || e.Action == q.Action) && (q.Before == 0 || e.ID < q.Before) &&
				(q.Since.IsZero() || !e.Time.Before(q.Since)) && (q.Until.IsZero() || e.Time.Before(q.Until)) && (q.Limit <= 0 || len(want) < q.Limit) {
				want = append(want, e)
			}
		}
		if got, err := s.AuditLog(ctx, q); err != nil || len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: %d entries, %v; want %d", q, len(got), err, len(want))
		}
	}
}

// actions returns what the audit log holds, oldest first.
func actions(t *testing.T, s *Store) string {
	t.Helper()
	log, err := s.AuditLog(t.Context(), pbx.AuditQuery{})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for i := range log {
		list = append(list, log[len(log)-1-i].Action)
	}
	return strings.Join(list, " ")
}

func TestAuditRetention(t *testing.T) {
	start := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	c := &clock{start}
	dir := t.TempDir()
	s := openAt(t, dir, c)
	day := func(n int) time.Time { return start.AddDate(0, 0, n) }
	for _, e := range []pbx.AuditEntry{
		{Action: "unset1", Time: time.Unix(100, 0)}, // the clock began in 1970
		{Action: "day0", Time: day(0)},
		{Action: "unset2", Time: time.Unix(100, 0)},
		{Action: "day10", Time: day(10)},
		{Action: "day300", Time: day(300)},
		{Action: "unset3", Time: time.Unix(100, 0)},
	} {
		if err := s.Audit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	reopen := func(at time.Time) {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		c.at = at
		s = openAt(t, dir, c)
	}
	for n := 0; n < 365; n += 30 { // no clock leaps further unless it is wrong
		reopen(day(n))
	}
	reopen(day(365))
	if got := actions(t, s); got != "unset1 day0 unset2 day10 day300 unset3" {
		t.Errorf("on day 365: %s", got)
	}
	reopen(time.Unix(1000, 0)) // must not delete anything, nor take 2030 for the future
	reopen(day(366))
	if got := actions(t, s); got != "unset2 day10 day300 unset3" {
		t.Errorf("on day 366: %s", got)
	}
	if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), func(c *pbx.Config) error { c.Retention.AuditDays = 100; return nil }); err != nil {
		t.Fatal(err)
	}
	if got := actions(t, s); got != "day300 unset3" {
		t.Errorf("with 100 days: %s", got)
	}
}

func TestRunTidiesOnceADay(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *Store, _ string) {
		go s.Run(t.Context())
		if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), func(c *pbx.Config) error { c.Retention.AuditDays = 7; return nil }); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if err := s.Audit(t.Context(), pbx.AuditEntry{Action: fmt.Sprint("day", i)}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(24*time.Hour - time.Minute)
		}
		time.Sleep(6 * 24 * time.Hour)
		synctest.Wait()
		if got := actions(t, s); got != "day2" {
			t.Errorf("kept %s", got)
		}
	})
}

// Private contacts of a deleted user wait 30 days for the restore of a
// revision.
func TestContactsOfDeletedUsers(t *testing.T) {
	c := &clock{time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	s := openAt(t, dir, c)
	commit := func(change func(*pbx.Config) error) {
		t.Helper()
		if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), change); err != nil {
			t.Fatal(err)
		}
	}
	remove := func(c *pbx.Config) error { c.Users = c.Users[:4]; return nil }
	held := func(owner string) int {
		t.Helper()
		p, err := s.Contacts(t.Context(), pbx.ContactQuery{Owner: owner})
		if err != nil {
			t.Fatal(err)
		}
		return p.Total
	}
	commit(addUser(1))
	addContacts(t, s, "u1", manyContacts(3))
	addContacts(t, s, "", manyContacts(2))
	addContacts(t, s, "demo101", manyContacts(1))
	commit(remove)
	pass := func(d time.Duration) {
		t.Helper()
		for ; d > maxLeap; d -= maxLeap { // no clock leaps further unless it is wrong
			c.at = c.at.Add(maxLeap)
			s.tidy(t.Context())
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		c.at = c.at.Add(d)
		s = openAt(t, dir, c)
	}
	pass(orphanLifetime - time.Hour)
	if held("u1") != 3 {
		t.Fatal("deleted before their time")
	}
	if _, err := s.Restore(t.Context(), "a", 2); err != nil {
		t.Fatal(err)
	}
	pass(2 * orphanLifetime)
	if held("u1") != 3 {
		t.Fatal("deleted although the user is back")
	}
	commit(remove)
	pass(orphanLifetime)
	if held("u1") != 0 || held("") != 2 || held("demo101") != 1 {
		t.Errorf("%d of the deleted user, %d global, %d of another user", held("u1"), held(""), held("demo101"))
	}
	// A clock that is not set says nothing about age.
	commit(addUser(2))
	addContacts(t, s, "u2", manyContacts(1))
	now := c.at
	c.at = time.Unix(1000, 0)
	commit(remove)
	c.at = now
	pass(time.Hour)
	if held("u2") != 1 {
		t.Error("deleted since the clock was set meanwhile")
	}
}

func TestTidyFailsQuietly(t *testing.T) {
	s := openIn(t, t.TempDir())
	if _, err := s.db.writer.ExecContext(t.Context(), "PRAGMA query_only = 1"); err != nil {
		t.Fatal(err)
	}
	s.tidy(t.Context())
	if err := s.Check(t.Context()); !errors.Is(err, ErrReadOnly) {
		t.Errorf("check: %v", err)
	}
	if _, err := s.db.writer.ExecContext(t.Context(), "PRAGMA query_only = 0"); err != nil {
		t.Fatal(err)
	}
}
