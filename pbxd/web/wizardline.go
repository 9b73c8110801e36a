package web

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbx/pattern"
)

// WizardLine is the outside line that the wizard sets up (F035): a gateway in a
// group of its own, with routes for calls both ways.
type WizardLine struct {
	Gateway GatewayChange `json:"gateway" title:"Gateway" doc:"Account at a SIP provider. Its name is made unique; its group is a new one, and the dial command follows from the digit for an outside line unless another one is given."`
	WizardNumber
}

// WizardNumber is the call number of that line.
type WizardNumber struct {
	Number string `json:"number" title:"Call number" doc:"Main number of the line. Callers are shown with it, and calls to it ring at Answered by. Empty: the provider decides." maxLength:"32" pattern:"^\\+?[0-9]+$" patternDescription:"digits, with '+' at the beginning at most"`
	Answer string `json:"answer" title:"Answered by" doc:"Extension at which calls to the call number ring; empty: the first user" maxLength:"10" pattern:"^[0-9]+$" patternDescription:"digits"`
}

// Names of what the wizard makes, in the language of the device.
type lineNames struct{ all, main, account string }

func namesIn(language string) lineNames {
	if language == "de" {
		return lineNames{"Jede Nummer", "Hauptnummer", "Anbieterzugang"}
	}
	return lineNames{"Every number", "Main number", "Provider account"}
}

// everyNumber is the pattern of all numbers.
const everyNumber = "^(.*)"

// addLine adds what x describes to cfg, which has its users, and returns where
// the parts stand.
func (s *Server) addLine(cfg *pbx.Config, x *WizardLine) []place {
	group := pbx.GatewayGroup{ID: pbx.NewID()}
	pbx.SetDefaults(&group.GatewayGroupSettings)
	group.Title = unlike(x.Gateway.Name, len(cfg.GatewayGroups), func(i int) string { return cfg.GatewayGroups[i].Title })
	group.InboundCallerID = calledBack(cfg.Locale.OutsideLine)
	g := pbx.Gateway{ID: pbx.NewID(), GatewaySettings: x.Gateway.GatewaySettings}
	g.Group = group.ID
	g.Name = unlike(g.Name, len(cfg.Gateways), func(i int) string { return cfg.Gateways[i].Name })
	var fresh pbx.GatewaySettings
	if pbx.SetDefaults(&fresh); g.DialCommand == "" || g.DialCommand == fresh.DialCommand {
		g.DialCommand = dialCommandFor(cfg.Locale.OutsideLine)
	}
	s.sealSecret(&g.Password, pbx.GatewayPasswordPurpose(g.ID), x.Gateway.Password)
	names := namesIn(cfg.Locale.Language)
	places := []place{
		{fmt.Sprintf("gateways[%d].", len(cfg.Gateways)), "line.gateway."},
		{fmt.Sprintf("gatewayGroups[%d].title", len(cfg.GatewayGroups)), "line.gateway.name"},
	}
	answer := x.Answer
	if u := cfg.UserByName(wizardName(0)); answer == "" && u != nil {
		answer = u.Extension
	}
	answers := func(rule, pattern, field string) {
		if answer == "" {
			return
		}
		places = append(places, place{fmt.Sprintf("inboundRoutes[%d].pattern", len(cfg.InboundRoutes)), field}, place{fmt.Sprintf("inboundRoutes[%d].target", len(cfg.InboundRoutes)), "line.answer"})
		cfg.InboundRoutes = append(cfg.InboundRoutes, inboundTo(group.ID, rule, pattern, answer))
	}
	if x.Number != "" {
		group.OutboundCallerID = pbx.SearchReplace{Search: everyNumber, Replace: x.Number}
		answers(names.main, x.Number, "line.number")
	}
	if p := calledAs(cfg, g.User, x.Number); p != "" {
		answers(names.account, p, "line.gateway.user")
	}
	cfg.InboundRoutes = append(cfg.InboundRoutes, inboundTo(group.ID, names.all, everyNumber, "$1"))
	cfg.Gateways, cfg.GatewayGroups = append(cfg.Gateways, g), append(cfg.GatewayGroups, group)
	outboundOver(cfg, names.all, group.ID)
	return places
}

// hasExtension reports whether calls to an extension ring anywhere.
func hasExtension(cfg *pbx.Config, extension string) bool {
	return cfg.UserByExtension(extension) != nil || slices.ContainsFunc(cfg.HuntGroups, func(g pbx.HuntGroup) bool { return g.Extension == extension })
}

// calledAs is the pattern of calls for the user of an account: many providers call
// that rather than a number. It is empty when it is the number.
func calledAs(cfg *pbx.Config, user, number string) string {
	profile, _ := pbx.CountryByCode(cfg.Locale.Country)
	n := profile.Numbering(cfg.Locale.AreaCode)
	switch {
	case user == "" || user == number || strings.Contains(user, "/") || n.Same(user, number) || n.Same("+"+user, number):
		return ""
	case pattern.Plain(user):
		return user
	}
	return "^" + regexp.QuoteMeta(user) + "$"
}

func inboundTo(group, rule, pattern, target string) pbx.InboundRoute {
	r := pbx.InboundRoute{ID: pbx.NewID()}
	pbx.SetDefaults(&r.InboundRouteSettings)
	r.Rule, r.Group, r.Pattern, r.Target = rule, group, pattern, target
	return r
}

// outboundOver lets everybody call everything at all times over a gateway group
// (F197). A route that does so already takes the group as its next.
func outboundOver(cfg *pbx.Config, rule, group string) {
	everything := everythingOutside(cfg.Locale.OutsideLine)
	for i := range cfg.OutboundRoutes {
		r := &cfg.OutboundRoutes[i]
		if r.Active && r.Pattern == everything && r.UserGroup == "" && r.Window.Always() && len(r.Groups) < maxRouteGroups {
			r.Groups = append(r.Groups, group)
			return
		}
	}
	r := pbx.OutboundRoute{ID: pbx.NewID()}
	pbx.SetDefaults(&r.OutboundRouteSettings)
	r.Rule, r.Pattern, r.Groups = rule, everything, []string{group}
	cfg.OutboundRoutes = append(cfg.OutboundRoutes, r)
}

// maxRouteGroups is maxItems of pbx.OutboundRouteSettings.Groups.
const maxRouteGroups = 10

// unlike returns a name that none of n others has, regardless of case: name
// itself, or with the first number that makes it so.
func unlike(name string, n int, other func(int) string) string {
	taken := make([]string, n)
	for i := range taken {
		taken[i] = other(i)
	}
	for i := 1; ; i++ {
		s := name
		if i > 1 {
			s = fmt.Sprintf("%s %d", name, i)
		}
		if !slices.ContainsFunc(taken, func(x string) bool { return strings.EqualFold(pbx.Bare(x), pbx.Bare(s)) }) {
			return s
		}
	}
}
