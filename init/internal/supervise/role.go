package supervise

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

// How a role is started again and stopped.
const (
	firstDelay = 100 * time.Millisecond // before the first restart
	maxDelay   = 10 * time.Second       // the delay doubles up to this; well below the watchdog's time
	settled    = time.Minute            // ready this long, the delays begin anew
	recovered  = 5 * time.Second        // ready this long after many failures, the watchdog is fed again
	stopGrace  = 10 * time.Second       // from SIGTERM to SIGKILL

	// restartBudget is how many failures in a row leave the role healthy as
	// far as the watchdog is concerned: about 45 s of trying.
	restartBudget = 10
)

// State is what a role is doing.
type State string

// The states of a role.
const (
	Stopped  State = "stopped"
	Starting State = "starting" // its process runs and has not said that it is ready
	Ready    State = "ready"
	Waiting  State = "waiting" // it ended and will be started again
)

// Status is what is known about a role.
type Status struct {
	Name     string    `json:"name"`
	State    State     `json:"state"`
	PID      int       `json:"pid"`      // 0 when it does not run
	Restarts int       `json:"restarts"` // since the device was started
	Since    time.Time `json:"since"`    // of State
	LastExit string    `json:"lastExit"` // how it ended last; empty when it never did
}

// Process is a running process of a role.
type Process interface {
	PID() int
	// Output is its standard output and error.
	Output() io.ReadCloser
	// Exited receives once, when the process has ended and was collected.
	Exited() <-chan Exit
	// Signal returns os.ErrProcessDone after that.
	Signal(syscall.Signal) error
}

// Starter starts the process of a role.
type Starter func(Spec) (Process, error)

// Events are told what happens to a role. Any may be nil. They run on the
// role's goroutines and must not block.
type Events struct {
	Line    func(line string)  // a line that the role printed
	Changed func(Status)       // the state changed
	Ready   func(line string)  // the role printed its ready line, given whole
	Ended   func(failures int) // the process ended by itself, so often in a row
}

// Role keeps one process running.
type Role struct {
	spec  Spec
	start Starter
	tasks *Tasks
	log   *slog.Logger
	on    Events
	lines lineRing

	restart chan struct{} // a restart was asked for

	mu       sync.Mutex
	status   Status
	process  Process // nil when it does not run
	failures int     // ends in a row, without one run of settled between
	alive    time.Time
	killed   time.Time // when the process was sent SIGKILL; zero when it was not
	last     Exit      // how the process ended last
}

// NewRole returns a role that Run starts by means of start.
func NewRole(spec Spec, start Starter, tasks *Tasks, log *slog.Logger, on Events) *Role {
	return &Role{
		spec: spec, start: start, tasks: tasks, on: on,
		log:     log.With("role", spec.Name),
		restart: make(chan struct{}, 1),
		status:  Status{Name: spec.Name, State: Stopped, Since: time.Now()},
	}
}

// Run keeps the role running until ctx ends, then stops it: SIGTERM, and
// SIGKILL after 10 s.
func (r *Role) Run(ctx context.Context) error {
	defer r.set(func(s *Status) { s.State, s.PID = Stopped, 0 })
	for ctx.Err() == nil {
		asked, err := r.runOnce(ctx)
		upFor := r.readyFor()
		if ctx.Err() != nil {
			return nil
		}
		if asked {
			r.log.Info("restarts as asked")
			continue
		}
		n := r.countFailure(upFor >= settled)
		delay := restartDelay(n)
		if r.isHopeless() {
			delay = hopelessDelay
			r.forgive()
		}
		r.set(func(s *Status) {
			s.State, s.PID, s.LastExit = Waiting, 0, err.Error()
			s.Restarts++
		})
		r.log.Error("role ended", "how", err, "in_a_row", n, "again_in", delay)
		if r.on.Ended != nil {
			r.on.Ended(n)
		}
		select {
		case <-ctx.Done():
		case <-r.restart:
		case <-time.After(delay):
		}
	}
	return nil
}

// runOnce starts the process and waits for its end, which is an error, or
// stops it because ctx ended or a restart was asked for.
func (r *Role) runOnce(ctx context.Context) (asked bool, err error) {
	p, err := r.start(r.spec)
	if err != nil {
		return false, err
	}
	out := p.Output()
	r.mu.Lock()
	r.process, r.killed, r.last = p, time.Time{}, Exit{}
	r.mu.Unlock()
	r.set(func(s *Status) {
		s.State, s.PID = Starting, p.PID()
		if r.spec.ReadyPrefix == "" {
			s.State = Ready
		}
	})
	reading := r.tasks.Once(r.spec.Name+" log", func(context.Context) error {
		defer out.Close()
		return readLines(out, func(line string) { r.line(p.PID(), line) })
	})
	defer func() {
		r.mu.Lock()
		r.process = nil
		r.mu.Unlock()
		if r.spec.Cgroup != "" {
			if err := killCgroup(r.spec.Cgroup); err != nil {
				r.log.Warn("processes may be left", "error", err)
			}
		}
		select { // its last words belong before the report of its end
		case <-reading:
		case <-time.After(time.Second):
			out.Close() // somebody inherited the pipe and holds it
		}
	}()
	look, stopLooking := r.watch()
	defer stopLooking()
	hung := ""
	for {
		select {
		case e := <-p.Exited():
			r.mu.Lock()
			r.last = e
			r.mu.Unlock()
			return false, fmt.Errorf("process %d ended: %s%s", p.PID(), e, hung)
		case <-look:
			quiet := r.silentFor()
			if quiet == 0 || hung != "" {
				continue
			}
			hung = fmt.Sprintf(", killed as hung after %v without a word", quiet.Round(time.Second))
			r.log.Error("role hangs and is killed", "silent", quiet)
			r.mu.Lock()
			r.killed = time.Now()
			r.mu.Unlock()
			if err := p.Signal(syscall.SIGKILL); err != nil { // a hung one heeds no SIGTERM
				r.log.Warn("kill", "error", err)
			}
		case <-r.restart:
			return true, r.stop(p)
		case <-ctx.Done():
			return false, r.stop(p)
		}
	}
}

