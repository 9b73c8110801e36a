package sipedge_test

import (
	"strings"
	"testing"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
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
