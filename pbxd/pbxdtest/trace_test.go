package pbxdtest

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/ladder"
	"galilei/pbxd/pbx"
)

// ladderOf are the messages of a leg of a call in short.
func ladderOf(a *Admin, id string, leg int) string {
	var m ladder.SIPMessages
	a.Do("GET", "/api/v1/calls/"+id+"/messages", nil, 200, &m)
	var b strings.Builder
	for _, x := range m.Messages {
		if x.Leg != leg {
			continue
		}
		what := x.Method
		if rest, ok := strings.CutPrefix(x.Start, "SIP/2.0 "); ok {
			what = rest[:3]
		}
		if x.Sent {
			what = "<" + what
		}
		fmt.Fprint(&b, " ", what)
	}
	return strings.TrimSpace(b.String())
}

// spoken is the time of a conversation.
var spoken = regexp.MustCompile(`for [0-9]+ s`)

// TestTraceOfForwardedCall has 101 call 102, which is busy and forwards to 103,
// and asks why, what was said, and how it sounded: a tenth of what 101 says is
// lost, nothing of what 103 says, and 103 reports the loss of a quarter.
func TestTraceOfForwardedCall(t *testing.T) {
	t.Parallel()
	s, a, b, c := threePhones(t, func(cfg *pbx.Config) {
		cfg.UserByExtension("102").Calls.SetForwarding(false, pbx.DivertBusy, true, "103")
	})
	admin := s.Login()
	ua, uc := listenUDP(t, "127.0.0.1"), listenUDP(t, "127.0.0.1")
	call := a.Dial("102", SDP(port(ua)))
	first := b.Ringing()
	first.Reply(486, "Busy Here", "")
	b.Request("ACK")
	in := c.Ringing()
	in.Reply(180, "Ringing", "")
	a.Response("INVITE", 180)
	toC := in.Invite.AudioPort()
	reports := listenUDP(t, "127.0.0.1")
	in.Answer(SDP(port(uc), "a=rtpmap:8 PCMA/8000", fmt.Sprintf("a=rtcp:%d", port(reports))))
	toA := call.Answered().AudioPort()
	done := make(chan struct{})
	go func() {
		defer close(done)
		Talk(uc, toC, 11*time.Second, 0)
	}()
	go func() { // 103 says that it misses a quarter of what it is sent
		for i := range 4 {
			time.Sleep(2 * time.Second)
			_, _ = reports.WriteToUDP([]byte{0x81, 201, 0, 7, 0, 0, 0, 3, 0, 0, 0, 7, 64, 0, 0, byte(20 * i), 0, 0, 0, byte(90 * i), 0, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0},
				&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: toC + 1})
		}
	}()
	Talk(ua, toA, 11*time.Second, 1)
	<-done
	call.Send("BYE", "")
	c.Reply(c.Request("BYE"), "", 200, "OK", "", "")
	a.Response("BYE", 200)
	nothingLeft(t, s)

	var list []ladder.Call
	admin.Do("GET", "/api/v1/call-traces?number=103", nil, 200, &list)
	if len(list) != 1 || list[0].From != "101" || list[0].To != "102" || strings.Join(list[0].Numbers, " ") != "101 102 103" || list[0].Ended.IsZero() || !list[0].Messages {
		t.Fatalf("calls: %+v", list)
	}
	id := list[0].ID
	var trace ladder.Trace
	admin.Do("GET", "/api/v1/calls/"+id+"/trace", nil, 200, &trace)
	told := ""
	for _, m := range trace.Summary {
		told += m.Text() + ". "
	}
	const want = "Anna Demo (101) calls 102. 102 is busy. Ben Demo (102) forwards calls to 103 when busy. 103 answers after 0 s. They speak for 11 s. 101 hangs up. "
	if spoken.ReplaceAllString(told, "for 11 s") != want { // a busy machine talks for longer
		t.Errorf("the call is told as\n%s; want\n%s", told, want)
	}
	var forward bool
	for _, step := range trace.Steps {
		forward = forward || step.Rule == "forward" && step.After == "103"
	}
	if !forward || len(trace.Legs) != 3 {
		t.Errorf("trace: %+v", trace)
	}
	for leg, want := range []string{
		"INVITE <401 ACK INVITE <100 <180 <200 ACK BYE <200",
		"<INVITE 486 <ACK",
		"<INVITE 180 200 <ACK <BYE 200",
	} {
		if got := ladderOf(admin, id, leg); got != want {
			t.Errorf("leg %d: %s; want %s", leg, got, want)
		}
	}
	var q []ladder.LegQuality
	admin.Do("GET", "/api/v1/calls/"+id+"/quality", nil, 200, &q)
	if len(q) != 3 || len(q[0].From) < 2 || len(q[1].From) != 0 || len(q[2].From) < 2 {
		t.Fatalf("quality: %+v", q)
	}
	for i, p := range q[2].From {
		if p.MOS < 4 || p.Loss != 0 || p.Wideband {
			t.Errorf("what 103 says sounds like %+v after %d s", p, 5*i)
		}
	}
	if last := q[0].From[len(q[0].From)-1]; last.Loss < 8 || last.Loss > 12 || last.MOS > 4 || q[0].Codec != "PCMA" {
		t.Errorf("what 101 says sounds like %+v (%s); a tenth is lost", last, q[0].Codec)
	}
	if len(q[2].To) == 0 || q[2].To[0].Loss != 25 || q[2].To[0].Jitter != 10 || q[2].To[0].MOS > 3 {
		t.Errorf("103 hears %+v; it said that a quarter is lost", q[2].To)
	}
	if list[0].MOS > 4 || list[0].MOS < 1 {
		t.Errorf("the call has a MOS of %g", list[0].MOS)
	}
}

