package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"galilei/pbxd/pbx"
)

// Limits of a secret, in bytes.
const (
	maxSecretName = 100
	maxSecret     = 1 << 20
)

// secretPurpose binds a sealed secret to its name: rows cannot be swapped.
func secretPurpose(name string) string { return "secret/" + name }

// Secret returns the secret of that name, opened with the device key. The
// error is fs.ErrNotExist when there is none and pbx.ErrSealed when it was
// damaged.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	if err := checkSecretName(name); err != nil {
		return nil, err
	}
	var sealed string
	err := s.db.readers.QueryRowContext(ctx, "SELECT sealed FROM secret WHERE name = ?", name).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("store: secret %q: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("store: read secret %q: %w", name, s.db.reading(err))
	}
	value, err := s.key.Open(secretPurpose(name), pbx.Sealed(sealed))
	if err != nil {
		return nil, fmt.Errorf("store: secret %q: %w", name, err)
	}
	return []byte(value.Reveal()), nil // this is what the caller asks for
}

// SetSecret keeps value (at most 1 MiB) under name (1 to 100 bytes), sealed
// with the device key and durably, in place of an earlier one.
func (s *Store) SetSecret(ctx context.Context, name string, value []byte) error {
	if err := checkSecretName(name); err != nil {
		return err
	}
	if len(value) > maxSecret {
		return fmt.Errorf("store: secret %q has %d bytes; at most %d are kept", name, len(value), maxSecret)
	}
	sealed := s.key.Seal(secretPurpose(name), pbx.Secret(value))
	err := s.db.write(ctx, durable, func(tx writeTx) error {
		_, err := tx.ExecContext(ctx,
			"INSERT INTO secret (name, sealed) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed", name, string(sealed))
		return err
	})
	if err != nil {
		return fmt.Errorf("store: write secret %q: %w", name, err)
	}
	return nil
}

func checkSecretName(name string) error {
	if len(name) < 1 || len(name) > maxSecretName {
		return fmt.Errorf("store: the name of a secret has %d bytes; allowed are 1 to %d", len(name), maxSecretName)
	}
	return nil
}
