package store

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// No search in the call records, and nothing that deletes some, goes through the
// whole table: what SQLite plans for each query names an index, and the list is
// read in its order.
func TestRecordsAreFoundByIndex(t *testing.T) {
	s := openIn(t, t.TempDir())
	for i := range 50 {
		r := someRecord(time.Date(2030, 1, 1+i, 12, 0, 0, 0, time.UTC))
		r.Call = fmt.Sprint(i)
		recorded(t, s, r)
	}
	asked := map[string][]any{
		"DELETE FROM cdr WHERE id IN (SELECT id FROM cdr WHERE id <= (SELECT max(id) FROM cdr) - ? ORDER BY id LIMIT ?)":                  {9, 9},
		"DELETE FROM cdr WHERE id IN (SELECT id FROM cdr INDEXED BY cdr_list WHERE began < ? AND id <= ? ORDER BY began LIMIT ?)":         {9, 9, 9},
		"DELETE FROM cdr WHERE id IN (SELECT id FROM cdr INDEXED BY cdr_list WHERE began < ? ORDER BY began LIMIT ?)":                     {9, 9},
		"SELECT max(t), (SELECT coalesce(max(id), 0) FROM cdr) FROM (SELECT newest AS t FROM clock UNION ALL SELECT max(began) FROM cdr)": {},
		"UPDATE cdr SET began = began + ?2 WHERE estimated = 1 AND id > ?1":                                                               {9, 9},
		"UPDATE cdr_leg SET began = began + ?2 WHERE cdr IN (SELECT id FROM cdr WHERE estimated = 1 AND id > ?1)":                         {9, 9},
	}
	s.records.asked = func(query string, args []any) { asked[query] = args }
	at := time.Date(2030, 1, 3, 5, 0, 0, 0, time.UTC)
	for _, few := range []int{0, maxLookup} { // too many for an index, and few
		s.records.few = few
		for _, q := range []pbx.RecordQuery{
			{}, {Since: at}, {Until: at}, {Since: at, Until: at.AddDate(0, 1, 1)}, {Since: at, Until: at.Add(time.Hour)}, {After: pbx.RecordPlace{Began: at.UnixMilli(), ID: 3}},
			{Direction: pbx.RecordIn}, {Result: pbx.RecordBusy}, {Gateway: "gw1"}, {Gateway: "none", Since: at}, {User: "demo101"}, {User: "nobody", Until: at},
			{Caller: "089*"}, {Caller: "*56"}, {Caller: "+49 89 123456"}, {Caller: "jörg"}, {Target: "10?"}, {Target: "*"}, {Target: "ben", Caller: "0*"},
			{MinSeconds: 5}, {MaxSeconds: 5, WithRing: true}, {User: "demo102", Caller: "089123456", Target: "102", Direction: pbx.RecordIn, Result: pbx.RecordAnswered, Gateway: "gw1"},
		} {
			if _, err := s.Records(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			if _, err := s.RecordTotals(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := s.Record(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RecordOfCall(t.Context(), "3"); err != nil {
		t.Fatal(err)
	}
	for query, args := range asked {
		rows, err := s.db.writer.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			whole := strings.HasPrefix(step, "SCAN cdr") && step != "SCAN cdr_day" && !strings.HasPrefix(step, "SCAN cdr USING INDEX cdr_list")
			if sorted := strings.Contains(step, "TEMP B-TREE") && !strings.Contains(query, "NOT INDEXED"); whole || sorted {
				t.Errorf("%s: %s", query, step)
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(asked) < 40 {
		t.Errorf("%d queries were looked at", len(asked))
	}
}
