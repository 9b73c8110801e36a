package sipedge_test

import (
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge"
)

// Who only knows what names a dialog is not in it: requests from another address
// need the password of the phone's user, and what is refused changes nothing. A
// phone that has moved is followed.
func TestStrangerInADialog(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c, leg := o.up(a, "")
	stranger, moved := o.phone("103"), o.phone("101")
	in := func(p *pbxdtest.Phone) *pbxdtest.Call {
		x := *c
		x.Phone = p
		return &x
	}
	forged := in(stranger)
	forged.CSeq = 5000
	for _, method := range []string{"INVITE", "UPDATE", "REFER", "INFO", "BYE"} {
		body := ""
		if method == "INVITE" || method == "UPDATE" {
			body = pbxdtest.SDP(16010)
		}
		forged.Send(method, body)
		challenge := stranger.Response(method, 401)
		forged.SendWith(method, "Authorization: "+stranger.Credentials(challenge.Get("WWW-Authenticate"), method, forged.Target)+"\r\n", "application/sdp", body)
		stranger.Response(method, 403)
	}
	select {
	case ev := <-o.events:
		t.Fatalf("the call is told of kind %d, by a stranger", ev.Kind)
	case <-time.After(50 * time.Millisecond):
	}
	c.Send("UPDATE", pbxdtest.SDP(16020))
	if o.event(call.EventOffer).Leg != leg { // its own numbers go on
		t.Error("another leg has an offer")
	}
	leg.Respond(pcma())
	a.Response("UPDATE", 200)
	back := in(moved)
	back.CSeq = c.CSeq
	back.Send("BYE", "")
	challenge := moved.Response("BYE", 401)
	back.SendWith("BYE", "Authorization: "+moved.Credentials(challenge.Get("WWW-Authenticate"), "BYE", back.Target)+"\r\n", "", "")
	moved.Response("BYE", 200)
	o.event(call.EventEnded)
	o.nothingLeft()
}

// Who watches an extension learns what names its calls only with the permission
// to take them, and only while they ring (RFC 4235 section 6).
func TestWatchersLearnNoTags(t *testing.T) {
	for _, may := range []bool{false, true} {
		o := newOffice(t, func(d *sipedge.Deps) { d.MayPickUp = func(_, _ string) bool { return may } })
		b, w := o.phone("102").MustRegister(), o.phone("103")
		w.RequestWith("SUBSCRIBE", "102", watch+"Expires: 600\r\n", "", "")
		notified(w)
		leg := o.dial(call.Dial{Extension: "102", Offer: pcma()})
		in := b.Ringing()
		in.Reply(180, "Ringing", "")
		doc := dialogInfo(w)
		for doc.Dialogs[0].State == "trying" {
			doc = dialogInfo(w)
		}
		if d := doc.Dialogs[0]; d.State != "early" || (d.CallID != "" || d.LocalTag != "" || d.RemoteTag != "") != may {
			t.Errorf("permission %v: told %+v", may, d)
		}
		in.Answer(pbxdtest.SDP(16002))
		doc = dialogInfo(w)
		if d := doc.Dialogs[0]; d.State != "confirmed" || d.CallID+d.LocalTag+d.RemoteTag != "" {
			t.Errorf("permission %v: told %+v", may, d)
		}
		leg.Hangup(16)
		b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	}
}
