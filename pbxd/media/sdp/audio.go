package sdp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"galilei/pbxd/media"
)

// readAudio fills d from the audio section s; what s leaves out comes from the
// session. d.Formats stays empty when none is known.
func readAudio(d *media.Description, session, s section, secure bool) error {
	conn := s.conn
	if conn == "" {
		conn = session.conn
	}
	if conn == "" {
		return fmt.Errorf("%w: no c= line", ErrInvalid)
	}
	addr, err := readAddr(conn)
	if err != nil {
		return err
	}
	d.Addr, d.RTPPort = addr, s.Port
	d.RTCPAddr, d.RTCPPort = addr, s.Port+1 // 0 after 65535: there is no port for it
	d.Direction, d.PTime, d.MaxPTime = media.SendRecv, 0, 0
	for _, attrs := range [][]string{session.attrs, s.attrs} {
		for _, a := range attrs {
			readAttr(d, a)
		}
	}
	if addr.IsUnspecified() { // hold as RFC 2543 had it; phones still send it
		d.NullAddr = true
		d.Direction &^= media.RecvOnly
	}
	d.Formats, d.Crypto = readFormats(s), nil
	if secure {
		d.Crypto = readCryptos(s.attrs)
	}
	return nil
}

// readAttr takes one a= line that is not about a single format.
func readAttr(d *media.Description, attr string) {
	key, value, _ := strings.Cut(attr, ":")
	switch key {
	case "sendrecv":
		d.Direction = media.SendRecv
	case "sendonly":
		d.Direction = media.SendOnly
	case "recvonly":
		d.Direction = media.RecvOnly
	case "inactive":
		d.Direction = media.Inactive
	case "ptime":
		d.PTime = readPTime(value, d.PTime)
	case "maxptime":
		d.MaxPTime = readPTime(value, d.MaxPTime)
	case "rtcp": // RFC 3605: PORT [IN IP4|IP6 ADDRESS]
		port, rest, _ := strings.Cut(value, " ")
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return // RTCP is not worth refusing a call for
		}
		if rest == "" {
			d.RTCPPort = uint16(n)
		} else if a, err := readAddr(rest); err == nil && !a.IsUnspecified() {
			d.RTCPAddr, d.RTCPPort = a, uint16(n)
		}
	}
}

// readPTime reads a packet length in ms, or returns old. Some phones write 20.0.
func readPTime(value string, old int) int {
	f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(f >= 1 && f <= maxPTime) {
		return old
	}
	return int(f)
}

// readFormats returns the formats of s in the order of its m= line. Left out
// are payload types that nothing explains, that look like RTCP, or whose
// lines are damaged.
func readFormats(s section) []media.Format {
	var known [128]media.Format
	var bad [128]bool
	for pt := range known {
		known[pt], _ = media.StaticFormat(uint8(pt))
	}
	for _, a := range s.attrs {
		key, value, _ := strings.Cut(a, ":")
		if key != "rtpmap" && key != "fmtp" {
			continue
		}
		pt, rest, ok := cutPT(value)
		switch {
		case !ok:
		case key == "rtpmap":
			if f, ok := readRTPMap(pt, rest); ok {
				f.FMTP = known[pt].FMTP
				known[pt] = f
			} else {
				bad[pt] = true
			}
		case !isText(rest):
			bad[pt] = true // without its parameters it would be another format
		case known[pt].FMTP == "":
			known[pt].FMTP = rest
		}
	}
	var formats []media.Format
	for _, text := range s.Formats {
		n, err := strconv.ParseUint(text, 10, 7)
		if err != nil || bad[n] || known[n].Name == "" || media.LikeRTCP(uint8(n)) {
			continue
		}
		formats = append(formats, known[n])
		bad[n] = true // listed once
	}
	return formats
}

// cutPT splits "PT REST".
func cutPT(value string) (pt uint8, rest string, ok bool) {
	text, rest, ok := strings.Cut(strings.TrimSpace(value), " ")
	n, err := strconv.ParseUint(text, 10, 7)
	return uint8(n), strings.TrimSpace(rest), ok && err == nil
}

// readRTPMap reads NAME/CLOCK[/CHANNELS].
func readRTPMap(pt uint8, text string) (f media.Format, ok bool) {
	name, rest, _ := strings.Cut(text, "/")
	rate, channels, more := strings.Cut(rest, "/")
	clock, err := strconv.ParseUint(rate, 10, 32)
	if err != nil || clock < 1000 || clock > 768000 || !isToken(name) {
		return f, false
	}
	n := uint64(1)
	if more {
		if n, err = strconv.ParseUint(channels, 10, 8); err != nil || n == 0 {
			return f, false
		}
	}
	return media.Format{PT: pt, Name: name, Clock: int(clock), Channels: int(n)}, true
}

// isText reports whether s is printable ASCII of bounded length.
func isText(s string) bool {
	return s != "" && len(s) <= maxFMTP && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// addrType returns the address type of RFC 8866 section 5.7.
func addrType(a netip.Addr) string {
	if a.Is4() || a.Is4In6() {
		return "IP4"
	}
	return "IP6"
}
