package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"galilei/pbxd/pbx"
)

// lockDir takes the lock that keeps a second process out: two stores over one
// database would each publish a configuration that the other does not know.
// The kernel drops it when the process dies.
func lockDir(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// readKey reads the device key. Its error is fs.ErrNotExist when there is none.
func readKey(path string) (k pbx.DeviceKey, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return k, fmt.Errorf("read device key: %w", err)
	}
	if len(b) != len(k) {
		return k, fmt.Errorf("device key %s has %d bytes, not %d: %w", path, len(b), len(k), ErrDamaged)
	}
	copy(k[:], b)
	if k == (pbx.DeviceKey{}) {
		return k, fmt.Errorf("device key %s is all zeros: %w", path, ErrDamaged)
	}
	return k, nil
}

// makeKey makes a device key at path, which does not exist: the lock keeps
// others from making one meanwhile. After a loss of power it is there whole or
// not at all.
func makeKey(path string) (pbx.DeviceKey, error) {
	k := pbx.NewDeviceKey()
	if err := writeWhole(path, k[:]); err != nil {
		return pbx.DeviceKey{}, fmt.Errorf("make device key: %w", err)
	}
	return k, nil
}

// writeWhole writes a file under another name and renames it, each step on
// the disk before the next.
func writeWhole(path string, content []byte) error {
	draft := path + ".new"
	f, err := os.OpenFile(draft, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(draft, path); err != nil {
		return err
	}
	return syncPath(filepath.Dir(path))
}

// syncPath flushes a file, or the entries of a directory, to the disk.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
