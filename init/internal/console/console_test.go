package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// screen collects what is written. While blocked is held, writes wait.
type screen struct {
	blocked sync.Mutex
	mu      sync.Mutex
	text    strings.Builder
}

func (s *screen) Write(b []byte) (int, error) {
	s.blocked.Lock()
	defer s.blocked.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func at420ms() time.Duration { return 420 * time.Millisecond }

// run runs a console until the test ends.
func run(t *testing.T, c *Console) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

func TestLinesCarryTheTime(t *testing.T) {
	s := &screen{}
	c := New(s, at420ms)
	run(t, c)
	c.Printf("mounts: %d", 6)
	c.Line("galilei ready")
	c.Flush(5 * time.Second)
	want := "[  0.42] mounts: 6\ngalilei ready\n"
	for end := time.Now().Add(5 * time.Second); s.String() != want && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if got := s.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAConsoleThatNobodyReadsStopsNobody(t *testing.T) {
	s := &screen{}
	s.blocked.Lock() // flow control holds the line
	c := New(s, at420ms)
	run(t, c)
	const lines = 10 * queueLines
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range lines {
			c.Printf("line %d", i)
		}
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("writers wait for the console")
	}
	s.blocked.Unlock()
	c.Flush(5 * time.Second)
	for end := time.Now().Add(5 * time.Second); !strings.Contains(s.String(), "lines dropped") && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	got := s.String()
	if n := strings.Count(got, "line "); n > queueLines+2 {
		t.Errorf("%d lines kept, the queue has %d", n, queueLines)
	}
	if !strings.Contains(got, "lines dropped") {
		t.Errorf("nothing says that lines were dropped")
	}
}

func TestSetOutput(t *testing.T) {
	first, second := &screen{}, &screen{}
	c := New(first, at420ms)
	c.SetOutput(second)
	run(t, c)
	c.Line("here")
	for end := time.Now().Add(5 * time.Second); second.String() == "" && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if first.String() != "" || second.String() != "here\n" {
		t.Errorf("got %q and %q", first, second)
	}
}

func TestAWriteThatFailsIsAnError(t *testing.T) {
	r, w := io.Pipe()
	r.CloseWithError(errors.New("unplugged"))
	c := New(w, at420ms)
	c.Line("x")
	if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "unplugged") {
		t.Errorf("got %v", err)
	}
}

// queued returns what waits in a console that does not run.
func queued(c *Console) (lines []string) {
	for len(c.queue) > 0 {
		lines = append(lines, strings.TrimSuffix(<-c.queue, "\n"))
	}
	return lines
}

func TestMirrorKeepsItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(io.Discard, at420ms)
		m := NewMirror(c, "pbxd")
		for i := range 1000 {
			m.Line(fmt.Sprint(i))
		}
		if got := queued(c); len(got) != burst || got[0] != "[  0.42] pbxd: 0" {
			t.Errorf("%d lines from %q, want %d", len(got), got[0], burst)
		}
		time.Sleep(time.Second)
		for i := range 1000 {
			m.Line(fmt.Sprint(i))
		}
		got := queued(c)
		if len(got) != perSecond+1 || got[0] != "[  0.42] pbxd: (900 lines left out)" {
			t.Errorf("a second later: %d lines from %q, want %d", len(got), got[0], perSecond+1)
		}
	})
}

func TestHandler(t *testing.T) {
	c := New(io.Discard, at420ms)
	log := slog.New(NewHandler(c, slog.LevelInfo))
	log.Debug("not this")
	log.Info("plain")
	log.Warn("slow", "took", 3*time.Second, "why", "no reason")
	log.With("role", "pbxd").WithGroup("exit").Error("ended", "code", 3, slog.Group("at", "line", 7), "empty", "")
	log.Error("failed", "stack", "goroutine 1\nmain.go:5")
	want := []string{
		"[  0.42] plain",
		`[  0.42] warning: slow took=3s why="no reason"`,
		`[  0.42] error: ended role=pbxd exit.code=3 exit.at.line=7 exit.empty=""`,
		"[  0.42] error: failed stack=goroutine 1",
		"[  0.42] main.go:5",
	}
	got := queued(c)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
