package rtpio

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"golang.org/x/sys/unix"

	"galilei/pbxd/media"
)

// sink is a peer that counts.
type sink struct {
	rtp, rtcp int
	last      []byte
}

func (s *sink) WriteRTP(p []byte)      { s.rtp++; s.last = append(s.last[:0], p...) }
func (s *sink) WriteRTCP(p []byte)     { s.rtcp++; s.last = append(s.last[:0], p...) }
func (s *sink) SetPeer(media.Endpoint) {}

// unconnected returns a port without sockets, for tests that hand it datagrams.
func unconnected(t testing.TB) (*Port, *sink) {
	ports := newPorts(t, loop4, 25000, 25001, newFakeClock())
	p := newPort(ports, loop4, 25000, nil, nil)
	peer := &sink{}
	p.SetPeer(peer)
	p.Expect(Expectation{RTP: phoneAddr, PayloadTypes: []uint8{0, 8, 101}})
	return p, peer
}

var phoneAddr = netip.MustParseAddrPort("192.0.2.10:4000")

func TestReceiveDoesNotAllocate(t *testing.T) {
	p, peer := unconnected(t)
	b := packet(t, 8, 1, 1)
	extended := append(slices.Concat([]byte{0x90}, b[1:12]), 0xbe, 0xde, 0, 1, 0x10, 0x7f, 0, 0, 0xd5)
	report, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: 2}}},
		rtcp.NewCNAMESourceDescription(1, "x"),
	})
	if err != nil {
		t.Fatal(err)
	}
	foreign := netip.MustParseAddrPort("198.51.100.66:4000")
	p.receiveRTP(b, phoneAddr)
	p.receiveRTCP(report, netip.MustParseAddrPort("192.0.2.10:4001"))
	for _, tt := range []struct {
		name string
		run  func()
	}{
		{"RTP", func() { p.receiveRTP(b, phoneAddr) }},
		{"RTP with extension", func() { p.receiveRTP(extended, phoneAddr) }},
		{"RTP of a stranger", func() { p.receiveRTP(b, foreign) }},
		{"no RTP", func() { p.receiveRTP(b[:5], phoneAddr) }},
		{"RTCP", func() { p.receiveRTCP(report, netip.MustParseAddrPort("192.0.2.10:4001")) }},
	} {
		if n := testing.AllocsPerRun(1000, tt.run); n != 0 {
			t.Errorf("%s: %v allocations a packet, want 0", tt.name, n)
		}
	}
	if peer.rtp == 0 || peer.rtcp == 0 {
		t.Errorf("%d RTP and %d RTCP passed on; the packets of this test are not accepted", peer.rtp, peer.rtcp)
	}
	if s := p.Stats(); s.Dropped.Invalid == 0 || s.Dropped.Foreign == 0 || s.PacketsIn < 2000 {
		t.Errorf("stats %+v: not every case took its way", s)
	}
}

func TestRelayDoesNotAllocate(t *testing.T) {
	ports := newPorts(t, loop4, 25100, 25199, newFakeClock())
	a, b := openPort(t, ports, loop4), openPort(t, ports, loop4)
	src, dst := newSocket(t, loop4), newSocket(t, loop4)
	a.Expect(Expectation{RTP: src.addr(), PayloadTypes: []uint8{8}})
	b.Expect(Expectation{RTP: dst.addr(), PayloadTypes: []uint8{8}})
	media.Bridge(a, b)
	p, buf := packet(t, 8, 1, 1), make([]byte, 2048)
	if err := dst.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	roundTrip := func() {
		src.send(at(a, loop4), p)
		if _, _, err := dst.ReadFromUDPAddrPort(buf); err != nil {
			t.Fatal(err)
		}
	}
	roundTrip()
	if n := testing.AllocsPerRun(500, roundTrip); n != 0 {
		t.Errorf("%v allocations a relayed packet, want 0", n)
	}
}

