package store

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

func TestRestartRevertsTentative(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir, Options{Model: model()})
	if err != nil {
		t.Fatal(err)
	}
	tentative(t, s, "network", 10*time.Minute, setAddress("10.0.0.9/24", "10.0.0.1"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s = openIn(t, dir)
		c, n := s.Current()
		if c.Network.Address != "192.168.0.50/24" || c.Network.Gateway != "" || n != 3 || s.Pending() != nil {
			t.Errorf("revision %d: %+v", n, c.Network)
		}
		revs, err := s.Revisions(t.Context(), 0, 1)
		if err != nil || revs[0].Author != "system" || revs[0].Comment != "Not confirmed before the restart: Changed the network; reverted" ||
			revs[0].Message.Template != "Not confirmed before the restart: {change}; reverted" {
			t.Errorf("%+v, %v", revs, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// The old certificate was deleted during the trial: the page gets the
// device's own.
func TestRevertToWhatIsGone(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *Store, _ string) {
		cert := func(id string) pbx.Certificate {
			return pbx.Certificate{ID: id, Description: id, Chain: "PEM", Key: "x1:"}
		}
		use := func(id string) func(*pbx.Config) error {
			return func(c *pbx.Config) error { c.Page.Certificate = id; return nil }
		}
		if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), func(c *pbx.Config) error {
			c.Certificates, c.Page.SessionIdle = []pbx.Certificate{cert("old"), cert("new")}, 30
			return use("old")(c)
		}); err != nil {
			t.Fatal(err)
		}
		tentative(t, s, "page", time.Minute, use("new"))
		if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), func(c *pbx.Config) error { c.Certificates = c.Certificates[1:]; return nil }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		c, _ := s.Current()
		if c.Page.Certificate != "" || len(c.Certificates) != 1 || s.Pending() != nil {
			t.Errorf("%+v", c.Page)
		}
		if err := pbx.Validate(c, model()); err != nil {
			t.Error(err)
		}
	})
}

// A restore during the trial brings back a time without the old certificate: it
// stays all the same, since the trial goes back to it.
func TestRestoreDuringTrial(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *Store, _ string) {
		_, first := s.Current()
		if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), func(c *pbx.Config) error {
			c.Certificates = []pbx.Certificate{{ID: "old", Description: "old", Chain: "PEM", Key: "x1:"}}
			c.Page.Certificate = "old"
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		tentative(t, s, "page", time.Minute, func(c *pbx.Config) error { c.Page.Certificate = ""; return nil })
		if _, err := s.Restore(t.Context(), "a", first); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if c, _ := s.Current(); c.Page.Certificate != "old" || len(c.Certificates) != 1 {
			t.Errorf("%+v with %d certificates", c.Page, len(c.Certificates))
		}
	})
}

// Another has fitted the gateway to the address on trial: half of the old
// values would be none that anybody has set.
func TestRevertOfWhatBelongsTogether(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *Store, _ string) {
		if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), setAddress("192.168.0.50/24", "192.168.0.1")); err != nil {
			t.Fatal(err)
		}
		tentative(t, s, "network", time.Minute, setAddress("10.0.0.9/24", "10.0.0.1"))
		if _, err := s.Commit(t.Context(), "b", pbx.Typed(""), setAddress("10.0.0.9/24", "10.0.0.2")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if c, _ := s.Current(); c.Network.Address != "192.168.0.50/24" || c.Network.Gateway != "192.168.0.1" {
			t.Errorf("%+v", c.Network)
		}
	})
}

// A licence that ends during the trial makes the configuration invalid; the
// address must go back all the same.
func TestRevertOfAnInvalidConfiguration(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir, Options{Model: model()})
	if err != nil {
		t.Fatal(err)
	}
	tentative(t, s, "network", time.Minute, setHostname("trial"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = Open(t.Context(), dir, Options{Model: pbx.Model{Name: "T", MaxUsers: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if c, n := s.Current(); c.Network.Hostname != "galilei" || n != 3 || len(c.Users) != 4 {
		t.Errorf("revision %d: %q", n, c.Network.Hostname)
	}
}

func TestRevertTriesAgainOnAFullDisk(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *Store, _ string) {
		readOnly := func(on int) {
			if _, err := s.db.writer.ExecContext(t.Context(), fmt.Sprintf("PRAGMA query_only = %d", on)); err != nil {
				t.Fatal(err)
			}
		}
		tentative(t, s, "network", time.Minute, setHostname("trial"))
		readOnly(1)
		time.Sleep(time.Minute + 3*retryRevert)
		synctest.Wait()
		if c, n := s.Current(); c.Network.Hostname != "trial" || n != 2 || s.Pending() == nil {
			t.Errorf("revision %d, %q while nothing can be written", n, c.Network.Hostname)
		}
		readOnly(0)
		time.Sleep(retryRevert)
		synctest.Wait()
		if c, n := s.Current(); c.Network.Hostname != "galilei" || n != 3 || s.Pending() != nil {
			t.Errorf("revision %d, %q", n, c.Network.Hostname)
		}
	})
}

// FuzzPendingRow opens a database with any row of a change that waits: the
// start fails with an error or reverts it, and never panics.
func FuzzPendingRow(f *testing.F) {
	f.Add("network", `[{"path":"network.hostname","before":"\"galilei\"","after":"\"trial\""}]`)
	f.Add("network", `[{"path":"network.hostname","before":"galilei","after":1}]`)
	f.Add("page", `[{"path":"page.certificate","before":"gone","after":""},{"path":"page.sessionIdle","before":-1,"after":60}]`)
	f.Add("page", `[{"path":"users","before":[],"after":null},{"path":"network","before":{},"after":{}}]`)
	f.Add("sip", `[{}]`)
	f.Add("", `null`)
	f.Fuzz(func(t *testing.T, section, altered string) {
		dir := t.TempDir()
		s, err := Open(t.Context(), dir, Options{Model: model()})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.db.writer.ExecContext(t.Context(), "INSERT INTO pending VALUES (1, 'id', ?, 1, 'a', 'c', 0, 0, ?, '')", section, altered)
		if err = errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		if s, err = Open(t.Context(), dir, Options{Model: model()}); err != nil {
			return
		}
		c, _ := s.Current()
		if err := pbx.Validate(c, model()); err != nil {
			t.Errorf("reverted to what is not valid: %v", err)
		}
		if len(c.Users) != 4 || s.Pending() != nil {
			t.Errorf("%d users, pending %v", len(c.Users), s.Pending())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
