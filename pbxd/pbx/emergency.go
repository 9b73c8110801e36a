package pbx

import "strings"

// maxEmergencyDigits bounds what is looked at as an emergency number: six digits
// after the code that hides the number and those for an outside line.
const maxEmergencyDigits = 24

// Emergency returns the emergency number that a phone of the device calls with
// digits: alone, after the digit for an outside line, or after the code that
// hides the caller's number, which it does not here.
func (c *Config) Emergency(digits string) (Emergency, bool) {
	if len(digits) < 2 || len(digits) > maxEmergencyDigits {
		return Emergency{}, false
	}
	country, _ := CountryByCode(c.Locale.Country)
	if e, ok := c.EmergencyIn(&country, digits); ok {
		return e, true
	}
	if code, argument, ok := c.FunctionCodes.Match(digits); ok && code.Function == FunctionHideNumber {
		return c.EmergencyIn(&country, argument)
	}
	return Emergency{}, false
}

// EmergencyIn is Emergency in a country, without the code. The digit for an
// outside line is that of the settings and, since people are used to it, the one
// of the country, unless something of the device has that number. Some phones
// write a plus before every number; with one an emergency number is too short for
// any of E.164.
func (c *Config) EmergencyIn(country *Country, digits string) (Emergency, bool) {
	if e, ok := country.emergency(strings.TrimPrefix(digits, "+")); ok {
		return e, true
	}
	if e, ok := country.emergencyAfter(c.Locale.OutsideLine, digits); ok {
		return e, true
	}
	if e, ok := country.emergencyAfter(country.OutsideLine, digits); ok && !c.claimed(digits) {
		return e, true
	}
	return Emergency{}, false
}

// claimed reports whether something of the device has a number.
func (c *Config) claimed(number string) bool {
	for _, n := range c.claims() {
		if n.number == number {
			return true
		}
	}
	return false
}

func (c *Country) emergency(number string) (Emergency, bool) {
	for _, e := range c.Emergency {
		if e.Number == number {
			return e, true
		}
	}
	return Emergency{}, false
}

// emergencyAfter finds the emergency number that follows the digit for an outside
// line; none without such a digit.
func (c *Country) emergencyAfter(line, digits string) (Emergency, bool) {
	number, ok := strings.CutPrefix(digits, line)
	if line == "" || !ok {
		return Emergency{}, false
	}
	return c.emergency(number)
}

// EmergencyService returns the emergency number of the country for a service as
// phones name it in a URN, "sos" or "sos." and a kind of help (RFC 5031 section
// 4.2). A kind that the country has no number for of its own is that of the
// labels before it, at last "sos". Capital letters are small ones.
func (c *Country) EmergencyService(service string) (Emergency, bool) {
	labels := strings.Split(strings.ToLower(service), ".")
	if labels[0] != "sos" || len(service) > 100 {
		return Emergency{}, false
	}
	for n := len(labels); n > 0; n-- {
		number, known := emergencyServices(c.Code)[strings.Join(labels[:n], ".")]
		if e, ok := c.emergency(number); known && ok {
			return e, true
		}
	}
	for _, number := range []string{"112", "911"} {
		if e, ok := c.emergency(number); ok {
			return e, true
		}
	}
	for _, e := range c.Emergency {
		if e.Kind == EmergencyRescue {
			return e, true
		}
	}
	return Emergency{}, false
}

// emergencyServices are the numbers of a country for services of RFC 5031, where
// they are not the general one. They are those of its profile.
func emergencyServices(country string) map[string]string {
	switch country {
	case "AT":
		return map[string]string{"sos.police": "133", "sos.fire": "122", "sos.ambulance": "144", "sos.mountain": "140", "sos.gas": "128", "sos.physician": "141"}
	case "BE":
		return map[string]string{"sos.police": "101"}
	case "CH":
		return map[string]string{"sos.police": "117", "sos.fire": "118", "sos.ambulance": "144", "sos.mountain": "1414", "sos.poison": "145"}
	case "CZ":
		return map[string]string{"sos.police": "158", "sos.fire": "150", "sos.ambulance": "155"}
	case "DE":
		return map[string]string{"sos.police": "110"}
	case "ES":
		return map[string]string{"sos.police": "091", "sos.fire": "080", "sos.ambulance": "061"}
	case "FR":
		return map[string]string{"sos.police": "17", "sos.fire": "18", "sos.ambulance": "15", "sos.marine": "196", "sos.physician": "116117"}
	case "GB":
		return map[string]string{"sos": "999"}
	case "IT":
		return map[string]string{"sos.police": "113", "sos.fire": "115", "sos.ambulance": "118", "sos.marine": "1530"}
	case "PL":
		return map[string]string{"sos.police": "997", "sos.fire": "998", "sos.ambulance": "999", "sos.marine": "984", "sos.mountain": "985", "sos.gas": "992"}
	}
	return nil
}
