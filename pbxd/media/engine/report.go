package engine

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	mathrand "math/rand/v2"
	"time"

	"github.com/pion/rtcp"

	"galilei/pbxd/media/jitter"
)

// reportEvery is the mean time between two reports (RFC 3550 section 6.2), and
// that between two samples.
const reportEvery = 5 * time.Second

// reportHolds is how long what a side has reported is taken for what it hears.
const reportHolds = 4 * reportEvery

// maxSent is how many sender reports towards a side are remembered for the
// round trip.
const maxSent = 4

// sent is a sender report that went to the side.
type sent struct {
	ntp uint32 // middle 32 bits of its time
	at  time.Time
}

// reports are the state of RTCP of a side. Guarded by Side.mu.
type reports struct {
	cname   string
	due     time.Time // next RTCP of ours
	sample  time.Time // next sample
	sent    [maxSent]sent
	turn    int
	senders uint32 // middle 32 bits of the side's last sender report
	heard   time.Time

	packets, late uint64
	lost          int64
	reported      time.Time // last report block of the side; zero before
	loss          float64
	jitter        time.Duration
	trip          time.Duration
	samples       []Sample
}

func newReports(now time.Time) reports {
	// RFC 7022 section 4.2: 96 random bits, for this session only.
	var b [12]byte
	rand.Read(b[:]) // never fails since Go 1.24
	return reports{cname: base64.RawStdEncoding.EncodeToString(b[:]), due: now.Add(reportEvery / 2), sample: now.Add(reportEvery)}
}

// Playout returns what the jitter buffer has counted; zero when nothing of the
// side was decoded.
func (s *Side) Playout() (c jitter.Counts, ch jitter.Changes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.playout != nil {
		c, ch = s.playout.Counts(), s.playout.Changes()
	}
	return c, ch
}

// Dropped returns the packets from the side that went nowhere.
func (s *Side) Dropped() Dropped {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// WriteRTCP takes what the side reports. It goes on as it is when all packets
// of the call do; otherwise both sides get reports of ours.
func (in inlet) WriteRTCP(p []byte) {
	s := in.s
	now := s.engine.now()
	s.mu.Lock()
	s.read(p, now)
	to, plain, gear := s.route.to, s.route.plain, s.route.gear
	s.mu.Unlock()
	switch {
	case plain != nil:
		plain.WriteRTCP(p)
	case to != nil && gear == Forward && to.Gear() == Forward && to.hears(s):
		to.passed(p, now)
		to.endpoint.WriteRTCP(p)
	}
}

// hears reports whether from is who the side hears.
func (s *Side) hears(from *Side) bool {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.source == from
}

// each calls do with every packet of a compound: its type, count and what
// comes after its header. Damaged ends are left out.
func each(p []byte, do func(kind, count uint8, body []byte)) {
	for len(p) >= 4 && p[0]>>6 == 2 {
		n := 4 + 4*int(binary.BigEndian.Uint16(p[2:]))
		if n > len(p) {
			return
		}
		do(p[1], p[0]&0x1f, p[4:n])
		p = p[n:]
	}
}

// Packet types (RFC 3550 section 12.1).
const (
	senderReport   = 200
	receiverReport = 201
)

// read takes in the reports of the side. The caller holds mu.
func (s *Side) read(p []byte, now time.Time) {
	s.out.mu.Lock()
	clock := s.out.clock
	s.out.mu.Unlock()
	each(p, func(kind, count uint8, body []byte) {
		blocks := 4
		switch kind {
		case senderReport:
			if len(body) < 24 {
				return
			}
			s.reports.senders, s.reports.heard = binary.BigEndian.Uint32(body[6:]), now
			blocks = 24
		case receiverReport:
		default:
			return
		}
		if count > 0 && len(body) >= blocks+24 {
			s.reports.block(body[blocks:], clock, now)
		}
	})
}

// block takes in one report block (RFC 3550 section 6.4.1) on a stream of that
// clock, in Hz.
func (r *reports) block(b []byte, clock int, now time.Time) {
	r.reported = now
	r.loss = float64(b[4]) / 256
	if clock > 0 {
		r.jitter = min(time.Duration(binary.BigEndian.Uint32(b[12:]))*time.Second/time.Duration(clock), 10*time.Second)
	}
	last, since := binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])
	for _, x := range r.sent {
		if last != 0 && x.ntp == last && !x.at.IsZero() {
			// since counts in 1/65536 s.
			if trip := now.Sub(x.at) - time.Duration(since)*time.Second/65536; trip >= 0 && trip < time.Minute {
				r.trip = trip
			}
		}
	}
}

// passed remembers the time of a sender report that goes to the side.
func (s *Side) passed(p []byte, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	each(p, func(kind, _ uint8, body []byte) {
		if kind == senderReport && len(body) >= 24 {
			s.reports.remember(binary.BigEndian.Uint32(body[6:]), now)
		}
	})
}

func (r *reports) remember(ntp uint32, now time.Time) {
	r.sent[r.turn] = sent{ntp, now}
	r.turn = (r.turn + 1) % maxSent
}

// report sends a report and keeps a sample when it is time.
func (s *Side) report(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &s.reports
	if !now.Before(r.sample) {
		r.sample = now.Add(reportEvery)
		if len(r.samples) == maxSamples {
			r.samples = r.samples[:copy(r.samples, r.samples[1:])]
		}
		r.samples = append(r.samples, s.measure(now))
	}
	if now.Before(r.due) {
		return
	}
	// Half to one and a half of the mean, so that many do not fall in step.
	r.due = now.Add(reportEvery/2 + time.Duration(mathrand.Int64N(int64(reportEvery))))
	if p := s.compound(now, false); p != nil {
		s.endpoint.WriteRTCP(p)
	}
}

// compound returns the report to the side, the last one with a BYE (RFC 3550
// section 6.6), or nil when it is not for us to report. The caller holds mu.
func (s *Side) compound(now time.Time, last bool) []byte {
	o := &s.out
	o.mu.Lock()
	own, ssrc, packets, octets := o.own, o.ssrc, o.packets, o.octets
	stamp := o.stamp + uint32(max(now.Sub(o.at), 0).Microseconds()*int64(o.clock)/1e6)
	o.mu.Unlock()
	if !own {
		return nil
	}
	var blocks []rtcp.ReceptionReport
	if b, ok := s.stream.Report(); ok {
		if !s.reports.heard.IsZero() {
			b.LastSenderReport = s.reports.senders
			b.Delay = uint32(now.Sub(s.reports.heard) * 65536 / time.Second)
		}
		blocks = append(blocks, b)
	}
	ntp := ntpTime(now)
	s.reports.remember(uint32(ntp>>16), now)
	list := []rtcp.Packet{
		&rtcp.SenderReport{SSRC: ssrc, NTPTime: ntp, RTPTime: stamp, PacketCount: packets, OctetCount: octets, Reports: blocks},
		rtcp.NewCNAMESourceDescription(ssrc, s.reports.cname),
	}
	if last {
		list = append(list, &rtcp.Goodbye{Sources: []uint32{ssrc}})
	}
	p, err := rtcp.Marshal(list)
	if err != nil {
		s.engine.log.Error("write RTCP report failed", "err", err)
		return nil
	}
	return p
}

// ntpTime returns t in the format of RFC 3550 section 4.
func ntpTime(t time.Time) uint64 {
	const from1900 = 2208988800
	sec := uint64(t.Unix() + from1900)
	return sec<<32 | uint64(t.Nanosecond())<<32/1e9
}
