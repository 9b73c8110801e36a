package web

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strconv"
	"time"

	"galilei/pbxd/pbx"
)

// recorded enters call records.
func (m *memory) recorded(list ...pbx.CallRecord) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range list {
		r.ID = int64(len(m.records) + 1)
		m.records = append(m.records, r)
	}
	m.send(pbx.Fact{Kind: pbx.FactRecords})
}

// matching are the records that q asks for, newest first: numbers as they are
// written, by path.Match.
func (m *memory) matching(q pbx.RecordQuery) (list []pbx.CallRecord) {
	m.mu.Lock()
	defer m.mu.Unlock()
	like := func(asked, number string) bool {
		ok, err := path.Match(asked, number)
		return asked == "" || ok && err == nil
	}
	for _, r := range slices.Backward(m.records) {
		target, seconds := r.Target.Number, r.Talk
		if target == "" {
			target = r.Dialled
		}
		if q.WithRing {
			seconds += r.Ring
		}
		switch {
		case !q.Since.IsZero() && r.Began.Before(q.Since), !q.Until.IsZero() && !r.Began.Before(q.Until), !like(q.Caller, r.Caller.Number), !like(q.Target, target):
		case seconds < q.MinSeconds, q.MaxSeconds > 0 && seconds > q.MaxSeconds, q.Result != "" && r.Result != q.Result, q.Direction != "" && r.Direction != q.Direction:
		case q.User != "" && r.Caller.User != q.User && r.Target.User != q.User, q.Gateway != "" && r.GatewayIn != q.Gateway && r.GatewayOut != q.Gateway:
		default:
			list = append(list, r)
		}
	}
	return list
}

func (m *memory) Records(_ context.Context, q pbx.RecordQuery) (p pbx.RecordPage, _ error) {
	for _, r := range m.matching(q) {
		if q.After.ID != 0 && r.ID >= q.After.ID {
			continue
		}
		if p.More = len(p.Records) == q.Limit; p.More {
			break
		}
		r.Legs = nil
		p.Records, p.Next = append(p.Records, r), pbx.RecordPlace{Began: r.Began.UnixMilli(), ID: r.ID}
	}
	return p, nil
}

func (m *memory) Record(_ context.Context, id int64) (pbx.CallRecord, error) {
	for _, r := range m.matching(pbx.RecordQuery{}) {
		if r.ID == id {
			return r, nil
		}
	}
	return pbx.CallRecord{}, fmt.Errorf("record %d: %w", id, fs.ErrNotExist)
}

func (m *memory) RecordTotals(_ context.Context, q pbx.RecordQuery) (t pbx.RecordTotals, _ error) {
	for _, r := range m.matching(q) {
		t.Calls, t.Talk, t.Ring = t.Calls+1, t.Talk+int64(r.Talk), t.Ring+int64(r.Ring)
		if r.Result == pbx.RecordAnswered {
			t.Answered++
		}
	}
	return t, nil
}

func (m *memory) ExportRecords(_ context.Context, q pbx.RecordQuery) iter.Seq2[pbx.CallRecord, error] {
	return func(yield func(pbx.CallRecord, error) bool) {
		for _, r := range m.matching(q) {
			if !yield(r, nil) {
				return
			}
		}
		if m.recordsErr != nil {
			yield(pbx.CallRecord{}, m.recordsErr)
		}
	}
}

func (m *memory) DeleteRecords(ctx context.Context, before time.Time, act pbx.AuditEntry) (int, error) {
	gone := m.matching(pbx.RecordQuery{Until: before})
	act.Object = strconv.Itoa(len(gone))
	if err := m.Audit(ctx, act); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = slices.DeleteFunc(m.records, func(r pbx.CallRecord) bool { return before.IsZero() || r.Began.Before(before) })
	return len(gone), nil
}

func (m *memory) DeletingRecords() bool { return false }
