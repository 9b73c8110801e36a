package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Exit says how a process ended.
type Exit struct {
	Code   int            // exit status, or -1 when a signal ended it
	Signal syscall.Signal // 0 when it exited by itself
}

func (e Exit) String() string {
	if e.Signal != 0 {
		return fmt.Sprintf("killed by signal %d (%s)", int(e.Signal), e.Signal)
	}
	return fmt.Sprintf("exit status %d", e.Code)
}

// Reaper is the one owner of wait: it collects every child of the process,
// started here or orphaned elsewhere and handed to process 1. Nothing else in
// the process may wait for a child, os/exec included, since each could take
// the other's status.
type Reaper struct {
	mu       sync.Mutex // held over start and wait: a child is known before it can be reaped
	children map[int]chan Exit
	orphans  int
}

// NewReaper returns a reaper without children. Run must run for them to be
// collected.
func NewReaper() *Reaper {
	return &Reaper{children: map[int]chan Exit{}}
}

// Run collects ended children until ctx ends.
func (r *Reaper) Run(ctx context.Context) error {
	chld := make(chan os.Signal, 1) // one pending signal stands for any number of children
	signal.Notify(chld, unix.SIGCHLD)
	defer signal.Stop(chld)
	tick := time.NewTicker(5 * time.Second) // a signal that came before Notify
	defer tick.Stop()
	for {
		if err := r.collect(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-chld:
		case <-tick.C:
		}
	}
}

func (r *Reaper) collect() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		var ws unix.WaitStatus
		pid, err := unix.Wait4(-1, &ws, unix.WNOHANG, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECHILD) || err == nil && pid == 0:
			return nil
		case err != nil:
			return fmt.Errorf("wait for children: %w", err)
		}
		e := Exit{Code: ws.ExitStatus()}
		if ws.Signaled() {
			e.Signal = ws.Signal()
		}
		if ch, ours := r.children[pid]; ours {
			delete(r.children, pid)
			ch <- e // has room for one and gets one
		} else {
			r.orphans++
		}
	}
}

// Orphans returns how many processes that were not started here have been
// collected.
func (r *Reaper) Orphans() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.orphans
}

// child is a started process.
type child struct {
	pid    int
	out    io.ReadCloser
	exited <-chan Exit // receives once
	reaper *Reaper
}

// start runs begin, which starts a process and returns its id, and registers
// the process before anybody can collect it.
func (r *Reaper) start(begin func() (pid int, err error)) (*child, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err := begin()
	if err != nil {
		return nil, err
	}
	ch := make(chan Exit, 1)
	r.children[pid] = ch
	return &child{pid: pid, exited: ch, reaper: r}, nil
}

// PID returns the id of the process.
func (c *child) PID() int { return c.pid }

// Output returns its standard output and error.
func (c *child) Output() io.ReadCloser { return c.out }

// Exited receives once, when the process has ended and was collected.
func (c *child) Exited() <-chan Exit { return c.exited }

// Signal sends sig to the process. It returns os.ErrProcessDone after it was
// collected: its id may then be another's.
func (c *child) Signal(sig syscall.Signal) error {
	c.reaper.mu.Lock()
	defer c.reaper.mu.Unlock()
	if _, alive := c.reaper.children[c.pid]; !alive {
		return os.ErrProcessDone
	}
	if err := unix.Kill(c.pid, sig); err != nil {
		return fmt.Errorf("signal %d to process %d: %w", int(sig), c.pid, err)
	}
	return nil
}
