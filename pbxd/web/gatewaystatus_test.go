package web

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// TestTryPattern evaluates patterns of gateway groups (F186) and dial commands
// (F160) as calls do, and names the field that is wrong.
func TestTryPattern(t *testing.T) {
	t.Parallel()
	c := loggedIn(t, newServer(t, newMemory(), nil))
	for _, tc := range []struct{ search, replace, number, want string }{
		{"^(.*)", "00498912345678", "101", "00498912345678"},
		{`^\d\d\d\d(\d)`, "052512088$1", "12345", "0525120885"},
		{`498912345678(\d)`, "10$1", "4989123456782", "102"},
		{"", "", "101", "101"},
		{"^9", "", "101", "101"},
	} {
		var got TriedPattern
		c.want(200, "GET", "/dialplan/try-pattern?"+url.Values{"search": {tc.search}, "replace": {tc.replace}, "number": {tc.number}}.Encode(), "", &got)
		if got.Result != tc.want || got.Matches != (tc.search != "" && tc.search != "^9") {
			t.Errorf("%s by %q to %q: got %+v, want %s", tc.number, tc.search, tc.replace, got, tc.want)
		}
	}
	for _, tc := range []struct{ command, want string }{{"", "005251123456"}, {"PJSIP/{prefix}{number:1}@{gateway}", "7705251123456"}, {"{number:20}", ""}} {
		var got TriedCommand
		if c.want(200, "GET", "/dialplan/try-dial-command?"+url.Values{"command": {tc.command}, "prefix": {"77"}, "number": {"005251123456"}}.Encode(), "", &got); got.Sent != tc.want {
			t.Errorf("dial command %q: got %q, want %q", tc.command, got.Sent, tc.want)
		}
	}
	for _, tc := range []struct{ path, field, words string }{
		{"try-pattern?search=%28", "query.search", "no regular expression"},
		{"try-pattern?search=%5E1&replace=$2", "query.replace", "refers to a group"},
		{"try-pattern?replace=1", "query.search", "is needed"},
		{"try-pattern?search=" + strings.Repeat("1", 201), "query.search", ""},
		{"try-pattern?number=abc", "query.number", ""},
		{"try-dial-command?command=123", "query.command", "no place for the number"},
	} {
		if res := c.do("GET", apiPrefix+"/dialplan/"+tc.path, ""); res.StatusCode != 422 || !strings.Contains(res.text, `"`+tc.field+`"`) || !strings.Contains(res.text, tc.words) {
			t.Errorf("%s: got %d %s, want %s refused", tc.path, res.StatusCode, res.text, tc.field)
		}
	}
}

// TestSIPStatus joins what is configured with the states of now (F230).
func TestSIPStatus(t *testing.T) {
	t.Parallel()
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	m.edit(t, func(cfg *pbx.Config) {
		outsideLines(cfg)
		spare := cfg.Gateways[0]
		spare.ID, spare.Name, spare.Group, spare.Transport = "gw2", "backup", "", pbx.TransportTCP
		cfg.Gateways = append(cfg.Gateways, spare)
		cfg.Transports[1].ExternalSignalling = "2001:db8::1"
	})
	m.tell(pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: "gw1", State: pbx.LineRefused, Since: time.Now(), Status: 403}})
	var st SIPStatus
	c.want(200, "GET", "/sip-status", "", &st)
	if len(st.Gateways) != 2 || st.Gateways[0].Name != "backup" || st.Gateways[0].Line != nil || st.Gateways[0].Transport != "default-tcp" {
		t.Fatalf("got %+v", st.Gateways)
	}
	if g := st.Gateways[1]; g.Group != "Outside" || g.User != "4989123" || g.Registrar != "sip.example" || !g.Register || g.Line == nil || g.Line.State != pbx.LineRefused || g.Line.Status != 403 {
		t.Errorf("got %+v", g)
	}
	want := []TransportStatus{{ID: pbx.TransportTCP, Name: "default-tcp", Type: "tcp", Address: "0.0.0.0:5070", External: "[2001:db8::1]:5070", Gateways: 1},
		{ID: pbx.TransportUDP, Name: "default-udp", Type: "udp", Address: "0.0.0.0:5070", Gateways: 1}}
	if !slices.Equal(st.Transports, want) {
		t.Errorf("transports: got %+v", st.Transports)
	}
}
