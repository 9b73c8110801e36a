package pbx

import (
	"slices"
	"strings"
)

// mostCode is how many digits a country code has at most (E.164 section 6.2.1).
const mostCode = 3

// Spellings returns the digits of every way in which people write a number:
// with the country, with the national prefix, also in brackets after the country,
// and as it is dialled in its own area. What has other digits is another number;
// whether what has them is the same, Same tells. The list is empty for what has
// no digits.
func (n Numbering) Spellings(number string) []string {
	key := n.Key(number)
	whole, ok := strings.CutPrefix(key, "+")
	if !ok {
		return bare([]string{onlyDigits(key)})
	}
	list := []string{whole, n.InternationalPrefix + whole}
	for i := 1; i <= mostCode && i < len(whole); i++ { // +49 (0)89: where the country code ends is not known of all countries
		trunk := whole[:i] + "0" + whole[i:]
		list = append(list, trunk, n.InternationalPrefix+trunk)
	}
	if national, own := strings.CutPrefix(whole, n.CallingCode); own {
		list = append(list, national, n.NationalPrefix+national, n.CallingCode+n.NationalPrefix+national, n.InternationalPrefix+n.CallingCode+n.NationalPrefix+national)
		for _, area := range []string{n.AreaCode, strings.TrimPrefix(n.AreaCode, n.NationalPrefix)} { // some enter it with the prefix
			if local, own := strings.CutPrefix(national, area); own {
				list = append(list, local)
			}
		}
	}
	return bare(list)
}

// bare sorts a list and leaves out what is empty or there twice.
func bare(list []string) []string {
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(s string) bool { return s == "" })
}

func onlyDigits(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}

// Numbering returns how numbers are written where the device stands.
func (c *Config) Numbering() Numbering {
	country, _ := CountryByCode(c.Locale.Country)
	return country.Numbering(c.Locale.AreaCode)
}

// Listed reports whether the internal directory shows u (F065, F095).
func (c *Config) Listed(u *User) bool {
	return u.Extension != "" && !u.HideFromPhonebook && c.Holds(u, PermitInternalPhonebook)
}

// ListedByNumber returns the first user of the internal directory who has one of
// the numbers of the outside, or nil.
func (c *Config) ListedByNumber(n Numbering, numbers []string) *User {
	spelled := map[string]bool{}
	for _, number := range numbers {
		for _, s := range n.Spellings(number) {
			spelled[s] = true
		}
	}
	for i := range c.Users {
		u := &c.Users[i]
		for _, own := range []string{u.Mobile, u.Home} {
			if own != "" && spelled[onlyDigits(own)] && c.Listed(u) && slices.ContainsFunc(numbers, func(x string) bool { return n.Same(x, own) }) {
				return u
			}
		}
	}
	return nil
}
