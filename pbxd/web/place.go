package web

import (
	"strings"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbx/pattern"
)

// moveUp moves the last entry of a list up to a place, and returns where it is: a
// place below 0 leaves it.
func moveUp[E any](list []E, to int) int {
	at := len(list) - 1
	if to < 0 || to >= at {
		return at
	}
	e := list[at]
	copy(list[to+1:], list[to:at])
	list[to] = e
	return to
}

// placeInbound is where a new rule, the last of the list, goes: before the first of
// its group that would take all of its calls, so that the rule for every number does
// not keep one for the night from holding; -1 when there is none.
func placeInbound(list []pbx.InboundRoute) int {
	fresh := &list[len(list)-1]
	for i := range list[:len(list)-1] {
		r := &list[i]
		if r.Group != fresh.Group || r.Profile != 0 || !r.Window.Always() {
			continue
		}
		every := takesAll(r.Pattern) && !pattern.Plain(r.Pattern)
		if every && (fresh.Profile != 0 || !fresh.Window.Always() || !takesAll(fresh.Pattern) || pattern.Plain(fresh.Pattern)) {
			return i
		}
	}
	return -1
}

// placeOutbound is placeInbound for outbound routes, whose numbers are known by
// their first digits.
func placeOutbound(list []pbx.OutboundRoute) int {
	fresh := &list[len(list)-1]
	begins, whole := leading(fresh.Pattern)
	for i := range list[:len(list)-1] {
		r := &list[i]
		digits, all := leading(r.Pattern)
		if r.UserGroup != "" || !r.Window.Always() || !all || !strings.HasPrefix(begins, digits) {
			continue
		}
		if len(begins) > len(digits) || !whole || fresh.UserGroup != "" || !fresh.Window.Always() {
			return i
		}
	}
	return -1
}

// takesAll reports whether a pattern is for every number.
func takesAll(p string) bool {
	digits, all := leading(p)
	return all && digits == ""
}

// leading returns the digits with which the numbers of a pattern begin, and whether
// all that begin so are meant.
func leading(p string) (digits string, all bool) {
	if pattern.Plain(p) {
		return p, true
	}
	rest, anchored := strings.CutPrefix(p, "^")
	n := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	digits, rest = rest[:n], rest[n:]
	if !anchored {
		digits = ""
	}
	switch rest {
	case "", ".*", "(.*)", ".*$", "(.*)$":
		return digits, anchored || n == 0
	}
	if rest != "" && strings.ContainsAny(rest[:1], "*?{") && digits != "" { // that is of the last digit
		digits = digits[:len(digits)-1]
	}
	return digits, false
}
