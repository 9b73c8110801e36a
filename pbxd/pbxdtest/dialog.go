package pbxdtest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Register registers the phone for the given seconds and returns the final
// response; 0 removes the registration.
func (p *Phone) Register(expires int) *Message {
	p.T.Helper()
	callID := p.Unique()
	scheme := cmp.Or(p.Scheme, "sip")
	uri := scheme + ":" + p.pbx.String()
	auth := ""
	for cseq := 1; ; cseq++ {
		p.Send(fmt.Sprintf("REGISTER %[1]s SIP/2.0\r\nVia: %[2]s\r\nMax-Forwards: 70\r\nFrom: <%[10]s:%[3]s@%[4]s>;tag=%[5]s\r\nTo: <%[10]s:%[3]s@%[4]s>\r\n"+
			"Call-ID: %[5]s\r\nCSeq: %[6]d REGISTER\r\nContact: <%[7]s>\r\nExpires: %[8]d\r\nUser-Agent: pbxdtest\r\n%[9]sContent-Length: 0\r\n\r\n",
			uri, p.Via(), p.Ext, p.pbx, callID, cseq, p.Contact, expires, auth, scheme))
		res := p.Final("REGISTER")
		if res.Status() != 401 || cseq == 2 {
			return res
		}
		auth = "Authorization: " + p.Credentials(res.Get("WWW-Authenticate"), "REGISTER", uri) + "\r\n"
	}
}

// MustRegister registers and fails the test when that is refused.
func (p *Phone) MustRegister() *Phone {
	p.T.Helper()
	if res := p.Register(3600); res.Status() != 200 {
		p.T.Fatalf("phone %s: REGISTER got %s, want 200", p.Ext, res.Start)
	}
	return p
}

// Call is a dialog from the phone's side.
type Call struct {
	Phone  *Phone
	ID     string
	Local  string // From or To field that names us, with our tag
	Remote string // the other one, with its tag once known
	Target string // URI of requests within the dialog
	CSeq   int
	Invite *Message // theirs, when they called
	uri    string   // Request-URI of our INVITE
	branch string   // Via of our INVITE
}

// SDP returns a description of audio at a port of 127.0.0.1.
func SDP(port int, lines ...string) string {
	if len(lines) == 0 {
		lines = []string{"a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=sendrecv"}
	}
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 8 0 101\r\n%s\r\n", port, strings.Join(lines, "\r\n"))
}

// Dial sends an INVITE, answers its challenge, and returns the call after the
// authorised INVITE is on its way.
func (p *Phone) Dial(number, sdp string) *Call {
	p.T.Helper()
	c := &Call{Phone: p, ID: p.Unique(), uri: fmt.Sprintf("%s:%s@%s", cmp.Or(p.Scheme, "sip"), number, p.pbx)}
	c.Local = fmt.Sprintf("<%s:%s@%s>;tag=%s", cmp.Or(p.Scheme, "sip"), p.Ext, p.pbx, p.Unique())
	c.Remote = fmt.Sprintf("<%s>", c.uri)
	c.CSeq = 1
	c.invite(sdp, "")
	res := p.Expect("a challenge", func(m *Message) bool { return m.Get("Call-ID") == c.ID && m.Status() >= 200 })
	if res.Status() != 401 {
		p.T.Fatalf("phone %s: INVITE got %s, want a challenge", p.Ext, res.Start)
	}
	c.AckRefusal(res)
	c.CSeq++
	c.invite(sdp, "Authorization: "+p.Credentials(res.Get("WWW-Authenticate"), "INVITE", c.uri)+"\r\n")
	return c
}

func (c *Call) invite(sdp, extra string) {
	c.branch = c.Phone.Via()
	ct := ""
	if sdp != "" && !strings.Contains(extra, "Content-Type:") {
		ct = "Content-Type: application/sdp\r\n"
	}
	c.Phone.Send(fmt.Sprintf("INVITE %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: %d\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d INVITE\r\nContact: <%s>\r\n%s%sContent-Length: %d\r\n\r\n%s",
		c.uri, c.branch, cmp.Or(c.Phone.Hops, 70), c.Local, c.Remote, c.ID, c.CSeq, c.Phone.Contact, extra, ct, len(sdp), sdp))
}

