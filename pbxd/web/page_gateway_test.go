package web

import (
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/browser"
)

// state tells the page of a gateway.
func (v *visit) state(l pbx.LineStatus) {
	l.Since = time.Now()
	v.m.tell(pbx.Fact{Kind: pbx.FactLine, Line: &l})
}

// pageGateway adds a gateway with its codecs in order by keyboard (F157-F177). Its
// password is never shown again, and its state is live.
func pageGateway(t *testing.T, v *visit) {
	v.opened(t, "/gateways")
	v.Sees("There are no gateways yet.")
	v.Press("Add gateway")
	v.Heading("New gateway")
	v.Fill("Name", "Telekom")
	v.Fill("Registrar", "sip.example.org")
	v.Fill("Password", "geheim-1")
	v.Press("Add gateway")
	v.Sees("User: is needed to register")
	v.Fill("User", "4989123")
	v.Tick("G.711 µ-law", false)
	browser.Eval[bool](v.Page, `(document.querySelector('[aria-label="Move G.711 A-law up"]').focus(), true)`)
	v.Keys(kb.Enter)
	v.Until("A-law is the best, and the focus with it", "document.querySelector('.ranked li').innerText.includes('A-law') && document.activeElement.ariaLabel === 'Move G.711 A-law down'")
	v.Select("Add a parameter", "Registration time")
	v.Fill("Registration time", "30")
	v.Press("Add gateway")
	v.Sees("ust be 60 to 86400")
	v.Fill("Registration time", "600")
	v.Sees("0089123456 → 089123456")
	v.Press("Add gateway")
	v.Heading("Telekom")
	cfg, _ := v.m.Current()
	if len(cfg.Gateways) != 1 {
		t.Fatalf("gateways: got %+v", cfg.Gateways)
	}
	g := cfg.Gateways[0]
	if !slices.Equal(g.Codecs, []string{"pcma", "g722"}) || !slices.Equal(g.Parameters, []string{"expires=600"}) || g.Password == "" || g.Transport != pbx.TransportUDP || !slices.Equal(g.AllowedSubnets, []string{"0.0.0.0/0"}) {
		t.Errorf("got %+v", g)
	}

	v.Sees("A password is stored.")
	v.Holds("Password", "")
	v.Fill("Registrar", "sip.example.net") // the password would go to another server
	v.Press("Save")
	v.Sees("Password is needed again")
	v.Press("Cancel")
	v.SeesNot("Password is needed again")

	v.state(pbx.LineStatus{Gateway: g.ID, State: pbx.LineRefused, Message: pbx.Say("{host} does not answer", "host", "sip.example.org")})
	v.Sees("Refused")
	v.Sees("sip.example.org does not answer")
	v.Press("Close")
	v.state(pbx.LineStatus{Gateway: g.ID, State: pbx.LineUp, Registered: time.Now(), Calls: 3})
	v.In("Telekom").Sees("Registered")
	v.Press("Try a call from Telekom")
	v.Heading("Try a number")
	v.Until("the gateway is chosen", "document.querySelector('main select')?.value === '"+g.ID+"'")
	v.NoTroubles()
}

// pageEmergency has a clerk who sees gateways alone keep emergency calls in, and
// read that on the page.
func pageEmergency(t *testing.T, v *visit) {
	v.m.edit(t, func(cfg *pbx.Config) {
		outsideLines(cfg)
		withModules(cfg, "gerd", 313, "gateways")
		u := cfg.UserByID("gerd")
		u.PIN, u.MustChangePIN = v.s.pins.Hash("314159"), false
	})
	v.Open(v.base + "/gateways")
	v.logIn("gerd", "314159")
	v.Press("Provider")
	v.Tick("Allow outbound calls", false)
	v.Press("Save")
	const stays = "Emergency calls may not leave the device (110, 112): no gateway allows outbound calls."
	v.Sees(stays)
	v.Tick("Allow outbound calls", true)
	v.Press("Save")
	v.SeesNot(stays)
	v.NoTroubles()
}

