package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"galilei/pbxd/pbx"
)

const (
	apiPrefix  = "/api/v1"
	cookieName = "__Host-galilei" // the prefix binds it to this host, path / and TLS (RFC 6265bis section 4.1.3.2)
)

// access is who may call an operation. The zero value is nobody.
type access string

const (
	accessPublic access = "public" // anybody
	accessAny    access = "any"    // logged in, even when the PIN must be changed first
	accessUser   access = "user"   // logged in
	accessAdmin  access = "admin"  // logged in as an administrator
)

// operation describes one call of the API.
type operation struct {
	id, method, path     string
	summary, description string
	tag                  string
	access               access
	status               int   // of success; 0 means 200
	errors               []int // beside those of access and 500
	content              *huma.Response
}

// caller is who sent a request.
type caller struct {
	user   pbx.User // as configured now
	token  tokenHash
	cookie bool      // the token came as a cookie
	ends   time.Time // of the session, at the latest
}

type callerKey struct{}

func callerOf(ctx context.Context) *caller {
	c, _ := ctx.Value(callerKey{}).(*caller)
	return c
}

// register adds an operation. Bodies are checked by their own types and by
// pbx.Validate, which says more than a schema can, and all at once.
func register[I, O any](s *Server, op operation, handle func(context.Context, *I) (*O, error)) {
	h := huma.Operation{
		OperationID:      op.id,
		Method:           op.method,
		Path:             apiPrefix + op.path,
		Summary:          op.summary,
		Description:      op.description,
		Tags:             []string{op.tag},
		DefaultStatus:    op.status,
		MaxBodyBytes:     maxBodyBytes,
		SkipValidateBody: true,
		Middlewares:      huma.Middlewares{s.require(op.access)},
		Errors:           op.errors,
		Extensions:       map[string]any{"x-access": string(op.access)},
	}
	if op.access != accessPublic {
		h.Errors = append(h.Errors, http.StatusUnauthorized)
		h.Security = []map[string][]string{{"bearer": {}}, {"cookie": {}}}
	}
	if op.access == accessUser || op.access == accessAdmin {
		h.Errors = append(h.Errors, http.StatusForbidden)
	}
	if op.content != nil {
		h.Responses = map[string]*huma.Response{"200": op.content}
	}
	huma.Register(s.api, h, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, s.problem(op.id, err)
		}
		return out, nil
	})
}

// problem turns what went wrong into problem details. What the client cannot
// mend is logged and told without its inside.
func (s *Server) problem(operation string, err error) error {
	var status huma.StatusError
	var invalid *pbx.ValidationError
	switch {
	case errors.As(err, &status):
		return err
	case errors.As(err, &invalid):
		return invalidFields(invalid, "")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return huma.Error503ServiceUnavailable("The request was given up before it was done.")
	}
	s.Log.Error("web request failed", "operation", operation, "err", err)
	if errors.Is(err, syscall.ENOSPC) {
		return huma.NewError(http.StatusInsufficientStorage, memoryFull+" Nothing was changed.")
	}
	return huma.Error500InternalServerError("The device could not do this. Its log says why.")
}

const memoryFull = "The device's memory is full. Nothing can be saved."

// changePINProblem is the problem type (RFC 9457 section 3.1.1) of a refusal
// that ends when the user has changed the PIN.
const changePINProblem = "urn:galilei:problem:change-pin"

// require lets a request pass when its sender has the access.
func (s *Server) require(a access) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		refuse := func(status int, detail string) {
			if err := huma.WriteErr(s.api, ctx, status, detail); err != nil {
				s.Log.Debug("refusal not delivered", "status", status, "err", err)
			}
		}
		if !sendsJSON(ctx) {
			refuse(http.StatusUnsupportedMediaType, "Send Content-Type: application/json.")
			return
		}
		if a == accessPublic {
			next(ctx)
			return
		}
		c := s.callerOfRequest(ctx, true)
		switch {
		case c == nil:
			ctx.SetHeader("WWW-Authenticate", "Bearer")
			refuse(http.StatusUnauthorized, "Log in first.")
		case c.cookie && !sentByPage(ctx):
			refuse(http.StatusForbidden, "A cookie counts only for requests of the device's own page. Scripts send the token as Authorization: Bearer.")
		case a == accessAny:
			next(huma.WithValue(ctx, callerKey{}, c))
		case mustChangePIN(&c.user):
			ctx.SetHeader("Content-Type", "application/problem+json")
			ctx.SetStatus(http.StatusForbidden)
			// An error means that the client is gone.
			_ = json.NewEncoder(ctx.BodyWriter()).Encode(huma.ErrorModel{Type: changePINProblem, Title: http.StatusText(http.StatusForbidden),
				Status: http.StatusForbidden, Detail: "Change your PIN first."})
		case a == accessUser, a == accessAdmin && c.user.Admin:
			next(huma.WithValue(ctx, callerKey{}, c))
		default:
			refuse(http.StatusForbidden, "Only administrators may do this.")
		}
	}
}

