package rtpio

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"galilei/pbxd/media"
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

func TestRelay(t *testing.T) {
	for _, tt := range []struct {
		name string
		bind netip.Addr // of New
		a, b netip.Addr
	}{
		{"IPv4", loop4, loop4, loop4},
		{"IPv6", loop6, loop6, loop6},
		{"IPv4 to IPv6", netip.Addr{}, loop4, loop6},
		{"both families at one socket", netip.IPv6Unspecified(), netip.Addr{}, netip.Addr{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.bind != loop4 {
				needIPv6(t)
			}
			ports := newPorts(t, tt.bind, 24000, 24199, newFakeClock())
			a, b := openPort(t, ports, tt.a), openPort(t, ports, tt.b)
			aAddr, bAddr := tt.a, tt.b
			if !aAddr.IsValid() {
				aAddr, bAddr = loop4, loop6
			}
			phoneA, phoneB := newSocket(t, aAddr), newSocket(t, bAddr)
			ctrlA, ctrlB := newSocket(t, aAddr), newSocket(t, bAddr)
			a.Expect(Expectation{RTP: phoneA.addr(), RTCP: ctrlA.addr(), PayloadTypes: []uint8{8}})
			b.Expect(Expectation{RTP: phoneB.addr(), RTCP: ctrlB.addr(), PayloadTypes: []uint8{8}})
			media.Bridge(a, b)
			for i := range uint16(20) {
				p := packet(t, 8, i, 1)
				phoneA.send(at(a, aAddr), p)
				phoneB.wants(p)
				p = packet(t, 8, i, 2)
				phoneB.send(at(b, bAddr), p)
				phoneA.wants(p)
			}
			bye, err := (&rtcp.Goodbye{Sources: []uint32{1}}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			ctrlA.send(atRTCP(a, aAddr), bye)
			ctrlB.wants(bye)

			// What is sent is counted after it was sent.
			waitFor(t, "counting", func() bool { return a.Stats().PacketsOut == 20 && b.Stats().RTCPOut == 1 })
			s := a.Stats()
			if s.PacketsIn != 20 || s.PacketsOut != 20 || s.OctetsIn != 20*172 || s.OctetsOut != 20*172 || s.RTCPIn != 1 {
				t.Errorf("A: %+v, want 20 packets of 172 octets each way, 1 RTCP in", s)
			}
			if s.Remote != phoneA.addr() || s.SSRC != 1 || s.Lost != 0 || s.Dropped != (media.Dropped{}) {
				t.Errorf("A: remote %v source %d lost %d dropped %+v, want %v 1 0 none", s.Remote, s.SSRC, s.Lost, s.Dropped, phoneA.addr())
			}
		})
	}
}

func TestUnbridgedAudioIsDropped(t *testing.T) {
	ports := newPorts(t, loop4, 24000, 24199, newFakeClock())
	a, b := openPort(t, ports, loop4), openPort(t, ports, loop4)
	phoneA, phoneB := newSocket(t, loop4), newSocket(t, loop4)
	a.Expect(Expectation{RTP: phoneA.addr(), PayloadTypes: []uint8{8}})
	b.Expect(Expectation{RTP: phoneB.addr(), PayloadTypes: []uint8{8}})
	phoneA.send(at(a, loop4), packet(t, 8, 1, 1))
	waitFor(t, "counting", func() bool { return a.Stats().Dropped.Unbridged == 1 })
	media.Bridge(a, b)
	p := packet(t, 8, 2, 1)
	phoneA.send(at(a, loop4), p)
	phoneB.wants(p)
	media.Unbridge(a, b)
	phoneA.send(at(a, loop4), packet(t, 8, 3, 1))
	waitFor(t, "counting", func() bool { return a.Stats().Dropped.Unbridged == 2 })
	phoneB.wantsNothing()
	if got := a.Stats().PacketsIn; got != 3 {
		t.Errorf("%d packets in, want 3", got)
	}
}

// TestBleed sprays RTP at a call from before it has a source until after. None
// of it may be heard by the other side, and no audio may go to the attacker.
func TestBleed(t *testing.T) {
	clock := newFakeClock()
	ports := newPorts(t, loop4, 24000, 24199, clock)
	a, b := openPort(t, ports, loop4), openPort(t, ports, loop4)
	phoneA, phoneB := newSocket(t, loop4), newSocket(t, loop4)
	evil := newSocket(t, netip.MustParseAddr("127.6.6.6"))
	a.Expect(Expectation{RTP: phoneA.addr(), Signalling: loop4, PayloadTypes: []uint8{8}})
	b.Expect(Expectation{RTP: phoneB.addr(), Signalling: loop4, PayloadTypes: []uint8{8}})

	sprayed := uint64(0)
	spray := func(n int) {
		for range n {
			evil.send(at(a, loop4), packet(t, 8, uint16(sprayed), 666))
			sprayed++
		}
		waitFor(t, "dropping", func() bool { return a.Stats().Dropped.Foreign == sprayed })
	}
	spray(50) // while it rings
	clock.advance(30 * time.Second)
	spray(50)
	media.Bridge(a, b)
	spray(50) // answered, the phone is about to speak
	p := packet(t, 8, 1, 1)
	phoneA.send(at(a, loop4), p)
	phoneB.wants(p)
	for i := range 10 {
		clock.advance(time.Second)
		spray(20)
		p := packet(t, 8, uint16(2+i), 1)
		phoneA.send(at(a, loop4), p)
		phoneB.wants(p)
		p = packet(t, 8, uint16(i), 2)
		phoneB.send(at(b, loop4), p)
		phoneA.wants(p)
	}
	clock.advance(time.Hour) // long silence
	spray(50)
	phoneB.wantsNothing()
	evil.wantsNothing()
	if got := a.Stats().Remote; got != phoneA.addr() {
		t.Errorf("latched %v, want %v", got, phoneA.addr())
	}
}

// TestDetachedSideIsNotForStrangers sprays a side that was detached before its
// phone ever spoke, as in a transfer.
func TestDetachedSideIsNotForStrangers(t *testing.T) {
	clock := newFakeClock()
	ports := newPorts(t, loop4, 24000, 24199, clock)
	a := openPort(t, ports, loop4)
	phone, evil := newSocket(t, loop4), newSocket(t, netip.MustParseAddr("127.6.6.6"))
	a.Expect(Expectation{RTP: phone.addr(), PayloadTypes: []uint8{8}})
	a.SetPeer(&sink{})
	a.SetPeer(nil)
	clock.advance(time.Minute)
	for i := range uint16(20) {
		evil.send(at(a, loop4), packet(t, 8, i, 666))
	}
	waitFor(t, "dropping", func() bool { return a.Stats().Dropped.Foreign == 20 })
}

// TestOneAddressForTwoPhones is what QEMU's user networking does: both phones
// have the same address, and their described addresses mean nothing.
func TestOneAddressForTwoPhones(t *testing.T) {
	ports := newPorts(t, loop4, 24000, 24199, newFakeClock())
	a, b := openPort(t, ports, loop4), openPort(t, ports, loop4)
	phoneA, phoneB := newSocket(t, loop4), newSocket(t, loop4)
	described := netip.MustParseAddr("192.168.77.7")
	expect := func(p *Port, s socket) {
		p.Expect(Expectation{RTP: netip.AddrPortFrom(described, s.addr().Port()), Signalling: loop4, NAT: true, PayloadTypes: []uint8{8}})
	}
	expect(a, phoneA)
	expect(b, phoneB)
	media.Bridge(a, b)

	stray := packet(t, 8, 1, 2)
	phoneB.send(at(a, loop4), stray) // late packet of an old call of phone B
	waitFor(t, "latching", func() bool { return a.Stats().Remote == phoneB.addr() })
	phoneB.wants(stray)
	for i := range uint16(10) {
		p := packet(t, 8, i, 1)
		phoneA.send(at(a, loop4), p)
		phoneB.wants(p)
		p = packet(t, 8, i, 2)
		phoneB.send(at(b, loop4), p)
		phoneA.wants(p)
	}
	if got := a.Stats().Remote; got != phoneA.addr() {
		t.Errorf("latched %v, want the phone whose port was described, %v", got, phoneA.addr())
	}
}

func TestEarlyAudioReachesPhoneBehindNAT(t *testing.T) {
	ports := newPorts(t, loop4, 24000, 24199, newFakeClock())
	a := openPort(t, ports, loop4)
	phone := newSocket(t, loop4)
	a.Expect(Expectation{RTP: netip.AddrPortFrom(netip.MustParseAddr("192.168.77.7"), phone.addr().Port()), Signalling: loop4, NAT: true})
	p := packet(t, 8, 1, 1)
	a.WriteRTP(p)
	phone.wants(p)
}

// TestNoLoop describes a port of ours as the phone's address.
func TestNoLoop(t *testing.T) {
	ports := newPorts(t, netip.Addr{}, 24000, 24199, newFakeClock())
	a, b := openPort(t, ports, netip.Addr{}), openPort(t, ports, netip.Addr{})
	phone := newSocket(t, loop4)
	a.Expect(Expectation{RTP: at(b, loop4), PayloadTypes: []uint8{8}})
	b.Expect(Expectation{RTP: at(a, loop4), PayloadTypes: []uint8{8}})
	media.Bridge(a, b)
	a.WriteRTP(packet(t, 8, 1, 1)) // goes to b, which must not pass it back
	waitFor(t, "dropping", func() bool { return b.Stats().Dropped.Loop == 1 })
	if got := a.Stats().PacketsIn + b.Stats().PacketsIn; got != 0 {
		t.Errorf("%d packets accepted from our own ports", got)
	}
	for _, addr := range ports.local {
		if !ports.own(at(a, addr)) || !ports.own(atRTCP(a, addr)) {
			t.Errorf("our ports at %v are not taken for ours", addr)
		}
	}
	if len(ports.local) == 0 {
		t.Error("no address of this machine known, not even that of the loopback")
	}
	if ports.own(phone.addr()) {
		t.Errorf("phone %v on this machine taken for a port of ours", phone.addr())
	}
}

func TestMuxedRTCP(t *testing.T) {
	ports := newPorts(t, loop4, 24000, 24199, newFakeClock())
	a, b := openPort(t, ports, loop4), openPort(t, ports, loop4)
	phoneA, phoneB, ctrlB := newSocket(t, loop4), newSocket(t, loop4), newSocket(t, loop4)
	a.Expect(Expectation{RTP: phoneA.addr(), PayloadTypes: []uint8{8}})
	b.Expect(Expectation{RTP: phoneB.addr(), RTCP: ctrlB.addr(), PayloadTypes: []uint8{8}})
	media.Bridge(a, b)
	rr, err := (&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: 2, FractionLost: 64, TotalLost: 0xFFFFFE, Jitter: 80}}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	phoneA.send(at(a, loop4), rr) // nobody is latched: refused
	waitFor(t, "refusing", func() bool { return a.Stats().Dropped.Foreign == 1 })
	p := packet(t, 8, 1, 1)
	phoneA.send(at(a, loop4), p)
	phoneB.wants(p)
	phoneA.send(at(a, loop4), rr)
	ctrlB.wants(rr)
	if got, want := a.Stats().Report, (media.Report{At: a.Stats().Report.At, Lost: -2, FractionLost: 0.25, Jitter: 80}); got != want || got.At.IsZero() {
		t.Errorf("report %+v, want %+v", got, want)
	}
}

