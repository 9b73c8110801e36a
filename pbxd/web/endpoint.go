package web

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// endpoint is an operation as the mux serves it. What its input and output
// hold is found by reflection when it is registered, so that one code serves
// them all: huma.Register is compiled anew for each pair of types, which for
// the operations of this API comes to 3 MB.
//
// An input is a struct of fields with a tag path, query or header, at any depth
// of embedding, and of either a field Body of type body[T] or newBody[T] or a
// field of type upload. An output is a struct of fields with a tag header and
// of fields Status (int) and Body: a value that is written as JSON, a []byte
// that is written as it is, or a func(huma.Context) that writes the answer.
type endpoint struct {
	s       *Server
	op      *huma.Operation
	params  []param
	body    []int // index of Body in the input, or nil
	file    []int // index of the upload in the input, or nil
	headers []header
	status  []int // index of Status in the output, or nil
	answer  []int // index of Body in the output, or nil

	input reflect.Type
	call  func(ctx context.Context, in any) (out any, err error)
}

// param is a field of an input that comes from the address or the header.
type param struct {
	index    []int
	in, name string            // as in OpenAPI
	fallback string            // value of one that is not sent
	tag      reflect.StructTag // its rules
}

// header is a field of an output that goes into the header.
type header struct {
	index []int
	name  string
}

// newEndpoint describes an operation in the OpenAPI document. The types are
// those of the program: one that cannot be served is a fault of it.
func (s *Server) newEndpoint(op *huma.Operation, input, output reflect.Type) *endpoint {
	e := &endpoint{s: s, op: op, input: input}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	e.describeInput(nil, input)
	e.describeOutput(output)
	e.describeErrors()
	s.api.OpenAPI().AddOperation(op)
	return e
}

func (e *endpoint) schemas() huma.Registry { return e.s.api.OpenAPI().Components.Schemas }

func (e *endpoint) describeInput(at []int, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(at[:len(at):len(at)], i)
		switch pointer := reflect.PointerTo(f.Type); {
		case f.Name == "Body":
			e.body = index
			e.op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
				"application/json": {Schema: huma.SchemaFromField(e.schemas(), f, e.op.OperationID+"Request")}}}
			if e.op.Method == http.MethodPut {
				e.op.RequestBody.Description = "Replaces all of it: what is left out becomes 0, false, empty or an empty list. The defaults of the schema are for new entries."
			}
		case pointer == reflect.TypeFor[*upload]():
			e.file = index
		case f.Anonymous:
			e.describeInput(index, f.Type)
		default:
			e.describeParam(index, f)
		}
	}
}

func (e *endpoint) describeParam(index []int, f reflect.StructField) {
	p := param{index: index, fallback: f.Tag.Get("default")}
	for _, p.in = range []string{"path", "query", "header"} {
		if p.name = f.Tag.Get(p.in); p.name != "" {
			break
		}
	}
	if p.name == "" {
		panic(fmt.Sprintf("input of %s: field %s is no parameter", e.op.OperationID, f.Name))
	}
	p.tag = f.Tag
	schema := huma.SchemaFromField(e.schemas(), f, "")
	e.params = append(e.params, p)
	described := &huma.Param{Name: p.name, In: p.in, Description: schema.Description, Required: p.in == "path" || p.name == ifMatch, Schema: schema}
	if p.in == "query" {
		described.Explode = new(bool)
	}
	e.op.Parameters = append(e.op.Parameters, described)
}

func (e *endpoint) describeOutput(t reflect.Type) {
	status := e.op.DefaultStatus
	body, hasBody := t.FieldByName("Body")
	if status == 0 {
		status = http.StatusNoContent
		if hasBody {
			status = http.StatusOK
		}
	}
	e.op.DefaultStatus = status
	r := e.op.Responses[strconv.Itoa(status)]
	if r == nil {
		r = &huma.Response{}
		e.op.Responses[strconv.Itoa(status)] = r
	}
	if r.Description == "" {
		r.Description = http.StatusText(status)
	}
	if hasBody {
		e.answer = body.Index
		if body.Type.Kind() != reflect.Func && r.Content == nil {
			r.Content = map[string]*huma.MediaType{"application/json": {Schema: huma.SchemaFromField(e.schemas(), body, e.op.OperationID+"Response")}}
		}
	}
	if f, ok := t.FieldByName("Status"); ok {
		e.status = f.Index
	}
	for _, f := range reflect.VisibleFields(t) {
		name := f.Tag.Get("header")
		if name == "" {
			continue
		}
		e.headers = append(e.headers, header{f.Index, name})
		if f.Type == reflect.TypeFor[http.Cookie]() {
			f.Type = reflect.TypeFor[string]()
		}
		if r.Headers == nil {
			r.Headers = map[string]*huma.Header{}
		}
		r.Headers[name] = &huma.Header{Schema: huma.SchemaFromField(e.schemas(), f, "")}
	}
}

