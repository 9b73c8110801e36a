package peer

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed scenarios/*.xml
var scenarios embed.FS

// Scenario is one of the dialogues that come with this package.
type Scenario string

// The scenarios.
const (
	SippRegister Scenario = "register"  // registers, with digest authentication
	SippCall     Scenario = "call"      // calls, without authentication
	SippCallAuth Scenario = "call-auth" // calls and is challenged with 401 or 407
	SippAnswer   Scenario = "answer"    // rings and answers

	SippCallReliable   Scenario = "call-reliable"   // as SippCallAuth, and requires reliable provisional answers
	SippAnswerReliable Scenario = "answer-reliable" // sends early audio reliably, then answers
)

// SippUser is one line of the data that a scenario runs over, in turns.
type SippUser struct {
	User, Password string
	Number         string // that it dials
}

// SippOptions say what to run.
type SippOptions struct {
	Dir         string // for its files; must exist, one each (t.TempDir())
	Scenario    Scenario
	XML         []byte            // a scenario of the test's own, which Scenario then only names
	Keys        map[string]string // further keys of the scenario
	Users       []SippUser        // of all scenarios but those that answer
	Remote      netip.AddrPort    // of the PBX; none for scenarios that answer
	Domain      string            // host of the SIP addresses; empty means Remote
	Transport   string            // "udp" (also when empty) or "tcp" (one connection for all calls)
	Addr        netip.Addr        // local address; zero means 127.0.0.1
	Port        int               // local SIP port; 0 picks one
	Calls       int               // to make or to take; 0 means 1
	Rate        int               // new calls a second; 0 means 10
	Limit       int               // calls at a time; 0 means no limit of its own
	Talk        time.Duration     // length of a call that it makes
	RTPPort     int               // port for audio that it names (see RTP); 0 means 9, the discard port
	ContactPort int               // for SippRegister: port of the phone that is registered; 0 means Port
	Expires     time.Duration     // for SippRegister; 0 means 1 hour
}

// SippResult is what a run counted.
type SippResult struct {
	Successful, Failed int // calls, or registrations
	Retransmissions    int
	Unexpected         int // messages that the scenario does not expect
}

// Sipp is a running sipp.
type Sipp struct {
	opts   SippOptions
	cmd    *exec.Cmd
	exited chan struct{}
	err    error
}

// StartSipp starts a run. ctx bounds the whole of it: its end kills sipp.
func StartSipp(ctx context.Context, o SippOptions) (*Sipp, error) {
	if !o.Addr.IsValid() {
		o.Addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if o.Port == 0 {
		port, err := FreePort(o.Addr.String())
		if err != nil {
			return nil, fmt.Errorf("sipp %s: pick a SIP port: %w", o.Scenario, err)
		}
		o.Port = port
	}
	o.Calls, o.Rate = max(o.Calls, 1), max(o.Rate, 0)
	if o.Rate == 0 {
		o.Rate = 10
	}
	s := &Sipp{opts: o, exited: make(chan struct{})}
	args, err := s.prepare()
	if err != nil {
		return nil, fmt.Errorf("sipp %s: %w", o.Scenario, err)
	}
	out, err := os.Create(s.file("out.log"))
	if err != nil {
		return nil, fmt.Errorf("sipp %s: %w", o.Scenario, err)
	}
	s.cmd = exec.CommandContext(ctx, "sipp", args...)
	s.cmd.Dir = o.Dir
	s.cmd.Stdout, s.cmd.Stderr = out, out
	s.cmd.Env = append(os.Environ(), "TERM=dumb")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("sipp %s: %w", o.Scenario, err), out.Close())
	}
	go func() {
		s.err = errors.Join(s.cmd.Wait(), context.Cause(ctx), out.Close())
		close(s.exited)
	}()
	return s, nil
}

// prepare writes the scenario and its data and returns the arguments.
func (s *Sipp) prepare() ([]string, error) {
	o := s.opts
	xml := o.XML
	if len(xml) == 0 {
		var err error
		if xml, err = scenarios.ReadFile("scenarios/" + string(o.Scenario) + ".xml"); err != nil {
			return nil, err
		}
	}
	if err := os.WriteFile(s.file("scenario.xml"), xml, 0o600); err != nil {
		return nil, err
	}
	domain := o.Domain
	if domain == "" {
		domain = o.Remote.String()
	}
	or := func(n, otherwise int) string {
		if n == 0 {
			n = otherwise
		}
		return strconv.Itoa(n)
	}
	expires := o.Expires
	if expires == 0 {
		expires = time.Hour
	}
	transport := map[string]string{"": "u1", "udp": "u1", "tcp": "t1"}[o.Transport]
	if transport == "" {
		return nil, fmt.Errorf("transport %q; known are udp and tcp", o.Transport)
	}
	args := []string{
		"-sf", s.file("scenario.xml"), "-i", o.Addr.String(), "-p", strconv.Itoa(o.Port), "-t", transport,
		"-m", strconv.Itoa(o.Calls), "-r", strconv.Itoa(o.Rate), "-d", strconv.FormatInt(o.Talk.Milliseconds(), 10),
		"-key", "domain", domain, "-key", "rtp", or(o.RTPPort, 9),
		"-key", "cport", or(o.ContactPort, o.Port), "-key", "exp", strconv.Itoa(int(expires / time.Second)),
		"-nostdin", "-skip_rlimit", "-deadcall_wait", "0",
		"-trace_stat", "-stf", s.file("stat.csv"), "-fd", "1",
		"-trace_err", "-error_file", s.file("errors.log"), "-trace_logs", "-log_file", s.file("rtp.log"),
	}
	if o.Limit > 0 {
		args = append(args, "-l", strconv.Itoa(o.Limit))
	}
	for _, k := range slices.Sorted(maps.Keys(o.Keys)) {
		args = append(args, "-key", k, o.Keys[k])
	}
	if !o.Remote.IsValid() || o.Scenario == SippAnswer || o.Scenario == SippAnswerReliable { // one that is called
		return args, nil
	}
	if len(o.Users) == 0 {
		return append(args, o.Remote.String()), nil
	}
	lines := []string{"SEQUENTIAL"}
	for _, u := range o.Users {
		lines = append(lines, fmt.Sprintf("%s;[authentication username=%s password=%s];%s", u.User, u.User, u.Password, u.Number))
	}
	if err := os.WriteFile(s.file("users.csv"), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		return nil, err
	}
	return append(args, "-inf", s.file("users.csv"), o.Remote.String()), nil
}

func (s *Sipp) file(name string) string { return filepath.Join(s.opts.Dir, name) }

// Addr returns the address and port at which it takes SIP.
func (s *Sipp) Addr() netip.AddrPort { return netip.AddrPortFrom(s.opts.Addr, uint16(s.opts.Port)) }

// Wait waits for the end of the run and returns its counts. The error says
// that not all of the calls were made, or that some failed.
func (s *Sipp) Wait() (SippResult, error) {
	<-s.exited
	r, err := s.result()
	if err = errors.Join(s.err, err); err == nil && (r.Failed > 0 || r.Successful != s.opts.Calls) {
		err = errors.New("calls failed")
	}
	if err != nil {
		return r, fmt.Errorf("sipp %s: %d of %d successful, %d failed: %w%s", s.opts.Scenario, r.Successful, s.opts.Calls, r.Failed, err, s.complaints())
	}
	return r, nil
}

// Stop ends the run now, whatever is under way.
func (s *Sipp) Stop() {
	// It fails only when sipp has ended already.
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// RunSipp starts a run and waits for its end.
func RunSipp(ctx context.Context, o SippOptions) (SippResult, error) {
	s, err := StartSipp(ctx, o)
	if err != nil {
		return SippResult{}, err
	}
	return s.Wait()
}

// WaitReady waits until the SIP port is open, which takes sipp some moments.
func (s *Sipp) WaitReady(ctx context.Context) error {
	network := "udp"
	if s.opts.Transport == "tcp" {
		network = "tcp"
	}
	for {
		open, err := holdsPort(s.cmd.Process.Pid, network, s.Addr().Port())
		if open {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("sipp %s: ended before it was ready: %w%s", s.opts.Scenario, s.err, s.complaints())
		case <-ctx.Done():
			return fmt.Errorf("sipp %s: port %v does not open: %w", s.opts.Scenario, s.Addr(), errors.Join(context.Cause(ctx), err))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// MediaPorts returns the audio ports that the other side has named so far, in
// the order of its messages.
func (s *Sipp) MediaPorts() ([]uint16, error) {
	text, err := os.ReadFile(s.file("rtp.log"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sipp %s: read media ports: %w", s.opts.Scenario, err)
	}
	var ports []uint16
	for _, m := range regexp.MustCompile(`(?m)^rtp (\d+)$`).FindAllSubmatch(text, -1) {
		n, err := strconv.ParseUint(string(m[1]), 10, 16)
		if err != nil {
			return nil, fmt.Errorf("sipp %s: media port: %w", s.opts.Scenario, err)
		}
		ports = append(ports, uint16(n))
	}
	return ports, nil
}

// AwaitMediaPort waits until the other side has named its n-th audio port,
// counted from 1.
func (s *Sipp) AwaitMediaPort(ctx context.Context, n int) (uint16, error) {
	for {
		ports, err := s.MediaPorts()
		if err != nil {
			return 0, err
		}
		if len(ports) >= n {
			return ports[n-1], nil
		}
		select {
		case <-s.exited:
			return 0, fmt.Errorf("sipp %s: ended with %d media ports, want %d: %w%s", s.opts.Scenario, len(ports), n, s.err, s.complaints())
		case <-ctx.Done():
			return 0, fmt.Errorf("sipp %s: %d media ports, want %d: %w", s.opts.Scenario, len(ports), n, context.Cause(ctx))
		case <-time.After(20 * time.Millisecond):
		}
	}
}
