package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"

	"modernc.org/sqlite" // its driver is registered by name, "sqlite"
)

// applicationID marks the file as ours (PRAGMA application_id): "Gali".
const applicationID = 0x47616c69

// database is the open file: one connection that writes, and readers that
// never wait for its fsync.
type database struct {
	mu      sync.Mutex // serializes writes; guards writer and closed
	handle  *sql.DB
	writer  *sql.Conn
	readers *sql.DB
	failed  bool // the last write failed, or there can be no more
}

// durability says when a write is on the disk.
type durability string

const (
	durable durability = "FULL"   // when write returns
	lazy    durability = "NORMAL" // with the next durable write, or when the kernel writes back
)

// writeTx is the transaction that write hands to its callback.
type writeTx interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// dsn names the file, an absolute path, for the driver. mode=rw never creates
// one.
func dsn(path string, pragmas ...string) string {
	q := url.Values{"mode": {"rw"}}
	q["_pragma"] = append([]string{
		"busy_timeout(5000)",
		"trusted_schema(0)",
		"cell_size_check(1)", // finds damaged pages when they are read
		"foreign_keys(1)",
		"cache_size(-1024)", // KiB a connection
	}, pragmas...)
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// openDraft opens a new, empty file and lays out the schema.
func openDraft(ctx context.Context, path string) (*database, error) {
	db, err := connect(ctx, path)
	if err != nil {
		return nil, err
	}
	_, err = db.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA journal_mode = WAL; PRAGMA application_id = %d", applicationID))
	if err == nil {
		err = migrate(ctx, db.writer, migrations())
	}
	if err != nil {
		return nil, errors.Join(explained(err), db.close())
	}
	return db, nil
}

// openDatabase opens the file of an earlier start, checks it and brings its
// schema up to date.
func openDatabase(ctx context.Context, path string) (*database, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 { // SQLite would take it for a new database
		return nil, fmt.Errorf("%s is empty: %w", dbName, ErrDamaged)
	}
	if err := os.Chmod(path, 0o600); err != nil { // the log takes the mode of its database
		return nil, err
	}
	db, err := connect(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := db.verify(ctx); err != nil {
		return nil, errors.Join(err, db.close())
	}
	if err := migrate(ctx, db.writer, migrations()); err != nil {
		return nil, errors.Join(explained(err), db.close())
	}
	if err := db.complete(ctx); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

func connect(ctx context.Context, path string) (*database, error) {
	w, err := sql.Open("sqlite", dsn(path, "synchronous(FULL)", "journal_size_limit(4194304)"))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	w.SetMaxOpenConns(1)
	conn, err := w.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", explained(err)), w.Close())
	}
	r, err := sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database to read: %w", err), conn.Close(), w.Close())
	}
	r.SetMaxOpenConns(2)
	return &database{handle: w, writer: conn, readers: r}, nil
}

// verify finds a file that is not ours or is damaged before it is used.
func (d *database) verify(ctx context.Context) error {
	var id, version int
	var mode, verdict string
	if err := d.writer.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return fmt.Errorf("read application id: %w", explained(err))
	}
	if id != applicationID {
		return fmt.Errorf("application id is %#x, not %#x: %w", id, applicationID, ErrDamaged)
	}
	if err := d.writer.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("read schema version: %w", explained(err))
	}
	if version < 1 {
		return fmt.Errorf("schema version is %d: %w", version, ErrDamaged)
	}
	if err := d.writer.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		return fmt.Errorf("journal mode is %q, not wal: %w", mode, errors.Join(explained(err), ErrDamaged))
	}
	if err := d.writer.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return fmt.Errorf("check the database: %w", explained(err))
	}
	if verdict != "ok" {
		return fmt.Errorf("check the database: %s: %w", verdict, ErrDamaged)
	}
	return nil
}

// write runs change in one transaction. When it returns nil all of the
// change is kept, else none. It is not cut short by the end of ctx once it has
// begun, so that the outcome is always known.
func (d *database) write(ctx context.Context, how durability, change func(writeTx) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.writer == nil {
		return ErrClosed
	}
	ctx = context.WithoutCancel(ctx)
	err := d.transact(ctx, how, change)
	var no refusal
	d.failed = err != nil && !errors.As(err, &no)
	return err
}

// refusal is an error of a callback that says no: nothing is wrong with the
// disk.
type refusal struct{ error }

// writeOrRefuse is write, durable, with an error that says what was tried. A
// refusal of change is returned as the error that it holds.
func (d *database) writeOrRefuse(ctx context.Context, what string, change func(writeTx) error) error {
	var no error
	err := d.write(ctx, durable, func(tx writeTx) error {
		err := change(tx)
		if r, ok := err.(refusal); ok {
			no = r.error
		}
		return err
	})
	if no != nil {
		return no
	}
	if err != nil {
		return fmt.Errorf("store: %s: %w", what, err)
	}
	return nil
}

func (d *database) transact(ctx context.Context, how durability, change func(writeTx) error) error {
	for _, q := range []string{"PRAGMA synchronous=" + string(how), "BEGIN IMMEDIATE"} {
		if _, err := d.writer.ExecContext(ctx, q); err != nil {
			return explained(err)
		}
	}
	err := change(d.writer)
	if err == nil {
		if _, err = d.writer.ExecContext(ctx, "COMMIT"); err == nil {
			return nil
		}
	}
	// SQLite has already rolled back after some errors and not after others;
	// a second ROLLBACK only says that there is nothing to roll back.
	if _, rbErr := d.writer.ExecContext(ctx, "ROLLBACK"); rbErr != nil {
		var se *sqlite.Error
		if !errors.As(rbErr, &se) {
			err = errors.Join(err, rbErr)
		}
	}
	return explained(err)
}

// lastWriteFailed reports whether the most recent write failed.
func (d *database) lastWriteFailed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

// close ends reading, then writing: the last connection moves the log into
// the database. A second close does nothing.
func (d *database) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.writer == nil {
		return nil
	}
	err := errors.Join(d.readers.Close(), d.writer.Close(), d.handle.Close())
	d.writer, d.failed = nil, true
	return err
}

// reading explains the error of a query: database/sql tells of a closed
// handle only in words.
func (d *database) reading(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil && d.writer == nil {
		return ErrClosed
	}
	return explained(err)
}
