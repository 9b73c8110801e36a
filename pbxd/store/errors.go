package store

import (
	"errors"
	"fmt"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"galilei/pbxd/pbx"
)

// Errors that a caller may want to tell apart with errors.Is.
var (
	// ErrFull says that the disk has no room left. Nothing was changed. It is
	// syscall.ENOSPC for those who do not know this package.
	ErrFull = fmt.Errorf("the disk is full: %w", syscall.ENOSPC)
	// ErrReadOnly says that the disk or the file cannot be written. Nothing was
	// changed. It is syscall.EROFS, too.
	ErrReadOnly = fmt.Errorf("the disk is read-only: %w", syscall.EROFS)
	// ErrDisk says that the disk did not read or write what it was asked to,
	// for example since it became read-only meanwhile. Nothing was changed. It
	// is syscall.EIO, too.
	ErrDisk = fmt.Errorf("the disk does not work: %w", syscall.EIO)
	// ErrDamaged says that a file is not what the store wrote.
	ErrDamaged = pbx.ErrDamaged
	// ErrNewer says that a newer version of Galilei wrote the database.
	ErrNewer = errors.New("the database was written by a newer version")
	// ErrInUse says that another process has the data directory open.
	ErrInUse = errors.New("the data directory is in use by another process")
	// ErrClosed says that the store has been closed.
	ErrClosed = errors.New("the store is closed")
)

// explained adds to an error of SQLite the sentinel that it amounts to.
func explained(err error) error {
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return err
	}
	switch se.Code() & 0xff { // the primary result code
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case sqlite3.SQLITE_READONLY:
		return fmt.Errorf("%w (%w)", ErrReadOnly, err)
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return fmt.Errorf("%w (%w)", ErrDisk, err)
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT:
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	return err
}
