package codec

import (
	"fmt"
	"strings"
)

// Keys are the sixteen keys of ITU-T Q.23 in the order of their rows.
const Keys = "123A456B789C*0#D"

// rowHz and columnHz are the low and the high frequency group of ITU-T Q.23.
func rowHz(row int) float64       { return [4]float64{697, 770, 852, 941}[row&3] }
func columnHz(column int) float64 { return [4]float64{1209, 1336, 1477, 1633}[column&3] }

// DTMF says how digits sound.
type DTMF struct {
	DBm0  float64 // level of the low group's frequency
	Twist float64 // how much louder the high group's is, dB
	On    int     // ms, 1 or more
	Off   int     // ms
}

// StandardDTMF returns digits as phones send them: each frequency near
// -8 dBm0, the higher 2 dB louder, 100 ms on and 100 ms off.
func StandardDTMF() DTMF { return DTMF{DBm0: -9, Twist: 2, On: 100, Off: 100} }

// Tone returns the digits, of Keys with letters in either case, as a tone that
// is played once. The error wraps ErrTone.
func (d DTMF) Tone(digits string) (Tone, error) {
	if digits == "" || len(digits) > MaxBursts {
		return Tone{}, fmt.Errorf("%w: %d digits, not 1 to %d", ErrTone, len(digits), MaxBursts)
	}
	if d.On < 1 {
		return Tone{}, fmt.Errorf("%w: digits of %d ms", ErrTone, d.On)
	}
	t := Tone{Repeat: 1, Bursts: make([]Burst, len(digits))}
	for i, c := range strings.ToUpper(digits) {
		k := strings.IndexRune(Keys, c)
		if k < 0 {
			return Tone{}, fmt.Errorf("%w: %q is no key of a phone", ErrTone, c)
		}
		t.Bursts[i] = Burst{
			Sines: []Sine{{rowHz(k / 4), d.DBm0}, {columnHz(k % 4), d.DBm0 + d.Twist}},
			On:    d.On, Off: d.Off,
		}
	}
	return t, nil
}
