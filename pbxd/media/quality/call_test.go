package quality

import (
	"math"
	"testing"
	"time"
)

func TestEstimate(t *testing.T) {
	lan := Network{OneWay: time.Millisecond, JitterBuffer: 20 * time.Millisecond, Packet: 20 * time.Millisecond}
	with := func(change func(n *Network)) Network {
		n := lan
		change(&n)
		return n
	}
	lost := func(part float64) Network { return with(func(n *Network) { n.Loss = part }) }
	for _, c := range []struct {
		name    string
		codec   Codec
		network Network
		r, mos  float64
		says    Satisfaction
	}{
		{"G.711 on a LAN", G711Concealed(), lan, 93.2, 4.41, VerySatisfied},
		// Ie,eff = 95 * Ppl / (Ppl + Bpl)
		{"G.711, 1 % lost", G711Concealed(), lost(0.01), 93.2 - 95*1/26.1, 4.33, Satisfied},
		{"G.711, 5 % lost", G711Concealed(), lost(0.05), 93.2 - 95*5/30.1, 3.92, SomeDissatisfied},
		{"G.711 without concealment, 1 % lost", G711(), lost(0.01), 93.2 - 95*1/5.3, 3.85, SomeDissatisfied},
		{"G.711 without concealment, 5 % lost", G711(), lost(0.05), 93.2 - 95*5/9.3, 2.17, NotRecommended},
		{"G.711, 5 % in bursts", G711Concealed(), with(func(n *Network) { n.Loss, n.BurstRatio = 0.05, 2 }), 93.2 - 95*5/27.6, 3.85, SomeDissatisfied},
		{"G.711, 250 ms", G711(), with(func(n *Network) { n.OneWay = 210 * time.Millisecond }), 84.29, 4.18, Satisfied},
		{"G.711, all lost", G711(), lost(1), 2.1, 1, NotRecommended},
		{"G.722 on a LAN", G722Concealed(), lan, 116, 4.34, Satisfied},
		{"G.722, 2 % lost", G722Concealed(), lost(0.02), 116 - 82*2/27.1, 4.19, Satisfied},
		{"nonsense", G711(), Network{Loss: math.NaN(), BurstRatio: math.Inf(-1), OneWay: -time.Hour}, 93.2, 4.41, VerySatisfied},
		{"more nonsense", G711(), Network{Loss: math.Inf(1), BurstRatio: math.Inf(1), OneWay: math.MaxInt64 / 4}, 0, 1, NotRecommended},
	} {
		got := Estimate(c.codec, c.network)
		if math.Abs(got.R-c.r) > 0.05 || math.Abs(got.MOS-c.mos) > 0.02 || got.Wideband != c.codec.Wideband {
			t.Errorf("%s: %+v; want R %.2f, MOS %.2f", c.name, got, c.r, c.mos)
		}
		if says := got.Satisfaction(); says != c.says {
			t.Errorf("%s: category %d at R %.1f; want %d", c.name, says, got.R, c.says)
		}
	}
}

func TestBurstRatio(t *testing.T) {
	for _, c := range []struct {
		received, lost, bursts uint64
		want                   float64
	}{
		{1000, 0, 0, 1},
		{0, 10, 1, 1},
		{9000, 1000, 900, 1}, // random loss of 10 % has bursts of 1/0.9 packets
		{9000, 1000, 500, 1.8},
		{9000, 1000, 100, 9},
		{9000, 1000, 1000, 0.9}, // more evenly spread than by chance
	} {
		if got := BurstRatio(c.received, c.lost, c.bursts); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%d received, %d lost in %d bursts: %g; want %g", c.received, c.lost, c.bursts, got, c.want)
		}
	}
}
