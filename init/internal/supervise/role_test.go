package supervise

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// actor is a process that a test plays.
type actor struct {
	pid     int
	exited  chan Exit
	out     *io.PipeWriter // what it prints
	reader  *io.PipeReader
	mu      sync.Mutex
	signals []syscall.Signal
	obeys   bool // ends on SIGTERM
}

func (a *actor) PID() int              { return a.pid }
func (a *actor) Exited() <-chan Exit   { return a.exited }
func (a *actor) Output() io.ReadCloser { return a.reader }
func (a *actor) Signal(s syscall.Signal) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.signals = append(a.signals, s)
	if s == syscall.SIGKILL || s == syscall.SIGTERM && a.obeys {
		a.end(Exit{Code: -1, Signal: s})
	}
	return nil
}

func (a *actor) sent() []syscall.Signal {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.signals)
}

func (a *actor) end(e Exit) {
	select {
	case a.exited <- e:
		a.out.Close()
	default:
	}
}

// stage starts actors and remembers when.
type stage struct {
	t      *testing.T
	begin  time.Time
	starts []time.Duration
	actors []*actor
	obeys  bool
	life   atomic.Int64 // a time.Duration: each ends by itself after so long; 0: never
	refuse error        // instead of starting

	silence time.Duration // of the Spec
	ready   atomic.Bool   // each says that it is ready at once
	code    int           // with which each ends by itself; 0 means 1

	mu sync.Mutex // guards starts while the role runs
}

// count returns how often the role was started.
func (s *stage) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.starts)
}

func (s *stage) start(Spec) (Process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts = append(s.starts, time.Since(s.begin))
	if s.refuse != nil {
		return nil, s.refuse
	}
	a := &actor{pid: len(s.starts), exited: make(chan Exit, 1), obeys: s.obeys}
	a.reader, a.out = io.Pipe()
	s.actors = append(s.actors, a)
	code := max(s.code, 1)
	if life := time.Duration(s.life.Load()); life > 0 {
		time.AfterFunc(life, func() { a.end(Exit{Code: code}) })
	}
	if s.ready.Load() {
		go fmt.Fprintln(a.out, "ready now") // ends with the reader at the latest
	}
	return a, nil
}

func play(t *testing.T, s *stage, f func(r *Role, stop func())) {
	synctest.Test(t, func(t *testing.T) {
		s.t, s.begin = t, time.Now()
		log, _ := newLog()
		tasks := NewTasks(t.Context(), log, nil)
		ctx, cancel := context.WithCancel(t.Context())
		r := NewRole(Spec{Name: "actor", ReadyPrefix: "ready ", Silence: s.silence, Hopeless: 3}, s.start, tasks, log, Events{})
		done := tasks.Once("role", func(context.Context) error { return r.Run(ctx) })
		f(r, func() {
			cancel()
			<-done
		})
		cancel()
		tasks.Wait()
	})
}

func TestRestartDelaysDoubleUpToTheirLimit(t *testing.T) {
	s := &stage{}
	s.life.Store(int64(time.Millisecond))
	play(t, s, func(r *Role, stop func()) {
		time.Sleep(3 * time.Minute)
		stop()
		for i, want := range []time.Duration{100e6, 200e6, 400e6, 800e6, 1600e6, 3200e6, 6400e6, 10e9, 10e9, 10e9, 10e9} {
			if got := s.starts[i+1] - s.starts[i] - time.Duration(s.life.Load()); got != want {
				t.Errorf("delay %d: got %v, want %v", i, got, want)
			}
		}
		if st := r.Status(); st.Restarts < 10 || st.State != Stopped || st.LastExit == "" {
			t.Errorf("status after many restarts: %+v", st)
		}
	})
}

func TestDelaysBeginAnewAfterALongRun(t *testing.T) {
	s := &stage{}
	s.life.Store(int64(settled + time.Second))
	s.ready.Store(true)
	play(t, s, func(r *Role, stop func()) {
		time.Sleep(6 * time.Minute)
		stop()
		for i := 1; i < len(s.starts); i++ {
			if got := s.starts[i] - s.starts[i-1] - time.Duration(s.life.Load()); got != firstDelay {
				t.Errorf("delay %d: got %v, want %v", i, got, firstDelay)
			}
		}
	})
}

func TestAProcessThatCannotStartIsTriedAgain(t *testing.T) {
	s := &stage{refuse: errors.New("no memory")}
	play(t, s, func(r *Role, stop func()) {
		time.Sleep(time.Second)
		synctest.Wait()
		if st := r.Status(); st.State != Waiting || st.LastExit != "no memory" || len(s.starts) != 4 {
			t.Errorf("after %d starts: %+v", len(s.starts), st)
		}
		stop()
	})
}

