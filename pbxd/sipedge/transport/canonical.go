package transport

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Faults of messages. A request with one of them is answered 400 where it
// says enough to be answered (RFC 3261 section 8.2).
var (
	errNotSIP    = errors.New("start line is neither that of a request nor of a response")
	errStartLine = errors.New("start line is malformed")
	errScheme    = errors.New("Request-URI is of another scheme")
	errField     = errors.New("header field is malformed")
	errTooMany   = errors.New("message has too many header fields")
	errRepeated  = errors.New("header field may be given only once")
	errLength    = errors.New("Content-Length does not fit the message")
)

// maxFields bounds the header fields of a message: a call through many proxies
// has some forty.
const maxFields = 256

// field is one header field, its folded lines joined. Its name is the long one
// in small letters.
type field struct {
	name, value string
}

// plain is a message cut into its parts, before its fields are understood.
type plain struct {
	start   string
	request bool
	fields  []field
	body    []byte
}

// compact are the short names of header fields (RFC 3261 section 7.3.3 and the
// registry of IANA).
var compact = map[string]string{
	"a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition", "e": "content-encoding",
	"f": "from", "i": "call-id", "j": "reject-contact", "k": "supported", "l": "content-length", "m": "contact",
	"n": "identity-info", "o": "event", "r": "refer-to", "s": "subject", "t": "to", "u": "allow-events", "v": "via",
	"x": "session-expires", "y": "identity",
}

// split cuts a message into start line, fields and body. What it returns with
// an error holds as much as could be read, so that it can be answered.
func split(b []byte) (p plain, err error) {
	b = bytes.TrimLeft(b, "\r\n") // RFC 3261 section 7.5
	head, body, found := bytes.Cut(b, []byte("\r\n\r\n"))
	p.body = body
	lines := unfold(head)
	p.start = string(lines[0])
	if strings.ContainsAny(p.start, "\r\n") {
		return p, errNotSIP
	}
	first, rest, _ := strings.Cut(p.start, " ")
	switch {
	case strings.HasPrefix(strings.ToUpper(first), "SIP/"):
	case isToken(first) && strings.Contains(strings.ToUpper(rest), "SIP/"):
		p.request = true
	default:
		return p, errNotSIP
	}
	if n := len(lines) - 1; n > maxFields { // the first of them mostly say whom to answer
		lines = lines[:maxFields]
		defer func() { err = fmt.Errorf("%d header fields: %w", n, errTooMany) }()
	}
	for _, text := range lines[1:] {
		line := string(text)
		if strings.ContainsAny(line, "\r\n") { // others may take one alone for the end of a line
			line = strings.NewReplacer("\r", " ", "\n", " ").Replace(line)
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.ToLower(strings.Trim(name, " \t"))
		if long, ok := compact[name]; ok {
			name = long
		}
		if !ok || !isToken(name) {
			err = fmt.Errorf("line %.40q: %w", line, errField)
			continue
		}
		p.fields = append(p.fields, field{name, strings.Trim(value, " \t")})
	}
	if !found {
		err = fmt.Errorf("no empty line after the header: %w", errStartLine)
	}
	return p, err
}

// unfold returns the lines of a header, continued ones joined (RFC 3261
// section 7.3.1).
func unfold(head []byte) (lines [][]byte) {
	for line := range bytes.SplitSeq(bytes.Clone(head), []byte("\r\n")) {
		n := len(lines)
		if n < 2 || len(line) == 0 || line[0] != ' ' && line[0] != '\t' {
			lines = append(lines, slices.Clip(line)) // what is appended to it must not reach the next
			continue
		}
		joined := append(bytes.TrimRight(lines[n-1], " \t"), ' ')
		lines[n-1] = append(joined, bytes.TrimLeft(line, " \t")...)
	}
	return lines
}

// get returns the first value of a field.
func (p *plain) get(name string) (value string, ok bool) {
	for _, f := range p.fields {
		if f.name == name {
			return f.value, true
		}
	}
	return "", false
}

// single are the fields that a message must not repeat.
var single = map[string]bool{
	"to": true, "from": true, "call-id": true, "cseq": true, "max-forwards": true, "content-type": true, "expires": true,
}

// check looks at what sipgo takes too easily or cannot read at all, and writes
// the fields in the form in which it reads them.
func (p *plain) check() error {
	if err := p.checkStart(); err != nil {
		return err
	}
	seen := map[string]bool{}
	fields := make([]field, 0, len(p.fields))
	for _, f := range p.fields {
		if single[f.name] && seen[f.name] {
			return fmt.Errorf("field %s: %w", f.name, errRepeated)
		}
		seen[f.name] = true
		v, err := canonical(f.name, f.value)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.name, err)
		}
		fields = elements(fields, f.name, v)
		if len(fields) > maxFields {
			return fmt.Errorf("field %s: %w", f.name, errTooMany)
		}
	}
	p.fields = fields
	return p.checkLength()
}

