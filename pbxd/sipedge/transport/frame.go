package transport

import (
	"bytes"
	"errors"
)

var (
	errTooLarge = errors.New("message is larger than 65535 octets")
	errNoLength = errors.New("message on a stream has no usable Content-Length")
)

// frame returns the length of the first message in b, 0 when it is not whole
// yet.
func frame(b []byte) (int, error) {
	if len(b) > 0 && b[0] != '\r' && !isToken(string(b[:1])) { // TLS on the port without, or some other protocol
		return 0, errNotSIP
	}
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) > MaxMessage {
			return 0, errTooLarge
		}
		return 0, nil
	}
	length := -1
	for line := range bytes.SplitSeq(b[:end], []byte("\r\n")) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		name = bytes.TrimSpace(name)
		if !ok || !(bytes.EqualFold(name, []byte("Content-Length")) || bytes.EqualFold(name, []byte("l"))) {
			continue
		}
		n, err := contentLength(bytes.TrimSpace(value))
		if err != nil || length >= 0 && length != n {
			return 0, errNoLength // two different lengths are an attack on the framing
		}
		length = n
	}
	switch {
	case length < 0:
		return 0, errNoLength
	case end+4+length > MaxMessage:
		return 0, errTooLarge
	case len(b) < end+4+length:
		return 0, nil
	}
	return end + 4 + length, nil
}

func contentLength(b []byte) (int, error) {
	if len(b) == 0 || len(b) > 5 {
		return 0, errNoLength
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, errNoLength
		}
		n = n*10 + int(c-'0')
	}
	return n, nil
}
