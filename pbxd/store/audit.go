package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"galilei/pbxd/pbx"
)

// Limits of the audit log.
const (
	maxAuditEntries = 50_000
	maxAuditMinor   = 10_000 // of each kind but pbx.ActDecisive, which has the rest
	pruneAuditEvery = 64     // entries: keeps the walk over them off most acts
	maxAuditField   = 200    // runes; a client chooses what it tries to log in as
	maxAuditAsked   = 500    // in one answer
)

// Audit writes one entry durably, numbers it, and now and then drops the oldest
// of each pbx.ActKind beyond its room: 10,000, and 20,000 of ActDecisive, so
// that there are some 50,000 in all. A zero time becomes now; fields are cut at 200 characters.
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
		if id%pruneAuditEvery != 0 {
			return nil
		}
		return pruneActs(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("store: audit %q: %w", e.Action, err)
	}
	return nil
}

// pruneActs drops the oldest entries of each kind.
func pruneActs(ctx context.Context, tx writeTx) error {
	room := maxAuditEntries
	var named []any
	for _, kind := range []pbx.ActKind{pbx.ActLogin, pbx.ActFailure, pbx.ActOwn} {
		var acts []any
		for _, act := range pbx.ActsOf(kind) {
			acts = append(acts, act)
		}
		if err := keepNewest(ctx, tx, "action IN (?"+strings.Repeat(",?", len(acts)-1)+")", acts, maxAuditMinor); err != nil {
			return err
		}
		named, room = append(named, acts...), room-maxAuditMinor
	}
	return keepNewest(ctx, tx, "action NOT IN (?"+strings.Repeat(",?", len(named)-1)+")", named, room)
}

// keepNewest keeps n entries of those that are meant.
func keepNewest(ctx context.Context, tx writeTx, meant string, acts []any, n int) error {
	var oldest int64
	err := tx.QueryRowContext(ctx, "SELECT id FROM audit WHERE "+meant+" ORDER BY id DESC LIMIT 1 OFFSET ?", append(slices.Clone(acts), n)...).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		_, err = tx.ExecContext(ctx, "DELETE FROM audit WHERE "+meant+" AND id <= ?", append(slices.Clone(acts), oldest)...)
	}
	if err != nil {
		return fmt.Errorf("prune the audit log to %d: %w", n, err)
	}
	return nil
}

// AuditLog returns the entries that q asks for, newest first: at most q.Limit
// (1 to 500, otherwise 500), with an ID below q.Before (0: from the newest on),
// not before q.Since and before q.Until. Entries leave the log when they are
// older than the setting Retention.AuditDays or when Audit drops them.
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
			s.opts.Log.Error("damaged entry of the audit log passed over", "id", e.ID, "err", err)
			continue
		}
		e.Time = time.UnixMilli(ms).UTC()
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: read audit log: %w", s.db.reading(err))
	}
	return list, nil
}
