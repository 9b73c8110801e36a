package qemutest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Where the forwarded ports of a machine are.
const (
	webAddress = "127.0.0.1:8443"
	sipAddress = "127.0.0.1:5060"
)

// awaitTime bounds what a loaded machine under emulation may take for anything.
const awaitTime = 3 * time.Minute

// imageOf returns the path of an image, or skips the test.
func imageOf(tb testing.TB, variable string) string {
	tb.Helper()
	path := os.Getenv(variable)
	if path == "" {
		tb.Skipf("%s names no image; scripts/test builds them", variable)
	}
	if _, err := os.Stat(path); err != nil { // which also lets go test know that the result depends on it
		tb.Fatal(err)
	}
	for _, program := range []string{"qemu-system-x86_64", "cp"} {
		if _, err := exec.LookPath(program); err != nil {
			tb.Skipf("%s is not installed", program)
		}
	}
	return path
}

func releaseImage(tb testing.TB) string { tb.Helper(); return imageOf(tb, "GALILEI_IMAGE") }
func testImage(tb testing.TB) string    { tb.Helper(); return imageOf(tb, "GALILEI_TEST_IMAGE") }

// newDisk copies an image for one test; holes stay holes.
func newDisk(tb testing.TB, image string) string {
	tb.Helper()
	// Not TempDir: sockets lie beside the disk, and their paths must be short.
	dir, err := os.MkdirTemp("", "galilei")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	disk := filepath.Join(dir, "disk.img")
	if out, err := exec.Command("cp", "--sparse=always", image, disk).CombinedOutput(); err != nil {
		tb.Fatalf("copy %s: %v\n%s", image, err, out)
	}
	return disk
}

// machine is a running QEMU.
type machine struct {
	console *console
	qmp     *qmp
	control *channel // its other end exists in test images only
	cmd     *exec.Cmd
	printed *os.File      // of QEMU itself
	exited  chan struct{} // closed when QEMU has ended

	booted    time.Duration     // from power-on to ready
	passwords map[string]string // SIP password by extension, as the console shows them
}

// boot starts a machine on a disk and waits until it is ready. It lasts as
// long as the test, or until switchOff.
func boot(tb testing.TB, disk string) *machine {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), awaitTime)
	defer cancel()
	m := &machine{console: newConsole(), exited: make(chan struct{})}
	tb.Cleanup(func() {
		m.switchOff()
		if tb.Failed() {
			tb.Logf("serial console:\n%s", m.console.tail(200))
		}
	})
	start := time.Now()
	err := m.start(ctx, disk)
	if err == nil {
		err = m.awaitReady(ctx, 0)
	}
	if err != nil {
		said, _ := os.ReadFile(filepath.Join(filepath.Dir(disk), "qemu.log")) // then it said nothing
		tb.Fatalf("boot %s: %v\n%s", disk, err, said)
	}
	m.booted = time.Since(start)
	tb.Logf("ready %.1f s after power-on", m.booted.Seconds())
	return m
}

func (m *machine) start(ctx context.Context, disk string) error {
	dir := filepath.Dir(disk)
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, old := range []string{"serial", "qmp", "control"} {
		if err := os.Remove(path(old)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	serial, err := (&net.ListenConfig{}).Listen(ctx, "unix", path("serial"))
	if err != nil {
		return err
	}
	defer serial.Close()
	if m.printed, err = os.Create(path("qemu.log")); err != nil {
		return err
	}
	m.cmd = exec.Command(filepath.Join("..", "..", "scripts", "qemu"), disk)
	m.cmd.Env = append(os.Environ(), "SERIAL=unix:"+path("serial"), "QMP="+path("qmp"), "CONTROL="+path("control"),
		"WEB=8443", "HTTP=8080", "SIP=5060", "RTP=20000-20039")
	m.cmd.Stdout, m.cmd.Stderr = m.printed, m.printed
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // it survives the script's exec of QEMU
	if err := m.cmd.Start(); err != nil {
		m.cmd = nil
		return err
	}
	go func() {
		_ = m.cmd.Wait() // killed, or it has told in its log why it ended
		m.printed.Close()
		close(m.exited)
		serial.Close() // ends the wait for it
	}()
	line, err := serial.Accept()
	if err != nil {
		return fmt.Errorf("QEMU has not started: %w", err)
	}
	go m.console.read(line)
	if m.qmp, err = dialQMP(ctx, path("qmp")); err != nil {
		return err
	}
	conn, err := dialSocket(ctx, path("control"))
	if err != nil {
		return err
	}
	m.control = &channel{conn: conn, in: bufio.NewReader(conn)}
	return nil
}

var demoLine = regexp.MustCompile(`user=demo\d+ extension=(\d+) password=(\S+)`)

// awaitReady waits for the ready line after the place of the console.
func (m *machine) awaitReady(ctx context.Context, from int) error {
	if _, err := m.console.await(ctx, from, `galilei ready .*`); err != nil {
		return err
	}
	m.passwords = map[string]string{}
	for _, found := range m.console.matches(demoLine) {
		m.passwords[found[1]] = found[2]
	}
	return nil
}

// reset presses the reset switch, as little announced as a power cut to all
// that runs inside, and waits until the machine is ready again.
func (m *machine) reset(tb testing.TB) {
	tb.Helper()
	m.restart(tb, "reset", func(ctx context.Context) error { return m.qmp.execute(ctx, "system_reset") })
}

// reboot restarts a test image in good order.
func (m *machine) reboot(tb testing.TB) {
	tb.Helper()
	m.restart(tb, "reboot", func(ctx context.Context) error { _, err := m.control.do(ctx, "reboot"); return err })
}

func (m *machine) restart(tb testing.TB, how string, act func(context.Context) error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), awaitTime)
	defer cancel()
	from, start := m.console.end(), time.Now()
	err := act(ctx)
	if err == nil {
		err = m.awaitReady(ctx, from)
	}
	if err != nil {
		tb.Fatalf("%s: %v", how, err)
	}
	tb.Logf("ready %.1f s after %s", time.Since(start).Seconds(), how)
}

// command runs a command of the test control channel.
func (m *machine) command(tb testing.TB, words ...string) reply {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), awaitTime)
	defer cancel()
	r, err := m.control.do(ctx, strings.Join(words, " "))
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// switchOff pulls the plug. Later calls do nothing.
func (m *machine) switchOff() {
	if m.cmd == nil {
		return
	}
	_ = m.cmd.Process.Kill() // it fails only when QEMU has ended
	<-m.exited
	if m.qmp != nil {
		m.qmp.conn.Close()
	}
	if m.control != nil {
		m.control.conn.Close()
	}
}
