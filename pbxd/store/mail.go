package store

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"galilei/pbxd/pbx"
)

// Limits of the mail queue.
const (
	maxMailWaiting = 1000
	maxMailFailed  = 200      // that are shown until newer ones push them out
	maxMailSize    = 64 << 20 // bytes of text and attachments, all together
	maxMailField   = 1000     // runes of receiver, subject, kind and reason
	maxMailAtOnce  = 16 << 20 // bytes that DueMail holds in memory, save for the first mail
)

// States of a mail.
const (
	mailWaiting = "waiting"
	mailFailed  = "failed"
)

// EnqueueMail keeps a mail durably until it is sent and returns its number. A
// zero Created becomes now, a zero Next is due at once. At most 1,000 wait, and
// text and attachments of all have at most 64 MiB: mails that were given up
// make room, the oldest first, then the error is pbx.ErrTooMany.
func (s *Store) EnqueueMail(ctx context.Context, j pbx.MailJob) (id int64, err error) {
	if j.Created.IsZero() {
		j.Created = s.opts.Now()
	}
	if j.Next.IsZero() {
		j.Next = j.Created
	}
	attachments, err := json.Marshal(j.Attachments)
	if err != nil {
		return 0, fmt.Errorf("store: write attachments as JSON: %w", err)
	}
	size := len(j.Text) + len(attachments)
	err = s.writeMail(ctx, "enqueue mail", func(tx writeTx) error {
		if err := makeMailRoom(ctx, tx, int64(size)); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `
			INSERT INTO mail (created, next, attempts, kind, recipient, subject, state, reason, size, text, attachments)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			j.Created.UnixMilli(), j.Next.UnixMilli(), j.Attempts, clipped(j.Kind, maxMailField), clipped(j.To, maxMailField),
			clipped(j.Subject, maxMailField), mailWaiting, clipped(j.Reason, maxMailField), size, j.Text, attachments)
		if err != nil {
			return err
		}
		id, err = done.LastInsertId()
		return err
	})
	if err != nil {
		return 0, err
	}
	return id, nil
}

// makeMailRoom deletes mails that were given up until size bytes more fit.
func makeMailRoom(ctx context.Context, tx writeTx, size int64) error {
	var waiting int
	var held, given int64
	err := tx.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE state = 'waiting'), coalesce(sum(size) FILTER (WHERE state = 'waiting'), 0),
		coalesce(sum(size) FILTER (WHERE state = 'failed'), 0) FROM mail`).Scan(&waiting, &held, &given)
	if err != nil {
		return err
	}
	if waiting >= maxMailWaiting || held+size > maxMailSize {
		return refusal{fmt.Errorf("store: enqueue mail of %d bytes: %d mails with %d bytes wait; at most %d with %d are kept: %w",
			size, waiting, held, maxMailWaiting, maxMailSize, pbx.ErrTooMany)}
	}
	if held+given+size <= maxMailSize {
		return nil
	}
	_, err = tx.ExecContext(ctx, `
		DELETE FROM mail WHERE id IN (
			SELECT id FROM (SELECT id, sum(size) OVER (ORDER BY id DESC) AS kept FROM mail WHERE state = 'failed')
			WHERE kept > ?)`, maxMailSize-held-size)
	return err
}

// DueMail returns up to limit (1 to 1000, otherwise 1000) mails that wait and
// whose next attempt is due at now, with all that is to be sent, the longest
// due first. Fewer are returned when they are large. Mails that are damaged
// are given up, so that they do not hold up the others.
func (s *Store) DueMail(ctx context.Context, now time.Time, limit int) ([]pbx.MailJob, error) {
	if limit < 1 || limit > maxMailWaiting {
		limit = maxMailWaiting
	}
	for { // ends: what is damaged is not due the next time
		list, damaged, err := s.readDueMail(ctx, now, limit)
		if err != nil {
			return nil, fmt.Errorf("store: read mails that are due: %w", s.db.reading(err))
		}
		for id, cause := range damaged {
			s.opts.Log.Error("mail is damaged and given up", "mail", id, "err", cause)
			if err := s.MailFailed(ctx, id, 0, time.Time{}, "The mail is damaged."); err != nil {
				return nil, err
			}
		}
		if len(list) > 0 || len(damaged) == 0 {
			return list, nil
		}
	}
}

// readDueMail returns the mails that are due, and by their numbers what is
// wrong with those that cannot be read.
func (s *Store) readDueMail(ctx context.Context, now time.Time, limit int) (list []pbx.MailJob, damaged map[int64]error, err error) {
	rows, err := s.db.readers.QueryContext(ctx, "SELECT "+mailColumns+", size, text, attachments FROM mail WHERE state = 'waiting' AND next <= ? ORDER BY next, id LIMIT ?",
		now.UnixMilli(), limit)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	list, damaged = []pbx.MailJob{}, map[int64]error{}
	held := 0
	for rows.Next() && held < maxMailAtOnce {
		var size int
		var text string
		var attachments []byte
		j, err := scanMail(rows, &size, &text, &attachments)
		if err == nil {
			err = json.Unmarshal(attachments, &j.Attachments)
		}
		if err != nil {
			damaged[j.ID] = err
			continue
		}
		j.Text = text
		held += size
		list = append(list, j)
	}
	return list, damaged, rows.Err()
}

const mailColumns = "id, created, next, attempts, kind, recipient, subject, state, reason"

// scanMail reads a row. The number of the mail is right also when there is an
// error, which is about a value of another kind than the column's.
func scanMail(row interface{ Scan(...any) error }, more ...any) (j pbx.MailJob, err error) {
	var created, next int64
	err = row.Scan(append([]any{&j.ID, &created, &next, &j.Attempts, &j.Kind, &j.To, &j.Subject, &j.State, &j.Reason}, more...)...)
	j.Created = time.UnixMilli(created).UTC()
	if j.State == mailWaiting {
		j.Next = time.UnixMilli(next).UTC()
	}
	return j, err
}

// MailJobs returns all mails that wait or were given up, the oldest first,
// without text and attachments. Those that cannot be read count as given up.
func (s *Store) MailJobs(ctx context.Context) ([]pbx.MailJob, error) {
	rows, err := s.db.readers.QueryContext(ctx, "SELECT "+mailColumns+" FROM mail ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("store: read mails: %w", s.db.reading(err))
	}
	defer rows.Close()
	list := []pbx.MailJob{}
	for rows.Next() {
		j, err := scanMail(rows)
		if err != nil {
			j = pbx.MailJob{ID: j.ID, State: mailFailed, Reason: "The mail is damaged."}
		}
		list = append(list, j)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: read mails: %w", s.db.reading(err))
	}
	return list, nil
}

// MailDone forgets a mail that was sent, durably: it is never sent again. A
// mail that is gone already is no error.
func (s *Store) MailDone(ctx context.Context, id int64) error {
	return s.writeMail(ctx, fmt.Sprintf("delete mail %d that was sent", id), func(tx writeTx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM mail WHERE id = ?", id)
		return err
	})
}

// MailFailed notes that an attempt failed: how many there were, when the next
// is due and why. A zero next gives the mail up; the 200 newest of those are
// kept. A mail that is gone already is no error.
func (s *Store) MailFailed(ctx context.Context, id int64, attempt int, next time.Time, reason string) error {
	state, due := mailWaiting, int64(0)
	if next.IsZero() {
		state = mailFailed
	} else {
		due = next.UnixMilli()
	}
	return s.writeMail(ctx, fmt.Sprintf("note attempt %d of mail %d", attempt, id), func(tx writeTx) error {
		_, err := tx.ExecContext(ctx, "UPDATE mail SET attempts = ?, next = ?, state = ?, reason = ? WHERE id = ?",
			attempt, due, state, clipped(reason, maxMailField), id)
		if err != nil || state == mailWaiting {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM mail WHERE state = 'failed' AND id NOT IN (SELECT id FROM mail WHERE state = 'failed' ORDER BY id DESC LIMIT ?)", maxMailFailed)
		return err
	})
}

// RetryMail makes a mail due at once as if it had never been tried, also one
// that was given up. The error is fs.ErrNotExist when there is none of that
// number, pbx.ErrTooMany when 1,000 wait already.
func (s *Store) RetryMail(ctx context.Context, id int64) error {
	now := s.opts.Now().UnixMilli()
	return s.writeMail(ctx, fmt.Sprintf("try mail %d again", id), func(tx writeTx) error {
		var waiting int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM mail WHERE state = 'waiting' AND id <> ?", id).Scan(&waiting); err != nil {
			return err
		}
		if waiting >= maxMailWaiting {
			return refusal{fmt.Errorf("store: try mail %d again: %d mails wait: %w", id, waiting, pbx.ErrTooMany)}
		}
		done, err := tx.ExecContext(ctx, "UPDATE mail SET attempts = 0, next = ?, state = 'waiting' WHERE id = ?", now, id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return refusal{fmt.Errorf("store: mail %d: %w", id, fs.ErrNotExist)}
		}
		return nil
	})
}

// DeleteMail deletes a mail, durably. The error is fs.ErrNotExist when there
// is none of that number.
func (s *Store) DeleteMail(ctx context.Context, id int64) error {
	return s.writeMail(ctx, fmt.Sprintf("delete mail %d", id), func(tx writeTx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM mail WHERE id = ?", id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return refusal{fmt.Errorf("store: mail %d: %w", id, fs.ErrNotExist)}
		}
		return nil
	})
}

// WatchMail has fn called whenever the queue has changed. fn must not write
// mails.
func (s *Store) WatchMail(fn func()) (stop func()) { return s.mailWatchers.add(fn) }

// writeMail runs change and tells the watchers of the queue.
func (s *Store) writeMail(ctx context.Context, what string, change func(writeTx) error) error {
	if err := s.db.writeOrRefuse(ctx, what, change); err != nil {
		return err
	}
	for _, fn := range s.mailWatchers.all() {
		fn()
	}
	return nil
}
