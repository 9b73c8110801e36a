package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"reflect"
	"strings"
	"time"

	"galilei/pbxd/pbx"
)

// Limits of the history. The newest revisions are kept; whichever limit is
// met first drops the oldest.
const (
	maxRevisions      = 1000
	maxOwnRevisions   = 200      // in which users changed what is their own
	maxHistorySize    = 64 << 20 // bytes, compressed
	minRevisions      = 20       // kept whatever their size
	maxRevisionText   = 32 << 20 // bytes of JSON in one column: bounds memory when a file is damaged
	maxRevisionsAsked = 200      // in one answer
)

// pruneBySizeEvery keeps the walk over all sizes off most commits.
const pruneBySizeEvery = 16

// Revisions returns up to limit (1 to 200, otherwise 200) revisions older than
// number before, newest first, each with what it changed. before 0 begins with
// the newest. One that cannot be read any more is marked as damaged and has no
// changes.
func (s *Store) Revisions(ctx context.Context, before int64, limit int) ([]pbx.Revision, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	if limit < 1 || limit > maxRevisionsAsked {
		limit = maxRevisionsAsked
	}
	rows, err := s.db.readers.QueryContext(ctx,
		"SELECT number, time, author, comment, message, changes, config FROM revision WHERE number < ? ORDER BY number DESC LIMIT ?", before, limit)
	if err != nil {
		return nil, fmt.Errorf("store: list revisions: %w", s.db.reading(err))
	}
	defer rows.Close()
	list := []pbx.Revision{}
	for rows.Next() {
		var r pbx.Revision
		var ms int64
		var changes, config []byte
		var message string
		if err := rows.Scan(&r.Number, &ms, &r.Author, &r.Comment, &message, &changes, &config); err != nil {
			return nil, fmt.Errorf("store: list revisions: %w", s.db.reading(err))
		}
		r.Time = time.UnixMilli(ms).UTC()
		if r.Message, err = messageOf(message, r.Comment); err != nil {
			r.Message, r.Damaged = pbx.Typed(r.Comment), true
		}
		if err := errors.Join(unpack(changes, &r.Changes), intact(config)); err != nil {
			r.Changes, r.Damaged = nil, true
		}
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: list revisions: %w", s.db.reading(err))
	}
	return list, nil
}

// configOf reads the configuration of one revision. What the version that
// wrote it did not know has the values of the factory: a parameter its default
// (the digit for an outside line that of its country), a list, such as that of the
// permission groups, the entries that come with a new device. A list that it knew
// is as it wrote it, also when it is empty. So a user of version 1 who was an
// administrator is in the group Admins of today, which goes by the user. The error
// is fs.ErrNotExist when there is no such revision.
func (s *Store) configOf(ctx context.Context, number int64) (*pbx.Config, error) {
	var packed []byte
	err := s.db.readers.QueryRowContext(ctx, "SELECT config FROM revision WHERE number = ?", number).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("revision %d: %w", number, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("read revision %d: %w", number, s.db.reading(err))
	}
	var known map[string]json.RawMessage
	if err := unpack(packed, &known); err != nil {
		return nil, fmt.Errorf("revision %d: %w", number, err)
	}
	c := pbx.Factory(s.opts.Defaults)
	c.Users = nil // the demo users are content, not defaults
	emptyLists(c, known)
	if err := unpack(packed, c); err != nil {
		return nil, fmt.Errorf("revision %d: %w", number, err)
	}
	if admin := c.UserByID(pbx.AdminID); known["setup"] == nil && admin != nil {
		c.Setup.WizardDone = admin.PIN != pbx.FactoryPIN // a device in use needs no installation
	}
	var locale map[string]json.RawMessage
	if country, ok := pbx.CountryByCode(c.Locale.Country); ok && json.Unmarshal(known["locale"], &locale) == nil && locale["outsideLine"] == nil {
		c.Locale.OutsideLine = country.OutsideLine // as for a new device there
	}
	return c.Clone(), nil
}

