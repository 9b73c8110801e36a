package pbx

import (
	"errors"
	"testing"
)

// Numbers are entered as they are compared: without spaces, and area codes without
// what stands before them. Calls are sent on to no emergency number.
func TestNumbersAsTheyAreCompared(t *testing.T) {
	for field, set := range map[string]func(*Config){
		"locale.areaCode":           func(c *Config) { c.Locale.AreaCode = "089" },
		"inboundRoutes[0].pattern":  func(c *Config) { c.InboundRoutes[0].Pattern = "089 123456" },
		"outboundRoutes[0].pattern": func(c *Config) { c.OutboundRoutes[0].Pattern = "^089/123" },
		"inboundRoutes[0].target":   func(c *Config) { c.InboundRoutes[0].Target = "0112" },
		"users[1].operatorExtension": func(c *Config) {
			c.Users[1].DropToOperator, c.Users[1].OperatorExtension = true, "110"
		},
	} {
		c := Factory(Defaults{})
		c.Locale.Country = "DE"
		group := GatewayGroup{ID: "g"}
		SetDefaults(&group.GatewayGroupSettings)
		group.Title = "G"
		in, out := InboundRoute{ID: "i"}, OutboundRoute{ID: "o"}
		SetDefaults(&in.InboundRouteSettings)
		SetDefaults(&out.OutboundRouteSettings)
		in.Rule, in.Group, in.Pattern, in.Target = "In", "g", "089123456", "101"
		out.Rule, out.Groups, out.Pattern = "Out", []string{"g"}, "^089"
		c.GatewayGroups, c.InboundRoutes, c.OutboundRoutes = []GatewayGroup{group}, []InboundRoute{in}, []OutboundRoute{out}
		c.Locale.AreaCode = "89"
		if err := Validate(c, Model{}); err != nil {
			t.Fatal(err)
		}
		set(c)
		var wrong *ValidationError
		if err := Validate(c, Model{}); !errors.As(err, &wrong) || len(wrong.Fields) != 1 || wrong.Fields[0].Path != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	n := NightService{}
	if n.UsersMay(0) != true { // it holds already
		t.Error("what holds may not be chosen")
	}
	n.Profile = 3
	if n.UsersMay(0) || n.UsersMay(1) || !n.UsersMay(3) {
		t.Error("without profiles on offer users may change the one that holds")
	}
	n.Selectable = []string{"1"}
	if !n.UsersMay(0) || !n.UsersMay(1) || n.UsersMay(2) {
		t.Error("users may not choose among the profiles on offer")
	}
}

// A number that is registered twice is a slip of the pen.
func TestNumbersOfAGateway(t *testing.T) {
	c := Factory(Defaults{})
	g := Gateway{ID: "g"}
	SetDefaults(&g.GatewaySettings)
	g.Name, g.Registrar, g.User, g.Numbers = "Line", "sip.example", "me", []string{"089123", "089124"}
	c.Gateways = []Gateway{g}
	if got := refusals(c); got != nil {
		t.Errorf("refused: %q", got)
	}
	c.Gateways[0].Numbers[1] = "089123"
	if got := refusals(c); len(got) != 1 || got[0] != "gateways[0].numbers[1] is in the list twice" {
		t.Errorf("got %q", got)
	}
}