// pageGatewayGroup tries patterns as they are typed (F180-F186), and gives a user
// a number of the own (F185), and has another gateway be tried first.
func pageGatewayGroup(t *testing.T, v *visit) {
	v.m.edit(t, outsideLines)
	v.m.edit(t, func(cfg *pbx.Config) {
		spare := cfg.Gateways[0]
		spare.ID, spare.Name, spare.User = "gw2", "Backup", "4989124"
		cfg.Gateways = append(cfg.Gateways, spare)
	})
	v.opened(t, "/gateway-groups/gg1")
	v.Heading("Outside")
	v.In("Gateways").Sees("Provider")
	browser.Eval[bool](v.Page, `(document.querySelector('[aria-label="Move Backup up"]').focus(), true)`)
	v.Keys(kb.Enter)
	v.Until("Backup is the first, and the focus with it", "document.querySelector('ol.lines li').innerText.includes('Backup') && document.activeElement.ariaLabel === 'Move Backup down'")
	v.state(pbx.LineStatus{Gateway: "gw2", State: pbx.LineUp, Calls: 1})
	v.Until("the focus stays when a state changes", "document.querySelector('ol.lines li').innerText.includes('Available') && document.activeElement.ariaLabel === 'Move Backup down'")
	if cfg, _ := v.m.Current(); cfg.Gateways[0].ID != "gw2" {
		t.Errorf("the gateways are %+v", cfg.Gateways)
	}
	out := v.In("Outbound caller ID")
	out.Sees("101 stays as it is.")
	out.Fill("Search pattern", `^(\d*`)
	out.Sees("no regular expression")
	v.Press("Save")
	v.Sees("Search pattern: is no regular expression")
	out.Fill("Search pattern", `^(\d*)`)
	out.Fill("Replace pattern", "052512088$1")
	out.Sees("101 → 052512088101")
	v.Select("Add a user", "Anna Demo (demo101)")
	v.Fill("Caller ID, Anna Demo (demo101)", "abc")
	v.Press("Save")
	v.Sees("Place 1: ")
	v.Fill("Caller ID, Anna Demo (demo101)", "+49891234101")
	v.Press("Save")
	v.Sees("Outside is saved")
	cfg, _ := v.m.Current()
	g := cfg.GatewayGroupByID("gg1")
	if g.OutboundCallerID != (pbx.SearchReplace{Search: `^(\d*)`, Replace: "052512088$1"}) || !slices.Equal(g.CallerIDs, []pbx.OutgoingNumber{{User: "demo101", CallerID: "+49891234101"}}) {
		t.Errorf("got %+v", g)
	}
	v.NoTroubles()
}

// pageTransport refuses the port of the phones and names the field (F223, F224).
func pageTransport(t *testing.T, v *visit) {
	v.m.edit(t, func(cfg *pbx.Config) {
		cfg.Certificates = append(cfg.Certificates, pbx.Certificate{ID: "ca1", Description: "Company", Chain: "-----BEGIN CERTIFICATE-----"})
	})
	v.opened(t, "/transports")
	v.In("default-udp").Sees("0.0.0.0:5070")
	v.Press("Add transport")
	v.Fill("Name", "Secure")
	v.Tick("TLS", true)
	v.Sees("Public authorities")
	v.Fill("Bind port", "5060")
	v.Press("Add transport")
	v.Sees("Bind port: is the port of another service of this device")
	v.Until("the field has the focus", "document.activeElement.closest('g-field')?.dataset.name === 'bindPort'")
	v.Fill("Bind port", "5071")
	v.Press("Add transport")
	v.Heading("Secure")
	cfg, _ := v.m.Current()
	if x := cfg.Transports[len(cfg.Transports)-1]; x.Type != "tls" || x.BindPort != 5071 || !x.VerifyCertificate {
		t.Errorf("got %+v", x)
	}
	authority := func(want string) {
		t.Helper()
		v.Press("Save")
		v.SeesNot("1 change")
		cfg, _ := v.m.Current()
		if got := cfg.Transports[len(cfg.Transports)-1].CACertificate; got != want {
			t.Errorf("the authority is %q, want %q", got, want)
		}
	}
	v.Select("CA certificate", "Company")
	authority("ca1")
	v.Tick("Verify certificate", false) // its field is hidden, and the certificate can be deleted
	authority("")
	v.NoTroubles()
}

// pageSIPStatus shows each gateway as it is now (F230).
func pageSIPStatus(t *testing.T, v *visit) {
	v.m.edit(t, outsideLines)
	v.opened(t, "/sip-status")
	v.Heading("SIP status")
	v.In("Provider").Sees("Unknown")
	v.state(pbx.LineStatus{Gateway: "gw1", State: pbx.LineUnreachable, Message: pbx.Say("The name {host} has no address", "host", "sip.example"), Status: 408})
	v.In("Provider").Sees("Not reachable")
	v.Sees("The name sip.example has no address")
	v.In("Provider").Sees("SIP status 408")
	v.state(pbx.LineStatus{Gateway: "gw1", State: pbx.LineUp, Registered: time.Now(), Expires: time.Now().Add(time.Hour), Refresh: 3000, Server: "udp:192.0.2.1:5060", URI: "sip:4989123@sip.example", Calls: 7})
	for _, words := range []string{"Registered", "50 min", "udp:192.0.2.1:5060", "sip:4989123@sip.example", "Calls 7"} {
		v.In("Provider").Sees(words)
	}
	v.SeesNot("has no address")
	v.In("default-udp").Sees("0.0.0.0:5070")
	v.m.edit(t, func(cfg *pbx.Config) { cfg.Gateways[0].Name = "Other provider" })
	v.In("Other provider").Sees("Registered")
	v.NoTroubles()
}
