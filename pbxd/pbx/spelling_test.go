package pbx

import (
	"slices"
	"strings"
	"testing"
)

// A caller is found however the number is written in a directory.
func TestSpellings(t *testing.T) {
	de, _ := CountryByCode("DE")
	it, _ := CountryByCode("IT")
	us, _ := CountryByCode("US")
	for _, tt := range []struct {
		n       Numbering
		caller  string
		written []string // the same
		others  []string
	}{
		{de.Numbering("89"), "+4989223456", []string{"+49 89 223456", "+49 (89) 22 34-56", "+49 (0)89/223456", "0049 89 223456", "0049 (0)89 223456", "+49 089 223456", "089 22 34 56", "223456"},
			[]string{"", "+43 89 223456", "89223456", "22345", "089 2234567"}},
		{de.Numbering("89"), "089223456", []string{"+4989223456", "223456"}, []string{"0 089 223456"}},
		{de.Numbering(""), "+4989223456", []string{"089223456"}, []string{"223456"}},
		{de.Numbering("89"), "004315331234", []string{"+43 1 5331234", "+43 (0)1 5331234", "0043 (0)1 533 12 34"}, []string{"015331234"}},
		{de.Numbering("89"), "+35312345678", []string{"00353 (0)1 2345678", "+353 1 2345678"}, nil},
		{it.Numbering(""), "+390612345678", []string{"06 12345678", "0039 06 12345678"}, []string{"612345678"}},
		{us.Numbering("202"), "+12025550123", []string{"(202) 555-0123", "1-202-555-0123", "555-0123", "+1 202 555 0123", "011 1 202 555 0123"}, []string{"2025550124"}},
		{de.Numbering("89"), "101", []string{"101", "1-01"}, []string{"0101"}},
		{de.Numbering("89"), "", nil, []string{"", "0"}},
	} {
		found := func(written string) bool {
			return slices.Contains(tt.n.Spellings(tt.caller), onlyDigits(written)) && tt.n.Same(tt.caller, written)
		}
		for _, w := range tt.written {
			if !found(w) {
				t.Errorf("%s is not found as %q: %q", tt.caller, w, tt.n.Spellings(tt.caller))
			}
		}
		for _, w := range tt.others {
			if found(w) {
				t.Errorf("%s is found as %q", tt.caller, w)
			}
		}
	}
}

// FuzzSpellings looks for two ways to write a number of which one does not find
// the other.
func FuzzSpellings(f *testing.F) {
	for _, seed := range [][3]string{{"+4989123456", "089/12 34 56", "89"}, {"0049 (0)89 223456", "223456", "89"}, {"+12025550123", "555-0123", "202"}, {"*21#", "21", ""}, {"++0", "(0)+49", "0"}} {
		f.Add(seed[0], seed[1], seed[2], uint8(0))
	}
	countries := Countries()
	f.Fuzz(func(t *testing.T, a, b, area string, which uint8) {
		if len(a) > 64 || len(b) > 64 || len(area) > 6 || strings.Trim(area, "0123456789") != "" {
			return
		}
		n := countries[int(which)%len(countries)].Numbering(area)
		list := n.Spellings(a)
		if len(list) > 15 || slices.Contains(list, "") || !slices.IsSorted(list) {
			t.Fatalf("%q: %q", a, list)
		}
		if before, _, brackets := strings.Cut(b, "(0)"); brackets && len(onlyDigits(strings.TrimPrefix(before, n.InternationalPrefix))) > mostCode {
			return // no country code is that long
		}
		if _, e164 := n.E164(a); !e164 && strings.Contains(b, "(0)") {
			return // brackets in what is no number
		}
		if n.Same(a, b) && onlyDigits(b) != "" && !slices.Contains(list, onlyDigits(b)) {
			t.Errorf("%q and %q are the same, and %q does not find it", a, b, list)
		}
	})
}

func TestListedByNumber(t *testing.T) {
	c := Factory(Defaults{})
	c.Locale.AreaCode = "89"
	u := c.UserByExtension("102")
	u.Mobile, u.Home = "01701234567", "223456"
	n := c.Numbering()
	for _, number := range []string{"+491701234567", "089223456", "223456"} {
		if got := c.ListedByNumber(n, []string{"", number}); got != u {
			t.Errorf("%s is %+v", number, got)
		}
	}
	if got := c.ListedByNumber(n, []string{"", "+4989223457"}); got != nil {
		t.Errorf("nobody's number is that of %s", got.Name)
	}
	u.HideFromPhonebook = true
	if c.ListedByNumber(n, []string{"223456"}) != nil {
		t.Error("who is hidden from the directory is found")
	}
}
