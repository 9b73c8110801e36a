package web

import (
	"encoding/json"
	"io"
	"reflect"
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
	// read takes the text of a request and says what is wrong with it.
	read(text []byte) []ProblemDetail
}

// Schema describes T.
func (*body[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

func (b *body[T]) read(text []byte) []ProblemDetail { return readObject(text, &b.value, false) }

func (b *newBody[T]) read(text []byte) []ProblemDetail {
	return readObject(text, &b.value, true)
}

// readObject reads a JSON object into v, a pointer to a struct, and names all
// fields that are unknown, of a wrong type or there twice. With defaults, what
// is left out has the default of its parameter, in entries of lists, too.
func readObject(text []byte, v any, defaults bool) []ProblemDetail {
	to := reflect.ValueOf(v).Elem()
	wrong, absent := checkObject(text, to.Type())
	if len(wrong) > 0 {
		return wrong
	}
	if defaults {
		pbx.SetDefaults(v)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return []ProblemDetail{detailOf("body", pbx.Say("is not JSON that can be read"))}
	}
	if defaults {
		for _, p := range absent {
			p.setDefault(to)
		}
	}
	return nil
}

func typeName(t reflect.Type) string {
	if t == reflect.TypeFor[time.Time]() {
		return "a time"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// writeJSON writes v as the API answers it.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
