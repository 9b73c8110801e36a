package resolve

import "net/netip"

// interleave returns addresses with the families taking turns, IPv6 first (RFC
// 8305 section 4); within a family the order stays. Those that are not reached
// come behind all that are, in the same way.
func interleave(addrs []netip.Addr, reach func(netip.Addr) bool) []netip.Addr {
	var lists [4][]netip.Addr // reached IPv6 and IPv4, others
	for _, a := range addrs {
		i := 0
		if a.Is4() {
			i = 1
		}
		if !reach(a) {
			i += 2
		}
		lists[i] = append(lists[i], a)
	}
	out := make([]netip.Addr, 0, len(addrs))
	for i := 0; i < len(lists); i += 2 {
		six, four := lists[i], lists[i+1]
		for len(six) > 0 || len(four) > 0 {
			if len(six) > 0 {
				out, six = append(out, six[0]), six[1:]
			}
			if len(four) > 0 {
				out, four = append(out, four[0]), four[1:]
			}
		}
	}
	return out
}
