package engine

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"galilei/pbxd/media"
	"galilei/pbxd/media/codec"
)

// TestReports reads what the engine reports with another implementation.
func TestReports(t *testing.T) {
	l := newLab()
	a, b := newPhone(t, l, codec.G722, 1010), newPhone(t, l, codec.PCMA, 620)
	sa, sb := l.Attach(a, config(formatOf(codec.G722))), l.Attach(b, config(formatOf(codec.PCMA)))
	Join(sa, sb)
	lose := rand.New(rand.NewPCG(1, 1))
	sent := 0
	l.run(30*time.Second, func(at time.Duration) {
		a.talk(at)
		if at%frameTime == 0 {
			if p := b.speech(); lose.Float64() >= 0.1 {
				b.send(p)
				sent++
			}
		}
		// b answers a report of ours 40 ms later, having had it for 10 ms.
		if n := len(b.rtcp); n > 0 && at%time.Second == 0 {
			list, err := rtcp.Unmarshal(b.rtcp[n-1])
			if err != nil {
				t.Fatal(err)
			}
			sr := list[0].(*rtcp.SenderReport)
			passed := l.t.Sub(time.Unix(int64(sr.NTPTime>>32)-2208988800, int64(sr.NTPTime&0xffffffff*1e9>>32)))
			rr, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: b.ssrc, Reports: []rtcp.ReceptionReport{{
				SSRC: sr.SSRC, FractionLost: 64, Jitter: 80,
				LastSenderReport: uint32(sr.NTPTime >> 16), Delay: uint32((passed - 30*time.Millisecond) * 65536 / time.Second),
			}}}})
			if err != nil {
				t.Fatal(err)
			}
			inlet{sb}.WriteRTCP(rr)
		}
	})
	if len(a.rtcp) < 4 || len(a.rtcp) > 10 {
		t.Errorf("%d reports in 30 s, want one each 2.5 to 7.5 s", len(a.rtcp))
	}
	list, err := rtcp.Unmarshal(b.rtcp[len(b.rtcp)-1])
	if err != nil {
		t.Fatal(err)
	}
	sr := list[0].(*rtcp.SenderReport)
	last := b.got[len(b.got)-1]
	if sr.SSRC != last.ssrc || int(sr.PacketCount) > len(b.got) || int(sr.OctetCount) != int(sr.PacketCount)*160 {
		t.Errorf("sender report %+v, %d packets of %08x came", sr, len(b.got), last.ssrc)
	}
	if ahead := int32(last.stamp-sr.RTPTime) / 8; ahead < -20 || ahead > 8000 {
		t.Errorf("time stamp %d ms before that of the last packet", ahead)
	}
	if len(sr.Reports) != 1 || sr.Reports[0].SSRC != b.ssrc || math.Abs(float64(sr.Reports[0].FractionLost)/256-0.1) > 0.06 {
		t.Errorf("report blocks %+v, want 10 %% lost of %08x", sr.Reports, b.ssrc)
	}
	if sdes, ok := list[1].(*rtcp.SourceDescription); !ok || len(sdes.Chunks) != 1 || len(sdes.Chunks[0].Items[0].Text) != 16 {
		t.Errorf("no CNAME of 96 bits: %+v", list[1])
	}
	before := len(b.rtcp)
	sb.Close()
	sb.Close()
	list, err = rtcp.Unmarshal(b.rtcp[len(b.rtcp)-1])
	if err != nil {
		t.Fatal(err)
	}
	if bye, ok := list[len(list)-1].(*rtcp.Goodbye); !ok || len(bye.Sources) != 1 || bye.Sources[0] != last.ssrc || len(b.rtcp) != before+1 {
		t.Errorf("%d reports at the end, want one with a BYE: %+v", len(b.rtcp)-before, list)
	}
	samples := sb.Samples()
	if len(samples) != 5 && len(samples) != 6 {
		t.Fatalf("%d samples in 30 s, want one each 5 s", len(samples))
	}
	x := samples[len(samples)-1]
	t.Logf("%+v", x)
	if math.Abs(x.Loss-0.1) > 0.06 || x.ReportedLoss != 0.25 || x.ReportedJit != 10*time.Millisecond || x.RoundTrip < 29*time.Millisecond || x.RoundTrip > 31*time.Millisecond {
		t.Errorf("sample %+v; want 10 %% lost, 25 %% reported lost, jitter 10 ms, round trip 30 ms", x)
	}
	if x.In.MOS > 4 || x.In.MOS < 2 || x.Out.MOS >= x.In.MOS || x.Buffer < 15*time.Millisecond {
		t.Errorf("sample %+v; want a worse MOS for 25 %% than for 10 %% of loss", x)
	}
	if y, ok := sa.Last(); !ok || y.Loss != 0 || !y.In.Wideband || y.In.MOS < 3.5 {
		t.Errorf("sample of the other side %+v, want a good wideband call", y)
	}
}

