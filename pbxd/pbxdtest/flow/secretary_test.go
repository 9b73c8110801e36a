package flow

import (
	"testing"

	"galilei/pbxd/pbx"
)

// executive is the example of the manual (p29, F097): 101 is the executive, 102
// the secretariat, 103 a colleague to whom the secretariat forwards.
func executive(c *pbx.Config) {
	permission := func(p pbx.Permission, to string) pbx.GroupPermission {
		return pbx.GroupPermission{Permission: p, AppliesTo: to}
	}
	group := func(id, name, member string, granted ...pbx.GroupPermission) pbx.PermissionGroup {
		return pbx.PermissionGroup{ID: id, PermissionGroupSettings: pbx.PermissionGroupSettings{Name: name, Type: "user", Members: []string{member}, Permissions: granted}}
	}
	c.PermissionGroups = append(c.PermissionGroups,
		group("secretariat", "Secretariat", "demo102", permission(pbx.PermitCallForwarding, "secretariat"), permission(pbx.PermitDirectPickup, "secretariat"), permission(pbx.PermitIntercom, "executive")),
		group("executive", "Executive's office", "demo101", permission(pbx.PermitDirectPickup, "executive"), permission(pbx.PermitOverrideForward, "secretariat"), permission(pbx.PermitIntercom, "secretariat")))
	c.PickupGroups = []pbx.PickupGroup{{ID: "office", PickupGroupSettings: pbx.PickupGroupSettings{Number: 1, Name: "Office", Members: []string{"demo101", "demo102"}}}}
	c.UserByExtension("102").Calls.SetForwarding(false, pbx.DivertAlways, true, "103")
}

// TestExecutiveAndSecretary plays the example with five phones.
func TestExecutiveAndSecretary(t *testing.T) {
	t.Parallel()
	o := open(t, 2, executive)
	boss, desk, colleague, guest := o.handset(t, "101", 440), o.handset(t, "102", 880), o.handset(t, "103", 1000), o.handset(t, "201", 660)

	// A caller of the secretariat is sent on to the colleague.
	call := guest.dial(t, "102")
	in := colleague.rings(t)
	in.answer(t)
	call.answered(t)
	talk(t, o.ctx, call.voice, 660, in.voice, 1000)
	desk.never(t, "INVITE")
	call.Hangup()
	in.ended(t)

	// The executive reaches the secretariat in spite of it, and by intercom: the
	// phone is told to answer by itself.
	call = boss.dial(t, "102")
	in = desk.rings(t)
	in.answer(t)
	call.answered(t)
	talk(t, o.ctx, call.voice, 440, in.voice, 880)
	call.Hangup()
	in.ended(t)
	call = boss.dial(t, "*83102")
	in = desk.rings(t)
	if !contains(in.Invite.Get("Call-Info"), "answer-after=0") && !contains(in.Invite.Get("Alert-Info"), "alert-autoanswer") {
		t.Errorf("the phone of the secretariat is not told to answer: %s", in.Invite)
	}
	in.answer(t)
	call.answered(t)
	talk(t, o.ctx, call.voice, 440, in.voice, 880)
	call.Hangup()
	in.ended(t)

	// Others may not.
	l := guest.dial(t, "*83101")
	l.AckRefusal(guest.Response("INVITE", 403))

	// A call to the executive is taken by the secretariat, by the shared group.
	call = guest.dial(t, "101")
	in = boss.rings(t)
	taken := desk.dial(t, "*811")
	completedElsewhere(t, in.stops(t))
	taken.answered(t)
	call.answered(t)
	talk(t, o.ctx, call.voice, 660, taken.voice, 880)

	// While the secretariat talks, the executive is still put through: call
	// waiting. The secretariat hands the guest over to the executive.
	second := boss.dial(t, "102")
	waiting := desk.rings(t)
	taken.hold(t)
	waiting.answer(t)
	second.answered(t)
	talk(t, o.ctx, second.voice, 440, waiting.voice, 880)
	taken.refer(t, waiting.replaces("101"))
	taken.progress(t, "200")
	talk(t, o.ctx, call.voice, 660, second.voice, 440)
	call.Hangup()
	second.ended(t)
	o.nothingLeft(t)
}
