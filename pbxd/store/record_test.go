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

// recorded writes call records at once.
func recorded(t testing.TB, s *Store, list ...pbx.CallRecord) {
	t.Helper()
	for _, r := range list {
		s.NoteRecord(r)
	}
	if err := s.writeRecords(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// recordsOf returns which calls a query finds, newest first, part by part.
func recordsOf(t testing.TB, s *Store, q pbx.RecordQuery) string {
	t.Helper()
	var list []string
	for {
		p, err := s.Records(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Records {
			list = append(list, r.Call)
		}
		if !p.More {
			return strings.Join(list, " ")
		}
		if q.After != (pbx.RecordPlace{}) && !before(p.Next, q.After) {
			t.Fatalf("%+v goes on at %+v", q, p.Next)
		}
		q.After = p.Next
	}
}

// someRecord is a whole record with legs.
func someRecord(at time.Time) pbx.CallRecord {
	munich := pbx.RecordParty{Number: "089 1234-56", E164: "+4989123456", Name: "Jörg Müller"}
	anna := pbx.RecordParty{Number: "101", Name: "Anna Groß", User: "demo101"}
	ben := pbx.RecordParty{Number: "102", Name: "Ben", User: "demo102"}
	return pbx.CallRecord{
		ID: 1, Call: "x-1", Direction: pbx.RecordIn, Caller: munich, Hidden: true, Dialled: "55510", DialledE: "+498955510", Target: ben,
		GatewayIn: "gw1", GroupIn: "grp1", Result: pbx.RecordAnswered, Cause: pbx.CauseNormalClearing, Toll: pbx.TollLocal,
		Began: at, Answered: at.Add(4 * time.Second), Ended: at.Add(64 * time.Second), Ring: 4, Talk: 60,
		Legs: []pbx.RecordLeg{
			{Party: munich, Gateway: "gw1", Began: at, Answered: at.Add(4 * time.Second), Ended: at.Add(64 * time.Second), Cause: pbx.CauseNormalClearing},
			{Party: anna, Began: at, Ended: at.Add(4 * time.Second), Act: pbx.RecordForwarded, Cause: pbx.CauseAnsweredElsewhere},
			{Party: ben, Began: at, Answered: at.Add(4 * time.Second), Ended: at.Add(64 * time.Second), Payer: "demo101", Toll: pbx.TollLocal, Cause: pbx.CauseNormalClearing},
		},
	}
}

// A record comes back as it was, by its ID and by that of its call.
func TestRecordIsKeptWhole(t *testing.T) {
	s := openIn(t, t.TempDir())
	want := someRecord(time.Date(2030, 1, 1, 12, 0, 0, 5e6, time.UTC))
	recorded(t, s, want)
	if got, err := s.Record(t.Context(), 1); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if got, err := s.RecordOfCall(t.Context(), "x-1"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if _, err := s.Record(t.Context(), 2); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a record that is not there: %v", err)
	}
	want.Legs = nil
	if got, err := s.Records(t.Context(), pbx.RecordQuery{}); err != nil || !reflect.DeepEqual(got.Records, []pbx.CallRecord{want}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRecordFilters(t *testing.T) {
	s := openIn(t, t.TempDir())
	at := time.Date(2030, 1, 1, 23, 59, 59, 0, time.UTC)
	lost := pbx.CallRecord{Call: "b", Direction: pbx.RecordOut, Caller: pbx.RecordParty{Number: "101", User: "demo101", Name: "Anna Groß"}, Dialled: "0043 1 5051",
		GatewayOut: "gw2", Result: pbx.RecordBusy, Began: at.Add(time.Second), Ring: 9}
	inside := pbx.CallRecord{Call: "c", Direction: pbx.RecordInternal, Caller: pbx.RecordParty{Number: "101", User: "demo101"}, Dialled: "112", Target: pbx.RecordParty{Number: "112", User: "demo112"},
		Result: pbx.RecordAnswered, Began: at.Add(2 * time.Second), Ring: 1, Talk: 5}
	first := someRecord(at)
	first.Call = "a"
	recorded(t, s, inside, first, lost) // in another order than they began
	for _, x := range []struct {
		q    pbx.RecordQuery
		want string
	}{
		{pbx.RecordQuery{}, "c b a"},
		{pbx.RecordQuery{Limit: 1}, "c b a"},
		{pbx.RecordQuery{Limit: -1}, "c b a"},
		{pbx.RecordQuery{Since: at.Add(time.Second)}, "c b"},
		{pbx.RecordQuery{Until: at.Add(time.Second)}, "a"},
		{pbx.RecordQuery{Since: at.Add(time.Second), Until: at.Add(2 * time.Second), Limit: 1}, "b"},
		{pbx.RecordQuery{Since: at.Add(time.Second), Until: at}, ""},
		{pbx.RecordQuery{Direction: pbx.RecordOut}, "b"},
		{pbx.RecordQuery{Result: pbx.RecordAnswered}, "c a"},
		{pbx.RecordQuery{Gateway: "gw1"}, "a"},
		{pbx.RecordQuery{Gateway: "gw2"}, "b"},
		{pbx.RecordQuery{User: "demo101"}, "c b"},
		{pbx.RecordQuery{User: "demo102"}, "a"},
		{pbx.RecordQuery{User: "nobody"}, ""},
		{pbx.RecordQuery{MinSeconds: 5}, "c a"},
		{pbx.RecordQuery{MaxSeconds: 5}, "c b"},
		{pbx.RecordQuery{MinSeconds: 6, WithRing: true}, "c b a"},
		{pbx.RecordQuery{MaxSeconds: 8, WithRing: true}, "c"},
		{pbx.RecordQuery{Target: "0043*"}, "b"},
		{pbx.RecordQuery{Target: "+43 1*"}, "b"},
		{pbx.RecordQuery{Target: "+43(0)15051"}, "b"},
		{pbx.RecordQuery{Target: "00431505?"}, "b"},
		{pbx.RecordQuery{Target: "*12"}, "c"},
		{pbx.RecordQuery{Target: "1?2"}, "c a"},
		{pbx.RecordQuery{Target: "*"}, "c b a"},
		{pbx.RecordQuery{Target: "0*"}, "b"},
		{pbx.RecordQuery{Target: "1"}, ""},
		{pbx.RecordQuery{Target: "102"}, "a"},
		{pbx.RecordQuery{Target: "Ben"}, "a"},
		{pbx.RecordQuery{Target: "en"}, ""},
		{pbx.RecordQuery{Caller: "089*"}, "a"},
		{pbx.RecordQuery{Caller: "0891*"}, "a"},
		{pbx.RecordQuery{Caller: "0*"}, "a"},
		{pbx.RecordQuery{Caller: "00*"}, "a"},
		{pbx.RecordQuery{Caller: "0049 (0)89 123456"}, "a"},
		{pbx.RecordQuery{Caller: "089/123456"}, "a"},
		{pbx.RecordQuery{Caller: "+4989*5?"}, "a"},
		{pbx.RecordQuery{Caller: "MULL jo*"}, "a"},
		{pbx.RecordQuery{Caller: "groß"}, "b"},
		{pbx.RecordQuery{Caller: "101", Target: "1*"}, "c"},
		{pbx.RecordQuery{Caller: "%"}, ""},
		{pbx.RecordQuery{Caller: "[0-9]*"}, ""},
		{pbx.RecordQuery{Caller: "' OR 1=1 --"}, ""},
		{pbx.RecordQuery{Caller: strings.Repeat("?*", 50)}, ""},
		{pbx.RecordQuery{Caller: "101", User: "demo101", Direction: pbx.RecordOut, Result: pbx.RecordBusy, Gateway: "gw2", Target: "*51", Since: at}, "b"},
	} {
		if got := recordsOf(t, s, x.q); got != x.want {
			t.Errorf("%+v: %q, want %q", x.q, got, x.want)
		}
		if sum, err := s.RecordTotals(t.Context(), x.q); err != nil || sum.Calls != len(strings.Fields(x.want)) {
			t.Errorf("%+v: %+v, %v; want %q", x.q, sum, err, x.want)
		}
	}
	sum, err := s.RecordTotals(t.Context(), pbx.RecordQuery{})
	if want := (pbx.RecordTotals{Calls: 3, Answered: 2, Talk: 65, Ring: 14}); err != nil || sum != want {
		t.Errorf("%+v, %v; want %+v", sum, err, want)
	}
	if sum.AverageTalk() != 32500*time.Millisecond || sum.AverageWithRing().Round(time.Millisecond) != 26333*time.Millisecond || (pbx.RecordTotals{}).AverageTalk() != 0 {
		t.Errorf("averages %v, %v", sum.AverageTalk(), sum.AverageWithRing())
	}
}

// Numbers of the own city are found without its area code, extensions that look
// like one beside them.
func TestRecordsOfTheOwnCity(t *testing.T) {
	s := openIn(t, t.TempDir())
	if _, err := s.Commit(t.Context(), "admin", pbx.Typed(""), func(c *pbx.Config) error {
		c.Locale.Country, c.Locale.AreaCode = "DE", "89"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	list := []pbx.RecordParty{{Number: "+4989234567", E164: "+4989234567"}, {Number: "234567"}, {Number: "+4930234567", E164: "+4930234567"}}
	for i, caller := range list {
		recorded(t, s, pbx.CallRecord{Call: fmt.Sprint(i), Direction: pbx.RecordIn, Caller: caller, Dialled: "101", Result: pbx.RecordBusy, Began: at.Add(time.Duration(i) * time.Second)})
	}
	for asked, want := range map[string]string{"234567": "1 0", "234*": "1 0", "23456?": "1 0", "030234567": "2", "089234*": "0", "*234567": "2 1 0"} {
		if got := recordsOf(t, s, pbx.RecordQuery{Caller: asked}); got != want {
			t.Errorf("%s: %q, want %q", asked, got, want)
		}
	}
}

// Records are on the disk 200 ms after their call has ended, a steady stream of
// them, too, and all at the end.
func TestRecordsAreWrittenSoon(t *testing.T) {
	inVirtualTime(t, func(t *testing.T, s *Store, dir string) {
		ctx, stop := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { s.Run(ctx) })
		written := func() int { return len(strings.Fields(recordsOf(t, s, pbx.RecordQuery{}))) }
		for i := range 20 {
			s.NoteRecord(pbx.CallRecord{Call: fmt.Sprint(i), Began: time.Now()})
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
			if n := written(); n < i+1-4 {
				t.Errorf("%d of %d records are written", n, i+1)
			}
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if n := written(); n != 20 {
			t.Errorf("%d of 20 records are written", n)
		}
		s.NoteRecord(pbx.CallRecord{Call: "20", Began: time.Now()})
		stop()
		run.Wait()
		if n := written(); n != 21 {
			t.Errorf("%d of 21 records are written at the end", n)
		}
		s.NoteRecord(pbx.CallRecord{Call: "21", Began: time.Now()})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openIn(t, dir)
		if n := written(); n != 22 {
			t.Errorf("%d of 22 records are there after a restart", n)
		}
	})
}

// A disk that takes nothing costs no record that fits into the queue; the others
// are counted.
func TestRecordQueueIsBounded(t *testing.T) {
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
	long := strings.Repeat("ü\xff", 40_000)
	s.NoteRecord(pbx.CallRecord{Call: "long", Dialled: long, Caller: pbx.RecordParty{Name: long}, Legs: make([]pbx.RecordLeg, 1000), Began: time.Now(), Talk: -1})
	for i := range maxRecordsWaiting + 6 {
		s.NoteRecord(pbx.CallRecord{Call: fmt.Sprint(i), Began: time.Now()})
	}
	if err := s.writeRecords(t.Context()); !errors.Is(err, ErrReadOnly) {
		t.Errorf("written on a read-only disk: %v", err)
	}
	if n := s.RecordsLost(); n != 7 {
		t.Errorf("%d are lost, want 7", n)
	}
	only(0)
	begun := time.Now()
	if err := s.writeRecords(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d records written in %v", maxRecordsWaiting, time.Since(begun))
	if sum, err := s.RecordTotals(t.Context(), pbx.RecordQuery{}); err != nil || sum.Calls != maxRecordsWaiting || s.RecordsLost() != 0 {
		t.Errorf("%+v, %v, lost %d", sum, err, s.RecordsLost())
	}
	if text := log.String(); strings.Count(text, "do not keep up") != 1 || !strings.Contains(text, "lost=7") {
		t.Errorf("the log says %s", text)
	}
	r, err := s.RecordOfCall(t.Context(), "long")
	if err != nil || utf8.RuneCountInString(r.Dialled) != maxRecordField || len(r.Legs) != maxRecordLegs || !utf8.ValidString(r.Caller.Name) || r.Talk != 0 {
		t.Errorf("%d characters, %d legs, %v", utf8.RuneCountInString(r.Dialled), len(r.Legs), err)
	}
}

// What cannot be read holds up nothing else.
func TestDamagedRecord(t *testing.T) {
	s := openIn(t, t.TempDir())
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	recorded(t, s, pbx.CallRecord{Call: "a", Began: at}, pbx.CallRecord{Call: "b", Began: at}, pbx.CallRecord{Call: "c", Began: at})
	s = damage(t, s, "UPDATE cdr SET cause = 'x' WHERE call = 'b'")
	if got := recordsOf(t, s, pbx.RecordQuery{Limit: 1}); got != "c a" {
		t.Errorf("found %q", got)
	}
}

// Whatever is asked for is a search that works, and a number is found by itself.
func FuzzRecordNumbers(f *testing.F) {
	s := openIn(f, f.TempDir())
	for _, text := range []string{"043*", "*12", "+49 (0)89 12?", "[a-z]", "' OR ''='", "**", "0*", "00", "\xff*", "#31#*"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := s.Records(t.Context(), pbx.RecordQuery{Caller: text, Target: text}); err != nil {
			t.Error(err)
		}
		if _, err := s.RecordTotals(t.Context(), pbx.RecordQuery{Caller: text, Target: text}); err != nil {
			t.Error(err)
		}
		n := s.numbering()
		if key := n.Key(text); key != "" && len(text) <= maxPattern && !strings.Contains(text, "*") {
			if list := numberPatterns(n, text); !strings.ContainsAny(text, "?") && !slices.Contains(list, numberPattern(key)) && pbx.Dialable(text) == text {
				t.Errorf("%q with the key %q is looked for as %q", text, key, list)
			}
		}
	})
}
