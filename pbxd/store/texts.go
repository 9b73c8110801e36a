package store

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"galilei/pbxd/pbx"
)

// AddTexts keeps a message for each of users, by their IDs, and returns its
// numbers in their order. A zero time becomes now. Of each user the newest
// pbx.MaxTextsKept are kept, and when there are more the oldest of the sender
// who has the most goes: nobody pushes out what others have sent. What is longer
// than pbx.MaxText is cut.
func (s *Store) AddTexts(ctx context.Context, users []string, m pbx.Text) ([]int64, error) {
	if m.Time.IsZero() {
		m.Time = s.opts.Now()
	}
	ids := make([]int64, 0, len(users))
	err := s.db.writeOrRefuse(ctx, fmt.Sprintf("keep a message for %d users", len(users)), func(tx writeTx) error {
		for _, user := range users {
			done, err := tx.ExecContext(ctx, "INSERT INTO text (user, number, name, time, delivered, body) VALUES (?, ?, ?, ?, ?, ?)",
				user, clipped(m.Number, maxMailField), clipped(m.Name, maxMailField), m.Time.UnixMilli(), m.Delivered, clipped(m.Body, pbx.MaxText))
			if err != nil {
				return err
			}
			id, err := done.LastInsertId()
			if err != nil {
				return err
			}
			ids = append(ids, id)
			if _, err := tx.ExecContext(ctx, `DELETE FROM text WHERE id = (SELECT min(id) FROM text WHERE user = ?1
				GROUP BY number ORDER BY count(*) DESC, min(id) LIMIT 1) AND (SELECT count(*) FROM text WHERE user = ?1) > ?2`, user, pbx.MaxTextsKept); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// TextDelivered notes that a phone has taken a message. One that is gone
// already is no error.
func (s *Store) TextDelivered(ctx context.Context, id int64) error {
	err := s.db.write(ctx, lazy, func(tx writeTx) error {
		_, err := tx.ExecContext(ctx, "UPDATE text SET delivered = 1 WHERE id = ?", id)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: note that message %d was delivered: %w", id, err)
	}
	return nil
}

// Texts returns the messages of a user, the newest first.
func (s *Store) Texts(ctx context.Context, user string) ([]pbx.Text, error) {
	rows, err := s.db.readers.QueryContext(ctx, "SELECT id, number, name, time, delivered, body FROM text WHERE user = ? ORDER BY id DESC", user)
	if err != nil {
		return nil, fmt.Errorf("store: read messages: %w", s.db.reading(err))
	}
	defer rows.Close()
	list := []pbx.Text{}
	for rows.Next() {
		var m pbx.Text
		var ms int64
		if err := rows.Scan(&m.ID, &m.Number, &m.Name, &ms, &m.Delivered, &m.Body); err != nil {
			return nil, fmt.Errorf("store: read messages: %w", s.db.reading(err))
		}
		m.Time = time.UnixMilli(ms).UTC()
		list = append(list, m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: read messages: %w", s.db.reading(err))
	}
	return list, nil
}

// DeleteText deletes a message of a user. The error is fs.ErrNotExist when the
// user has none of that number.
func (s *Store) DeleteText(ctx context.Context, user string, id int64) error {
	return s.db.writeOrRefuse(ctx, fmt.Sprintf("delete message %d", id), func(tx writeTx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM text WHERE user = ? AND id = ?", user, id)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return refusal{fmt.Errorf("store: message %d: %w", id, fs.ErrNotExist)}
		}
		return nil
	})
}

// pruneTexts deletes messages from before cutoff, and log-ins of users that there
// are no more; their messages have time to come back with them, as pruneOrphans
// says. One that was written while the clock was not set is as old as those
// around it.
func pruneTexts(ctx context.Context, tx writeTx, c *pbx.Config, cutoff time.Time) error {
	users := make([]any, len(c.Users))
	for i := range c.Users {
		users[i] = c.Users[i].ID
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(users)), ",")
	for _, of := range []string{"desk WHERE user", "desk WHERE phone"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+of+" NOT IN ("+marks+")", users...); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM text WHERE id <= (SELECT coalesce(max(id), 0) FROM text WHERE time >= ? AND time < ?)",
		firstTime().UnixMilli(), cutoff.UnixMilli())
	return err
}