func TestSenderReport(t *testing.T) {
	p, peer := unconnected(t)
	sr, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.SenderReport{SSRC: 1, PacketCount: 0xFFFFFFFF, Reports: []rtcp.ReceptionReport{{SSRC: 2, FractionLost: 128, TotalLost: 9, Jitter: 7}}},
		&rtcp.Goodbye{Sources: []uint32{1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.receiveRTCP(sr, netip.MustParseAddrPort("192.0.2.10:4001"))
	if got := p.Stats().Report; got.Lost != 9 || got.FractionLost != 0.5 || got.Jitter != 7 {
		t.Errorf("report %+v, want 9 lost, 0.5, jitter 7", got)
	}
	if peer.rtcp != 1 {
		t.Errorf("%d RTCP passed on, want 1", peer.rtcp)
	}
}

// TestComfortNoiseFirst has a phone start in a pause of speech: noise is never
// a surprise, other payload types are.
func TestComfortNoiseFirst(t *testing.T) {
	p, peer := unconnected(t)
	p.receiveRTP(packet(t, 34, 1, 1), phoneAddr)
	if peer.rtp != 0 {
		t.Error("payload type 34 latched, which nobody agreed on")
	}
	p.receiveRTP(packet(t, 13, 2, 1), phoneAddr)
	if peer.rtp != 1 || p.Stats().Remote != phoneAddr {
		t.Errorf("comfort noise: %d passed on, remote %v", peer.rtp, p.Stats().Remote)
	}
}

// TestRTCPFollowsRTP has a phone behind NAT whose audio shows its address.
func TestRTCPFollowsRTP(t *testing.T) {
	ports := newPorts(t, loop4, 24000, 24199, newFakeClock())
	a := openPort(t, ports, loop4)
	phone, ctrl := newSocket(t, loop4), newSocket(t, loop4)
	described := netip.MustParseAddr("192.168.77.7")
	a.Expect(Expectation{
		RTP: netip.AddrPortFrom(described, 9), RTCP: netip.AddrPortFrom(described, ctrl.addr().Port()),
		Signalling: loop4, NAT: true, PayloadTypes: []uint8{8},
	})
	phone.send(at(a, loop4), packet(t, 8, 1, 1))
	waitFor(t, "latching", func() bool { return a.Stats().Remote == phone.addr() })
	bye, err := (&rtcp.Goodbye{Sources: []uint32{1}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	a.WriteRTCP(bye)
	ctrl.wants(bye)
	if a.control.via != phone.addr() {
		t.Errorf("RTCP goes by %v, want the source of the audio, %v", a.control.via, phone.addr())
	}
}

func TestInvalidIsCounted(t *testing.T) {
	ports := newPorts(t, loop4, 24000, 24199, newFakeClock())
	a := openPort(t, ports, loop4)
	phone := newSocket(t, loop4)
	a.Expect(Expectation{RTP: phone.addr(), RTCP: phone.addr(), PayloadTypes: []uint8{8}})
	good := packet(t, 8, 1, 1)
	padded := slices.Clone(good)
	padded[0] |= 0x20 // last octet 0xd5: more padding than packet
	csrc := slices.Clone(good[:12])
	csrc[0] |= 0x0f
	version := slices.Clone(good)
	version[0] = 0x40
	extension := slices.Clone(good[:12])
	extension[0] |= 0x10
	invalid := [][]byte{{}, {0x80}, good[:11], padded, csrc, version, extension, bytes.Repeat(good, 10)}
	for _, b := range invalid {
		phone.send(at(a, loop4), b)
	}
	invalidRTCP := [][]byte{{}, {0x80, 200}, {0x80, 200, 0, 9, 0, 0, 0, 1}, {0x40, 201, 0, 1, 0, 0, 0, 1}, {0x80, 100, 0, 1, 0, 0, 0, 1}}
	for _, b := range invalidRTCP {
		phone.send(atRTCP(a, loop4), b)
	}
	want := uint64(len(invalid) + len(invalidRTCP))
	waitFor(t, "counting", func() bool { return a.Stats().Dropped.Invalid == want })
	if s := a.Stats(); s.PacketsIn != 0 || s.RTCPIn != 0 || s.Remote.IsValid() {
		t.Errorf("damaged packets accepted: %+v", s)
	}
}

func TestUnsentIsCounted(t *testing.T) {
	ports := newPorts(t, loop4, 24000, 24199, newFakeClock())
	a := openPort(t, ports, loop4)
	a.WriteRTP(packet(t, 8, 1, 1)) // no address known
	a.Expect(Expectation{RTP: netip.AddrPortFrom(loop6, 4000)})
	a.WriteRTP(packet(t, 8, 1, 1)) // IPv6 from an IPv4 socket
	a.Expect(Expectation{RTP: netip.MustParseAddrPort("0.0.0.0:4000")})
	a.WriteRTP(packet(t, 8, 1, 1)) // held by null address
	if s := a.Stats(); s.Dropped.Unsent != 3 || s.PacketsOut != 0 {
		t.Errorf("unsent %d, sent %d; want 3, 0", s.Dropped.Unsent, s.PacketsOut)
	}
}

func TestRoundRobinAndQuarantine(t *testing.T) {
	clock := newFakeClock()
	ports := newPorts(t, loop4, 24301, 24308, clock) // pairs 24302, 24304, 24306
	first := openPort(t, ports, loop4)
	if n := first.RTPPort(); n%2 != 0 || n < 24302 || n > 24306 {
		t.Fatalf("port %d, want an even one of 24302-24306", n)
	}
	first.Close()
	first.Close() // closing again does nothing
	seen := map[uint16]bool{first.RTPPort(): true}
	for range 2 {
		p := openPort(t, ports, loop4)
		if seen[p.RTPPort()] {
			t.Errorf("port %d handed out twice", p.RTPPort())
		}
		seen[p.RTPPort()] = true
	}
	if _, err := ports.Open(loop4); !errors.Is(err, ErrNoPorts) || !strings.Contains(err.Error(), "24302-24308: 3 pairs, 2 in use, 1 resting") {
		t.Errorf("open while one port rests: %v", err)
	}
	clock.advance(quarantine - 1)
	if _, err := ports.Open(loop4); !errors.Is(err, ErrNoPorts) {
		t.Errorf("open 1 ns before the rest is over: %v", err)
	}
	clock.advance(1)
	if p := openPort(t, ports, loop4); p.RTPPort() != first.RTPPort() {
		t.Errorf("port %d after the rest, want %d", p.RTPPort(), first.RTPPort())
	}
	if got := ports.InUse(); got != 3 {
		t.Errorf("%d in use, want 3", got)
	}
}

func TestPortsOfOthersAreSkipped(t *testing.T) {
	ports := newPorts(t, loop4, 24400, 24405, newFakeClock())
	for _, taken := range []uint16{24400, 24403} { // an RTP port and an RTCP port
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loop4, taken)))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if got := openPort(t, ports, loop4).RTPPort(); got != 24404 {
		t.Errorf("port %d, want 24404", got)
	}
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loop4, 24402)))
	if err != nil {
		t.Fatalf("port 24402, whose RTCP port is held, is still open: %v", err)
	}
	defer c.Close()
	if _, err := ports.Open(loop4); !errors.Is(err, ErrNoPorts) || !strings.Contains(err.Error(), "1 in use, 0 resting, 2 held") {
		t.Errorf("error %v, want one that counts them", err)
	}
}

