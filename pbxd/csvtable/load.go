package csvtable

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"galilei/pbxd/pbx"
)

// load reads a whole file of at most MaxBytes and checks that its encoding is
// the one that it is said to have. The byte order mark is cut off.
func load(r io.Reader, e Encoding) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read CSV after %d bytes: %w", len(data), err)
	}
	if len(data) > MaxBytes {
		return nil, &FileError{Message: pbx.Say(MsgTooLarge, "limit", MaxBytes>>20)}
	}
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) || looksLikeUTF16(data) {
		return nil, &FileError{Message: pbx.Say(MsgUTF16)}
	}
	text, marked := bytes.CutPrefix(data, []byte("\ufeff"))
	if e == Latin1 {
		if marked {
			return nil, &FileError{Message: pbx.Say(MsgIsUTF8)}
		}
		return data, nil
	}
	if i := invalidUTF8(text); i >= 0 {
		line, start := position(text, i)
		return nil, &FileError{line, pbx.Say(MsgNotUTF8, "line", line, "byte", i-start+1, "value", fmt.Sprintf("0x%02X", text[i]))}
	}
	return text, nil
}

// invalidUTF8 returns the index of the first byte that is not UTF-8, or -1.
func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

// position returns the line in which b[i] stands, from 1, and the index at
// which that line begins.
func position(b []byte, i int) (line, start int) {
	line = 1
	for j := 0; j < i; j++ {
		if b[j] == '\n' || b[j] == '\r' && (j+1 == len(b) || b[j+1] != '\n') {
			line, start = line+1, j+1
		}
	}
	return line, start
}

// lineEnds returns the number of lines that end in b.
func lineEnds(b []byte) int {
	line, _ := position(b, len(b))
	return line - 1
}

// looksLikeUTF16 reports whether at the beginning most of the bytes at even or
// at odd places are 0 and none of the others: Latin letters in UTF-16.
func looksLikeUTF16(b []byte) bool {
	b = b[:min(len(b), 1024)]
	var zeros [2]int
	for i, c := range b {
		if c == 0 {
			zeros[i%2]++
		}
	}
	return min(zeros[0], zeros[1]) == 0 && 4*max(zeros[0], zeros[1]) > len(b)
}

// looksLikeUTF8 reports whether text that is said to be ISO-8859-1 has letters
// beyond ASCII which all happen to be valid UTF-8.
func looksLikeUTF8(b []byte) bool {
	return bytes.ContainsFunc(b, func(r rune) bool { return r >= utf8.RuneSelf }) && utf8.Valid(b)
}
