package sipedge_test

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge"
)

// up connects a phone that calls and returns both sides of its leg.
func (o *office) up(p *pbxdtest.Phone, fields string) (*pbxdtest.Call, call.Leg) {
	o.t.Helper()
	c := p.DialWith("102", pbxdtest.SDP(16000), fields)
	in := o.arrival()
	in.Leg.Answer(pcma())
	c.Answered()
	return c, in.Leg
}

// progress takes a NOTIFY about a transfer.
func progress(t *testing.T, p *pbxdtest.Phone, frag, state string) {
	t.Helper()
	n := p.Request("NOTIFY")
	if n.Body != frag || !strings.HasPrefix(n.Get("Subscription-State"), state) || !strings.HasPrefix(n.Get("Event"), "refer") || !strings.HasPrefix(n.Get("Content-Type"), "message/sipfrag") {
		t.Errorf("NOTIFY has %q, state %q, event %q, type %q; want %q, %s", n.Body, n.Get("Subscription-State"), n.Get("Event"), n.Get("Content-Type"), frag, state)
	}
	p.Reply(n, "", 200, "OK", "", "")
}

func TestBlindTransfer(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c, leg := o.up(a, "")
	c.SendWith("REFER", "Refer-To: \"Carl\" <sip:%2A103@pbx>\r\nReferred-By: \"Anna\" <sip:101@pbx>\r\n", "", "")
	ev := o.event(call.EventTransfer)
	if x := ev.Transfer; x.Target != "*103" || x.Replaces != nil || x.ReferredBy != (call.Party{Number: "101", Name: "Anna"}) || ev.Leg != leg {
		t.Errorf("transfer is told as %+v", x)
	}
	c.SendWith("REFER", "Refer-To: <sip:103@pbx>\r\n", "", "")
	a.Response("REFER", 491) // one at a time
	leg.Transfer(call.TransferTaken, 0)
	if res := a.Response("REFER", 202); res.Get("Contact") == "" {
		t.Error("202 has no Contact")
	}
	leg.Transfer(call.TransferRinging, 0) // waits for the answer to the first NOTIFY
	progress(t, a, "SIP/2.0 100 Trying\r\n", "active;expires=")
	progress(t, a, "SIP/2.0 180 Ringing\r\n", "active;expires=")
	leg.Transfer(call.TransferFailed, pbx.CauseUserBusy)
	progress(t, a, "SIP/2.0 486 Busy Here\r\n", "terminated;reason=noresource")
	c.SendWith("REFER", "Refer-To: <tel:104;phone-context=pbx>\r\nRefer-Sub: false\r\n", "", "")
	if x := o.event(call.EventTransfer).Transfer; x.Target != "104" {
		t.Errorf("a telephone number is told as %+v", x)
	}
	leg.Transfer(call.TransferDone, 0)
	if res := a.Response("REFER", 200); res.Get("Refer-Sub") != "false" {
		t.Errorf("200 has Refer-Sub %q, want false", res.Get("Refer-Sub"))
	}
	c.Hangup()
	o.nothingLeft()
}

// The last word on a transfer reaches the phone before the BYE, whatever it has
// not answered yet.
func TestTransferEndsTheLeg(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c, leg := o.up(a, "")
	c.SendWith("REFER", "Refer-To: <sip:103@pbx>\r\n", "", "")
	o.event(call.EventTransfer)
	leg.Transfer(call.TransferTaken, 0)
	leg.Transfer(call.TransferDone, 0)
	leg.Hangup(pbx.CauseNormalClearing)
	var last string
	bye := a.Expect("BYE", func(m *pbxdtest.Message) bool {
		if m.Method() == "NOTIFY" {
			last = m.Body
		}
		return m.Method() == "BYE"
	})
	if last != "SIP/2.0 200 OK\r\n" {
		t.Errorf("before the BYE the last NOTIFY had %q, want 200", last)
	}
	a.Reply(bye, "", 200, "OK", "", "")
	o.nothingLeft()
}

