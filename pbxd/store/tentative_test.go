package store

import (
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

// inVirtualTime runs test with a store whose clock and timers are virtual.
func inVirtualTime(t *testing.T, test func(t *testing.T, s *Store, dir string)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.Context(), dir, Options{Model: model(), Now: later})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		test(t, s, dir)
	})
}

// later is a virtual time that a clock can show: synctest begins in 2000.
func later() time.Time { return time.Now().AddDate(30, 0, 0) }

func setHostname(name string) func(*pbx.Config) error {
	return func(c *pbx.Config) error { c.Network.Hostname = name; return nil }
}

func setAddress(address, gateway string) func(*pbx.Config) error {
	return func(c *pbx.Config) error { c.Network.Address, c.Network.Gateway = address, gateway; return nil }
}

func tentative(t *testing.T, s *Store, section string, window time.Duration, change func(*pbx.Config) error) pbx.PendingChange {
	t.Helper()
	p, err := s.CommitTentative(t.Context(), "anna", pbx.Typed("Changed the "+section), section, window, change)
	if err != nil || p.ID == "" {
		t.Fatalf("%+v, %v", p, err)
	}
	return p
}

func TestTentativeRevertsByItself(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *Store, _ string) {
		var seen []string
		defer s.Watch(func(_, c *pbx.Config, r pbx.Revision) {
			seen = append(seen, fmt.Sprintf("%d %s pending=%v", r.Number, c.Network.Hostname, s.Pending() != nil))
		})()
		defer s.WatchPending(func(p *pbx.PendingChange) {
			_, n := s.Current()
			seen = append(seen, fmt.Sprintf("pending=%v at %d", p != nil, n))
		})()
		begun := later()
		p := tentative(t, s, "network", 2*time.Minute, setHostname("trial"))
		want := pbx.PendingChange{ID: p.ID, Section: "network", Revision: 2, Author: "anna", Comment: "Changed the network", Message: pbx.Typed("Changed the network"), Begun: begun, Deadline: begun.Add(2 * time.Minute)}
		if !reflect.DeepEqual(p, want) || !reflect.DeepEqual(*s.Pending(), want) {
			t.Errorf("%+v, want %+v", p, want)
		}
		if _, err := s.Commit(t.Context(), "ben", pbx.Typed(""), setRingTime(77)); err != nil { // another's change stays
			t.Fatal(err)
		}
		time.Sleep(2*time.Minute - time.Nanosecond)
		synctest.Wait()
		if c, _ := s.Current(); c.Network.Hostname != "trial" || s.Pending() == nil {
			t.Errorf("reverted before its time: %q", c.Network.Hostname)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		c, n := s.Current()
		if c.Network.Hostname != "galilei" || c.SIP.RingTime != 77 || n != 4 || s.Pending() != nil {
			t.Errorf("revision %d: %q, %d s", n, c.Network.Hostname, c.SIP.RingTime)
		}
		revs, err := s.Revisions(t.Context(), 0, 1)
		comment := pbx.Say("Not confirmed within {s} s: {change}; reverted", "s", 120, "change", pbx.Typed("Changed the network"))
		if err != nil || revs[0].Author != "system" || revs[0].Comment != "Not confirmed within 120 s: Changed the network; reverted" || !reflect.DeepEqual(revs[0].Message, comment) {
			t.Errorf("%+v, %v", revs, err)
		}
		wantSeen := []string{"2 trial pending=true", "pending=true at 2", "3 trial pending=true", "4 galilei pending=false", "pending=false at 4"}
		if !slices.Equal(seen, wantSeen) {
			t.Errorf("watchers saw\n %q, want\n %q", seen, wantSeen)
		}
		if err := s.Confirm(t.Context(), "anna", p.ID); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("confirmed after it was reverted: %v", err)
		}
		tentative(t, s, "network", time.Second, setHostname("next")) // there is room for another
	})
}

func TestTentativeConfirmed(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *Store, dir string) {
		p := tentative(t, s, "page", time.Minute, func(c *pbx.Config) error { c.Page.SessionIdle = 30; return nil })
		if err := s.Confirm(t.Context(), "anna", "another"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("confirmed by a wrong ID: %v", err)
		}
		if err := s.Confirm(t.Context(), "anna", p.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if c, n := s.Current(); c.Page.SessionIdle != 30 || n != 2 || s.Pending() != nil {
			t.Errorf("revision %d: %+v", n, c.Page)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openIn(t, dir)
		if c, n := s.Current(); c.Page.SessionIdle != 30 || n != 2 || s.Pending() != nil {
			t.Errorf("after a restart, revision %d: %+v", n, c.Page)
		}
	})
}

