package web

import (
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	apiPrefix  = "/api/v1"
	cookieName = "__Host-galilei" // the prefix binds it to this host, path / and TLS (RFC 6265bis section 4.1.3.2)
)

// routes builds the handler of all that the TLS port answers.
func (s *Server) routes(page http.Handler) http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Galilei", "1")
	config.Info.Description = "Telephone system. Log in with POST " + apiPrefix + "/login; scripts send the token as Authorization: Bearer. Errors are problem details (RFC 9457) that name the field."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil // no $schema links in bodies
	config.FieldsOptionalByDefault = true
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "Token of POST /login"},
		"cookie": {Type: "apiKey", In: "cookie", Name: cookieName, Description: "Set by POST /login, for the page"},
	}
	s.api = humago.New(mux, config)
	s.registerLogin()
	s.registerProfile()
	s.registerCalls()
	s.registerJournal()
	s.registerRecords()
	s.registerLiveCalls()
	s.registerClickToCall()
	s.registerTry()
	s.registerTraces()
	s.registerTexts()
	s.registerCodeCard()
	s.registerPhoneLogin()
	s.registerImpersonation()
	s.registerResources()
	s.registerUsers()
	s.registerUserImport()
	s.registerUserExport()
	s.registerContacts()
	s.registerPictures()
	s.registerOverviews()
	s.registerSettings()
	s.registerDrafts()
	s.registerCountries()
	s.registerDelivery()
	s.registerCertificates()
	s.registerLicense()
	s.registerWizard()
	s.registerPending()
	s.registerStatus()
	s.registerEvents()
	s.registerHistory()
	s.registerAudit()
	annotate(s.api.OpenAPI().Components.Schemas)
	annotateParameters(s.api.OpenAPI())
	description := sync.OnceValues(func() (*asset, error) { // few ask for it
		spec, err := s.api.OpenAPI().MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("write openapi.json: %w", err)
		}
		return newAsset("openapi.json", spec)
	})
	mux.HandleFunc("GET "+apiPrefix+"/openapi.json", func(w http.ResponseWriter, r *http.Request) {
		d, err := description()
		if err != nil {
			s.Log.Error("the description of the API cannot be given", "err", err)
			writeProblem(w, refuse(http.StatusInternalServerError, "The device could not do this. Its log says why."))
			return
		}
		d.ServeHTTP(w, r)
	})
	for path, item := range s.api.OpenAPI().Paths {
		refuseOtherMethods(mux, path, item)
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, refuse(http.StatusNotFound, "There is no such resource."))
	})
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.Handle("/", page)

	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, refuse(http.StatusForbidden, "This request comes from another site's page."))
	}))
	return s.recovered(secured(s.leaveOld(cross.Handler(mux))))
}

// refuseOtherMethods answers for the methods that a resource does not have,
// each by itself: a pattern for all of them would be in the way of another
// resource's, as /users/import is of /users/{id}.
func refuseOtherMethods(mux *http.ServeMux, path string, item *huma.PathItem) {
	known := map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete}
	var allow []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		if known[method] != nil {
			allow = append(allow, method)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
		if known[method] != nil {
			continue
		}
		mux.HandleFunc(method+" "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			writeProblem(w, refuse(http.StatusMethodNotAllowed, "This resource does not know {method}.", "method", r.Method))
		})
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
