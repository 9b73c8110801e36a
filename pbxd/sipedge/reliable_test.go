package sipedge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

const reliably = "Require: 100rel\r\nAllow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE\r\n"

func rack(res *pbxdtest.Message) string {
	return fmt.Sprintf("RAck: %s %s\r\n", res.Get("RSeq"), res.Get("CSeq"))
}

// A caller that requires it gets reliable provisional answers, one at a time,
// repeated until their PRACK, and no 200 before it (RFC 3262 section 3).
func TestReliableRinging(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c := a.DialWith("102", pbxdtest.SDP(16000), reliably)
	in := o.arrival()
	in.Leg.Ringing(nil)
	res := a.Response("INVITE", 180)
	if res.Get("Require") != "100rel" || res.Get("RSeq") != "1" {
		t.Fatalf("180 has Require %q and RSeq %q, want 100rel and 1", res.Get("Require"), res.Get("RSeq"))
	}
	again := a.Response("INVITE", 180)
	if again.Get("RSeq") != "1" {
		t.Errorf("repeated 180 has RSeq %s, want 1", again.Get("RSeq"))
	}
	in.Leg.Ringing(pcma())
	in.Leg.Answer(pcma())
	a.Silent(200*time.Millisecond, "an answer before the PRACK", func(m *pbxdtest.Message) bool { return m.Status() == 200 || m.Status() == 183 })
	c.Early(res)
	invite := c.CSeq
	c.SendWith("PRACK", strings.Replace(rack(res), "RAck: 1", "RAck: 9", 1), "", "")
	a.Response("PRACK", 481)
	c.SendWith("PRACK", rack(res), "", "")
	a.Response("PRACK", 200)
	if ok := a.Response("INVITE", 200); ok.AudioPort() == 0 {
		t.Error("200 describes no audio")
	}
	c.CSeq, invite = invite, c.CSeq
	c.Ack("")
	c.CSeq = invite
	c.Hangup()
	o.event(call.EventEnded)
	o.nothingLeft()
}

// Early audio is agreed by 183 and PRACK; the 200 says nothing more, and other
// early audio goes by UPDATE either way (RFC 3311).
func TestReliableEarlyAudio(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c := a.DialWith("102", pbxdtest.SDP(16000), reliably)
	in := o.arrival()
	in.Leg.Ringing(pcma())
	res := a.Response("INVITE", 183)
	if res.AudioPort() == 0 {
		t.Fatal("183 describes no audio")
	}
	c.Early(res)
	invite := c.CSeq
	c.SendWith("UPDATE", "", "application/sdp", pbxdtest.SDP(16010))
	if r := a.Response("UPDATE", 500, 200); r.Status() != 500 || r.Get("Retry-After") == "" {
		t.Errorf("UPDATE before the PRACK got %s, Retry-After %q; want 500 and a time", r.Start, r.Get("Retry-After"))
	}
	c.SendWith("PRACK", rack(res), "", "")
	a.Response("PRACK", 200)
	c.SendWith("UPDATE", "", "application/sdp", pbxdtest.SDP(16010, "a=sendonly"))
	if r := a.Response("UPDATE", 200); !strings.Contains(r.Body, "recvonly") {
		t.Errorf("UPDATE was answered with %q, want recvonly", r.Body)
	}
	ours := pcma()
	ours.PTime = 40
	in.Leg.Ringing(ours)
	up := a.Request("UPDATE")
	if !strings.Contains(up.Body, "ptime:40") {
		t.Errorf("UPDATE of the PBX has %q, want ptime 40", up.Body)
	}
	a.Reply(up, "", 200, "OK", "", pbxdtest.SDP(16010))
	time.Sleep(50 * time.Millisecond)
	in.Leg.Answer(ours)
	if ok := a.Response("INVITE", 200); ok.Body != "" {
		t.Errorf("200 has the body %q after the audio was agreed", ok.Body)
	}
	seq := c.CSeq
	c.CSeq = invite
	c.Ack("")
	c.CSeq = seq
	in.Leg.Hangup(pbx.CauseNormalClearing)
	bye := a.Request("BYE")
	a.Reply(bye, "", 200, "OK", "", "")
	o.nothingLeft()
}

