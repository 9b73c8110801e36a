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
)

// body is a request body of type T. It takes exactly the fields of T and names
// the one that is unknown or of a wrong type. Its field is not exported, so
// that huma sets no defaults: 0 and "" are what the client sent.
type body[T any] struct {
	value T
	wrong *huma.ErrorDetail
}

// Schema describes T.
func (*body[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// UnmarshalJSON reads T and remembers what is wrong for Resolve.
func (b *body[T]) UnmarshalJSON(text []byte) error {
	if bytes.Equal(bytes.TrimSpace(text), []byte("null")) {
		b.wrong = &huma.ErrorDetail{Location: "body", Message: "must be an object"}
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&b.value)
	var wrongType *json.UnmarshalTypeError
	switch {
	case err == nil:
	case errors.As(err, &wrongType):
		field := wrongType.Field // with the names of embedded structs before it
		field = field[strings.LastIndexByte(field, '.')+1:]
		location := "body"
		if field != "" {
			location += "." + field
		}
		b.wrong = &huma.ErrorDetail{Location: location, Message: fmt.Sprintf("must be %s, not %s", typeName(wrongType.Type), wrongType.Value)}
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name := strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`)
		b.wrong = &huma.ErrorDetail{Location: "body." + name, Message: "is not known"}
	default:
		b.wrong = &huma.ErrorDetail{Location: "body", Message: err.Error()}
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
