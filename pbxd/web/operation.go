package web

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/pbx"
)

// operation describes one call of the API.
type operation struct {
	id, method, path     string
	summary, description string
	tag                  string
	access               access         // "" is accessModule when module is set
	module               string         // GUI modules of which one must be on, separated by '|'; anyAdminModule stands for those of the administration
	permission           pbx.Permission // stands for the module, too; "" for none
	status               int            // of success; 0 means 200
	errors               []int          // beside those of access, body and 500
	content              *huma.Response
	accepts              []string // media types of the body, image/* for all pictures; none means JSON
	maxBody              int64    // bytes of the body; 0 means 64 KiB
	audits               []string // actions that it writes into the audit log
	hasBody              bool     // is set from the input
}

// register adds an operation. It is compiled for each pair of types, so it does
// next to nothing.
func register[I, O any](s *Server, op operation, handle func(context.Context, *I) (*O, error)) {
	s.register(&op, reflect.TypeFor[I](), reflect.TypeFor[O](), func(ctx context.Context, in any) (any, error) { return handle(ctx, in.(*I)) })
}

// register adds an operation from its input to its output. Bodies are checked
// by their own types and by pbx.Validate, which says more than a schema can,
// and all at once.
func (s *Server) register(op *operation, input, output reflect.Type, call func(ctx context.Context, in any) (any, error)) {
	if op.access == "" && op.module != "" {
		op.access = accessModule
	}
	if op.maxBody == 0 {
		op.maxBody = maxBodyBytes
	}
	op.hasBody = hasBody(input)
	s.actions = append(s.actions, op.audits...)
	h := huma.Operation{
		OperationID:      op.id,
		Method:           op.method,
		Path:             apiPrefix + op.path,
		Summary:          op.summary,
		Description:      op.description,
		Tags:             []string{op.tag},
		DefaultStatus:    op.status,
		MaxBodyBytes:     op.maxBody,
		BodyReadTimeout:  bodyTimeout,
		SkipValidateBody: true,
		Middlewares:      huma.Middlewares{s.require(*op)},
		Errors:           slices.Clone(op.errors),
		Extensions:       map[string]any{"x-access": string(op.access), "x-module": op.module},
	}
	if op.permission != "" {
		h.Extensions["x-permission"] = string(op.permission)
	}
	more := []int{http.StatusInternalServerError}
	if op.access != accessPublic {
		more = append(more, http.StatusUnauthorized)
		h.Security = []map[string][]string{{"bearer": {}}, {"cookie": {}}}
	}
	if op.access != accessPublic {
		more = append(more, http.StatusForbidden)
	}
	if op.hasBody {
		more = append(more, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusServiceUnavailable)
	}
	if op.method != http.MethodGet || len(op.audits) > 0 {
		more = append(more, http.StatusInsufficientStorage)
	}
	if op.spends() {
		more = append(more, http.StatusTooManyRequests)
	}
	for _, status := range more {
		if !slices.Contains(h.Errors, status) {
			h.Errors = append(h.Errors, status)
		}
	}
	if op.content != nil {
		h.Responses = map[string]*huma.Response{"200": op.content}
	}
	e := s.newEndpoint(&h, input, output)
	e.call = call
	s.api.Adapter().Handle(&h, h.Middlewares.Handler(e.serve))
}

// hasBody reports whether an input has a body or a file.
func hasBody(input reflect.Type) bool {
	for _, f := range reflect.VisibleFields(input) {
		if f.Name == "Body" || f.Type == reflect.TypeFor[upload]() {
			return true
		}
	}
	return false
}

// bodyTimeout is how long a body may take to arrive.
const bodyTimeout = 25 * time.Second

// fail answers with problem details. What the client cannot mend is logged and
// told without its inside.
func (s *Server) fail(ctx huma.Context, operation string, err error) {
	if more, ok := errors.AsType[huma.HeadersError](err); ok {
		for name, values := range more.GetHeaders() {
			for _, v := range values {
				ctx.AppendHeader(name, v)
			}
		}
	}
	s.answer(ctx, s.problem(operation, err))
}

func (s *Server) problem(operation string, err error) *Problem {
	if p, ok := errors.AsType[*Problem](refusedIn(err, nil)); ok {
		return p
	}
	switch {
	case errors.Is(err, pbx.ErrPending):
		return refuse(http.StatusConflict, "Another change waits to be confirmed. Confirm it or go back first.")
	case errors.Is(err, pbx.ErrTooMany):
		return refuse(http.StatusConflict, "There is no room for more. Delete something first.")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusServiceUnavailable, "The request was given up before it was done.")
	}
	s.Log.Error("web request failed", "operation", operation, "err", err)
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return refuse(http.StatusInsufficientStorage, "The device's memory is full. Nothing can be saved. Nothing was changed.")
	case errors.Is(err, syscall.EROFS), errors.Is(err, syscall.EIO):
		return refuse(http.StatusInsufficientStorage, "The device's memory cannot be written. Nothing was changed. Restart the device; when that does not help, have it repaired.")
	}
	return refuse(http.StatusInternalServerError, "The device could not do this. Its log says why.")
}

// EntryPath is the path parameter that names one entry.
type EntryPath struct {
	ID string `path:"id" title:"Identifier" doc:"Identifier of the entry" minLength:"1" maxLength:"26"`
}

// ifMatch is the header of IfMatch.
const ifMatch = "If-Match"

// IfMatch makes a change depend on the state that the client has seen.
type IfMatch struct {
	Tag string `header:"If-Match" title:"If-Match" doc:"ETag of the entry that the change is made from. Another one answers 412, none 428; * overwrites whatever is there." maxLength:"200"`
}

// check answers 428 when the client does not say which state its change is
// made from (RFC 6585 section 3), and 412 when it is another than that of tag
// (RFC 9110 section 13.1.1).
func (m IfMatch) check(tag string) error {
	switch m.Tag {
	case "":
		return refuse(http.StatusPreconditionRequired, "Send If-Match with the ETag that you have read, or * to overwrite whatever is there.")
	case "*":
		return nil
	}
	for t := range strings.SplitSeq(m.Tag, ",") {
		if strings.TrimSpace(t) == tag {
			return nil
		}
	}
	return refuse(http.StatusPreconditionFailed, "Somebody else has changed this in the meantime.")
}

// tagged is an answer with the ETag of what it shows.
type tagged[T any] struct {
	ETag string `header:"ETag" title:"ETag" doc:"State of the entry, for If-Match" maxLength:"100"`
	Body T
}

// created answers a POST that has made an entry.
type created[T any] struct {
	ETag     string `header:"ETag" title:"ETag" doc:"State of the entry, for If-Match" maxLength:"100"`
	Location string `header:"Location" title:"Location" doc:"Address of the entry" maxLength:"200"`
	Body     T
}

type none struct{}

type answer[T any] struct {
	Body T
}
