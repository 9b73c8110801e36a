package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"galilei/pbxd/pbx"
)

// maxBinding bounds the JSON of one registration, in bytes. A registrar that
// limits its messages to 64 KiB never comes near.
const maxBinding = 64 << 10

// SaveRegistrations replaces all registrations of each extension named; an
// empty list deletes them. One call is one transaction: all of it is kept or
// none. See the package comment for when it is on the disk.
func (s *Store) SaveRegistrations(ctx context.Context, byExtension map[string][]pbx.Registration) error {
	if len(byExtension) == 0 {
		return nil
	}
	err := s.db.write(ctx, lazy, func(tx writeTx) error {
		for ext, list := range byExtension {
			if err := replaceRegistrations(ctx, tx, ext, list); err != nil {
				return fmt.Errorf("extension %s: %w", ext, err)
			}
		}
		// Those from before the clock was set expire by another clock.
		now, from := s.opts.Now(), time.Time{}
		if clockIsSet(now) {
			from = firstTime()
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM registration WHERE expires <= ? AND expires >= ?", now.UnixMilli(), from.UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("store: save registrations of %d extensions: %w", len(byExtension), err)
	}
	return nil
}

func replaceRegistrations(ctx context.Context, tx writeTx, ext string, list []pbx.Registration) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM registration WHERE extension = ?", ext); err != nil {
		return err
	}
	for i, r := range list {
		r.Extension = ext
		text, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("write as JSON: %w", err)
		}
		if len(text) > maxBinding {
			return fmt.Errorf("registration %d has %d bytes; at most %d are kept", i, len(text), maxBinding)
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO registration (extension, position, expires, binding) VALUES (?, ?, ?, ?)",
			ext, i, r.Expires.UnixMilli(), string(text)); err != nil {
			return err
		}
	}
	return nil
}

// Registrations returns the registrations that have not expired, by extension
// and in the order in which they were saved. None lasts longer than the longest
// that is granted now: those that were saved before the clock was set, or by a
// clock that was wrong, last as long. One that cannot be read is left out, and
// the log says so: its phone registers again.
func (s *Store) Registrations(ctx context.Context) ([]pbx.Registration, error) {
	now, unset := s.opts.Now(), time.Time{}
	if clockIsSet(now) {
		unset = firstTime()
	}
	cfg, _ := s.Current()
	last := now.Add(time.Duration(cfg.SIP.MaxExpires) * time.Second)
	rows, err := s.db.readers.QueryContext(ctx,
		"SELECT extension, binding FROM registration WHERE expires > ? OR expires < ? ORDER BY extension, position", now.UnixMilli(), unset.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("store: read registrations: %w", s.db.reading(err))
	}
	defer rows.Close()
	list := []pbx.Registration{}
	for rows.Next() {
		var ext, text string
		if err := rows.Scan(&ext, &text); err != nil {
			return nil, fmt.Errorf("store: read registrations: %w", s.db.reading(err))
		}
		var r pbx.Registration
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			s.opts.Log.Error("registration is damaged; its phone must register again", "extension", ext, "err", err)
			continue
		}
		if r.Expires.After(last) || r.Expires.Before(unset) {
			r.Expires = last
		}
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: read registrations: %w", s.db.reading(err))
	}
	return list, nil
}
