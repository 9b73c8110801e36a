package web

import (
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

const wizardGateway = `"gateway":{"name":"Telekom","registrar":"sip.example","user":"4989123","password":"geheim-1"}`

// TestWizardLine sets an outside line up (F035): gateway, group, the default
// routes (F191, F197) and the main number, in one revision, with names of their
// own each time.
func TestWizardLine(t *testing.T) {
	t.Parallel()
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	_, before := m.Current()
	res := c.want(200, "POST", "/wizard", `{`+locale+`,"users":[{"firstName":"Eva","extension":"201"}],"line":{`+wizardGateway+`,"number":"+49891230"}}`, nil)
	cfg, n := m.Current()
	if n != before+1 || len(cfg.Gateways) != 1 || len(cfg.GatewayGroups) != 1 || len(cfg.OutboundRoutes) != 1 || len(cfg.InboundRoutes) != 3 {
		t.Fatalf("revision %d after %d: %+v", n, before, cfg)
	}
	g, group, out := cfg.Gateways[0], cfg.GatewayGroups[0], cfg.OutboundRoutes[0]
	if g.Name != "Telekom" || g.Group != group.ID || g.Password == "" || !g.Register || !g.Outbound || g.DialCommand != "PJSIP/{prefix}{number:1}@{gateway}" || len(g.Codecs) != 3 || g.AllowedSubnets[0] != "0.0.0.0/0" {
		t.Errorf("gateway %+v", g)
	}
	if strings.Contains(res.text, "geheim") {
		t.Error("the answer has the password")
	}
	if group.Title != "Telekom" || !group.Inbound || group.OutboundCallerID != (pbx.SearchReplace{Search: "^(.*)", Replace: "+49891230"}) || group.InboundCallerID != (pbx.SearchReplace{Search: "^([0-9]+)$", Replace: "0$1"}) {
		t.Errorf("group %+v", group)
	}
	if out.Pattern != "0" || out.UserGroup != "" || !out.Window.Always() || !out.Active || !slices.Equal(out.Groups, []string{group.ID}) {
		t.Errorf("outbound route %+v", out)
	}
	if in := cfg.InboundRoutes; in[0].Pattern != "+49891230" || in[0].Target != "201" || in[1].Pattern != "4989123" || in[1].Target != "201" || in[2].Pattern != "^(.*)" || in[2].Target != "$1" || in[2].Profile != 0 {
		t.Errorf("inbound routes %+v", in)
	}

	var w Wizard
	c.want(200, "GET", "/wizard", "", &w)
	if !slices.Equal(w.Lines, []string{"Telekom"}) {
		t.Errorf("the second time it begins with the lines %q", w.Lines)
	}
	c.want(200, "POST", "/wizard", `{`+locale+`,"line":{`+wizardGateway+`}}`, nil)
	cfg, _ = m.Current()
	if len(cfg.Gateways) != 2 || cfg.Gateways[1].Name != "Telekom 2" || cfg.GatewayGroups[1].Title != "Telekom 2" || len(cfg.InboundRoutes) != 5 {
		t.Errorf("the second line is %+v", cfg.Gateways)
	}
	if len(cfg.OutboundRoutes) != 1 || !slices.Equal(cfg.OutboundRoutes[0].Groups, []string{cfg.GatewayGroups[0].ID, cfg.GatewayGroups[1].ID}) {
		t.Errorf("outbound routes %+v: the second line is not the next of the first", cfg.OutboundRoutes)
	}
	c.want(200, "POST", "/wizard", `{"locale":{"country":"AT","language":"de","timeZone":"","outsideLine":""},"line":{`+wizardGateway+`}}`, nil)
	if cfg, _ = m.Current(); len(cfg.OutboundRoutes) != 1 || len(cfg.OutboundRoutes[0].Groups) != 3 || cfg.OutboundRoutes[0].Pattern != "^(.*)" || cfg.GatewayGroups[2].InboundCallerID.Search != "" {
		t.Errorf("without a digit for outside lines: %+v, %+v", cfg.OutboundRoutes, cfg.GatewayGroups[2])
	}
	for _, g := range cfg.Gateways {
		if g.DialCommand != "PJSIP/{prefix}{number}@{gateway}" {
			t.Errorf("%s: the dial command is %s without a digit for outside lines", g.Name, g.DialCommand)
		}
	}
	for _, tc := range []struct{ line, field, words string }{
		{`"gateway":{"name":"","registrar":"sip.example","user":"1"}`, "line.gateway.name", "is needed"},
		{`"gateway":{"name":"A","registrar":"","user":"1"}`, "line.gateway.registrar", "is needed"},
		{`"gateway":{"name":"A","registrar":"sip.example"}`, "line.gateway.user", "is needed to register"},
		{wizardGateway + `,"number":"^(.*)"`, "line.number", "may contain only digits"},
		{wizardGateway + `,"number":"1","answer":"999"`, "line.answer", "is no extension"},
		{wizardGateway + `,"number":"1","answer":"$1"`, "line.answer", "may contain only digits"},
	} {
		c.refused(t, "POST", "/wizard", `{`+locale+`,"line":{`+tc.line+`}}`, tc.field, tc.words)
	}
	for _, tc := range []struct{ user, number, want string }{
		{"4389123", "+4389123", ""}, {"4989123", "", "4989123"}, {"089123", "+4389123", ""}, {"me.e1", "089123", `^me\.e1$`}, {"a/b", "089123", ""},
	} {
		if got := calledAs(cfg, tc.user, tc.number); got != tc.want {
			t.Errorf("user %q with the number %q is called as %q, want %q", tc.user, tc.number, got, tc.want)
		}
	}
	if after, _ := m.Current(); after != cfg {
		t.Error("a refused wizard changed the configuration")
	}
}
