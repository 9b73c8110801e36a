package pbx

import (
	"strings"
	"testing"
)

// What a call costs is told by its number, however it is written.
func TestTollClass(t *testing.T) {
	tests := []struct {
		country, area, number string
		want                  TollClass
	}{
		{"DE", "89", "+4989123456", TollLocal}, {"DE", "89", "223456", TollLocal}, {"DE", "", "+4989123456", TollNational}, {"DE", "89", "03012345", TollNational},
		{"DE", "89", "+491701234567", TollNational}, {"DE", "89", "08001234567", TollNational}, {"DE", "89", "115", TollLocal},
		{"DE", "89", "0900123456", TollPremium}, {"DE", "89", "+49900123456", TollPremium}, {"DE", "89", "0049900123456", TollPremium}, {"DE", "89", "+490900123456", TollPremium},
		{"DE", "89", "01371234567", TollPremium}, {"DE", "89", "11833", TollPremium}, {"DE", "89", "+4911833", TollPremium}, {"DE", "89", "012112345", TollPremium},
		{"DE", "89", "010130043123456", TollPremium}, // by way of a carrier that nobody knows
		{"DE", "89", "112", TollEmergency}, {"DE", "89", "110", TollEmergency},
		{"DE", "89", "+431234567", TollForeign}, {"DE", "89", "00431234567", TollForeign}, {"DE", "89", "+80012345678", TollNational},
		{"DE", "89", "+43900123456", TollPremium}, {"DE", "89", "+449012345678", TollPremium}, {"DE", "89", "+19005551234", TollPremium},
		{"DE", "89", "+881612345678", TollPremium}, {"DE", "89", "00882123456", TollPremium}, {"DE", "89", "+883510000000", TollPremium}, {"DE", "89", "+979123456789", TollPremium},
		{"DE", "89", "+870773123456", TollPremium},
		// no numbers, but a provider may take them for some
		{"DE", "89", "00" + strings.Repeat("44", 10), TollForeign}, {"DE", "89", "0900" + strings.Repeat("1", 20), TollPremium}, {"DE", "89", "+", TollForeign},
		{"DE", "89", "*31#0044123456", TollForeign}, {"DE", "89", "#31#0900123456", TollPremium}, {"DE", "89", "", TollLocal}, {"DE", "89", "*", TollLocal},
		{"DE", "89", "*21*0900123456#", TollPremium}, {"DE", "89", "*61*0044123456**20#", TollForeign}, {"DE", "89", "*31#112", TollLocal}, // forwarded by the provider
		{"AT", "1", "0900123456", TollPremium}, {"AT", "1", "0930123456", TollPremium}, {"AT", "1", "118877", TollPremium}, {"AT", "1", "015331234", TollLocal},
		{"AT", "1", "+49900123456", TollPremium}, {"AT", "1", "+4989123456", TollForeign},
		{"CH", "", "0900123456", TollPremium}, {"CH", "", "0906123456", TollPremium}, {"CH", "", "1811", TollPremium}, {"CH", "", "0443331234", TollNational}, {"CH", "", "1414", TollEmergency},
		{"FR", "", "0891234567", TollPremium}, {"FR", "", "118008", TollPremium}, {"FR", "", "3232", TollPremium}, {"FR", "", "0142685300", TollNational}, {"FR", "", "3050", TollLocal}, {"FR", "", "324123456", TollLocal},
		{"IT", "", "899123456", TollPremium}, {"IT", "", "892424", TollPremium}, {"IT", "", "1254", TollPremium}, {"IT", "", "0612345678", TollNational}, {"IT", "06", "0612345678", TollLocal},
		{"IT", "", "0044123456", TollForeign}, {"IT", "", "118", TollEmergency},
		{"ES", "", "806123456", TollPremium}, {"ES", "", "11818", TollPremium}, {"ES", "", "912345678", TollNational},
		{"NL", "", "09001234", TollPremium}, {"NL", "", "1888", TollPremium}, {"NL", "", "0201234567", TollNational},
		{"BE", "", "090012345", TollPremium}, {"BE", "", "070212345", TollPremium}, {"BE", "", "1207", TollLocal}, {"BE", "", "022345678", TollNational},
		{"GB", "20", "09012345678", TollPremium}, {"GB", "20", "07012345678", TollPremium}, {"GB", "20", "118500", TollPremium}, {"GB", "20", "79460000", TollLocal}, {"GB", "20", "07911123456", TollNational},
		{"PL", "", "701234567", TollPremium}, {"PL", "", "118913", TollPremium}, {"PL", "", "221234567", TollNational},
		{"CZ", "", "906123456", TollPremium}, {"CZ", "", "1188", TollPremium}, {"CZ", "", "221234567", TollNational},
		{"DK", "", "90123456", TollPremium}, {"DK", "", "118", TollPremium}, {"DK", "", "33123456", TollNational},
		{"SE", "8", "09001234567", TollPremium}, {"SE", "8", "118118", TollPremium}, {"SE", "8", "08123456", TollLocal}, {"SE", "8", "0701234567", TollNational},
		{"US", "202", "19005551234", TollPremium}, {"US", "202", "9005551234", TollPremium}, {"US", "202", "411", TollPremium}, {"US", "202", "12025550123", TollLocal},
		{"US", "202", "2125550123", TollNational}, {"US", "202", "18765550123", TollForeign}, {"US", "202", "+14165550123", TollForeign}, {"US", "202", "17875550123", TollNational},
		{"US", "202", "011442079460000", TollForeign}, {"US", "202", "911", TollEmergency},
		{"", "", "+4989123456", TollForeign}, {"", "", "08912345", TollNational}, // a device that knows no country
	}
	for _, tt := range tests {
		c, _ := CountryByCode(tt.country)
		if got := c.TollClass(tt.area, tt.number); got != tt.want {
			t.Errorf("%s %s: %q is %s, want %s", tt.country, tt.area, tt.number, got, tt.want)
		}
	}
}

