package flow

import (
	"slices"
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
)

// RFC 5359 sections 2.7 to 2.9, Call Forwarding Unconditional, Busy and No
// Answer, and without a phone: 101 calls 102, which sends the call on to 103,
// a sipp.
func TestForwarding(t *testing.T) {
	peer.NeedSipp(t)
	for _, f := range []struct {
		section string
		reason  pbx.DiversionReason
		act     func(t *testing.T, b *handset) // what the phone of 102 does
	}{
		{"2.7 Call Forwarding Unconditional", pbx.DivertAlways, func(t *testing.T, b *handset) {}},
		{"2.8 Call Forwarding - Busy", pbx.DivertBusy, func(t *testing.T, b *handset) { b.rings(t).refuse(486, "Busy Here") }},
		{"2.9 Call Forwarding - No Answer", pbx.DivertNoAnswer, func(t *testing.T, b *handset) { b.rings(t).stops(t) }},
		{"without a phone", pbx.DivertUnregistered, func(t *testing.T, b *handset) {}},
	} {
		t.Run(f.section, func(t *testing.T) {
			t.Parallel()
			o := open(t, 0, func(c *pbx.Config) {
				u := c.UserByExtension("102")
				u.Calls.SetForwarding(false, f.reason, true, "103")
				u.Calls.NoAnswerTime = 1
			})
			a, c := o.handset(t, "101", 440), o.called(t, "answer", "103", 880, nil)
			var b *handset
			if f.reason != pbx.DivertUnregistered {
				b = o.handset(t, "102", 0)
			}
			call := a.dial(t, "102")
			f.act(t, b)
			call.answered(t)
			c.follow(t, o)
			talk(t, o.ctx, call.voice, 440, c.Voice, 880)
			if from := c.said(t, o, "from", 1); !contains(from, `"Anna Demo" <sip:101@`) {
				t.Errorf("103 sees %q, want Anna Demo, 101", from)
			}
			if d := c.said(t, o, "diversion", 1); !contains(d, `"Ben Demo" <sip:102@`) || !contains(d, "reason="+string(f.reason)) {
				t.Errorf("Diversion %q", d)
			}
			call.Hangup()
			done(t, c)
			o.nothingLeft(t)
		})
	}
}

// A forwarding that leads back does not hold: the phone that it would have sent
// the call away from rings.
func TestForwardingLoop(t *testing.T) {
	t.Parallel()
	o := open(t, 0, func(c *pbx.Config) {
		c.UserByExtension("102").Calls.SetForwarding(false, pbx.DivertAlways, true, "103")
		c.UserByExtension("103").Calls.SetForwarding(false, pbx.DivertAlways, true, "102")
	})
	a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 0), o.handset(t, "103", 880)
	call := a.dial(t, "102")
	in := c.rings(t)
	in.answer(t)
	call.answered(t)
	talk(t, o.ctx, call.voice, 440, in.voice, 880)
	b.never(t, "INVITE")
	call.Hangup()
	in.ended(t)
	o.nothingLeft(t)
}

// A chain of forwardings ends after ten: the phone that has the call then rings,
// whatever its user has set.
func TestForwardingChain(t *testing.T) {
	t.Parallel()
	o := open(t, 13, func(c *pbx.Config) {
		for n := 201; n < 213; n++ {
			c.UserByExtension(ext(n)).Calls.SetForwarding(false, pbx.DivertAlways, true, ext(n+1))
		}
	})
	a, b := o.handset(t, "101", 440), o.handset(t, "211", 880)
	call := a.dial(t, "201")
	in := b.rings(t)
	if n := len(in.Invite.All("Diversion")); n != 10 {
		t.Errorf("%d diversions are told, want 10: %q", n, in.Invite.All("Diversion"))
	}
	in.answer(t)
	call.answered(t)
	talk(t, o.ctx, call.voice, 440, in.voice, 880)
	call.Hangup()
	in.ended(t)
	o.nothingLeft(t)
}

// A call that is not answered drops to the operator (F067).
func TestDropToOperator(t *testing.T) {
	t.Parallel()
	o := open(t, 0, func(c *pbx.Config) {
		u := c.UserByExtension("102")
		u.DropToOperator, u.OperatorExtension, u.Calls.NoAnswerTime = true, "103", 1
	})
	a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 0), o.handset(t, "103", 880)
	call := a.dial(t, "102")
	b.rings(t).stops(t)
	in := c.rings(t)
	in.answer(t)
	call.answered(t)
	talk(t, o.ctx, call.voice, 440, in.voice, 880)
	call.Hangup()
	in.ended(t)
	o.nothingLeft(t)
}