// TestManyExtensionsDoNotStay sends the packet with the most header extensions
// and wants the memory for them gone with it.
func TestManyExtensionsDoNotStay(t *testing.T) {
	p, peer := unconnected(t)
	b := packet(t, 8, 1, 1)[:12]
	const words = 300
	b[0] |= 0x10
	b = append(b, 0x10, 0x00, words>>8, words&0xff)
	for range words * 2 {
		b = append(b, 1, 0) // an extension without content
	}
	p.receiveRTP(b, phoneAddr)
	if peer.rtp != 1 {
		t.Fatalf("%d passed on, want 1", peer.rtp)
	}
	if got := cap(p.header.Extensions); got > maxExtensions {
		t.Errorf("room for %d extensions kept, want at most %d", got, maxExtensions)
	}
}

func TestTrafficClass(t *testing.T) {
	for _, tt := range []struct {
		name   string
		addr   netip.Addr
		v4, v6 bool
	}{
		{"IPv4", loop4, true, false},
		{"IPv6", loop6, false, true},
		{"both", netip.IPv6Unspecified(), true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.v6 {
				needIPv6(t)
			}
			c, err := listen(tt.addr, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if tt.v4 {
				if got := option(t, c, unix.IPPROTO_IP, unix.IP_TOS); got != 0xb8 {
					t.Errorf("IP_TOS %#x, want 0xb8", got)
				}
			}
			if tt.v6 {
				if got := option(t, c, unix.IPPROTO_IPV6, unix.IPV6_TCLASS); got != 0xb8 {
					t.Errorf("IPV6_TCLASS %#x, want 0xb8", got)
				}
			}
		})
	}
}

func option(t *testing.T, c *net.UDPConn, level, name int) (value int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var optErr error
	if err := raw.Control(func(fd uintptr) { value, optErr = unix.GetsockoptInt(int(fd), level, name) }); err != nil || optErr != nil {
		t.Fatal(err, optErr)
	}
	return value
}

// FuzzReceive hands a port datagrams of anybody, as many as the input holds:
// each is one octet for source and socket, one for the length, and the content.
func FuzzReceive(f *testing.F) {
	seed := func(parts ...[]byte) (b []byte) {
		for i, p := range parts {
			b = append(append(b, byte(i%8), byte(len(p))), p...)
		}
		return b
	}
	f.Add(seed(packet(f, 8, 1, 1), packet(f, 8, 2, 1), packet(f, 101, 3, 1)))
	f.Add(seed([]byte{0x80, 201, 0, 1, 0, 0, 0, 1}, []byte{0x80, 200, 0, 6}, []byte{0x90, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xbe, 0xde, 0, 1}))
	f.Add([]byte{0, 12, 0xbf, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, input []byte) {
		p, peer := unconnected(t)
		sources := []netip.AddrPort{phoneAddr, netip.MustParseAddrPort("192.0.2.10:4001"), netip.MustParseAddrPort("[2001:db8::1]:9"), {}}
		var datagrams uint64
		for len(input) >= 2 {
			how, n := input[0], min(int(input[1]), len(input)-2)
			b := input[2 : 2+n]
			input = input[2+n:]
			src := sources[how&3]
			passed := peer.rtp + peer.rtcp
			if how&4 == 0 {
				p.receiveRTP(b, src)
			} else {
				p.receiveRTCP(b, src)
			}
			datagrams++
			if peer.rtp+peer.rtcp > passed {
				if string(peer.last) != string(b) {
					t.Fatalf("passed on %x, received %x", peer.last, b)
				}
				if src.Addr() != phoneAddr.Addr() {
					t.Fatalf("passed on a datagram of %v at once", src)
				}
				if b[0]>>6 != 2 {
					t.Fatalf("passed on version %d", b[0]>>6)
				}
			}
		}
		s := p.Stats()
		if got := s.PacketsIn + s.RTCPIn + s.Dropped.Invalid + s.Dropped.Foreign; got != datagrams {
			t.Fatalf("%d of %d datagrams counted: %+v", got, datagrams, s)
		}
		if s.PacketsIn != uint64(peer.rtp) || s.RTCPIn != uint64(peer.rtcp) {
			t.Fatalf("accepted %d and %d, passed on %d and %d", s.PacketsIn, s.RTCPIn, peer.rtp, peer.rtcp)
		}
	})
}

