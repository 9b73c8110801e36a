package pbx

import (
	"fmt"
	"reflect"
)

// claim is one internal number and what it belongs to.
type claim struct {
	path, number, kind, owner string
}

// claims returns every internal number of c: the fields tagged claims.
func (c *Config) claims() (all []claim) {
	for _, l := range c.lists() {
		for _, f := range reflect.VisibleFields(l.entries.Type().Elem()) {
			kind := f.Tag.Get("claims")
			if kind == "" {
				continue
			}
			for i := range l.entries.Len() {
				entry := l.entries.Index(i)
				if number := entry.FieldByIndex(f.Index).String(); number != "" {
					all = append(all, claim{fmt.Sprintf("%s[%d].%s", l.name, i, jsonName(f)), number, kind, nameOf(entry)})
				}
			}
		}
	}
	return all
}

func (n claim) takenBy(other claim) FieldError {
	return refused(n.path, "{number} is already the extension of {name} ({kind})", "number", n.number, "name", other.owner, "kind", other.kind)
}

// checkNumbers checks that each number belongs to one thing alone, that none
// hides an emergency number of the country, and that no function code begins
// with another.
func checkNumbers(c *Config) (errs []FieldError) {
	country, known := CountryByCode(c.Locale.Country)
	owners := map[string]claim{}
	for _, n := range c.claims() {
		if other, dup := owners[n.number]; dup {
			errs = append(errs, n.takenBy(other).or(other.takenBy(n)))
		} else {
			owners[n.number] = n
		}
		if !known {
			continue
		}
		e, hides := country.EmergencyPrefixedBy(n.number)
		if !hides { // people dial the digit for an outside line before it, too
			e, hides = country.emergencyAfter(c.Locale.OutsideLine, n.number)
		}
		if hides {
			errs = append(errs, refused(n.path, "hides the emergency number {emergency} of {country}; choose another", "emergency", e.Number, "country", country.Name))
		}
	}
	if known {
		errs = append(errs, checkTargets(c, &country)...)
	}
	return append(errs, checkCodes(c, country)...)
}

// checkTargets checks that administrators send calls on to no emergency number:
// none is made so. What users forward to is checked where they set it.
func checkTargets(c *Config, country *Country) (errs []FieldError) {
	check := func(path, number string) {
		if _, is := c.EmergencyIn(country, number); is {
			errs = append(errs, refused(path, "is an emergency number. Calls are not forwarded to one."))
		}
	}
	for i := range c.Users {
		check(fmt.Sprintf("users[%d].operatorExtension", i), c.Users[i].OperatorExtension)
	}
	for i := range c.InboundRoutes {
		check(fmt.Sprintf("inboundRoutes[%d].target", i), c.InboundRoutes[i].Target)
	}
	return errs
}
