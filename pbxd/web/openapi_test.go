package web

import (
	"fmt"
	"strings"
	"testing"
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
	if !strings.HasPrefix(spec.OpenAPI, "3.1") || len(spec.Paths) < 14 {
		t.Errorf("OpenAPI %s with %d paths", spec.OpenAPI, len(spec.Paths))
	}
	for path, methods := range spec.Paths {
		for method, op := range methods {
			if op.Summary == "" {
				t.Errorf("%s %s has no summary", method, path)
			}
		}
	}
	sip, user := spec.Components.Schemas["SIP"], spec.Components.Schemas["UserChange"]
	for _, tc := range []struct {
		prop      map[string]any
		key, want string
	}{
		{sip.Properties["ringTime"], "x-unit", "s"},
		{sip.Properties["ringTime"], "maximum", "600"},
		{sip.Properties["externalAddress"], "x-format", "ip"},
		{user.Properties["user"], "patternDescription", "lowercase letters, digits, '-' and '_'"},
		{user.Properties["extension"], "pattern", "^([0-9]{2,10})?$"},
		{user.Properties["sipPassword"], "writeOnly", "true"},
	} {
		if got := fmt.Sprint(tc.prop[tc.key]); got != tc.want {
			t.Errorf("%s of %v: got %s, want %s", tc.key, tc.prop["description"], got, tc.want)
		}
	}
	if fmt.Sprint(user.Required) != "[user]" {
		t.Errorf("required of UserChange: got %v, want [user]", user.Required)
	}
	for name, schema := range spec.Components.Schemas {
		for prop := range schema.Properties {
			if strings.Contains(prop, "pinHash") || strings.Contains(prop, "Sealed") {
				t.Errorf("schema %s shows %s", name, prop)
			}
		}
	}
}
