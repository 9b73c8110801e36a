package web

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/ladder"
	"galilei/pbxd/pbx"
)

// oneCall is a memory of one call, "7", from 101 to 102.
func oneCall() *ladder.Recorder {
	r := ladder.New(time.Now, nil)
	at := time.Now().Add(-time.Minute)
	r.Status(pbx.CallStatus{ID: "7", From: "101", FromName: "Anna Demo", To: "102", State: pbx.CallRouting, Started: at})
	r.Joined("7", "sip:tag7", "101", "Anna Demo")
	r.Traced("7", at, []dialplan.Step{
		{Rule: "extension", Message: pbx.Say("{number} is the extension of {name}", "number", "102", "name", "Ben Demo"), After: "102"},
		{Rule: "outcome", Message: pbx.Say("{number} is busy", "number", "102")},
		{Rule: "permission", Message: pbx.Say("{name} has the permission", "name", "Ben Demo (102)"), Permission: pbx.PermitCallForwarding, Granted: true},
	})
	heard := ladder.Heard{Loss: 0.01, Jitter: 2 * time.Millisecond, R: 89.6, MOS: 4.33}
	r.Measured("7", "sip:tag7", []ladder.Sample{{At: at.Add(5 * time.Second), Packets: 250, Codec: "PCMA", In: heard, Reported: true, Out: heard, RoundTrip: 3 * time.Millisecond}})
	device, phone := netip.MustParseAddrPort("192.0.2.1:5060"), netip.MustParseAddrPort("192.0.2.7:5062")
	for _, m := range []string{
		"INVITE sip:102@192.0.2.1 SIP/2.0\r\nCall-ID: a\r\nFrom: <sip:101@x>;tag=p\r\nTo: <sip:102@x>\r\nCSeq: 1 INVITE\r\nAuthorization: Digest nonce=\"secret\"\r\n\r\n",
		"SIP/2.0 486 Busy Here\r\nCall-ID: a\r\nFrom: <sip:101@x>;tag=p\r\nTo: <sip:102@x>;tag=tag7\r\nCSeq: 1 INVITE\r\n\r\n",
	} {
		r.Capture("udp", device, phone, strings.HasPrefix(m, "SIP"), []byte(m))
	}
	return r
}

func TestCallTraces(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	var list []ladder.Call
	c.want(200, "GET", "/call-traces", "", &list)
	if len(list) != 0 {
		t.Errorf("without a memory: %+v", list)
	}
	c.want(404, "GET", "/calls/7/trace", "", nil)

	s.Traces = oneCall()
	for query, n := range map[string]int{"": 1, "?number=102": 1, "?number=%2B49": 0, "?before=7": 0, "?limit=1&since=2020-01-01T00:00:00Z": 1, "?until=2020-01-01T00:00:00Z": 0} {
		if c.want(200, "GET", "/call-traces"+query, "", &list); len(list) != n {
			t.Errorf("%q: %d calls; want %d", query, len(list), n)
		}
	}
	c.want(422, "GET", "/call-traces?number=a", "", nil)
	var trace ladder.Trace
	c.want(200, "GET", "/calls/7/trace", "", &trace)
	if len(trace.Steps) != 3 || trace.Steps[2].Permission != pbx.PermitCallForwarding || trace.Call.MOS != 4.33 || len(trace.Legs) != 1 {
		t.Errorf("trace %+v", trace)
	}
	told := ""
	for _, s := range trace.Summary {
		told += s.Text() + ". "
	}
	if told != "Anna Demo (101) calls 102. 102 is busy. The call goes on. " {
		t.Errorf("summary %q", told)
	}
	var said ladder.SIPMessages
	res := c.want(200, "GET", "/calls/7/messages", "", &said)
	if len(said.Messages) != 2 || said.Messages[0].Method != "INVITE" || !said.Messages[1].Sent || said.Messages[1].Start != "SIP/2.0 486 Busy Here" {
		t.Errorf("messages %+v", said)
	}
	if strings.Contains(res.text, "secret") {
		t.Error("the messages tell the secret")
	}
	var q []ladder.LegQuality
	c.want(200, "GET", "/calls/7/quality", "", &q)
	if len(q) != 1 || q[0].From[0].Loss != 1 || q[0].To[0].Jitter != 2 || q[0].To[0].RoundTrip != 3 {
		t.Errorf("quality %+v", q)
	}
	for _, what := range []string{"trace", "messages", "quality", "pcap"} {
		c.want(404, "GET", "/calls/8/"+what, "", nil)
	}
}

// The file is counted, audited, and holds no secret.
func TestCallPCAP(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	s.Traces = oneCall()
	c := loggedIn(t, s)
	res := c.want(200, "GET", "/calls/7/pcap", "", nil)
	if res.Header.Get("Content-Type") != typePCAP || res.Header.Get("Content-Disposition") != `attachment; filename="call-7.pcap"` || !bytes.HasPrefix([]byte(res.text), []byte{0xd4, 0xc3, 0xb2, 0xa1}) {
		t.Errorf("header %v, file %q", res.Header, res.text)
	}
	if strings.Contains(res.text, "secret") || !strings.Contains(res.text, "486 Busy Here") {
		t.Errorf("file %q", res.text)
	}
	if n := m.audited("download-call-pcap"); n != 1 {
		t.Errorf("%d entries in the audit log; want 1", n)
	}
	c.want(404, "GET", "/calls/8/pcap", "", nil)
	if n := m.audited("download-call-pcap"); n != 1 {
		t.Errorf("%d entries in the audit log after a refusal; want 1", n)
	}
}

// Users see nothing of it, not even of their own calls: a trace tells what
// others have set.
func TestCallTracesAreForAdministrators(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	s.Traces = oneCall()
	loggedIn(t, s)
	m.edit(t, func(cfg *pbx.Config) {
		u := cfg.UserByID("demo101")
		u.PIN, u.MustChangePIN = s.pins.Hash(pbx.Secret("314159")), false
	})
	c := &client{t: t, s: s, addr: lanAddr}
	c.login("demo101", "314159")
	for _, path := range []string{"/call-traces", "/calls/7/trace", "/calls/7/messages", "/calls/7/quality", "/calls/7/pcap"} {
		c.want(403, "GET", path, "", nil)
	}
}
