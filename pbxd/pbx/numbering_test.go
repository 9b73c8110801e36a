package pbx

import (
	"strings"
	"testing"
)

func TestDialable(t *testing.T) {
	for in, want := range map[string]string{
		"+49 (89) 12-34/5": "+498912345", "+49 (0)30 1234": "+49301234", "0049(0)30 1234": "0049301234", "(089) 123": "089123",
		"0170 1": "01701", " +1 202.555": "+1202555", "*21#": "*21#", "++49": "+49", "4+9": "49", "": "", "call me": "",
		"(0)89 1": "0891", "\u0663": "", "+39 (0)6 12345678": "+390612345678", "0039(0)612345678": "00390612345678",
	} {
		if got := Dialable(in); got != want {
			t.Errorf("%q is dialled as %q, want %q", in, got, want)
		}
	}
}

// Numbers as they are dialled in each country of the profiles.
func TestE164(t *testing.T) {
	tests := []struct{ country, area, number, want string }{
		{"DE", "89", "+49 89 123456", "+4989123456"},
		{"DE", "89", "004989123456", "+4989123456"},
		{"DE", "89", "+49089123456", "+4989123456"},
		{"DE", "89", "+49000", ""},
		{"DE", "89", "089123456", "+4989123456"},
		{"DE", "89", "123456", ""}, // begins as services do
		{"DE", "89", "223456", "+4989223456"},
		{"DE", "", "223456", ""},
		{"DE", "89", "0015551234567", "+15551234567"},
		{"DE", "89", "110", ""}, {"DE", "89", "112", ""}, {"DE", "89", "11833", ""}, {"DE", "89", "22", ""},
		{"DE", "89", "00", ""}, {"DE", "89", "+", ""}, {"DE", "89", "+0123456", ""}, {"DE", "89", "*21", ""}, {"DE", "89", "", ""},
		{"DE", "89", "0" + strings.Repeat("9", 14), ""},
		{"AT", "1", "015331234", "+4315331234"},
		{"CH", "44", "0443331234", "+41443331234"},
		{"FR", "", "0142685300", "+33142685300"},
		{"FR", "1", "0142685300", "+33142685300"},
		{"FR", "1", "3949", ""}, // a service, not a number of Paris
		{"BE", "2", "6500", ""}, {"CH", "44", "3331234", ""},
		{"IT", "", "0612345678", "+390612345678"}, // the 0 is part of the number
		{"ES", "", "912345678", "+34912345678"},
		{"ES", "", "091", ""},
		{"DK", "", "33123456", "+4533123456"},
		{"CZ", "", "221234567", "+420221234567"},
		{"PL", "", "221234567", "+48221234567"},
		{"SE", "8", "08123456", "+468123456"},
		{"GB", "20", "02079460000", "+442079460000"},
		{"GB", "20", "79460000", "+442079460000"},
		{"US", "202", "12025550123", "+12025550123"},
		{"US", "202", "2025550123", "+12025550123"},
		{"US", "202", "5550123", "+12025550123"},
		{"US", "202", "011442079460000", "+442079460000"},
		{"US", "202", "911", ""}, {"US", "202", "2345", ""}, {"US", "202", "12345", ""}, {"DE", "89", "+1202555", ""},
	}
	for _, tt := range tests {
		c, ok := CountryByCode(tt.country)
		if !ok {
			t.Fatal(tt.country)
		}
		got, ok := c.Numbering(tt.area).E164(tt.number)
		if got != tt.want || ok != (tt.want != "") {
			t.Errorf("%s %s: %q is %q, want %q", tt.country, tt.area, tt.number, got, tt.want)
		}
	}
}

func TestWriteNumber(t *testing.T) {
	c, _ := CountryByCode("DE")
	n := c.Numbering("89")
	for _, tt := range []struct {
		number string
		style  NumberStyle
		want   string
	}{
		{"+4989123456", StyleAsIs, "+4989123456"}, {"+4989123456", StyleE164, "+4989123456"}, {"+4989123456", StyleDigits, "4989123456"},
		{"+4989123456", StyleInternational, "004989123456"}, {"+4989123456", StyleNational, "089123456"},
		{"+15551234567", StyleNational, "0015551234567"}, {"110", StyleNational, "110"}, {"101", StyleE164, "101"},
	} {
		if got := n.Write(tt.number, tt.style); got != tt.want {
			t.Errorf("%s as %s is %s, want %s", tt.number, tt.style, got, tt.want)
		}
	}
	if !n.Same("+49 (0)89 223456", "223456") || n.Same("223456", "223457") || n.Same("", "") || !n.Same("101", "101") {
		t.Error("numbers of one subscriber are not told from others")
	}
}

// What a number is written as can be read again.
func FuzzE164(f *testing.F) {
	f.Add("+49 (0)89 1", "89", "DE")
	f.Add("2025550123", "202", "US")
	f.Fuzz(func(t *testing.T, number, area, country string) {
		c, ok := CountryByCode(country)
		if !ok || len(area) > 5 || strings.Trim(area, "123456789") != "" {
			return
		}
		n := c.Numbering(area)
		e164, ok := n.E164(number)
		if !ok {
			return
		}
		for _, style := range []NumberStyle{StyleE164, StyleInternational, StyleNational} {
			written := n.Write(e164, style)
			if back, ok := n.E164(written); !ok || back != e164 {
				t.Errorf("%s: %q is %s, written %s, read %q", country, number, e164, written, back)
			}
		}
	})
}
