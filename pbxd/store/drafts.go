package store

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"galilei/pbxd/pbx"
)

// Limits of drafts.
const (
	maxDrafts     = 200
	maxDraftPath  = 200      // bytes
	maxDraftValue = 64 << 10 // bytes of JSON
)

// Drafts returns the values of the system settings that are not committed, by
// path.
func (s *Store) Drafts(ctx context.Context) ([]pbx.Draft, error) {
	rows, err := s.db.readers.QueryContext(ctx, "SELECT path, value, author, time FROM draft ORDER BY path")
	if err != nil {
		return nil, fmt.Errorf("store: read drafts: %w", s.db.reading(err))
	}
	defer rows.Close()
	list := []pbx.Draft{}
	for rows.Next() {
		var d pbx.Draft
		var ms int64
		if err := rows.Scan(&d.Path, &d.Value, &d.Author, &ms); err != nil {
			return nil, fmt.Errorf("store: read drafts: %w", s.db.reading(err))
		}
		if !json.Valid([]byte(d.Value)) {
			s.opts.Log.Error("damaged draft passed over", "path", d.Path)
			continue
		}
		d.Time = time.UnixMilli(ms).UTC()
		list = append(list, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: read drafts: %w", s.db.reading(err))
	}
	return list, nil
}

// SetDraft keeps a value durably, in place of an earlier one of its path. A
// zero time becomes now. At most 200 are kept (pbx.ErrTooMany), each with a
// path of 1 to 200 bytes and a value of at most 64 KiB of JSON.
func (s *Store) SetDraft(ctx context.Context, d pbx.Draft) error {
	if len(d.Path) < 1 || len(d.Path) > maxDraftPath || len(d.Value) > maxDraftValue || !json.Valid([]byte(d.Value)) {
		return fmt.Errorf("store: draft with a path of %d bytes and a value of %d: allowed are 1 to %d, and %d of JSON",
			len(d.Path), len(d.Value), maxDraftPath, maxDraftValue)
	}
	if d.Time.IsZero() {
		d.Time = s.opts.Now()
	}
	return s.writeDrafts(ctx, fmt.Sprintf("write draft %q", d.Path), func(tx writeTx) error {
		var others int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM draft WHERE path <> ?", d.Path).Scan(&others); err != nil {
			return err
		}
		if others >= maxDrafts {
			return refusal{fmt.Errorf("store: draft %q: %d are kept: %w", d.Path, others, pbx.ErrTooMany)}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO draft (path, value, author, time) VALUES (?, ?, ?, ?)
			ON CONFLICT (path) DO UPDATE SET value = excluded.value, author = excluded.author, time = excluded.time`,
			d.Path, d.Value, clipped(d.Author, maxAuthor), d.Time.UnixMilli())
		return err
	})
}

// DeleteDraft forgets the value of a path, durably. The error is
// fs.ErrNotExist when there is none.
func (s *Store) DeleteDraft(ctx context.Context, path string) error {
	return s.writeDrafts(ctx, fmt.Sprintf("delete draft %q", path), func(tx writeTx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM draft WHERE path = ?", path)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return refusal{fmt.Errorf("store: draft %q: %w", path, fs.ErrNotExist)}
		}
		return nil
	})
}

// DeleteDrafts forgets all values, durably.
func (s *Store) DeleteDrafts(ctx context.Context) error {
	return s.writeDrafts(ctx, "delete all drafts", func(tx writeTx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM draft")
		return err
	})
}

// WatchDrafts has fn called with the number of drafts whenever one was written
// or deleted, in that order. fn must not write drafts.
func (s *Store) WatchDrafts(fn func(n int)) (stop func()) { return s.draftWatchers.add(fn) }

// writeDrafts runs change and tells the watchers how many drafts there are.
func (s *Store) writeDrafts(ctx context.Context, what string, change func(writeTx) error) error {
	s.draftMu.Lock() // numbers are told in the order in which they came about
	defer s.draftMu.Unlock()
	var n int
	err := s.db.writeOrRefuse(ctx, what, func(tx writeTx) error {
		if err := change(tx); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, "SELECT count(*) FROM draft").Scan(&n)
	})
	if err != nil {
		return err
	}
	for _, fn := range s.draftWatchers.all() {
		fn(n)
	}
	return nil
}
