package rtpio

import (
	"slices"
	"testing"
	"time"

	"galilei/pbxd/media"
)

// sealed takes packets whose last octet is right, as if it were a tag.
type sealed struct {
	media.Endpoint
	tag byte
}

func (s sealed) TakeRTP(p []byte) bool {
	if p[len(p)-1] != s.tag {
		return false
	}
	s.WriteRTP(p[:len(p)-1])
	return true
}

func (s sealed) TakeRTCP(p []byte) bool {
	if p[len(p)-1] != s.tag {
		return false
	}
	s.WriteRTCP(p[:len(p)-1])
	return true
}

// TestForgedPacketsDoNotLatch has a stranger at the announced address send
// before the phone does, and later at the phone's own port: neither keeps the
// phone out nor takes its audio away.
func TestForgedPacketsDoNotLatch(t *testing.T) {
	const tag = 0x5a
	clock := newFakeClock()
	ports := newPorts(t, loop4, 24000, 24199, clock)
	a, b := openPort(t, ports, loop4), openPort(t, ports, loop4)
	described, phone, phoneB := newSocket(t, loop4), newSocket(t, loop4), newSocket(t, loop4)
	evil := newSocket(t, loop4) // behind the same address as the phone
	a.Expect(Expectation{RTP: described.addr(), Signalling: loop4, NAT: true, PayloadTypes: []uint8{8}, Secure: true})
	b.Expect(Expectation{RTP: phoneB.addr(), Signalling: loop4, PayloadTypes: []uint8{8}})
	a.SetPeer(sealed{b, tag})
	b.SetPeer(a)

	forged := func(n uint64) {
		t.Helper()
		evil.send(at(a, loop4), append(packet(t, 8, uint16(n), 666), tag+1))
		waitFor(t, "dropping", func() bool { return a.Stats().Dropped.Forged+a.Stats().Dropped.Foreign == n })
	}
	for n := range uint64(50) {
		forged(n + 1)
	}
	if got := a.Stats(); got.Remote.IsValid() || got.PacketsIn != 0 || got.Dropped.Forged != 50 {
		t.Errorf("after forged packets: %+v", got)
	}
	for seq := range uint16(20) {
		p := packet(t, 8, seq, 1)
		phone.send(at(a, loop4), append(slices.Clone(p), tag)) // the first one counts already
		phoneB.wants(p)
	}
	waitFor(t, "counting", func() bool { return a.Stats().PacketsIn == 20 }) // what follows the passing on
	if got := a.Stats(); got.Remote != phone.addr() || got.PacketsIn != 20 {
		t.Errorf("latched %v with %d packets, want %v with 20", got.Remote, got.PacketsIn, phone.addr())
	}
	clock.advance(4 * time.Second)
	forged(51) // too early to take over
	clock.advance(4 * time.Second)
	forged(52) // early enough, and forged
	p := packet(t, 8, 7, 2)
	phoneB.send(at(b, loop4), p)
	phone.wants(p)
	evil.wantsNothing()

	report := []byte{0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	evil.send(atRTCP(a, loop4), append(slices.Clone(report), tag+1))
	phone.send(atRTCP(a, loop4), append(slices.Clone(report), tag))
	waitFor(t, "RTCP", func() bool { return a.Stats().RTCPIn == 1 && a.Stats().Dropped.Forged == 52 })
}

// An authenticator that is not there yet leaves the packets uncounted.
func TestSecurePortWithoutKeys(t *testing.T) {
	ports := newPorts(t, loop4, 24000, 24199, newFakeClock())
	a := openPort(t, ports, loop4)
	phone := newSocket(t, loop4)
	a.Expect(Expectation{RTP: phone.addr(), Signalling: loop4, PayloadTypes: []uint8{8}, Secure: true})
	phone.send(at(a, loop4), packet(t, 8, 1, 1))
	waitFor(t, "dropping", func() bool { return a.Stats().Dropped.Unbridged == 1 })
}

// counter is an authenticator that takes everything.
type counter struct{ n int }

func (c *counter) WriteRTP([]byte)        {}
func (c *counter) WriteRTCP([]byte)       {}
func (c *counter) SetPeer(media.Endpoint) {}
func (c *counter) TakeRTP([]byte) bool    { c.n++; return true }
func (c *counter) TakeRTCP([]byte) bool   { c.n++; return true }

func TestSecureReceiveDoesNotAllocate(t *testing.T) {
	p, _ := unconnected(t)
	take := &counter{}
	p.SetPeer(take)
	p.Expect(Expectation{RTP: phoneAddr, PayloadTypes: []uint8{8}, Secure: true})
	b := append(packet(t, 8, 1, 1), make([]byte, 10)...)
	if n := testing.AllocsPerRun(100, func() { p.receiveRTP(b, phoneAddr) }); n > 0 || take.n < 100 {
		t.Errorf("%.1f allocations for each of %d packets", n, take.n)
	}
}
