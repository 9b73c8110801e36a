package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"galilei/pbxd/pbx"
)

// Desks returns the phones at which another user than their own is logged in.
func (s *Store) Desks(ctx context.Context) ([]pbx.Desk, error) {
	rows, err := s.db.readers.QueryContext(ctx, "SELECT phone, user, since FROM desk")
	if err != nil {
		return nil, fmt.Errorf("store: read who is logged in at phones: %w", s.db.reading(err))
	}
	defer rows.Close()
	list := []pbx.Desk{}
	for rows.Next() {
		var d pbx.Desk
		var ms int64
		if err := rows.Scan(&d.Phone, &d.User, &ms); err != nil {
			return nil, fmt.Errorf("store: read who is logged in at phones: %w", s.db.reading(err))
		}
		d.Since = time.UnixMilli(ms).UTC()
		list = append(list, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: read who is logged in at phones: %w", s.db.reading(err))
	}
	return list, nil
}

// LogIn keeps durably that a user is logged in at a phone and nowhere else.
// Both are IDs of users; the phone is that of its own user.
func (s *Store) LogIn(ctx context.Context, d pbx.Desk) error {
	return s.db.writeOrRefuse(ctx, "log in at a phone", func(tx writeTx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM desk WHERE phone = ? OR user = ?", d.Phone, d.User); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO desk (phone, user, since) VALUES (?, ?, ?)", d.Phone, d.User, d.Since.UnixMilli())
		return err
	})
}

// LogOut keeps durably that a user is logged in at no other phone than the own,
// and nobody else at the phone of that user.
func (s *Store) LogOut(ctx context.Context, user string) error {
	return s.db.writeOrRefuse(ctx, "log out at a phone", func(tx writeTx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM desk WHERE user = ?1 OR phone = ?1", user)
		return err
	})
}

// ReminderDone returns when the last reminder of a user that is done was due,
// or the zero time.
func (s *Store) ReminderDone(ctx context.Context, user string) (time.Time, error) {
	var ms int64
	err := s.db.readers.QueryRowContext(ctx, "SELECT due FROM reminder WHERE user = ?", user).Scan(&ms)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("store: read the last reminder: %w", s.db.reading(err))
	}
	return time.UnixMilli(ms), nil
}

// SetReminderDone keeps that the reminder of a user that was due at a time is
// done: answered, or given up.
func (s *Store) SetReminderDone(ctx context.Context, user string, due time.Time) error {
	return s.db.writeOrRefuse(ctx, "note a reminder", func(tx writeTx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO reminder (user, due) VALUES (?, ?) ON CONFLICT (user) DO UPDATE SET due = excluded.due", user, due.UnixMilli())
		return err
	})
}
