package peer

import (
	"math/rand/v2"
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

// SIP and control ports come from here: below the ports that the kernel hands
// out by itself, above the RTP ports of baresip and the PBX.
const firstPort, lastPort = 30000, 32766

// FreePort returns an even port of addr that is free for both UDP and TCP, and
// the port after it too: baresip opens SIP over TLS there. Another process may
// take it before it is used, so whoever uses it tries again.
func FreePort(addr string) (int, error) {
	var last error
	for range 100 {
		port := firstPort + 2*rand.IntN((lastPort-firstPort)/2)
		if last = probe(addr, port); last == nil {
			if last = probe(addr, port+1); last == nil {
				return port, nil
			}
		}
	}
	return 0, last
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
