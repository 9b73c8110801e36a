package pbxdtest

import (
	"net/netip"
	"net/url"
	"strings"
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

// The phone shows what its user calls who calls, the page of administrators what
// everybody does.
func TestNameOnThePhone(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Configure: coded("101", "314159")})
	admin, anna := s.Login(), s.As("demo101", "314159")
	c := NewCarrier(t, netip.AddrPort{})
	c.Lines(admin, "a", nil)
	s.LineIs(admin, c.Gateway, "up")
	p, q := s.Phone("101", "udp").MustRegister(), s.Phone("102", "udp").MustRegister()
	admin.Do("POST", "/api/v1/contacts", map[string]any{"company": "Mill Ltd", "office": "+49 (0)89 22 33-44"}, 201, nil)
	anna.Do("POST", "/api/v1/private-contacts", map[string]any{"firstName": "Uncle", "lastName": "Joe", "home": "0049 89 223344"}, 201, nil)
	for _, x := range []struct {
		phone *Phone
		name  string
	}{{p, "Uncle Joe"}, {q, "Mill Ltd"}} {
		in := c.call(x.phone.Ext, `sip:089223344@`+c.At.String(), "")
		rings := x.phone.Ringing()
		if from := rings.Invite.Get("From"); !strings.HasPrefix(from, `"`+x.name+`" <sip:089223344@`) {
			t.Errorf("%s shows %s, want %s", x.phone.Ext, from, x.name)
		}
		var live []struct{ From, FromName string }
		admin.Do("GET", "/api/v1/calls", nil, 200, &live)
		if len(live) != 1 || live[0].FromName != "Mill Ltd" {
			t.Errorf("among the calls of now: %+v", live)
		}
		rings.Reply(486, "Busy Here", "")
		in.AckRefusal(c.Final("INVITE"))
	}
	s.Eventually("the call to be in the journal", func() bool {
		var journal []struct{ Name string }
		anna.Do("GET", "/api/v1/profile/journal", nil, 200, &journal)
		return len(journal) == 1 && journal[0].Name == "Uncle Joe"
	})
}
