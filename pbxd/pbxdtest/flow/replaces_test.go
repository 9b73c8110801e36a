package flow

import (
	"fmt"
	"testing"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/peer"
)

// dialWith is dial with further header fields.
func (h *handset) dialWith(t *testing.T, number, fields string) *line {
	t.Helper()
	v := voice(t, h.kind, h.tone)
	return h.line(t, h.DialWith(number, h.sdp(v, "sendrecv", 1), fields), v)
}

// replacesField names a dialog of the PBX as the phone at its far end sees it
// (RFC 3891 section 3).
func replacesField(l *line, more string) string {
	local, remote := l.Tags()
	if remote == "" {
		remote = l.Invite.Tag("From")
	}
	return fmt.Sprintf("Require: replaces\r\nReplaces: %s;to-tag=%s;from-tag=%s%s\r\n", l.ID, remote, local, more)
}

// A user goes on with a call at another phone of the own: INVITE with Replaces
// of the dialog in which the first talks (RFC 3891 section 1).
func TestTakeOverByReplaces(t *testing.T) {
	t.Parallel()
	o := open(t, 0, nil)
	a, b := o.handset(t, "101", 440), o.handset(t, "102", 880)
	call := a.dial(t, "102")
	in := b.rings(t)
	in.answer(t)
	call.answered(t)
	talk(t, o.ctx, call.voice, 440, in.voice, 880)
	over := o.handset(t, "102", 1000).dialWith(t, "102", replacesField(in, ""))
	over.answered(t)
	in.ended(t)
	talk(t, o.ctx, call.voice, 440, over.voice, 1000)
	over.Hangup()
	call.ended(t)
	o.nothingLeft(t)
}

// The same by somebody else is refused, even to who may take calls of 102 that
// ring, and disturbs nobody.
func TestTakeOverRefused(t *testing.T) {
	t.Parallel()
	o := open(t, 0, mayPickUp)
	a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 880), o.handset(t, "103", 1000)
	call := a.dial(t, "102")
	in := b.rings(t)
	in.answer(t)
	call.answered(t)
	over := c.dialWith(t, "102", replacesField(in, ""))
	res := c.Final("INVITE")
	if res.Status() < 400 {
		t.Fatalf("103 takes a call of others: %s", res.Start)
	}
	over.AckRefusal(res)
	talk(t, o.ctx, call.voice, 440, in.voice, 880)
	call.Hangup()
	in.ended(t)
	o.nothingLeft(t)
}

// The key of a busy lamp field takes a call that rings: INVITE with Replaces of
// the early dialog that dialog-info named (RFC 3891 section 3, early-only).
func TestPickupByReplaces(t *testing.T) {
	t.Parallel()
	o := open(t, 0, mayPickUp)
	a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 0), o.handset(t, "103", 880)
	call := a.dial(t, "102")
	in := b.rings(t)
	taken := c.dialWith(t, "102", replacesField(in, ";early-only"))
	completedElsewhere(t, in.stops(t))
	taken.answered(t)
	call.answered(t)
	talk(t, o.ctx, call.voice, 440, taken.voice, 880)
	call.Hangup()
	taken.ended(t)
	o.nothingLeft(t)
}

// Two phones of one extension ring; the one that does not answer is told that
// the call was completed elsewhere, and the user has missed nothing.
func TestTwoPhonesOfOneExtension(t *testing.T) {
	t.Parallel()
	o := open(t, 0, nil)
	admin := o.Login()
	a, desk, mobile := o.handset(t, "101", 440), o.handset(t, "102", 880), o.handset(t, "102", 1000)
	call := a.dial(t, "102")
	first, second := desk.rings(t), mobile.rings(t)
	second.answer(t)
	completedElsewhere(t, first.stops(t))
	call.answered(t)
	talk(t, o.ctx, call.voice, 440, second.voice, 1000)
	call.Hangup()
	second.ended(t)
	o.nothingLeft(t)
	o.journal(t, admin, "101", "out answered 102")
	o.journal(t, admin, "102", "in answered 101")
}

