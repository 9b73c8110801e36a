package peer

import (
	"net"
	"os/exec"
	"strconv"
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

// freePort returns a port of addr that is free for both UDP and TCP. Another
// process may take it before it is used; the kernel hands out ports in an
// order that makes this rare.
func freePort(addr string) (int, error) {
	var last error
	for range 20 {
		l, err := net.Listen("tcp", net.JoinHostPort(addr, "0"))
		if err != nil {
			return 0, err
		}
		port := l.Addr().(*net.TCPAddr).Port
		u, err := net.ListenPacket("udp", net.JoinHostPort(addr, strconv.Itoa(port)))
		if err == nil {
			u.Close()
		}
		l.Close()
		if err == nil {
			return port, nil
		}
		last = err
	}
	return 0, last
}