// What is switched by code holds for the next call: do not disturb and call
// forwarding, on and off. The code is answered with a tone, and the PBX hangs
// up.
func TestSwitchedByCode(t *testing.T) {
	t.Parallel()
	o := open(t, 0, nil)
	a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 880), o.handset(t, "103", 1000)
	code := func(digits string) {
		t.Helper()
		l := b.dial(t, digits)
		l.answered(t)
		l.ended(t)
	}
	reaches := func(who *handset, tone float64) {
		t.Helper()
		call := a.dial(t, "102")
		in := who.rings(t)
		in.answer(t)
		call.answered(t)
		talk(t, o.ctx, call.voice, 440, in.voice, tone)
		call.Hangup()
		in.ended(t)
	}
	reaches(b, 880)
	code("*93")
	refused := a.dial(t, "102")
	refused.AckRefusal(a.Response("INVITE", 480))
	code("*93*")
	reaches(b, 880)
	code("*21103")
	reaches(c, 1000)
	b.never(t, "INVITE")
	code("*21*")
	reaches(b, 880)
	o.nothingLeft(t)
}

// Calls from a phone that its user has set to do not disturb go out, none comes
// in; who is on the phone hears a second call waiting, or the caller hears busy.
func TestDoNotDisturbAndCallWaiting(t *testing.T) {
	t.Parallel()
	o := open(t, 1, func(c *pbx.Config) {
		c.UserByExtension("103").Calls.DoNotDisturb = true
		c.UserByExtension("201").Calls.BusyOnBusy = true
	})
	a, b, c, d := o.handset(t, "101", 440), o.handset(t, "102", 880), o.handset(t, "103", 1000), o.handset(t, "201", 660)
	refused := func(from *handset, number string, status int) {
		t.Helper()
		l := from.dial(t, number)
		res := from.Final("INVITE")
		l.AckRefusal(res)
		if res.Status() != status {
			t.Errorf("%s to %s ends with %s, want %d", from.Ext, number, res.Start, status)
		}
	}
	refused(a, "103", 480)
	c.never(t, "INVITE")
	first := c.dial(t, "102")
	inFirst := b.rings(t)
	inFirst.answer(t)
	first.answered(t)
	talk(t, o.ctx, first.voice, 1000, inFirst.voice, 880)
	second := a.dial(t, "102") // waits
	inSecond := b.rings(t)
	talk(t, o.ctx, first.voice, 1000, inFirst.voice, 880)
	inFirst.hold(t)
	inSecond.answer(t)
	second.answered(t)
	talk(t, o.ctx, second.voice, 440, inSecond.voice, 880)
	silent(t, o.ctx, "103 on hold", first.voice)
	second.Hangup()
	inSecond.ended(t)
	inFirst.resume(t)
	talk(t, o.ctx, first.voice, 1000, inFirst.voice, 880)
	first.Hangup()
	inFirst.ended(t)
	third := d.dial(t, "102")
	inThird := b.rings(t)
	inThird.answer(t)
	third.answered(t)
	refused(a, "201", 486)
	third.Hangup()
	inThird.ended(t)
	o.nothingLeft(t)
}

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

// Who hides the number, for one call or for all, is not told to a sipp by any
// field.
func TestHiddenNumber(t *testing.T) {
	peer.NeedSipp(t)
	for _, f := range []struct {
		name, digits string
		always       bool
	}{{"by code", "*31102", false}, {"by the settings", "102", true}} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			o := open(t, 0, func(c *pbx.Config) { c.UserByExtension("101").Calls.HideNumber = f.always })
			a, b := o.handset(t, "101", 440), o.called(t, "answer", "102", 880, nil)
			call := a.dial(t, f.digits)
			call.answered(t)
			b.follow(t, o)
			talk(t, o.ctx, call.voice, 440, b.Voice, 880)
			if from := b.said(t, o, "from", 1); contains(from, "101") || contains(from, "Anna") {
				t.Errorf("102 sees %q", from)
			}
			if p := b.said(t, o, "privacy", 1); !contains(p, "id") {
				t.Errorf("Privacy %q", p)
			}
			call.Hangup()
			done(t, b)
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