// Every profile says what is premium in its country, and no emergency number is.
func TestEveryCountryKnowsPremiumNumbers(t *testing.T) {
	for _, c := range Countries() {
		if len(c.Destinations.Premium) == 0 || len(c.Destinations.PremiumShort) == 0 {
			t.Errorf("%s: %+v", c.Code, c.Destinations)
		}
		for _, e := range c.Emergency {
			if got := c.TollClass("", e.Number); got != TollEmergency {
				t.Errorf("%s: %s is %s", c.Code, e.Number, got)
			}
		}
	}
}

func TestDearerClass(t *testing.T) {
	for _, tt := range [][3]TollClass{{TollLocal, TollForeign, TollForeign}, {TollPremium, TollForeign, TollPremium}, {TollNational, TollLocal, TollNational}, {"", TollLocal, TollLocal}} {
		if got := tt[0].Dearer(tt[1]); got != tt[2] {
			t.Errorf("%s or %s: %s, want %s", tt[0], tt[1], got, tt[2])
		}
	}
	if TollNational.Limited() || TollEmergency.Limited() || !TollForeign.Limited() || !TollPremium.Limited() {
		t.Error("what is limited are minutes to other countries and to premium numbers")
	}
}

// A number and all the ways to write it are of one class.
func FuzzTollClass(f *testing.F) {
	f.Add("+43900123456", "89", "DE")
	f.Add("*31#0044", "", "AT")
	f.Fuzz(func(t *testing.T, number, area, country string) {
		c, ok := CountryByCode(country)
		if !ok || len(area) > 5 || strings.Trim(area, "123456789") != "" {
			return
		}
		class := c.TollClass(area, number)
		n := c.Numbering(area)
		e164, ok := n.E164(number)
		if !ok || class == TollEmergency {
			return
		}
		for _, style := range []NumberStyle{StyleE164, StyleInternational, StyleNational} {
			if got := c.TollClass(area, n.Write(e164, style)); got != class {
				t.Errorf("%s: %q is %s, written %s it is %s", country, number, class, n.Write(e164, style), got)
			}
		}
	})
}

// What is told of a limit names who it is of, also when that is gone.
func TestTollAlarm(t *testing.T) {
	c := Factory(Defaults{})
	c.Gateways = []Gateway{{ID: "g1", GatewaySettings: GatewaySettings{Name: "Line"}}}
	for _, tt := range []struct {
		alarm TollAlarm
		want  string
	}{
		{TollAlarm{User: "demo101", Class: TollForeign, Spoken: 96, Limit: 120}, "Anna Demo (101) has spoken 96 of 120 minutes to other countries today"},
		{TollAlarm{User: "gone", Class: TollPremium, Spoken: 14, Limit: 15}, "gone has spoken 14 of 15 minutes to premium numbers today"},
		{TollAlarm{Gateway: "g1", Class: TollForeign, Spoken: 9, Limit: 10}, "9 of 10 minutes to other countries were spoken over Line today"},
		{TollAlarm{User: "demo101", Class: TollForeign, Spoken: 120, Limit: 120, Reached: true}, "Anna Demo (101) has spoken 120 of 120 minutes to other countries today: more such calls are refused until midnight, or until you raise the limit"},
		{TollAlarm{User: "demo101", Class: TollPremium, Spoken: 15, Limit: 15, Reached: true}, "Anna Demo (101) has spoken 15 of 15 minutes to premium numbers today: more such calls are refused until midnight, or until you raise the limit"},
		{TollAlarm{Gateway: "g1", Class: TollForeign, Spoken: 10, Limit: 10, Reached: true}, "10 of 10 minutes to other countries were spoken over Line today: it takes no more such calls until midnight, or until you raise the limit"},
		{TollAlarm{Gateway: "g2", Class: TollPremium, Spoken: 10, Limit: 10, Reached: true}, "10 of 10 minutes to premium numbers were spoken over g2 today: it takes no more such calls until midnight, or until you raise the limit"},
	} {
		if got := tt.alarm.Warning(c).Text(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.alarm, got, tt.want)
		}
	}
}