// sendsJSON reports whether the body, if any, says that it is JSON. That no
// other type is taken also keeps plain forms of other sites out.
func sendsJSON(ctx huma.Context) bool {
	t := ctx.Header("Content-Type")
	if t == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(t)
	return err == nil && media == "application/json"
}

// callerOfRequest returns who sent the request, or nil. A token in the
// Authorization header goes before the cookie.
func (s *Server) callerOfRequest(ctx huma.Context, touch bool) *caller {
	c := &caller{}
	if auth := ctx.Header("Authorization"); auth != "" {
		scheme, token, _ := strings.Cut(auth, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return nil
		}
		c.token = hashToken(strings.TrimSpace(token))
	} else {
		cookie, err := huma.ReadCookie(ctx, cookieName)
		if err != nil {
			return nil
		}
		c.token, c.cookie = hashToken(cookie.Value), true
	}
	if !s.refresh(c, touch) {
		return nil
	}
	return c
}

// refresh reads the caller's user as configured now. It returns false when the
// session is over.
func (s *Server) refresh(c *caller, touch bool) bool {
	cfg, _ := s.Store.Current()
	u, ends := s.sessions.user(c.token, cfg, s.Now(), touch)
	if u == nil {
		return false
	}
	c.user, c.ends = *u, ends
	return true
}

// sentByPage reports whether a browser says that a request which changes
// something comes from the device's own page. That it is not from another one
// http.CrossOriginProtection has checked; here one of its headers must be
// there at all.
func sentByPage(ctx huma.Context) bool {
	switch ctx.Method() {
	case http.MethodGet, http.MethodHead:
		return true
	}
	return ctx.Header("Sec-Fetch-Site") != "" || ctx.Header("Origin") != ""
}

func mustChangePIN(u *pbx.User) bool { return u.MustChangePIN || u.PIN == pbx.FactoryPIN }

// routes builds the handler of all that the TLS port answers.
func (s *Server) routes(page http.Handler) (http.Handler, error) {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Galilei", "1")
	config.Info.Description = "Telephone system. Log in with POST " + apiPrefix + "/login; scripts send the token as Authorization: Bearer. Errors are problem details (RFC 9457) that name the field."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil // no $schema links in bodies
	config.FieldsOptionalByDefault = true
	config.Formats = map[string]huma.Format{"application/json": jsonFormat(), "json": jsonFormat()}
	config.Transformers = []huma.Transformer{withoutValues}
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "Token of POST /login"},
		"cookie": {Type: "apiKey", In: "cookie", Name: cookieName, Description: "Set by POST /login, for the page"},
	}
	s.api = humago.New(mux, config)
	s.registerLogin()
	s.registerUsers()
	s.registerSettings()
	s.registerStatus()
	s.registerEvents()
	s.registerHistory()
	annotate(s.api.OpenAPI().Components.Schemas)
	spec, err := s.api.OpenAPI().MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("write openapi.json: %w", err)
	}
	description, err := newAsset("openapi.json", spec)
	if err != nil {
		return nil, err
	}
	mux.Handle("GET "+apiPrefix+"/openapi.json", description)
	for path, item := range s.api.OpenAPI().Paths {
		mux.HandleFunc(path, methodNotAllowed(item))
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, http.StatusNotFound, "There is no such resource.")
	})
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.Handle("/", page)

	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, http.StatusForbidden, "This request comes from another site's page.")
	}))
	return s.recovered(secured(cross.Handler(mux))), nil
}

// methodNotAllowed answers for the methods that a resource does not have.
func methodNotAllowed(item *huma.PathItem) http.HandlerFunc {
	var allow []string
	for method, op := range map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete,
	} {
		if op != nil {
			allow = append(allow, method)
		}
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		writeProblem(w, http.StatusMethodNotAllowed, "This resource does not know "+r.Method+".")
	}
}

func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err := s.Health(r.Context()); err != nil {
		s.Log.Warn("not healthy", "err", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "not ready")
		return
	}
	fmt.Fprintln(w, "ok")
}