func TestTransferIsRefused(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c, leg := o.up(a, "")
	for _, tt := range []struct {
		fields string
		want   int
	}{
		{"", 400},
		{"Refer-To: <sip:103@pbx>\r\nRefer-To: <sip:104@pbx>\r\n", 400},
		{"Refer-To: <mailto:carl@example.com>\r\n", 400},
		{"Refer-To: <sip:103@pbx;method=BYE>\r\n", 400},
		{"Refer-To: <sip:103@pbx?Replaces=nobody%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n", 481},
		{"Refer-To: <sip:103@pbx?Replaces=nobody>\r\n", 400},
	} {
		c.SendWith("REFER", tt.fields, "", "")
		if res := a.Final("REFER"); res.Status() != tt.want {
			t.Errorf("REFER with %q got %s, want %d", tt.fields, res.Start, tt.want)
		}
	}
	c.SendWith("REFER", "r: <sip:103@pbx>\r\n", "", "")
	o.event(call.EventTransfer)
	leg.Transfer(call.TransferFailed, pbx.CauseCallRejected)
	a.Response("REFER", 603)
	c.SendWith("REFER", "Refer-To: <sip:103@pbx>\r\n", "", "") // nobody decides before the end
	o.event(call.EventTransfer)
	leg.Hangup(pbx.CauseNormalClearing)
	a.Response("REFER", 481)
	a.Reply(a.Request("BYE"), "", 200, "OK", "", "")
	o.nothingLeft()
}

// The other call of an attended transfer is found by its tags, from the
// transferring phone's side.
func TestAttendedTransfer(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c, _ := o.up(a, "")
	consult, other := o.up(a, "")
	local, remote := consult.Tags()
	to := fmt.Sprintf("%s;to-tag=%s;from-tag=%s", consult.ID, remote, local)
	c.SendWith("REFER", "Refer-To: <sip:102@pbx?Replaces="+url.QueryEscape(to)+">\r\n", "", "")
	if x := o.event(call.EventTransfer).Transfer; x.Replaces != other {
		t.Errorf("transfer replaces %v, want the other call of the phone", x.Replaces)
	}
}

// Replaces in an INVITE names a dialog of ours, by the rules of RFC 3891
// section 3.
func TestReplaces(t *testing.T) {
	o := newOffice(t)
	a, x := o.phone("101"), o.phone("103")
	c, leg := o.up(a, "")
	local, remote := c.Tags()
	b := o.phone("102").MustRegister()
	ringing := o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101"}, Offer: pcma()})
	in := b.Ringing()
	in.Reply(180, "Ringing", "")
	o.event(call.EventRinging)
	bLocal, bRemote := in.Tags()
	early := x.DialWith("102", pbxdtest.SDP(16004), "")
	o.arrival().Leg.Ringing(nil)
	early.Early(x.Response("INVITE", 180))
	eLocal, eRemote := early.Tags()
	for _, tt := range []struct {
		name, value string
		want        int
		leg         call.Leg
	}{
		{"a call that is up", c.ID + ";to-tag=" + remote + ";from-tag=" + local, 0, leg},
		{"a phone that rings, as BLF tells it", in.ID + ";early-only;to-tag=" + bLocal + ";from-tag=" + bRemote, 0, ringing},
		{"early-only of a call that is up", c.ID + ";early-only;to-tag=" + remote + ";from-tag=" + local, 486, nil},
		{"wrong tag", c.ID + ";to-tag=" + remote + ";from-tag=x", 481, nil},
		{"early dialog of the caller", early.ID + ";to-tag=" + eRemote + ";from-tag=" + eLocal, 481, nil},
		{"no tags", c.ID, 400, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := o.phone("103")
			p.DialWith("102", pbxdtest.SDP(16006), "Require: replaces\r\nReplaces: "+tt.value+"\r\n")
			if tt.want != 0 {
				if res := p.Final("INVITE"); res.Status() != tt.want {
					t.Errorf("got %s, want %d", res.Start, tt.want)
				}
				return
			}
			if in := o.arrival(); in.Replaces != tt.leg {
				t.Errorf("replaces %v, want %v", in.Replaces, tt.leg)
			}
		})
	}
}