func TestSetRange(t *testing.T) {
	ports := newPorts(t, loop4, 24500, 24501, newFakeClock())
	old := openPort(t, ports, loop4)
	ports.SetRange(24510, 24511)
	if got := openPort(t, ports, loop4).RTPPort(); got != 24510 {
		t.Errorf("port %d after the change, want 24510", got)
	}
	if got := ports.InUse(); got != 2 {
		t.Errorf("%d in use, want 2", got)
	}
	old.Close()
	for _, r := range [][2]uint16{{24510, 24510}, {24511, 24512}, {30000, 20000}, {65535, 65535}, {0, 0}} {
		ports.SetRange(r[0], r[1])
		if _, err := ports.Open(loop4); !errors.Is(err, ErrNoPorts) {
			t.Errorf("range %d-%d: error %v, want ErrNoPorts", r[0], r[1], err)
		}
	}
	ports.SetRange(65534, 65535)
	if got := openPort(t, ports, loop4).RTPPort(); got != 65534 {
		t.Errorf("port %d at the end, want 65534", got)
	}
}

func TestOpenAtForeignAddress(t *testing.T) {
	ports := newPorts(t, loop4, 24600, 24699, newFakeClock())
	_, err := ports.Open(netip.MustParseAddr("192.0.2.1"))
	if err == nil || errors.Is(err, ErrNoPorts) {
		t.Errorf("error %v, want that of the system", err)
	}
	if got := ports.InUse(); got != 0 {
		t.Errorf("%d in use after a failure, want 0", got)
	}
	ports.Close()
	if _, err := ports.Open(loop4); !errors.Is(err, ErrClosed) {
		t.Errorf("open after close: %v, want ErrClosed", err)
	}
}

