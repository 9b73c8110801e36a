package media

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// ErrNoAudio says that a description holds no audio section that can be used.
var ErrNoAudio = errors.New("no usable audio")

// Description is what one side offers or answers about the audio of a call
// (RFC 3264), free of its carrier's syntax.
type Description struct {
	Addr      netip.Addr // where the side receives RTP; invalid when Audio < 0, unspecified when NullAddr
	RTPPort   uint16
	RTCPAddr  netip.Addr // where it receives RTCP: Addr unless it says otherwise (RFC 3605)
	RTCPPort  uint16     // RTPPort+1 unless it says otherwise; 0 for none
	Direction Direction  // from the point of view of the side that describes itself
	NullAddr  bool       // held by address 0.0.0.0 or :: (RFC 3264 section 8.4); Direction never receives then
	Formats   []Format   // in order of preference, payload types unique
	PTime     int        // packet length that it would like to receive, ms; 0 when not said
	MaxPTime  int        // longest packet that it can receive, ms; 0 when not said
	Crypto    []Crypto   // keys that it sends with, the best first; none without encryption
	Sections  []Section  // every m= line in order
	Audio     int        // index in Sections of the one described above; -1 when none is usable
}

// Section is one m= line as an answer must mirror it (RFC 3264 section 6).
type Section struct {
	Kind     string   // audio, video, image, ...
	Proto    string   // RTP/AVP, udptl, ...
	Formats  []string // as written
	Port     uint16
	Refused  bool   // port 0: refused in an answer, withdrawn in an offer
	Unusable string // why Galilei cannot use it, in plain words; empty for audio that it can
}

// RTP returns where the side wants its RTP; not valid when there is no audio.
func (d *Description) RTP() netip.AddrPort {
	return netip.AddrPortFrom(d.Addr, d.RTPPort)
}

// RTCP returns where the side wants its RTCP; not valid when there is no audio.
func (d *Description) RTCP() netip.AddrPort {
	return netip.AddrPortFrom(d.RTCPAddr, d.RTCPPort)
}

// Usable returns nil when there is audio to use, else an error that wraps
// ErrNoAudio and says for each section why it cannot be used.
func (d *Description) Usable() error {
	if d.Audio >= 0 {
		return nil
	}
	why := make([]string, len(d.Sections))
	for i, s := range d.Sections {
		why[i] = fmt.Sprintf("section %d, %s %s: %s", i+1, s.Kind, s.Proto, s.Unusable)
	}
	if len(why) == 0 {
		why = []string{"no sections"}
	}
	return fmt.Errorf("%w: %s", ErrNoAudio, strings.Join(why, "; "))
}

// Clone returns a copy that shares nothing with d.
func (d *Description) Clone() *Description {
	n := *d
	n.Formats = slices.Clone(d.Formats)
	n.Crypto = slices.Clone(d.Crypto)
	n.Sections = slices.Clone(d.Sections)
	for i := range n.Sections {
		n.Sections[i].Formats = slices.Clone(d.Sections[i].Formats)
	}
	return &n
}

// Direction says which ways audio flows, as a set of two bits.
type Direction uint8

// The directions of RFC 8866 section 6.7.
const (
	Inactive Direction = 0
	SendOnly Direction = 1
	RecvOnly Direction = 2
	SendRecv Direction = SendOnly | RecvOnly
)

// Sends reports whether the side sends audio.
func (d Direction) Sends() bool { return d&SendOnly != 0 }

// Receives reports whether the side receives audio.
func (d Direction) Receives() bool { return d&RecvOnly != 0 }

// Reverse returns the same flow from the other side's point of view.
func (d Direction) Reverse() Direction {
	return d&SendOnly<<1 | d&RecvOnly>>1
}

// Answer returns what remains of the direction that the answering side wants
// when d was offered (RFC 3264 section 6.1).
func (d Direction) Answer(want Direction) Direction { return d.Reverse() & want }

// String returns the SDP attribute of the direction.
func (d Direction) String() string {
	switch d & SendRecv {
	case SendOnly:
		return "sendonly"
	case RecvOnly:
		return "recvonly"
	case SendRecv:
		return "sendrecv"
	}
	return "inactive"
}
