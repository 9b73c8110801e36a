package rtpio

import (
	"net/netip"
	"sync/atomic"
	"time"

	"galilei/pbxd/media"
)

// maxExtensions is how many header extensions are remembered in place.
const maxExtensions = 16

// receiveRTP takes one datagram that arrived at the RTP port.
func (p *Port) receiveRTP(b []byte, src netip.AddrPort) {
	if len(b) >= 2 && media.LikeRTCP(b[1]&0x7f) {
		// RTCP on the RTP port (RFC 5761). It was not agreed on, but some
		// send it, and only the source of the audio may.
		if p.admitMuxed(b, src) {
			p.passRTCP(b)
		}
		return
	}
	if a := p.authenticator(); a != nil {
		if p.mayBeRTP(b, src) {
			p.authenticated(&p.voice, src, len(b), a.TakeRTP(b))
		}
		return
	}
	if !p.admitRTP(b, src) {
		return
	}
	if peer := p.peer.Load(); peer != nil {
		peer.WriteRTP(b)
	}
}

// receiveRTCP takes one datagram that arrived at the RTCP port.
func (p *Port) receiveRTCP(b []byte, src netip.AddrPort) {
	if a := p.authenticator(); a != nil {
		if p.mayBeRTCP(b, src) {
			p.authenticated(&p.control, src, len(b), a.TakeRTCP(b))
		}
		return
	}
	if p.admitRTCP(b, src) {
		p.passRTCP(b)
	}
}

func (p *Port) passRTCP(b []byte) {
	if peer := p.peer.Load(); peer != nil {
		peer.WriteRTCP(b)
	}
}

// admitRTP checks and counts a datagram and reports whether it is the side's.
func (p *Port) admitRTP(b []byte, src netip.AddrPort) bool {
	now := p.owner.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.parse(b) {
		p.stats.Dropped.Invalid++
		return false
	}
	if !p.admit(&p.voice, src, p.clocks[p.header.PayloadType].expected, now) {
		return false
	}
	p.countRTP(len(b), now)
	return true
}

// countRTP counts the packet whose header was parsed last. The caller holds mu.
func (p *Port) countRTP(octets int, now time.Time) {
	p.stats.PacketsIn++
	p.stats.OctetsIn += uint64(octets)
	p.stats.Last = now
	p.reception.Add(&p.header, p.clocks[p.header.PayloadType].rate, now)
	if p.peer.Load() == nil {
		p.stats.Dropped.Unbridged++
	}
}

// parse reads the header of b and checks the packet (RFC 3550 appendix A.1).
// The caller holds mu.
func (p *Port) parse(b []byte) bool {
	if len(b) < 12 || len(b) > maxPacket || b[0]>>6 != 2 {
		return false // without the parser, whose errors take memory
	}
	n, err := p.header.Unmarshal(b)
	if cap(p.header.Extensions) > maxExtensions {
		p.header.Extensions = nil // one hostile packet must not hold memory for the whole call
	}
	if err != nil {
		return false
	}
	if p.header.Padding && !p.secure {
		pad := int(b[len(b)-1])
		return pad > 0 && pad <= len(b)-n
	}
	return true
}

// admit asks the latch about a packet and counts it when it is refused. The
// caller holds mu.
func (p *Port) admit(l *latch, src netip.AddrPort, known bool, now time.Time) bool {
	if !p.fits(l, src, known, now) {
		return false
	}
	latched := l.rank != rankNone && src == l.source
	l.accept(src, known, now)
	if !latched {
		p.log.Debug("audio source found", "source", src, "by", l.rank.String(), "described", l.want, "rtcp", l == &p.control)
		if l == &p.voice {
			p.control.follow(src)
		}
		p.aim()
	}
	return true
}

// fits asks the latch whether src may be the side's, and counts when not. The
// caller holds mu.
func (p *Port) fits(l *latch, src netip.AddrPort, known bool, now time.Time) bool {
	if (l.rank == rankNone || src != l.source) && p.owner.own(src) {
		p.stats.Dropped.Loop++
		return false
	}
	if l.fits(src, known, now) {
		return true
	}
	p.stats.Dropped.Foreign++
	if !p.warned && l.want.IsValid() && l.rankOf(src) == rankNone { // before it is described, everybody is early rather than strange
		p.warned = true // once, or a flood of packets becomes a flood of lines
		p.log.Info("audio of another source dropped", "source", src, "described", l.want, "latched", l.source)
	}
	return false
}

// admitRTCP checks and counts a datagram of the RTCP port.
func (p *Port) admitRTCP(b []byte, src netip.AddrPort) bool {
	now := p.owner.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.validRTCP(b) || !p.admit(&p.control, src, true, now) {
		return false
	}
	p.countRTCP(b, now)
	return true
}

// admitMuxed checks and counts RTCP of the RTP port.
func (p *Port) admitMuxed(b []byte, src netip.AddrPort) bool {
	now := p.owner.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.validRTCP(b) {
		return false
	}
	if p.voice.rank == rankNone || src != p.voice.source {
		p.stats.Dropped.Foreign++
		return false
	}
	p.countRTCP(b, now)
	return true
}

func (p *Port) validRTCP(b []byte) bool {
	if len(b) > maxPacket || p.secure && !checkSRTCP(b) || !p.secure && !checkRTCP(b) {
		p.stats.Dropped.Invalid++
		return false
	}
	return true
}

func (p *Port) countRTCP(b []byte, now time.Time) {
	p.stats.RTCPIn++
	if !p.secure {
		if r, ok := report(b, now); ok {
			p.stats.Report = r
		}
	}
	if p.peer.Load() == nil {
		p.stats.Dropped.Unbridged++
	}
}

// store publishes an address; an invalid one as nil.
func store(to *atomic.Pointer[netip.AddrPort], a netip.AddrPort) {
	if !a.IsValid() {
		to.Store(nil)
		return
	}
	to.Store(&a)
}
