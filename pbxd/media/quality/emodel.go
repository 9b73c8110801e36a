package quality

import "math"

// Parameters are the inputs of the E-model with the names of ITU-T G.107
// (06/2015) table 2; the comments give their ranges.
type Parameters struct {
	SLR    float64 // send loudness rating, 0 to 18 dB
	RLR    float64 // receive loudness rating, -5 to 14 dB
	STMR   float64 // sidetone masking rating, 10 to 20 dB
	LSTR   float64 // listener sidetone rating, 13 to 23 dB
	Ds     float64 // D-value of the telephone at the send side, -3 to 3
	TELR   float64 // talker echo loudness rating, 5 to 65 dB
	WEPL   float64 // weighted echo path loss, 5 to 110 dB
	T      float64 // mean one-way delay of the echo path, 0 to 500 ms
	Tr     float64 // round trip delay of the listener's echo, 0 to 1000 ms
	Ta     float64 // absolute delay, mouth to ear, 0 to 500 ms
	Qdu    float64 // quantization distortion units, 1 to 14
	Ie     float64 // equipment impairment factor of the codec, 0 to 40
	Bpl    float64 // packet-loss robustness factor of the codec, 4.3 to 40
	Ppl    float64 // packet loss, 0 to 20 %
	BurstR float64 // burst ratio, 1 to 8
	Nc     float64 // circuit noise at the 0 dBr point, -80 to -40 dBm0p
	Nfor   float64 // noise floor at the receive side, dBmp; always -64
	Ps     float64 // room noise at the send side, 35 to 85 dB(A)
	Pr     float64 // room noise at the receive side, 35 to 85 dB(A)
	ST     float64 // delay sensitivity, 0.4 to 1 (clause 7.4)
	MT     float64 // least perceivable delay, 100 to 150 ms (clause 7.4)
	A      float64 // advantage factor, 0 to 20
}

// Defaults returns the default values of G.107 table 2: a connection without
// delay or loss between two good telephones in quiet rooms.
func Defaults() Parameters {
	return Parameters{
		SLR: 8, RLR: 2, STMR: 15, LSTR: 18, Ds: 3, TELR: 65, WEPL: 110,
		Qdu: 1, Bpl: 4.3, BurstR: 1, Nc: -70, Nfor: -64, Ps: 35, Pr: 35, ST: 1, MT: 100,
	}
}

// Rating is the transmission rating factor and the parts that it is made of
// (G.107 clause 7.1): R = Ro - Is - Id - IeEff + A.
type Rating struct {
	R     float64 // 0 is unusable, 93.2 is what Defaults gives
	Ro    float64 // basic signal to noise ratio
	Is    float64 // impairments that come at the same time as speech
	Id    float64 // impairments of delay and echo
	IeEff float64 // impairments of codec and packet loss
}

// Rate computes the rating of a narrow-band connection.
func (p Parameters) Rate() Rating {
	no := p.noise()
	r := Rating{Ro: 15 - 1.5*(p.SLR+no)} // clause 7.2
	ist := p.sidetone()
	r.Is = p.loudness(no) + ist + p.quantizing(r.Ro)
	r.Id = p.talkerEcho(no, ist) + p.listenerEcho(r.Ro) + p.delay()
	r.IeEff = p.equipment()
	r.R = r.Ro - r.Is - r.Id - r.IeEff + p.A
	return r
}

// noise returns No, the power sum of all noise, in dBm0p (clause 7.2).
func (p *Parameters) noise() float64 {
	olr := p.SLR + p.RLR
	nos := p.Ps - p.SLR - p.Ds - 100 + 0.004*square(p.Ps-olr-p.Ds-14)
	pre := p.Pr + 10*math.Log10(1+power10((10-p.LSTR)/10))
	nor := p.RLR - 121 + pre + 0.008*square(pre-35)
	nfo := p.Nfor + p.RLR
	return 10 * math.Log10(power10(p.Nc/10)+power10(nos/10)+power10(nor/10)+power10(nfo/10))
}