// checkStart demands single spaces and a Request-URI without brackets or
// header fields (RFC 3261 sections 7.1 and 19.1.5), or a status of three
// digits.
func (p *plain) checkStart() error {
	if !p.request {
		f := strings.SplitN(p.start, " ", 3)
		if len(f) < 2 || len(f[1]) != 3 || f[1][0] < '1' || f[1][0] > '6' {
			return errStartLine
		}
		if len(f) == 2 { // the reason may be empty; its space is forgotten by some
			p.start += " "
		}
		return nil
	}
	f := strings.Split(p.start, " ")
	if len(f) != 3 || !isToken(f[0]) || f[1] == "" || strings.ContainsAny(f[1], "<>\"\t") || !strings.HasPrefix(strings.ToUpper(f[2]), "SIP/") {
		return errStartLine
	}
	after := f[1][strings.LastIndexByte(f[1], '@')+1:]
	if scheme, _, _ := strings.Cut(f[1], ":"); isSIPScheme(scheme) && strings.Contains(after, "?") {
		return fmt.Errorf("Request-URI has header fields: %w", errStartLine)
	}
	if cseq, ok := p.get("cseq"); ok {
		if _, m, _ := strings.Cut(strings.TrimSpace(cseq), " "); strings.Trim(m, " \t") != f[0] {
			return errMethod
		}
	}
	return nil
}

// otherScheme reports whether the Request-URI is of a scheme that is not SIP's.
func (p *plain) otherScheme() bool {
	_, rest, _ := strings.Cut(p.start, " ")
	scheme, _, ok := strings.Cut(rest, ":")
	return ok && isToken(scheme) && !isSIPScheme(scheme)
}

func isSIPScheme(s string) bool { return strings.EqualFold(s, "sip") || strings.EqualFold(s, "sips") }

// checkLength compares Content-Length with what came, and cuts what is beyond
// it (RFC 3261 section 18.3).
func (p *plain) checkLength() error {
	length := -1
	kept := p.fields[:0]
	for _, f := range p.fields {
		if f.name != "content-length" {
			kept = append(kept, f)
			continue
		}
		n, err := contentLength([]byte(f.value))
		if err != nil || length >= 0 && length != n {
			return errLength
		}
		length = n
	}
	p.fields = kept
	if length > len(p.body) {
		return fmt.Errorf("%d octets of %d came: %w", len(p.body), length, errLength)
	}
	if length >= 0 {
		p.body = p.body[:length]
	}
	return nil
}

// bytes writes the message anew.
func (p *plain) bytes() []byte {
	b := make([]byte, 0, 512+len(p.body))
	b = append(append(b, p.start...), "\r\n"...)
	for _, f := range p.fields {
		b = append(append(append(b, f.name...), ": "...), f.value...)
		b = append(b, "\r\n"...)
	}
	b = append(b, "content-length: "...)
	b = strconv.AppendInt(b, int64(len(p.body)), 10)
	return append(append(b, "\r\n\r\n"...), p.body...)
}

// isToken reports whether s is a token (RFC 3261 section 25.1).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte("-.!%*_+`'~", c) < 0 {
			return false
		}
	}
	return s != ""
}
