package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"

	"galilei/pbxd/pbx"
)

func TestOpenAPI(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	c := &client{t: t, s: s, addr: lanAddr}
	var spec struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ Summary string }
		Components struct {
			Schemas map[string]struct {
				Required   []string
				Properties map[string]map[string]any
			}
		}
	}
	c.want(200, "GET", "/openapi.json", "", &spec)
	if !strings.HasPrefix(spec.OpenAPI, "3.1") || len(spec.Paths) < 40 {
		t.Errorf("OpenAPI %s with %d paths", spec.OpenAPI, len(spec.Paths))
	}
	for path, methods := range spec.Paths {
		for method, op := range methods {
			if op.Summary == "" {
				t.Errorf("%s %s has no summary", method, path)
			}
		}
	}
	sip, user, hunt := spec.Components.Schemas["SIP"], spec.Components.Schemas["UserChange"], spec.Components.Schemas["HuntGroupSettings"]
	for _, tc := range []struct {
		prop      map[string]any
		key, want string
	}{
		{sip.Properties["ringTime"], "x-unit", "s"},
		{sip.Properties["ringTime"], "maximum", "600"},
		{sip.Properties["ringTime"], "title", "Ring time"},
		{sip.Properties["externalAddress"], "x-format", "ip"},
		{user.Properties["user"], "patternDescription", "lowercase letters, digits, '-' and '_'"},
		{user.Properties["extension"], "pattern", "^([0-9]{2,10})?$"},
		{user.Properties["mobile"], "pattern", "^(\\+?[0-9*#]+)?$"},
		{user.Properties["sipPassword"], "writeOnly", "true"},
		{user.Properties["pickupGroups"], "x-ref", "pickupGroups"},
		{hunt.Properties["callScheme"], "default", "linear"},
		{spec.Components.Schemas["GatewayChange"].Properties["codecs"], "default", "[g722 pcma pcmu]"},
		{hunt.Properties["callScheme"], "enum", "[linear parallel]"},
	} {
		if got := fmt.Sprint(tc.prop[tc.key]); got != tc.want {
			t.Errorf("%s of %v: got %s, want %s", tc.key, tc.prop["title"], got, tc.want)
		}
	}
	if fmt.Sprint(user.Required) != "[user]" {
		t.Errorf("required of UserChange: got %v, want [user]", user.Required)
	}
	if got := spec.Components.Schemas["PickupGroupSettings"].Required; !slices.Contains(got, "number") {
		t.Errorf("required of PickupGroupSettings: got %v, want number among them", got)
	}
	for name, schema := range spec.Components.Schemas {
		for prop := range schema.Properties {
			if strings.Contains(prop, "pinHash") || strings.Contains(prop, "Sealed") {
				t.Errorf("schema %s shows %s", name, prop)
			}
		}
	}
}

// TestSchemasAreComplete checks that every parameter has a title and a
// description, every number its range, every pattern its words.
func TestSchemasAreComplete(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	for name, schema := range s.api.OpenAPI().Components.Schemas.Map() {
		for prop, p := range schema.Properties {
			checkParameter(t, name+"."+prop, p)
		}
	}
	walk(s, func(_ string, op *huma.Operation) {
		for _, p := range op.Parameters {
			p.Schema.Title = p.Name // a parameter has a name and no title
			p.Schema.Description = p.Description
			checkParameter(t, op.OperationID+" "+p.Name, p.Schema)
		}
		for status, r := range op.Responses {
			for media, content := range r.Content {
				if content.Schema == nil || status[0] != '2' && content.Schema.Ref != schemaPrefix+"Problem" {
					t.Errorf("%s: answer %s %s: unexpected schema", op.OperationID, status, media)
				}
			}
		}
	})
}

func checkParameter(t *testing.T, path string, p *huma.Schema) {
	t.Helper()
	text := p
	if p.Type == huma.TypeArray {
		text = p.Items
	}
	switch {
	case p.Title == "" || p.Description == "":
		t.Errorf("%s: title %q, description %q", path, p.Title, p.Description)
	case p.Type == huma.TypeInteger && (p.Minimum == nil || p.Maximum == nil || *p.Minimum > *p.Maximum):
		t.Errorf("%s: no range", path)
	case text.Type == huma.TypeString && text.Pattern != "" && text.PatternDescription == "":
		t.Errorf("%s: a pattern without a description", path)
	}
}