// AckRefusal acknowledges a final response other than 2xx.
func (c *Call) AckRefusal(res *Message) {
	c.Phone.Send(fmt.Sprintf("ACK %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d ACK\r\nContent-Length: 0\r\n\r\n",
		c.uri, c.branch, c.Local, res.Get("To"), c.ID, c.CSeq))
}

// Cancel sends CANCEL for our INVITE.
func (c *Call) Cancel() { c.CancelWith("") }

// CancelWith is Cancel with further header fields, each ended by CRLF.
func (c *Call) CancelWith(fields string) {
	c.Phone.Send(fmt.Sprintf("CANCEL %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d CANCEL\r\n%sContent-Length: 0\r\n\r\n",
		c.uri, c.branch, c.Local, c.Remote, c.ID, c.CSeq, fields))
}

// Answered waits for the 200 to our INVITE and acknowledges it.
func (c *Call) Answered() *Message {
	c.Phone.T.Helper()
	res := c.Phone.Response("INVITE", 200)
	c.learn(res)
	c.Ack("")
	return res
}

func (c *Call) learn(res *Message) {
	c.Remote = res.Get("To")
	c.Target = strings.Trim(res.Get("Contact"), "<>")
}

// Ack acknowledges a 200, with a body when the answer is in it.
func (c *Call) Ack(sdp string) {
	ct := ""
	if sdp != "" {
		ct = "Content-Type: application/sdp\r\n"
	}
	c.Phone.Send(fmt.Sprintf("ACK %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d ACK\r\n%sContent-Length: %d\r\n\r\n%s",
		c.Target, c.Phone.Via(), c.Local, c.Remote, c.ID, c.CSeq, ct, len(sdp), sdp))
}

// Send sends a request within the dialog.
func (c *Call) Send(method, sdp string) {
	c.CSeq++
	ct := ""
	if sdp != "" {
		ct = "Content-Type: application/sdp\r\n"
	}
	c.branch, c.uri = c.Phone.Via(), c.Target
	c.Phone.Send(fmt.Sprintf("%s %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <%s>\r\n%sContent-Length: %d\r\n\r\n%s",
		method, c.Target, c.branch, c.Local, c.Remote, c.ID, c.CSeq, method, c.Phone.Contact, ct, len(sdp), sdp))
}

// Response waits for a response with one of the statuses to the last request of
// the call: one to an earlier request may be repeated meanwhile.
func (c *Call) Response(status ...int) *Message {
	c.Phone.T.Helper()
	cseq := strconv.Itoa(c.CSeq) + " "
	return c.Phone.Expect(fmt.Sprintf("%v to request %d of the call", status, c.CSeq), func(m *Message) bool {
		return m.Get("Call-ID") == c.ID && strings.HasPrefix(m.Get("CSeq"), cseq) && slices.Contains(status, m.Status())
	})
}

// Hangup sends BYE and waits for its answer.
func (c *Call) Hangup() {
	c.Phone.T.Helper()
	c.Send("BYE", "")
	c.Phone.Response("BYE", 200)
}

// Ringing waits for an INVITE of the PBX.
func (p *Phone) Ringing() *Call {
	p.T.Helper()
	m := p.Request("INVITE")
	c := &Call{Phone: p, ID: m.Get("Call-ID"), Invite: m, Remote: m.Get("From"), Target: strings.Trim(m.Get("Contact"), "<>")}
	c.Local = m.Get("To") + ";tag=" + p.Unique()
	return c
}

// Reply answers a request of the PBX; within a call it carries our tag.
func (p *Phone) Reply(req *Message, to string, status int, reason, extra, body string) {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", status, reason)
	for _, v := range req.All("Via") {
		fmt.Fprintf(&b, "Via: %s\r\n", v)
	}
	if to == "" {
		to = req.Get("To")
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <%s>\r\n%s", req.Get("From"), to, req.Get("Call-ID"), req.Get("CSeq"), p.Contact, extra)
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	p.Send(b.String())
}

// Reply answers their INVITE.
func (c *Call) Reply(status int, reason, sdp string) {
	c.Phone.Reply(c.Invite, c.Local, status, reason, "", sdp)
}

// Answer answers their INVITE with 200 and waits for the ACK.
func (c *Call) Answer(sdp string) *Message {
	c.Phone.T.Helper()
	c.Reply(200, "OK", sdp)
	return c.Phone.Request("ACK")
}
