package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"galilei/pbxd/pbx"
)

// Limits of a search in the call records.
const (
	maxRecordsAsked = 200 // in one part of the list
	// maxLookup is how many records a search visits one by one where an index has
	// led it to; beyond, it goes along the list.
	maxLookup = 10_000
	// maxListed is how many records a search looks at along the list.
	maxListed = 500_000
)

// recordColumns begin with the place, which a damaged record still has.
const recordColumns = `id, began, call, direction, result, cause, toll, hidden, estimated, answered, ended, ring, talk,
	caller_number, caller_e164, caller_name, caller_user, dialled, dialled_e164, target_number, target_e164, target_name, target_user,
	gateway_in, group_in, gateway_out, group_out`

// Records returns the part of the call records that q asks for, without legs,
// newest first: at most q.Limit (1 to 200, otherwise 200). It looks at 500,000
// records at most, and goes on from there when it is asked for what follows. What
// NoteRecord took less than 200 ms ago may be missing.
func (s *Store) Records(ctx context.Context, q pbx.RecordQuery) (pbx.RecordPage, error) {
	if q.Limit < 1 || q.Limit > maxRecordsAsked {
		q.Limit = maxRecordsAsked
	}
	page := pbx.RecordPage{Records: []pbx.CallRecord{}}
	err := s.lookIntoRecords(ctx, q, func(v recordView) (err error) {
		page, err = v.page(ctx, q)
		return err
	})
	if err != nil {
		return page, fmt.Errorf("store: read call records: %w", s.db.reading(err))
	}
	return page, nil
}

// Record returns one call record with its legs. The error is fs.ErrNotExist when
// there is none of that ID.
func (s *Store) Record(ctx context.Context, id int64) (pbx.CallRecord, error) {
	return s.record(ctx, "id = ?", id)
}

// RecordOfCall returns the record of a call, with its legs. The error is
// fs.ErrNotExist when there is none.
func (s *Store) RecordOfCall(ctx context.Context, call string) (pbx.CallRecord, error) {
	return s.record(ctx, "call = ? ORDER BY id DESC LIMIT 1", call)
}

func (s *Store) record(ctx context.Context, which string, arg any) (pbx.CallRecord, error) {
	var r pbx.CallRecord
	err := s.lookIntoRecords(ctx, pbx.RecordQuery{}, func(v recordView) error {
		err := scanRecord(v.tx.QueryRowContext(ctx, "SELECT "+recordColumns+" FROM cdr WHERE "+which, arg), &r)
		if errors.Is(err, sql.ErrNoRows) {
			return fs.ErrNotExist
		}
		if err == nil {
			r.Legs, err = v.legs(ctx, r.ID)
		}
		return err
	})
	if err != nil {
		return r, fmt.Errorf("store: call record %v: %w", arg, s.db.reading(err))
	}
	return r, nil
}

// recordView is one view of the database for the parts of a search.
type recordView struct {
	tx     askedTx
	filter recordFilter
	s      *Store
}

// askedTx is a transaction that tells what it is asked.
type askedTx struct {
	*sql.Tx
	tell func(query string, args []any) // nil save in tests
}

func (tx askedTx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if tx.tell != nil {
		tx.tell(query, args)
	}
	return tx.Tx.QueryContext(ctx, query, args...)
}

func (tx askedTx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if tx.tell != nil {
		tx.tell(query, args)
	}
	return tx.Tx.QueryRowContext(ctx, query, args...)
}

func (s *Store) lookIntoRecords(ctx context.Context, q pbx.RecordQuery, look func(recordView) error) error {
	tx, err := s.db.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing was written
	return look(recordView{askedTx{tx, s.records.asked}, filterOf(s.asked(), q), s})
}

func (v recordView) page(ctx context.Context, q pbx.RecordQuery) (pbx.RecordPage, error) {
	page := pbx.RecordPage{Records: []pbx.CallRecord{}}
	// Places are compared as pairs, so that the list begins where it must without
	// looking at what was there before.
	above, from := pbx.RecordPlace{Began: v.filter.until}, pbx.RecordPlace{Began: v.filter.since}
	if after := q.After; after != (pbx.RecordPlace{}) && before(after, above) {
		above = after
	}
	source, args, err := v.few(ctx)
	if err != nil {
		return page, err
	}
	if source != "" || len(v.filter.sums)+len(v.filter.rest) == 0 {
		if source == "" {
			source = "cdr INDEXED BY cdr_list WHERE "
		}
		err := v.read(ctx, &page, q.Limit, source, args, above, from)
		return page, err
	}
	// Where much matches there is no need to look far: windows grow.
	window, left := max(v.s.records.most/100, 1), v.s.records.most
	for {
		window = min(window, left)
		last, more, err := v.listed(ctx, above, from, window)
		if err != nil {
			return page, err
		}
		low := from
		if more {
			low = last
		}
		if err := v.read(ctx, &page, q.Limit, "cdr INDEXED BY cdr_list WHERE ", nil, above, low); err != nil || page.More || !more {
			return page, err
		}
		if left -= window; left == 0 {
			page.Next, page.More = last, true
			return page, nil
		}
		above, window = last, 10*window
	}
}