// TestOpenAPIIsValid checks the document against OpenAPI 3.1, and the answers
// to every GET against the document.
func TestOpenAPIIsValid(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := newServer(t, m, nil)
	s.Traces = oneCall()
	c := loggedIn(t, s)
	doc, err := libopenapi.NewDocument([]byte(c.want(200, "GET", "/openapi.json", "", nil).text))
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	defer v.Release()
	if ok, wrong := v.ValidateDocument(); !ok {
		for _, w := range wrong {
			t.Errorf("%s: %s %v", w.Message, w.Reason, w.SchemaValidationErrors)
		}
	}
	m.tell(registration("101", "Snom", "192.168.0.21:5060"))
	m.edit(t, func(cfg *pbx.Config) {
		cfg.PickupGroups = append(cfg.PickupGroups, pbx.PickupGroup{ID: "p1", PickupGroupSettings: pbx.PickupGroupSettings{Number: 1, Name: "Office", Members: []string{"demo101"}}})
		cfg.HuntGroups = append(cfg.HuntGroups, pbx.HuntGroup{ID: "h1", HuntGroupSettings: pbx.HuntGroupSettings{Extension: "600", Title: "Sales", CallScheme: "linear",
			Members: []pbx.HuntMember{{User: "demo101", Timeout: 5}}}})
		cfg.ProvisioningGroups = append(cfg.ProvisioningGroups, pbx.ProvisioningGroup{ID: "v1", ProvisioningGroupSettings: pbx.ProvisioningGroupSettings{Name: "Desk"}})
		outsideLines(cfg)
	})
	if err := m.AddContacts(t.Context(), "", []pbx.Contact{{ID: "c1", ContactSettings: pbx.ContactSettings{LastName: "Maier", Office: "+49 89 1"}}}); err != nil {
		t.Fatal(err)
	}
	m.recorded(pbx.CallRecord{Call: "7", Direction: pbx.RecordOut, Dialled: "0891", Result: pbx.RecordBusy, Toll: pbx.TollLocal, Began: time.Now(), Ended: time.Now(), Legs: []pbx.RecordLeg{{Began: time.Now(), Ended: time.Now(), Act: pbx.RecordForwarded}}})
	n := 0
	walk(s, func(method string, op *huma.Operation) {
		if method != "GET" || op.OperationID == "events" || strings.Contains(op.Path, "{hash}") {
			return
		}
		id := map[string]string{"users": "demo101", "certificates": "device", "pickup-groups": "p1", "hunt-groups": "h1", "permission-groups": pbx.GroupAllUsers, "gui-groups": pbx.GUIGroupUser,
			"provisioning-groups": "v1", "contacts": "c1", "calls": "7", "call-records": "1",
			"gateways": "gw1", "gateway-groups": "gg1", "transports": "defaultudp", "inbound-routes": "in1", "outbound-routes": "out1", "calendars": "cal1"}[strings.Split(strings.TrimPrefix(op.Path, apiPrefix+"/"), "/")[0]]
		path := strings.NewReplacer("{id}", id, "{number}", "2", "{code}", "DE").Replace(op.Path)
		res := c.do("GET", path, "")
		if res.StatusCode != 200 || !strings.Contains(res.Header.Get("Content-Type"), "json") {
			if !slices.Contains([]string{"get-private-contact"}, op.OperationID) && !strings.HasPrefix(op.OperationID, "export-") && !strings.HasPrefix(op.OperationID, "download-") {
				t.Errorf("GET %s: got %d %s", path, res.StatusCode, res.text)
			}
			return
		}
		n++
		checkAnswer(t, v, path, res)
	})
	if n < 30 {
		t.Errorf("only %d answers were checked", n)
	}
}

func checkAnswer(t *testing.T, v validator.Validator, path string, res *response) {
	t.Helper()
	r := httptest.NewRequest("GET", "https://galilei"+path, nil)
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", res.Header.Get("Content-Type"))
	w.WriteHeader(http.StatusOK)
	w.Body.WriteString(res.text)
	if ok, wrong := v.ValidateHttpResponse(r, w.Result()); !ok {
		for _, x := range wrong {
			t.Errorf("GET %s: %s", path, x.Message)
			for _, y := range x.SchemaValidationErrors {
				t.Errorf("GET %s: at %s: %s", path, y.KeywordLocation, y.Reason)
			}
		}
	}
}
