package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// Warning is something that administrators should look after, though calls can be
// made.
type Warning struct {
	Sentence
	Screen string `json:"screen" title:"Screen" doc:"Screen of the page that mends it or tells more; empty for none" maxLength:"50"`
	Calm   bool   `json:"calm" title:"Calm" doc:"Not set up yet, and no fault"`
}

// warningHeader is the field of an answer that says, in English, what is wrong with
// the configuration that was saved.
const warningHeader = "Galilei-Warning"

// registerEmergency tells those who may keep emergency calls in, but do not see the
// state of the device, that they do.
func (s *Server) registerEmergency() {
	register(s, operation{id: "list-emergency-warnings", method: http.MethodGet, path: "/emergency-warnings", tag: "Routes", module: "gateways|gateway-groups|transports|country|revisions",
		summary: "Whether emergency calls can leave", description: "Empty when they can. Those who may see the state of the device find it there."},
		func(context.Context, *none) (*answer[[]Warning], error) {
			cfg, _ := s.Store.Current()
			return &answer[[]Warning]{emergencyWarnings(cfg)}, nil
		})
}

func emergencyWarnings(cfg *pbx.Config) []Warning {
	list := []Warning{}
	if m := emergencyTrouble(cfg); !m.IsZero() {
		list = append(list, Warning{Sentence: sentence(m), Screen: "gateways", Calm: len(cfg.Gateways) == 0})
	}
	return list
}

// warnings returns what is to be looked after now.
func (s *Server) warnings(cfg *pbx.Config) []Warning {
	list := emergencyWarnings(cfg)
	if s.Warnings != nil {
		for _, w := range s.Warnings() {
			list = append(list, Warning{Sentence: sentence(w.Message), Screen: w.Screen})
		}
	}
	return list
}

// emergencyTrouble asks the dialplan for each emergency number of the country
// whether it leaves by a gateway, and says why those do not that do not; nothing
// when all do.
func emergencyTrouble(cfg *pbx.Config) pbx.Message {
	country, _ := pbx.CountryByCode(cfg.Locale.Country)
	var stay []string
	for _, e := range country.Emergency {
		d := dialplan.Decide(cfg, dialplan.Query{Caller: dialplan.Caller{Unknown: true}, Digits: e.Number})
		leaves := slices.ContainsFunc(d.Lines, func(l dialplan.Line) bool { return l.Number == e.Number && cfg.GatewayByID(l.Gateway).Outbound })
		if (d.Kind != dialplan.Outside || !leaves) && e.Kind == pbx.EmergencyRescue {
			stay = append(stay, e.Number)
		}
	}
	numbers := strings.Join(stay, ", ")
	grouped := slices.ContainsFunc(cfg.Gateways, func(g pbx.Gateway) bool { return g.Group != "" })
	switch {
	case len(stay) == 0:
		return pbx.Message{}
	case len(cfg.Gateways) == 0:
		return pbx.Say("Emergency calls are not possible yet ({numbers}): there is no gateway. Add one that leads to a provider.", "numbers", numbers)
	case !grouped:
		return pbx.Say("Emergency calls cannot leave the device ({numbers}): no gateway belongs to a gateway group. Choose a group for one.", "numbers", numbers)
	}
	return pbx.Say("Emergency calls may not leave the device ({numbers}): no gateway allows outbound calls. Allow them for one that belongs to a gateway group.", "numbers", numbers)
}

// warn says in the header of an answer what is wrong with the configuration that
// the request has saved. A device that has no gateway yet is not nagged.
func (s *Server) warn(ctx huma.Context, before *pbx.Config, revision int64) {
	after, now := s.Store.Current()
	if ctx.Method() == http.MethodGet || now == revision || len(before.Gateways) == 0 && len(after.Gateways) == 0 {
		return
	}
	if m := emergencyTrouble(after); !m.IsZero() {
		ctx.SetHeader(warningHeader, m.Text())
	}
}
