package ladder

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// clock is the time of a test.
type clock struct{ t time.Time }

func (c *clock) now() time.Time         { return c.t }
func (c *clock) after(d time.Duration)  { c.t = c.t.Add(d) }
func newClock() *clock                  { return &clock{time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)} }
func addr(text string) netip.AddrPort   { return netip.MustParseAddrPort(text) }
func ourselves(_ netip.Addr) netip.Addr { return netip.MustParseAddr("192.168.0.50") }
func crlf(text string) []byte           { return []byte(strings.ReplaceAll(text, "\n", "\r\n")) }
func newRecorder(c *clock) *Recorder    { return New(c.now, ourselves) }

// script is what one leg of a call says, as Galilei and common phones do.
type script struct {
	r      *Recorder
	c      *clock
	n      int    // number of the call
	theirs bool   // the phone began the dialog
	number string // extension of the phone
	remote netip.AddrPort
	over   string
}

const sdpText = `v=0
o=- 3925870 3925870 IN IP4 192.168.0.%d
s=-
c=IN IP4 192.168.0.%d
t=0 0
m=audio %d RTP/AVP 9 8 0 101
a=rtpmap:9 G722/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz
a=sendrecv
`

// callID, tag and phoneTag name the dialog.
func (s *script) callID() string {
	return fmt.Sprintf("%x@192.168.0.%s", uint64(s.n+1)*0x9e3779b97f4a7c15, s.number)
}
func (s *script) tag() string {
	return fmt.Sprintf("%016x%s", uint64(s.n+1)*0xbf58476d1ce4e5b9, s.number)
}
func (s *script) phoneTag() string { return fmt.Sprintf("%d", uint64(s.n+1)*0x94d049bb133111eb%1e10) }

// says builds a message and has it captured. phone says whether the phone
// sends it; tags which of the two it has.
func (s *script) says(phone bool, start, cseq, tags, extra, body string) {
	from, to := s.phoneTag(), s.tag()
	if !s.theirs {
		from, to = to, from
	}
	mark := func(which, tag string) string {
		if strings.Contains(tags, which) {
			return ";tag=" + tag
		}
		return ""
	}
	if body != "" {
		extra += "Content-Type: application/sdp\n"
		body = strings.ReplaceAll(fmt.Sprintf(sdpText, s.n%200+60, s.n%200+60, 20000+s.n%9000*2), "\n", "\r\n")
	}
	text := crlf(fmt.Sprintf("%s\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%x;rport\nMax-Forwards: 70\nFrom: \"Anna Demo\" <sip:%s@192.168.0.50>%s\nTo: <sip:%s@192.168.0.50>%s\nCall-ID: %s\nCSeq: %s\nContact: <sip:%s@%s>\n%sUser-Agent: Yealink SIP-T46S 66.85.0.5\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, NOTIFY\nContent-Length: %d\n\n",
		start, s.remote, uint64(s.n*31+len(start))*0x9e3779b97f4a7c15, s.number, mark("f", from), s.number, mark("t", to), s.callID(), cseq, s.number, s.remote, extra, len(body)))
	text = append(text, body...)
	s.r.Capture(s.over, addr("0.0.0.0:5060"), s.remote, !phone, text)
	s.c.after(7 * time.Millisecond)
}

const digestText = `Authorization: Digest username="101", realm="galilei", nonce="3b9f0c7d55aa", uri="sip:102@192.168.0.50", response="dfe56131d1958046689d83306477ecc0", algorithm=MD5, cnonce="0a4f113b", qop=auth, nc=00000001
`

// calling is the leg of the phone that calls: until the PBX has the call.
func (s *script) calling() {
	s.theirs = true
	s.says(true, "INVITE sip:102@192.168.0.50 SIP/2.0", "1 INVITE", "f", "", "sdp")
	s.says(false, "SIP/2.0 401 Unauthorized", "1 INVITE", "ft", "WWW-Authenticate: Digest realm=\"galilei\", nonce=\"3b9f0c7d55aa\", algorithm=MD5, qop=\"auth\"\n", "")
	s.says(true, "ACK sip:102@192.168.0.50 SIP/2.0", "1 ACK", "ft", "", "")
	s.says(true, "INVITE sip:102@192.168.0.50 SIP/2.0", "2 INVITE", "f", digestText, "sdp")
	s.says(false, "SIP/2.0 100 Trying", "2 INVITE", "f", "", "")
}