func (e *endpoint) describeErrors() {
	if len(e.params) > 0 || e.body != nil {
		e.op.Errors = append(e.op.Errors, http.StatusUnprocessableEntity)
	}
	if e.body != nil || e.file != nil {
		e.op.Errors = append(e.op.Errors, http.StatusRequestTimeout, http.StatusServiceUnavailable)
	}
	if slices.ContainsFunc(e.params, func(p param) bool { return p.name == ifMatch }) {
		e.op.Errors = append(e.op.Errors, http.StatusPreconditionFailed, http.StatusPreconditionRequired)
	}
	problem := e.schemas().Schema(reflect.TypeFor[Problem](), true, "")
	for _, status := range e.op.Errors {
		e.op.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status),
			Content: map[string]*huma.MediaType{problemType: {Schema: problem}}}
	}
}

// serve answers one request. The memory of its body counts until the operation
// has an answer, which holds nothing of a large one: how long a client takes to
// read it must not keep others from sending. A body may be long in coming, so
// who sent it is asked for again.
func (e *endpoint) serve(ctx huma.Context) {
	in := reflect.New(e.input)
	from := senderOf(ctx.Context())
	if e.file != nil && from.standing == plainUser {
		from.standing = uploader
	}
	held := e.s.intake.share(from)
	defer held.release()
	p := e.read(ctx, in.Elem(), held)
	if p == nil && (e.body != nil || e.file != nil) {
		p = e.s.stillMay(ctx)
	}
	if p != nil {
		e.s.answer(ctx, p)
		return
	}
	before, revision := e.s.Store.Current()
	out, err := e.within(ctx.Context(), in.Interface())
	held.release()
	if err != nil {
		e.s.fail(ctx, e.op.OperationID, err)
		return
	}
	e.s.warn(ctx, before, revision)
	e.write(ctx, reflect.ValueOf(out).Elem())
}

// within calls the operation within what its caller may change in an hour.
func (e *endpoint) within(ctx context.Context, in any) (any, error) {
	c := callerOf(ctx)
	if c == nil || !c.op.spends() {
		return e.call(ctx, in)
	}
	giveBack, err := e.s.spend(ctx, e.s.acts)
	if err != nil {
		return nil, err
	}
	out, err := e.call(ctx, in)
	if err != nil {
		giveBack()
	}
	return out, err
}

// write answers with what the operation returned.
func (e *endpoint) write(ctx huma.Context, out reflect.Value) {
	for _, h := range e.headers {
		if text := headerText(out.FieldByIndex(h.index)); text != "" {
			ctx.SetHeader(h.name, text)
		}
	}
	status := e.op.DefaultStatus
	if e.status != nil {
		status = int(out.FieldByIndex(e.status).Int())
	}
	if e.answer == nil || status == http.StatusNotModified {
		ctx.SetStatus(status)
		return
	}
	var err error
	switch body := out.FieldByIndex(e.answer).Interface().(type) {
	case func(huma.Context):
		body(ctx)
	case []byte:
		ctx.SetStatus(status)
		_, err = ctx.BodyWriter().Write(body)
	default:
		err = e.writeAnswer(ctx, status, body)
	}
	if err != nil {
		e.s.Log.Debug("answer not delivered", "operation", e.op.OperationID, "err", err)
	}
}

// headerText returns the text of a header field, "" for none.
func headerText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case string:
		return x
	case int:
		return strconv.Itoa(x)
	case http.Cookie:
		return x.String()
	}
	panic("no text for a header of type " + v.Type().String())
}
