package ladder

import "bytes"

// fields goes through the header fields of a SIP message (RFC 3261 section
// 7.3), folded lines included. It takes what phones send: spaces before the
// colon and bare line feeds.
type fields struct {
	text []byte
	at   int // where the next field begins
}

// after returns the fields of a message, and its start line.
func after(text []byte) (start []byte, f fields) {
	end := bytes.IndexByte(text, '\n')
	if end < 0 {
		return text, fields{text, len(text)}
	}
	return bytes.TrimRight(text[:end], "\r"), fields{text, end + 1}
}

// next returns the name and the value of the next field; both are parts of the
// message. ok is false at the end of the header, and at is then where the body
// begins.
func (f *fields) next() (name, value []byte, ok bool) {
	for f.at < len(f.text) {
		begin := f.at
		end := begin
		for {
			i := bytes.IndexByte(f.text[end:], '\n')
			if i < 0 {
				end = len(f.text)
				break
			}
			end += i + 1
			blank := end-begin <= 2 && (f.text[begin] == '\n' || f.text[begin] == '\r')
			if blank || end == len(f.text) || f.text[end] != ' ' && f.text[end] != '\t' {
				break
			}
		}
		f.at = end
		line := bytes.TrimRight(f.text[begin:end], "\r\n")
		if len(line) == 0 {
			return nil, nil, false
		}
		colon := bytes.IndexByte(line, ':')
		if colon < 0 {
			continue // no field; the parser has its own opinion
		}
		return bytes.TrimRight(line[:colon], " \t"), bytes.Trim(line[colon+1:], " \t\r\n"), true
	}
	return nil, nil, false
}

// is compares a field's name with its long and its compact form (RFC 3261
// section 7.3.3), in any case.
func is(name []byte, long, compact string) bool {
	return same(name, long) || compact != "" && same(name, compact)
}

// same compares without regard to the case of ASCII letters.
func same(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i, c := range a {
		if lower(c) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// tagOf returns the tag of a From or To field (RFC 3261 section 19.3), or nil.
func tagOf(value []byte) []byte {
	rest := value
	for i, quoted := 0, false; i < len(rest); i++ { // the display name may hold anything
		switch c := rest[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == '<' && !quoted:
			end := bytes.IndexByte(rest[i:], '>')
			if end < 0 {
				return nil
			}
			rest, i = rest[i+end+1:], len(rest)
		}
	}
	for {
		_, params, found := bytes.Cut(rest, []byte(";"))
		if !found {
			return nil
		}
		rest = params
		param, _, _ := bytes.Cut(params, []byte(";"))
		name, tag, _ := bytes.Cut(param, []byte("="))
		if same(bytes.TrimSpace(name), "tag") {
			return bytes.TrimSpace(tag)
		}
	}
}

// looked is what is needed of a message to know where it belongs.
type looked struct {
	request bool
	method  []byte // of the request, or of the one that is answered
	callID  []byte
	from    []byte // tags, nil for none
	to      []byte
}

// look reads the header of a message.
func look(text []byte) (l looked) {
	start, f := after(text)
	l.request = !bytes.HasPrefix(start, []byte("SIP/"))
	if l.request {
		l.method, _, _ = bytes.Cut(start, []byte(" "))
	}
	for {
		name, value, ok := f.next()
		if !ok {
			return l
		}
		switch {
		case is(name, "call-id", "i"):
			l.callID = value
		case is(name, "from", "f"):
			l.from = tagOf(value)
		case is(name, "to", "t"):
			l.to = tagOf(value)
		case !l.request && same(name, "cseq"):
			_, method, _ := bytes.Cut(value, []byte(" "))
			l.method = bytes.TrimSpace(method)
		}
	}
}
