package sipedge

import (
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// event is the value of an Event field (RFC 6665 section 8.2.1).
type event struct {
	name string // package, in lower case
	id   string // tells subscriptions of one dialog apart; mostly empty
}

// parseEvent reads the value of Event.
func parseEvent(s string) (event, error) {
	name, params, _ := strings.Cut(s, ";")
	ev := event{name: strings.ToLower(strings.TrimSpace(name))}
	if ev.name == "" || len(s) > 200 || strings.ContainsAny(ev.name, " \t\r\n,\"<>") {
		return event{}, fmt.Errorf("event %.60q names no package", s)
	}
	for p := range strings.SplitSeq(params, ";") {
		if k, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(k), "id") {
			ev.id = strings.TrimSpace(v)
		}
	}
	return ev, nil
}

// String writes the event as it is sent back.
func (e event) String() string {
	if e.id == "" {
		return e.name
	}
	return e.name + ";id=" + e.id
}

// eventValue returns the Event field of a request, or "".
func eventValue(req *sip.Request) string {
	if v := headerValue(req, "event"); v != "" {
		return v
	}
	return headerValue(req, "o")
}
