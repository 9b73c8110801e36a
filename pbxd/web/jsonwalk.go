package web

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strconv"
	"strings"

	"galilei/pbxd/pbx"
)

// Limits of what is said of a body.
const (
	maxBodyDepth = 20 // of objects and lists within each other; the API's own have 4
	maxBodyWrong = 50 // places that are named
)

// bodyWalk goes over the text of a body along the Go type that it is for. It
// names all that encoding/json would not read into that type, and what it would
// read without a word: keys in another case and keys that come twice.
type bodyWalk struct {
	dec    *json.Decoder
	wrong  []ProblemDetail
	absent []trail // fields with a default that entries of lists leave out
}

// trail is the way from the root of a value to a field of a struct: the
// numbers of fields and of entries of lists.
type trail []int

// checkObject returns what is wrong with a JSON object as a value of the struct
// type t, and which fields with a default entries of its lists leave out.
func checkObject(text []byte, t reflect.Type) ([]ProblemDetail, []trail) {
	w := &bodyWalk{dec: json.NewDecoder(bytes.NewReader(text))}
	w.dec.UseNumber()
	err := w.value("body", t, nil, 0)
	if err == nil {
		if _, err = w.dec.Token(); errors.Is(err, io.EOF) {
			return w.wrong, w.absent
		}
		err = errAfterBody
	}
	return []ProblemDetail{w.broken(err)}, nil
}

var (
	errAfterBody = errors.New("text after the end")
	errTooDeep   = errors.New("too deep")
)

// broken says that the text is no JSON. A syntax error is told by its place,
// never by quoting the text, which may hold a PIN.
func (w *bodyWalk) broken(err error) ProblemDetail {
	if errors.Is(err, errTooDeep) {
		return detailOf("body", pbx.Say("has objects or lists in more than {n} levels", "n", maxBodyDepth))
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return detailOf("body", pbx.Say("is not JSON: it ends too early"))
	}
	at := w.dec.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = syntax.Offset
	}
	return detailOf("body", pbx.Say("is not JSON: error at byte {n}", "n", at))
}

func (w *bodyWalk) refuse(at string, rule pbx.Message) {
	if len(w.wrong) < maxBodyWrong {
		w.wrong = append(w.wrong, detailOf(at, rule))
	}
}

func (w *bodyWalk) refuseType(at string, t reflect.Type) {
	w.refuse(at, pbx.Say("must be {type}", "type", typeName(t)))
}

// value reads one value that is for t. It returns errors of the syntax only.
func (w *bodyWalk) value(at string, t reflect.Type, where trail, depth int) error {
	if depth > maxBodyDepth {
		return errTooDeep
	}
	for t.Kind() == reflect.Pointer {
		t, where = t.Elem(), append(where[:len(where):len(where)], 0)
	}
	if readsItself(t) {
		return w.own(at, t)
	}
	token, err := w.dec.Token()
	if err != nil {
		return err
	}
	if token == nil && depth > 0 { // null leaves a field as it is
		return nil
	}
	opened, _ := token.(json.Delim)
	switch {
	case opened == '{' && t.Kind() == reflect.Struct:
		return w.object(at, t, where, depth)
	case opened == '[' && t.Kind() == reflect.Slice:
		return w.list(at, t.Elem(), where, depth)
	case opened != 0:
		w.refuseType(at, t)
		return w.skip(depth)
	case !fits(token, t):
		w.refuseType(at, t)
	}
	return nil
}

// own reads a value of a type that reads itself, such as a time.
func (w *bodyWalk) own(at string, t reflect.Type) error {
	var text json.RawMessage
	if err := w.dec.Decode(&text); err != nil {
		return err
	}
	if json.Unmarshal(text, reflect.New(t).Interface()) != nil {
		w.refuseType(at, t)
	}
	return nil
}

func readsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return t.Kind() == reflect.Interface || t.Kind() == reflect.Map || t.Kind() == reflect.Array || t == reflect.TypeFor[[]byte]() ||
		p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// fits reports whether encoding/json reads a text, number or truth value into t.
func fits(token json.Token, t reflect.Type) bool {
	switch x := token.(type) {
	case bool:
		return t.Kind() == reflect.Bool
	case string:
		return t.Kind() == reflect.String && t != reflect.TypeFor[json.Number]()
	case json.Number:
		var err error
		switch {
		case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
			_, err = strconv.ParseInt(string(x), 10, t.Bits())
		case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
			_, err = strconv.ParseUint(string(x), 10, t.Bits())
		case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
			_, err = strconv.ParseFloat(string(x), t.Bits())
		default:
			return false
		}
		return err == nil
	}
	return false // null as a whole body
}

// object reads the rest of an object, whose keys must be those of t, each once.
func (w *bodyWalk) object(at string, t reflect.Type, where trail, depth int) error {
	fields := jsonFieldsOf(t)
	seen := map[string]bool{}
	for w.dec.More() {
		token, err := w.dec.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		f, known := fields[key]
		here := at + "." + key
		switch {
		case !known:
			w.refuse(at+"."+clippedKey(key), pbx.Say("is not known"))
		case seen[key]:
			w.refuse(here, pbx.Say("is there twice"))
		}
		seen[key] = true
		if !known {
			err = w.skipValue(depth)
		} else {
			err = w.value(here, f.Type, append(where[:len(where):len(where)], f.Index...), depth+1)
		}
		if err != nil {
			return err
		}
	}
	if len(where) > 0 {
		for key, f := range fields {
			if _, ok := f.Tag.Lookup("default"); ok && !seen[key] {
				w.absent = append(w.absent, append(where[:len(where):len(where)], f.Index...))
			}
		}
	}
	_, err := w.dec.Token()
	return err
}

// clippedKey shortens a key that the client made up.
func clippedKey(key string) string {
	if r := []rune(key); len(r) > 50 {
		return string(r[:50])
	}
	return key
}

func (w *bodyWalk) list(at string, of reflect.Type, where trail, depth int) error {
	for i := 0; w.dec.More(); i++ {
		if err := w.value(at+"["+strconv.Itoa(i)+"]", of, append(where[:len(where):len(where)], i), depth+1); err != nil {
			return err
		}
	}
	_, err := w.dec.Token()
	return err
}

// skip passes over the rest of an object or a list that was opened.
func (w *bodyWalk) skip(depth int) error {
	for open := 1; open > 0; {
		token, err := w.dec.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
		if depth+open > maxBodyDepth {
			return errTooDeep
		}
	}
	return nil
}

// skipValue passes over one value.
func (w *bodyWalk) skipValue(depth int) error {
	token, err := w.dec.Token()
	if d, ok := token.(json.Delim); ok && err == nil && (d == '{' || d == '[') {
		return w.skip(depth + 1)
	}
	return err
}

// jsonFieldsOf returns the fields of a struct by their JSON names, those of
// embedded structs included; of two with one name the outer one counts.
func jsonFieldsOf(t reflect.Type) map[string]reflect.StructField {
	all := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" || !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if is, ok := all[name]; !ok || len(f.Index) < len(is.Index) {
			all[name] = f
		}
	}
	return all
}

// setDefault gives the field of v at p the default of its parameter.
func (p trail) setDefault(v reflect.Value) {
	for i, n := range p {
		switch v.Kind() {
		case reflect.Pointer:
			v = v.Elem()
		case reflect.Slice:
			v = v.Index(n)
		case reflect.Struct:
			if i == len(p)-1 {
				fresh := reflect.New(v.Type())
				pbx.SetDefaults(fresh.Interface())
				v.Field(n).Set(fresh.Elem().Field(n))
				return
			}
			v = v.Field(n)
		}
	}
}