// spoken captures a whole call of 101 to 102 that lasts for so long, with a
// sample every 5 s.
func spoken(r *Recorder, c *clock, n int, length time.Duration) (id string) {
	id = fmt.Sprint(n + 1)
	a := &script{r: r, c: c, n: n, number: "101", remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 0, byte(60 + n%100)}), 5060), over: "udp"}
	b := &script{r: r, c: c, n: n, number: "102", remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, 0, byte(160 + n%90)}), 5062), over: "udp"}
	a.calling()
	st := pbx.CallStatus{ID: id, From: "101", FromName: "Anna Demo", To: "102", State: pbx.CallRouting, Started: c.now()}
	r.Status(st)
	r.Joined(id, "sip:"+a.tag(), "101", "Anna Demo")
	r.Traced(id, c.now(), []dialplan.Step{
		{Rule: "time", Message: pbx.Say("Decided for {time}", "time", c.now().Format("2006-01-02 15:04"))},
		{Rule: "emergency", Message: pbx.Say("{number} is no emergency number of {country}", "number", "102", "country", "Germany")},
		{Rule: "function-code", Message: pbx.Say("{number} begins with no function code", "number", "102")},
		{Rule: "extension", Message: pbx.Say("{number} is the extension of {name}", "number", "102", "name", "Ben Demo"), After: "102"},
		{Rule: "ring", Message: pbx.Say("{name} rings for {seconds} s", "name", "Ben Demo (102)", "seconds", 60)},
	})
	b.says(false, "INVITE sip:102@192.168.0.77 SIP/2.0", "1 INVITE", "f", "", "sdp")
	r.Joined(id, "sip:"+b.tag(), "102", "Ben Demo")
	b.says(true, "SIP/2.0 180 Ringing", "1 INVITE", "ft", "", "")
	a.says(false, "SIP/2.0 180 Ringing", "2 INVITE", "ft", "", "")
	c.after(6 * time.Second)
	b.says(true, "SIP/2.0 200 OK", "1 INVITE", "ft", "", "sdp")
	b.says(false, "ACK sip:102@192.168.0.77 SIP/2.0", "1 ACK", "ft", "", "")
	a.says(false, "SIP/2.0 200 OK", "2 INVITE", "ft", "", "sdp")
	a.says(true, "ACK sip:192.168.0.50 SIP/2.0", "2 ACK", "ft", "", "")
	st.State, st.Answered = pbx.CallUp, c.now()
	r.Status(st)
	var sa, sb []Sample
	for at := time.Duration(0); at < length; at += 5 * time.Second {
		c.after(5 * time.Second)
		k := n*7 + int(at/time.Second)
		s := Sample{At: c.now(), Packets: uint64(at/time.Second+5) * 50, Codec: "PCMA", RoundTrip: time.Duration(1+k%3) * time.Millisecond, Reported: true,
			In:  Heard{Loss: 0, Jitter: time.Duration(k%17) * 100 * time.Microsecond, R: 93.2, MOS: 4.41},
			Out: Heard{Loss: float64(k%5/4) / 50, Jitter: time.Duration(k%13) * 100 * time.Microsecond, R: 92.1, MOS: 4.39}}
		sa, sb = append(sa, s), append(sb, s)
	}
	r.Measured(id, "sip:"+a.tag(), sa)
	r.Measured(id, "sip:"+b.tag(), sb)
	a.says(true, "BYE sip:192.168.0.50 SIP/2.0", "3 BYE", "ft", "", "")
	a.says(false, "SIP/2.0 200 OK", "3 BYE", "ft", "", "")
	b.says(false, "BYE sip:102@192.168.0.77 SIP/2.0", "2 BYE", "ft", "Reason: Q.850;cause=16\n", "")
	b.says(true, "SIP/2.0 200 OK", "2 BYE", "ft", "", "")
	st.State, st.Ended, st.Cause = pbx.CallEnded, c.now(), pbx.CauseNormalClearing
	r.Status(st)
	return id
}

// starts are the first words of messages, with an arrow for the direction.
func starts(t *testing.T, r *Recorder, id string) (list []string) {
	t.Helper()
	m, err := r.Messages(id)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range m.Messages {
		way := ">"
		if x.Sent {
			way = "<"
		}
		words := strings.Fields(x.Start)
		name := words[0]
		if name == "SIP/2.0" {
			name = words[1]
		}
		list = append(list, fmt.Sprint(x.Leg, way, name))
	}
	return list
}
