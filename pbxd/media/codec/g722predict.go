package codec

// subband is the adaptive predictor and quantizer step of one band, which the
// encoder and the decoder keep alike (G.722 clauses 3.5 and 3.6).
type subband struct {
	predicted int32    // s: what the next sample is expected to be
	zero      int32    // sz: the part of predicted that the zeros make
	nb        int32    // logarithm of step to base 2, 11 bits of fraction
	step      int32    // DET: the quantizer's scale factor
	a         [2]int32 // coefficients of the poles, 14 bits of fraction
	b         [6]int32 // coefficients of the zeros, 14 bits of fraction
	r         [2]int32 // reconstructed samples, newest first
	p         [2]int32 // partially reconstructed samples, newest first
	d         [6]int32 // quantized differences, newest first
}

// predict takes in the quantized difference of the current sample and predicts
// the next one (block 4 of clause 6.2.1).
func (s *subband) predict(diff int32) {
	reconstructed := saturate(s.predicted + diff) // RECONS
	partial := saturate(s.zero + diff)            // PARREC
	poles := s.adaptPoles(partial)

	// UPZERO, DELAYA, FILTEZ: the zeros drift towards the sign of the
	// correlation of the differences, leaking 1/256.
	var gain int32
	if diff != 0 {
		gain = 128
	}
	var zero int32
	newer := diff
	for i, d := range s.d {
		toward := gain
		if diff^d < 0 {
			toward = -gain
		}
		s.b[i] = saturate(toward + s.b[i]*32640>>15)
		s.d[i] = newer
		zero += s.b[i] * saturate(2*newer) >> 15
		newer = d
	}
	s.zero = saturate(zero)

	// DELAYA, FILTEP, PREDIC.
	s.a = poles
	s.r[0], s.r[1] = reconstructed, s.r[0]
	s.p[0], s.p[1] = partial, s.p[0]
	sp := saturate(s.a[0]*saturate(2*s.r[0])>>15 + s.a[1]*saturate(2*s.r[1])>>15)
	s.predicted = saturate(sp + s.zero)
}

// adaptPoles returns the next coefficients of the poles, kept where the
// predictor is stable (UPPOL2, UPPOL1).
func (s *subband) adaptPoles(partial int32) (next [2]int32) {
	same1, same2 := partial^s.p[0] >= 0, partial^s.p[1] >= 0
	a2 := saturate(4 * s.a[0])
	if same1 {
		a2 = min(-a2, 32767)
	}
	a2 >>= 7
	if same2 {
		a2 += 128
	} else {
		a2 -= 128
	}
	next[1] = min(max(a2+s.a[1]*32512>>15, -12288), 12288)

	a1 := s.a[0] * 32640 >> 15
	if same1 {
		a1 += 192
	} else {
		a1 -= 192
	}
	bound := saturate(15360 - next[1])
	next[0] = min(max(saturate(a1), -bound), bound)
	return next
}

// The tables of G.722. Every one is indexed as the text says and never written
// to.
var (
	// qmf are the coefficients of the quadrature mirror filter, one half of
	// a symmetric filter (table 11), in 13 bits of fraction.
	qmf = [12]int32{3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11}

	// decision6 are the decision levels of the lower band's quantizer (Q6,
	// table 14), 12 bits of fraction.
	decision6 = [30]int32{0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714,
		786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919}

	// inverse6, inverse4 and inverse2 are the quantizers' output levels (QM6,
	// QM4 and QM2), by code, 15 bits of fraction.
	inverse6 = [64]int32{
		-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856,
		-7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728,
		24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456,
		4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136}
	inverse4 = [16]int32{0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0}
	inverse2 = [4]int32{-7408, -1616, 7408, 1616}

	// lowLogStep and highLogStep say how a code changes the logarithm of the
	// step (WL through RL42, WH through RH2).
	lowLogStep  = [16]int32{-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60}
	highLogStep = [4]int32{798, -214, 798, -214}

	// antilogMantissa is 2048 times 2 to the power of i/32 (ILB).
	antilogMantissa = [32]int32{2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
		2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008}
)
