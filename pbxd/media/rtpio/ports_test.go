package rtpio

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"

	"galilei/pbxd/media"
)

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
	var open []*Port
	for range 2 {
		p := openPort(t, ports, loop4)
		if seen[p.RTPPort()] {
			t.Errorf("port %d handed out twice", p.RTPPort())
		}
		seen[p.RTPPort()] = true
		open = append(open, p)
	}
	if got := ports.InUse(); got != 2 {
		t.Errorf("%d in use while one rests, want 2", got)
	}
	clock.advance(quarantine - 1)
	open[0].Close()
	clock.advance(1) // it is the turn of the first, and its rest is over
	if p := openPort(t, ports, loop4); p.RTPPort() != first.RTPPort() {
		t.Errorf("port %d after the rest, want %d", p.RTPPort(), first.RTPPort())
	}
	if p := openPort(t, ports, loop4); p.RTPPort() != open[0].RTPPort() {
		t.Errorf("port %d when only one rests, want that, %d", p.RTPPort(), open[0].RTPPort())
	}
	if _, err := ports.Open(loop4); !errors.Is(err, ErrNoPorts) || !strings.Contains(err.Error(), "24302-24308: 3 pairs, 3 in use, 0 resting") {
		t.Errorf("open when all are in use: %v", err)
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

// The last pairs of a large range are for emergency calls.
func TestPortsForEmergencyCalls(t *testing.T) {
	ports := newPorts(t, loop4, 24400, 24400+2*manyPairs-1, newFakeClock())
	var last *Port
	for n := range manyPairs - urgentPairs {
		p, err := ports.Open(loop4)
		if err != nil {
			t.Fatalf("pair %d: %v", n, err)
		}
		t.Cleanup(p.Close)
		last = p
	}
	if _, err := ports.Open(loop4); !errors.Is(err, ErrNoPorts) {
		t.Errorf("error %v, want ErrNoPorts", err)
	}
	for n := range urgentPairs {
		p, err := ports.OpenUrgent(loop4)
		if err != nil {
			t.Fatalf("urgent pair %d: %v", n, err)
		}
		t.Cleanup(p.Close)
	}
	if _, err := ports.OpenUrgent(loop4); !errors.Is(err, ErrNoPorts) {
		t.Errorf("error %v, want ErrNoPorts", err)
	}
	last.Close()
	if _, err := ports.OpenUrgent(loop4); err != nil {
		t.Errorf("after a pair was closed: %v", err)
	}
}
