package dialplan

import (
	"testing"

	"galilei/pbxd/pbx"
)

// TestExecutive is the example of the manual (p29, F097): 101 is the
// executive, 102 the secretariat, 103 a colleague. The executive may ignore the
// secretariat's forwarding, each may take calls within the own group, and both
// are in one pickup group.
func TestExecutive(t *testing.T) {
	permission := func(p pbx.Permission, to string) pbx.GroupPermission {
		return pbx.GroupPermission{Permission: p, AppliesTo: to}
	}
	c := office(t, without(pbx.PermitCallForwarding), func(c *pbx.Config) {
		c.PermissionGroups = append(c.PermissionGroups,
			pbx.PermissionGroup{ID: "secretariat", PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Secretariat", Type: "user", Members: []string{"demo102"},
				Permissions: []pbx.GroupPermission{permission(pbx.PermitCallForwarding, "secretariat"), permission(pbx.PermitDirectPickup, "secretariat")}}},
			pbx.PermissionGroup{ID: "executive", PermissionGroupSettings: pbx.PermissionGroupSettings{Name: "Executive's office", Type: "user", Members: []string{"demo101"},
				Permissions: []pbx.GroupPermission{permission(pbx.PermitDirectPickup, "executive"), permission(pbx.PermitOverrideForward, "secretariat"),
					permission(pbx.PermitIntercom, "secretariat")}}})
		c.PickupGroups = []pbx.PickupGroup{{ID: "office", PickupGroupSettings: pbx.PickupGroupSettings{Number: 1, Name: "Office", Members: []string{"demo101", "demo102"}}}}
	}, forwards("102", pbx.DivertAlways, "103"), forwards("102", pbx.DivertBusy, "103"), forwards("101", pbx.DivertAlways, "103"))
	for _, tt := range []struct {
		name, caller, digits string
		state                State
		want                 string
	}{
		{"the secretariat forwards", "104", "102", nil, "ring 103 120s"},
		{"the executive reaches the secretariat all the same", "101", "102", nil, "ring 102 120s"},
		{"and on a busy phone, since call waiting is on", "101", "102", phones{calls: map[string]int{"102": 1}}, "ring 102w 120s"},
		{"but no more than it has room for", "101", "102", phones{calls: map[string]int{"102": 2}}, "refuse busy"},
		{"the executive may not forward", "104", "101", nil, "ring 101 120s"},
		{"nor switch it by code", "101", "*21103", nil, "refuse not permitted"},
		{"the secretariat may", "102", "*21104", nil, "function forwardAlways 104"},
		{"intercom to the secretariat", "101", "*83102", nil, "ring 102a 120s"},
		{"but not back", "102", "*83101", nil, "refuse not permitted"},
		{"nor by others", "103", "*83102", nil, "refuse not permitted"},
		{"the executive may not take the secretariat's calls directly", "101", "*82102", nil, "refuse not permitted"},
		{"but by the shared pickup group", "101", "*811", nil, "function groupPickup 1"},
		{"as may the secretariat", "102", "*811", nil, "function groupPickup 1"},
		{"and nobody else", "103", "*811", nil, "refuse not permitted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Decide(c, Query{Caller: from(tt.caller), Digits: tt.digits, State: tt.state})
			if got := text(d); got != tt.want {
				t.Errorf("got %s, want %s; steps %v", got, tt.want, steps(d))
			}
		})
	}
	q := Query{Caller: from("101"), Digits: "102"}
	if d := Next(c, q, Decide(c, q), Busy); text(d) != "refuse busy" {
		t.Errorf("the executive was sent on: %s", text(d))
	}
}
