package store

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"galilei/pbxd/pbx"
)

// Limits of what is said of a change.
const (
	maxAuthor  = 100 // runes
	maxComment = 500 // runes of the English text
)

// bounded returns a comment as it is kept. One that is too long or no UTF-8
// becomes the beginning of its English text.
func bounded(comment pbx.Message) pbx.Message {
	text := comment.Text()
	if utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxComment {
		return comment
	}
	return pbx.Typed(clipped(text, maxComment))
}

// messageOf reads a stored comment. Before schema version 3 there was only its
// English text.
func messageOf(message, comment string) (m pbx.Message, err error) {
	if message == "" {
		return pbx.Typed(comment), nil
	}
	if err := json.Unmarshal([]byte(message), &m); err != nil {
		return m, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return m, nil
}

// clipped returns at most n runes of s, valid UTF-8.
func clipped(s string, n int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
