package web

import (
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// read fills the input of an operation from a request, and says what is wrong
// with it: all parameters at once, or the body. What the body holds in memory
// is counted in held.
func (e *endpoint) read(ctx huma.Context, in reflect.Value, held *share) *Problem {
	var wrong []ProblemDetail
	for i := range e.params {
		p := &e.params[i]
		if rule := e.readParam(ctx, p, in.FieldByIndex(p.index)); !rule.IsZero() {
			wrong = append(wrong, detailOf(p.in+"."+p.name, rule))
		}
	}
	if e.file != nil {
		if len(wrong) > 0 {
			return invalid(wrong...)
		}
		body, p := e.readFile(ctx, held)
		if p != nil {
			return p
		}
		*in.FieldByIndex(e.file).Addr().Interface().(*upload) = upload{media: ctx.Header("Content-Type"), body: body}
	}
	if e.body != nil {
		text, p := e.readBody(ctx, held)
		if p != nil {
			return p
		}
		wrong = append(wrong, in.FieldByIndex(e.body).Addr().Interface().(requestBody).read(text)...)
	}
	if len(wrong) > 0 {
		return invalid(wrong...)
	}
	return nil
}

// readParam sets one parameter and returns the rule that it breaks.
func (e *endpoint) readParam(ctx huma.Context, p *param, field reflect.Value) pbx.Message {
	var text string
	switch p.in {
	case "path":
		text = ctx.Param(p.name)
	case "query":
		text = ctx.Query(p.name)
	case "header":
		text = ctx.Header(p.name)
	}
	if text == "" {
		text = p.fallback
	}
	if text == "" {
		if p.in == "path" {
			return pbx.Say("must not be empty")
		}
		return pbx.Message{}
	}
	if !parse(text, field) {
		return pbx.Say("must be {type}", "type", typeName(field.Type()))
	}
	return pbx.ParamRule(p.tag, field)
}

// parse sets field from text and reports whether it could be read.
func parse(text string, field reflect.Value) bool {
	var err error
	switch field.Interface().(type) {
	case string:
		field.SetString(text)
	case bool:
		var b bool
		b, err = strconv.ParseBool(text)
		field.SetBool(b)
	case int, int64:
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		field.SetInt(n)
	case time.Time:
		var t time.Time
		t, err = time.Parse(time.RFC3339Nano, text)
		if t.IsZero() { // that would stand for none given
			return false
		}
		field.Set(reflect.ValueOf(t))
	default:
		panic("no parameter can be of type " + field.Type().String())
	}
	return err == nil
}
