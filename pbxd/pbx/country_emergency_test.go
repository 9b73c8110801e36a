package pbx

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestEmergencyNumbers(t *testing.T) {
	for code, want := range map[string]string{
		"AT": "112 122 128 133 140 141 142 144 147",
		"BE": "100 101 112",
		"CH": "112 117 118 143 144 145 147 1414",
		"CZ": "112 150 155 156 158",
		"DE": "110 112",
		"DK": "112",
		"ES": "112 061 062 080 085 088 091 092 1006",
		"FR": "15 17 18 112 114 115 116000 116111 116117 119 191 196 197",
		"GB": "999 112",
		"IT": "112 113 114 115 118 1515 1530",
		"NL": "112",
		"PL": "112 984 985 986 987 989 991 992 993 994 995 996 997 998 999",
		"SE": "112",
		"US": "911 988",
	} {
		c := country(t, code)
		var got []string
		for _, e := range c.Emergency {
			got = append(got, e.Number)
			if e.Service == "" || !c.IsEmergency(e.Number) {
				t.Errorf("%s %s: service %q, emergency %t", code, e.Number, e.Service, c.IsEmergency(e.Number))
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: got %s, want %s", code, s, want)
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != len(c.Emergency) {
			t.Errorf("%s: a number twice in %q", code, got)
		}
		if !slices.ContainsFunc(c.Emergency, func(e Emergency) bool { return e.Kind == EmergencyRescue }) {
			t.Errorf("%s: no rescue number", code)
		}
	}
}

// TestEuropeanEmergencyNumber: 112 rescues in every member state (Directive
// (EU) 2018/1972 Art. 109), and in Switzerland and the United Kingdom.
func TestEuropeanEmergencyNumber(t *testing.T) {
	for _, c := range Countries() {
		i := slices.IndexFunc(c.Emergency, func(e Emergency) bool { return e.Number == "112" })
		if c.Code == "US" {
			if i >= 0 {
				t.Error("US: 112 is answered in mobile networks only")
			}
			continue
		}
		if i < 0 || c.Emergency[i].Kind != EmergencyRescue {
			t.Errorf("%s: 112 is not a rescue number", c.Code)
		}
	}
}

func TestIsEmergency(t *testing.T) {
	for _, c := range []struct {
		country, number string
		want            bool
	}{
		{"DE", "112", true},
		{"DE", "110", true},
		{"DE", "11", false},
		{"DE", "1120", false},
		{"DE", "0112", false}, // the digit for an outside line is the dialplan's
		{"DE", "116117", false},
		{"DE", "115", false},
		{"DE", "", false},
		{"FR", "116117", true},
		{"FR", "15", true},
		{"FR", "3114", false},
		{"GB", "111", false},
		{"GB", "101", false},
		{"BE", "101", true},
		{"US", "911", true},
		{"US", "9911", false},
		{"US", "112", false},
		{"DK", "114", false},
	} {
		if got := country(t, c.country).IsEmergency(c.number); got != c.want {
			t.Errorf("%s %q: got %t, want %t", c.country, c.number, got, c.want)
		}
	}
}

func TestEmergencyPrefixedBy(t *testing.T) {
	for _, c := range []struct{ country, ext, want string }{
		{"BE", "101", "101"},
		{"BE", "10", "100"},
		{"BE", "102", ""},
		{"BE", "1010", ""},
		{"BE", "11", "112"},
		{"DE", "11", "110"},
		{"DE", "110", "110"},
		{"DE", "112", "112"},
		{"DE", "101", ""},
		{"DE", "111", ""},
		{"DE", "1121", ""}, // begins with one and goes on
		{"DE", "1", "110"},
		{"DE", "", ""},
		{"CH", "141", "1414"},
		{"CH", "14", "143"},
		{"CH", "1414", "1414"},
		{"FR", "15", "15"},
		{"FR", "150", ""},
		{"FR", "19", "191"},
		{"FR", "116", "116000"},
		{"FR", "1161", "116111"},
		{"ES", "100", "1006"},
		{"ES", "06", "061"},
		{"US", "91", "911"},
		{"US", "98", "988"},
		{"US", "112", ""},
		{"GB", "99", "999"},
	} {
		e, ok := country(t, c.country).EmergencyPrefixedBy(c.ext)
		if e.Number != c.want || ok != (c.want != "") {
			t.Errorf("%s %q: got %q, %t, want %q", c.country, c.ext, e.Number, ok, c.want)
		}
	}
}

// TestEmergencyPrefixedByPrefersTheEqualNumber: the message then names the
// number that the administrator typed.
func TestEmergencyPrefixedByPrefersTheEqualNumber(t *testing.T) {
	c := Country{Emergency: []Emergency{{Number: "1414"}, {Number: "14"}, {Number: "141"}}}
	for ext, want := range map[string]string{"1": "1414", "14": "14", "141": "141", "1414": "1414"} {
		if e, _ := c.EmergencyPrefixedBy(ext); e.Number != want {
			t.Errorf("%s: got %s, want %s", ext, e.Number, want)
		}
	}
}

// TestEmergencyPrefixedByAgreesWithItsDefinition tries every number of one to
// four digits in every country.
func TestEmergencyPrefixedByAgreesWithItsDefinition(t *testing.T) {
	for _, c := range Countries() {
		for digits := 1; digits <= 4; digits++ {
			for n := range pow10(digits) {
				ext := fmt.Sprintf("%0*d", digits, n)
				want := slices.ContainsFunc(c.Emergency, func(e Emergency) bool { return strings.HasPrefix(e.Number, ext) })
				e, got := c.EmergencyPrefixedBy(ext)
				if got != want || got && !strings.HasPrefix(e.Number, ext) || c.IsEmergency(ext) && e.Number != ext {
					t.Fatalf("%s %s: got %q, %t, want %t", c.Code, ext, e.Number, got, want)
				}
			}
		}
	}
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

// TestTwoDigitExtensionsRemain: in no country do the emergency numbers leave
// too few numbers for a company with two-digit extensions (80 users on the
// larger model would use three digits).
func TestTwoDigitExtensionsRemain(t *testing.T) {
	for _, c := range Countries() {
		free := 0
		for n := range 100 {
			if _, taken := c.EmergencyPrefixedBy(fmt.Sprintf("%02d", n)); !taken {
				free++
			}
		}
		if free < 90 {
			t.Errorf("%s: %d of 100 two-digit extensions are free", c.Code, free)
		}
	}
}
