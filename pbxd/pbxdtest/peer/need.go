package peer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// TB is what a test or benchmark offers of what this package needs.
type TB interface {
	Helper()
	Skipf(format string, args ...any)
}

// NeedBaresip skips the test where baresip is not installed.
func NeedBaresip(t TB) {
	t.Helper()
	need(t, "baresip")
}

// NeedSipp skips the test where sipp is not installed.
func NeedSipp(t TB) {
	t.Helper()
	need(t, "sipp")
}

func need(t TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed (%v)", program, err)
	}
}

// SIP and control ports come from below and above those that the kernel hands out
// by itself (32768 to 60999 unless somebody has changed it), above the RTP ports of
// baresip and the PBX.
const (
	firstLow, lastLow   = 30000, 32766
	firstHigh, lastHigh = 61000, 65534
)

// anyPort returns an even one of them.
func anyPort() int {
	n := 2 * rand.IntN((lastLow-firstLow+lastHigh-firstHigh)/2+2)
	if n <= lastLow-firstLow {
		return firstLow + n
	}
	return firstHigh + n - (lastLow - firstLow) - 2
}

// FreePort returns an even port of addr that is free for both UDP and TCP, and
// the port after it too: baresip opens SIP over TLS there. Nobody else gets it
// from FreePort for the next 30 s, in this process or another.
func FreePort(addr string) (int, error) {
	last := errors.New("all are reserved")
	for range 300 {
		port := anyPort()
		if !reserve(port) {
			continue
		}
		if last = probe(addr, port); last == nil {
			if last = probe(addr, port+1); last == nil {
				return port, nil
			}
		}
	}
	return 0, fmt.Errorf("no free port of %s: %w", addr, last)
}

// reserve locks a port for whoever has asked for it, who may need some time to
// open it: two baresips with one control port do not even notice.
func reserve(port int) bool {
	dir := filepath.Join(os.TempDir(), "pbxdtest-ports")
	// Where there is no such folder, all that is left is chance.
	_ = os.Mkdir(dir, 0o700)
	fd, err := syscall.Open(filepath.Join(dir, strconv.Itoa(port)), syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return true
	}
	if syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		_ = syscall.Close(fd)
		return false
	}
	time.AfterFunc(30*time.Second, func() { _ = syscall.Close(fd) }) // which unlocks it
	return true
}

// probe reports why a port cannot be used.
func probe(addr string, port int) error {
	host := net.JoinHostPort(addr, strconv.Itoa(port))
	l, err := net.Listen("tcp", host)
	if err != nil {
		return err
	}
	defer l.Close()
	u, err := net.ListenPacket("udp", host)
	if err != nil {
		return err
	}
	return u.Close()
}
