package transport

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// maxRefused bounds the header of a malformed request that is answered,
// octets: the answer repeats parts of it.
const maxRefused = 8192

// parse reads one message. A malformed request is answered 400, or 416, where
// that can be done; nothing is remembered of it.
func (l *Layer) parse(raw []byte, f Flow) (sip.Message, error) {
	p, err := split(raw)
	if err == nil {
		err = p.check()
	}
	var m sip.Message
	if err == nil {
		m, err = l.parser.ParseSIP(p.bytes())
		if err != nil && p.otherScheme() {
			err = errScheme // sipgo does not know how such a URI goes on
		}
	}
	if err == nil {
		err = check(m)
	}
	if err == nil {
		return m, nil
	}
	if !l.refuse(&p, f, err) && p.request {
		err = fmt.Errorf("%w: %w", errMute, err)
	}
	return nil, err
}

// errMute marks a request that cannot even be refused.
var errMute = errors.New("it cannot be answered")

// refuse answers a malformed request without state (RFC 3261 section 8.2.7).
// It reports false when the request says too little to be answered.
func (l *Layer) refuse(p *plain, f Flow, why error) bool {
	method, _, _ := strings.Cut(p.start, " ")
	if !p.request || method == string(sip.ACK) { // which nobody answers
		return p.request
	}
	text, ok := l.refusal(p, f, why)
	if !ok {
		return false
	}
	if err := l.Send(l.back(p, f), []byte(text)); err != nil {
		l.log.Debug("malformed SIP message not answered", "from", f.String(), "err", err)
	}
	return true
}

// refusal writes the answer: never more octets than the request had and a
// little.
func (l *Layer) refusal(p *plain, f Flow, why error) (text string, ok bool) {
	var b strings.Builder
	if errors.Is(why, errScheme) {
		b.WriteString("SIP/2.0 416 Unsupported URI Scheme\r\n")
	} else {
		b.WriteString("SIP/2.0 400 Bad Request\r\n")
	}
	vias := 0
	seen := map[string]bool{}
	for _, h := range p.fields {
		switch {
		case h.name == "via":
			vias++
			if vias == 1 {
				h.value = received(h.value, f)
			}
			fmt.Fprintf(&b, "Via: %s\r\n", h.value)
		case seen[h.name]: // only one of each may be answered with
		case h.name == "to":
			if !strings.Contains(strings.ToLower(h.value), "tag=") {
				h.value += ";tag=" + l.tag(p)
			}
			fmt.Fprintf(&b, "To: %s\r\n", h.value)
		case h.name == "from", h.name == "cseq":
			fmt.Fprintf(&b, "%s: %s\r\n", map[string]string{"from": "From", "cseq": "CSeq"}[h.name], h.value)
		case h.name == "call-id":
			fmt.Fprintf(&b, "Call-ID: %s\r\n", h.value)
		}
		seen[h.name] = true
	}
	if vias == 0 || !seen["cseq"] || b.Len() > maxRefused { // nobody would know what it answers
		return "", false
	}
	fmt.Fprintf(&b, "Warning: 399 galilei \"%s\"\r\nContent-Length: 0\r\n\r\n", warning(why))
	return b.String(), true
}

// warning is the fault in words that fit a quoted string.
func warning(err error) string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, err.Error())
	return s[:min(len(s), 80)]
}

// tag is the same for a request that is repeated (RFC 3261 section 8.2.7).
func (l *Layer) tag(p *plain) string {
	h := hmac.New(sha256.New, l.key[:])
	for _, name := range []string{"via", "call-id", "cseq", "from"} {
		v, _ := p.get(name)
		fmt.Fprintf(h, "%d %s", len(v), v)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// received completes a top Via as far as text allows (RFC 3261 section 18.2.1,
// RFC 3581 section 4).
func received(via string, f Flow) string {
	before, after, found := strings.Cut(via, ";rport")
	if found && (after == "" || after[0] == ';' || after[0] == ',') {
		via = fmt.Sprintf("%s;rport=%d%s", before, f.Remote.Port(), after)
	}
	if !strings.Contains(via, ";received=") && !strings.Contains(via, ",") {
		via += ";received=" + f.Remote.Addr().String()
	}
	return via
}

// back is where the answer to a malformed request goes.
func (l *Layer) back(p *plain, f Flow) Flow {
	if f.conn != nil {
		return f
	}
	via, _ := p.get("via")
	v, err := separated(via, "/;=,:", false)
	if err != nil {
		return f
	}
	var hs []sip.Header
	hs, err = sip.HeadersParser(sip.DefaultHeadersParser()).ParseHeader(hs, []byte("via: "+v))
	if err != nil || len(hs) == 0 {
		return f
	}
	if h, ok := hs[0].(*sip.ViaHeader); ok {
		return Back(f, h)
	}
	return f
}

// Back returns where the answer to a request goes that came over f with top
// Via v: RFC 3581 section 4, and to the source also where a phone behind
// address translation did not ask for it.
func Back(f Flow, v *sip.ViaHeader) Flow {
	if f.Network != "udp" {
		return f
	}
	_, rport := v.Params.Get("rport")
	host, err := netip.ParseAddr(strings.Trim(v.Host, "[]"))
	if rport || err != nil || host.Unmap().WithZone("") != f.Remote.Addr().WithZone("") {
		return f
	}
	port := v.Port
	if port == 0 {
		port = 5060
	}
	if port < 1 || port > 65535 {
		return f
	}
	f.Remote = netip.AddrPortFrom(f.Remote.Addr(), uint16(port))
	return f
}
