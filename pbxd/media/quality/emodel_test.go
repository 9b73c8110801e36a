package quality

import (
	"math"
	"testing"
)

// The wanted ratings, but for the first, were computed by another
// implementation of G.107 (github.com/manucorporat/e-model); the first is that
// of G.107 clause 7.7, 93.2.
func TestRating(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *Parameters)
		want   float64
	}{
		{"defaults", func(*Parameters) {}, 93.2062},
		{"50 ms with echo", func(p *Parameters) { p.T, p.Tr, p.Ta = 50, 100, 50 }, 91.7562},
		{"150 ms with echo", func(p *Parameters) { p.T, p.Tr, p.Ta = 150, 300, 150 }, 89.5391},
		{"400 ms with echo", func(p *Parameters) { p.T, p.Tr, p.Ta = 400, 800, 400 }, 62.2468},
		{"loud echo", func(p *Parameters) { p.TELR, p.T, p.Tr, p.Ta = 45, 100, 200, 100 }, 70.1457},
		{"soft", func(p *Parameters) { p.SLR, p.RLR = 15, 10 }, 72.1633},
		{"loud", func(p *Parameters) { p.SLR, p.RLR = 0, -3 }, 82.5603},
		{"sidetone", func(p *Parameters) { p.STMR = 10 }, 93.1996},
		{"little sidetone with echo", func(p *Parameters) { p.STMR, p.LSTR, p.T = 22, 25, 20 }, 91.3525},
		{"much sidetone with echo", func(p *Parameters) { p.STMR, p.T, p.TELR = 8, 30, 40 }, 83.0236},
		{"eight quantizations", func(p *Parameters) { p.Qdu = 8 }, 79.9349},
		{"noisy rooms", func(p *Parameters) { p.Ps, p.Pr = 60, 70 }, 58.2511},
		{"noisy circuit", func(p *Parameters) { p.Nc = -50 }, 76.3508},
		{"listener's echo", func(p *Parameters) { p.WEPL, p.Tr = 30, 40 }, 90.6077},
		{"codec and loss", func(p *Parameters) { p.Ie, p.Bpl, p.Ppl = 11, 19, 3 }, 70.7517},
		{"bursts", func(p *Parameters) { p.Ppl, p.BurstR, p.Bpl = 5, 2, 25.1 }, 75.9961},
		{"advantage", func(p *Parameters) { p.A, p.Ie = 10, 20 }, 83.2062},
		{"250 ms", func(p *Parameters) { p.Ta = 250 }, 84.2895},
	} {
		p := Defaults()
		c.change(&p)
		got := p.Rate()
		if math.Abs(got.R-c.want) > 0.0001 {
			t.Errorf("%s: R is %.4f; want %.4f", c.name, got.R, c.want)
		}
		if sum := got.Ro - got.Is - got.Id - got.IeEff + p.A; math.Abs(sum-got.R) > 1e-9 {
			t.Errorf("%s: the parts sum up to %.4f; R is %.4f", c.name, sum, got.R)
		}
	}
}

// Delay hurts less who does not need a quick answer (G.107 clause 7.4.3).
func TestDelaySensitivity(t *testing.T) {
	last := -1.0
	for _, c := range []struct{ st, mt float64 }{{1, 100}, {0.55, 120}, {0.4, 150}} {
		p := Defaults()
		p.Ta, p.ST, p.MT = 300, c.st, c.mt
		r := p.Rate().R
		if r <= last {
			t.Errorf("sensitivity %g from %g ms: R is %.1f at 300 ms; want more than %.1f", c.st, c.mt, r, last)
		}
		last = r
		p.Ta = c.mt
		if got := p.delay(); got != 0 {
			t.Errorf("sensitivity %g: %g ms cost %.2f; want 0", c.st, c.mt, got)
		}
	}
}

// The pairs of G.107 table B.1, and the ends of the scale.
func TestMOS(t *testing.T) {
	for _, c := range []struct{ r, want float64 }{
		{90, 4.34}, {80, 4.03}, {70, 3.60}, {60, 3.10}, {50, 2.58},
		{93.2, 4.41}, {100, 4.5}, {129, 4.5}, {0, 1}, {-20, 1}, {3, 1}, {math.NaN(), 1}, {math.Inf(1), 4.5},
	} {
		if got := MOS(c.r); math.Abs(got-c.want) > 0.0075 { // the table rounds 4.024 up
			t.Errorf("R %g has a MOS of %.3f; want %.2f", c.r, got, c.want)
		}
	}
	for r := 0.0; r < 100; r += 0.1 {
		if MOS(r) > MOS(r+0.1) {
			t.Errorf("MOS falls from R %.1f on", r)
		}
	}
}
