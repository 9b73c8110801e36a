package resolve

import (
	"cmp"
	"slices"
)

// srv is what an SRV record says (RFC 2782).
type srv struct {
	priority, weight, port uint16
	target                 string // "": the service is not offered
}

// orderServers returns the records as RFC 2782 has them tried: by priority, and
// among equals at random by weight. random returns a number from 0 to n-1.
func orderServers(list []srv, random func(n int) int) []srv {
	list = slices.Clone(list)
	// Within a priority those of weight 0 come first, so that they have a small
	// chance.
	slices.SortStableFunc(list, func(a, b srv) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(min(a.weight, 1), min(b.weight, 1)))
	})
	for start := range list {
		end := start
		sum := 0
		for end < len(list) && list[end].priority == list[start].priority {
			sum += int(list[end].weight)
			end++
		}
		at, running := start, int(list[start].weight)
		for chosen := random(sum + 1); running < chosen && at < end-1; {
			at++
			running += int(list[at].weight)
		}
		// The chosen one goes to the front, the others keep their order.
		picked := list[at]
		copy(list[start+1:at+1], list[start:at])
		list[start] = picked
	}
	return list
}
