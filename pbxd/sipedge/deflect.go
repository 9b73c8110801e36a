package sipedge

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/emiago/sipgo/sip"
)

// deflectedTo returns the number to which a phone that refuses our INVITE with
// 300, 301 or 302 wants the call to go, "" when it names none: the user part of
// its Contact, of several the one with the highest q, the first of those alike
// (RFC 3261 section 8.1.3.4), itself, own, the last. The host says nothing: the
// number means what it means here.
func deflectedTo(res *sip.Response, own string) string {
	if res.StatusCode < 300 || res.StatusCode > 302 {
		return ""
	}
	type wish struct {
		number string
		q      float64
	}
	var list []wish
	for _, h := range res.GetHeaders("contact") {
		c, ok := h.(*sip.ContactHeader)
		if !ok || c.Address.Scheme != "sip" && c.Address.Scheme != "sips" && c.Address.Scheme != "tel" {
			continue
		}
		user, err := numberOf(&c.Address)
		if user = printable(user, 64); err != nil || user == "" {
			continue
		}
		w := wish{user, 1}
		if text, ok := c.Params.Get("q"); ok {
			if q, err := strconv.ParseFloat(text, 64); err == nil && q >= 0 && q <= 1 {
				w.q = q
			}
		}
		if w.number == own {
			w.q = -1
		}
		list = append(list, w)
	}
	if len(list) == 0 {
		return ""
	}
	return slices.MaxFunc(list, func(a, b wish) int { return cmp.Compare(a.q, b.q) }).number
}
