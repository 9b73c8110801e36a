package engine

import (
	"context"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"testing"
	"time"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
	"galilei/pbxd/media/rtpio"
)

// TestSockets transcodes between an IPv6 phone with G.722 and an IPv4 phone
// with G.711 through real ports, and measures what arrives.
func TestSockets(t *testing.T) {
	v4, v6 := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")
	listen := func(a netip.Addr) *net.UDPConn {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 0)))
		if err != nil {
			t.Skipf("no socket at %v: %v", a, err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	a, b := listen(v6), listen(v4)
	ports := rtpio.New(netip.Addr{}, 25400, 25499, slog.New(slog.DiscardHandler), time.Now)
	defer ports.Close()
	e := New(time.Now, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { e.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()

	g722, _ := media.StaticFormat(9)
	pcma, _ := media.StaticFormat(8)
	open := func(c *net.UDPConn, f media.Format) (*Side, *rtpio.Port) {
		p, err := ports.Open(netip.Addr{})
		if err != nil {
			t.Fatal(err)
		}
		addr := c.LocalAddr().(*net.UDPAddr).AddrPort()
		p.Expect(rtpio.Expectation{RTP: addr, Formats: []media.Format{f}})
		return e.Attach(p, Config{Receive: []media.Format{f}, Send: []media.Format{f}, Direction: media.SendRecv}), p
	}
	sa, pa := open(a, g722)
	sb, pb := open(b, pcma)
	media.Bridge(sa, sb)

	const frames = 100
	heard := make(chan []int16, 1)
	go func() {
		var out []int16
		buf := make([]byte, 2000)
		dec := codec.PCMA.NewDecoder()
		for range frames {
			if b.SetReadDeadline(time.Now().Add(3*time.Second)) != nil {
				break
			}
			n, err := b.Read(buf)
			if err != nil || n < 12 {
				break
			}
			out = dec.Decode(out, buf[12:n])
		}
		heard <- out
	}()
	enc := codec.G722.NewEncoder()
	began := time.Now()
	for i := range frames {
		time.Sleep(time.Until(began.Add(time.Duration(i) * 20 * time.Millisecond))) // a busy machine sends late, but not less
		samples := make([]int16, 320)
		for k := range samples {
			samples[k] = int16(10000 * math.Sin(2*math.Pi*1000*float64(i*320+k)/16000))
		}
		packet := append([]byte{0x80, 9, byte(i >> 8), byte(i), 0, byte(i * 160 >> 16), byte(i * 160 >> 8), byte(i * 160), 0, 0, 0, 7}, enc.Encode(nil, samples)...)
		if _, err := a.WriteToUDPAddrPort(packet, netip.AddrPortFrom(v6, pa.RTPPort())); err != nil {
			t.Fatal(err)
		}
	}
	out := <-heard
	// The median of windows of 100 ms: a busy machine loses some.
	level, snr := toneSNR(out[min(len(out), 4000):], 1000, 8000)
	if c, ch := sa.Playout(); math.Abs(level) > 1 || snr < 20 {
		t.Errorf("%d samples, level %+.2f dB, SNR %.1f dB; want 2 s within 1 dB of what was sent and 20 dB; %+v %+v", len(out), level, snr, c, ch)
	}
	media.Unbridge(sa, sb)
	sa.Close()
	sb.Close()
	pa.Close()
	pb.Close()
	if n := ports.InUse(); n != 0 || e.Sides() != 0 {
		t.Errorf("%d ports and %d sides are left", n, e.Sides())
	}
}
