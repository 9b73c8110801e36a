package rtpio

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"github.com/pion/rtcp"

	"galilei/pbxd/media"
)

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
