package store

import (
	"context"
	"fmt"
	"math"
	"time"

	"galilei/pbxd/pbx"
)

// Limits of the audit log.
const (
	maxAuditEntries = 50_000
	maxAuditField   = 200 // runes; a client chooses what it tries to log in as
	maxAuditAsked   = 500 // in one answer
)

// Audit writes one entry durably, numbers it, and drops the oldest beyond
// 50,000. A zero time becomes now; fields are cut at 200 characters.
func (s *Store) Audit(ctx context.Context, e pbx.AuditEntry) error {
	if e.Time.IsZero() {
		e.Time = s.opts.Now()
	}
	err := s.db.write(ctx, durable, func(tx writeTx) error {
		done, err := tx.ExecContext(ctx, "INSERT INTO audit (time, actor, action, object, client, as_user) VALUES (?, ?, ?, ?, ?, ?)",
			e.Time.UnixMilli(), clipped(e.Actor, maxAuditField), clipped(e.Action, maxAuditField),
			clipped(e.Object, maxAuditField), clipped(e.From, maxAuditField), clipped(e.As, maxAuditField))
		if err != nil {
			return err
		}
		id, err := done.LastInsertId()
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM audit WHERE id <= ?", id-maxAuditEntries)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: audit %q: %w", e.Action, err)
	}
	return nil
}

// AuditLog returns the entries that q asks for, newest first: at most q.Limit
// (1 to 500, otherwise 500), with an ID below q.Before (0: from the newest on),
// not before q.Since and before q.Until. Entries leave the log when they are
// older than the setting Retention.AuditDays or more than 50,000 are newer.
func (s *Store) AuditLog(ctx context.Context, q pbx.AuditQuery) ([]pbx.AuditEntry, error) {
	if q.Before <= 0 {
		q.Before = math.MaxInt64
	}
	if q.Limit < 1 || q.Limit > maxAuditAsked {
		q.Limit = maxAuditAsked
	}
	where, args := "id < ?", []any{q.Before}
	and := func(condition string, values ...any) { where, args = where+" AND "+condition, append(args, values...) }
	if q.Actor != "" {
		and("(actor = ? OR as_user = ? AND as_user <> '')", q.Actor, q.Actor)
	}
	if q.Action != "" {
		and("action = ?", q.Action)
	}
	if !q.Since.IsZero() {
		and("time >= ?", q.Since.UnixMilli())
	}
	if !q.Until.IsZero() {
		and("time < ?", q.Until.UnixMilli())
	}
	rows, err := s.db.readers.QueryContext(ctx,
		"SELECT id, time, actor, action, object, client, as_user FROM audit WHERE "+where+" ORDER BY id DESC LIMIT ?", append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("store: read audit log: %w", s.db.reading(err))
	}
	defer rows.Close()
	list := []pbx.AuditEntry{}
	for rows.Next() {
		var e pbx.AuditEntry
		var ms int64
		if err := rows.Scan(&e.ID, &ms, &e.Actor, &e.Action, &e.Object, &e.From, &e.As); err != nil {
			return nil, fmt.Errorf("store: read audit log: %w", s.db.reading(err))
		}
		e.Time = time.UnixMilli(ms).UTC()
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: read audit log: %w", s.db.reading(err))
	}
	return list, nil
}
