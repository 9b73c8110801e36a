package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"galilei/pbxd/pbx"
)

// Limits of pictures.
const (
	maxPicture    = 100 << 10 // bytes
	maxPictures   = 128 << 20 // bytes of all together; users have what the directories leave
	maxPrivate    = 48 << 20  // bytes of all private directories together
	maxOfOwner    = 8 << 20   // bytes of one private directory: 1,000 contacts in 8 KB, or 300 in 25 KB
	maxGlobal     = 64 << 20  // bytes of the global directory
	freshlyStored = 16        // of the newest are kept though nothing names them yet
)

// PutPicture keeps a picture (1 byte to 100 KiB) under hash, the SHA-256 of
// its bytes in hexadecimal, durably. It is for the directory of owner: the ID of
// a user, "" for the global one, or pbx.PicturesOfUsers; a private directory may
// hold 8 MiB, all of them 48 MiB, the global one 64 MiB. At 128 MiB in all, pictures make room that
// neither the current configuration nor a contact names, the oldest first;
// when that is not enough the error is pbx.ErrTooMany. The 16 newest stay:
// their users are about to be told of them.
func (s *Store) PutPicture(ctx context.Context, owner, hash string, jpeg []byte) error {
	if len(jpeg) < 1 || len(jpeg) > maxPicture {
		return fmt.Errorf("store: picture has %d bytes; allowed are 1 to %d", len(jpeg), maxPicture)
	}
	if sum := sha256.Sum256(jpeg); hash != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("store: picture of %d bytes has another hash than %q", len(jpeg), hash)
	}
	return s.db.writeOrRefuse(ctx, "write picture", func(tx writeTx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM picture WHERE hash = ?", hash); err != nil { // it is new again
			return err
		}
		if err := withinQuota(ctx, tx, owner, int64(len(jpeg))); err != nil {
			return err
		}
		if err := s.makeRoom(ctx, tx, int64(len(jpeg))); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO picture (hash, size, jpeg) VALUES (?, ?, ?)", hash, len(jpeg), jpeg)
		return err
	})
}

// withinQuota refuses a picture for which a directory has no room.
func withinQuota(ctx context.Context, tx writeTx, owner string, size int64) error {
	const private, one = "owner <> ''", "owner = ?1"
	check := func(whose string, most int64) error {
		var held int64
		err := tx.QueryRowContext(ctx, "SELECT coalesce(sum(size), 0) FROM picture WHERE hash IN (SELECT image FROM contact WHERE image <> '' AND ?1 = ?1 AND "+whose+")", owner).Scan(&held)
		if err != nil {
			return fmt.Errorf("measure the pictures of a directory: %w", err)
		}
		if held+size > most {
			return refusal{fmt.Errorf("store: pictures of a directory have %d bytes; at most %d are kept: %w", held, most, pbx.ErrTooMany)}
		}
		return nil
	}
	switch owner {
	case pbx.PicturesOfUsers:
		return nil
	case "":
		return check(one, maxGlobal)
	}
	if err := check(one, maxOfOwner); err != nil {
		return err
	}
	return check(private, maxPrivate)
}

// makeRoom deletes pictures that nothing names until size bytes more fit.
func (s *Store) makeRoom(ctx context.Context, tx writeTx, size int64) error {
	var held int64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(sum(size), 0) FROM picture").Scan(&held); err != nil {
		return err
	}
	over := held + size - maxPictures
	if over <= 0 {
		return nil
	}
	unused, err := s.unusedPictures(ctx, tx)
	if err != nil {
		return err
	}
	for _, p := range unused {
		if over <= 0 {
			break
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM picture WHERE seq = ?", p.seq); err != nil {
			return err
		}
		over -= p.size
	}
	if over > 0 {
		return refusal{fmt.Errorf("store: pictures have %d bytes; at most %d are kept: %w", held, maxPictures, pbx.ErrTooMany)}
	}
	return nil
}

type storedPicture struct{ seq, size int64 }

// unusedPictures returns the pictures that nothing names, the oldest first.
func (s *Store) unusedPictures(ctx context.Context, tx writeTx) ([]storedPicture, error) {
	used := map[string]bool{}
	c, _ := s.Current()
	for i := range c.Users {
		used[c.Users[i].Image] = true
	}
	rows, err := tx.QueryContext(ctx, `
		SELECT seq, size, hash FROM picture
		WHERE seq NOT IN (SELECT seq FROM picture ORDER BY seq DESC LIMIT ?)
		AND hash NOT IN (SELECT image FROM contact WHERE image <> '') ORDER BY seq`, freshlyStored)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []storedPicture
	for rows.Next() {
		var p storedPicture
		var hash string
		if err := rows.Scan(&p.seq, &p.size, &hash); err != nil {
			return nil, err
		}
		if !used[hash] {
			list = append(list, p)
		}
	}
	return list, rows.Err()
}

// Picture returns the picture of that hash, or fs.ErrNotExist.
func (s *Store) Picture(ctx context.Context, hash string) ([]byte, error) {
	var jpeg []byte
	err := s.db.readers.QueryRowContext(ctx, "SELECT jpeg FROM picture WHERE hash = ?", hash).Scan(&jpeg)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("store: picture %q: %w", hash, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("store: read picture %q: %w", hash, s.db.reading(err))
	}
	return jpeg, nil
}

// PictureOwners returns the owners of the directories in which a contact shows
// the picture of that hash, sorted: IDs of users, "" for the global directory.
// Users that show it themselves stand in the configuration.
func (s *Store) PictureOwners(ctx context.Context, hash string) (owners []string, err error) {
	owners = []string{}
	rows, err := s.db.readers.QueryContext(ctx, "SELECT DISTINCT owner FROM contact WHERE image = ? AND image <> '' ORDER BY owner", hash)
	if err != nil {
		return nil, fmt.Errorf("store: owners of picture %q: %w", hash, s.db.reading(err))
	}
	defer rows.Close()
	for rows.Next() {
		var owner string
		if err := rows.Scan(&owner); err != nil {
			return nil, fmt.Errorf("store: owners of picture %q: %w", hash, s.db.reading(err))
		}
		owners = append(owners, owner)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: owners of picture %q: %w", hash, s.db.reading(err))
	}
	return owners, nil
}
