package sipedge_test

import (
	"strings"
	"testing"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// g711 is audio of a side that knows PCMU and PCMA.
func g711() *media.Description {
	d := pcma()
	f, _ := media.StaticFormat(0)
	d.Formats = append([]media.Format{f}, d.Formats...)
	return d
}

// What the ACK answers to an offer of ours is told to the call: it knows nothing
// of the phone's codecs before.
func TestAnswerInACKIsTold(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c := a.DialWith("102", "", "")
	in := o.arrival()
	in.Leg.Answer(g711())
	res := a.Response("INVITE", 200)
	c.Remote, c.Target = res.Get("To"), strings.Trim(res.Get("Contact"), "<>")
	c.Ack(strings.Replace(pbxdtest.SDP(16000), "a=sendrecv", "", 1))
	ev := o.event(call.EventOfferAnswered)
	if ev.Leg != in.Leg || ev.Description == nil || len(ev.Description.Formats) == 0 || ev.Description.Formats[0].PT != 8 {
		t.Errorf("the call is told %+v", ev)
	}
	c.Hangup()
	o.nothingLeft()
}

// A phone that puts the call on hold in the ACK and repeats that is answered as
// it asks (RFC 3264 section 6.1).
func TestRefreshOfHold(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c, _ := o.up(a, "")
	c.Send("INVITE", "")
	a.Response("INVITE", 200)
	hold := strings.Replace(pbxdtest.SDP(16000), "a=sendrecv", "a=sendonly", 1)
	if !strings.Contains(hold, "a=sendonly") {
		hold += "a=sendonly\r\n"
	}
	c.Ack(hold)
	o.event(call.EventHeld)
	c.Send("INVITE", hold)
	res := a.Response("INVITE", 200)
	c.Ack("")
	if !strings.Contains(res.Body, "a=recvonly") {
		t.Errorf("sendonly is answered with %q, want recvonly", res.Body)
	}
	c.Hangup()
	o.nothingLeft()
}

// An offer of ours that the phone refuses leaves the audio as it was: what
// refreshes the session repeats the description in use.
func TestRefusedOfferIsForgotten(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c, leg := o.up(a, "")
	c.Send("INVITE", pbxdtest.SDP(16000))
	before := a.Response("INVITE", 200).Body
	c.Ack("")
	leg.Offer(g711())
	re := a.Request("INVITE")
	if !strings.Contains(re.Body, "RTP/AVP 0 8") {
		t.Fatalf("the offer is %q", re.Body)
	}
	a.Reply(re, "", 488, "Not Acceptable Here", "", "")
	o.event(call.EventOfferRefused)
	c.Send("INVITE", pbxdtest.SDP(16000))
	after := a.Response("INVITE", 200).Body
	c.Ack("")
	if after != before {
		t.Errorf("after the refusal the phone gets\n%s\nwant\n%s", after, before)
	}
	leg.Offer(g711())
	again := a.Request("INVITE")
	if again.Body == re.Body {
		t.Error("another offer has the version of the one before")
	}
	a.Reply(again, "", 488, "Not Acceptable Here", "", "")
	o.event(call.EventOfferRefused)
	c.Hangup()
	o.nothingLeft()
}

// The answer in the 200 is that of the 183, of which a caller takes the first
// only; what has changed since is offered afterwards (RFC 3261 section 13.2.1).
func TestAnswerAfterEarlyAudio(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c := a.Dial("102", pbxdtest.SDP(16000))
	in := o.arrival()
	in.Leg.Ringing(pcma())
	early := a.Response("INVITE", 183)
	in.Leg.Ringing(pcmu())
	in.Leg.Answer(pcmu())
	res := c.Answered()
	if res.Body != early.Body || !strings.Contains(res.Body, "RTP/AVP 8") {
		t.Errorf("the 200 has\n%s\nafter\n%s", res.Body, early.Body)
	}
	re := a.Request("INVITE")
	if !strings.Contains(re.Body, "RTP/AVP 0") {
		t.Errorf("the offer after it is %q, want PCMU", re.Body)
	}
	a.Reply(re, "", 200, "OK", "", pbxdtest.SDP(16000))
	a.Request("ACK")
	c.Hangup()
	o.nothingLeft()
}

// pcmu is audio of a side that knows only PCMU.
func pcmu() *media.Description {
	d := g711()
	d.Formats = d.Formats[:1]
	return d
}

// A call that has come over hops goes on with as many fewer (RFC 7332 section
// 4.2).
func TestHopsAreCounted(t *testing.T) {
	o := newOffice(t)
	a, b := o.phone("101"), o.phone("102")
	b.MustRegister()
	c := a.Dial("102", pbxdtest.SDP(16000))
	in := o.arrival()
	if in.Passed != 0 {
		t.Errorf("a call with Max-Forwards 70 has come over %d hops", in.Passed)
	}
	fewer := o.phone("103")
	fewer.Hops = 3
	fewer.Dial("102", pbxdtest.SDP(16000))
	if last := o.arrival(); last.Passed != 67 {
		t.Errorf("a call with Max-Forwards 3 has come over %d hops, want 67", last.Passed)
	} else {
		last.Leg.Hangup(pbx.CauseUserBusy)
	}
	for _, tt := range []struct {
		passed int
		want   string
	}{{0, "70"}, {1, "69"}, {70, "0"}, {99, "0"}} {
		leg := o.dial(call.Dial{Extension: "102", Offer: pcma(), Passed: tt.passed})
		got := b.Ringing()
		if mf := got.Invite.All("Max-Forwards"); len(mf) != 1 || mf[0] != tt.want {
			t.Errorf("after %d hops Max-Forwards is %q, want %s", tt.passed, mf, tt.want)
		}
		leg.Hangup(pbx.CauseNormalClearing)
		got.Reply(486, "Busy Here", "")
	}
	in.Leg.Hangup(pbx.CauseUserBusy)
	c.AckRefusal(a.Final("INVITE"))
	o.nothingLeft()
}