func TestTentativeRevertedByHand(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *Store, _ string) {
		p := tentative(t, s, "page", time.Minute, func(c *pbx.Config) error { c.Page.SessionIdle, c.Page.SessionLife = 30, 8; return nil })
		if _, err := s.Commit(t.Context(), "ben", pbx.Typed(""), func(c *pbx.Config) error { c.Page.SessionLife = 9; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := s.RevertPending(t.Context(), "anna", "another"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("reverted by a wrong ID: %v", err)
		}
		if err := s.RevertPending(t.Context(), "anna", p.ID); err != nil {
			t.Fatal(err)
		}
		c, n := s.Current()
		if c.Page.SessionIdle != 60 || c.Page.SessionLife != 9 || n != 4 {
			t.Errorf("revision %d: %+v; the parameter that another has set since must stay", n, c.Page)
		}
		if revs, err := s.Revisions(t.Context(), 0, 1); err != nil || revs[0].Author != "anna" {
			t.Errorf("%+v, %v", revs, err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if _, n := s.Current(); n != 4 {
			t.Errorf("revision %d: the timer still ran", n)
		}
	})
}

func TestTentativeWithNothingLeftToRevert(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *Store, dir string) {
		tentative(t, s, "network", time.Minute, setHostname("trial"))
		if _, err := s.Commit(t.Context(), "ben", pbx.Typed(""), setHostname("galilei")); err != nil {
			t.Fatal(err)
		}
		told := false
		defer s.WatchPending(func(p *pbx.PendingChange) { told = p == nil })()
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, n := s.Current(); n != 3 || s.Pending() != nil || !told {
			t.Errorf("revision %d, pending %v, told %v", n, s.Pending(), told)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s = openIn(t, dir); s.Pending() != nil {
			t.Error("it waits again after a restart")
		}
	})
}

func TestTentativeRefused(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx := t.Context()
	defer s.Watch(func(_, _ *pbx.Config, r pbx.Revision) { t.Errorf("watcher told of revision %d", r.Number) })()
	commit := func(section string, window time.Duration, change func(*pbx.Config) error) error {
		_, err := s.CommitTentative(ctx, "anna", pbx.Typed(""), section, window, change)
		return err
	}
	var ve *pbx.ValidationError
	own := errors.New("own")
	for name, tt := range map[string]struct {
		err error
		is  func(error) bool
	}{
		"section":       {commit("sip", time.Minute, setRingTime(77)), func(err error) bool { return strings.Contains(err.Error(), "sip") }},
		"short":         {commit("page", time.Second-1, setHostname("a")), func(err error) bool { return strings.Contains(err.Error(), "10m") }},
		"long":          {commit("page", 10*time.Minute+1, setHostname("a")), func(err error) bool { return strings.Contains(err.Error(), "10m") }},
		"other section": {commit("page", time.Minute, setHostname("a")), func(err error) bool { return strings.Contains(err.Error(), "network.hostname") }},
		"not valid":     {commit("network", time.Minute, setHostname("-")), func(err error) bool { return errors.As(err, &ve) }},
		"of change":     {commit("network", time.Minute, func(*pbx.Config) error { return own }), func(err error) bool { return err == own }},
	} {
		if tt.err == nil || !tt.is(tt.err) {
			t.Errorf("%s: %v", name, tt.err)
		}
	}
	if p, err := s.CommitTentative(ctx, "anna", pbx.Typed(""), "page", time.Minute, func(*pbx.Config) error { return nil }); err != nil || p.ID != "" || p.Revision != 1 {
		t.Errorf("a change of nothing: %+v, %v", p, err)
	}
	if _, n := s.Current(); n != 1 || s.Pending() != nil {
		t.Errorf("revision %d, pending %+v", n, s.Pending())
	}
}

func TestOneTentativeAtATime(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *Store, _ string) {
		p := tentative(t, s, "network", time.Minute, setHostname("trial"))
		if _, err := s.CommitTentative(t.Context(), "ben", pbx.Typed(""), "page", time.Minute, setHostname("b")); !errors.Is(err, pbx.ErrPending) {
			t.Errorf("a second one: %v", err)
		}
		if got := s.Pending(); got.ID != p.ID {
			t.Errorf("%+v waits", got)
		}
	})
}

func TestTentativeThatCannotBeWritten(t *testing.T) {
	s := openIn(t, t.TempDir())
	before, _ := s.Current()
	if _, err := s.db.writer.ExecContext(t.Context(), "PRAGMA query_only = 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CommitTentative(t.Context(), "a", pbx.Typed(""), "network", time.Minute, setHostname("trial")); !errors.Is(err, ErrReadOnly) {
		t.Errorf("%v", err)
	}
	if c, n := s.Current(); n != 1 || !reflect.DeepEqual(c, before) || s.Pending() != nil {
		t.Errorf("revision %d, pending %v", n, s.Pending())
	}
	if _, err := s.db.writer.ExecContext(t.Context(), "PRAGMA query_only = 0"); err != nil {
		t.Fatal(err)
	}
}
