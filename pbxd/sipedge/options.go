package sipedge

import (
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// allow lists the methods that are served (RFC 3261 section 20.5).
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, REFER, INFO, SUBSCRIBE, NOTIFY, MESSAGE"

// allowOfLine is allow for providers: they register, watch, transfer and text nobody
// here.
const allowOfLine = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, NOTIFY"

// allow are the methods that those are served who reach the edge.
func (e *Edge) allow() string {
	if e.trunk != nil {
		return allowOfLine
	}
	return allow
}

// supported lists the extensions that we know (RFC 3261 section 20.37).
const supported = "100rel, timer, replaces, norefersub"

// tokens returns the values of comma separated fields of the names given, the
// long and the compact one, in lower case.
func tokens(m sip.Message, names ...string) []string {
	var list []string
	for _, name := range names {
		for _, h := range m.GetHeaders(name) {
			for t := range strings.SplitSeq(h.Value(), ",") {
				if t = strings.ToLower(strings.TrimSpace(t)); t != "" {
					list = append(list, t)
				}
			}
		}
	}
	return list
}

// requires returns the options of Require that are not supported.
func requires(req *sip.Request) string {
	known := strings.Split(supported, ", ")
	if req.Method == sip.REGISTER {
		known = append(known, "path", "outbound")
	}
	return strings.Join(slices.DeleteFunc(tokens(req, "require"), func(t string) bool { return slices.Contains(known, t) }), ", ")
}

// hasToken reports whether one of the fields lists a token.
func hasToken(m sip.Message, token string, names ...string) bool {
	return slices.Contains(tokens(m, names...), token)
}

// required reports whether the sender insists on an option.
func required(m sip.Message, option string) bool {
	return slices.Contains(tokens(m, "require"), option)
}

// learnMethodsLocked notes which methods the far end serves, where it says so.
func (d *dialog) learnMethodsLocked(m sip.Message) {
	if list := tokens(m, "allow"); len(list) > 0 {
		d.serves = list
	}
}

// servesLocked reports whether the far end has said that it serves a method.
func (d *dialog) servesLocked(m sip.RequestMethod) bool {
	return slices.Contains(d.serves, strings.ToLower(string(m)))
}
