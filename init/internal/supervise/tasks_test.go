package supervise

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// record collects log lines.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func newLog() (*slog.Logger, *record) {
	r := &record{}
	return slog.New(slog.NewTextHandler(r, nil)), r
}

func TestContainTurnsAnyPanicIntoAnError(t *testing.T) {
	var none map[string]int
	for name, throw := range map[string]func(){
		"value":        func() { panic("thrown") },
		"error":        func() { panic(errors.New("thrown")) },
		"nil map":      func() { none["x"] = 1 },
		"out of range": func() { _ = []int{}[len(none)] },
		"panic nil":    func() { panic(nil) },
	} {
		err := Contain("task", func() error { throw(); return nil })
		var p *PanicError
		if !errors.As(err, &p) || p.Task != "task" || len(p.Stack) == 0 {
			t.Errorf("%s: got %v, want a *PanicError with task and stack", name, err)
		}
	}
}

func TestKeepRunsAgainLaterEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		log, out := newLog()
		tasks := NewTasks(ctx, log, nil)
		begin := time.Now()
		var at []time.Duration
		tasks.Keep("shaky", func(ctx context.Context) error {
			at = append(at, time.Since(begin))
			switch len(at) {
			case 1:
				panic("first")
			case 2:
				return errors.New("second")
			case 3: // long enough to begin with short delays again
				time.Sleep(2 * time.Minute)
				return errors.New("third")
			}
			<-ctx.Done()
			return ctx.Err()
		})
		time.Sleep(5 * time.Minute)
		cancel()
		tasks.Wait()
		want := []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 300*time.Millisecond + 2*time.Minute + 100*time.Millisecond}
		if len(at) != len(want) {
			t.Fatalf("started at %v, want %v", at, want)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Errorf("start %d: got %v, want %v", i, at[i], want[i])
			}
		}
		if s := out.String(); !strings.Contains(s, "first") || !strings.Contains(s, "tasks_test.go") || !strings.Contains(s, "second") {
			t.Errorf("log lacks the panic, its stack or the error:\n%s", s)
		}
	})
}

func TestDelayOfATaskIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		log, _ := newLog()
		tasks := NewTasks(ctx, log, nil)
		var last, gap time.Duration
		begin := time.Now()
		tasks.Keep("broken", func(context.Context) error {
			gap, last = time.Since(begin)-last, time.Since(begin)
			panic("always")
		})
		time.Sleep(10 * time.Minute)
		cancel()
		tasks.Wait()
		if gap != taskMaxDelay {
			t.Errorf("delay after many failures: got %v, want %v", gap, taskMaxDelay)
		}
	})
}

func TestOnceReportsAPanic(t *testing.T) {
	log, out := newLog()
	tasks := NewTasks(t.Context(), log, nil)
	err := <-tasks.Once("single", func(context.Context) error { panic("boom") })
	var p *PanicError
	if !errors.As(err, &p) || p.Value != "boom" {
		t.Errorf("got %v, want *PanicError of boom", err)
	}
	if !strings.Contains(out.String(), "boom") {
		t.Errorf("log lacks the panic:\n%s", out)
	}
	if err := <-tasks.Once("fine", func(context.Context) error { return nil }); err != nil {
		t.Errorf("got %v, want nil", err)
	}
}

func TestOnOwnThreadContains(t *testing.T) {
	var p *PanicError
	if err := onOwnThread(func() error { panic("on thread") }); !errors.As(err, &p) {
		t.Errorf("got %v, want *PanicError", err)
	}
}
