package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

func TestOpenRefuses(t *testing.T) {
	overwrite := func(name string, content []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name   string
		damage func(*testing.T, string)
		is     error
		says   string
	}{
		{"no key", remove(keyName), fs.ErrNotExist, "device key is missing"},
		{"short key", overwrite(keyName, []byte("short")), ErrDamaged, "5 bytes"},
		{"zero key", overwrite(keyName, make([]byte, 32)), ErrDamaged, "zeros"},
		{"foreign key", overwrite(keyName, []byte("0123456789abcdef0123456789abcdef")), pbx.ErrSealed, "does not belong"},
		{"empty database", overwrite(dbName, nil), ErrDamaged, "empty"},
		{"text as database", overwrite(dbName, []byte(strings.Repeat("not a database ", 1000))), ErrDamaged, ""},
		{"header only", overwrite(dbName, []byte("SQLite format 3\x00")), ErrDamaged, ""},
		{"log without database", func(t *testing.T, dir string) {
			remove(dbName)(t, dir)
			overwrite(dbName+"-wal", []byte("frames"))(t, dir)
		}, ErrDamaged, "without its database"},
		{"directory as database", func(t *testing.T, dir string) {
			remove(dbName)(t, dir)
			if err := os.Mkdir(filepath.Join(dir, dbName), 0o700); err != nil {
				t.Fatal(err)
			}
		}, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := Open(t.Context(), dir, Options{Model: model()})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			tt.damage(t, dir)
			before := snapshot(t, dir)
			s, err = Open(t.Context(), dir, Options{Model: model()})
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %q; want %v and %q", err, tt.is, tt.says)
			}
			if after := snapshot(t, dir); !reflect.DeepEqual(before, after) {
				t.Errorf("files changed: %v, were %v", keys(after), keys(before))
			}
			// The lock is free again: the next attempt meets the same error.
			if s, err := Open(t.Context(), dir, Options{Model: model()}); err == nil || errors.Is(err, ErrInUse) {
				t.Errorf("second attempt: %v", err)
				if err == nil {
					s.Close()
				}
			}
		})
	}
}

// snapshot returns the content of the files that matter in dir.
func snapshot(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{dbName, keyName} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			files[name] = string(b)
		}
	}
	return files
}

func keys(m map[string]string) (list []string) {
	for k, v := range m {
		list = append(list, fmt.Sprintf("%s:%d", k, len(v)))
	}
	return list
}
