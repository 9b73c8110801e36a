package pbx

import (
	"slices"
	"strings"
)

// Destinations is which numbers cost more than a call within the country.
type Destinations struct {
	Premium      []string `json:"premium" title:"Premium numbers" doc:"How premium numbers begin, without the national prefix: they cost what their owner wants" pattern:"^[0-9]+$" patternDescription:"digits"`
	PremiumShort []string `json:"premiumShort" title:"Short premium numbers" doc:"How short premium numbers begin, which have no national prefix" pattern:"^[0-9]+$" patternDescription:"digits"`
	Elsewhere    []string `json:"elsewhere" title:"Numbers of other countries" doc:"How numbers begin that have the country code but belong to another country" pattern:"^[0-9]+$" patternDescription:"digits"`
}

// Codes of E.164 that belong to no country (ITU-T E.164 list of assigned country
// codes; E.169.2 for 979).
const freephone = "800" // universal international freephone: nobody who calls pays

// maxShort is how long short numbers are, digits.
const maxShort = 7

// worldPremium are the codes of networks that cost far more than any country:
// satellites (870, 881), global networks and what is behind them (882, 883),
// personal numbers (878), international premium rate (979).
func worldPremium() []string { return []string{"870", "878", "881", "882", "883", "979"} }

// TollClass returns what kind of number a line is told, as E.164 or as people dial
// it, at a place with an area code (without national prefix, empty where it is not
// known): local, national, foreign, premium or emergency. What is no proper number
// has the class of what a provider could take it for.
func (c *Country) TollClass(areaCode, number string) TollClass {
	number = Dialable(number)
	if c.IsEmergency(number) {
		return TollEmergency
	}
	if strings.ContainsAny(number, "*#") { // a code of the provider, before a number or around it: *21*NUMBER# forwards there
		dearest := TollLocal
		parts := strings.FieldsFunc(number, func(r rune) bool { return r == '*' || r == '#' })
		for i, part := range parts {
			if i == len(parts)-1 || len(part) >= minLocal { // shorter ones are codes
				dearest = dearest.Dearer(c.TollClass(areaCode, part))
			}
		}
		return dearest
	}
	if rest, ok := strings.CutPrefix(number, "+"); ok {
		return c.worldwide(areaCode, rest)
	}
	if rest, ok := strings.CutPrefix(number, c.InternationalPrefix); ok && c.InternationalPrefix != "" {
		return c.worldwide(areaCode, rest)
	}
	switch {
	case c.CallingCode == "1" && len(number) == 10 && number[0] > '1': // in North America the prefix is for some places only
		return c.inland(areaCode, number)
	case c.NationalPrefix == "" && len(number) >= minClosed:
		return c.inland(areaCode, number)
	case c.NationalPrefix == "" && begins(number, c.Destinations.Premium), len(number) <= maxShort && begins(number, c.Destinations.PremiumShort):
		return TollPremium
	}
	if rest, ok := strings.CutPrefix(number, c.NationalPrefix); ok && c.NationalPrefix != "" {
		return c.inland(areaCode, rest)
	}
	return TollLocal
}

// worldwide returns the class of a number that begins with a country code.
func (c *Country) worldwide(areaCode, number string) TollClass {
	if rest, own := strings.CutPrefix(number, c.CallingCode); own && c.CallingCode != "" {
		return c.inland(areaCode, strings.TrimPrefix(rest, c.NationalPrefix)) // which some write after the country code
	}
	switch {
	case strings.HasPrefix(number, freephone):
		return TollNational
	case begins(number, worldPremium()):
		return TollPremium
	}
	for _, p := range profiles() {
		other := p.make()
		if rest, ok := strings.CutPrefix(number, other.CallingCode); ok && begins(strings.TrimPrefix(rest, other.NationalPrefix), other.Destinations.Premium) {
			return TollPremium
		}
	}
	return TollForeign
}

// inland returns the class of a number of the own country code.
func (c *Country) inland(areaCode, number string) TollClass {
	switch {
	case begins(number, c.Destinations.Premium):
		return TollPremium
	case begins(number, c.Destinations.Elsewhere):
		return TollForeign
	case areaCode != "" && strings.HasPrefix(number, areaCode):
		return TollLocal
	}
	return TollNational
}

func begins(number string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(number, prefix) })
}

// Limited reports whether the minutes of calls of the class are limited.
func (t TollClass) Limited() bool { return t == TollForeign || t == TollPremium }

// Dearer returns which of two classes costs more. Emergency calls cost nothing
// that counts.
func (t TollClass) Dearer(other TollClass) TollClass {
	order := []TollClass{TollEmergency, TollInternal, TollLocal, TollNational, TollForeign, TollPremium}
	if slices.Index(order, other) > slices.Index(order, t) {
		return other
	}
	return t
}