// emptyLists takes the factory's entries out of the lists that are known, so
// that no entry which is read gets the parameters of one that stood there.
func emptyLists(c *pbx.Config, known map[string]json.RawMessage) {
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if _, ok := known[name]; ok && v.Field(i).Kind() == reflect.Slice {
			v.Field(i).SetZero()
		}
	}
}

// newest returns the highest revision number. A database without a revision
// is damaged, because none is ever put in place without the first.
func (d *database) newest(ctx context.Context) (int64, error) {
	var n sql.NullInt64
	if err := d.readers.QueryRowContext(ctx, "SELECT max(number) FROM revision").Scan(&n); err != nil {
		return 0, fmt.Errorf("find the newest revision: %w", d.reading(err))
	}
	if !n.Valid || n.Int64 < 1 {
		return 0, fmt.Errorf("the database holds no revision: %w", ErrDamaged)
	}
	return n.Int64, nil
}

// putRevision writes one revision and drops the oldest beyond the limits. Its
// changes are those that r names, or when it names none, those from old to new.
func putRevision(ctx context.Context, tx writeTx, old, new *pbx.Config, r pbx.Revision) error {
	config, err := pack(new)
	if err != nil {
		return fmt.Errorf("pack the configuration: %w", err)
	}
	if r.Changes == nil {
		r.Changes = pbx.Diff(old, new)
	}
	changes, err := pack(r.Changes)
	if err != nil {
		return fmt.Errorf("pack the changes: %w", err)
	}
	message, err := json.Marshal(r.Message)
	if err != nil {
		return fmt.Errorf("write the comment as JSON: %w", err)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO revision (number, time, author, comment, message, size, changes, config) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		r.Number, r.Time.UnixMilli(), r.Author, r.Comment, string(message), len(config)+len(changes), changes, config)
	if err != nil {
		return fmt.Errorf("write revision %d: %w", r.Number, err)
	}
	return pruneRevisions(ctx, tx, r.Number)
}

func pruneRevisions(ctx context.Context, tx writeTx, newest int64) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM revision WHERE number <= (SELECT number FROM revision ORDER BY number DESC LIMIT 1 OFFSET ?)", maxRevisions)
	if err != nil {
		return fmt.Errorf("prune revisions: %w", err)
	}
	if newest%pruneBySizeEvery != 0 {
		return nil
	}
	// The comment is read before the blobs, the message behind them: so the first decides for most rows.
	const own = "comment GLOB ?1 || '*' AND message LIKE '{\"template\":\"' || ?1 || '%'"
	_, err = tx.ExecContext(ctx, "DELETE FROM revision WHERE number < ?3 AND "+own+
		" AND number <= (SELECT number FROM revision WHERE "+own+" ORDER BY number DESC LIMIT 1 OFFSET ?2)", pbx.OwnChange, maxOwnRevisions, newest)
	if err != nil {
		return fmt.Errorf("prune revisions of own data: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		DELETE FROM revision WHERE number <= ? AND number IN (
			SELECT number FROM (SELECT number, sum(size) OVER (ORDER BY number DESC) AS kept FROM revision)
			WHERE kept > ?)`, newest-minRevisions, maxHistorySize)
	if err != nil {
		return fmt.Errorf("prune revisions by size: %w", err)
	}
	return nil
}

// pack writes v as gzip of JSON.
func pack(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(text) > maxRevisionText {
		return nil, fmt.Errorf("%d bytes of JSON; at most %d are kept", len(text), maxRevisionText)
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// intact says whether what pack wrote has its checksum still.
func intact(packed []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(z, maxRevisionText+1))
	}
	return err
}

// unpack reads what pack wrote, over what v holds already.
func unpack(packed []byte, v any) error {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fmt.Errorf("unpack %d bytes: %w: %w", len(packed), ErrDamaged, err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxRevisionText+1))
	if err != nil {
		return fmt.Errorf("unpack %d bytes: %w: %w", len(packed), ErrDamaged, err)
	}
	if len(text) > maxRevisionText {
		return fmt.Errorf("unpack %d bytes: more than %d bytes of JSON: %w", len(packed), maxRevisionText, ErrDamaged)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("parse %d bytes of JSON: %w: %w", len(text), ErrDamaged, err)
	}
	return nil
}