// loudness returns Iolr, for a connection that is too loud (clause 7.3.1).
func (p *Parameters) loudness(no float64) float64 {
	x := (p.SLR + p.RLR + 0.2*(64+no-p.RLR)) / 8
	return 20 * (math.Pow(1+math.Pow(x, 8), 1.0/8) - x)
}

// sidetone returns Ist, for sidetone that is not optimum (clause 7.3.2).
func (p *Parameters) sidetone() float64 {
	stmro := -10 * math.Log10(power10(-p.STMR/10)+math.Exp(-p.T/4)*power10(-p.TELR/10))
	return 12*math.Pow(1+math.Pow((stmro-13)/6, 8), 1.0/8) -
		28*math.Pow(1+math.Pow((stmro+1)/19.4, 35), 1.0/35) -
		13*math.Pow(1+math.Pow((stmro-3)/33, 13), 1.0/13) + 29
}

// quantizing returns Iq, for quantizing distortion (clause 7.3.3).
func (p *Parameters) quantizing(ro float64) float64 {
	q := 37 - 15*math.Log10(p.Qdu)
	g := 1.07 + 0.258*q + 0.0602*q*q
	y := (ro-100)/15 + 46/8.4 - g/9
	z := 46.0/30 - g/40
	return 15 * math.Log10(1+power10(y)+power10(z))
}

// talkerEcho returns Idte (clause 7.4.1).
func (p *Parameters) talkerEcho(no, ist float64) float64 {
	if p.T < 1 { // an echo that early is sidetone
		return 0
	}
	terv := p.TELR - 40*math.Log10((1+p.T/10)/(1+p.T/150)) + 6*math.Exp(-0.3*p.T*p.T)
	if p.STMR < 9 {
		terv += ist / 2 // sidetone masks it
	}
	diff := (-1.5*(no-p.RLR) - (80 + 2.5*(terv-14))) / 2 // (Roe-Re)/2
	idte := (diff + math.Sqrt(diff*diff+100) - 1) * (1 - math.Exp(-p.T))
	if p.STMR > 20 {
		return math.Hypot(idte, ist)
	}
	return idte
}

// listenerEcho returns Idle (clause 7.4.2).
func (p *Parameters) listenerEcho(ro float64) float64 {
	rle := 10.5 * (p.WEPL + 7) * math.Pow(p.Tr+1, -0.25)
	diff := (ro - rle) / 2
	return diff + math.Sqrt(diff*diff+169)
}

// delay returns Idd, for a delay that disturbs a conversation without echo
// (clause 7.4.3).
func (p *Parameters) delay() float64 {
	if p.Ta <= p.MT {
		return 0
	}
	x, n := math.Log2(p.Ta/p.MT), 6*p.ST
	return 25 * (math.Pow(1+math.Pow(x, n), 1/n) - 3*math.Pow(1+math.Pow(x/3, n), 1/n) + 2)
}

// equipment returns Ie,eff, and in the same way Ie,WB,eff (clause 7.5 of G.107
// and of G.107.1).
func (p *Parameters) equipment() float64 {
	if p.Ppl <= 0 {
		return p.Ie
	}
	return p.Ie + (95-p.Ie)*p.Ppl/(p.Ppl/p.BurstR+p.Bpl)
}

// MOS returns the mean opinion score of a conversation (MOS-CQE), 1 to 4.5, for
// a rating of a narrow-band connection (G.107 annex B).
func MOS(r float64) float64 {
	switch {
	case !(r > 0):
		return 1
	case r >= 100:
		return 4.5
	}
	// Below 6.5 the formula falls under 1.
	return max(1+0.035*r+r*(r-60)*(100-r)*7e-6, 1)
}

func square(x float64) float64  { return x * x }
func power10(x float64) float64 { return math.Pow(10, x) }
