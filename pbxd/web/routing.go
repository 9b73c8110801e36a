package web

import (
	"context"
	"net/http"
	"slices"

	"galilei/pbxd/pbx"
)

// Gateway is a gateway as the API shows it.
type Gateway struct {
	ID string `json:"id" title:"Identifier" doc:"Stable identifier, never reused" maxLength:"26" readOnly:"true"`
	pbx.GatewaySettings
	PasswordSet bool               `json:"passwordSet" title:"Password set" doc:"There is a password" readOnly:"true"`
	Options     pbx.GatewayOptions `json:"options" title:"Options" doc:"The enhanced parameters as they hold, with the defaults of those that are not written" readOnly:"true"`
}

// GatewayChange is the body of POST and PUT of gateways.
type GatewayChange struct {
	pbx.GatewaySettings
	Password *pbx.Secret `json:"password,omitempty" title:"Password" doc:"Password at the provider. Absent: stays; empty: none. It is needed again when the server or the account change." maxLength:"200" writeOnly:"true"`
}

// registerRouting adds the lists of outside lines and routes.
func (s *Server) registerRouting() {
	gateways := &collection[pbx.Gateway, GatewayChange, Gateway]{
		one: "gateway", many: "gateways", list: "gateways", what: pbx.Say("Gateway"), tag: "Routes", module: "gateways", readers: "|gateway-groups",
		of:   func(c *pbx.Config) *[]pbx.Gateway { return &c.Gateways },
		id:   func(g *pbx.Gateway) *string { return &g.ID },
		name: func(g *pbx.Gateway) string { return g.Name },
		show: func(_ *pbx.Config, g *pbx.Gateway) Gateway {
			return Gateway{g.ID, g.GatewaySettings, g.Password != "", g.Options()}
		},
		edit: s.editGateway,
	}
	registerCollection(s, gateways)
	registerOrder(s, ordering[pbx.Gateway, GatewayChange, Gateway]{gateways, func(g *pbx.Gateway) string { return g.Group }})
	registerCollection(s, &collection[pbx.GatewayGroup, pbx.GatewayGroupSettings, pbx.GatewayGroup]{
		one: "gateway group", many: "gateway groups", list: "gatewayGroups", what: pbx.Say("Gateway group"), tag: "Routes", module: "gateway-groups", readers: "|gateways|inbound-routes|outbound-routes",
		of:    func(c *pbx.Config) *[]pbx.GatewayGroup { return &c.GatewayGroups },
		id:    func(g *pbx.GatewayGroup) *string { return &g.ID },
		name:  func(g *pbx.GatewayGroup) string { return g.Title },
		show:  itself[pbx.GatewayGroup],
		edit:  replaced(func(g *pbx.GatewayGroup) *pbx.GatewayGroupSettings { return &g.GatewayGroupSettings }),
		needs: noRouteOver,
	})
	registerCollection(s, &collection[pbx.Transport, pbx.TransportSettings, pbx.Transport]{
		one: "transport", many: "transports", list: "transports", what: pbx.Say("Transport"), tag: "Routes", module: "transports", readers: "|gateways",
		of:    func(c *pbx.Config) *[]pbx.Transport { return &c.Transports },
		id:    func(t *pbx.Transport) *string { return &t.ID },
		name:  func(t *pbx.Transport) string { return t.Name },
		show:  itself[pbx.Transport],
		edit:  replaced(func(t *pbx.Transport) *pbx.TransportSettings { return &t.TransportSettings }),
		needs: noGatewayOver,
	})
	inbound := &collection[pbx.InboundRoute, pbx.InboundRouteSettings, pbx.InboundRoute]{
		one: "inbound route", many: "inbound routes", list: "inboundRoutes", what: pbx.Say("Inbound route"), tag: "Routes", module: "inbound-routes",
		of:    func(c *pbx.Config) *[]pbx.InboundRoute { return &c.InboundRoutes },
		id:    func(r *pbx.InboundRoute) *string { return &r.ID },
		name:  func(r *pbx.InboundRoute) string { return r.Rule },
		show:  itself[pbx.InboundRoute],
		edit:  replaced(func(r *pbx.InboundRoute) *pbx.InboundRouteSettings { return &r.InboundRouteSettings }),
		place: placeInbound,
	}
	registerCollection(s, inbound)
	registerOrder(s, ordering[pbx.InboundRoute, pbx.InboundRouteSettings, pbx.InboundRoute]{inbound, func(r *pbx.InboundRoute) string { return r.Group }})
	outbound := &collection[pbx.OutboundRoute, pbx.OutboundRouteSettings, pbx.OutboundRoute]{
		one: "outbound route", many: "outbound routes", list: "outboundRoutes", what: pbx.Say("Outbound route"), tag: "Routes", module: "outbound-routes",
		of:    func(c *pbx.Config) *[]pbx.OutboundRoute { return &c.OutboundRoutes },
		id:    func(r *pbx.OutboundRoute) *string { return &r.ID },
		name:  func(r *pbx.OutboundRoute) string { return r.Rule },
		show:  itself[pbx.OutboundRoute],
		edit:  replaced(func(r *pbx.OutboundRoute) *pbx.OutboundRouteSettings { return &r.OutboundRouteSettings }),
		place: placeOutbound,
	}
	registerCollection(s, outbound)
	registerOrder(s, ordering[pbx.OutboundRoute, pbx.OutboundRouteSettings, pbx.OutboundRoute]{collection: outbound})
	calendars := &collection[pbx.Calendar, pbx.CalendarSettings, pbx.Calendar]{
		one: "calendar", many: "calendars", list: "calendars", what: pbx.Say("Holiday calendar"), tag: "Routes", module: "calendars", readers: "|inbound-routes|outbound-routes",
		of:    func(c *pbx.Config) *[]pbx.Calendar { return &c.Calendars },
		id:    func(x *pbx.Calendar) *string { return &x.ID },
		name:  func(x *pbx.Calendar) string { return x.Name },
		show:  itself[pbx.Calendar],
		edit:  replaced(func(x *pbx.Calendar) *pbx.CalendarSettings { return &x.CalendarSettings }),
		needs: noRouteBy,
	}
	registerCollection(s, calendars)
	s.registerCalendarImport(calendars)
	s.registerEmergency()
	s.registerNightService()
	s.registerTryPattern()
	s.registerSIPStatus()
}

