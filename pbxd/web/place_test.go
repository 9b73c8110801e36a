package web

import (
	"testing"

	"galilei/pbxd/pbx"
)

func TestPlaceOfARule(t *testing.T) {
	in := func(group, pattern string, profile int, date string) pbx.InboundRoute {
		return pbx.InboundRoute{InboundRouteSettings: pbx.InboundRouteSettings{Group: group, Pattern: pattern, Profile: profile, Active: true, Window: pbx.Window{DateFrom: date}}}
	}
	every := in("a", "^(.*)", 0, "")
	for name, tt := range map[string]struct {
		list []pbx.InboundRoute
		want int
	}{
		"for the night":         {[]pbx.InboundRoute{in("a", "4711", 0, ""), every, in("a", "^(.*)", 2, "")}, 1},
		"for a time":            {[]pbx.InboundRoute{every, in("a", "^(.*)", 0, "12-24")}, 0},
		"for one number":        {[]pbx.InboundRoute{every, in("a", "4711", 0, "")}, 0},
		"for every number, too": {[]pbx.InboundRoute{every, in("a", "^.*$", 0, "")}, -1},
		"of another group":      {[]pbx.InboundRoute{every, in("b", "4711", 0, "")}, -1},
		"the first":             {[]pbx.InboundRoute{in("a", "4711", 0, "")}, -1},
		"after one number":      {[]pbx.InboundRoute{in("a", "4711", 0, ""), in("a", "4712", 0, "")}, -1},
	} {
		if got := placeInbound(tt.list); got != tt.want {
			t.Errorf("inbound %s: %d, want %d", name, got, tt.want)
		}
	}
	out := func(pattern, group string) pbx.OutboundRoute {
		return pbx.OutboundRoute{OutboundRouteSettings: pbx.OutboundRouteSettings{Pattern: pattern, UserGroup: group, Active: true}}
	}
	for name, tt := range map[string]struct {
		list []pbx.OutboundRoute
		want int
	}{
		"mobiles":          {[]pbx.OutboundRoute{out("0", ""), out("^001[5-7]", "")}, 0},
		"longer":           {[]pbx.OutboundRoute{out("^1", ""), out("^0(.*)", ""), out("0900", "")}, 1},
		"of one group":     {[]pbx.OutboundRoute{out("0", ""), out("0", "g")}, 0},
		"the same":         {[]pbx.OutboundRoute{out("0", ""), out("^0", "")}, -1},
		"others":           {[]pbx.OutboundRoute{out("0", ""), out("^[1-9]", "")}, -1},
		"not only longer":  {[]pbx.OutboundRoute{out("00", ""), out("^00?9", "")}, -1},
		"after one group":  {[]pbx.OutboundRoute{out("0", "g"), out("00", "")}, -1},
		"after everything": {[]pbx.OutboundRoute{out("^(.*)", ""), out("^[1-9]", "")}, 0},
	} {
		if got := placeOutbound(tt.list); got != tt.want {
			t.Errorf("outbound %s: %d, want %d", name, got, tt.want)
		}
	}
	list := []int{1, 2, 3, 9}
	if at := moveUp(list, 1); at != 1 || list[1] != 9 || list[3] != 3 {
		t.Errorf("moved to %d: %v", at, list)
	}
}
