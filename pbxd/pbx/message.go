package pbx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Message is a sentence for people: an English template with {name}
// placeholders, and what stands in them. The page shows it in the reader's
// language by looking the template up in that language's catalogue. An argument
// may be a message itself and is then shown in that language, too.
type Message struct {
	Template string         `json:"template" title:"Template" doc:"Message with {name} for each of args" maxLength:"1000"`
	Args     map[string]any `json:"args,omitempty" title:"Arguments" doc:"What stands in the template"`
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

// typed is the template of what a person wrote. No catalogue has it: such words
// stay as they are in every language.
const typed = "{text}"

// Typed makes a message of what a person wrote; of nothing it makes none.
func Typed(text string) Message {
	if text == "" {
		return Message{}
	}
	return Message{typed, map[string]any{"text": text}}
}

// String is Text, for messages that stand in others and in logs.
func (m Message) String() string { return m.Text() }

// UnmarshalJSON reads what encoding/json writes of a message. Arguments that
// are objects become messages again, whole numbers int.
func (m *Message) UnmarshalJSON(text []byte) error {
	var raw struct {
		Template string
		Args     map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return fmt.Errorf("message of %d bytes: %w", len(text), err)
	}
	*m = Message{Template: raw.Template}
	for name, text := range raw.Args {
		value, err := argument(text)
		if err != nil {
			return fmt.Errorf("argument %s of a message: %w", name, err)
		}
		if m.Args == nil {
			m.Args = map[string]any{}
		}
		m.Args[name] = value
	}
	return nil
}

func argument(text json.RawMessage) (any, error) {
	if bytes.HasPrefix(text, []byte("{")) {
		var inner Message
		err := json.Unmarshal(text, &inner)
		return inner, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	n, ok := value.(json.Number)
	if !ok {
		return value, nil
	}
	if whole, err := n.Int64(); err == nil {
		return int(whole), nil
	}
	return n.Float64()
}

// Text returns the message in English.
func (m Message) Text() string { return m.In(nil) }

// In returns the message in the language of a catalogue, from English templates
// to its own. What the catalogue lacks stays English.
func (m Message) In(catalogue map[string]string) string {
	var b strings.Builder
	rest := m.Template
	if own := catalogue[rest]; own != "" {
		rest = own
	}
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
		if inner, ok := value.(Message); ok {
			value = inner.In(catalogue)
		}
		fmt.Fprint(&b, value)
		rest = tail
	}
}

// IsZero reports whether there is nothing to say.
func (m Message) IsZero() bool { return m.Template == "" }
