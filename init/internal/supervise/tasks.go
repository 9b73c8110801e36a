package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// PanicError is what a panic becomes: the task's name, the value thrown and
// the stack at that point.
type PanicError struct {
	Task  string
	Value any
	Stack []byte
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("%s: panic: %v", e.Task, e.Value)
}

// Contain calls run and returns its error. A panic in run becomes a
// *PanicError, so that no caller is taken down by it.
func Contain(task string, run func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Task: task, Value: v, Stack: debug.Stack()}
		}
	}()
	return run()
}

// Delays of a task that failed: it is tried again after taskFirstDelay,
// doubled with each failure up to taskMaxDelay, and from the beginning after
// it has run for taskSettled.
const (
	taskFirstDelay = 100 * time.Millisecond
	taskMaxDelay   = 10 * time.Second
	taskSettled    = time.Minute
)

// Tasks starts every goroutine of process 1. A panic or an error in one is
// logged and leaves the others alone: process 1 must outlive its own faults,
// since its end is the kernel's panic.
type Tasks struct {
	ctx context.Context
	log *slog.Logger
	wg  sync.WaitGroup

	// before runs inside the recovery at the start of each attempt. Tests
	// throw from it.
	before func(task string)
}

// NewTasks returns Tasks whose goroutines end with ctx. before, which may be
// nil, runs inside the recovery at the start of each attempt of each task.
func NewTasks(ctx context.Context, log *slog.Logger, before func(task string)) *Tasks {
	if before == nil {
		before = func(string) {}
	}
	return &Tasks{ctx: ctx, log: log, before: before}
}

// Keep runs a task until it returns nil or the context of t ends. After an
// error or a panic it runs again, later each time.
func (t *Tasks) Keep(name string, run func(context.Context) error) {
	t.wg.Go(func() {
		delay := taskFirstDelay
		for t.ctx.Err() == nil {
			began := time.Now()
			err := t.attempt(name, run)
			if err == nil || t.ctx.Err() != nil {
				return
			}
			if time.Since(began) >= taskSettled {
				delay = taskFirstDelay
			}
			t.report(name, err, delay)
			select {
			case <-t.ctx.Done():
				return
			case <-time.After(delay):
			}
			delay = min(2*delay, taskMaxDelay)
		}
	})
}

// Once runs a task one time and delivers its error, a *PanicError after a
// panic, or nil, on the channel that it returns, which needs no reader.
func (t *Tasks) Once(name string, run func(context.Context) error) <-chan error {
	done := make(chan error, 1)
	t.wg.Go(func() {
		err := t.attempt(name, run)
		if err != nil {
			t.report(name, err, 0)
		}
		done <- err
	})
	return done
}

// Wait blocks until every task has ended.
func (t *Tasks) Wait() { t.wg.Wait() }

func (t *Tasks) attempt(name string, run func(context.Context) error) error {
	return Contain(name, func() error {
		t.before(name)
		return run(t.ctx)
	})
}

func (t *Tasks) report(name string, err error, again time.Duration) {
	args := []any{"task", name, "error", err}
	if again > 0 {
		args = append(args, "again_in", again)
	}
	var p *PanicError
	if errors.As(err, &p) {
		args = append(args, "stack", string(p.Stack))
	}
	t.log.Error("task failed", args...)
}

// onOwnThread runs f on an operating system thread that ends with f. What f
// changes of the thread (no_new_privs, bounding set) therefore reaches only
// the process that f starts.
func onOwnThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // without an unlock the thread ends with the goroutine
		done <- Contain("start process", f)
	}()
	return <-done
}