// noGatewayOver refuses to delete a transport that a gateway needs.
func noGatewayOver(cfg *pbx.Config, t *pbx.Transport) error {
	for i := range cfg.Gateways {
		if g := &cfg.Gateways[i]; g.Transport == t.ID {
			return refuse(http.StatusConflict, "The gateway {gateway} needs {name}. Choose another transport there first.", "gateway", g.Name, "name", t.Name)
		}
	}
	return nil
}

// noRouteOver refuses to delete a gateway group that a route needs.
func noRouteOver(cfg *pbx.Config, g *pbx.GatewayGroup) error {
	for i := range cfg.InboundRoutes {
		if r := &cfg.InboundRoutes[i]; r.Group == g.ID {
			return routeUses(r.Rule, g.Title)
		}
	}
	for i := range cfg.OutboundRoutes {
		if r := &cfg.OutboundRoutes[i]; slices.Equal(r.Groups, []string{g.ID}) {
			return routeUses(r.Rule, g.Title)
		}
	}
	return nil
}

// noRouteBy refuses to delete a calendar that says when a route holds: without it
// the route would hold at other times.
func noRouteBy(cfg *pbx.Config, c *pbx.Calendar) error {
	for i := range cfg.InboundRoutes {
		if r := &cfg.InboundRoutes[i]; r.Window.Calendar == c.ID && r.Window.ByHolidays() {
			return routeUses(r.Rule, c.Name)
		}
	}
	for i := range cfg.OutboundRoutes {
		if r := &cfg.OutboundRoutes[i]; r.Window.Calendar == c.ID && r.Window.ByHolidays() {
			return routeUses(r.Rule, c.Name)
		}
	}
	return nil
}

func routeUses(rule, name string) error {
	return refuse(http.StatusConflict, "The rule {rule} needs {name}. Change or delete the rule first.", "rule", rule, "name", name)
}

// editGateway changes a gateway. A password that is kept goes to nobody but the
// account that it was given for.
func (s *Server) editGateway(_ context.Context, id string, in *GatewayChange) (func(*pbx.Config, *pbx.Gateway) error, error) {
	return func(_ *pbx.Config, g *pbx.Gateway) error {
		if in.Password == nil && g.Password != "" && !in.KeepsPassword(g.GatewaySettings) {
			return invalid(detailOf("body.password", pbx.Say("is needed again, because it would go to another server or account, or in another way")))
		}
		g.GatewaySettings = in.GatewaySettings
		s.sealSecret(&g.Password, pbx.GatewayPasswordPurpose(g.ID), in.Password)
		return nil
	}, nil
}
