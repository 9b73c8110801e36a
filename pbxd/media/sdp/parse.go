package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"galilei/pbxd/media"
)

// Limits of a description that Parse accepts.
const (
	MaxSize     = 64 << 10 // octets
	MaxSections = 16       // m= lines
	MaxFormats  = 64       // formats of one m= line
	maxToken    = 64       // octets of a kind, profile, format or encoding name
	maxFMTP     = 512      // octets of a format's parameters; AMR and EVS need about 200
	maxPTime    = 1000     // ms
)

var (
	// ErrInvalid says that a body is not a session description or is beyond
	// the limits.
	ErrInvalid = errors.New("invalid session description")
	// ErrHostName says that a side gave its audio address as a host name.
	// Names are not looked up: an answer would come too late for the audio,
	// and it would let a phone choose what the device asks a name server.
	ErrHostName = errors.New("audio address is a host name, not an IP address")
)

// section is one m= line and the lines after it that matter.
type section struct {
	media.Section
	conn  string   // value of its c= line
	attrs []string // values of its a= lines
}

// Parse reads a description. Sections that cannot be used, such as video, fax
// or encrypted audio, are listed and marked; when no audio remains, Audio is
// -1 and Usable says why. The error wraps ErrInvalid, or ErrHostName when the
// only fault is that the address of the audio is a name.
func Parse(body []byte) (*media.Description, error) { return parse(body, false) }

// ParseSecure reads a description as Parse does, and uses encrypted audio with
// keys by SDES, too: RTP/SAVP with at least one a=crypto that media.Suite has.
// Such a section comes before one of RTP/AVP, whose keys, when it has some, say
// that the side would rather encrypt.
func ParseSecure(body []byte) (*media.Description, error) { return parse(body, true) }

func parse(body []byte, secure bool) (*media.Description, error) {
	session, sections, err := split(body)
	if err != nil {
		return nil, fmt.Errorf("parse SDP of %d octets: %w", len(body), err)
	}
	used := &media.Description{Audio: -1}
	for i := range sections {
		s := &sections[i]
		s.Unusable = unusable(s.Section, secure)
		if s.Unusable == "" && used.Audio >= 0 && (!isSecure(s.Proto) || isSecure(sections[used.Audio].Proto)) {
			s.Unusable = fmt.Sprintf("section %d is used", used.Audio+1)
		}
		if s.Unusable != "" {
			continue
		}
		d := &media.Description{Audio: i}
		switch err := readAudio(d, session, *s, secure); {
		case err != nil:
			return nil, fmt.Errorf("parse SDP of %d octets, section %d: %w", len(body), i+1, err)
		case len(d.Formats) == 0:
			s.Unusable = "no known formats"
		case isSecure(s.Proto) && len(d.Crypto) == 0:
			s.Unusable = "no usable key for encrypted audio"
		default:
			if used.Audio >= 0 {
				sections[used.Audio].Unusable = fmt.Sprintf("section %d is used", i+1)
			}
			used = d
		}
	}
	for _, s := range sections {
		used.Sections = append(used.Sections, s.Section)
	}
	return used, nil
}

// split sorts the lines of body into those of the session and of each section.
// Lines that carry nothing that Galilei uses are left out. Lines may end in
// CRLF, LF or CR, and the last one may lack its end.
func split(body []byte) (session section, sections []section, err error) {
	if len(body) > MaxSize {
		return session, nil, fmt.Errorf("%w: at most %d octets are read", ErrInvalid, MaxSize)
	}
	current, started := &session, false
	for line := range strings.FieldsFuncSeq(string(body), func(r rune) bool { return r == '\r' || r == '\n' }) {
		line = strings.TrimRight(line, " \t\x00") // some count the end of a C string into the body
		if line == "" {
			continue
		}
		if !started {
			if line != "v=0" {
				return session, nil, fmt.Errorf("%w: starts with %.20q, not with v=0", ErrInvalid, line)
			}
			started = true
			continue
		}
		kind, value, ok := strings.Cut(line, "=")
		if !ok || len(kind) != 1 {
			return session, nil, fmt.Errorf("%w: line %.20q is not TYPE=VALUE", ErrInvalid, line)
		}
		switch kind {
		case "m":
			if len(sections) == MaxSections {
				return session, nil, fmt.Errorf("%w: more than %d sections", ErrInvalid, MaxSections)
			}
			s, err := readSection(value)
			if err != nil {
				return session, nil, fmt.Errorf("%w: section %d: %w", ErrInvalid, len(sections)+1, err)
			}
			sections = append(sections, section{Section: s})
			current = &sections[len(sections)-1]
		case "c":
			if current.conn == "" { // a section has one address here; more are layers of multicast (section 5.7)
				current.conn = value
			}
		case "a":
			current.attrs = append(current.attrs, value)
		}
	}
	if !started {
		return session, nil, fmt.Errorf("%w: no lines", ErrInvalid)
	}
	return session, sections, nil
}

