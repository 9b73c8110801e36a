package store

import (
	"context"
	"fmt"
	"time"

	"galilei/pbxd/pbx"
)

// dayLength is that of a day of the sums, in ms.
const dayLength = 24 * 60 * 60 * 1000

// before reports whether a is older than b, and so follows it in the list.
func before(a, b pbx.RecordPlace) bool {
	return a.Began < b.Began || a.Began == b.Began && a.ID < b.ID
}

// RecordTotals sums up the call records that q asks for, whatever q.After and
// q.Limit say. By time, type, direction and gateway all records count, however
// many they are. Other conditions look at 10,000 records where an index leads to
// so few, otherwise at the newest 500,000, which Since of the answer tells.
func (s *Store) RecordTotals(ctx context.Context, q pbx.RecordQuery) (pbx.RecordTotals, error) {
	var t pbx.RecordTotals
	err := s.lookIntoRecords(ctx, q, func(v recordView) error {
		if v.filter.summed() {
			return v.sums(ctx, &t)
		}
		return v.count(ctx, &t)
	})
	if err != nil {
		return t, fmt.Errorf("store: sum up call records: %w", s.db.reading(err))
	}
	return t, nil
}

// sums takes whole days from their sums and the rest from the records.
func (v recordView) sums(ctx context.Context, t *pbx.RecordTotals) error {
	since, until := v.filter.since, v.filter.until
	first, end := (since+dayLength-1)/dayLength, until/dayLength // whole days
	if first >= end {
		return v.add(ctx, t, "cdr INDEXED BY cdr_list WHERE ", nil, since, until)
	}
	c := and(append([]condition{{"day >= ? AND day < ?", []any{first, end}}}, v.filter.sums...)...)
	err := v.addRow(ctx, t, `SELECT coalesce(sum(calls), 0), coalesce(sum(CASE result WHEN 'answered' THEN calls ELSE 0 END), 0),
		coalesce(sum(talk), 0), coalesce(sum(ring), 0) FROM cdr_day WHERE `+c.text, c.args)
	if err == nil && since < first*dayLength {
		err = v.add(ctx, t, "cdr INDEXED BY cdr_list WHERE ", nil, since, first*dayLength)
	}
	if err == nil && end*dayLength < until && until < endOfTime {
		err = v.add(ctx, t, "cdr INDEXED BY cdr_list WHERE ", nil, end*dayLength, until)
	}
	return err
}

// count looks at records.
func (v recordView) count(ctx context.Context, t *pbx.RecordTotals) error {
	since, until := v.filter.since, v.filter.until
	source, args, err := v.few(ctx)
	if err != nil {
		return err
	}
	if source == "" {
		source = "cdr INDEXED BY cdr_list WHERE "
		last, more, err := v.listed(ctx, pbx.RecordPlace{Began: until}, pbx.RecordPlace{Began: since}, v.s.records.most)
		if err != nil {
			return err
		}
		if more && last.Began > since {
			since, t.Since = last.Began, time.UnixMilli(last.Began).UTC()
		}
	}
	return v.add(ctx, t, source, args, since, until)
}

// add adds the records of a source that match and began in [since, until).
func (v recordView) add(ctx context.Context, t *pbx.RecordTotals, source string, args []any, since, until int64) error {
	c := and(condition{"began >= ? AND began < ?", []any{since, until}}, v.filter.conditions())
	return v.addRow(ctx, t, "SELECT count(*), coalesce(sum(result = 'answered'), 0), coalesce(sum(talk), 0), coalesce(sum(ring), 0) FROM "+source+c.text, append(args, c.args...))
}

func (v recordView) addRow(ctx context.Context, t *pbx.RecordTotals, query string, args []any) error {
	var calls, answered int
	var talk, ring int64
	if err := v.tx.QueryRowContext(ctx, query, args...).Scan(&calls, &answered, &talk, &ring); err != nil {
		return err
	}
	t.Calls, t.Answered, t.Talk, t.Ring = t.Calls+calls, t.Answered+answered, t.Talk+talk, t.Ring+ring
	return nil
}
