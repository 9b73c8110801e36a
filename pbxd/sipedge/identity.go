package sipedge

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
)

// maxDiversions bounds how many earlier parties of a call are read and written.
const maxDiversions = 10

// listed returns the values of a field that may hold several, separated by
// commas outside of quotes and angle brackets (RFC 3261 section 7.3.1).
func listed(m sip.Message, name string) (values []string) {
	for _, h := range m.GetHeaders(name) {
		values = append(values, splitList(h.Value())...)
	}
	return values
}

func splitList(s string) (values []string) {
	quoted, angle, escaped, from := false, false, false, 0
	add := func(v string) {
		if v = strings.TrimSpace(v); v != "" {
			values = append(values, v)
		}
	}
	for i, c := range s {
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"' && !angle:
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			add(s[from:i])
			from = i + 1
		}
	}
	add(s[from:])
	return values
}

// parseDiversions reads Diversion values, the last diversion first (RFC 5806
// section 4).
func parseDiversions(values []string) (list []call.Diversion) {
	for _, v := range values {
		p, params, ok := partyOf(v)
		if !ok || len(list) >= maxDiversions {
			continue
		}
		reason, _ := params.Get("reason")
		if reason = strings.ToLower(strings.Trim(reason, `"`)); reason == "" {
			reason = string(pbx.DivertUnknown)
		}
		list = append(list, call.Diversion{Number: p.Number, Name: p.Name, Reason: pbx.DiversionReason(printable(reason, 32))})
	}
	return list
}

// parseHistory reads History-Info values, the first target first (RFC 7044
// section 5). Targets whose Reason says that the call went on are diversions;
// the last one first, as of Diversion.
func parseHistory(values []string) (list []call.Diversion) {
	for _, v := range values {
		var u sip.Uri
		name, err := sip.ParseAddressValue(v, &u, nil)
		if err != nil || u.User == "" || len(list) >= maxDiversions {
			continue
		}
		for _, h := range u.Headers {
			if !strings.EqualFold(h.K, "reason") {
				continue
			}
			reason, _ := url.PathUnescape(h.V)
			user, err := url.PathUnescape(u.User)
			if err != nil {
				user = u.User
			}
			list = append(list, call.Diversion{Number: printable(user, 64), Name: printable(name, 100), Reason: reasonOfCause(reason)})
			break
		}
	}
	slices.Reverse(list)
	return list
}

// causes maps reasons to the SIP causes of RFC 4458 section 2 and back.
func causes() []struct {
	reason pbx.DiversionReason
	cause  int
} {
	return []struct {
		reason pbx.DiversionReason
		cause  int
	}{
		{pbx.DivertBusy, 486}, {pbx.DivertNoAnswer, 408}, {pbx.DivertAlways, 302},
		{pbx.DivertDeflection, 480}, {pbx.DivertUnregistered, 503}, {pbx.DivertUnknown, 404},
	}
}

func reasonOfCause(reason string) pbx.DiversionReason {
	for p := range strings.SplitSeq(reason, ";") {
		if k, v, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(k), "cause") {
			for _, c := range causes() {
				if strings.TrimSpace(v) == strconv.Itoa(c.cause) {
					return c.reason
				}
			}
		}
	}
	return pbx.DivertUnknown
}

// identify reads who calls and who the call was for before.
func (e *Edge) identify(req *sip.Request, from netip.Addr, in *call.Incoming) {
	if in.Diversions = parseDiversions(listed(req, "diversion")); len(in.Diversions) == 0 {
		in.Diversions = parseHistory(listed(req, "history-info"))
	}
	in.Anonymous = strings.EqualFold(req.From().Address.Host, "anonymous.invalid")
	for _, h := range req.GetHeaders("privacy") {
		for p := range strings.SplitSeq(h.Value(), ";") {
			if p = strings.ToLower(strings.TrimSpace(p)); p == "id" || p == "user" || p == "header" {
				in.Anonymous = true
			}
		}
	}
	if e.deps.Trusted == nil || !e.deps.Trusted(from) {
		return // anybody can write it
	}
	for _, v := range listed(req, "p-asserted-identity") {
		if p, _, ok := partyOf(v); ok {
			in.Asserted = &p
			return
		}
	}
}

