package pbx

import (
	"fmt"
	"strings"
)

// Message is a sentence for people: an English template with {name}
// placeholders, and what stands in them. The page shows it in the reader's
// language by looking the template up in that language's catalogue.
type Message struct {
	Template string         `json:"template"`
	Args     map[string]any `json:"args,omitempty"`
}

// Say makes a message. Values follow the template as pairs of a placeholder's
// name and its value; a template must be a constant, so that a test can ask
// every catalogue for it.
func Say(template string, pairs ...any) Message {
	m := Message{Template: template}
	for i := 0; i+1 < len(pairs); i += 2 {
		if m.Args == nil {
			m.Args = map[string]any{}
		}
		m.Args[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return m
}

// Text returns the message in English.
func (m Message) Text() string {
	var b strings.Builder
	rest := m.Template
	for {
		before, after, open := strings.Cut(rest, "{")
		b.WriteString(before)
		if !open {
			return b.String()
		}
		name, tail, closed := strings.Cut(after, "}")
		value, known := m.Args[name]
		if !closed || !known {
			b.WriteByte('{')
			rest = after
			continue
		}
		fmt.Fprint(&b, value)
		rest = tail
	}
}

// IsZero reports whether there is nothing to say.
func (m Message) IsZero() bool { return m.Template == "" }
