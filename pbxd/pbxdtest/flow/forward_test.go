package flow

import (
	"testing"

	"galilei/pbxd/pbx"
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
