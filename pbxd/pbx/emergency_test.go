package pbx

import (
	"slices"
	"testing"
)

func TestEmergencyService(t *testing.T) {
	for _, tt := range []struct{ country, service, want string }{
		{"DE", "sos", "112"}, {"DE", "SOS.Police", "110"}, {"DE", "sos.fire", "112"}, {"DE", "sos.police.traffic", "110"}, {"DE", "sos.marine", "112"},
		{"GB", "sos", "999"}, {"GB", "sos.ambulance", "999"}, {"US", "sos.police", "911"}, {"ES", "sos.fire", "080"}, {"CH", "sos.mountain", "1414"}, {"AT", "sos", "112"},
		{"DE", "counseling", ""}, {"DE", "test.sos", ""}, {"DE", "sosx", ""}, {"DE", "", ""},
	} {
		c := country(t, tt.country)
		if e, ok := c.EmergencyService(tt.service); e.Number != tt.want || ok != (tt.want != "") {
			t.Errorf("%s %s: %q, %v; want %q", tt.country, tt.service, e.Number, ok, tt.want)
		}
	}
	for _, c := range Countries() {
		for service, number := range emergencyServices(c.Code) {
			if e, ok := c.EmergencyService(service); !ok || e.Number != number {
				t.Errorf("%s: %s is %q, which is no emergency number there", c.Code, service, number)
			}
		}
		if e, ok := c.EmergencyService("sos"); !ok || e.Kind != EmergencyRescue {
			t.Errorf("%s: sos is %+v, %v", c.Code, e, ok)
		}
	}
}

func TestEmergencyAsDialled(t *testing.T) {
	base := Factory(Defaults{})
	base.Locale.OutsideLine = "9"
	base.HuntGroups = []HuntGroup{{HuntGroupSettings: HuntGroupSettings{Extension: "0110"}}}
	for digits, want := range map[string]string{
		"112": "112", "9112": "112", "0112": "112", "*31112": "112", "*319112": "112",
		"0110":    "", // the country's digit, but something has the number
		"*310110": "", "1120": "", "11": "", "": "", "1": "", "8112": "", "99112": "", "*21112": "", "+49112": "",
	} {
		if e, ok := base.Emergency(digits); e.Number != want || ok != (want != "") {
			t.Errorf("%s: %q, %v; want %q", digits, e.Number, ok, want)
		}
	}
}

// What has the number that people dial for an emergency, with the digit for an
// outside line, could never be called.
func TestExtensionsAfterTheOutsideLine(t *testing.T) {
	refusedWith := func(line string, change func(c *Config)) []string {
		c := Factory(Defaults{})
		c.Locale.OutsideLine = line
		change(c)
		var paths []string
		if wrong, ok := Validate(c, Model{}).(*ValidationError); ok {
			for _, f := range wrong.Fields {
				paths = append(paths, f.Path)
			}
		}
		return paths
	}
	extension := func(c *Config) { c.UserByExtension("102").Extension = "9112" }
	if got := refusedWith("9", extension); !slices.Contains(got, "users[2].extension") {
		t.Errorf("9112 with 9 for a line: refused %v", got)
	}
	if got := refusedWith("0", extension); len(got) != 0 {
		t.Errorf("9112 with 0 for a line: refused %v", got)
	}
	code := func(c *Config) { c.FunctionCodes.Park = "911" }
	if got := refusedWith("9", code); !slices.Contains(got, "functionCodes.park") {
		t.Errorf("the code 911 with 9 for a line: refused %v", got)
	}
	if got := refusedWith("0", code); len(got) != 0 {
		t.Errorf("the code 911 with 0 for a line: refused %v", got)
	}
}

// No call is sent on to an emergency number, in no way of writing it.
func TestForwardsToEmergencyNumbers(t *testing.T) {
	cfg := Factory(Defaults{})
	cfg.Locale.OutsideLine = "9"
	for number, refused := range map[string]bool{"112": true, "9112": true, "0112": true, "103": false, "90112": false} {
		var now UserCalls
		now.SetForwarding(false, DivertBusy, true, number)
		if got := now.EmergencyForwards(&UserCalls{}, cfg); (len(got) == 1) != refused {
			t.Errorf("%s: %v", number, got)
		}
		if got := now.EmergencyForwards(&now, cfg); len(got) != 0 {
			t.Errorf("%s as before: %v", number, got)
		}
	}
}

// An emergency number with a plus is one, which no number of E.164 can be meant by.
func TestEmergencyWithPlus(t *testing.T) {
	for _, country := range Countries() {
		c := Factory(Defaults{})
		c.Locale.Country = country.Code
		for _, e := range country.Emergency {
			if _, is := country.Numbering("").E164("+" + e.Number); is {
				t.Errorf("%s: +%s is a number of E.164", country.Code, e.Number)
			}
			if got, is := c.Emergency("+" + e.Number); !is || got != e {
				t.Errorf("%s: +%s is %v, %v", country.Code, e.Number, got, is)
			}
		}
	}
}