// What is secret appears in no answer: neither what the phones log in with nor
// what they send each other.
func TestTraceKeepsSecrets(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	a, b := s.Phone("101", "tls").MustRegister(), s.Phone("102", "tcp").MustRegister()
	admin := s.Login()
	crypto := "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
	call := a.Dial("102", SDP(16000, "a=rtpmap:8 PCMA/8000", crypto))
	in := b.Ringing()
	in.Answer(SDP(16002))
	call.Answered()
	var list []ladder.Call
	admin.Do("GET", "/api/v1/call-traces", nil, 200, &list)
	var m ladder.SIPMessages
	admin.Do("GET", "/api/v1/calls/"+list[0].ID+"/messages", nil, 200, &m)
	masked := 0
	for _, x := range m.Messages {
		for _, secret := range []string{"0a4f113b", "WVNfX19z"} {
			if strings.Contains(x.Text, secret) {
				t.Errorf("%s tells %s:\n%s", x.Start, secret, x.Text)
			}
		}
		if strings.Contains(x.Text, `response="****`) || strings.Contains(x.Text, "inline:****") {
			masked++
		}
		if x.Leg == 0 && x.Network != "tls" || x.Leg == 1 && x.Network != "tcp" {
			t.Errorf("leg %d over %s", x.Leg, x.Network)
		}
	}
	if masked == 0 || !strings.Contains(m.Messages[0].Text, "m=audio 16000") {
		t.Errorf("%d messages hold something masked:\n%+v", masked, m)
	}
	call.Send("BYE", "")
	b.Reply(b.Request("BYE"), "", 200, "OK", "", "")
	a.Response("BYE", 200)
}

// tracesOf are the calls that are remembered, the oldest first: each with its
// summary, its legs and their messages.
func tracesOf(a *Admin) (list []string) {
	var calls []ladder.Call
	a.Do("GET", "/api/v1/call-traces", nil, 200, &calls)
	for _, c := range slices.Backward(calls) {
		var trace ladder.Trace
		a.Do("GET", "/api/v1/calls/"+c.ID+"/trace", nil, 200, &trace)
		var b strings.Builder
		for _, m := range trace.Summary {
			fmt.Fprintf(&b, "%s. ", m.Text())
		}
		for i, leg := range trace.Legs {
			fmt.Fprintf(&b, "\n%s: %s", leg.Number, ladderOf(a, c.ID, i))
		}
		list = append(list, b.String())
	}
	return list
}

// TestTraceOfTransfers transfers 101 to 103, without and with asking first: the
// messages of a leg stand in the call that it was in at the time.
func TestTraceOfTransfers(t *testing.T) {
	t.Parallel()
	s, a, b, c := threePhones(t, nil)
	admin := s.Login()
	out, in, va, _ := talking(t, s, a, b, "102")
	in.SendWith("REFER", fmt.Sprintf("Refer-To: <sip:103@%s>\r\n", s.SIP), "", "")
	b.Response("REFER", 202)
	in.progress("100")
	far := c.Ringing()
	vc := newVoice(t, s)
	vc.to = far.Invite.AudioPort()
	far.Answer(vc.sdp())
	in.progress("200")
	in.ended()
	va.heardBy(t, vc)
	out.Hangup()
	far.ended()
	nothingLeft(t, s)
	wants(t, tracesOf(admin), 0, "Anna Demo (101) calls 102. 102 answers after 0 s. 102 transfers 101 to 103. 103 answers after 0 s. ", "101 hangs up. ",
		"101: INVITE <401 ACK INVITE <100 <200 ACK BYE <200\n", "102: <INVITE 200 <ACK REFER <202 <NOTIFY", "103: <INVITE 200 <ACK <BYE 200\n")

	out, in, va, _ = talking(t, s, a, b, "102")
	in.Send("INVITE", SDP(16500, "a=rtpmap:8 PCMA/8000", "a=sendonly"))
	in.Response(200)
	in.Ack("")
	ask := b.Dial("103", SDP(16502))
	far = c.Ringing()
	vc = newVoice(t, s)
	vc.to = far.Invite.AudioPort()
	far.Answer(vc.sdp())
	ask.Answered()
	in.SendWith("REFER", fmt.Sprintf("Refer-To: <sip:103@%s?Replaces=%s>\r\n", s.SIP, ask.replaces()), "", "")
	b.Response("REFER", 202)
	va.heardBy(t, vc)
	out.Hangup()
	far.ended()
	nothingLeftBut(t, s, b)
	list := tracesOf(admin)
	wants(t, list, 1, "102 connects 101 with the other call. ", "101: INVITE <401 ACK INVITE <100 <200 ACK\n")
	wants(t, list, 2, "Ben Demo (102) calls 103. 103 answers after 0 s. 101 takes the place of 102. ", "103: <INVITE 200 <ACK <BYE 200\n", "101: BYE <200\n")
}

// wants checks what is told of one of the calls.
func wants(t *testing.T, list []string, call int, words ...string) {
	t.Helper()
	if len(list) <= call {
		t.Fatalf("%d calls are remembered:\n%s", len(list), strings.Join(list, "\n"))
	}
	for _, w := range words {
		if !strings.Contains(list[call]+"\n", w) {
			t.Errorf("call %d lacks %q:\n%s", call, w, list[call])
		}
	}
}
