// Package quality estimates how people would judge a call from what the
// network did to its packets, with the E-model: ITU-T G.107 (06/2015) for
// narrow-band and G.107.1 (06/2015) for wideband calls, and the figures of
// G.113 Appendix I for codecs. It computes; it measures nothing.
package quality

import (
	"math"
	"time"
)

// Codec is what the E-model knows of a codec and its decoder.
type Codec struct {
	Ie       float64       // equipment impairment factor; Ie,WB where Wideband
	Bpl      float64       // packet-loss robustness factor, for random loss
	Delay    time.Duration // of encoder and decoder beside the length of a packet
	Wideband bool          // the scale of R ends at 129 and not at 93.2 (G.107.1)
}

// G711 returns the figures of G.711 with silence in place of lost packets
// (G.113 Appendix I table I.4: Ie 0, Bpl 4.3).
func G711() Codec { return Codec{Ie: 0, Bpl: 4.3} }

// G711Concealed returns the figures of G.711 with the concealment of its
// Appendix I, which takes 3.75 ms (G.113 Appendix I table I.4: Ie 0, Bpl 25.1).
func G711Concealed() Codec {
	return Codec{Ie: 0, Bpl: 25.1, Delay: 3750 * time.Microsecond}
}

// G722 returns the figures of G.722 at 64 kbit/s with silence in place of lost
// packets. Its Ie,WB is 13 (G.113, provisional values for wideband codecs); no
// value for its robustness is known, so that of G.711 stands in. The delay is
// that of the two quadrature mirror filters.
func G722() Codec {
	return Codec{Ie: 13, Bpl: 4.3, Delay: 1375 * time.Microsecond, Wideband: true}
}

// G722Concealed returns the figures of G.722 at 64 kbit/s with the concealment
// of G.711 Appendix I after its decoder: those of G722, and the robustness of
// G.711 with the same concealment.
func G722Concealed() Codec {
	return Codec{Ie: 13, Bpl: 25.1, Delay: 5125 * time.Microsecond, Wideband: true}
}

// Network is what happened to the packets of one direction.
type Network struct {
	Loss         float64       // part of the packets that was lost or came too late to be played, 0 to 1
	BurstRatio   float64       // see BurstRatio; 0 counts as 1, random loss
	OneWay       time.Duration // delay of the network; half of the round trip when no more is known
	JitterBuffer time.Duration // mean time that a packet waits to be played
	Packet       time.Duration // length of a packet's sound
}

// Call is the estimate for one direction of a call.
type Call struct {
	R        float64 // transmission rating factor, 0 to 93.2, or to 129 where Wideband
	MOS      float64 // mean opinion score, 1 to 4.5: MOS-CQE, on the scale of the bandwidth
	Wideband bool    // both values are on the wideband scale and not to be compared with narrow-band ones
}

// wideBase is R of a perfect wideband connection (G.107.1 clause 7.1), and how
// far its scale is stretched to map R to MOS (G.107.1 clause 7.7).
const (
	wideBase    = 129
	wideStretch = 1.29
)

// Estimate rates a call over c and n. All else has the default values of G.107
// and, for wideband, of G.107.1; of the delay only the part without echo
// counts, because telephones cancel theirs and the network cannot tell.
func Estimate(c Codec, n Network) Call {
	p := Defaults()
	p.Ie, p.Bpl = c.Ie, c.Bpl
	p.Ppl = 100 * limit(n.Loss, 0, 1)
	p.BurstR = limit(n.BurstRatio, 1, 8)
	p.Ta = float64(max(c.Delay+n.OneWay+n.JitterBuffer+n.Packet, 0)) / float64(time.Millisecond)
	if !c.Wideband {
		r := max(p.Rate().R, 0)
		return Call{R: r, MOS: MOS(r)}
	}
	r := max(wideBase-p.delay()-p.equipment(), 0)
	return Call{R: r, MOS: MOS(r / wideStretch), Wideband: true}
}

// limit returns v between low and high, and low for what is not a number.
func limit(v, low, high float64) float64 {
	if math.IsNaN(v) {
		return low
	}
	return min(max(v, low), high)
}

// BurstRatio returns how much longer the bursts of lost packets were than
// those of random loss (G.107 clause 3): received and lost packets, the lost
// ones in that many bursts, each a run of lost packets. It is 1 without loss or
// bursts.
func BurstRatio(received, lost, bursts uint64) float64 {
	if lost == 0 || bursts == 0 || received == 0 {
		return 1
	}
	part := float64(lost) / (float64(received) + float64(lost))
	return float64(lost) / float64(bursts) * (1 - part)
}

// Satisfaction is a category of ITU-T G.109 table 1.
type Satisfaction int

// The categories, from worst to best, with the R from which they hold.
const (
	NotRecommended        Satisfaction = iota // below 50
	NearlyAllDissatisfied                     // 50
	ManyDissatisfied                          // 60
	SomeDissatisfied                          // 70
	Satisfied                                 // 80
	VerySatisfied                             // 90
)

// Satisfaction returns what users would say of the call. Ratings of the
// wideband scale are brought to that of G.109 first.
func (c Call) Satisfaction() Satisfaction {
	r := c.R
	if c.Wideband {
		r /= wideStretch
	}
	switch {
	case r >= 90:
		return VerySatisfied
	case r >= 80:
		return Satisfied
	case r >= 70:
		return SomeDissatisfied
	case r >= 60:
		return ManyDissatisfied
	case r >= 50:
		return NearlyAllDissatisfied
	}
	return NotRecommended
}