// watch returns a channel that says when to look whether the role hangs.
func (r *Role) watch() (look <-chan time.Time, stop func()) {
	r.Alive() // the time runs from its start
	if r.spec.Silence <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(r.spec.Silence / 4)
	return t.C, t.Stop
}

// Alive takes the word of the role that it does not hang.
func (r *Role) Alive() {
	r.mu.Lock()
	r.alive = time.Now()
	r.mu.Unlock()
}

// silentFor returns how long the role has been silent, 0 when that is in
// order.
func (r *Role) silentFor() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	allowed := r.spec.Silence
	if r.status.State != Ready {
		allowed *= 4
	}
	if quiet := time.Since(r.alive); quiet > allowed {
		return quiet
	}
	return 0
}

func (r *Role) stop(p Process) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		r.log.Warn("stop", "error", err)
	}
	select {
	case e := <-p.Exited():
		r.log.Info("role stopped", "how", e.String())
		return nil
	case <-time.After(stopGrace):
	}
	r.log.Warn("role does not stop and is killed", "after", stopGrace)
	if err := p.Signal(syscall.SIGKILL); err != nil {
		r.log.Warn("kill", "error", err)
	}
	select {
	case <-p.Exited():
		return nil
	case <-time.After(stopGrace): // stuck in the kernel
		return fmt.Errorf("process %d outlives SIGKILL by %v", p.PID(), stopGrace)
	}
}

// line takes one line that process pid printed.
func (r *Role) line(pid int, line string) {
	r.lines.add(line)
	if r.on.Line != nil {
		r.on.Line(line)
	}
	if r.spec.ReadyPrefix == "" || !strings.HasPrefix(line, r.spec.ReadyPrefix) {
		return
	}
	if r.set(func(s *Status) {
		if s.PID == pid && s.State == Starting {
			s.State = Ready
		}
	}) && r.on.Ready != nil {
		r.on.Ready(line)
	}
}

// set changes the status and tells it when it is another. It reports whether
// the state changed.
func (r *Role) set(change func(*Status)) bool {
	r.mu.Lock()
	old := r.status
	change(&r.status)
	changed := r.status.State != old.State
	if changed {
		r.status.Since = time.Now()
	}
	now := r.status
	r.mu.Unlock()
	if changed && r.on.Changed != nil {
		r.on.Changed(now)
	}
	return changed
}

func (r *Role) countFailure(wasSettled bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if wasSettled {
		r.failures = 0
	}
	r.failures++
	return r.failures
}

// restartDelay returns the time to wait after n failures in a row, n >= 1.
func restartDelay(n int) time.Duration {
	d := firstDelay
	for i := 1; i < n && d < maxDelay; i++ {
		d *= 2
	}
	return min(d, maxDelay)
}

// Restart stops the process and starts it again at once, which does not count
// as a failure. During a delay between restarts it ends the delay.
func (r *Role) Restart() {
	select {
	case r.restart <- struct{}{}:
	default: // one is pending already
	}
}

// Signal sends sig to the process. It returns os.ErrProcessDone when none
// runs.
func (r *Role) Signal(sig syscall.Signal) error {
	r.mu.Lock()
	p := r.process
	r.mu.Unlock()
	if p == nil {
		return os.ErrProcessDone
	}
	return p.Signal(sig)
}

// Status returns what is known about the role now.
func (r *Role) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.status
}

// Log returns the last 200 lines that the role printed, oldest first.
func (r *Role) Log() []string { return r.lines.all() }

// Healthy reports whether the watchdog is to be fed as far as the role is
// concerned: it has not failed more often in a row than its restart budget
// allows, or is well again, and no process of it outlives SIGKILL, which only
// a stuck kernel or disk brings about.
func (r *Role) Healthy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.process != nil && !r.killed.IsZero() && time.Since(r.killed) > stopGrace {
		return false
	}
	return r.failures <= restartBudget || r.status.State == Ready && time.Since(r.status.Since) >= recovered
}

// readyFor returns how long the process that has just ended had been ready; a
// hung one was not.
func (r *Role) readyFor() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.State != Ready || !r.killed.IsZero() {
		return 0
	}
	return time.Since(r.status.Since)
}

// hopelessDelay is how long a role waits whose data cannot be used.
const hopelessDelay = time.Minute

func (r *Role) isHopeless() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spec.Hopeless != 0 && r.last.Signal == 0 && r.last.Code == r.spec.Hopeless
}

// forgive forgets the failures.
func (r *Role) forgive() {
	r.mu.Lock()
	r.failures = 0
	r.mu.Unlock()
}
