package store

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// damage writes over a table of a store that is closed and opened again.
func damage(t *testing.T, s *Store, statement string, args ...any) *Store {
	t.Helper()
	done, err := s.db.writer.ExecContext(t.Context(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 && strings.HasPrefix(statement, "UPDATE") {
		t.Fatalf("%s: %d rows, %v", statement, n, err)
	}
	dir := s.dir
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return openIn(t, dir)
}

// ringTimes makes revisions 2 to n+1, whose ring times are 100 and their number.
func ringTimes(t *testing.T, s *Store, n int) {
	t.Helper()
	for i := range n {
		if _, err := s.Commit(t.Context(), "a", pbx.Typed("ring time"), setRingTime(102+i)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamagedNewestRevision(t *testing.T) {
	s := openIn(t, t.TempDir())
	ringTimes(t, s, 4)
	s = damage(t, s, "UPDATE revision SET config = x'1f8b0000' WHERE number >= 4")
	c, n := s.Current()
	if c.SIP.RingTime != 103 || n != 6 || s.FellBack() != 5 {
		t.Fatalf("ring time %d in revision %d, back from %d", c.SIP.RingTime, n, s.FellBack())
	}
	list, err := s.Revisions(t.Context(), 0, 0)
	if err != nil || len(list) != 6 {
		t.Fatalf("%d revisions, %v", len(list), err)
	}
	for _, r := range list {
		if want := r.Number == 4 || r.Number == 5; r.Damaged != want || want && len(r.Changes) != 0 {
			t.Errorf("revision %d: damaged %v, %v", r.Number, r.Damaged, r.Changes)
		}
	}
	if got := list[0].Comment; got != "Revision 5 is damaged; revision 3 holds again" || list[0].Author != system {
		t.Errorf("%q by %s", got, list[0].Author)
	}
	if _, err := s.Restore(t.Context(), "a", 4); !errors.Is(err, ErrDamaged) {
		t.Errorf("restore of a damaged revision: %v", err)
	}

	s = damage(t, s, "DELETE FROM heartbeat") // a restart keeps the alarm
	if _, n := s.Current(); n != 6 || s.FellBack() != 5 {
		t.Errorf("after a restart revision %d, back from %d", n, s.FellBack())
	}
	for i, tc := range []struct {
		author string
		want   int64
	}{{"demo101", 5}, {system, 5}, {"demo101 as demo102", 5}, {"admin as demo101", 0}} {
		if _, err := s.Commit(t.Context(), tc.author, pbx.Typed(""), setRingTime(55+i)); err != nil {
			t.Fatal(err)
		}
		if got := s.FellBack(); got != tc.want {
			t.Errorf("after a change by %s back from %d, want %d", tc.author, got, tc.want)
		}
		s = damage(t, s, "DELETE FROM heartbeat")
		if got := s.FellBack(); got != tc.want {
			t.Errorf("after a change by %s and a restart back from %d, want %d", tc.author, got, tc.want)
		}
	}
}

// What the damaged revision had changed is undone in the history, too: the
// effect of a restore is found by going through the changes.
func TestFallBackUndoesChanges(t *testing.T) {
	s := openIn(t, t.TempDir())
	ringTimes(t, s, 2)
	packed, err := pack("no configuration")
	if err != nil {
		t.Fatal(err)
	}
	s = damage(t, s, "UPDATE revision SET config = ? WHERE number = 3", packed)
	list, err := s.Revisions(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want := []pbx.Change{{Path: "sip.ringTime", Old: "103", New: "102"}}; !reflect.DeepEqual(list[0].Changes, want) {
		t.Errorf("%+v, want %+v", list[0].Changes, want)
	}
}

func TestNoRevisionCanBeRead(t *testing.T) {
	s := openIn(t, t.TempDir())
	if _, err := s.db.writer.ExecContext(t.Context(), "UPDATE revision SET config = x''"); err != nil {
		t.Fatal(err)
	}
	dir := s.dir
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, Options{Model: model()}); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, want %v", err, ErrDamaged)
	}
}

func TestDamagedOldRevision(t *testing.T) {
	for name, statement := range map[string]string{
		"changes": "UPDATE revision SET changes = x'00' WHERE number = 2",
		"config":  "UPDATE revision SET config = x'00' WHERE number = 2",
		"message": "UPDATE revision SET message = '{' WHERE number = 2",
	} {
		t.Run(name, func(t *testing.T) {
			s := openIn(t, t.TempDir())
			ringTimes(t, s, 3)
			s = damage(t, s, statement)
			list, err := s.Revisions(t.Context(), 0, 0)
			if err != nil || len(list) != 4 {
				t.Fatalf("%d revisions, %v", len(list), err)
			}
			for _, r := range list {
				if r.Damaged != (r.Number == 2) || r.Number > 1 && r.Comment != "ring time" {
					t.Errorf("revision %d: damaged %v, %q", r.Number, r.Damaged, r.Comment)
				}
			}
			if _, n := s.Current(); n != 4 || s.FellBack() != 0 {
				t.Errorf("revision %d, back from %d", n, s.FellBack())
			}
		})
	}
}

func TestMissingTable(t *testing.T) {
	for _, table := range tables() {
		s := openIn(t, t.TempDir())
		if _, err := s.db.writer.ExecContext(t.Context(), "DROP TABLE "+table); err != nil {
			t.Fatal(err)
		}
		dir := s.dir
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), dir, Options{Model: model()}); !errors.Is(err, ErrDamaged) {
			t.Errorf("without table %s: got %v, want %v", table, err, ErrDamaged)
		}
	}
}