// read adds to a page the records of a source that match, from below above down to
// from, until it holds as many as were asked for. More then says whether there is
// another, and Next where it begins.
func (v recordView) read(ctx context.Context, page *pbx.RecordPage, limit int, source string, args []any, above, from pbx.RecordPlace) error {
	c := and(condition{"(began, id) < (?, ?)", []any{above.Began, above.ID}}, condition{"(began, id) >= (?, ?)", []any{from.Began, from.ID}}, v.filter.conditions())
	n := len(page.Records)
	rows, err := v.tx.QueryContext(ctx, "SELECT "+recordColumns+" FROM "+source+c.text+" ORDER BY began DESC, id DESC LIMIT ?", append(append(args, c.args...), limit-n+1)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		if n == limit { // there is another
			page.More = true
			break
		}
		var r pbx.CallRecord
		err := scanRecord(rows, &r)
		if n == limit-1 {
			page.Next = pbx.RecordPlace{ID: r.ID}
			if !r.Began.IsZero() {
				page.Next.Began = r.Began.UnixMilli()
			}
		}
		if err != nil {
			v.s.opts.Log.Error("damaged call record passed over", "id", r.ID, "err", err)
			continue
		}
		page.Records = append(page.Records, r)
	}
	return rows.Err()
}

// few returns a source of records to which an index leads, when they are few, as
// what follows FROM up to a condition; "" when there is none.
func (v recordView) few(ctx context.Context) (source string, args []any, err error) {
	fewest := v.s.records.few + 1
	for _, way := range v.filter.few {
		n, ids, values := 0, "", []any(nil)
		for i, r := range way {
			var found int
			if err := v.tx.QueryRowContext(ctx, "SELECT count(*) FROM ("+r.ids()+" LIMIT ?)", append(append([]any{}, r.args...), fewest)...).Scan(&found); err != nil {
				return "", nil, err
			}
			if n += found; n >= fewest {
				break
			}
			if i > 0 {
				ids += " UNION "
			}
			ids, values = ids+r.ids(), append(values, r.args...)
		}
		if n < fewest {
			fewest, source, args = n, "cdr NOT INDEXED WHERE id IN ("+ids+") AND ", values
		}
	}
	return source, args, nil
}

// listed returns the last of n records along the list, from above down to from,
// and whether there are that many.
func (v recordView) listed(ctx context.Context, above, from pbx.RecordPlace, n int) (last pbx.RecordPlace, more bool, err error) {
	err = v.tx.QueryRowContext(ctx, `SELECT began, id FROM cdr INDEXED BY cdr_list WHERE (began, id) < (?, ?) AND (began, id) >= (?, ?)
		ORDER BY began DESC, id DESC LIMIT 1 OFFSET ?`, above.Began, above.ID, from.Began, from.ID, n-1).Scan(&last.Began, &last.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return last, false, nil
	}
	return last, err == nil, err
}

func (v recordView) legs(ctx context.Context, id int64) ([]pbx.RecordLeg, error) {
	rows, err := v.tx.QueryContext(ctx, "SELECT number, e164, name, user, gateway, began, answered, ended, act, payer, toll, cause FROM cdr_leg WHERE cdr = ? ORDER BY position", id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var legs []pbx.RecordLeg
	for rows.Next() {
		var l pbx.RecordLeg
		var began, answered, ended int64
		if err := rows.Scan(&l.Party.Number, &l.Party.E164, &l.Party.Name, &l.Party.User, &l.Gateway, &began, &answered, &ended, &l.Act, &l.Payer, &l.Toll, &l.Cause); err != nil {
			v.s.opts.Log.Error("damaged leg of a call record passed over", "id", id, "err", err)
			continue
		}
		l.Began, l.Answered, l.Ended = recordTime(began), recordTime(answered), recordTime(ended)
		legs = append(legs, l)
	}
	return legs, rows.Err()
}

func scanRecord(row interface{ Scan(...any) error }, r *pbx.CallRecord) error {
	var began, answered, ended int64
	err := row.Scan(&r.ID, &began, &r.Call, &r.Direction, &r.Result, &r.Cause, &r.Toll, &r.Hidden, &r.Estimated, &answered, &ended, &r.Ring, &r.Talk,
		&r.Caller.Number, &r.Caller.E164, &r.Caller.Name, &r.Caller.User, &r.Dialled, &r.DialledE, &r.Target.Number, &r.Target.E164, &r.Target.Name, &r.Target.User,
		&r.GatewayIn, &r.GroupIn, &r.GatewayOut, &r.GroupOut)
	r.Began, r.Answered, r.Ended = recordTime(began), recordTime(answered), recordTime(ended)
	return err
}

// recordTime is the time of ms since 1970, of which 0 is not known.
func recordTime(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
