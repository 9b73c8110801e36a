package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"galilei/pbxd/pbx"
)

// SQLite's own limit stands for a full disk where no file system may be
// mounted.
func TestDatabaseFull(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx := t.Context()
	if err := s.Check(ctx); err != nil {
		t.Fatal(err)
	}
	limit := func(pages int) {
		t.Helper()
		var got int
		if err := s.db.writer.QueryRowContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(&got); err != nil {
			t.Fatal(err)
		}
	}
	limit(1) // means: no more pages than there are
	_, before := s.Current()
	if err := fillUp(ctx, s); !errors.Is(err, ErrFull) {
		t.Errorf("writes on a full disk: %v", err)
	}
	c, n := s.Current()
	limit(1 << 30)
	if m, err := s.Commit(ctx, "a", pbx.Typed(""), setRingTime(77)); err != nil || m != n+1 {
		t.Errorf("after space was made: revision %d, %v", m, err)
	}
	if n < before || c == nil {
		t.Errorf("revision %d after %d", n, before)
	}
	if err := s.Check(ctx); err != nil {
		t.Error(err)
	}
}

// fillUp commits until there is an error.
func fillUp(ctx context.Context, s *Store) error {
	for i := range 10_000 {
		_, before := s.Current()
		n, err := s.Commit(ctx, "a", pbx.Typed(strings.Repeat("x", 500)), func(c *pbx.Config) error {
			c.SIP.RingTime = 5 + i%500
			return nil
		})
		if err != nil {
			if _, after := s.Current(); n != before || after != before {
				return fmt.Errorf("revision %d is current after a commit to %d failed: %w", after, before, err)
			}
			return err
		}
	}
	return nil
}

// A small file system of its own is filled to the last byte.
func TestDiskFull(t *testing.T) {
	cmd := child(t.Context(), "full", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	if errors.Is(err, os.ErrPermission) {
		t.Skipf("no mount namespace of its own: %v", err)
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// onFullDisk runs in a mount namespace of its own.
func onFullDisk() int {
	dir := os.Getenv(dirEnv)
	if err := syscall.Mount("galilei-test", dir, "tmpfs", 0, "size=1m"); err != nil {
		fmt.Println("mount:", err)
		return 1
	}
	if err := fullDisk(context.Background(), dir); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func fullDisk(ctx context.Context, dir string) error {
	s, err := Open(ctx, dir, Options{Model: model()})
	if err != nil {
		return err
	}
	if err := s.Check(ctx); err != nil {
		return err
	}
	if _, err := s.Commit(ctx, "a", pbx.Typed("the last that fits"), setRingTime(33)); err != nil {
		return err
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("ballast: %w", err)
	}
	if err := fillUp(ctx, s); !errors.Is(err, ErrFull) {
		return fmt.Errorf("commit on a full disk: %w", err)
	}
	if err := s.Check(ctx); !errors.Is(err, ErrFull) {
		return fmt.Errorf("check on a full disk: %w", err)
	}
	want, number := s.Current()
	// A restart on the full disk finds all of it.
	if err := s.Close(); err != nil {
		fmt.Println("close on a full disk:", err) // the log stays beside the database then
	}
	if s, err = Open(ctx, dir, Options{Model: model()}); err != nil {
		return fmt.Errorf("open on a full disk: %w", err)
	}
	got, n := s.Current()
	if !reflect.DeepEqual(got, want) || n != number {
		return fmt.Errorf("revision %d after the restart, want %d", n, number)
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	if n, err := s.Commit(ctx, "a", pbx.Typed(""), setRingTime(44)); err != nil || n != number+1 {
		return fmt.Errorf("commit after space was made: revision %d: %w", n, err)
	}
	if err := s.Check(ctx); err != nil {
		return err
	}
	return s.Close()
}

// A disk that refuses to write, as one does that became read-only under an open
// file, is told from other faults, and works again when it does.
func TestDiskBroken(t *testing.T) {
	out, err := outputOf(child(t.Context(), "broken", t.TempDir()))
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func outputOf(cmd *exec.Cmd) (string, error) {
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Run()
	return out.String(), err
}

// onBrokenDisk runs in a process of its own: it limits the size of its files,
// which makes writes fail with another error than those on a full disk.
func onBrokenDisk() int {
	if err := brokenDisk(context.Background(), os.Getenv(dirEnv)); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

func brokenDisk(ctx context.Context, dir string) error {
	signal.Ignore(syscall.SIGXFSZ) // without it, a write beyond the limit fails with EFBIG
	s, err := Open(ctx, dir, Options{Model: model()})
	if err != nil {
		return err
	}
	defer s.Close()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: limit.Max}); err != nil {
		return err
	}
	_, before := s.Current()
	err = fillUp(ctx, s)
	if !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.EIO) || strings.Count(err.Error(), "store:") != 1 {
		return fmt.Errorf("commit: %w", err)
	}
	err = s.Check(ctx)
	if !errors.Is(err, ErrDisk) || strings.Count(err.Error(), "store:") != 1 {
		return fmt.Errorf("check: %w", err)
	}
	if err := s.Audit(ctx, pbx.AuditEntry{Action: "login"}); !errors.Is(err, ErrDisk) {
		return fmt.Errorf("audit: %w", err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	_, number := s.Current()
	if n, err := s.Commit(ctx, "a", pbx.Typed(""), setRingTime(599)); err != nil || n != number+1 || number < before {
		return fmt.Errorf("commit when the disk works again: revision %d after %d: %w", n, number, err)
	}
	return s.Check(ctx)
}
