package store

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Copied is a copy of a data directory that cannot be written.
type Copied struct {
	Dir  string // of the copy
	lock *os.File
}

// Copy copies the data directory dir, which cannot be written, to a new one in
// the folder parent, so that it can be opened there. Files that are missing are
// left out. Copies of dir from earlier, whose process was killed, are deleted
// first. The error is ErrInUse when another process has dir open, and
// syscall.ENOSPC when there is no room for the copy.
func Copy(dir, parent string) (_ *Copied, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, fmt.Errorf("store: copy: %w", err)
	}
	c := &Copied{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("store: copy %s: %w", dir, err), c.Remove())
		}
	}()
	switch c.lock, err = os.Open(filepath.Join(dir, lockName)); {
	case errors.Is(err, fs.ErrNotExist): // nobody has ever opened it
	case err != nil:
		return nil, err
	default:
		if err := lockFile(c.lock); err != nil {
			return nil, err
		}
	}
	h := fnv.New64a()
	h.Write([]byte(dir))
	pattern := fmt.Sprintf("galilei-%016x-", h.Sum64())
	old, err := filepath.Glob(filepath.Join(parent, pattern+"*"))
	if err != nil {
		return nil, err
	}
	for _, path := range old {
		if err := os.RemoveAll(path); err != nil {
			return nil, fmt.Errorf("delete the copy before: %w", err)
		}
	}
	if c.Dir, err = os.MkdirTemp(parent, pattern+"*"); err != nil {
		return nil, err
	}
	for _, name := range []string{keyName, dbName, dbName + "-wal"} {
		if err := copyFile(filepath.Join(c.Dir, name), filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return c, nil
}

// Remove deletes the copy and lets others use its original.
func (c *Copied) Remove() error {
	var errs []error
	if c.Dir != "" {
		errs = append(errs, os.RemoveAll(c.Dir))
	}
	if c.lock != nil {
		if err := c.lock.Close(); !errors.Is(err, os.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// lockFile takes the lock of an open file for this process, or none.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrInUse
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}
