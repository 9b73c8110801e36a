package rtpio

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"galilei/pbxd/media"
)

// restOf returns the rest of the pair at port, or nil.
func restOf(p *Ports, port uint16) *rest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.resting[port]
}

// keepSending sends a packet to the resting pair at port every step until
// total has passed, and waits for each to be noted.
func keepSending(t *testing.T, ports *Ports, clock *fakeClock, s socket, port uint16, step, total time.Duration) {
	t.Helper()
	r := restOf(ports, port)
	if r == nil {
		t.Fatalf("port %d does not rest", port)
	}
	for i := range total / step {
		clock.advance(step)
		s.send(netip.AddrPortFrom(loop4, port), packet(t, 8, uint16(i), 1))
		waitFor(t, "noting", func() bool { return r.silence(clock.now()) == 0 })
	}
}

// TestOldPhoneIsNotTheNextCaller has all phones behind one address, as in
// QEMU's user networking, and the caller of the first call never stop sending.
// The second call has the same pair of ports.
func TestOldPhoneIsNotTheNextCaller(t *testing.T) {
	for _, after := range []time.Duration{0, time.Second, 4 * time.Second, longestRest - time.Second, longestRest, 3 * longestRest} {
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			clock := newFakeClock()
			ports := newPorts(t, loop4, 24900, 24903, clock)
			described := netip.MustParseAddrPort("192.168.77.7:4000") // nobody's port at the shared address
			call := func(old uint16, phoneB socket) (a, b *Port) {
				a, b = openPort(t, ports, loop4), openPort(t, ports, loop4)
				if old != 0 && a.RTPPort() != old {
					a, b = b, a
				}
				a.Expect(Expectation{RTP: described, Signalling: loop4, NAT: true, PayloadTypes: []uint8{8}})
				b.Expect(Expectation{RTP: phoneB.addr(), Signalling: loop4, NAT: true, PayloadTypes: []uint8{8}})
				media.Bridge(a, b)
				return a, b
			}
			talk := func(a, b *Port, phoneA, phoneB socket, seq uint16) {
				t.Helper()
				p := packet(t, 8, seq, 1)
				phoneA.send(at(a, loop4), p)
				phoneB.wants(p)
				p = packet(t, 8, seq, 2)
				phoneB.send(at(b, loop4), p)
				phoneA.wants(p)
			}
			oldA, oldB := newSocket(t, loop4), newSocket(t, loop4)
			a, b := call(0, oldB)
			talk(a, b, oldA, oldB, 1)
			a.Close()
			b.Close()
			number := a.RTPPort()
			keepSending(t, ports, clock, oldA, number, time.Second, min(after, longestRest))
			ports.sweep()
			clock.advance(after - min(after, longestRest)) // nobody calls for a while
			ports.sweep()

			newA, newB := newSocket(t, loop4), newSocket(t, loop4)
			a, b = call(number, newB)
			if a.RTPPort() != number {
				t.Fatalf("ports %d and %d, want the old caller's, %d", a.RTPPort(), b.RTPPort(), number)
			}
			late := uint64(0)
			for i := range uint16(20) {
				oldA.send(at(a, loop4), packet(t, 8, i, 666))
				late++
				waitFor(t, "dropping", func() bool { return a.Stats().Dropped.Foreign == late })
				if i >= 5 { // the new caller begins later than the old one goes on
					talk(a, b, newA, newB, i)
				}
				clock.advance(500 * time.Millisecond)
			}
			newB.wantsNothing()
			oldA.wantsNothing()
			oldB.wantsNothing()
			if got := a.Stats().Remote; got != newA.addr() {
				t.Errorf("latched %v, want the new caller, %v", got, newA.addr())
			}
		})
	}
}

