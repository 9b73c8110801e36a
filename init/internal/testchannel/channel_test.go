package testchannel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// box notes what is done to it.
type box struct{ calls []string }

func (b *box) SignalRole(role string, sig syscall.Signal) error {
	if role != "pbxd" {
		return errors.New("no such role")
	}
	b.calls = append(b.calls, fmt.Sprintf("%s %d", role, int(sig)))
	return nil
}
func (b *box) RolePID(role string) (int, error) {
	if role != "pbxd" {
		return 0, errors.New("no such role")
	}
	return os.Getpid(), nil
}
func (b *box) Reboot() { b.calls = append(b.calls, "reboot") }

// line is a port with commands in it.
type line struct {
	io.Reader
	bytes.Buffer
}

func (l *line) Read(p []byte) (int, error) { return l.Reader.Read(p) }

func TestCommands(t *testing.T) {
	b := &box{}
	c := Channel{Device: b, Proc: "/proc", Data: t.TempDir(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	commands := []string{"ping", "", "kill pbxd", "hang pbxd", "wake pbxd", "kill x", "rss pbxd", "rss init", "rss x", "unfill", "ps", "reboot", "format", "kill pbxd now"}
	l := &line{Reader: strings.NewReader(strings.Join(commands, "\n") + "\n")}
	if err := c.answer(l); err != nil {
		t.Fatal(err)
	}
	want := map[int]bool{4: true, 7: true, 11: true, 12: true} // answers that are refusals
	answers := strings.Split(strings.TrimSpace(l.String()), "\n")
	if len(answers) != len(commands)-1 {
		t.Fatalf("%d answers to %d commands:\n%s", len(answers), len(commands)-1, l)
	}
	for i, a := range answers {
		var r struct {
			OK        bool
			Error     string
			RSS       int64
			Processes []process
		}
		if err := json.Unmarshal([]byte(a), &r); err != nil || r.OK == want[i] || r.OK == (r.Error != "") {
			t.Errorf("answer %d: %s, %v", i, a, err)
		}
		if i == 5 && r.RSS < 1<<20 {
			t.Errorf("memory: %s", a)
		}
		if i == 9 && len(r.Processes) < 1 {
			t.Errorf("processes: %s", a)
		}
	}
	if got := fmt.Sprint(b.calls); got != "[pbxd 9 pbxd 19 pbxd 18 reboot]" {
		t.Errorf("calls: %s", got)
	}
}

func TestFindPort(t *testing.T) {
	sys := t.TempDir()
	for name, text := range map[string]string{"vport1p0": "other\n", "vport1p1": PortName + "\n"} {
		if err := os.Mkdir(filepath.Join(sys, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sys, name, "name"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := FindPort(t.Context(), sys, "/dev"); got != "/dev/vport1p1" || err != nil {
		t.Errorf("got %q and %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := FindPort(ctx, t.TempDir(), "/dev"); !errors.Is(err, context.Canceled) {
		t.Errorf("no port: got %q and %v", got, err)
	}
}

func TestUnfillRemovesWhatFillTook(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, fillFile)
	if err := os.WriteFile(path, []byte("full"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := unfill(dir); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
	if n, err := fill(filepath.Join(dir, "absent")); err == nil {
		t.Errorf("fill took %d bytes of a directory that there is not", n)
	}
}
