package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// TestTextsAreBounded wants a length, a choice or a form for every text that a
// client may send.
func TestTextsAreBounded(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	var check func(where string, p *huma.Schema)
	check = func(where string, p *huma.Schema) {
		switch {
		case p == nil:
		case p.Type == huma.TypeArray:
			check(where+"[]", p.Items)
			if p.MaxItems == nil {
				t.Errorf("%s has no maxItems", where)
			}
		case p.Type == huma.TypeString && p.MaxLength == nil && len(p.Enum) == 0 && p.Format != "date-time" && p.Format != "binary":
			t.Errorf("%s has no maxLength", where)
		case p.Type == huma.TypeObject:
			for name, f := range p.Properties {
				if !f.ReadOnly {
					check(where+"."+name, f)
				}
			}
		}
	}
	r := s.api.OpenAPI().Components.Schemas
	walk(s, func(path string, op *huma.Operation) {
		for _, p := range op.Parameters {
			check(op.OperationID+" "+p.Name, p.Schema)
		}
		if op.RequestBody == nil {
			return
		}
		for _, m := range op.RequestBody.Content {
			if m.Schema != nil && m.Schema.Ref != "" {
				check(strings.TrimPrefix(m.Schema.Ref, schemaPrefix), r.SchemaFromRef(m.Schema.Ref))
			}
		}
	})
}

// TestConditionalOperations wants what If-Match brings with it in the
// description of each operation that takes it.
func TestConditionalOperations(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	n := 0
	walk(s, func(path string, op *huma.Operation) {
		for _, p := range op.Parameters {
			if p.Name != ifMatch {
				continue
			}
			n++
			if !p.Required || op.Responses["412"] == nil || op.Responses["428"] == nil {
				t.Errorf("%s: If-Match is required: %t; 412 named: %t; 428 named: %t", op.OperationID, p.Required, op.Responses["412"] != nil, op.Responses["428"] != nil)
			}
		}
	})
	if n < 20 {
		t.Errorf("only %d operations take If-Match", n)
	}
}

// TestNamedRefusals wants refusals that a client must expect in the
// descriptions.
func TestNamedRefusals(t *testing.T) {
	wanted := map[string][]string{"upload-license": {"409", "415", "422"}, "set-user-image": {"409", "413", "422"}, "set-own-image": {"409"}, "set-contact-image": {"409"},
		"logout": {"401", "403"}, "create-user": {"400", "403", "409", "415", "422", "507"}, "change-locale": {"507"}, "export-users": {"507"}}
	walk(newServer(t, newMemory(), nil), func(_ string, op *huma.Operation) {
		for _, status := range wanted[op.OperationID] {
			if op.Responses[status] == nil {
				t.Errorf("%s does not name %s", op.OperationID, status)
			}
		}
		if op.RequestBody == nil && op.Responses["415"] != nil {
			t.Errorf("%s has no body and names 415", op.OperationID)
		}
		delete(wanted, op.OperationID)
	})
	if len(wanted) > 0 {
		t.Errorf("not found: %v", wanted)
	}
}

// TestTypeWithoutBody sends a Content-Type where nothing is read.
func TestTypeWithoutBody(t *testing.T) {
	c := loggedIn(t, newServer(t, newMemory(), nil))
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		path := map[string]string{http.MethodGet: "/session", http.MethodPost: "/logout"}[method]
		if res := c.do(method, apiPrefix+path, "", "Content-Type", "text/plain"); res.StatusCode >= 300 {
			t.Errorf("%s %s: got %d %s", method, path, res.StatusCode, res.text)
		}
	}
}