func TestPacketsExtendTheRest(t *testing.T) {
	clock := newFakeClock()
	ports := newPorts(t, loop4, 24910, 24913, clock)
	p, q := openPort(t, ports, loop4), openPort(t, ports, loop4)
	phone := newSocket(t, loop4)
	p.Close()
	q.Close()
	keepSending(t, ports, clock, phone, p.RTPPort(), 2*time.Second, longestRest-2*time.Second)
	// It would be the turn of p.
	if got := openPort(t, ports, loop4); got.RTPPort() != q.RTPPort() {
		t.Fatalf("port %d while somebody sends to it, want the silent one, %d", got.RTPPort(), q.RTPPort())
	}
	if r := restOf(ports, p.RTPPort()); r == nil || !r.over.IsZero() {
		t.Errorf("rest %+v after %v, want one that goes on", r, longestRest-2*time.Second)
	}
	keepSending(t, ports, clock, phone, p.RTPPort(), 2*time.Second, 2*time.Second)
	ports.sweep()
	r := restOf(ports, p.RTPPort())
	if r == nil || r.over.IsZero() {
		t.Fatalf("rest %+v after %v of packets, want one that has ended", r, longestRest)
	}
	if _, err := r.rtp.Write(nil); err == nil {
		t.Error("socket of an ended rest is open")
	}
	if got := openPort(t, ports, loop4); got.RTPPort() != p.RTPPort() || len(got.voice.late) != 1 || got.voice.late[0].src != phone.addr() {
		t.Errorf("port %d, late %v; want %d and %v", got.RTPPort(), got.voice.late, p.RTPPort(), phone.addr())
	}
}

// TestRTCPExtendsTheRest sends to the other socket of the pair.
func TestRTCPExtendsTheRest(t *testing.T) {
	clock := newFakeClock()
	ports := newPorts(t, loop4, 24914, 24915, clock)
	p, ctrl := openPort(t, ports, loop4), newSocket(t, loop4)
	p.Close()
	clock.advance(quarantine - 1)
	r := restOf(ports, p.RTPPort())
	ctrl.send(atRTCP(p, loop4), []byte{0x80, 201, 0, 1, 0, 0, 0, 1})
	waitFor(t, "noting", func() bool { return r.silence(clock.now()) == 0 })
	clock.advance(quarantine - 1)
	ports.sweep()
	if restOf(ports, p.RTPPort()) != r {
		t.Error("rest ended 1 ns too early")
	}
	clock.advance(1)
	ports.sweep()
	if restOf(ports, p.RTPPort()) != nil {
		t.Error("rest not over after the silence")
	}
}

func TestUsedUpRangeTakesTheMostSilent(t *testing.T) {
	clock := newFakeClock()
	ports := newPorts(t, loop4, 24920, 24925, clock)
	phone := newSocket(t, loop4)
	a, b, c := openPort(t, ports, loop4), openPort(t, ports, loop4), openPort(t, ports, loop4)
	a.Close()
	clock.advance(time.Second)
	b.Close()
	c.Close()
	keepSending(t, ports, clock, phone, a.RTPPort(), time.Second, time.Second)
	keepSending(t, ports, clock, phone, b.RTPPort(), 500*time.Millisecond, 500*time.Millisecond)
	for i, want := range []*Port{c, a, b} {
		if got := openPort(t, ports, loop4).RTPPort(); got != want.RTPPort() {
			t.Errorf("open %d: port %d, want %d", i, got, want.RTPPort())
		}
	}
	if _, err := ports.Open(loop4); !errors.Is(err, ErrNoPorts) {
		t.Errorf("open when all are in use: %v", err)
	}
}

func TestClosedPortSendsNothing(t *testing.T) {
	ports := newPorts(t, loop4, 24930, 24931, newFakeClock())
	p, phone, peer := openPort(t, ports, loop4), newSocket(t, loop4), &sink{}
	e := Expectation{RTP: phone.addr(), RTCP: phone.addr(), PayloadTypes: []uint8{8}}
	p.Expect(e)
	p.SetPeer(peer)
	phone.send(at(p, loop4), packet(t, 8, 1, 1))
	waitFor(t, "latching", func() bool { return p.Stats().PacketsIn == 1 })
	p.Close()
	p.Expect(e)
	p.SetPeer(peer)
	p.WriteRTP(packet(t, 8, 1, 2))
	p.WriteRTCP(packet(t, 8, 1, 2))
	phone.send(at(p, loop4), packet(t, 8, 2, 1))
	phone.wantsNothing()
	if s := p.Stats(); s.Dropped.Unsent != 2 || s.PacketsIn != 1 || peer.rtp != 1 {
		t.Errorf("after close: unsent %d, in %d, passed on %d; want 2, 1, 1", s.Dropped.Unsent, s.PacketsIn, peer.rtp)
	}
}

