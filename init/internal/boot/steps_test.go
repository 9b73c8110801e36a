package boot

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// bowl counts what the watchdog is fed.
type bowl struct {
	mu  sync.Mutex
	fed []byte
}

func (b *bowl) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fed = append(b.fed, p...)
	return len(p), nil
}

func TestWatchdogIsFedOnlyWhileAllIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		b, told := &bowl{}, []bool{}
		var well atomic.Bool
		well.Store(true)
		go func() {
			_ = feed(ctx, 30*time.Second, b, well.Load, func(s bool) {
				b.mu.Lock()
				defer b.mu.Unlock()
				told = append(told, s)
			})
		}()
		seen := func() (int, []bool) {
			synctest.Wait()
			b.mu.Lock()
			defer b.mu.Unlock()
			return len(b.fed), slices.Clone(told)
		}
		time.Sleep(time.Minute + time.Second)
		n, _ := seen()
		if n != 13 {
			t.Errorf("fed %d times in 61 s, want 13: at once and every 5 s", n)
		}
		well.Store(false)
		time.Sleep(time.Minute)
		if got, told := seen(); got != n || len(told) != 1 || !told[0] {
			t.Errorf("not well: fed %d times more, told %v", got-n, told)
		}
		well.Store(true)
		time.Sleep(10 * time.Second)
		if got, told := seen(); got == n || len(told) != 2 || told[1] {
			t.Errorf("well again: fed %d times more, told %v", got-n, told)
		}
		if strings.Contains(string(b.fed), "V") {
			t.Error("the watchdog was disarmed")
		}
	})
}

func TestFindPartition(t *testing.T) {
	sys := t.TempDir()
	disk := filepath.Join(sys, "devices", "vda")
	write(t, filepath.Join(disk, "uevent"), "DEVNAME=vda\nDEVTYPE=disk\n")
	write(t, filepath.Join(disk, "vda4", "uevent"), "DEVNAME=vda4\nDEVTYPE=partition\nPARTN=4\nPARTNAME=data\n")
	write(t, filepath.Join(disk, "vda4", "size"), "2048\n")
	class := filepath.Join(sys, "class")
	if err := os.Mkdir(class, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"vda": disk, "vda4": filepath.Join(disk, "vda4")} {
		if err := os.Symlink(target, filepath.Join(class, name)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := FindPartition(t.Context(), class, "data")
	want := Partition{Name: "data", Device: "/dev/vda4", Disk: "/dev/vda", Number: 4, Size: 1 << 20}
	if err != nil || got != want {
		t.Errorf("got %+v and %v, want %+v", got, err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range []string{"dat", "data2", ""} {
		if _, err := FindPartition(ctx, class, name); !errors.Is(err, ErrNoPartition) {
			t.Errorf("%q: got %v, want %v", name, err, ErrNoPartition)
		}
	}
	write(t, filepath.Join(disk, "vda4", "size"), "-5\n")
	if _, err := FindPartition(t.Context(), class, "data"); err == nil || errors.Is(err, ErrNoPartition) {
		t.Errorf("negative size: got %v", err)
	}
}

func TestCommandLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cmdline")
	write(t, path, "console=ttyS0,115200 quiet galilei.show-demo panic=5\n")
	c, err := ReadCommandLine(path)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Has("galilei.show-demo") || !c.Has("panic") || c.Has("galilei") || c["console"] != "ttyS0,115200" {
		t.Errorf("got %v", c)
	}
}

func TestModulesGoOnAfterAFailure(t *testing.T) {
	root := t.TempDir()
	if err := LoadModules(root, func(string) {}); err != nil {
		t.Errorf("without a list: %v", err)
	}
	write(t, filepath.Join(root, ModuleList), "lib/a.ko\n\nlib/missing.ko\nlib/b.ko\n")
	write(t, filepath.Join(root, "lib/a.ko"), "no module")
	write(t, filepath.Join(root, "lib/b.ko"), "no module")
	err := LoadModules(root, func(name string) { t.Errorf("%s is said to be loaded", name) })
	for _, name := range []string{"a.ko", "missing.ko", "b.ko"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error does not name %s: %v", name, err)
		}
	}
}

func TestResidentMemory(t *testing.T) {
	if n, err := ResidentMemory("/proc", os.Getpid()); err != nil || n < 1<<20 || n > 1<<34 {
		t.Errorf("own: got %d and %v", n, err)
	}
	if n, err := ResidentMemory("/proc", 0); n != 0 || err != nil {
		t.Errorf("no process: got %d and %v", n, err)
	}
	if _, err := ResidentMemory(t.TempDir(), 5); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ended process: got %v, want %v", err, os.ErrNotExist)
	}
}

func TestSettingsOfTheKernel(t *testing.T) {
	sys := t.TempDir()
	for _, s := range sysctls()[1:] { // the first is missing, as on an old kernel
		write(t, filepath.Join(sys, s[0]), "x")
	}
	if err := writeSettings(sys, slog.New(slog.NewTextHandler(io.Discard, nil))); err != nil {
		t.Fatal(err)
	}
	for _, s := range sysctls()[1:] {
		if b, err := os.ReadFile(filepath.Join(sys, s[0])); string(b) != s[1] {
			t.Errorf("%s: got %q and %v, want %q", s[0], b, err, s[1])
		}
	}
	if _, err := os.Stat(filepath.Join(sys, sysctls()[0][0])); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a setting that was missing: %v", err)
	}
}

func TestSinceKernelStart(t *testing.T) {
	a := SinceKernelStart()
	time.Sleep(time.Millisecond)
	if b := SinceKernelStart(); a <= 0 || b <= a {
		t.Errorf("got %v, then %v", a, b)
	}
}
