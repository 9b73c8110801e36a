package pbxd

import (
	"net/netip"
	"strings"

	"galilei/pbxd/call"
	"galilei/pbxd/ladder"
	"galilei/pbxd/media/engine"
	"galilei/pbxd/media/quality"
	"galilei/pbxd/pbx"
)

// newRecorder makes what remembers the calls of a day.
func (p *PBX) newRecorder() *ladder.Recorder {
	return ladder.New(p.deps.Now, func(peer netip.Addr) netip.Addr { return p.edge.Towards(peer) })
}

// watch is who hears what happens in calls.
func (p *PBX) watch() call.Watch {
	return call.Watch{
		Joined:    func(c, leg string, who call.Party) { p.ladder.Joined(c, leg, who.Number, who.Name) },
		Traced:    p.ladder.Traced,
		Emergency: p.emergencies.take,
		Noted:     p.store.NoteCall,
		Recorded:  p.store.NoteRecord,
		Measured: func(c, leg string, samples []engine.Sample) {
			list := make([]ladder.Sample, len(samples))
			for i := range samples {
				list[i] = sampleOf(&samples[i])
			}
			p.ladder.Measured(c, leg, list)
		},
	}
}

// publishCall makes a fact of the call engine known, to the memory of calls
// first.
func (p *PBX) publishCall(f pbx.Fact) {
	if f.Kind == pbx.FactCall && f.Call != nil {
		p.ladder.Status(*f.Call)
	}
	p.facts.Publish(f)
}

func sampleOf(s *engine.Sample) ladder.Sample {
	x := ladder.Sample{
		At: s.At, Packets: s.Packets, Buffer: s.Buffer, RoundTrip: s.RoundTrip,
		In: heardOf(s.In, s.Loss), Reported: s.Reported, Out: heardOf(s.Out, s.ReportedLoss),
	}
	x.In.Jitter, x.Out.Jitter = s.Jitter, s.ReportedJit
	if s.Speaks != 0 {
		x.Codec = strings.ToUpper(s.Speaks.String())
	}
	return x
}

func heardOf(c quality.Call, loss float64) ladder.Heard {
	return ladder.Heard{Loss: loss, R: c.R, MOS: c.MOS, Wide: c.Wideband}
}
