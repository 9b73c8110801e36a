package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// TB is what a test or benchmark offers of what this package needs.
type TB interface {
	Helper()
	Skipf(format string, args ...any)
}

// need skips the test where a program is not installed. Debian keeps those of
// services where users do not look for them.
func need(t TB, program string) {
	t.Helper()
	if _, err := find(program); err != nil {
		t.Skipf("%s is not installed (%v)", program, err)
	}
}

func find(program string) (string, error) {
	path, err := exec.LookPath(program)
	for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
		if err != nil {
			path, err = exec.LookPath(dir + program)
		}
	}
	return path, err
}

// server is a program that serves until it is told to end, with all its
// processes: a group of their own.
type server struct {
	program string
	log     string // file that it writes to
	cmd     *exec.Cmd
	exited  chan struct{} // closed when it has ended and err is set
	err     error
}

// startServer starts a program in dir. What it prints is added to a log there.
func startServer(dir, program string, args ...string) (*server, error) {
	path, err := find(program)
	if err != nil {
		return nil, err
	}
	s := &server{program: program, log: filepath.Join(dir, program+".log"), exited: make(chan struct{})}
	out, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the program has its own
	s.cmd = exec.Command(path, args...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, out, out
	// It never outlives the test: told to end, it ends its own processes.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	return s, nil
}

// ready waits until a question over UDP or TCP is answered, at most 10 s.
func (s *server) ready(ctx context.Context, network string, at netip.AddrPort, question []byte) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		err := ask(ctx, network, at, question)
		select {
		case <-s.exited: // whoever answers now, it is not this one
			return fmt.Errorf("ended before it was ready: %w%s", errors.Join(s.err, err), s.tail())
		default:
		}
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("does not answer at %v: %w%s", at, err, s.tail())
		case <-s.exited:
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func ask(ctx context.Context, network string, at netip.AddrPort, question []byte) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, at.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if len(question) == 0 {
		return nil
	}
	if err := conn.SetDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		return err
	}
	if _, err := conn.Write(question); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1500))
	return err
}

// stop ends it in good order, or else by force.
func (s *server) stop() error {
	// These fail only when it has ended already.
	_ = syscall.Kill(s.cmd.Process.Pid, syscall.SIGTERM)
	_ = s.signal(syscall.SIGCONT)
	select {
	case <-s.exited:
		return nil
	case <-time.After(10 * time.Second):
	}
	_ = s.signal(syscall.SIGKILL)
	<-s.exited
	return fmt.Errorf("%s did not end in 10 s and was killed%s", s.program, s.tail())
}

// signal goes to all of its processes.
func (s *server) signal(sig syscall.Signal) error {
	if err := syscall.Kill(-s.cmd.Process.Pid, sig); err != nil {
		return fmt.Errorf("%s: %v: %w", s.program, sig, err)
	}
	return nil
}

// text returns all that it has printed.
func (s *server) text() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (s *server) tail() string {
	lines := strings.Split(strings.TrimSpace(s.text()), "\n")
	return "\n" + s.program + " said last:\n\t" + strings.Join(lines[max(0, len(lines)-40):], "\n\t")
}
