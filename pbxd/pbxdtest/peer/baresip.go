package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// BaresipOptions say what phone to start.
type BaresipOptions struct {
	Dir        string        // for its configuration, recordings and log; must exist, one phone each (t.TempDir())
	User       string        // SIP user name
	AuthUser   string        // that the password belongs to; empty: User
	Password   string        // for digest authentication
	Registrar  string        // host:port of the PBX; empty for a phone without one
	Transport  string        // "udp" (also when empty), "tcp" or "tls"
	Expires    time.Duration // of its registration, whole seconds; 0 does not register
	AutoAnswer bool          // answer every call at once; otherwise Answer does
	Tone       float64       // frequency that it sends, Hz; 0 sends silence
	ToneTime   time.Duration // length of the tone; 0 means 2 minutes
	Addr       string        // local IP address; empty means 127.0.0.1
	Port       int           // local SIP port; 0 picks one
	Codecs     []string      // in baresip's spelling; none means PCMA/8000/1
	Watch      string        // extension whose presence it subscribes to; empty for none
	Encryption string        // of its audio: "srtp-mand" insists, "srtp" asks; empty for none
}

// Baresip is a running baresip. Its methods may be called from any goroutine.
type Baresip struct {
	opts    BaresipOptions
	addr    string
	cmd     *exec.Cmd
	logFile *os.File
	exited  chan struct{} // closed when the process has ended and exitErr is set
	exitErr error
	stop    sync.Once
	control *control
}

// StartBaresip starts a phone and returns when it can be told what to do. ctx
// bounds the start alone: the phone runs until Stop or Kill, and dies with the
// process that started it.
func StartBaresip(ctx context.Context, o BaresipOptions) (*Baresip, error) {
	if o.Addr == "" {
		o.Addr = "127.0.0.1"
	}
	if o.Transport == "" {
		o.Transport = "udp"
	}
	if o.ToneTime == 0 {
		o.ToneTime = 2 * time.Minute
	}
	if len(o.Codecs) == 0 {
		o.Codecs = []string{"PCMA/8000/1"}
	}
	var last error
	for range 3 { // the ports were free when they were chosen
		b, err := startOnce(ctx, o)
		if err == nil {
			return b, nil
		}
		last = fmt.Errorf("baresip %s: %w%s", o.User, err, b.tail())
		if o.Port != 0 || !strings.Contains(b.Log(), "Address already in use") {
			break
		}
	}
	return nil, last
}

// startOnce returns what it has even when it fails, for its log.
func startOnce(ctx context.Context, o BaresipOptions) (*Baresip, error) {
	b := &Baresip{opts: o, exited: make(chan struct{})}
	if o.Port == 0 {
		port, err := FreePort(o.Addr)
		if err != nil {
			return b, fmt.Errorf("pick a SIP port: %w", err)
		}
		b.opts.Port = port
	}
	b.addr = net.JoinHostPort(o.Addr, strconv.Itoa(b.opts.Port))
	return b, b.start(ctx)
}

func (b *Baresip) start(ctx context.Context) (err error) {
	controlPort, err := FreePort("127.0.0.1")
	if err != nil {
		return fmt.Errorf("pick a control port: %w", err)
	}
	if err := b.writeFiles(controlPort); err != nil {
		return err
	}
	if b.logFile, err = os.Create(b.logPath()); err != nil {
		return err
	}
	b.cmd = exec.Command("baresip", "-f", b.opts.Dir)
	b.cmd.Dir = b.opts.Dir
	b.cmd.Stdout, b.cmd.Stderr = b.logFile, b.logFile
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // never outlives the test
	if err := b.cmd.Start(); err != nil {
		return errors.Join(err, b.logFile.Close())
	}
	go func() {
		b.exitErr = errors.Join(b.cmd.Wait(), b.logFile.Close())
		close(b.exited)
	}()
	b.control, err = b.connect(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(controlPort)))
	if err != nil {
		return errors.Join(err, b.kill())
	}
	if _, err := b.control.command(ctx, "uanew", b.account()); err != nil {
		b.control.close()
		return errors.Join(fmt.Errorf("make the account: %w", err), b.kill())
	}
	return nil
}