// A caller without an offer gets ours in the first reliable answer, and its
// PRACK must answer it (RFC 3262 section 5).
func TestOfferInReliableAnswer(t *testing.T) {
	o := newOffice(t)
	a := o.phone("101")
	c := a.DialWith("102", "", reliably)
	in := o.arrival()
	in.Leg.Ringing(nil)
	res := a.Response("INVITE", 180)
	if res.AudioPort() == 0 {
		t.Fatal("180 makes no offer")
	}
	c.Early(res)
	c.SendWith("PRACK", rack(res), "", "")
	a.Response("PRACK", 400)
	c.SendWith("PRACK", rack(res), "application/sdp", pbxdtest.SDP(16000))
	a.Response("PRACK", 200)
	in.Leg.Answer(pcma())
	a.Response("INVITE", 200)
	seq := c.CSeq
	c.CSeq = 2
	c.Ack("")
	c.CSeq = seq
	settle := a.Request("INVITE") // the answer of the other side knows less than we offered
	if strings.Contains(settle.Body, "PCMU") {
		t.Errorf("the audio is settled with %q, want PCMA alone", settle.Body)
	}
	a.Reply(settle, "", 200, "OK", "", pbxdtest.SDP(16000))
	a.Request("ACK")
	c.Hangup()
	o.nothingLeft()
}

// Provisional answers of a phone are acknowledged in their order, and its ACK
// carries the number of the INVITE (RFC 3262 section 4, RFC 3261 section
// 13.2.2.4).
func TestPRACKIsSent(t *testing.T) {
	o := newOffice(t)
	b := o.phone("102").MustRegister()
	o.dial(call.Dial{Extension: "102", Caller: call.Party{Number: "101"}, Offer: pcma()})
	in := b.Ringing()
	if !strings.Contains(in.Invite.Get("Supported"), "100rel") {
		t.Errorf("INVITE supports %q, want 100rel among it", in.Invite.Get("Supported"))
	}
	rel := func(n int) string { return fmt.Sprintf("Require: 100rel\r\nRSeq: %d\r\n", n) }
	in.ReplyWith(183, "Session Progress", rel(4711), pbxdtest.SDP(16002))
	p := b.Request("PRACK")
	if p.Get("RAck") != "4711 "+in.Invite.Get("CSeq") {
		t.Errorf("RAck is %q, want 4711 and that of the INVITE", p.Get("RAck"))
	}
	b.Reply(p, "", 200, "OK", "", "")
	if ev := o.event(call.EventRinging); ev.Description == nil {
		t.Error("ringing came without its audio")
	}
	in.ReplyWith(180, "Ringing", rel(4713), "") // 4712 is still on its way
	b.Silent(100*time.Millisecond, "PRACK out of order", func(m *pbxdtest.Message) bool { return m.Method() == "PRACK" })
	in.ReplyWith(180, "Ringing", rel(4712), "")
	b.Reply(b.Request("PRACK"), "", 200, "OK", "", "")
	in.Send("UPDATE", pbxdtest.SDP(16004)) // early audio moves
	b.Response("UPDATE", 200)
	for {
		if d := o.event(call.EventRinging).Description; d != nil && d.RTPPort == 16004 {
			break
		}
	}
	ack := in.Answer("")
	if n := strings.Fields(ack.Get("CSeq"))[0]; n != strings.Fields(in.Invite.Get("CSeq"))[0] {
		t.Errorf("ACK has CSeq %s, want that of the INVITE, %s", n, in.Invite.Get("CSeq"))
	}
	if ev := o.event(call.EventAnswered); ev.Description == nil || ev.Description.RTPPort != 16004 {
		t.Errorf("answered with %+v, want the audio of the early dialog", ev.Description)
	}
	in.Hangup()
	o.nothingLeft()
}
