package rtpio

import (
	"time"

	"github.com/pion/rtcp"

	"galilei/pbxd/media"
)

// checkRTCP reports whether b is a well-formed chain of RTCP packets (RFC 3550
// appendix A.2). It may start with any type, since RFC 5506 allows reduced
// size.
func checkRTCP(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	var h rtcp.Header
	for len(b) > 0 {
		if h.Unmarshal(b) != nil || h.Type < 192 || h.Type > 223 {
			return false
		}
		n := (int(h.Length) + 1) * 4
		if n > len(b) || h.Padding && n < len(b) { // only the last packet is padded
			return false
		}
		b = b[n:]
	}
	return true
}

// checkSRTCP reports whether b can be SRTCP (RFC 3711 section 3.4): beside a
// plain header and SSRC it has an index and an authentication tag, and all
// between is encrypted.
func checkSRTCP(b []byte) bool {
	const least = 8 + 4 + 10
	var h rtcp.Header
	return len(b) >= least && h.Unmarshal(b) == nil && h.Type >= 192 && h.Type <= 223
}

// report finds what b, which checkRTCP has accepted, says about the reception
// of the first source that it reports on.
func report(b []byte, now time.Time) (r media.Report, ok bool) {
	var h rtcp.Header
	for len(b) > 0 {
		if h.Unmarshal(b) != nil {
			return r, false
		}
		n := min((int(h.Length)+1)*4, len(b))
		blocks := 8 // header and SSRC of the sender
		if h.Type == rtcp.TypeSenderReport {
			blocks += 20 // sender information
		}
		var block rtcp.ReceptionReport
		isReport := h.Type == rtcp.TypeSenderReport || h.Type == rtcp.TypeReceiverReport
		if isReport && h.Count > 0 && n > blocks && block.Unmarshal(b[blocks:n]) == nil {
			return media.Report{
				At:           now,
				Lost:         int32(block.TotalLost<<8) >> 8, // 24 bits, signed
				FractionLost: float64(block.FractionLost) / 256,
				Jitter:       block.Jitter,
			}, true
		}
		b = b[n:]
	}
	return r, false
}
