package sipedge

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
)

var errContentType = errors.New("content type is not supported")

// reasonPhrase returns the phrase of RFC 3261 section 21 for a status that we send.
func reasonPhrase(status int) string {
	switch status {
	case 200:
		return "OK"
	case 400:
		return "Bad Request"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 406:
		return "Not Acceptable"
	case 408:
		return "Request Timeout"
	case 410:
		return "Gone"
	case 480:
		return "Temporarily Unavailable"
	case 413:
		return "Request Entity Too Large"
	case 415:
		return "Unsupported Media Type"
	case 422:
		return "Session Interval Too Small"
	case 481:
		return "Call/Transaction Does Not Exist"
	case 482:
		return "Loop Detected"
	case 484:
		return "Address Incomplete"
	case 486:
		return "Busy Here"
	case 487:
		return "Request Terminated"
	case 488:
		return "Not Acceptable Here"
	case 489:
		return "Bad Event"
	case 491:
		return "Request Pending"
	case 500:
		return "Server Internal Error"
	case 501:
		return "Not Implemented"
	case 502:
		return "Bad Gateway"
	case 503:
		return "Service Unavailable"
	case 504:
		return "Server Time-out"
	case 603:
		return "Decline"
	}
	return "Failed"
}

// reasonHeader says why a call ends (RFC 3326). An answer elsewhere is said in
// the words that phones look for, so that they show no missed call.
func reasonHeader(cause pbx.Cause) sip.Header {
	if cause == pbx.CauseAnsweredElsewhere {
		return sip.NewHeader("Reason", `SIP;cause=200;text="Call completed elsewhere"`)
	}
	return sip.NewHeader("Reason", fmt.Sprintf(`Q.850;cause=%d;text="%s"`, cause, cause))
}

// causeOf returns why a peer ended a call: its Q.850 Reason, or that of SIP by
// which a CANCEL tells of an answer elsewhere, else fallback.
func causeOf(m sip.Message, fallback pbx.Cause) pbx.Cause {
	req, ok := m.(*sip.Request)
	cancels := ok && req.IsCancel()
	for _, value := range listed(m, "reason") {
		protocol, params, _ := strings.Cut(value, ";")
		protocol = strings.ToUpper(strings.TrimSpace(protocol))
		for p := range strings.SplitSeq(params, ";") {
			var n int
			k, v, _ := strings.Cut(p, "=")
			if _, err := fmt.Sscanf(strings.TrimSpace(v), "%d", &n); err == nil && strings.EqualFold(strings.TrimSpace(k), "cause") {
				switch {
				case protocol == "Q.850" && n > 0 && n < 128:
					return pbx.Cause(n)
				case protocol == "SIP" && n == 200 && cancels:
					return pbx.CauseAnsweredElsewhere
				}
			}
		}
	}
	return fallback
}

// quoted returns a display name as the content of a quoted-string (RFC 3261
// section 25.1).
func quoted(name string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "", "\n", "").Replace(name)
}