// TestCloseDuringTraffic closes ports that are being sent to from both sides
// and wants every goroutine gone.
func TestCloseDuringTraffic(t *testing.T) {
	before := runtime.NumGoroutine()
	ports := newPorts(t, loop4, 24700, 24799, newFakeClock())
	a, b := openPort(t, ports, loop4), openPort(t, ports, loop4)
	phoneA, phoneB := newSocket(t, loop4), newSocket(t, loop4)
	a.Expect(Expectation{RTP: phoneA.addr(), PayloadTypes: []uint8{8}})
	b.Expect(Expectation{RTP: phoneB.addr(), PayloadTypes: []uint8{8}})
	media.Bridge(a, b)
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for s, to := range map[socket]netip.AddrPort{phoneA: at(a, loop4), phoneB: at(b, loop4)} {
		senders.Go(func() {
			for i := uint16(0); ; i++ {
				select {
				case <-stop:
					return
				default:
					_, _ = s.WriteToUDPAddrPort(packet(t, 8, i, 1), to) // refused once the port is closed
				}
			}
		})
	}
	waitFor(t, "traffic", func() bool { return a.Stats().PacketsIn > 100 && b.Stats().PacketsIn > 100 })
	a.Close()
	media.Unbridge(a, b)
	ports.Close()
	close(stop)
	senders.Wait()
	waitFor(t, "ending of goroutines", func() bool { return runtime.NumGoroutine() <= before })
	if got := ports.InUse(); got != 0 {
		t.Errorf("%d in use after close, want 0", got)
	}
	if got := a.Stats().PacketsIn; got <= 100 {
		t.Errorf("%d packets in after close, want what was counted before", got)
	}
}