// readSection reads the value of an m= line: KIND PORT[/COUNT] PROTO FMT...
func readSection(value string) (s media.Section, err error) {
	f := strings.Fields(value)
	if len(f) < 3 {
		return s, fmt.Errorf("m= line has %d fields, needs 3 or more", len(f))
	}
	if len(f)-3 > MaxFormats {
		return s, fmt.Errorf("%d formats, more than %d", len(f)-3, MaxFormats)
	}
	for _, t := range slices.Concat(f[:1], strings.Split(f[2], "/"), f[3:]) {
		if !isToken(t) {
			return s, fmt.Errorf("m= line has %.20q where a word should be", t)
		}
	}
	port, count, _ := strings.Cut(f[1], "/")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return s, fmt.Errorf("port %.20q is not 0 to 65535", port)
	}
	s = media.Section{Kind: f[0], Proto: f[2], Formats: f[3:], Port: uint16(n), Refused: n == 0}
	if count != "" && count != "1" {
		s.Unusable = "several ports"
	}
	return s, nil
}

// unusable says why audio cannot be had from s, or "".
func unusable(s media.Section, secure bool) string {
	switch {
	case s.Unusable != "":
		return s.Unusable
	case s.Refused:
		return "port 0"
	case s.Kind != "audio":
		return "not audio"
	case s.Proto == "RTP/AVP", s.Proto == "RTP/AVPF":
		return ""
	case secure && isSecure(s.Proto):
		return ""
	case strings.Contains(s.Proto, "SAVP"):
		return "encrypted audio is not supported"
	}
	return "unknown profile"
}

// isToken reports whether t is a token of RFC 8866 section 9 of bounded length.
func isToken(t string) bool {
	return len(t) > 0 && len(t) <= maxToken && !strings.ContainsFunc(t, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("\"(),/:;<=>?@[\\]", r)
	})
}

// readAddr reads the value of a c= line, or what follows the port in a=rtcp:
// IN IP4|IP6 ADDRESS.
func readAddr(value string) (netip.Addr, error) {
	f := strings.Fields(value)
	if len(f) != 3 || f[0] != "IN" || f[1] != "IP4" && f[1] != "IP6" {
		return netip.Addr{}, fmt.Errorf("%w: address %.60q is not IN IP4 or IN IP6 and an address", ErrInvalid, value)
	}
	text, _, _ := strings.Cut(f[2], "/") // time to live of multicast
	a, err := netip.ParseAddr(text)
	switch {
	case err != nil && isHostName(text):
		return netip.Addr{}, fmt.Errorf("%w: %.60q", ErrHostName, text)
	case err != nil || a.Zone() != "":
		return netip.Addr{}, fmt.Errorf("%w: %.60q is not an address", ErrInvalid, text)
	}
	a = a.Unmap()
	if a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}, fmt.Errorf("%w: %v is an address of many", ErrInvalid, a)
	}
	return a, nil
}

// isHostName reports whether s looks like a name rather than a damaged
// address: its last label starts with a letter.
func isHostName(s string) bool {
	last := s[strings.LastIndexByte(s, '.')+1:]
	return last != "" && (last[0]|0x20 >= 'a' && last[0]|0x20 <= 'z') && !strings.Contains(s, ":")
}
