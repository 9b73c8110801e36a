package netconf

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"galilei/pbxd/pbx"
)

// maxSaved bounds what Load reads, in bytes.
const maxSaved = 64 << 10

// Load reads the settings that were applied last. The error wraps
// os.ErrNotExist when none were.
func Load(path string) (pbx.Network, error) {
	f, err := os.Open(path)
	if err != nil {
		return pbx.Network{}, fmt.Errorf("load network settings: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSaved))
	if err != nil {
		return pbx.Network{}, fmt.Errorf("load network settings: %w", err)
	}
	n, err := Decode(b)
	if err != nil {
		return pbx.Network{}, fmt.Errorf("load network settings from %s: %w", path, err)
	}
	return n, nil
}

// Decode reads network settings as JSON and checks them. Unknown names are
// refused.
func Decode(b []byte) (pbx.Network, error) {
	var n pbx.Network
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&n); err != nil {
		return pbx.Network{}, fmt.Errorf("decode network settings: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return pbx.Network{}, errors.New("decode network settings: something follows them")
	}
	if err := Validate(n); err != nil {
		return pbx.Network{}, err
	}
	return n, nil
}

// Save writes the settings so that after a loss of power either the old or the
// new ones are there, whole.
func Save(path string, n pbx.Network) error {
	b, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return fmt.Errorf("save network settings: %w", err)
	}
	if err := writeDurably(path, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("save network settings: %w", err)
	}
	return nil
}

func writeDurably(path string, b []byte, mode os.FileMode) error {
	next := path + ".new"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