// connect waits until the control port answers, at most 10 s.
func (b *Baresip) connect(ctx context.Context, addr string) (*control, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			return newControl(conn), nil
		}
		select {
		case <-b.exited:
			return nil, fmt.Errorf("ended before it was ready: %w", b.exitErr)
		case <-ctx.Done():
			return nil, fmt.Errorf("control port does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Addr returns the host:port at which it takes SIP.
func (b *Baresip) Addr() string { return b.addr }

// URI returns the SIP URI that reaches it without a PBX. The transport is that
// of the phone that dials: baresip adds its own.
func (b *Baresip) URI() string { return fmt.Sprintf("sip:%s@%s", b.opts.User, b.addr) }

// Dial starts a call to a number of its PBX, or to a whole SIP URI. It does not
// wait for the answer: see Await.
func (b *Baresip) Dial(ctx context.Context, to string) error {
	if !strings.HasPrefix(to, "sip:") {
		to = fmt.Sprintf("sip:%s@%s", to, b.opts.Registrar)
	}
	_, err := b.Command(ctx, "dial", to)
	return err
}

// Answer answers the call that rings.
func (b *Baresip) Answer(ctx context.Context) error {
	_, err := b.Command(ctx, "accept", "")
	return err
}

// Hangup ends, cancels or refuses the current call.
func (b *Baresip) Hangup(ctx context.Context) error {
	_, err := b.Command(ctx, "hangup", "")
	return err
}

// Command runs one of baresip's commands ("help" lists them) and returns what
// it prints.
func (b *Baresip) Command(ctx context.Context, name, params string) (string, error) {
	out, err := b.control.command(ctx, name, params)
	if err != nil {
		return out, fmt.Errorf("baresip %s: %s: %w%s", b.opts.User, name, err, b.tail())
	}
	return out, nil
}

// AwaitRegistered asks the phone until it says that it is registered. Its
// event REGISTER_OK may come before anybody can listen for it.
func (b *Baresip) AwaitRegistered(ctx context.Context) error {
	for {
		said, err := b.Command(ctx, "reginfo", "")
		if err != nil {
			return err
		}
		if strings.Contains(said, "OK") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until the phone is registered: %w; it says %q", context.Cause(ctx), said)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Await returns the next event of one of the types given ("REGISTER_OK",
// "CALL_ESTABLISHED" and so on), passing over events of other types for good.
func (b *Baresip) Await(ctx context.Context, types ...string) (Event, error) {
	e, passed, err := b.control.await(ctx, types)
	if err != nil {
		return e, fmt.Errorf("baresip %s: wait for %s after %s: %w%s", b.opts.User, strings.Join(types, " or "), passed, err, b.tail())
	}
	return e, nil
}

// Recordings returns the files of what it has heard, one per call, oldest
// first. A file is complete when its call has ended.
func (b *Baresip) Recordings() ([]string, error) {
	files, err := filepath.Glob(filepath.Join(b.opts.Dir, "dump-*-dec.wav"))
	if err != nil {
		return nil, fmt.Errorf("baresip %s: find recordings: %w", b.opts.User, err)
	}
	slices.Sort(files) // the name holds the time, to the second
	return files, nil
}

// Heard returns the samples of the latest recording.
func (b *Baresip) Heard() ([]int16, error) {
	files, err := b.Recordings()
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("baresip %s: it has recorded nothing%s", b.opts.User, b.tail())
	}
	return ReadWAV(files[len(files)-1])
}

// Stop ends the phone, which ends its calls and its registration, and waits
// until it is gone. Later calls do nothing.
func (b *Baresip) Stop() (err error) {
	b.stop.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		quitErr := b.control.send(ctx, "quit", "", "quit")
		select {
		case <-b.exited:
			err = b.exitErr
		case <-ctx.Done():
			err = errors.Join(fmt.Errorf("did not end in 10 s after quit: %w", errors.Join(ctx.Err(), quitErr)), b.kill())
		}
		b.control.close()
	})
	if err != nil {
		return fmt.Errorf("baresip %s: stop: %w%s", b.opts.User, err, b.tail())
	}
	return nil
}

// Kill ends the phone without a word to anybody, as pulling its plug does.
func (b *Baresip) Kill() error {
	var err error
	b.stop.Do(func() {
		err = b.kill()
		b.control.close()
	})
	return err
}

func (b *Baresip) kill() error {
	err := b.cmd.Process.Kill()
	<-b.exited
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

func (b *Baresip) logPath() string { return filepath.Join(b.opts.Dir, "log") }

// Log returns all that it has printed. It holds no password.
func (b *Baresip) Log() string {
	text, err := os.ReadFile(b.logPath())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// tail returns the last lines of the log for an error message.
func (b *Baresip) tail() string {
	lines := strings.Split(strings.TrimSpace(b.Log()), "\n")
	return "\nits log ends:\n\t" + strings.Join(lines[max(0, len(lines)-15):], "\n\t")
}
