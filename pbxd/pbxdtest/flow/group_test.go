package flow

import (
	"slices"
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
)

// group is a hunt group 600 of 102 and 103.
func group(scheme string, change ...func(*pbx.HuntGroupSettings)) func(*pbx.Config) {
	return func(c *pbx.Config) {
		s := pbx.HuntGroupSettings{Extension: "600", Title: "Sales", DisplayPrefix: "Sales", CallScheme: scheme,
			Members: []pbx.HuntMember{{User: "demo102", Timeout: 1}, {User: "demo103", Timeout: 30}}}
		for _, f := range change {
			f(&s)
		}
		c.HuntGroups = []pbx.HuntGroup{{ID: "sales", HuntGroupSettings: s}}
	}
}

// A door station calls a linear group: the first member does not answer, the
// second, a sipp, is told of the group and of the tone of the door.
func TestLinearGroup(t *testing.T) {
	peer.NeedSipp(t)
	t.Parallel()
	o := open(t, 0, group("linear", func(s *pbx.HuntGroupSettings) { s.DoorStation = true }))
	a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 0), o.called(t, "answer", "103", 880, nil)
	call := a.dial(t, "600")
	b.rings(t).stops(t)
	call.answered(t)
	c.follow(t, o)
	talk(t, o.ctx, call.voice, 440, c.Voice, 880)
	if from := c.said(t, o, "from", 1); !contains(from, `"Sales Anna Demo" <sip:101@`) {
		t.Errorf("103 sees %q", from)
	}
	if alert := c.said(t, o, "alert", 1); !contains(alert, "info=alert-door") {
		t.Errorf("Alert-Info %q", alert)
	}
	call.Hangup()
	done(t, c)
	o.nothingLeft(t)
}

// RFC 5359 section 2.12, Find-Me, by a parallel group: both ring, the first to
// answer has the call, and the other, a sipp, is told that it was completed
// elsewhere (RFC 3326). The journal does not show it as missed there.
func TestParallelGroup(t *testing.T) {
	peer.NeedSipp(t)
	t.Parallel()
	o := open(t, 0, group("parallel"))
	admin := o.Login()
	a, b, c := o.handset(t, "101", 440), o.called(t, "rfc3665-3.8-callee", "102", 0, nil, "STATUS", "487 Request Terminated"), o.handset(t, "103", 880)
	call := a.dial(t, "600")
	in := c.rings(t)
	b.said(t, o, "call", 1)
	in.answer(t)
	call.answered(t)
	talk(t, o.ctx, call.voice, 440, in.voice, 880)
	if r := b.said(t, o, "reason", 1); !contains(r, "SIP") || !contains(r, "cause=200") || !contains(r, "ompleted elsewhere") {
		t.Errorf("102 is told the reason %q", r)
	}
	call.Hangup()
	in.ended(t)
	done(t, b)
	o.nothingLeft(t)
	o.journal(t, admin, "101", "out answered 600")
	o.journal(t, admin, "102", "in elsewhere 101")
	o.journal(t, admin, "103", "in answered 101")
}

// A group that is busy as a whole while one member is on the phone, and one
// that is not.
func TestBusyGroup(t *testing.T) {
	for _, f := range []struct {
		name string
		busy bool
	}{{"group busy", true}, {"next member", false}} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			o := open(t, 1, group("linear", func(s *pbx.HuntGroupSettings) { s.GroupBusy = f.busy }))
			a, b, c, d := o.handset(t, "101", 440), o.handset(t, "102", 880), o.handset(t, "103", 1000), o.handset(t, "201", 660)
			call := a.dial(t, "102")
			in := b.rings(t)
			in.answer(t)
			call.answered(t)
			second := d.dial(t, "600")
			if f.busy {
				second.AckRefusal(d.Response("INVITE", 486))
			} else {
				inC := c.rings(t)
				inC.answer(t)
				second.answered(t)
				talk(t, o.ctx, second.voice, 660, inC.voice, 1000)
				second.Hangup()
				inC.ended(t)
			}
			talk(t, o.ctx, call.voice, 440, in.voice, 880)
			call.Hangup()
			in.ended(t)
			o.nothingLeft(t)
		})
	}
}

// journal checks the calls of a user, newest first, each "direction result
// number".
func (o *office) journal(t *testing.T, admin *pbxdtest.Admin, ext string, want ...string) {
	t.Helper()
	var got []string
	eventually(t, "the journal of "+ext, func() bool {
		var entries []pbx.JournalEntry
		admin.Do("GET", "/api/v1/users/demo"+ext+"/journal", nil, 200, &entries)
		got = nil
		for _, e := range entries {
			got = append(got, string(e.Direction)+" "+string(e.Result)+" "+e.Number)
		}
		return len(got) >= len(want)
	})
	if !slices.Equal(got, want) {
		t.Errorf("the journal of %s is %q, want %q", ext, got, want)
	}
}
