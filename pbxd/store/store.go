package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"galilei/pbxd/pbx"
)

// Names of the files in the data directory.
const (
	dbName   = "galilei.db"
	keyName  = "device.key"
	lockName = "galilei.lock"
)

// Options are what a store needs to know of its surroundings.
type Options struct {
	Model    pbx.Model        // limits that a configuration must keep
	Defaults pbx.Defaults     // of the board; for the first revision and for parameters that an old revision lacks
	Now      func() time.Time // nil means time.Now
	Log      *slog.Logger     // nil discards
}

// Store is the open database and the configuration in force. Its methods may
// be called from any goroutine.
type Store struct {
	dir  string
	opts Options
	key  pbx.DeviceKey
	lock *os.File
	db   *database

	committing chan struct{} // holds one token while a revision is made and published
	current    atomic.Pointer[revised]

	watchers        watchers[func(old, new *pbx.Config, r pbx.Revision)]
	pendingWatchers watchers[func(*pbx.PendingChange)]
	draftWatchers   watchers[func(n int)]
	mailWatchers    watchers[func()]
	journalWatchers watchers[func(users []string)]
	draftMu         sync.Mutex
	pending         atomic.Pointer[pending] // nil when no change waits; written by whoever has its turn to commit
	fellBack        atomic.Int64            // see FellBack
	closed          bool                    // read and written by whoever has its turn to commit

	journal queue[pbx.JournalEntry]
	records records

	doubt doubt // whether the clock is right; guarded by the turn to write

	checkMu sync.Mutex
	checked time.Time // last good Check; zero after a failed write
}

// revised is a configuration and its revision number. It is never modified.
type revised struct {
	config *pbx.Config
	number int64
}

// Open opens the store in dir, which is made when it does not exist. On the
// first start it makes the device key and revision 1: the factory
// configuration with a generated SIP password for each user that has an
// extension, by the author "system". A change that was never confirmed is
// reverted. When the newest revision is damaged the newest good one holds
// again, see FellBack.
//
// A database without its device key, a key that belongs to another database,
// a damaged database (ErrDamaged), one of a newer version (ErrNewer) and a
// directory in use by another process (ErrInUse) are refused, and nothing in
// dir is changed then.
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("store: data directory: %w", err)
	}
	s := &Store{
		dir:        dir,
		opts:       o,
		committing: make(chan struct{}, 1),
		journal:    newQueue[pbx.JournalEntry](),
	}
	s.records.init(o.Now())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: make data directory: %w", err)
	}
	if s.lock, err = lockDir(filepath.Join(dir, lockName)); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := s.open(ctx); err != nil {
		s.lock.Close()
		return nil, fmt.Errorf("store: open %s: %w", dir, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	path := filepath.Join(s.dir, dbName)
	first, err := isFirstStart(path)
	if err != nil {
		return err
	}
	keyPath := filepath.Join(s.dir, keyName)
	s.key, err = readKey(keyPath)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !first:
		return fmt.Errorf("the database is here but its device key is missing; restore both from one backup: %w", err)
	case errors.Is(err, fs.ErrNotExist):
		if s.key, err = makeKey(keyPath); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	if first {
		s.opts.Log.Info("no database yet: starting with the factory configuration", "dir", s.dir)
		if err := s.create(ctx, path); err != nil {
			return fmt.Errorf("create the database: %w", err)
		}
	}
	if s.db, err = openDatabase(ctx, path); err != nil {
		return err
	}
	if err := s.load(ctx); err != nil {
		s.db.close()
		return err
	}
	return nil
}

// isFirstStart reports whether there is no database at path. A write-ahead log
// without its database is damage: it may hold revisions, and SQLite could play
// it into a new database.
func isFirstStart(path string) (bool, error) {
	if _, err := os.Lstat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if _, err := os.Lstat(path + "-wal"); err == nil {
		return false, fmt.Errorf("%s-wal is here without its database: %w", dbName, ErrDamaged)
	}
	return true, nil
}

// create builds the whole database under another name and renames it to path.
func (s *Store) create(ctx context.Context, path string) error {
	draft := path + ".new"
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} { // of a first start that was cut short
		if err := os.Remove(draft + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	f, err := os.OpenFile(draft, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	db, err := openDraft(ctx, draft)
	if err != nil {
		return err
	}
	c := pbx.Factory(s.opts.Defaults)
	for i := range c.Users {
		if u := &c.Users[i]; u.Extension != "" {
			u.SIPPassword = s.key.Seal(pbx.SIPPasswordPurpose(u.ID), pbx.NewSIPPassword())
		}
	}
	err = pbx.Validate(c, s.opts.Model)
	if err == nil {
		err = db.write(ctx, durable, func(tx writeTx) error {
			if err := putKeyCheck(ctx, tx, s.key); err != nil {
				return err
			}
			comment := pbx.Say("Factory configuration")
			return putRevision(ctx, tx, nil, c, pbx.Revision{Number: 1, Time: s.opts.Now(), Author: system, Comment: comment.Text(), Message: comment})
		})
	}
	if err = errors.Join(err, db.close()); err != nil { // closing moves the log into the file
		return err
	}
	if err := syncPath(draft); err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return err
	}
	return syncPath(s.dir)
}

// load checks the key against the database and reads the newest revision that
// can be read.
func (s *Store) load(ctx context.Context) error {
	if err := checkKey(ctx, s.db, s.key); err != nil {
		return err
	}
	newest, err := s.db.newest(ctx)
	if err != nil {
		return err
	}
	c, number, err := s.readable(ctx)
	if err != nil {
		return err
	}
	if err := pbx.Validate(c, s.opts.Model); err != nil {
		// A licence or a rule has changed since. The telephones must work all
		// the same; the next change has to put it right.
		s.opts.Log.Warn("the configuration breaks a rule of this version", "revision", number, "err", err)
	}
	if number == newest {
		s.current.Store(&revised{c, number})
		if err := s.loadFellBack(ctx); err != nil {
			return err
		}
	} else {
		s.fallBack(ctx, c, number, newest)
	}
	if err := s.loadPending(ctx); err != nil {
		return err
	}
	s.tidy(ctx)
	return nil
}

// Close writes the journals and call records, ends all use of the database and moves the write-ahead log into it. A
// change that waits to be confirmed is reverted by the next Open. Calls after Close return ErrClosed; Current goes
// on to answer.
func (s *Store) Close() error {
	s.committing <- struct{}{}
	defer func() { <-s.committing }()
	s.closed = true
	if p := s.pending.Load(); p != nil {
		p.timer.Stop()
	}
	s.watchers.clear()
	s.pendingWatchers.clear()
	s.draftWatchers.clear()
	s.mailWatchers.clear()
	s.journalWatchers.clear()
	s.records.watchers.clear()
	err := errors.Join(s.writeJournals(context.Background()), s.writeRecords(context.Background()), s.db.close())
	if lockErr := s.lock.Close(); lockErr != nil && !errors.Is(lockErr, os.ErrClosed) {
		err = errors.Join(err, lockErr)
	}
	if err != nil {
		return fmt.Errorf("store: close: %w", err)
	}
	return nil
}

// Current returns the configuration in force, which must not be modified, and
// its revision number.
func (s *Store) Current() (*pbx.Config, int64) {
	r := s.current.Load()
	return r.config, r.number
}

// Key returns the device key.
func (s *Store) Key() pbx.DeviceKey { return s.key }
