// Package rtpevent reads and makes the telephone events of RFC 4733: digits
// and other signals that travel as RTP packets of their own. It knows neither
// RTP headers nor a clock; durations are in units of the RTP clock, at 8000 Hz
// 8 to the millisecond.
package rtpevent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// keys are the codes 0 to 15 (RFC 4733 section 3.2).
const keys = "0123456789*#ABCD"

// Flash is the code of a hook flash (RFC 4733 section 3.2, RFC 4734).
const Flash = 16

// Size is the length of a payload with one event, octets.
const Size = 4

// Volume is what is sent as the level of digits: -10 dBm0.
const Volume = 10

// ErrPayload says that a payload is no telephone event.
var ErrPayload = errors.New("no telephone event")

// Event is one payload (RFC 4733 section 2.3).
type Event struct {
	Code     uint8
	End      bool
	Volume   uint8  // 0 to 63: -dBm0
	Duration uint16 // so far, units of the RTP clock
}

// Code returns the event of a key of a phone, 0-9 * # A-D.
func Code(key byte) (uint8, bool) {
	if key >= 'a' && key <= 'd' {
		key -= 'a' - 'A'
	}
	i := strings.IndexByte(keys, key)
	return uint8(i), i >= 0
}

// Key returns the key of a phone that an event stands for.
func Key(code uint8) (byte, bool) {
	if int(code) >= len(keys) {
		return 0, false
	}
	return keys[code], true
}

// Parse reads the first event of a payload; some phones append others. The
// error wraps ErrPayload.
func Parse(payload []byte) (Event, error) {
	if len(payload) < Size {
		return Event{}, fmt.Errorf("%w: %d octets, needs %d", ErrPayload, len(payload), Size)
	}
	return read(payload), nil
}

// read reads a payload of at least Size octets.
func read(p []byte) Event {
	return Event{Code: p[0], End: p[1]&0x80 != 0, Volume: p[1] & 0x3f, Duration: binary.BigEndian.Uint16(p[2:])}
}

// Append appends the payload of e to dst.
func (e Event) Append(dst []byte) []byte {
	flags := e.Volume & 0x3f
	if e.End {
		flags |= 0x80
	}
	return binary.BigEndian.AppendUint16(append(dst, e.Code, flags), e.Duration)
}
