package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"galilei/pbxd/pbx"
)

// entered writes calls into the journals at once.
func entered(t *testing.T, s *Store, list ...pbx.JournalEntry) {
	t.Helper()
	for _, e := range list {
		s.NoteCall(e)
	}
	if err := s.writeJournals(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// calls returns which calls a part of a journal holds, newest first.
func calls(t *testing.T, s *Store, q pbx.JournalQuery) string {
	t.Helper()
	p, err := s.Journal(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range p.Entries {
		if e.User != q.User {
			t.Errorf("%+v has an entry of %s", q, e.User)
		}
		list = append(list, e.Call)
	}
	return strings.Join(list, " ")
}

func TestJournalQuery(t *testing.T) {
	s := openIn(t, t.TempDir())
	at := time.Date(2030, 1, 1, 0, 0, 0, 5e6, time.UTC)
	first := pbx.JournalEntry{User: "anna", Call: "a", Direction: pbx.CallIn, Result: pbx.CallAnswered, Number: "+49 89 1234-5", Name: "Jörg Müller", Group: "Sales", Time: at, Duration: 7}
	entered(t, s, first,
		pbx.JournalEntry{User: "ben", Call: "a", Direction: pbx.CallOut, Result: pbx.CallAnswered, Number: "101", Name: "Anna", Time: at},
		pbx.JournalEntry{User: "anna", Call: "b", Direction: pbx.CallIn, Result: pbx.CallMissed, Time: at},
		pbx.JournalEntry{User: "anna", Call: "c", Direction: pbx.CallOut, Result: pbx.CallBusy, Number: "498", Name: "mull", Time: at},
		pbx.JournalEntry{User: "anna", Call: "d", Direction: pbx.CallIn, Result: pbx.CallMissed, Number: "102", Name: "Ben Demo", Time: at},
		pbx.JournalEntry{Call: "nobody's", Direction: pbx.CallOut, Result: pbx.CallBusy, Time: at})
	for _, x := range []struct {
		q     pbx.JournalQuery
		want  string
		total int
	}{
		{pbx.JournalQuery{}, "d c b a", 4},
		{pbx.JournalQuery{Limit: 2}, "d c", 4},
		{pbx.JournalQuery{Before: 4}, "b a", 4},
		{pbx.JournalQuery{Before: 4, Limit: 1}, "b", 4},
		{pbx.JournalQuery{Limit: -1}, "d c b a", 4},
		{pbx.JournalQuery{Direction: pbx.CallOut}, "c", 1},
		{pbx.JournalQuery{Direction: pbx.CallIn, Limit: 1}, "d", 3},
		{pbx.JournalQuery{Result: pbx.CallMissed}, "d b", 2},
		{pbx.JournalQuery{New: true}, "d b", 2},
		{pbx.JournalQuery{Name: "MULL"}, "c a", 2},
		{pbx.JournalQuery{Name: "mü"}, "c a", 2},
		{pbx.JournalQuery{Name: "jo"}, "a", 1},
		{pbx.JournalQuery{Name: "üller"}, "", 0},
		{pbx.JournalQuery{Name: "jörg m"}, "a", 1},
		{pbx.JournalQuery{Name: "%"}, "", 0},
		{pbx.JournalQuery{Number: "49 8"}, "c a", 2},
		{pbx.JournalQuery{Number: "+49/89"}, "a", 1},
		{pbx.JournalQuery{Number: "9"}, "", 0},
		{pbx.JournalQuery{Number: "*"}, "", 0},
		{pbx.JournalQuery{Number: "ü"}, "", 0},
		{pbx.JournalQuery{Name: "m", Number: "498", Direction: pbx.CallOut, Result: pbx.CallBusy}, "c", 1},
	} {
		x.q.User = "anna"
		if got := calls(t, s, x.q); got != x.want {
			t.Errorf("%+v: %q, want %q", x.q, got, x.want)
		}
		if p, err := s.Journal(t.Context(), x.q); err != nil || p.Total != x.total {
			t.Errorf("%+v: %d in all, %v; want %d", x.q, p.Total, err, x.total)
		}
	}
	first.ID = 1
	if p, err := s.Journal(t.Context(), pbx.JournalQuery{User: "anna", Before: 2}); err != nil || !reflect.DeepEqual(p.Entries, []pbx.JournalEntry{first}) {
		t.Errorf("%+v, %v; want %+v", p, err, first)
	}
	if p, err := s.Journal(t.Context(), pbx.JournalQuery{}); err != nil || p.Total != 0 {
		t.Errorf("of nobody: %+v, %v", p, err)
	}
}

// What one user does to the own journal touches no other, and is told to those
// who watch.
func TestJournalIsAltered(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx := t.Context()
	var told []string
	stop := s.WatchJournal(func(users []string) { told = append(told, strings.Join(users, "+")) })
	missed := func(user, call string) pbx.JournalEntry {
		return pbx.JournalEntry{User: user, Call: call, Direction: pbx.CallIn, Result: pbx.CallMissed, Time: time.Now()}
	}
	entered(t, s, missed("anna", "1"), missed("ben", "2"), missed("anna", "3"), missed("ben", "4"), missed("anna", "5"))
	unseen := func(user string) string { return calls(t, s, pbx.JournalQuery{User: user, New: true}) }
	if n, err := s.SeeMissed(ctx, "anna", 3); n != 2 || err != nil || unseen("anna") != "5" || unseen("ben") != "4 2" {
		t.Errorf("%d seen, %v: %q %q", n, err, unseen("anna"), unseen("ben"))
	}
	if n, err := s.SeeMissed(ctx, "anna", 3); n != 0 || err != nil {
		t.Errorf("%d seen again, %v", n, err)
	}
	if err := s.DeleteCall(ctx, "anna", 2); !errors.Is(err, fs.ErrNotExist) || unseen("ben") != "4 2" {
		t.Errorf("anna deletes what is ben's: %v", err)
	}
	if err := s.DeleteCall(ctx, "anna", 1); err != nil {
		t.Error(err)
	}
	if err := s.DeleteCall(ctx, "anna", 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted twice: %v", err)
	}
	if n, err := s.DeleteCalls(ctx, "ben", 3); n != 1 || err != nil || unseen("ben") != "4" || calls(t, s, pbx.JournalQuery{User: "anna"}) != "5 3" {
		t.Errorf("%d deleted, %v", n, err)
	}
	stop()
	entered(t, s, missed("anna", "6"))
	if want := []string{"anna+ben", "anna", "anna", "ben"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if got := calls(t, s, pbx.JournalQuery{User: "anna", Limit: 1}); got != "6" {
		t.Errorf("the newest is %q", got)
	}
}

func TestJournalsAreWrittenWithinASecond(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *Store, dir string) {
		ctx, stop := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { s.Run(ctx) })
		q := pbx.JournalQuery{User: "anna"}
		written := func() int {
			p, err := s.Journal(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			return p.Total
		}
		// A steady stream must not put the writing off.
		for i := range 10 {
			s.NoteCall(pbx.JournalEntry{User: "anna", Call: fmt.Sprint(i), Result: pbx.CallAnswered})
			time.Sleep(300 * time.Millisecond)
			synctest.Wait()
			if n := written(); n < i-3 || n > i+1 {
				t.Errorf("%d of %d calls are written", n, i+1)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n := written(); n != 10 {
			t.Errorf("%d of 10 calls are written after a second", n)
		}
		s.NoteCall(pbx.JournalEntry{User: "anna"})
		stop()
		run.Wait()
		if n := written(); n != 11 {
			t.Errorf("%d of 11 calls are written at the end", n)
		}
		s.NoteCall(pbx.JournalEntry{User: "anna"}) // of a call that ended later
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openIn(t, dir)
		if n := written(); n != 12 {
			t.Errorf("%d of 12 calls are there after a restart", n)
		}
	})
}

// A disk that takes nothing costs no call that fits into the queue, says so
// once, and what does not fit is counted.
func TestJournalQueueIsBounded(t *testing.T) {
	var log strings.Builder
	s, err := Open(t.Context(), t.TempDir(), Options{Model: model(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	only := func(on int) {
		t.Helper()
		if _, err := s.db.writer.ExecContext(t.Context(), fmt.Sprint("PRAGMA query_only = ", on)); err != nil {
			t.Fatal(err)
		}
	}
	only(1)
	for i := range maxJournalWaiting + 7 {
		s.NoteCall(pbx.JournalEntry{User: fmt.Sprint("u", i%20), Call: fmt.Sprint(i), Result: pbx.CallAnswered, Time: time.Now()})
	}
	if err := s.writeJournals(t.Context()); !errors.Is(err, ErrReadOnly) {
		t.Errorf("written on a read-only disk: %v", err)
	}
	if n := len(s.journal.waiting); n != maxJournalWaiting {
		t.Errorf("%d wait, want %d", n, maxJournalWaiting)
	}
	only(0)
	begun := time.Now()
	if err := s.writeJournals(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d calls written in %v", maxJournalWaiting, time.Since(begun))
	for i := range 20 {
		if p, err := s.Journal(t.Context(), pbx.JournalQuery{User: fmt.Sprint("u", i)}); err != nil || p.Total != maxJournalWaiting/20 {
			t.Errorf("u%d: %d calls, %v", i, p.Total, err)
		}
	}
	if text := log.String(); strings.Count(text, "do not keep up") != 1 || !strings.Contains(text, "lost=7") {
		t.Errorf("the log says %s", text)
	}
}

// What a caller sends as name or number is kept within bounds, while it waits, too.
func TestJournalFieldsAreBounded(t *testing.T) {
	s := openIn(t, t.TempDir())
	long := strings.Repeat("ü\xff", 40_000)
	s.NoteCall(pbx.JournalEntry{User: "anna", Number: long, Name: long, Group: long, Time: time.Now(), Duration: -5})
	if e := s.journal.waiting[0]; len(e.Number)+len(e.Name)+len(e.Group) > 3*4*maxJournalField {
		t.Errorf("%d bytes wait", len(e.Number)+len(e.Name)+len(e.Group))
	}
	entered(t, s)
	p, err := s.Journal(t.Context(), pbx.JournalQuery{User: "anna", Name: "ü"})
	if err != nil || len(p.Entries) != 1 || utf8.RuneCountInString(p.Entries[0].Name) != maxJournalField || !utf8.ValidString(p.Entries[0].Name+p.Entries[0].Number) || p.Entries[0].Duration != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestJournalRetention(t *testing.T) {
	c := &clock{time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	s := openAt(t, t.TempDir(), c)
	at := c.at
	call := func(user string, days int) pbx.JournalEntry {
		return pbx.JournalEntry{User: user, Call: fmt.Sprint("day", days), Result: pbx.CallAnswered, Time: at.AddDate(0, 0, days)}
	}
	unset := pbx.JournalEntry{User: "demo101", Call: "unset", Result: pbx.CallAnswered, Time: time.Unix(100, 0)}
	entered(t, s, call("demo101", 0), call("demo102", 0), unset, call("demo101", 29), call("demo102", 35))
	own := pbx.JournalQuery{User: "demo101"}
	c.at = at.AddDate(30, 0, 0) // typed in wrong
	s.tidy(t.Context())
	c.at = time.Unix(1000, 0)
	s.tidy(t.Context())
	c.at = at.AddDate(0, 0, 31)
	s.tidy(t.Context())
	if got := calls(t, s, own); got != "day29 unset day0" {
		t.Fatalf("a wrong clock, or one that is not set, has left %s", got)
	}
	keep := func(days, most int) {
		t.Helper()
		if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), func(c *pbx.Config) error {
			c.Retention.JournalDays, c.Retention.JournalCalls = days, most
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	keep(30, 500)
	if got := calls(t, s, own); got != "day29 unset" { // which came after day 0
		t.Errorf("with 30 days: %s", got)
	}
	if got := calls(t, s, pbx.JournalQuery{User: "demo102"}); got != "day35" {
		t.Errorf("of the other with 30 days: %s", got)
	}
	keep(3650, 50)
	for i := range 60 {
		entered(t, s, call("demo101", 40+i))
	}
	if got := strings.Fields(calls(t, s, own)); len(got) != 50 || got[0] != "day99" || got[49] != "day50" {
		t.Errorf("%d calls are kept: %q", len(got), got)
	}
	if got := calls(t, s, pbx.JournalQuery{User: "demo102"}); got != "day35" {
		t.Errorf("the calls of one push out those of another: %q", got)
	}
}

// A deleted user's journal goes with the private contacts.
func TestJournalsOfDeletedUsers(t *testing.T) {
	c := &clock{time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	s := openAt(t, t.TempDir(), c)
	commit := func(change func(*pbx.Config) error) {
		t.Helper()
		if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), change); err != nil {
			t.Fatal(err)
		}
	}
	commit(addUser(1))
	for _, user := range []string{"u1", "demo101"} {
		entered(t, s, pbx.JournalEntry{User: user, Call: "x", Result: pbx.CallAnswered, Time: c.at.AddDate(0, 0, 20)})
	}
	commit(func(c *pbx.Config) error { c.Users = c.Users[:4]; return nil })
	entered(t, s, pbx.JournalEntry{User: "u1", Call: "late", Result: pbx.CallAnswered, Time: c.at}) // of a call that went on
	c.at = c.at.Add(orphanLifetime - time.Hour)
	s.tidy(t.Context())
	if got := calls(t, s, pbx.JournalQuery{User: "u1"}); got != "late x" {
		t.Errorf("deleted before its time: %q", got)
	}
	c.at = c.at.Add(time.Hour)
	s.tidy(t.Context())
	if got := calls(t, s, pbx.JournalQuery{User: "u1"}) + "," + calls(t, s, pbx.JournalQuery{User: "demo101"}); got != ",x" {
		t.Errorf("after 30 days: %q", got)
	}
}
