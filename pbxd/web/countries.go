package web

import (
	"context"
	"net/http"
	"strings"

	"galilei/pbxd/pbx"
)

// CountryName is one country that may be chosen.
type CountryName struct {
	Code        string   `json:"code" title:"Code" doc:"Two letters of the country (ISO 3166-1)" maxLength:"2"`
	Name        string   `json:"name" title:"Country" doc:"English name" maxLength:"60"`
	LocalName   string   `json:"localName" title:"Own name" doc:"Name in the language of the country" maxLength:"60"`
	Language    string   `json:"language" title:"Language" doc:"Suggested language" maxLength:"2"`
	OutsideLine string   `json:"outsideLine" title:"Outside line" doc:"Suggested digit for an outside line" maxLength:"1"`
	TimeZones   []string `json:"timeZones" title:"Time zones" doc:"Time zones of the country, the suggested one first" maxItems:"20"`
	Emergency   []string `json:"emergency" title:"Emergency numbers" doc:"Numbers that every phone may call; no extension may begin one" maxItems:"30"`
}

type countryPath struct {
	Code string `path:"code" title:"Code" doc:"Two letters of the country (ISO 3166-1)" minLength:"2" maxLength:"2"`
}

func (s *Server) registerCountries() {
	register(s, operation{id: "list-countries", method: http.MethodGet, path: "/countries", tag: "Country", access: accessUser,
		summary: "Countries that this version knows", description: "Sorted by English name."},
		func(context.Context, *none) (*answer[[]CountryName], error) {
			list := []CountryName{}
			for _, c := range pbx.Countries() {
				n := CountryName{c.Code, c.Name, c.LocalName, c.Language, c.OutsideLine, c.TimeZones, []string{}}
				for _, e := range c.Emergency {
					n.Emergency = append(n.Emergency, e.Number)
				}
				list = append(list, n)
			}
			return &answer[[]CountryName]{list}, nil
		})
	register(s, operation{id: "get-country", method: http.MethodGet, path: "/countries/{code}", tag: "Country", access: accessUser,
		summary: "What a country sets", description: "Tones, prefixes, emergency numbers, line parameters, the rule for recording calls, and where the values come from.",
		errors: []int{http.StatusNotFound}},
		func(_ context.Context, in *countryPath) (*answer[pbx.Country], error) {
			c, ok := pbx.CountryByCode(strings.ToUpper(in.Code))
			if !ok {
				return nil, refuse(http.StatusNotFound, "This version does not know the country {code}.", "code", in.Code)
			}
			return &answer[pbx.Country]{c}, nil
		})
	registerSection(s, section[pbx.Locale]{
		id: "locale", path: "/locale", name: "Country", changed: pbx.Say("Country changed"), summary: "Country, language and time zone", prefix: "locale.",
		tag: "Country", module: "country", readers: "|wizard",
		about:    "Sets tones, prefixes and emergency numbers. A time zone that is left empty is that of the country. Refused when an extension would hide an emergency number of the country.",
		of:       func(c *pbx.Config) *pbx.Locale { return &c.Locale },
		complete: inCountry, follow: func(cfg *pbx.Config, was pbx.Locale) { followOutsideLine(cfg, was.OutsideLine) },
	})
}

// inCountry completes a locale without time zone by that of the country.
func inCountry(l pbx.Locale) pbx.Locale {
	if c, ok := pbx.CountryByCode(l.Country); ok && l.TimeZone == "" && len(c.TimeZones) > 0 {
		l.TimeZone = c.TimeZones[0]
	}
	return l
}
