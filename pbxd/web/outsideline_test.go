package web

import (
	"testing"

	"galilei/pbxd/pbx"
)

// TestOutsideLineChanges changes the digit for an outside line: what the wizard made
// of it follows, so that calls to the outside go on, and what somebody has written
// stays.
func TestOutsideLineChanges(t *testing.T) {
	t.Parallel()
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	c.want(200, "POST", "/wizard", `{`+locale+`,"line":{`+wizardGateway+`,"number":"+49891230"}}`, nil)
	m.edit(t, func(cfg *pbx.Config) {
		other, spare, group := cfg.OutboundRoutes[0], cfg.Gateways[0], cfg.GatewayGroups[0]
		other.ID, other.Rule, other.Pattern = "abroad", "Abroad", "^00"
		cfg.OutboundRoutes = append(cfg.OutboundRoutes, other)
		spare.ID, spare.Name, spare.User, spare.DialCommand = "spare", "Spare", "other", "PJSIP/{prefix}{number:3}@{gateway}"
		cfg.Gateways = append(cfg.Gateways, spare)
		group.ID, group.Title, group.InboundCallerID = "other", "Other", pbx.SearchReplace{Search: "^", Replace: "0"}
		cfg.GatewayGroups = append(cfg.GatewayGroups, group)
	})
	for _, tc := range []struct{ line, pattern, dial, shown string }{
		{"9", "9", "PJSIP/{prefix}{number:1}@{gateway}", "9$1"},
		{"88", "88", "PJSIP/{prefix}{number:2}@{gateway}", "88$1"},
		{"", "^(.*)", "PJSIP/{prefix}{number}@{gateway}", ""},
	} {
		c.want(200, "PUT", "/locale", `{"country":"DE","language":"en","timeZone":"","outsideLine":"`+tc.line+`"}`, nil)
		cfg := nowOf(m)
		if r, g, x := cfg.OutboundRoutes[0], cfg.Gateways[0], cfg.GatewayGroups[0]; r.Pattern != tc.pattern || g.DialCommand != tc.dial || x.InboundCallerID.Replace != tc.shown {
			t.Errorf("%q: rule %q, dial command %q, callers shown as %+v", tc.line, r.Pattern, g.DialCommand, x.InboundCallerID)
		}
		if r, g, x := cfg.OutboundRoutes[1], cfg.Gateways[1], cfg.GatewayGroups[1]; r.Pattern != "^00" || g.DialCommand != "PJSIP/{prefix}{number:3}@{gateway}" || x.InboundCallerID.Replace != "0" {
			t.Errorf("%q: what somebody has written became %q, %q, %+v", tc.line, r.Pattern, g.DialCommand, x.InboundCallerID)
		}
	}
}
