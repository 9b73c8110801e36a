package store

import (
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// A million call records of two years: 200 users, 50,000 numbers outside, four
// gateways.
const fillRecords = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999),
	x AS (SELECT i, i % 3 AS way, (i * 7919) % 50000 AS outside, (i * 31) % 200 AS user, (i * 17) % 10 AS outcome FROM n)
INSERT INTO cdr (call, direction, result, cause, toll, hidden, estimated, began, answered, ended, ring, talk,
	caller_number, caller_e164, caller_name, caller_user, dialled, dialled_e164, target_number, target_e164, target_name, target_user,
	gateway_in, group_in, gateway_out, group_out, caller_key, target_key, caller_name_key, target_name_key)
SELECT 'x-' || i, CASE way WHEN 0 THEN 'in' WHEN 1 THEN 'out' ELSE 'internal' END,
	CASE WHEN outcome < 6 THEN 'answered' WHEN outcome < 8 THEN 'noAnswer' WHEN outcome = 8 THEN 'busy' ELSE 'failed' END, 16, 'national', 0, 0,
	1767225600000 + i * 63000, 0, 1767225600000 + i * 63000 + 60000, i % 30, CASE WHEN outcome < 6 THEN i % 600 ELSE 0 END,
	CASE way WHEN 0 THEN '089' || (100000 + outside) ELSE 100 + user END, CASE way WHEN 0 THEN '+4989' || (100000 + outside) ELSE '' END,
	CASE way WHEN 0 THEN '' ELSE 'Anna Demo' END, CASE way WHEN 0 THEN '' ELSE 'u' || user END,
	CASE way WHEN 1 THEN '0043' || (100000 + outside) ELSE 100 + user END, '', CASE way WHEN 1 THEN '0043' || (100000 + outside) ELSE 100 + user END, '',
	CASE way WHEN 1 THEN 'Josef Huber' ELSE 'Ben Demo' END, CASE way WHEN 1 THEN '' ELSE 'u' || ((user + 7) % 200) END,
	CASE way WHEN 0 THEN 'gw' || (i % 4) ELSE '' END, '', CASE way WHEN 1 THEN 'gw' || (i % 4) ELSE '' END, '',
	CASE way WHEN 0 THEN '+4989' || (100000 + outside) ELSE 100 + user END, CASE way WHEN 1 THEN '+43' || (100000 + outside) ELSE 100 + user END,
	CASE way WHEN 0 THEN ' ' ELSE ' anna demo' END, CASE way WHEN 1 THEN ' josef huber' ELSE ' ben demo' END
FROM x`

// BenchmarkMillionRecords measures the first page and the totals of searches in
// 1,000,000 records: go test ./pbxd/store -run '^$' -bench MillionRecords -benchtime 5x.
func BenchmarkMillionRecords(b *testing.B) {
	s := openIn(b, b.TempDir())
	ctx := b.Context()
	begun := time.Now()
	for _, query := range []string{"PRAGMA cache_size = -300000", "PRAGMA synchronous = OFF", fillRecords, "PRAGMA cache_size = -1024"} {
		if _, err := s.db.writer.ExecContext(ctx, query); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("filled in %v", time.Since(begun))
	first := time.UnixMilli(1767225600000)
	for _, x := range []struct {
		name string
		q    pbx.RecordQuery
	}{
		{"all", pbx.RecordQuery{}},
		{"month", pbx.RecordQuery{Since: first.AddDate(0, 6, 0).Add(time.Hour), Until: first.AddDate(0, 7, 0).Add(5 * time.Hour)}},
		{"busy", pbx.RecordQuery{Result: pbx.RecordBusy}},
		{"gateway", pbx.RecordQuery{Gateway: "gw2", Direction: pbx.RecordOut}},
		{"nogateway", pbx.RecordQuery{Gateway: "none"}},
		{"prefix", pbx.RecordQuery{Target: "0043*"}},
		{"narrow", pbx.RecordQuery{Target: "004310012*"}},
		{"number", pbx.RecordQuery{Caller: "089 100123"}},
		{"suffix", pbx.RecordQuery{Target: "*12"}},
		{"nothing", pbx.RecordQuery{Target: "*99999999"}},
		{"user", pbx.RecordQuery{User: "u17"}},
		{"name", pbx.RecordQuery{Target: "huber"}},
		{"duration", pbx.RecordQuery{MinSeconds: 590}},
	} {
		x.q.Limit = 50
		b.Run("page/"+x.name, func(b *testing.B) {
			for range b.N {
				if _, err := s.Records(ctx, x.q); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("totals/"+x.name, func(b *testing.B) {
			for range b.N {
				if _, err := s.RecordTotals(ctx, x.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, x := range []struct {
		name string
		q    pbx.RecordQuery
		want int
	}{{"all", pbx.RecordQuery{}, 1_000_000}, {"prefix", pbx.RecordQuery{Target: "0043*"}, 333_333}, {"suffix", pbx.RecordQuery{Target: "*12"}, 9_999}} {
		b.Run("export/"+x.name, func(b *testing.B) {
			for range b.N {
				n := 0
				for _, err := range s.ExportRecords(ctx, x.q) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != x.want {
					b.Errorf("%d records, want %d", n, x.want)
				}
			}
		})
	}
	b.Run("write", func(b *testing.B) { // a batch of 10 calls
		for range b.N {
			for range 10 {
				s.NoteRecord(someRecord(time.Now()))
			}
			if err := s.writeRecords(ctx); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("delete", func(b *testing.B) { // a batch, after which others have their turn
		for range b.N {
			if err := s.db.write(ctx, lazy, func(tx writeTx) error {
				_, err := tx.ExecContext(ctx, "DELETE FROM cdr WHERE id IN (SELECT id FROM cdr ORDER BY id LIMIT ?)", trimBatch)
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
