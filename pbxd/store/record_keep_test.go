package store

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

func TestRecordRetention(t *testing.T) {
	c := &clock{time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	s := openAt(t, t.TempDir(), c)
	at := c.at
	for day := range 20 {
		recorded(t, s, pbx.CallRecord{Call: fmt.Sprint("day", day), Began: at.AddDate(0, 0, day), Talk: 1, Caller: pbx.RecordParty{Number: "101", User: "gone"}})
	}
	trim := func(want string) {
		t.Helper()
		if err := s.trimOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := strings.Fields(recordsOf(t, s, pbx.RecordQuery{User: "gone"})) // a user that is none keeps the records
		if ends := fmt.Sprint(len(got), " from ", got[len(got)-1]); ends != want {
			t.Errorf("%s are kept, want %s", ends, want)
		}
		if sum, err := s.RecordTotals(t.Context(), pbx.RecordQuery{}); err != nil || sum.Calls != len(got) || sum.Talk != int64(len(got)) {
			t.Errorf("totals %+v, %v; want %d", sum, err, len(got))
		}
	}
	if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), func(c *pbx.Config) error { c.Retention.RecordDays = 10; return nil }); err != nil {
		t.Fatal(err)
	}
	c.at = at.AddDate(30, 0, 0) // typed in wrong
	trim("20 from day0")
	c.at = time.Unix(1000, 0)
	trim("20 from day0")
	c.at = at.AddDate(0, 0, 13)
	trim("17 from day3")
	c.at = at
	if _, err := s.Commit(t.Context(), "a", pbx.Typed(""), func(c *pbx.Config) error { c.Retention.RecordCalls = 1000; return nil }); err != nil {
		t.Fatal(err)
	}
	var list []pbx.CallRecord
	for i := range 1300 {
		list = append(list, pbx.CallRecord{Call: fmt.Sprint("late", i), Began: at.Add(time.Duration(i) * time.Second), Talk: 1, Caller: pbx.RecordParty{User: "gone"}})
	}
	recorded(t, s, list...)
	trim("1000 from late300")
	half := at.Add(800 * time.Second) // late300 to late799 are from before
	if n, err := s.DeleteRecords(t.Context(), half, pbx.AuditEntry{Actor: "admin", Action: "delete-call-records"}); err != nil || n != 500 || !s.DeletingRecords() {
		t.Errorf("%d deleted, %v", n, err)
	}
	trim("500 from late800")
	n, err := s.DeleteRecords(t.Context(), time.Time{}, pbx.AuditEntry{Actor: "admin", Action: "delete-call-records"})
	if err == nil {
		err = s.trimOnce(t.Context())
	}
	if err != nil || n != 500 || s.DeletingRecords() || recordsOf(t, s, pbx.RecordQuery{}) != "" {
		t.Errorf("%d deleted, %v", n, err)
	}
	if log, err := s.AuditLog(t.Context(), pbx.AuditQuery{}); err != nil || len(log) != 2 || log[0].Object != "500" || log[1].Object != "500" || log[0].Actor != "admin" {
		t.Errorf("audit log: %+v, %v", log, err)
	}
	var left int
	if err := s.db.readers.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM cdr_day) + (SELECT count(*) FROM cdr_leg)").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d sums and legs are left, %v", left, err)
	}
}

