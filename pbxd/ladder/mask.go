package ladder

import "bytes"

// mask overwrites what could help to log in or is private: what answers a
// digest challenge and the challenge's nonce (RFC 7616), other credentials,
// passwords in URIs, the keys of encrypted audio (RFC 4568, RFC 4567), and
// every body but session descriptions and the status line of message/sipfrag:
// texts are private, and digits sent by INFO may be a PIN. Nothing changes its
// length, so that the message stays what it was for those who read it.
func mask(text []byte) {
	start, f := after(text)
	maskURIs(start)
	var kind []byte
	for {
		name, value, ok := f.next()
		if !ok {
			break
		}
		switch {
		case same(name, "authorization"), same(name, "proxy-authorization"), same(name, "www-authenticate"), same(name, "proxy-authenticate"):
			scheme, params, _ := bytes.Cut(value, []byte(" "))
			if !same(scheme, "digest") {
				hide(params)
				break
			}
			maskDigest(params)
		case same(name, "authentication-info"), same(name, "proxy-authentication-info"):
			maskDigest(value)
		case telling(name):
			hide(value)
		case is(name, "content-type", "c"):
			kind, _, _ = bytes.Cut(value, []byte(";"))
			kind = bytes.TrimSpace(kind)
		default:
			maskURIs(value)
		}
	}
	body := text[f.at:]
	switch {
	case same(kind, "application/sdp"):
		maskSDP(body)
	case same(kind, "message/sipfrag"):
		if _, rest, found := bytes.Cut(body, []byte("\n")); found {
			hide(rest)
		}
	default:
		hide(body)
	}
}

// telling reports whether a field of no standard is named like a secret.
func telling(name []byte) bool {
	if same(name, "cookie") || same(name, "identity-key") {
		return true
	}
	if len(name) < 2 || lower(name[0]) != 'x' || name[1] != '-' {
		return false
	}
	for _, word := range []string{"auth", "key", "pass", "pin", "secret", "token"} {
		if find(name, word) >= 0 {
			return true
		}
	}
	return false
}

// find is bytes.Index for a word in lower case, without regard to the case of
// the text.
func find(text []byte, word string) int {
	for i := 0; i+len(word) <= len(text); i++ {
		if same(text[i:i+len(word)], word) {
			return i
		}
	}
	return -1
}

// hide overwrites everything but the ends of lines.
func hide(text []byte) {
	for i, c := range text {
		if c != '\r' && c != '\n' {
			text[i] = '*'
		}
	}
}

// maskDigest overwrites the parameters of a digest that are not harmless. What
// cannot be read is overwritten to the end.
func maskDigest(params []byte) {
	for len(params) > 0 {
		equals := bytes.IndexByte(params, '=')
		if equals < 0 {
			hide(params)
			return
		}
		name := bytes.Trim(params[:equals], " \t\r\n,")
		if i := bytes.LastIndexAny(name, " \t,"); i >= 0 { // a second challenge in one field
			name = name[i+1:]
		}
		rest := params[equals+1:]
		rest = rest[len(rest)-len(bytes.TrimLeft(rest, " \t\r\n")):]
		end := 0
		if len(rest) > 0 && rest[0] == '"' {
			for end = 1; end < len(rest) && rest[end] != '"'; end++ {
				if rest[end] == '\\' {
					end++
				}
			}
			if end >= len(rest) {
				hide(rest)
				return
			}
			if !harmless(name) {
				hide(rest[1:end])
			}
			params = rest[end+1:]
			continue
		}
		if end = bytes.IndexByte(rest, ','); end < 0 {
			end = len(rest)
		}
		if !harmless(name) {
			hide(rest[:end])
		}
		params = rest[end:]
	}
}

// harmless reports whether a parameter of a digest helps nobody to log in.
func harmless(name []byte) bool {
	for _, n := range []string{"username", "realm", "uri", "algorithm", "qop", "stale", "nc", "userhash", "charset", "domain"} {
		if same(name, n) {
			return true
		}
	}
	return false
}

// maskURIs overwrites passwords in SIP URIs (RFC 3261 section 19.1.1) and
// credentials that a URI brings as header fields.
func maskURIs(text []byte) {
	for rest := text; ; {
		i := bytes.IndexByte(rest, ':')
		if i < 0 {
			break
		}
		scheme := rest[:i]
		rest = rest[i+1:]
		if n := len(scheme); !(n >= 3 && same(scheme[n-3:], "sip") || n >= 4 && same(scheme[n-4:], "sips")) {
			continue
		}
		end := bytes.IndexAny(rest, "@>< \t\r\n\"")
		if end < 0 || rest[end] != '@' {
			continue
		}
		if colon := bytes.IndexByte(rest[:end], ':'); colon >= 0 {
			hide(rest[colon+1 : end])
		}
		rest = rest[end:]
	}
	for rest := text; ; {
		i := find(rest, "authorization=")
		if i < 0 {
			return
		}
		rest = rest[i+len("authorization="):]
		end := bytes.IndexAny(rest, "&>;, \t\r\n")
		if end < 0 {
			end = len(rest)
		}
		hide(rest[:end])
	}
}

// maskSDP overwrites the keys in a session description.
func maskSDP(body []byte) {
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, []byte("\n"))
		body = rest
		line = bytes.TrimRight(line, "\r")
		switch {
		case bytes.HasPrefix(line, []byte("k=")):
			hide(line[2:])
		case len(line) > 9 && same(line[:9], "a=crypto:"):
			if i := find(line, "inline:"); i >= 0 {
				hide(line[i+len("inline:"):])
			} else {
				hide(line[9:])
			}
		case len(line) > 11 && same(line[:11], "a=key-mgmt:"):
			hide(line[11:])
		case len(line) > 10 && same(line[:10], "a=ice-pwd:"):
			hide(line[10:])
		}
	}
}
