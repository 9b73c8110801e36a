package flow

import (
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// mayPickUp lets every user take the calls of every other.
func mayPickUp(c *pbx.Config) {
	all := c.PermissionGroupByID(pbx.GroupAllUsers)
	all.Permissions = append(all.Permissions, pbx.GroupPermission{Permission: pbx.PermitDirectPickup, AppliesTo: pbx.GroupAllUsers})
	c.PickupGroups = []pbx.PickupGroup{{ID: "office", PickupGroupSettings: pbx.PickupGroupSettings{Number: 7, Name: "Office", Members: []string{"demo102", "demo103"}}}}
}

// completedElsewhere checks why a phone was told to stop ringing (RFC 3326, RFC
// 3891 section 3).
func completedElsewhere(t *testing.T, cancel *pbxdtest.Message) {
	t.Helper()
	if r := cancel.Get("Reason"); !contains(r, "SIP") || !contains(r, "cause=200") || !contains(r, "ompleted elsewhere") {
		t.Errorf("Reason %q", r)
	}
}

// RFC 5359 section 2.16, Call Pickup, by code: 101 calls 102, whose phone rings,
// and 103 takes the call. It is missed by nobody.
func TestPickup(t *testing.T) {
	for _, f := range []struct{ name, digits string }{{"directed", "*82102"}, {"group", "*817"}, {"any group", "*81"}} {
		t.Run("2.16 Call Pickup, "+f.name, func(t *testing.T) {
			t.Parallel()
			o := open(t, 0, mayPickUp)
			admin := o.Login()
			a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 0), o.handset(t, "103", 880)
			call := a.dial(t, "102")
			in := b.rings(t)
			taken := c.dial(t, f.digits)
			completedElsewhere(t, in.stops(t))
			call.answered(t)
			taken.answered(t)
			talk(t, o.ctx, call.voice, 440, taken.voice, 880)
			taken.Hangup()
			call.ended(t)
			o.nothingLeft(t)
			o.journal(t, admin, "101", "out answered 102")
			o.journal(t, admin, "102", "in elsewhere 101")
			o.journal(t, admin, "103", "in answered 101")
		})
	}
}

// Who has no permission takes no call, and the phone goes on ringing.
func TestPickupRefused(t *testing.T) {
	t.Parallel()
	o := open(t, 0, nil)
	a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 880), o.handset(t, "103", 0)
	call := a.dial(t, "102")
	in := b.rings(t)
	for _, digits := range []string{"*82102", "*81"} {
		l := c.dial(t, digits)
		l.AckRefusal(c.Response("INVITE", 403))
	}
	in.answer(t)
	call.answered(t)
	talk(t, o.ctx, call.voice, 440, in.voice, 880)
	call.Hangup()
	in.ended(t)
	o.nothingLeft(t)
}

// RFC 5359 section 2.15, Call Park: 102 parks 101 by a transfer, 103 takes the
// call. Until then 101 hears a stream that is silent.
func TestPark(t *testing.T) {
	t.Parallel()
	o := open(t, 0, nil)
	a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 1000), o.handset(t, "103", 880)
	call := a.dial(t, "102")
	in := b.rings(t)
	in.answer(t)
	call.answered(t)
	talk(t, o.ctx, call.voice, 440, in.voice, 1000)
	in.hold(t)
	in.refer(t, o.uri("*701"))
	in.progress(t, "200")
	silent(t, o.ctx, "101, parked", call.voice)
	taken := c.dial(t, "*701")
	taken.answered(t)
	talk(t, o.ctx, call.voice, 440, taken.voice, 880)
	call.Hangup()
	taken.ended(t)
	o.nothingLeft(t)
}

// Two who come to one place of the park: the first has the call, the second
// hears the dial tone of a place that is free.
func TestParkIsTakenOnce(t *testing.T) {
	t.Parallel()
	o := open(t, 1, nil)
	a, b, c, d := o.handset(t, "101", 440), o.handset(t, "102", 1000), o.handset(t, "103", 880), o.handset(t, "201", 660)
	call := a.dial(t, "102")
	in := b.rings(t)
	in.answer(t)
	call.answered(t)
	in.refer(t, o.uri("*702"))
	in.progress(t, "200")
	taken := c.dial(t, "*702")
	taken.answered(t)
	talk(t, o.ctx, call.voice, 440, taken.voice, 880)
	late := d.dial(t, "*702") // an empty place is kept for a transfer, with the dial tone
	late.answered(t)
	hears(t, o.ctx, "201", late.voice, 425, 400)
	late.Hangup()
	talk(t, o.ctx, call.voice, 440, taken.voice, 880)
	call.Hangup()
	taken.ended(t)
	o.nothingLeft(t)
}
