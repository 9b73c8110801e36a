package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func TestCommit(t *testing.T) {
	s := openIn(t, t.TempDir())
	before, _ := s.Current()
	frozen := before.Clone()
	n, err := s.Commit(t.Context(), "anna", pbx.Typed("longer ringing"), setRingTime(99))
	if err != nil || n != 2 {
		t.Fatalf("revision %d, %v", n, err)
	}
	now, m := s.Current()
	if m != 2 || now.SIP.RingTime != 99 {
		t.Errorf("current is %d with %d s", m, now.SIP.RingTime)
	}
	if !reflect.DeepEqual(before, frozen) {
		t.Error("the commit modified the published configuration")
	}
	revs, err := s.Revisions(t.Context(), 0, 0)
	want := []pbx.Change{{Path: "sip.ringTime", Old: "120", New: "99"}}
	if err != nil || len(revs) != 2 || revs[0].Author != "anna" || revs[0].Comment != "longer ringing" || !reflect.DeepEqual(revs[0].Changes, want) {
		t.Errorf("%+v, %v", revs[0], err)
	}
}

func TestCommitThatChangesNothing(t *testing.T) {
	s := openIn(t, t.TempDir())
	defer s.Watch(func(_, _ *pbx.Config, r pbx.Revision) { t.Errorf("watcher told of revision %d", r.Number) })()
	if n, err := s.Commit(t.Context(), "a", pbx.Typed(""), func(c *pbx.Config) error { c.SIP.RingTime *= 1; return nil }); err != nil || n != 1 {
		t.Errorf("revision %d, %v", n, err)
	}
	if revs, err := s.Revisions(t.Context(), 0, 0); err != nil || len(revs) != 1 {
		t.Errorf("%d revisions, %v", len(revs), err)
	}
}

func TestCommitRefused(t *testing.T) {
	s := openIn(t, t.TempDir())
	defer s.Watch(func(_, _ *pbx.Config, r pbx.Revision) { t.Errorf("watcher told of revision %d", r.Number) })()
	before, _ := s.Current()
	var ve *pbx.ValidationError
	if n, err := s.Commit(t.Context(), "a", pbx.Typed(""), setRingTime(4)); !errors.As(err, &ve) || n != 1 || ve.Fields[0].Path != "sip.ringTime" {
		t.Errorf("revision %d, %v", n, err)
	}
	own := errors.New("no such user")
	if n, err := s.Commit(t.Context(), "a", pbx.Typed(""), func(c *pbx.Config) error { c.SIP.RingTime = 50; return own }); err != own || n != 1 {
		t.Errorf("revision %d, %v", n, err)
	}
	func() { // a change that panics must not leave the store locked
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		s.Commit(t.Context(), "a", pbx.Typed(""), func(*pbx.Config) error { panic("bug") })
	}()
	if c, n := s.Current(); n != 1 || c != before {
		t.Errorf("current is revision %d", n)
	}
}

func TestCallerCannotReachThePublished(t *testing.T) {
	s := openIn(t, t.TempDir())
	var kept *pbx.Config
	if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), func(c *pbx.Config) error { kept = c; return addUser(1)(c) }); err != nil {
		t.Fatal(err)
	}
	kept.Users[0].Name = "mallory"
	if c, _ := s.Current(); c.UserByName("mallory") != nil {
		t.Error("a change after the commit shows")
	}
}

func TestWatch(t *testing.T) {
	s := openIn(t, t.TempDir())
	var seen []string
	stop := s.Watch(func(old, new *pbx.Config, r pbx.Revision) {
		if c, m := s.Current(); c != new || m != r.Number {
			t.Errorf("told of %d while %d is current", r.Number, m)
		}
		seen = append(seen, fmt.Sprintf("%s %d: %d to %d", r.Author, r.Number, old.SIP.RingTime, new.SIP.RingTime))
	})
	for _, v := range []int{30, 40} {
		if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), setRingTime(v)); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	stop() // twice does no harm
	if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), setRingTime(50)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a 2: 120 to 30", "a 3: 30 to 40"}; !reflect.DeepEqual(seen, want) {
		t.Errorf("%q, want %q", seen, want)
	}
}

func TestWatcherThatCommitsMeetsItsDeadline(t *testing.T) {
	s := openIn(t, t.TempDir())
	var inner error
	defer s.Watch(func(_, _ *pbx.Config, _ pbx.Revision) {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_, inner = s.Commit(ctx, "watcher", pbx.Typed(""), setRingTime(77))
	})()
	if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), setRingTime(30)); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(inner, context.DeadlineExceeded) {
		t.Errorf("commit inside a watcher: %v", inner)
	}
}

