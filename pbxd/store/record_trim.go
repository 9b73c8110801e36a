package store

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"galilei/pbxd/pbx"
)

// How call records are deleted: few at a time, so that no call that ends
// meanwhile waits for it.
const (
	trimInterval = time.Hour
	trimBatch    = 100
	trimPause    = 5 * time.Millisecond
	tellInterval = 2 * time.Second // those who look see the records go
	exportBatch  = maxRecordsAsked
)

// trimSoon has the call records looked through for what is not kept any more.
func (r *records) trimSoon() {
	select {
	case r.trim <- struct{}{}:
	default:
	}
}

// trimRecords deletes, every hour until ctx ends, the call records that are older
// than the settings say or more than they allow.
func (s *Store) trimRecords(ctx context.Context) {
	s.records.trimSoon()
	tick := time.NewTicker(trimInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-s.records.trim:
		case <-ctx.Done():
			return
		}
		if err := s.trimOnce(ctx); err != nil && ctx.Err() == nil {
			s.opts.Log.Error("old call records not deleted", "err", err)
		}
	}
}

// trimOnce deletes all that is not kept, and first what somebody wants to be gone.
// While the clock is not set or not
// believed no record is too old.
func (s *Store) trimOnce(ctx context.Context) error {
	if err := s.deleteDoomed(ctx); err != nil {
		return err
	}
	c, _ := s.Current()
	// IDs are given in order: so many IDs back there are at most so many records.
	_, err := s.deleteRecords(ctx, `DELETE FROM cdr WHERE id IN (SELECT id FROM cdr WHERE id <= (SELECT max(id) FROM cdr) - ? ORDER BY id LIMIT ?)`, int64(c.Retention.RecordCalls))
	if err != nil {
		return fmt.Errorf("keep %d call records: %w", c.Retention.RecordCalls, err)
	}
	now, believed := s.opts.Now(), false
	if !clockIsSet(now) {
		return nil
	}
	if err := s.settleRecords(ctx); err != nil {
		return fmt.Errorf("set the time of call records: %w", err)
	}
	if err := s.db.write(ctx, lazy, func(tx writeTx) (err error) {
		believed, err = s.believes(ctx, tx, now)
		return err
	}); err != nil || !believed {
		return err
	}
	_, err = s.deleteRecords(ctx, `DELETE FROM cdr WHERE id IN (SELECT id FROM cdr INDEXED BY cdr_list WHERE began < ? ORDER BY began LIMIT ?)`,
		now.AddDate(0, 0, -c.Retention.RecordDays).UnixMilli())
	if err != nil {
		return fmt.Errorf("keep call records for %d days: %w", c.Retention.RecordDays, err)
	}
	return nil
}

// deleteRecords runs a query that deletes so many records as its last parameter
// says, until there are none left for it, and returns how many there were.
func (s *Store) deleteRecords(ctx context.Context, query string, args ...any) (n int, err error) {
	told := time.Now()
	for {
		var done int64
		err := s.db.write(ctx, lazy, func(tx writeTx) error {
			result, err := tx.ExecContext(ctx, query, append(slices.Clip(args), trimBatch)...)
			if err == nil {
				done, err = result.RowsAffected()
			}
			return err
		})
		n += int(done)
		if passed := time.Since(told); passed > tellInterval {
			told = time.Now()
			s.records.tell()
		}
		if err != nil || done < trimBatch {
			return n, err
		}
		select {
		case <-time.After(trimPause):
		case <-ctx.Done():
			return n, ctx.Err()
		}
	}
}

// ExportRecords goes through all records that q asks for, newest first and without
// legs, whatever q.Limit says. It reads them in parts and holds nothing between:
// who writes them to a slow network keeps nobody waiting. Calls that end
// meanwhile are missing. After an error there is no more.
func (s *Store) ExportRecords(ctx context.Context, q pbx.RecordQuery) iter.Seq2[pbx.CallRecord, error] {
	return func(yield func(pbx.CallRecord, error) bool) {
		q.Limit = exportBatch
		for {
			page, err := s.Records(ctx, q)
			if err != nil {
				yield(pbx.CallRecord{}, err)
				return
			}
			for _, r := range page.Records {
				if !yield(r, nil) {
					return
				}
			}
			if !page.More {
				return
			}
			q.After = page.Next
		}
	}
}