func TestBudgetOfRestarts(t *testing.T) {
	s := &stage{}
	s.life.Store(int64(time.Millisecond))
	play(t, s, func(r *Role, stop func()) {
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if !r.Healthy() {
			t.Errorf("not healthy after %d starts, within the budget of %d", len(s.starts), restartBudget)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if r.Healthy() {
			t.Errorf("healthy after %d starts, beyond the budget of %d", len(s.starts), restartBudget)
		}
		synctest.Wait()
		s.life.Store(0) // the next one stays, but is not ready
		time.Sleep(settled)
		synctest.Wait()
		if r.Healthy() {
			t.Error("healthy although it never gets ready")
		}
		s.ready.Store(true)
		r.Restart()
		time.Sleep(stopGrace + recovered + time.Second)
		synctest.Wait()
		if !r.Healthy() {
			t.Error("not healthy although it is ready again")
		}
		stop()
	})
}

func TestStopIsGentleThenNot(t *testing.T) {
	for _, obeys := range []bool{true, false} {
		s := &stage{obeys: obeys}
		play(t, s, func(r *Role, stop func()) {
			synctest.Wait()
			begin := time.Now()
			stop()
			took, want := time.Since(begin), time.Duration(0)
			signals := []syscall.Signal{syscall.SIGTERM}
			if !obeys {
				want, signals = stopGrace, append(signals, syscall.SIGKILL)
			}
			if took != want || fmt.Sprint(s.actors[0].signals) != fmt.Sprint(signals) {
				t.Errorf("obeys %t: %v after %v, want %v after %v", obeys, s.actors[0].signals, took, signals, want)
			}
		})
	}
}

func TestReadyIsTheProcessOwnWord(t *testing.T) {
	s := &stage{obeys: true}
	play(t, s, func(r *Role, stop func()) {
		synctest.Wait()
		if got := r.Status().State; got != Starting {
			t.Fatalf("state before a word: got %s, want %s", got, Starting)
		}
		for _, l := range []string{"not ready yet", "ready web=x"} {
			fmt.Fprintln(s.actors[0].out, l)
		}
		synctest.Wait()
		if got := r.Status().State; got != Ready {
			t.Fatalf("state after its word: got %s, want %s", got, Ready)
		}
		if got := fmt.Sprint(r.Log()); got != "[not ready yet ready web=x]" {
			t.Errorf("log: got %s", got)
		}
		r.Restart()
		synctest.Wait()
		if st := r.Status(); st.Restarts != 0 || st.State == Waiting {
			t.Errorf("a restart that was asked for counts as a failure: %+v", st)
		}
		stop()
	})
}

func TestRestartEndsADelay(t *testing.T) {
	s := &stage{}
	s.life.Store(int64(time.Millisecond))
	play(t, s, func(r *Role, stop func()) {
		time.Sleep(28 * time.Second) // in the delay of 25.6 s that begins after 25.5 s
		synctest.Wait()
		n := len(s.starts)
		r.Restart()
		synctest.Wait()
		if len(s.starts) != n+1 {
			t.Errorf("%d starts, want %d", len(s.starts), n+1)
		}
		stop()
	})
}

func TestSignalWithoutAProcess(t *testing.T) {
	log, _ := newLog()
	r := NewRole(Spec{Name: "x"}, nil, nil, log, Events{})
	if err := r.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("got %v, want %v", err, os.ErrProcessDone)
	}
}

func TestHungRoleIsKilled(t *testing.T) {
	s := &stage{silence: 20 * time.Second}
	play(t, s, func(r *Role, stop func()) {
		synctest.Wait()
		fmt.Fprintln(s.actors[0].out, "ready to go")
		for range 10 {
			time.Sleep(15 * time.Second)
			r.Alive()
		}
		synctest.Wait()
		if s.count() != 1 {
			t.Errorf("a role that says it is alive was started %d times", s.count())
		}
		time.Sleep(26 * time.Second) // silent now
		synctest.Wait()
		if s.count() != 2 {
			t.Fatalf("the hung role was started %d times, want 2", s.count())
		}
		if got := s.actors[0].sent(); len(got) != 1 || got[0] != syscall.SIGKILL {
			t.Errorf("the hung role was sent %v, want only SIGKILL", got)
		}
		if st := r.Status(); st.Restarts != 1 || st.LastExit == "" {
			t.Errorf("status after a hang: %+v", st)
		}
		time.Sleep(70 * time.Second) // the new one never gets ready: it has four times as long
		synctest.Wait()
		if s.count() != 2 {
			t.Errorf("a role that starts slowly was killed too early")
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if s.count() != 3 {
			t.Errorf("a role that hangs while it starts was started %d times, want 3", s.count())
		}
		stop()
	})
}

// A role that hangs before it is ready fails each time, however long it takes.
func TestHangingStartsUseUpTheBudget(t *testing.T) {
	s := &stage{silence: 20 * time.Second}
	play(t, s, func(r *Role, stop func()) {
		time.Sleep(time.Hour)
		synctest.Wait()
		if r.Healthy() {
			t.Errorf("healthy after %d starts that all hung", s.count())
		}
		stop()
	})
}

// A role whose data cannot be used is tried now and then; the watchdog goes on.
func TestHopelessRole(t *testing.T) {
	s := &stage{code: 3}
	s.life.Store(int64(time.Millisecond))
	play(t, s, func(r *Role, stop func()) {
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		if !r.Healthy() || s.count() < 55 || s.count() > 60 {
			t.Errorf("healthy: %v after %d starts in an hour, want about 60 and the watchdog fed", r.Healthy(), s.count())
		}
		stop()
	})
}