// BenchmarkReceive is the work on one packet without the system calls.
func BenchmarkReceive(b *testing.B) {
	p, _ := unconnected(b)
	d := packet(b, 8, 1, 1)
	b.ReportAllocs()
	for b.Loop() {
		p.receiveRTP(d, phoneAddr)
	}
}

// BenchmarkRelay sends packets of 172 octets through two ports, up to 32 under
// way, and reports the processor time for each. That includes the sender and
// the receiver of the test; "direct" is those two alone, so that the relay's
// own share is the difference.
func BenchmarkRelay(b *testing.B) {
	ports := newPorts(b, loop4, 25200, 25299, newFakeClock())
	in, out := openPort(b, ports, loop4), openPort(b, ports, loop4)
	src, dst := newSocket(b, loop4), newSocket(b, loop4)
	in.Expect(Expectation{RTP: src.addr(), PayloadTypes: []uint8{8}})
	out.Expect(Expectation{RTP: dst.addr(), PayloadTypes: []uint8{8}})
	media.Bridge(in, out)
	b.Run("relayed", func(b *testing.B) { stream(b, src, dst, at(in, loop4)) })
	b.Run("direct", func(b *testing.B) { stream(b, src, dst, dst.addr()) })
}

func stream(b *testing.B, src, dst socket, to netip.AddrPort) {
	credit := make(chan struct{}, 32)
	received := make(chan int)
	if err := dst.SetReadDeadline(time.Time{}); err != nil {
		b.Fatal(err)
	}
	go func() {
		buf, n := make([]byte, 2048), 0
		for {
			if _, _, err := dst.ReadFromUDPAddrPort(buf); err != nil {
				received <- n
				return
			}
			n++
			<-credit
		}
	}()
	p := packet(b, 8, 1, 1)
	b.ReportAllocs()
	before, start := cpuTime(b), time.Now()
	sent := 0
	for b.Loop() {
		credit <- struct{}{}
		src.send(to, p)
		sent++
	}
	elapsed, used := time.Since(start), cpuTime(b)-before
	if err := dst.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		b.Fatal(err)
	}
	n := <-received
	if n != sent {
		b.Fatalf("%d of %d packets came out", n, sent)
	}
	b.ReportMetric(float64(n)/elapsed.Seconds(), "packets/s")
	b.ReportMetric(float64(used.Nanoseconds())/float64(n), "cpu-ns/packet")
}

// cpuTime returns the processor time of this process.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestSecurePacketsPass takes SRTCP, of which only the first header is plain,
// and SRTP whose last octet is no padding length, once they are expected.
func TestSecurePacketsPass(t *testing.T) {
	p, peer := unconnected(t)
	control := netip.MustParseAddrPort("192.0.2.10:4001")
	srtcp := slices.Concat([]byte{0x80, 200, 0, 6, 0, 0, 0, 1}, make([]byte, 20), []byte{9, 200, 3, 255, 0x80, 0, 0, 1}, make([]byte, 10))
	padded := packet(t, 8, 1, 1)
	padded[0] |= 0x20
	padded[len(padded)-1] = 255
	for _, secure := range []bool{false, true} {
		p.Expect(Expectation{RTP: phoneAddr, PayloadTypes: []uint8{8}, Secure: secure})
		before := *peer
		p.receiveRTP(padded, phoneAddr)
		p.receiveRTCP(srtcp, control)
		p.receiveRTCP(srtcp[:21], control)
		want := 0
		if secure {
			want = 1
		}
		if rtp, rtcp := peer.rtp-before.rtp, peer.rtcp-before.rtcp; rtp != want || rtcp != want {
			t.Errorf("secure %v: %d RTP and %d RTCP passed, want %d of each", secure, rtp, rtcp, want)
		}
	}
	if s := p.Stats(); s.Dropped.Invalid != 4 || !s.Report.At.IsZero() {
		t.Errorf("stats %+v, want four invalid and no report read", s)
	}
}
