// Package codec turns speech into linear samples and back, and makes, finds
// and mixes the signals of telephony: G.711 and G.722, resampling, comfort
// noise, concealment of lost packets, tones and DTMF.
//
// Everything here is a pure function of what goes in: no sockets, no clock, no
// goroutines, and no allocation once a value has been made. Samples are int16,
// linear, mono. A frame is 20 ms: 160 samples at 8 kHz, 320 at 16 kHz; but no
// function insists on it, and state carries on across cuts anywhere. No value
// may be used by two goroutines at once.
//
// The package imports pbx for the tones of the country profiles and nothing of
// media, so that media can import it: a codec is asked for by the encoding name
// that a media.Format carries, not by the Format.
package codec

import (
	"errors"
	"fmt"
	"strings"
)

// FrameMs is the length of a frame in ms.
const FrameMs = 20

// ErrUnknown says that a speech encoding is not one of this package's.
var ErrUnknown = errors.New("unknown speech encoding")

// Codec is one of the speech encodings. All of them send 64 kbit/s, so a
// payload of 20 ms has 160 bytes.
type Codec uint8

// The encodings that Galilei decodes; the zero Codec is none of them.
const (
	PCMU Codec = iota + 1 // ITU-T G.711 mu-law
	PCMA                  // ITU-T G.711 A-law
	G722                  // ITU-T G.722 mode 1, 64 kbit/s
)

// BytesPerMs is what every Codec sends in one ms.
const BytesPerMs = 8

// A Decoder turns the payloads of one direction of a call into samples, in the
// order in which they were sent.
type Decoder interface {
	// Decode appends the samples of payload to dst. Any payload of any
	// length has a meaning.
	Decode(dst []int16, payload []byte) []int16
	// Rate returns the samples per second that Decode makes, 8000 or 16000.
	Rate() int
}

// An Encoder turns samples into the payloads of one direction of a call.
type Encoder interface {
	// Encode appends the encoding of samples to dst.
	Encode(dst []byte, samples []int16) []byte
	// Rate returns the samples per second that Encode takes, 8000 or 16000.
	Rate() int
}

// ByName returns the codec with that RTP encoding name (RFC 3551 table 4) in
// upper or lower case. The error wraps ErrUnknown.
func ByName(name string) (Codec, error) {
	for _, c := range []Codec{PCMU, PCMA, G722} {
		if strings.EqualFold(c.String(), name) {
			return c, nil
		}
	}
	return 0, fmt.Errorf("%w: %.32q", ErrUnknown, name)
}

// String returns the RTP encoding name.
func (c Codec) String() string {
	switch c {
	case PCMU:
		return "PCMU"
	case PCMA:
		return "PCMA"
	case G722:
		return "G722"
	}
	return fmt.Sprintf("Codec(%d)", uint8(c))
}

// Rate returns the samples per second of the linear signal, 8000 or 16000. It
// is not the RTP clock: that is 8000 for each of them, by a historic mistake
// also for G722 (RFC 3551 section 4.5.2).
func (c Codec) Rate() int {
	if c == G722 {
		return 16000
	}
	return 8000
}

// NewDecoder returns a decoder in its initial state, or nil for a Codec that
// is none of the constants.
func (c Codec) NewDecoder() Decoder {
	switch c {
	case PCMU:
		return muLaw{}
	case PCMA:
		return aLaw{}
	case G722:
		return newG722Decoder()
	}
	return nil
}

// NewEncoder returns an encoder in its initial state, or nil for a Codec that
// is none of the constants.
func (c Codec) NewEncoder() Encoder {
	switch c {
	case PCMU:
		return muLaw{}
	case PCMA:
		return aLaw{}
	case G722:
		return newG722Encoder()
	}
	return nil
}