func TestRestore(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx := t.Context()
	commit := func(change func(*pbx.Config) error) {
		t.Helper()
		if _, err := s.Commit(ctx, "admin", pbx.Typed(""), change); err != nil {
			t.Fatal(err)
		}
	}
	first, _ := s.Current()
	commit(func(c *pbx.Config) error { // 2: a new PIN, a new SIP password, demo103 goes, another comes
		admin, demo := c.UserByName("admin"), c.UserByName("demo101")
		admin.PIN, admin.MustChangePIN = "argon2id:new", false
		demo.SIPPassword, demo.FirstName, demo.Extension = "x1:new", "Berta", "109"
		demo.Calls = pbx.UserCalls{DoNotDisturb: true, InternalBusy: true, InternalBusyNumber: "102", InternalAlways: true, InternalAlwaysNumber: "101"}
		c.Users = c.Users[:len(c.Users)-1]
		return addUser(7)(c)
	})
	n, err := s.Restore(ctx, "admin", 1)
	if err != nil || n != 3 {
		t.Fatalf("revision %d, %v", n, err)
	}
	c, _ := s.Current()
	admin, demo, back := c.UserByName("admin"), c.UserByName("demo101"), c.UserByName("demo103")
	if admin.PIN != "argon2id:new" || admin.MustChangePIN {
		t.Errorf("the administrator's PIN went back: %q, must change %v", admin.PIN, admin.MustChangePIN)
	}
	if demo.SIPPassword != "x1:new" || demo.FirstName != "Anna" {
		t.Errorf("demo101: %+v", demo)
	}
	if d := demo.Calls; !d.DoNotDisturb || !d.InternalBusy || d.InternalAlways || demo.Extension != "101" {
		t.Errorf("what demo101 has set since is %+v", d)
	}
	if back == nil || back.SIPPassword != first.UserByName("demo103").SIPPassword || back.PIN != pbx.FactoryPIN {
		t.Errorf("demo103: %+v", back)
	}
	if c.UserByName("user7") != nil {
		t.Error("user7 is still there")
	}
	revs, err := s.Revisions(ctx, 0, 1)
	if err != nil || !strings.Contains(revs[0].Comment, "revision 1;") || revs[0].Author != "admin" {
		t.Errorf("%+v, %v", revs, err)
	}
	if n, err := s.Restore(ctx, "admin", 3); err != nil || n != 3 {
		t.Errorf("restore of the current revision: %d, %v", n, err)
	}
	if n, err := s.Restore(ctx, "admin", 99); !errors.Is(err, fs.ErrNotExist) || n != 3 {
		t.Errorf("restore of revision 99: %d, %v", n, err)
	}
}

// Going back keeps the password of a gateway whose account is the same: the one of
// then may be refused by now.
func TestRestoreKeepsPasswordsOfGateways(t *testing.T) {
	s := openIn(t, t.TempDir())
	commit := func(change func(g []pbx.Gateway)) {
		t.Helper()
		if _, err := s.Commit(t.Context(), "admin", pbx.Typed(""), func(c *pbx.Config) error {
			if len(c.Gateways) == 0 {
				c.Gateways = make([]pbx.Gateway, 3)
				for i := range c.Gateways {
					g := &c.Gateways[i]
					pbx.SetDefaults(&g.GatewaySettings)
					g.ID, g.Name, g.Registrar, g.User, g.Password = fmt.Sprint("g", i), fmt.Sprint("Line ", i), "192.0.2.1", "user", "x1:then"
				}
			}
			change(c.Gateways)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	commit(func(g []pbx.Gateway) { g[0].Name = "Telco" })
	commit(func(g []pbx.Gateway) {
		g[0].Name = "Another name"
		for i := range g {
			g[i].Password = "x1:now"
		}
		g[1].Registrar = "192.0.2.2"
		g[2].Password = ""
	})
	if _, err := s.Restore(t.Context(), "admin", 2); err != nil {
		t.Fatal(err)
	}
	c, _ := s.Current()
	for i, want := range []pbx.Sealed{"x1:now", "x1:then", "x1:then"} {
		if got := c.Gateways[i].Password; got != want {
			t.Errorf("gateway %d has the password %s, want %s", i, string(got), string(want))
		}
	}
	if c.Gateways[0].Name != "Telco" || c.Gateways[1].Registrar != "192.0.2.1" {
		t.Errorf("%+v", c.Gateways)
	}
}

func TestRevisionsPages(t *testing.T) {
	s := openIn(t, t.TempDir())
	for i := range 9 {
		if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), setRingTime(30+i)); err != nil {
			t.Fatal(err)
		}
	}
	numbers := func(before int64, limit int) (list []int64) {
		revs, err := s.Revisions(t.Context(), before, limit)
		if err != nil {
			t.Error(err)
		}
		for _, r := range revs {
			list = append(list, r.Number)
		}
		return list
	}
	for _, tt := range []struct {
		before int64
		limit  int
		want   []int64
	}{
		{0, 3, []int64{10, 9, 8}},
		{8, 3, []int64{7, 6, 5}},
		{3, 3, []int64{2, 1}},
		{1, 3, nil},
		{-5, 1, []int64{10}},
		{4, -1, []int64{3, 2, 1}},
		{4, 1 << 30, []int64{3, 2, 1}},
	} {
		if got := numbers(tt.before, tt.limit); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("before %d, %d: %v, want %v", tt.before, tt.limit, got, tt.want)
		}
	}
}