// TestForwardedReports passes RTCP on while all packets pass, and reads the
// round trip from it.
func TestForwardedReports(t *testing.T) {
	l := newLab()
	a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620)
	c := config(formatOf(codec.PCMA))
	sa, sb := l.Attach(a, c), l.Attach(b, c)
	Join(sa, sb)
	l.run(time.Second, func(at time.Duration) { a.talk(at); b.talk(at) })
	const ntp = 0xe000_0000_8000_0000
	sr, err := rtcp.Marshal([]rtcp.Packet{&rtcp.SenderReport{SSRC: a.ssrc, NTPTime: ntp}})
	if err != nil {
		t.Fatal(err)
	}
	a.peer.WriteRTCP(sr)
	l.run(100*time.Millisecond, nil)
	rr, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: b.ssrc, Reports: []rtcp.ReceptionReport{{
		SSRC: a.ssrc, LastSenderReport: ntp >> 16 & 0xffffffff, Delay: 65536 / 20,
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	b.peer.WriteRTCP(rr)
	l.run(20*time.Second, func(at time.Duration) { a.talk(at); b.talk(at) })
	if len(b.rtcp) != 1 || len(a.rtcp) != 1 || string(b.rtcp[0]) != string(sr) || string(a.rtcp[0]) != string(rr) {
		t.Errorf("%d and %d reports came, want exactly those of the phones", len(b.rtcp), len(a.rtcp))
	}
	if x, _ := sb.Last(); !x.Reported {
		t.Error("the report of 15 s ago is forgotten")
	}
	l.run(5*time.Second, nil)
	if x, _ := sb.Last(); x.Reported {
		t.Error("the report of 25 s ago still counts")
	}
	if x, _ := sb.Last(); x.RoundTrip < 49*time.Millisecond || x.RoundTrip > 51*time.Millisecond {
		t.Errorf("round trip %v, want 50 ms", x.RoundTrip)
	}
}

// TestReportsOfAnotherClock reads and makes reports about a stream of 48 kHz.
func TestReportsOfAnotherClock(t *testing.T) {
	l := newLab()
	a, b := newPhone(t, l, codec.PCMA, 1010), newPhone(t, l, codec.PCMA, 620)
	opus := media.Format{PT: 96, Name: "opus", Clock: 48000, Channels: 2}
	other := opus
	other.PT = 97 // so that the stream is ours
	sa, sb := l.Attach(a, config(opus)), l.Attach(b, config(other))
	Join(sa, sb)
	a.send(a.packet(96, true, make([]byte, 40)))
	l.run(100*time.Millisecond, nil)
	rr, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: b.ssrc, Reports: []rtcp.ReceptionReport{{Jitter: 480}}}})
	if err != nil {
		t.Fatal(err)
	}
	b.peer.WriteRTCP(rr)
	l.run(9900*time.Millisecond, nil)
	if x, _ := sb.Last(); x.ReportedJit != 10*time.Millisecond {
		t.Errorf("jitter of 480 units at 48 kHz is %v, want 10 ms", x.ReportedJit)
	}
	list, err := rtcp.Unmarshal(b.rtcp[0])
	if err != nil {
		t.Fatal(err)
	}
	sr := list[0].(*rtcp.SenderReport)
	at := time.Unix(int64(sr.NTPTime>>32)-2208988800, int64(sr.NTPTime&0xffffffff*1e9>>32))
	if want := b.got[0].stamp + uint32(at.Sub(b.got[0].at).Seconds()*48000+0.5); int32(sr.RTPTime-want) > 2 || int32(sr.RTPTime-want) < -2 {
		t.Errorf("time stamp %d in the report, want %d", sr.RTPTime, want)
	}
}
