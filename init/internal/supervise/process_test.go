package supervise

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary plays the processes too: TestMain does what the variable
// says.
const playVariable = "SUPERVISE_TEST_PLAY"

func TestMain(m *testing.M) {
	switch os.Getenv(playVariable) {
	case "":
		os.Exit(m.Run())
	case "show":
		b, err := os.ReadFile("/proc/self/status")
		if err != nil {
			fmt.Println(err)
		}
		for line := range bytes.Lines(b) {
			for _, p := range []string{"Cap", "NoNewPrivs", "Uid", "Gid", "Groups"} {
				if bytes.HasPrefix(line, []byte(p)) {
					fmt.Print(string(line))
				}
			}
		}
		sid, err := unix.Getsid(0)
		fmt.Println("session", sid == os.Getpid(), err)
		fmt.Println("environment", os.Environ())
	case "stay":
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGTERM)
		fmt.Println("ready here")
		<-c
		fmt.Println("goodbye")
	case "orphan": // leaves a child behind
		p, err := os.StartProcess("/bin/sleep", []string{"sleep", "0.2"}, &os.ProcAttr{})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		_ = p.Release()
	}
}

func spec(t *testing.T, play string) Spec {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // other users may not reach the test's directory
		b, err := os.ReadFile(exe)
		if err != nil {
			t.Fatal(err)
		}
		dir, err := os.MkdirTemp("", "supervise")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		exe = filepath.Join(dir, "role")
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(exe, b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return Spec{Name: play, Binary: exe, Args: []string{play}, Dir: "/", Env: []string{playVariable + "=" + play}, UID: 65534, GID: 65534, ReadyPrefix: "ready "}
}

func startReaper(t *testing.T) *Reaper {
	r := NewReaper()
	ctx, cancel := context.WithCancel(t.Context())
	log, _ := newLog()
	tasks := NewTasks(ctx, log, nil)
	tasks.Keep("reaper", r.Run)
	t.Cleanup(func() {
		cancel()
		tasks.Wait()
	})
	return r
}

// runToEnd starts a process and returns what it printed.
func runToEnd(t *testing.T, r *Reaper, s Spec) (string, Exit) {
	t.Helper()
	p, err := r.StartProcess(s)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Output().Close()
	var text strings.Builder
	if err := readLines(p.Output(), func(l string) { text.WriteString(l + "\n") }); err != nil {
		t.Fatal(err)
	}
	select {
	case e := <-p.Exited():
		return text.String(), e
	case <-time.After(20 * time.Second):
		t.Fatal("its end was not told within 20 s")
	}
	return "", Exit{}
}

func TestAProcessHasOnlyWhatItsSpecGrants(t *testing.T) {
	r := startReaper(t)
	s := spec(t, "show")
	s.Caps = []uintptr{unix.CAP_NET_BIND_SERVICE}
	got, e := runToEnd(t, r, s)
	if e != (Exit{}) {
		t.Fatalf("ended with %v:\n%s", e, got)
	}
	want := []string{"NoNewPrivs:\t1", "session true <nil>", "environment [" + playVariable + "=show]"}
	if os.Geteuid() == 0 {
		want = append(want, "Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534", "Groups:\t \n",
			"CapPrm:\t0000000000000400", "CapEff:\t0000000000000400", "CapBnd:\t0000000000000400", "CapAmb:\t0000000000000400")
	}
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("lacks %q:\n%s", w, got)
		}
	}
	own, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 && bytes.Contains(own, []byte("CapBnd:\t0000000000000400")) {
		t.Error("our own bounding set was dropped")
	}
}

func TestEveryEndIsToldOnce(t *testing.T) {
	r := startReaper(t)
	s := spec(t, "show")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				p, err := r.StartProcess(s)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := io.Copy(io.Discard, p.Output()); err != nil {
					t.Error(err)
				}
				p.Output().Close()
				select {
				case e := <-p.Exited():
					if e != (Exit{}) {
						t.Errorf("ended with %v", e)
					}
				case <-time.After(30 * time.Second):
					t.Error("its end was not told within 30 s")
				}
				if err := p.Signal(0); err != os.ErrProcessDone {
					t.Errorf("signal after the end: got %v, want %v", err, os.ErrProcessDone)
				}
			}
		})
	}
	wg.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.children) != 0 {
		t.Errorf("%d children left over", len(r.children))
	}
}

func TestOrphansAreCollected(t *testing.T) {
	// As process 1 has them: the parent of a process that loses its own.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) }()
	r := startReaper(t)
	if out, e := runToEnd(t, r, spec(t, "orphan")); e != (Exit{}) {
		t.Fatalf("ended with %v: %s", e, out)
	}
	for end := time.Now().Add(20 * time.Second); r.Orphans() == 0; {
		if time.Now().After(end) {
			t.Fatal("the orphan was not collected within 20 s")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestARealRole(t *testing.T) {
	r := startReaper(t)
	log, out := newLog()
	tasks := NewTasks(t.Context(), log, nil)
	ready := make(chan string, 4)
	ctx, cancel := context.WithCancel(t.Context())
	role := NewRole(spec(t, "stay"), r.StartProcess, tasks, log, Events{Ready: func(l string) { ready <- l }})
	done := tasks.Once("role", func(context.Context) error { return role.Run(ctx) })
	await := func() {
		t.Helper()
		select {
		case l := <-ready:
			if l != "ready here" {
				t.Errorf("ready line: got %q", l)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("not ready within 20 s:\n%s", out)
		}
	}
	await()
	first := role.Status().PID
	if err := role.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await()
	if st := role.Status(); st.PID == first || st.Restarts != 1 || !strings.Contains(st.LastExit, "signal 9") {
		t.Errorf("after a kill: %+v", st)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := role.Log(); got[len(got)-1] != "goodbye" {
		t.Errorf("its last word: got %q, want goodbye", got[len(got)-1])
	}
}

func TestABinaryThatIsMissing(t *testing.T) {
	r := startReaper(t)
	s := spec(t, "show")
	s.Binary = "/nowhere/role"
	if _, err := r.StartProcess(s); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want a wrapped 'does not exist'", err)
	}
}