func TestLongTextIsClipped(t *testing.T) {
	s := openIn(t, t.TempDir())
	if _, err := s.Commit(t.Context(), strings.Repeat("\u00e4", 1000), pbx.Typed("\xff"+strings.Repeat("x", 1000)), setRingTime(50)); err != nil {
		t.Fatal(err)
	}
	r, err := s.Revisions(t.Context(), 0, 1)
	if err != nil || r[0].Author != strings.Repeat("\u00e4", maxAuthor) || r[0].Comment != "\ufffd"+strings.Repeat("x", maxComment-1) {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRevisionsArePruned(t *testing.T) {
	s := openIn(t, t.TempDir())
	c, _ := s.Current()
	err := s.db.write(t.Context(), durable, func(tx writeTx) error {
		for n := int64(2); n < maxRevisions+5; n++ {
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO revision SELECT ?, time, author, comment, size, changes, config, message FROM revision WHERE number = 1", n); err != nil {
				return err
			}
		}
		return putRevision(t.Context(), tx, c, c, pbx.Revision{Number: maxRevisions + 5, Time: time.Now(), Author: "a"})
	})
	if err != nil {
		t.Fatal(err)
	}
	count := func() (rows int, oldest int64) {
		if err := s.db.readers.QueryRow("SELECT count(*), min(number) FROM revision").Scan(&rows, &oldest); err != nil {
			t.Fatal(err)
		}
		return rows, oldest
	}
	if rows, oldest := count(); rows != maxRevisions || oldest != 6 {
		t.Errorf("%d revisions from %d on, want %d from 6", rows, oldest, maxRevisions)
	}
	// Sizes are believed as they stand in the row: make them large.
	number := int64(maxRevisions/pruneBySizeEvery*pruneBySizeEvery + 2*pruneBySizeEvery)
	err = s.db.write(t.Context(), durable, func(tx writeTx) error {
		if _, err := tx.ExecContext(t.Context(), "UPDATE revision SET size = ?", maxHistorySize/100); err != nil {
			return err
		}
		return putRevision(t.Context(), tx, c, c, pbx.Revision{Number: number, Time: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	if rows, _ := count(); rows < 90 || rows > 100 {
		t.Errorf("%d revisions kept of a hundredth of the budget each", rows)
	}
	err = s.db.write(t.Context(), durable, func(tx writeTx) error {
		if _, err := tx.ExecContext(t.Context(), "UPDATE revision SET size = ?", maxHistorySize); err != nil {
			return err
		}
		return pruneRevisions(t.Context(), tx, number)
	})
	if err != nil {
		t.Fatal(err)
	}
	if rows, oldest := count(); rows < 1 || rows > minRevisions || oldest <= number-2*minRevisions-pruneBySizeEvery {
		t.Errorf("%d revisions from %d on are kept whatever their size", rows, oldest)
	}
}

// Users who change their own data all day push out no revisions of others.
func TestOwnChangesPushNothingOut(t *testing.T) {
	s := openIn(t, t.TempDir())
	c, _ := s.Current()
	newest := int64(1)
	err := s.db.write(t.Context(), durable, func(tx writeTx) error {
		put := func(message pbx.Message) error {
			newest++
			return putRevision(t.Context(), tx, c, c, pbx.Revision{Number: newest, Time: time.Now(), Author: "a", Comment: message.Text(), Message: message})
		}
		for range 5 {
			if err := put(pbx.Typed("Own words of an administrator")); err != nil {
				return err
			}
		}
		for range maxRevisions + 40 {
			if err := put(pbx.Say("Own data of {name} changed", "name", "eva")); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all, others int
	if err := s.db.readers.QueryRow("SELECT count(*), count(*) FILTER (WHERE number <= 6) FROM revision").Scan(&all, &others); err != nil {
		t.Fatal(err)
	}
	if others != 6 || all < 6+maxOwnRevisions || all > 6+maxOwnRevisions+pruneBySizeEvery {
		t.Errorf("%d revisions are kept, %d of them not of own data", all, others)
	}
	if last, err := s.db.newest(t.Context()); err != nil || last != newest {
		t.Errorf("newest revision %d, want %d; %v", last, newest, err)
	}
}

// Going back does not open or close the office: the profile that holds is chosen
// day by day, also at phones.
func TestRestoreKeepsNightService(t *testing.T) {
	s := openIn(t, t.TempDir())
	for _, profile := range []int{1, 2} {
		if _, err := s.Commit(t.Context(), "admin", pbx.Typed(""), func(c *pbx.Config) error {
			c.NightService = pbx.NightService{Profile: profile, Selectable: []string{fmt.Sprint(profile)}}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Restore(t.Context(), "admin", 2); err != nil {
		t.Fatal(err)
	}
	if cfg, _ := s.Current(); cfg.NightService.Profile != 2 || cfg.NightService.Selectable[0] != "1" {
		t.Errorf("after the restore: %+v", cfg.NightService)
	}
}
