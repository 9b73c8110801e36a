package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"
)

// recordClock knows how far the clock of this start was off. It is guarded by the
// turn to write.
type recordClock struct {
	wall  time.Time // what the clock said when the store was opened
	begun time.Time // when that was, by the monotonic clock, which nobody sets

	estimated bool          // records were, or are about to be, written with an estimate
	estimate  time.Duration // of how far the clock is off, while it is not set
	before    int64         // the newest ID from before the estimate

	settled atomic.Bool // the clock is set, and no record has a time from before
}

// moved returns t in ms since 1970, by shift later when the clock was not set. A
// time that is not known is 0.
func moved(t time.Time, shift time.Duration) int64 {
	if t.IsZero() {
		return 0
	}
	if !clockIsSet(t) {
		t = t.Add(shift)
	}
	return max(t.UnixMilli(), 1)
}

// recordShift returns by how much times from before the clock was set are to be
// moved. While it is not set that is an estimate: as if the device had started
// when it was last known what time it was.
func (s *Store) recordShift(ctx context.Context, tx writeTx) (shift time.Duration, estimated bool, err error) {
	c := &s.records.clock
	if now := s.opts.Now(); clockIsSet(now) {
		return c.shift(now), false, nil
	}
	if c.estimated {
		return c.estimate, true, nil
	}
	var newest sql.NullInt64
	err = tx.QueryRowContext(ctx, `SELECT max(t), (SELECT coalesce(max(id), 0) FROM cdr) FROM (SELECT newest AS t FROM clock
		UNION ALL SELECT max(began) FROM cdr UNION ALL SELECT max(time) FROM revision) WHERE t >= ?`, firstTime().UnixMilli()).Scan(&newest, &c.before)
	if err != nil {
		return 0, true, err
	}
	c.estimate, c.estimated = 0, true
	c.settled.Store(false)
	if newest.Valid {
		c.estimate = time.UnixMilli(newest.Int64).Sub(c.wall)
	}
	return c.estimate, true, nil
}

// shift returns how far the clock was off when the store was opened. now is set.
func (c *recordClock) shift(now time.Time) time.Duration {
	return now.Round(0).Sub(c.wall) - time.Since(c.begun)
}

// settleRecords puts right, once the clock is set, what was written with an
// estimate. What an earlier start could not even estimate was before this one.
func (s *Store) settleRecords(ctx context.Context) error {
	c := &s.records.clock
	if c.settled.Load() || !clockIsSet(s.opts.Now()) {
		return nil
	}
	err := s.db.write(ctx, durable, func(tx writeTx) error {
		shift := c.shift(s.opts.Now())
		if c.estimated {
			if err := moveRecords(ctx, tx, "estimated = 1 AND id > ?1", c.before, shift-c.estimate, false); err != nil {
				return err
			}
		}
		var left sql.NullInt64
		if err := tx.QueryRowContext(ctx, "SELECT max(began) FROM cdr WHERE began < ?", firstTime().UnixMilli()).Scan(&left); err != nil || !left.Valid {
			return err
		}
		return moveRecords(ctx, tx, "began < ?1", firstTime().UnixMilli(), c.wall.Add(shift).Sub(time.UnixMilli(left.Int64)), true)
	})
	if err == nil {
		c.settled.Store(true)
	}
	return err
}

// moveRecords moves the times of records that meet a condition on ?1.
func moveRecords(ctx context.Context, tx writeTx, condition string, arg int64, by time.Duration, estimated bool) error {
	const times = "began = began + ?2, answered = CASE answered WHEN 0 THEN 0 ELSE answered + ?2 END, ended = ended + ?2"
	_, err := tx.ExecContext(ctx, "UPDATE cdr_leg SET "+times+" WHERE cdr IN (SELECT id FROM cdr WHERE "+condition+")", arg, by.Milliseconds())
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE cdr SET "+times+", estimated = ?3 WHERE "+condition, arg, by.Milliseconds(), estimated)
	}
	if err != nil {
		return fmt.Errorf("move records by %v: %w", by, err)
	}
	return nil
}
