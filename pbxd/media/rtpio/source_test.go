package rtpio

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"galilei/pbxd/media"
)

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

// TestBleedWhileSilent has a muted phone that sends nothing for the whole call.
// Whoever finds its port neither hears the other side nor is heard, and the
// phone goes on hearing it.
func TestBleedWhileSilent(t *testing.T) {
	for _, nat := range []bool{false, true} {
		clock := newFakeClock()
		ports := newPorts(t, loop4, 24000, 24199, clock)
		a, b := openPort(t, ports, loop4), openPort(t, ports, loop4)
		muted, phoneB := newSocket(t, loop4), newSocket(t, loop4)
		evil := newSocket(t, netip.MustParseAddr("127.6.6.6"))
		a.Expect(Expectation{RTP: muted.addr(), Signalling: loop4, NAT: nat, PayloadTypes: []uint8{8}})
		b.Expect(Expectation{RTP: phoneB.addr(), Signalling: loop4, NAT: nat, PayloadTypes: []uint8{8}})
		media.Bridge(a, b)
		for i := range uint16(30) { // one packet in 200 ms, for 6 s
			evil.send(at(a, loop4), packet(t, 8, i, 666))
			evil.send(atRTCP(a, loop4), []byte{0x80, 201, 0, 1, 0, 0, 0, 1})
			waitFor(t, "dropping", func() bool { return a.Stats().Dropped.Foreign == uint64(i+1)*2 })
			p := packet(t, 8, i, 2)
			phoneB.send(at(b, loop4), p)
			muted.wants(p)
			clock.advance(200 * time.Millisecond)
		}
		evil.wantsNothing()
		phoneB.wantsNothing()
		if s := a.Stats(); s.Remote.IsValid() || s.PacketsIn != 0 {
			t.Errorf("NAT %v: latched %v, %d packets accepted, want none", nat, s.Remote, s.PacketsIn)
		}
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
