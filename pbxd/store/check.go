package store

import (
	"context"
	"fmt"
	"time"
)

// checkInterval is how long a good check is believed. Anybody may ask after
// the device's health, and every check wears the flash.
const checkInterval = 10 * time.Second

// Check proves that the store works by writing a row durably and reading it
// back: a disk that is full, read-only or broken shows here. A good result is
// believed for 10 s unless a write has failed since.
func (s *Store) Check(ctx context.Context) error {
	s.checkMu.Lock()
	defer s.checkMu.Unlock()
	now := s.opts.Now()
	if age := now.Sub(s.checked); !s.checked.IsZero() && age >= 0 && age < checkInterval && !s.db.lastWriteFailed() {
		return nil
	}
	s.checked = time.Time{}
	want := now.UnixMilli()
	err := s.db.write(ctx, durable, func(tx writeTx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO heartbeat (id, time) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET time = excluded.time", want)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: check: write: %w", err)
	}
	var got int64
	if err := s.db.readers.QueryRowContext(ctx, "SELECT time FROM heartbeat WHERE id = 1").Scan(&got); err != nil {
		return fmt.Errorf("store: check: read: %w", s.db.reading(err))
	}
	if got != want {
		return fmt.Errorf("store: check: wrote %d and read %d: %w", want, got, ErrDamaged)
	}
	s.checked = now
	return nil
}
