package media

import (
	"slices"
	"strings"
)

// Format is one RTP payload type and what it means (RFC 3551 section 6).
type Format struct {
	PT       uint8  // 0 to 127, never 64 to 95
	Name     string // encoding name as written, for example PCMA or telephone-event
	Clock    int    // RTP time stamps per second, Hz
	Channels int    // 1 or more
	FMTP     string // parameters as written, without the payload type
}

// TelephoneEvent is the encoding name of digits in RTP (RFC 4733).
const TelephoneEvent = "telephone-event"

// LikeRTCP reports whether an RTP packet of payload type pt looks like RTCP
// when both arrive at one port (RFC 5761 section 4). No format has such a type.
func LikeRTCP(pt uint8) bool { return pt >= 64 && pt <= 95 }

// StaticFormat returns the format that a payload type stands for when nothing
// else is said (RFC 3551 table 4).
func StaticFormat(pt uint8) (Format, bool) {
	f := Format{PT: pt, Clock: 8000, Channels: 1}
	switch pt {
	case 0:
		f.Name = "PCMU"
	case 3:
		f.Name = "GSM"
	case 4:
		f.Name = "G723"
	case 5:
		f.Name = "DVI4"
	case 6:
		f.Name, f.Clock = "DVI4", 16000
	case 7:
		f.Name = "LPC"
	case 8:
		f.Name = "PCMA"
	case 9:
		f.Name = "G722" // samples at 16 kHz; its clock is 8000 by a historic mistake (section 4.5.2)
	case 10:
		f.Name, f.Clock, f.Channels = "L16", 44100, 2
	case 11:
		f.Name, f.Clock = "L16", 44100
	case 12:
		f.Name = "QCELP"
	case 13:
		f.Name = "CN"
	case 14:
		f.Name, f.Clock = "MPA", 90000
	case 15:
		f.Name = "G728"
	case 16:
		f.Name, f.Clock = "DVI4", 11025
	case 17:
		f.Name, f.Clock = "DVI4", 22050
	case 18:
		f.Name = "G729"
	default:
		return Format{}, false
	}
	return f, true
}

// Same reports whether f and g name the same encoding, whatever their payload
// types and parameters.
func (f Format) Same(g Format) bool {
	return f.Clock == g.Clock && f.Channels == g.Channels && strings.EqualFold(f.Name, g.Name)
}

// Speech reports whether the format carries a voice rather than digits or
// comfort noise.
func (f Format) Speech() bool {
	return !strings.EqualFold(f.Name, TelephoneEvent) && !strings.EqualFold(f.Name, "CN")
}

// Common returns the formats of answer that offer has, too, in the order and
// with the payload types of answer. Without a common format that carries
// speech there is nothing to talk with, and it returns nil.
func Common(offer, answer []Format) []Format {
	var common []Format
	for _, f := range answer {
		if slices.ContainsFunc(offer, f.Same) {
			common = append(common, f)
		}
	}
	if !slices.ContainsFunc(common, Format.Speech) {
		return nil
	}
	return common
}
