package store

import (
	"context"
	"database/sql"
	"time"
)

// Bounds of a clock that is believed.
const (
	// maxLeap is how far the time may be from the newest one that was seen: one
	// wrong date, typed in or from a time server, must delete nothing.
	maxLeap = 40 * 24 * time.Hour
	// convinced is how long another time must go on until it is believed. A
	// device that was off for long gets there, too.
	convinced = 24 * time.Hour
	// maxDrift is by how much the clock may be adjusted meanwhile.
	maxDrift = time.Hour
)

// doubt is a time that is far from what was seen before. The zero value is none.
type doubt struct {
	begun time.Time // by the monotonic clock, which nobody sets
	time  time.Time // what the clock said then
}

// believes reports whether now is near the newest time that was seen, or has
// gone on for a day, and keeps it as the newest then. now is set.
func (s *Store) believes(ctx context.Context, tx writeTx, now time.Time) (bool, error) {
	newest, err := newestTime(ctx, tx, now)
	if err != nil {
		return false, err
	}
	if now.Sub(newest).Abs() > maxLeap {
		if !s.doubt.lastsUntil(now) {
			return false, nil
		}
		newest = now
	}
	s.doubt = doubt{}
	if now.After(newest) {
		newest = now
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO clock (one, newest) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET newest = excluded.newest", newest.UnixMilli())
	return err == nil, err
}

// lastsUntil begins or continues a doubt and reports whether the clock has gone
// on from it for as long as it takes to be believed.
func (d *doubt) lastsUntil(now time.Time) bool {
	passed := time.Since(d.begun)
	if d.begun.IsZero() || (now.Sub(d.time)-passed).Abs() > maxDrift {
		*d = doubt{time.Now(), now.Round(0)}
		return false
	}
	return passed >= convinced
}

// newestTime returns the newest time that was believed. A database that knows
// none has that of its revisions, and without a revision of a set clock there
// is nothing to doubt now by.
func newestTime(ctx context.Context, tx writeTx, now time.Time) (time.Time, error) {
	var ms sql.NullInt64
	err := tx.QueryRowContext(ctx, "SELECT coalesce((SELECT newest FROM clock), (SELECT max(time) FROM revision WHERE time >= ?))",
		firstTime().UnixMilli()).Scan(&ms)
	if err != nil || !ms.Valid {
		return now, err
	}
	return time.UnixMilli(ms.Int64), nil
}
