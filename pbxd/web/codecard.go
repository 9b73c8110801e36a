package web

import (
	"context"
	"net/http"

	"galilei/pbxd/pbx"
)

// CodeCard is what a card beside the phone says.
type CodeCard struct {
	Device    string            `json:"device" title:"Device" doc:"Host name of the device" maxLength:"63"`
	Extension string            `json:"extension" title:"Extension" doc:"Own extension, or empty" maxLength:"10"`
	Lines     []pbx.CodeLine    `json:"lines" title:"Codes" doc:"What can be dialled, in the order of the settings" maxItems:"100"`
	Emergency []EmergencyOnCard `json:"emergency" title:"Emergency numbers" doc:"Numbers that always work" maxItems:"50"`
}

// EmergencyOnCard is an emergency number of the country.
type EmergencyOnCard struct {
	Number  string `json:"number" title:"Number" doc:"Emergency number" maxLength:"6"`
	Service string `json:"service" title:"Service" doc:"Who answers" maxLength:"100"`
}

func (s *Server) registerCodeCard() {
	register(s, operation{id: "get-code-card", method: http.MethodGet, path: "/function-codes/card", tag: "Calls", module: "code-card",
		summary: "What can be dialled", description: "The function codes in force that the device serves and for which the user has the permission, and the emergency numbers of the country."},
		func(ctx context.Context, _ *none) (*answer[CodeCard], error) {
			cfg, _ := s.Store.Current()
			u := callerOf(ctx).user
			card := CodeCard{Device: cfg.Network.Hostname, Extension: u.Extension, Lines: []pbx.CodeLine{}, Emergency: []EmergencyOnCard{}}
			for _, l := range cfg.FunctionCodes.Card() {
				if p := l.Function.Permission(); p == "" || cfg.Holds(&u, p) {
					card.Lines = append(card.Lines, l)
				}
			}
			if country, ok := pbx.CountryByCode(cfg.Locale.Country); ok {
				for _, e := range country.Emergency {
					card.Emergency = append(card.Emergency, EmergencyOnCard{e.Number, e.Service})
				}
			}
			return &answer[CodeCard]{card}, nil
		})
}