func TestHoldIsTold(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c, leg := o.up(a, "")
	null := strings.Replace(pbxdtest.SDP(16000), "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0", 1)
	for _, hold := range []string{pbxdtest.SDP(16000, "a=sendonly"), pbxdtest.SDP(16000, "a=inactive"), null} {
		for _, step := range []struct {
			sdp  string
			kind call.EventKind
		}{{hold, call.EventHeld}, {pbxdtest.SDP(16000), call.EventResumed}} {
			c.Send("INVITE", step.sdp)
			o.event(call.EventOffer)
			leg.Respond(pcma())
			a.Response("INVITE", 200)
			c.Ack("")
			o.event(step.kind)
			time.Sleep(20 * time.Millisecond) // until the ACK is there
		}
	}
	c.Send("UPDATE", pbxdtest.SDP(16000, "a=sendonly"))
	o.event(call.EventOffer)
	leg.Respond(pcma())
	if res := a.Response("UPDATE", 200); !strings.Contains(res.Body, "recvonly") {
		t.Errorf("hold by UPDATE was answered with %q, want recvonly", res.Body)
	}
	o.event(call.EventHeld)
}

func TestDigitsByINFO(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c, leg := o.up(a, "")
	c.SendWith("INFO", "", "application/dtmf-relay", "Signal=7\r\nDuration=200\r\n")
	a.Response("INFO", 200)
	if ev := o.event(call.EventDigit); ev.Digit != '7' || ev.Length != 200*time.Millisecond {
		t.Errorf("got digit %c for %v, want 7 for 200 ms", ev.Digit, ev.Length)
	}
	c.SendWith("INFO", "", "application/media_control+xml", "<x/>")
	if res := a.Response("INFO", 415); !strings.Contains(res.Get("Accept"), "dtmf-relay") {
		t.Errorf("415 accepts %q, want dtmf-relay", res.Get("Accept"))
	}
	leg.Digit('#', 0)
	if m := a.Request("INFO"); m.Body != "Signal=#\r\nDuration=160\r\n" {
		t.Errorf("INFO has %q, want # for 160 ms", m.Body)
	}
}

func TestWhoCalls(t *testing.T) {
	const asserted = "P-Asserted-Identity: \"Door\" <sip:900@pbx>\r\n"
	for _, trusted := range []bool{false, true} {
		o := newOffice(t, func(d *sipedge.Deps) { d.Trusted = func(netip.Addr) bool { return trusted } })
		o.phone("101").DialWith("102", pbxdtest.SDP(16000), asserted+"Privacy: id\r\nDiversion: <sip:103@pbx>;reason=user-busy\r\n")
		in := o.arrival()
		if (in.Asserted != nil) != trusted || trusted && in.Asserted.Number != "900" {
			t.Errorf("trusted %v: asserted identity is %+v", trusted, in.Asserted)
		}
		if !in.Anonymous || len(in.Diversions) != 1 || in.Diversions[0].Number != "103" {
			t.Errorf("anonymous %v, diversions %+v; want true and 103", in.Anonymous, in.Diversions)
		}
	}
	o := newOffice(t)
	b := o.phone("102").MustRegister()
	o.dial(call.Dial{
		Extension: "102", Caller: call.Party{Number: "101", Name: "Anna"}, Offer: pcma(), Alert: "door", AutoAnswer: true,
		Diversions: []call.Diversion{{Number: "104", Reason: pbx.DivertNoAnswer}, {Number: "103", Name: "Carl", Reason: pbx.DivertBusy}},
	})
	inv := b.Ringing().Invite
	for _, want := range []string{
		"P-Asserted-Identity: \"Anna\" <sip:101@127.0.0.1>", "Diversion: \"Carl\" <sip:103@127.0.0.1>;reason=user-busy;counter=1",
		"History-Info: <sip:103@127.0.0.1?Reason=SIP%3Bcause%3D486>;index=1", "History-Info: <sip:104@127.0.0.1?Reason=SIP%3Bcause%3D408>;index=1.1",
		"History-Info: <sip:102@127.0.0.1>;index=1.1.1", "Alert-Info: <http://127.0.0.1>;info=door", "Call-Info: <sip:127.0.0.1>;answer-after=0",
	} {
		if !strings.Contains(inv.String(), want+"\r\n") {
			t.Errorf("INVITE lacks %q:\n%s", want, inv)
		}
	}
	o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101", Name: "Anna"}, Offer: pcma(), Anonymous: true})
	if inv := b.Ringing().Invite; strings.Contains(inv.String(), "101@") || strings.Contains(inv.String(), "Anna") || inv.Get("Privacy") != "id" {
		t.Errorf("an anonymous INVITE names the caller:\n%s", inv)
	}
}
