package flow

import (
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
)

// change alters one parameter of a user's call settings over the API.
func change(admin *pbxdtest.Admin, ext string, set map[string]any) {
	path := "/api/v1/users/demo" + ext + "/calls"
	var calls map[string]any
	admin.Do("GET", path, nil, 200, &calls)
	for k, v := range set {
		calls[k] = v
	}
	delete(calls, "clipInternal")
	delete(calls, "clipExternal")
	admin.Do("PUT", path, calls, 200, nil)
}

// Changes of the configuration (P23) hold for the next call, and disturb none
// that goes on: one in which people talk, one on hold, one that rings.
func TestChangesDuringCalls(t *testing.T) {
	t.Parallel()
	o := open(t, 4, nil)
	admin := o.Login()
	a, b, c, d, e := o.handset(t, "101", 440), o.handset(t, "102", 880), o.handset(t, "103", 1000), o.handset(t, "201", 660), o.handset(t, "202", 550)
	talking := a.dial(t, "102")
	inTalking := b.rings(t)
	inTalking.answer(t)
	talking.answered(t)
	talk(t, o.ctx, talking.voice, 440, inTalking.voice, 880)
	held := d.dial(t, "202")
	inHeld := e.rings(t)
	inHeld.answer(t)
	held.answered(t)
	held.hold(t)
	silent(t, o.ctx, "202", inHeld.voice)
	ringing := c.dial(t, "202") // waits there
	inRinging := e.rings(t)

	marks := map[*line]int{talking: talking.voice.Mark(), inTalking: inTalking.voice.Mark()}
	change(admin, "102", map[string]any{"internalAlways": true, "internalAlwaysNumber": "201"})
	change(admin, "202", map[string]any{"internalAlways": true, "internalAlwaysNumber": "203", "doNotDisturb": true})
	admin.Do("PUT", "/api/v1/users/demo101", map[string]any{"user": "demo101", "extension": "101", "firstName": "Antonia", "lastName": "Neu"}, 200, nil)
	admin.Do("DELETE", "/api/v1/users/demo204", nil, 0, nil)
	for path, value := range map[string]any{"sip.ringTime": 7, "sip.sessionExpires": 90, "sip.callsAtOnce": 1, "sip.digestSha256": true} {
		admin.Do("PUT", "/api/v1/system-settings/drafts/"+path, map[string]any{"value": value}, 200, nil)
	}
	admin.Do("POST", "/api/v1/system-settings/commit", map[string]any{}, 200, nil)
	hears(t, o.ctx, "101", talking.voice, 880)
	hears(t, o.ctx, "102", inTalking.voice, 440)
	paused := max(talking.voice.Paused(), inTalking.voice.Paused()) // by a busy machine
	for l, mark := range marks {
		if s := peer.Measure(l.voice.Since(mark)); s.Lost > 0 || s.Streams != 1 || s.Gap > time.Second+2*paused {
			t.Errorf("the audio to %s suffers from the changes, when the machine paused %v: %v", l.h.Ext, paused, s)
		}
	}
	for _, l := range []*line{talking, inTalking, held, inHeld} {
		if n := l.reoffers.Load(); n > 0 || len(l.bye) > 0 {
			t.Errorf("%s was disturbed: %d re-INVITEs, %d BYEs", l.h.Ext, n, len(l.bye))
		}
	}
	silent(t, o.ctx, "202", inHeld.voice)
	held.resume(t)
	talk(t, o.ctx, held.voice, 660, inHeld.voice, 550)
	inRinging.answer(t) // in spite of the forwarding, and of one call at once
	ringing.answered(t)
	talk(t, o.ctx, ringing.voice, 1000, inRinging.voice, 550)
	held.Hangup()
	inHeld.ended(t)
	ringing.Hangup()
	inRinging.ended(t)

	// The next call sees all of it.
	next := a.dial(t, "102")
	in := d.rings(t)
	if from := in.Invite.Get("From"); !contains(from, `"Antonia Neu" <sip:101@`) {
		t.Errorf("201 sees %s", from)
	}
	if div := in.Invite.Get("Diversion"); !contains(div, "<sip:102@") {
		t.Errorf("Diversion %q", div)
	}
	if s := in.Invite.Get("Session-Expires"); s != "90" {
		t.Errorf("Session-Expires %q", s)
	}
	in.stops(t) // the ring time is 7 s now
	next.AckRefusal(a.Response("INVITE", 480))
	talking.Hangup()
	inTalking.ended(t)
	o.nothingLeft(t)
}

// RFC 5359 section 2.18, Click to Dial: the own phone rings, then the number is
// called as if it had been dialled there.
func TestClickToDial(t *testing.T) {
	t.Parallel()
	o := open(t, 0, nil)
	admin := o.Login()
	var user struct {
		ID string `json:"id"`
	}
	admin.Do("POST", "/api/v1/users", map[string]any{"user": "dora", "extension": "301", "firstName": "Dora", "lastName": "Neu", "pin": "314159", "mustChangePin": false, "sipPassword": "password-of-dora"}, 201, &user)
	p := pbxdtest.NewPhone(t, o.SIP, "udp", "301", "password-of-dora")
	p.MustRegister()
	a := newHandset(o, p, 440, peer.PayloadPCMA)
	b := o.handset(t, "102", 880)
	dora := o.As("dora", "314159")
	dora.Do("POST", "/api/v1/profile/calls", map[string]any{"number": "102"}, 202, nil)
	own := a.rings(t)
	own.answer(t)
	in := b.rings(t)
	if from := in.Invite.Get("From"); !contains(from, `"Dora Neu" <sip:301@`) {
		t.Errorf("102 sees %s", from)
	}
	in.answer(t)
	talk(t, o.ctx, own.voice, 440, in.voice, 880)
	in.Send("BYE", "")
	b.Response("BYE", 200)
	own.ended(t)
	o.nothingLeft(t)
	var entries []pbx.JournalEntry
	eventually(t, "the journal of dora", func() bool {
		dora.Do("GET", "/api/v1/profile/journal", nil, 200, &entries)
		return len(entries) > 0
	})
	if e := entries[0]; len(entries) != 1 || e.Direction != pbx.CallOut || e.Result != pbx.CallAnswered || e.Number != "102" {
		t.Errorf("the journal of dora is %+v", entries)
	}
}
