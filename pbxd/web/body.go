package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// body is a request body of type T. It takes exactly the fields of T and names
// the one that is unknown or of a wrong type. Its field is not exported, so
// that huma sets no defaults: 0 and "" are what the client sent.
type body[T any] struct {
	value T
	wrong *huma.ErrorDetail
}

// newBody is a body that makes an entry: what it leaves out has the default of
// its parameter.
type newBody[T any] struct{ body[T] }

// UnmarshalJSON reads T over its defaults.
func (b *newBody[T]) UnmarshalJSON(text []byte) error {
	pbx.SetDefaults(&b.value)
	return b.body.UnmarshalJSON(text)
}

// wrongBody is what is wrong with a field of a body. The rule goes along in
// Value, from which asProblem takes it.
func wrongBody(location, template string, pairs ...any) *huma.ErrorDetail {
	rule := pbx.Say(template, pairs...)
	return &huma.ErrorDetail{Location: location, Message: rule.Text(), Value: rule}
}

// Schema describes T.
func (*body[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// UnmarshalJSON reads T and remembers what is wrong for Resolve.
func (b *body[T]) UnmarshalJSON(text []byte) error {
	if bytes.Equal(bytes.TrimSpace(text), []byte("null")) {
		b.wrong = wrongBody("body", "must be {type}", "type", "an object")
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&b.value)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
	case errors.As(err, &wrongType):
		location := "body"
		for name := range strings.SplitSeq(wrongType.Field, ".") {
			if name != "" && (name[0] < 'A' || name[0] > 'Z') { // those are embedded structs
				location += "." + name
			}
		}
		b.wrong = wrongBody(location, "must be {type}", "type", typeName(wrongType.Type))
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name := strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`)
		b.wrong = wrongBody("body."+name, "is not known")
	default:
		b.wrong = wrongBody("body", "is not JSON that can be read")
	}
	return nil
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
	return "an object"
}

// Resolve reports what was wrong with the body.
func (b *body[T]) Resolve(huma.Context) []error {
	if b.wrong == nil {
		return nil
	}
	return []error{b.wrong}
}

// jsonFormat reads and writes JSON. A syntax error is told by its place, never
// by quoting the text, which may hold a PIN.
func jsonFormat() huma.Format {
	return huma.Format{
		Marshal: huma.DefaultJSONFormat.Marshal,
		Unmarshal: func(data []byte, v any) error {
			err := json.Unmarshal(data, v)
			var syntax *json.SyntaxError
			switch {
			case errors.As(err, &syntax):
				return fmt.Errorf("is not JSON: error at byte %d", syntax.Offset)
			case errors.Is(err, io.ErrUnexpectedEOF):
				return errors.New("is not JSON: it ends too early")
			}
			return err
		},
	}
}