// What each user's journal says of calls that were not talked in.
func TestJournalOfCallsNotTaken(t *testing.T) {
	t.Parallel()
	o := open(t, 1, nil)
	admin := o.Login()
	a, b, c := o.handset(t, "101", 0), o.handset(t, "102", 0), o.handset(t, "103", 0)
	busy := a.dial(t, "102") // the phone is busy without having rung
	b.Ringing().Reply(486, "Busy Here", "")
	busy.AckRefusal(a.Response("INVITE", 486))
	declined := a.dial(t, "103") // by the key
	c.rings(t).refuse(603, "Decline")
	declined.AckRefusal(a.Response("INVITE", 603))
	missed := a.dial(t, "102")
	in := b.rings(t)
	a.Response("INVITE", 180)
	missed.Cancel()
	in.stops(t)
	missed.AckRefusal(a.Response("INVITE", 487))
	absent := a.dial(t, "201")
	absent.AckRefusal(a.Response("INVITE", 480))
	o.nothingLeft(t)
	o.journal(t, admin, "201", "in missed 101")
	o.journal(t, admin, "102", "in missed 101", "in missed 101")
	o.journal(t, admin, "103", "in declined 101")
	o.journal(t, admin, "101", "out noAnswer 201", "out noAnswer 102", "out busy 103", "out busy 102")
}

// A transfer while the second call still rings: the phone has hung up, or asks
// for it with Replaces of the early dialog; the caller waits with the ringing
// tone and talks with whom answers.
func TestTransferWhileRinging(t *testing.T) {
	t.Parallel()
	o := open(t, 0, nil)
	a, b, c := o.handset(t, "101", 440), o.handset(t, "102", 880), o.handset(t, "103", 1000)
	call := a.dial(t, "102")
	in := b.rings(t)
	in.answer(t)
	call.answered(t)
	in.hold(t)
	second := b.dial(t, "103")
	target := c.rings(t)
	second.Early(b.Response("INVITE", 180))
	in.refer(t, second.replaces("103"))
	hears(t, o.ctx, "101, transferred while it rings", call.voice, 425)
	target.answer(t)
	in.progress(t, "200")
	talk(t, o.ctx, call.voice, 440, target.voice, 1000)
	call.Hangup()
	target.ended(t)
	o.nothingLeft(t)
}

// Phones of unlike codecs that a transfer joins hear each other; those that
// have a codec in common are not transcoded.
func TestTransferOfUnlikePhones(t *testing.T) {
	for _, f := range []struct {
		name    string
		a, b, c byte
	}{
		{"unlike", peer.PayloadPCMA, peer.PayloadPCMA, peer.PayloadPCMU},
		{"alike, by an unlike one", peer.PayloadPCMU, peer.PayloadPCMA, peer.PayloadPCMU},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			o := open(t, 0, nil)
			a, b, c := o.handsetWith(t, "101", 440, f.a), o.handsetWith(t, "102", 880, f.b), o.handsetWith(t, "103", 1000, f.c)
			call := a.dial(t, "102")
			in := b.rings(t)
			in.answer(t)
			call.answered(t)
			talk(t, o.ctx, call.voice, 440, in.voice, 880)
			in.refer(t, o.uri("103"))
			target := c.rings(t)
			target.answer(t)
			talk(t, o.ctx, call.voice, 440, target.voice, 1000)
			for _, side := range []struct {
				l    *line
				kind byte
			}{{call, f.a}, {target, f.c}} {
				mark := side.l.voice.Mark()
				hears(t, o.ctx, side.l.h.Ext, side.l.voice, map[*line]float64{call: 1000, target: 440}[side.l])
				if s := peer.Measure(side.l.voice.Since(mark)); len(s.Types) != 1 || s.Types[0] != side.kind {
					t.Errorf("%s gets payload types %v, want %d", side.l.h.Ext, s.Types, side.kind)
				}
			}
			call.Hangup()
			target.ended(t)
			o.nothingLeft(t)
		})
	}
}

// A parked call that nobody takes rings back where it was parked from.
func TestParkRingsBack(t *testing.T) {
	t.Parallel()
	o := open(t, 0, func(c *pbx.Config) { c.SIP.ParkTime = 10 })
	a, b := o.handset(t, "101", 440), o.handset(t, "102", 880)
	call := a.dial(t, "102")
	in := b.rings(t)
	in.answer(t)
	call.answered(t)
	in.refer(t, o.uri("*703"))
	in.progress(t, "200")
	back := b.rings(t)
	if from := back.Invite.Get("From"); !contains(from, "<sip:101@") {
		t.Errorf("102 is called back by %s", from)
	}
	back.answer(t)
	talk(t, o.ctx, call.voice, 440, back.voice, 880)
	call.Hangup()
	back.ended(t)
	o.nothingLeft(t)
}
