package rtpio

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// fakeClock is a time that tests move by hand.
type fakeClock struct{ ns atomic.Int64 }

func newFakeClock() *fakeClock {
	c := &fakeClock{}
	c.ns.Store(time.Unix(1_000_000, 0).UnixNano())
	return c
}
func (c *fakeClock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *fakeClock) advance(d time.Duration) { c.ns.Add(int64(d)) }

var (
	loop4 = netip.MustParseAddr("127.0.0.1")
	loop6 = netip.MustParseAddr("::1")
)

func newPorts(t testing.TB, bind netip.Addr, min, max uint16, c *fakeClock) *Ports {
	t.Helper()
	p := New(bind, min, max, slog.New(slog.DiscardHandler), c.now)
	t.Cleanup(p.Close)
	return p
}

func openPort(t testing.TB, p *Ports, addr netip.Addr) *Port {
	t.Helper()
	q, err := p.Open(addr)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// socket is a phone's RTP or RTCP socket.
type socket struct {
	t testing.TB
	*net.UDPConn
}

func newSocket(t testing.TB, addr netip.Addr) socket {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return socket{t, c}
}

func (s socket) addr() netip.AddrPort { return s.LocalAddr().(*net.UDPAddr).AddrPort() }

func (s socket) send(to netip.AddrPort, b []byte) {
	s.t.Helper()
	if _, err := s.WriteToUDPAddrPort(b, to); err != nil {
		s.t.Fatal(err)
	}
}

// receive returns the next datagram, or nil when none comes within wait.
func (s socket) receive(wait time.Duration) ([]byte, netip.AddrPort) {
	s.t.Helper()
	buf := make([]byte, 2048)
	if err := s.SetReadDeadline(time.Now().Add(wait)); err != nil {
		s.t.Fatal(err)
	}
	n, from, err := s.ReadFromUDPAddrPort(buf)
	if err != nil {
		return nil, from
	}
	return buf[:n], from
}

func (s socket) wants(b []byte) {
	s.t.Helper()
	got, _ := s.receive(5 * time.Second)
	if !bytes.Equal(got, b) {
		s.t.Fatalf("%v received %x, want %x", s.addr(), got, b)
	}
}

func (s socket) wantsNothing() {
	s.t.Helper()
	if got, from := s.receive(50 * time.Millisecond); got != nil {
		s.t.Fatalf("%v received %x from %v, want nothing", s.addr(), got, from)
	}
}

func packet(t testing.TB, pt uint8, seq uint16, ssrc uint32) []byte {
	t.Helper()
	b, err := (&rtp.Packet{
		Header:  rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: seq, Timestamp: uint32(seq) * 160, SSRC: ssrc},
		Payload: bytes.Repeat([]byte{0xd5}, 160),
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// waitFor waits until the port has dealt with what was sent to it.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("%s did not happen within 5 s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// needIPv6 skips a test on machines whose kernel has no IPv6.
func needIPv6(t testing.TB) {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loop6, 0)))
	if err != nil {
		t.Skipf("no IPv6 on this machine: %v", err)
	}
	c.Close()
}

func at(p *Port, addr netip.Addr) netip.AddrPort { return netip.AddrPortFrom(addr, p.RTPPort()) }

func atRTCP(p *Port, addr netip.Addr) netip.AddrPort { return netip.AddrPortFrom(addr, p.RTPPort()+1) }
