package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// body is a request body of type T. It takes exactly the fields of T; what is
// left out is 0, "" or an empty list, as the client sent it.
type body[T any] struct{ value T }

// newBody is a body that makes an entry: what it leaves out has the default of
// its parameter.
type newBody[T any] struct{ body[T] }

// requestBody is a body of any type.
type requestBody interface {
	// read takes the text of a request and says what is wrong with it, or nil.
	read(text []byte) *ProblemDetail
}

// Schema describes T.
func (*body[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

func (b *body[T]) read(text []byte) *ProblemDetail { return readObject(text, &b.value) }

func (b *newBody[T]) read(text []byte) *ProblemDetail {
	pbx.SetDefaults(&b.value)
	return b.body.read(text)
}

// readObject reads a JSON object into v, a pointer to a struct, and names the
// field that is unknown or of a wrong type. A syntax error is told by its
// place, never by quoting the text, which may hold a PIN.
func readObject(text []byte, v any) *ProblemDetail {
	wrong := func(location, template string, pairs ...any) *ProblemDetail {
		d := detailOf(location, pbx.Say(template, pairs...))
		return &d
	}
	if bytes.Equal(bytes.TrimSpace(text), []byte("null")) {
		return wrong("body", "must be {type}", "type", "an object")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		return wrong("body", "is not JSON: error at byte {n}", "n", d.InputOffset())
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return wrong("body", "is not JSON: error at byte {n}", "n", syntax.Offset)
	}
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		location := "body"
		for name := range strings.SplitSeq(wrongType.Field, ".") {
			if name != "" && (name[0] < 'A' || name[0] > 'Z') { // those are embedded structs
				location += "." + name
			}
		}
		return wrong(location, "must be {type}", "type", typeName(wrongType.Type))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return wrong("body."+strings.Trim(name, `"`), "is not known")
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return wrong("body", "is not JSON: it ends too early")
	}
	return wrong("body", "is not JSON that can be read")
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	if t == reflect.TypeFor[time.Time]() {
		return "a time"
	}
	return "an object"
}

// writeJSON writes v as the API answers it.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
