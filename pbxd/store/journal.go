package store

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"math"
	"time"

	"galilei/pbxd/pbx"
)

// maxJournalAsked is the largest page of a journal.
const maxJournalAsked = 200

// Journal returns the part of a user's journal that q asks for, newest first: at
// most q.Limit entries (1 to 200, otherwise 200) with an ID below q.Before (0:
// from the newest on), and how many match in all. Conditions hold together.
// What NoteCall took less than a second ago may be missing.
func (s *Store) Journal(ctx context.Context, q pbx.JournalQuery) (pbx.JournalPage, error) {
	page := pbx.JournalPage{Entries: []pbx.JournalEntry{}}
	if q.Before <= 0 {
		q.Before = math.MaxInt64
	}
	if q.Limit < 1 || q.Limit > maxJournalAsked {
		q.Limit = maxJournalAsked
	}
	where, args := journalWhere(q)
	// One view of the database for the number and the page.
	tx, err := s.db.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return page, fmt.Errorf("store: read journal: %w", s.db.reading(err))
	}
	defer tx.Rollback() // nothing was written
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM journal WHERE "+where, args...).Scan(&page.Total); err != nil {
		return page, fmt.Errorf("store: count journal: %w", s.db.reading(err))
	}
	rows, err := tx.QueryContext(ctx, `SELECT id, user, call, direction, result, number, name, hunt_group, time, duration, unseen
		FROM journal WHERE `+where+" AND id < ? ORDER BY id DESC LIMIT ?", append(args, q.Before, q.Limit)...)
	if err != nil {
		return page, fmt.Errorf("store: read journal: %w", s.db.reading(err))
	}
	defer rows.Close()
	for rows.Next() {
		var e pbx.JournalEntry
		var ms int64
		if err := rows.Scan(&e.ID, &e.User, &e.Call, &e.Direction, &e.Result, &e.Number, &e.Name, &e.Group, &ms, &e.Duration, &e.New); err != nil {
			s.opts.Log.Error("damaged entry of a journal passed over", "id", e.ID, "err", err)
			continue
		}
		e.Time = time.UnixMilli(ms).UTC()
		page.Entries = append(page.Entries, e)
	}
	if err := rows.Err(); err != nil {
		return page, fmt.Errorf("store: read journal: %w", s.db.reading(err))
	}
	return page, nil
}

// journalWhere returns the condition of q but for its place. A journal is short
// enough to be looked through.
func journalWhere(q pbx.JournalQuery) (where string, args []any) {
	where, args = "user = ?", []any{q.User}
	and := func(condition string, values ...any) { where, args = where+" AND "+condition, append(args, values...) }
	if q.New {
		and("unseen = 1")
	}
	if q.Direction != "" {
		and("direction = ?", string(q.Direction))
	}
	if q.Result != "" {
		and("result = ?", string(q.Result))
	}
	if prefix := sortKey(q.Name); prefix != "" {
		and("instr(name_key, ?) > 0", " "+prefix)
	}
	switch prefix := digits(q.Number); {
	case prefix != "":
		and("number_key >= ? AND number_key < ?", prefix, beyond(prefix))
	case q.Number != "": // no number is like that
		and("0")
	}
	return where, args
}

// nameKey returns what stands for a name when it is searched: each of its words
// follows a space.
func nameKey(name string) string { return " " + sortKey(name) }

// SeeMissed says that a user has looked at the missed calls up to an entry. It
// returns how many were new.
func (s *Store) SeeMissed(ctx context.Context, user string, upTo int64) (int, error) {
	n, err := s.alterJournal(ctx, "see missed calls", user, "UPDATE journal SET unseen = 0 WHERE user = ? AND unseen = 1 AND id <= ?", user, upTo)
	return int(n), err
}

// DeleteCall deletes one entry of a user's journal. The error is fs.ErrNotExist
// when the user has none of that ID.
func (s *Store) DeleteCall(ctx context.Context, user string, id int64) error {
	n, err := s.alterJournal(ctx, "delete from the journal", user, "DELETE FROM journal WHERE user = ? AND id = ?", user, id)
	if err == nil && n == 0 {
		return fmt.Errorf("store: entry %d of the journal: %w", id, fs.ErrNotExist)
	}
	return err
}

// DeleteCalls deletes the entries of a user's journal up to one of them, and
// returns how many there were.
func (s *Store) DeleteCalls(ctx context.Context, user string, upTo int64) (int, error) {
	n, err := s.alterJournal(ctx, "empty the journal", user, "DELETE FROM journal WHERE user = ? AND id <= ?", user, upTo)
	return int(n), err
}

// alterJournal changes entries of one user durably and returns how many.
func (s *Store) alterJournal(ctx context.Context, what, user, query string, args ...any) (n int64, err error) {
	err = s.db.write(ctx, durable, func(tx writeTx) error {
		done, err := tx.ExecContext(ctx, query, args...)
		if err == nil {
			n, err = done.RowsAffected()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store: %s: %w", what, err)
	}
	if n > 0 {
		s.tellJournal([]string{user})
	}
	return n, nil
}

// WatchJournal has fn called with the IDs of users after their journals have
// changed. fn must not wait for the store.
func (s *Store) WatchJournal(fn func(users []string)) (stop func()) {
	return s.journalWatchers.add(fn)
}

func (s *Store) tellJournal(users []string) {
	for _, fn := range s.journalWatchers.all() {
		fn(users)
	}
}

// pruneJournal deletes the entries from before cutoff. Those that were written
// while the clock was not set are as old as the entries around them.
func pruneJournal(ctx context.Context, tx writeTx, cutoff time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM journal WHERE time < ?1 AND id <= (
		SELECT coalesce(max(id), 0) FROM journal WHERE time >= ?2 AND time < ?1)`, cutoff.UnixMilli(), firstTime().UnixMilli())
	return err
}

// shortenJournals keeps the newest calls of each user who has more than most.
func shortenJournals(ctx context.Context, tx writeTx, users []string, most int) error {
	for _, user := range users {
		if _, err := tx.ExecContext(ctx, `DELETE FROM journal WHERE user = ?1 AND id <= (
			SELECT id FROM journal WHERE user = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`, user, most); err != nil {
			return fmt.Errorf("shorten the journal of %s to %d: %w", user, most, err)
		}
	}
	return nil
}

// journalUsers returns whose journals hold something. It goes from user to user
// along the index.
func journalUsers(ctx context.Context, tx writeTx) ([]string, error) {
	return texts(tx.QueryContext(ctx, `WITH RECURSIVE u(id) AS (SELECT min(user) FROM journal
		UNION ALL SELECT (SELECT min(user) FROM journal WHERE user > u.id) FROM u WHERE u.id IS NOT NULL) SELECT id FROM u WHERE id IS NOT NULL`))
}

// texts reads the only column of rows.
func texts(rows *sql.Rows, err error) (list []string, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return list, rows.Err()
}
