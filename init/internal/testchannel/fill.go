package testchannel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// fillFile is the file that takes the space.
const fillFile = "fill.test"

// fill takes all the space of the file system of dir and returns how much it
// took, in bytes.
func fill(dir string) (total int64, err error) {
	f, err := os.OpenFile(filepath.Join(dir, fillFile), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("fill: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("fill: %w", err)
	}
	at := info.Size()
	for step := int64(64 << 20); step >= 4096; { // smaller steps find the last block
		err := unix.Fallocate(int(f.Fd()), 0, at, step)
		switch {
		case err == nil:
			at += step
			total += step
		case errors.Is(err, unix.ENOSPC):
			step /= 2
		case errors.Is(err, unix.EINTR):
		default:
			return total, fmt.Errorf("fill: take %d bytes at %d: %w", step, at, err)
		}
	}
	if err := f.Sync(); err != nil {
		return total, fmt.Errorf("fill: sync: %w", err)
	}
	return total, nil
}

// unfill gives the space back.
func unfill(dir string) error {
	if err := os.Remove(filepath.Join(dir, fillFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("unfill: %w", err)
	}
	return nil
}