// Records from before the clock was set stand where they belong: at once by an
// estimate, and exactly once the clock is set.
func TestRecordsAcrossClockSet(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		c := &shifted{}
		real := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
		c.by.Store(int64(time.Until(real)))
		open := func() *Store {
			t.Helper()
			s, err := Open(t.Context(), dir, Options{Model: model(), Now: c.now})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		note := func(s *Store, call string, talk int) {
			t.Helper()
			began := c.now()
			time.Sleep(time.Duration(talk) * time.Second)
			recorded(t, s, pbx.CallRecord{Call: call, Began: began, Answered: began, Ended: c.now(), Talk: talk, Legs: []pbx.RecordLeg{{Began: began, Ended: c.now()}}})
		}
		check := func(s *Store, call string, began time.Time, talk int, estimated bool) {
			t.Helper()
			r, err := s.RecordOfCall(t.Context(), call)
			if err != nil || r.Began.Sub(began).Abs() > time.Second || r.Ended.Sub(r.Began).Round(time.Second) != time.Duration(talk)*time.Second || r.Estimated != estimated ||
				!r.Legs[0].Began.Equal(r.Began) || !r.Legs[0].Ended.Equal(r.Ended) || !r.Answered.Equal(r.Began) {
				t.Errorf("call %s: %+v, %v; want %v", call, r, err, began)
			}
		}
		s := open()
		note(s, "known", 10)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // off
		c.by.Add(-int64(c.now().Sub(time.Unix(0, 0))))
		s = open()
		note(s, "early", 20)
		check(s, "early", real, 20, true)
		if got := recordsOf(t, s, pbx.RecordQuery{}); got != "early known" {
			t.Errorf("listed as %q", got)
		}
		began := c.now()
		time.Sleep(30 * time.Second)
		c.by.Add(int64(real.Add(time.Hour + 60*time.Second).Sub(c.now()))) // set during a call
		recorded(t, s, pbx.CallRecord{Call: "across", Began: began, Answered: began, Ended: c.now(), Talk: 30, Legs: []pbx.RecordLeg{{Began: began, Ended: c.now()}}})
		check(s, "early", real.Add(time.Hour+10*time.Second), 20, false)
		check(s, "across", real.Add(time.Hour+30*time.Second), 30, false)
		if sum, err := s.RecordTotals(t.Context(), pbx.RecordQuery{Since: real, Until: real.AddDate(0, 0, 1)}); err != nil || sum.Calls != 3 {
			t.Errorf("%+v, %v", sum, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// randomRecord is one of few numbers, users and days, so that searches find some.
func randomRecord(r *rand.Rand, i int) pbx.CallRecord {
	numbers := []string{"+498912", "+49891234", "+4312345", "+431", "101", "102", "112", "*38"}
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	c := pbx.CallRecord{
		Call: fmt.Sprint(i), Direction: pbx.RecordDirection(pick("in", "out", "internal")), Result: pbx.RecordResult(pick("answered", "noAnswer", "busy", "failed")),
		Began:  time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(40)) * 3 * time.Hour),
		Caller: pbx.RecordParty{Number: pick(numbers...), User: pick("", "a", "b"), Name: pick("", "Anna Groß", "Ben")}, Dialled: pick(numbers...),
		GatewayIn: pick("", "", "g1", "g2"), GatewayOut: pick("", "", "g1", "g3"), Ring: r.IntN(20), Talk: r.IntN(20),
	}
	if r.IntN(2) == 0 {
		c.Target = pbx.RecordParty{Number: pick(numbers...), User: pick("", "a", "c"), Name: pick("Anna", "Jörg Ben")}
	}
	return c
}

func randomRecordQuery(r *rand.Rand) (q pbx.RecordQuery) {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	patterns := []string{"", "", "", "", "089*", "+49*", "0043*", "*12", "1?2", "101", "08912", "*", "*3*", "anna", "ben"}
	at := func() (t time.Time) {
		if r.IntN(3) == 0 {
			t = time.Date(2030, 1, 1, r.IntN(140), r.IntN(60), 0, 0, time.UTC)
		}
		return t
	}
	return pbx.RecordQuery{
		Since: at(), Until: at(), Caller: pick(patterns...), Target: pick(patterns...), MinSeconds: max(r.IntN(40)-30, 0), MaxSeconds: max(r.IntN(60)-40, 0),
		WithRing: r.IntN(2) == 0, Result: pbx.RecordResult(pick("", "", "answered", "busy")), Direction: pbx.RecordDirection(pick("", "", "in", "internal")),
		User: pick("", "", "", "a", "c"), Gateway: pick("", "", "", "g1", "g3"), Limit: 1 + r.IntN(30),
	}
}

// naiveMatch is what a query means, without an index.
func naiveMatch(q pbx.RecordQuery, c pbx.CallRecord) bool {
	party := func(asked string, p pbx.RecordParty) bool {
		if asked == "anna" || asked == "ben" {
			return slices.Contains(strings.Fields(strings.ToLower(p.Name)), asked)
		}
		long := map[string]string{"089*": "+4989*", "0043*": "+43*", "08912": "+498912"}[asked]
		return asked == "" || looksLike(asked, p.Number) || long != "" && looksLike(long, p.Number)
	}
	target := c.Target
	if target.Number == "" {
		target.Number = c.Dialled
	}
	seconds := c.Talk
	if q.WithRing {
		seconds += c.Ring
	}
	return (q.Since.IsZero() || !c.Began.Before(q.Since)) && (q.Until.IsZero() || c.Began.Before(q.Until)) && party(q.Caller, c.Caller) && party(q.Target, target) &&
		seconds >= q.MinSeconds && (q.MaxSeconds == 0 || seconds <= q.MaxSeconds) && (q.Result == "" || q.Result == c.Result) && (q.Direction == "" || q.Direction == c.Direction) &&
		(q.User == "" || q.User == c.Caller.User || q.User == c.Target.User) && (q.Gateway == "" || q.Gateway == c.GatewayIn || q.Gateway == c.GatewayOut)
}

// looksLike matches a text with a pattern of '*' and '?', letter by letter.
func looksLike(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return looksLike(pattern[1:], text) || text != "" && looksLike(pattern, text[1:])
	}
	return text != "" && (pattern[0] == '?' || pattern[0] == text[0]) && looksLike(pattern[1:], text[1:])
}

// Random searches in random calls find what a naive search finds, in its order,
// whatever was deleted meanwhile, and sum it up.
func TestRandomRecords(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	s := openIn(t, t.TempDir())
	var all []pbx.CallRecord
	for i := range 400 {
		c := randomRecord(random, i)
		c.ID = int64(i + 1)
		all = append(all, c)
	}
	recorded(t, s, all...)
	all = all[37:]
	if n, err := s.deleteRecords(t.Context(), "DELETE FROM cdr WHERE id IN (SELECT id FROM cdr WHERE id <= ? LIMIT ?)", 37); n != 37 || err != nil {
		t.Fatalf("%d deleted, %v", n, err)
	}
	slices.SortFunc(all, func(a, b pbx.CallRecord) int {
		if d := b.Began.Compare(a.Began); d != 0 {
			return d
		}
		return int(b.ID - a.ID)
	})
	for range 300 {
		q := randomRecordQuery(random)
		s.records.few, s.records.most = random.IntN(100), 1000
		if random.IntN(3) == 0 {
			s.records.most = 1 + random.IntN(500)
		}
		var want []string
		var sum pbx.RecordTotals
		for _, c := range all {
			if naiveMatch(q, c) {
				want = append(want, c.Call)
				sum.Calls, sum.Talk, sum.Ring = sum.Calls+1, sum.Talk+int64(c.Talk), sum.Ring+int64(c.Ring)
				if c.Result == pbx.RecordAnswered {
					sum.Answered++
				}
			}
		}
		if got := recordsOf(t, s, q); got != strings.Join(want, " ") {
			t.Errorf("seed %d: %+v: %q, want %q", seed, q, got, want)
		}
		got, err := s.RecordTotals(t.Context(), q)
		if !got.Since.IsZero() { // there were too many: those from then on
			if s.records.most == 1000 {
				t.Errorf("seed %d: %+v: sums only since %v", seed, q, got.Since)
			}
			sum = pbx.RecordTotals{Since: got.Since}
			for _, c := range all {
				if naiveMatch(q, c) && !c.Began.Before(got.Since) {
					sum.Calls, sum.Talk, sum.Ring = sum.Calls+1, sum.Talk+int64(c.Talk), sum.Ring+int64(c.Ring)
					if c.Result == pbx.RecordAnswered {
						sum.Answered++
					}
				}
			}
		}
		if err != nil || !reflect.DeepEqual(got, sum) {
			t.Errorf("seed %d: %+v: %+v, %v; want %+v", seed, q, got, err, sum)
		}
	}
}