// callerShown is the From of a call to a phone. A caller who hides the number
// is anonymous (RFC 3323 section 4.1.1.3), save for the name that a hunt group
// puts before it.
func callerShown(d call.Dial, host string) sip.FromHeader {
	if !d.Anonymous {
		return sip.FromHeader{DisplayName: quoted(nameShown(d)), Address: sip.Uri{Scheme: "sip", User: d.Caller.Number, Host: host}}
	}
	return sip.FromHeader{DisplayName: quoted(nameShown(d)), Address: sip.Uri{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}}
}

// nameShown is the name that the phone shows: that of the caller, after what
// the hunt group puts before it.
func nameShown(d call.Dial) string {
	name := d.Caller.Name
	switch {
	case d.Anonymous && d.Prefix != "":
		return d.Prefix
	case d.Anonymous:
		return "Anonymous"
	case d.Prefix == "":
		return name
	case name == "":
		name = d.Caller.Number
	}
	return strings.TrimSpace(d.Prefix + " " + name)
}

// identityFields returns the header fields of an INVITE to a phone that say who
// calls, who the call was for before, and how the phone is to ring.
func identityFields(d call.Dial, host string) (fields []sip.Header) {
	add := func(name, format string, args ...any) {
		fields = append(fields, sip.NewHeader(name, fmt.Sprintf(format, args...)))
	}
	uri := func(number string) string { return "sip:" + escapeUser(number) + "@" + bracketed(host) }
	if d.Anonymous {
		add("Privacy", "id")
	} else if d.Caller.Number != "" {
		add("P-Asserted-Identity", `"%s" <%s>`, quoted(nameShown(d)), uri(d.Caller.Number))
	}
	if p := d.ReferredBy; p.Number != "" { // RFC 3892 section 2.1
		add("Referred-By", `"%s" <%s>`, quoted(p.Name), uri(p.Number))
	}
	list := d.Diversions[:min(len(d.Diversions), maxDiversions)]
	for _, v := range list {
		add("Diversion", `"%s" <%s>;reason=%s;counter=1`, quoted(v.Name), uri(v.Number), tokenOr(string(v.Reason), "unknown"))
	}
	index := ""
	for _, v := range slices.Backward(list) {
		index += ".1"
		add("History-Info", "<%s?Reason=SIP%%3Bcause%%3D%d>;index=%s", uri(v.Number), causeOfReason(v.Reason), index[1:])
	}
	if len(list) > 0 {
		add("History-Info", "<%s>;index=%s", uri(d.Extension), (index + ".1")[1:])
	}
	if d.Alert != "" {
		add("Alert-Info", "<http://%s>;info=%s", bracketed(host), tokenOr(d.Alert, "alert"))
	}
	if d.AutoAnswer { // Answer-Mode is RFC 5373 section 4.1; the others are what phones had before it
		add("Call-Info", "<sip:%s>;answer-after=0", bracketed(host))
		add("Answer-Mode", "Auto")
	}
	return fields
}

func causeOfReason(r pbx.DiversionReason) int {
	for _, c := range causes() {
		if c.reason == r {
			return c.cause
		}
	}
	return 404
}

// escapeUser writes a number as user part of a URI (RFC 3261 section 25.1).
func escapeUser(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("-_.!~*'()&=+$,", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func bracketed(host string) string {
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		return "[" + host + "]"
	}
	return host
}

// tokenOr returns s when it is a token (RFC 3261 section 25.1), else instead.
func tokenOr(s, instead string) string {
	if s == "" || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") != "" {
		return instead
	}
	return s
}
