package pbxdtest

import (
	"net/url"
	"testing"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// Somebody outside who calls has the name of the internal directory or of the
// global contacts, however the number is written there and sent by the provider.
func TestNameOfACaller(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Configure: func(c *pbx.Config) {
		c.Locale.AreaCode = "89"
		g, group := pbx.Gateway{ID: "line"}, pbx.GatewayGroup{ID: "main"}
		pbx.SetDefaults(&g.GatewaySettings)
		pbx.SetDefaults(&group.GatewayGroupSettings)
		g.Name, g.Group, g.Registrar, g.User, g.Codecs, g.Register = "Line", "main", "127.0.0.1", "u", []string{"pcma"}, false
		group.Title, group.InboundCallerID = "Main", pbx.SearchReplace{Search: "^0", Replace: "00"}
		c.Gateways, c.GatewayGroups = []pbx.Gateway{g}, []pbx.GatewayGroup{group}
		u := c.UserByExtension("102")
		u.FirstName, u.LastName, u.Mobile = "Ben", "Demo", "01701234567"
	}})
	admin := s.Login()
	for i, number := range []string{"223344", "089/22 33 45", "+49 (0)89 223346", "0049 89 22-33-47", "+43 1 5331234"} {
		admin.Do("POST", "/api/v1/contacts", map[string]any{"lastName": "Contact", "firstName": string(rune('A' + i)), "office": number}, 201, nil)
	}
	admin.Do("POST", "/api/v1/contacts", map[string]any{"lastName": "Ben's mobile", "mobile": "0170 1234567"}, 201, nil)
	for caller, want := range map[string]string{
		"+4989223344": "A Contact", "089223345": "B Contact", "004989223346": "C Contact", "223347": "D Contact", "004315331234": "E Contact",
		"+491701234567": "Ben Demo", "089223399": "", "": "",
	} {
		var tried struct{ Decision dialplan.Decision }
		admin.Do("GET", "/api/v1/dialplan/try?"+url.Values{"gateway": {"line"}, "caller": {caller}, "digits": {"101"}}.Encode(), nil, 200, &tried)
		if r := tried.Decision.Ring; len(r) != 1 || r[0].CallerName != want {
			t.Errorf("%s rings %+v, want the name %q", caller, r, want)
		}
	}
}