// TestSweepFreesSockets has no call come after the last one.
func TestSweepFreesSockets(t *testing.T) {
	before := runtime.NumGoroutine()
	clock := newFakeClock()
	ports := newPorts(t, loop4, 24940, 24941, clock)
	ports.sweepEvery = time.Millisecond
	p := openPort(t, ports, loop4)
	p.Close()
	if _, _, err := listenPair(loop4, p.RTPPort()); !isInUse(err) {
		t.Fatalf("sockets of a resting port: %v, want in use", err)
	}
	clock.advance(quarantine)
	waitFor(t, "end of the rest", func() bool { return restOf(ports, p.RTPPort()) == nil })
	rtp, rtcp, err := listenPair(loop4, p.RTPPort())
	if err != nil {
		t.Fatalf("sockets are not free after the rest: %v", err)
	}
	rtp.Close()
	rtcp.Close()
	waitFor(t, "ending of goroutines", func() bool { return runtime.NumGoroutine() <= before })
}

func TestSetRangeForgetsRestsOutside(t *testing.T) {
	clock := newFakeClock()
	ports := newPorts(t, loop4, 24944, 24945, clock)
	p, phone := openPort(t, ports, loop4), newSocket(t, loop4)
	p.Close()
	ports.SetRange(24946, 24947)
	keepSending(t, ports, clock, phone, p.RTPPort(), time.Second, longestRest)
	ports.sweep()
	if r := restOf(ports, p.RTPPort()); r != nil {
		t.Errorf("rest of a port outside of the range is kept: %+v", r)
	}
}

// TestCloseDuringRests opens and closes ports, which are being sent to, while
// the set is closed.
func TestCloseDuringRests(t *testing.T) {
	before := runtime.NumGoroutine()
	ports := newPorts(t, loop4, 24950, 24969, newFakeClock())
	phone := newSocket(t, loop4)
	var users sync.WaitGroup
	for range 4 {
		users.Go(func() {
			for {
				p, err := ports.Open(loop4)
				if err != nil {
					if !errors.Is(err, ErrClosed) {
						t.Error(err)
					}
					return
				}
				_, _ = phone.WriteToUDPAddrPort([]byte{0x80, 8}, at(p, loop4)) // refused when the set is closed meanwhile
				p.Close()
			}
		})
	}
	waitFor(t, "use of every port", func() bool {
		ports.mu.Lock()
		defer ports.mu.Unlock()
		return len(ports.resting)+len(ports.open) == 10
	})
	ports.Close()
	users.Wait()
	waitFor(t, "ending of goroutines", func() bool { return runtime.NumGoroutine() <= before })
	if len(ports.resting) != 0 || len(ports.open) != 0 || ports.sweeper != nil {
		t.Errorf("after close %d rest, %d are open, sweeper %v", len(ports.resting), len(ports.open), ports.sweeper)
	}
}

// TestSprayDoesNotHideTheOldPhone notes more sources than there is room for.
func TestSprayDoesNotHideTheOldPhone(t *testing.T) {
	clock := newFakeClock()
	old := netip.MustParseAddrPort("203.0.113.5:61000")
	r := newRest(&Port{}, []late{{old, clock.now()}}, clock.now)
	for i := range 1000 { // 20 s
		clock.advance(20 * time.Millisecond)
		r.note(old, clock.now())
		for j := range 60 {
			r.note(netip.AddrPortFrom(loop4, uint16(i*60+j)), clock.now())
		}
	}
	if len(r.late) != maxLate || cap(r.late) != maxLate {
		t.Errorf("%d sources in room for %d, want %d", len(r.late), cap(r.late), maxLate)
	}
	r.over = clock.now()
	found := false
	for _, s := range r.sending(clock.now()) {
		found = found || s.src == old
	}
	if !found {
		t.Error("the old phone is not among the sources that still send")
	}
	r.over = clock.now().Add(quarantine)
	if got := r.sending(r.over); len(got) != 0 {
		t.Errorf("after the silence %v, want none", got)
	}
}

func TestDrainDoesNotAllocate(t *testing.T) {
	clock := newFakeClock()
	ports := newPorts(t, loop4, 24970, 24971, clock)
	p, phone := openPort(t, ports, loop4), newSocket(t, loop4)
	p.Close()
	r, b, to := restOf(ports, p.RTPPort()), packet(t, 8, 1, 1), at(p, loop4)
	drained := func() {
		clock.advance(time.Millisecond)
		phone.send(to, b)
		for r.silence(clock.now()) != 0 {
			time.Sleep(10 * time.Microsecond) // spinning would hold up the network poller
		}
	}
	drained()
	if n := testing.AllocsPerRun(500, drained); n != 0 {
		t.Errorf("%v allocations a packet, want 0", n)
	}
}
