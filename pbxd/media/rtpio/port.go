package rtpio

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"galilei/pbxd/media"
	"galilei/pbxd/media/reception"
)

// maxPacket is the longest packet that is passed on, octets. Longer ones than
// an Ethernet frame holds do not occur in telephony.
const maxPacket = 1500

// maxReadErrors is how many reads may fail in a row before a socket is given up.
const maxReadErrors = 100

// Port is one side's audio: a socket for RTP and one for RTCP, and a goroutine
// for each. It implements media.Endpoint. All methods may be called from any
// goroutine, except that Close must not be called from a peer's WriteRTP or
// WriteRTCP.
type Port struct {
	owner  *Ports
	local  netip.Addr // address of the sockets; unspecified or invalid for all
	number uint16
	rtp    *net.UDPConn
	rtcp   *net.UDPConn
	log    *slog.Logger
	closer sync.Once
	ended  sync.WaitGroup // the two goroutines

	peer   atomic.Pointer[endpoint]
	toRTP  atomic.Pointer[netip.AddrPort] // where to send; nil when not known
	toRTCP atomic.Pointer[netip.AddrPort]
	sent   counters

	mu        sync.Mutex // guards what follows; held for bookkeeping only, never while sending
	voice     latch      // of RTP
	control   latch      // of RTCP
	clocks    [128]clock
	reception reception.Stream
	stats     media.Stats // what is received
	header    rtp.Header
	closed    bool
	secure    bool // the side sends SRTP
	warned    bool // a foreign source has been logged since the last Expect
}

// endpoint boxes the peer, since an interface value cannot be swapped atomically.
type endpoint struct{ media.Endpoint }

// counters of what is sent; written without the lock.
type counters struct {
	packets, octets, rtcp, unsent atomic.Uint64
}

// clock is what is known about one payload type.
type clock struct {
	expected bool
	rate     int // Hz; 0 when not known or of no use for jitter
}

func newPort(owner *Ports, local netip.Addr, number uint16, rtp, rtcp *net.UDPConn) *Port {
	return &Port{owner: owner, local: local, number: number, rtp: rtp, rtcp: rtcp, log: owner.log.With("rtpPort", number)}
}

func (p *Port) start() {
	p.ended.Go(func() { readEach(p.rtp, make([]byte, maxPacket+1), p.log, p.receiveRTP) })
	p.ended.Go(func() { readEach(p.rtcp, make([]byte, maxPacket+1), p.log, p.receiveRTCP) })
}

// readEach passes every datagram of c to receive, as far as it fits into buf,
// until c is closed or its read deadline is over.
func readEach(c *net.UDPConn, buf []byte, log *slog.Logger, receive func([]byte, netip.AddrPort)) {
	for failed := 0; failed < maxReadErrors; {
		n, src, err := c.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if err != nil {
			failed++
			if failed == 1 || failed == maxReadErrors {
				log.Error("reading audio failed", "failures", failed, "err", err)
			}
			continue
		}
		failed = 0
		receive(buf[:n], netip.AddrPortFrom(src.Addr().Unmap(), src.Port()))
	}
}

// RTPPort returns the number of the RTP port; RTCP has the one after it.
func (p *Port) RTPPort() uint16 { return p.number }

// SetPeer says who gets what this side sends; nil detaches.
func (p *Port) SetPeer(e media.Endpoint) {
	if e == nil {
		p.peer.Store(nil)
		return
	}
	p.peer.Store(&endpoint{e})
}

// WriteRTP sends an RTP packet to the side.
func (p *Port) WriteRTP(b []byte) {
	if p.write(p.rtp, p.toRTP.Load(), b) {
		p.sent.packets.Add(1)
		p.sent.octets.Add(uint64(len(b)))
	}
}

// WriteRTCP sends an RTCP packet to the side.
func (p *Port) WriteRTCP(b []byte) {
	if p.write(p.rtcp, p.toRTCP.Load(), b) {
		p.sent.rtcp.Add(1)
	}
}

func (p *Port) write(c *net.UDPConn, to *netip.AddrPort, b []byte) bool {
	if to == nil {
		p.sent.unsent.Add(1)
		return false
	}
	if _, err := c.WriteToUDPAddrPort(b, *to); err != nil {
		p.sent.unsent.Add(1) // counted, not logged: it may happen 50 times a second
		return false
	}
	return true
}

// Stats returns what the port has carried so far, also after Close.
func (p *Port) Stats() media.Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	if p.voice.rank != rankNone {
		s.Remote = p.voice.source
	}
	s.SSRC, s.Lost, s.Jitter = p.reception.SSRC(), p.reception.Missing(), p.reception.Jitter()
	s.PacketsOut, s.OctetsOut = p.sent.packets.Load(), p.sent.octets.Load()
	s.RTCPOut, s.Dropped.Unsent = p.sent.rtcp.Load(), p.sent.unsent.Load()
	return s
}

// Close detaches the port, waits for its goroutines and gives its number back.
// Nothing is passed on or sent afterwards; the sockets stay open while the
// number rests (see Ports). Closing again does nothing.
func (p *Port) Close() {
	p.closer.Do(func() {
		p.peer.Store(nil)
		p.mu.Lock()
		p.closed = true
		p.aim()
		p.mu.Unlock()
		for _, c := range []*net.UDPConn{p.rtp, p.rtcp} {
			// A deadline that is over ends the reading and keeps the socket.
			if c.SetReadDeadline(time.Unix(1, 0)) != nil {
				c.Close()
			}
		}
		p.ended.Wait()
		p.owner.release(p, p.heard())
	})
}

// heard returns the sources of RTP and RTCP that belong to the side.
func (p *Port) heard() []late {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []late
	for _, l := range []*latch{&p.voice, &p.control} {
		if l.rank != rankNone {
			list = append(list, late{l.source, l.heard})
		}
	}
	return list
}
