package pbxdtest

import (
	"fmt"
	"strings"
)

// DialWith is Dial with further header fields, each ended by CRLF, in both
// INVITEs. They may say of what type the body is.
func (p *Phone) DialWith(number, sdp, fields string) *Call {
	p.T.Helper()
	c := &Call{Phone: p, ID: p.Unique(), uri: fmt.Sprintf("sip:%s@%s", number, p.pbx)}
	c.Local = fmt.Sprintf("<sip:%s@%s>;tag=%s", p.Ext, p.pbx, p.Unique())
	c.Remote = fmt.Sprintf("<%s>", c.uri)
	c.CSeq = 1
	c.invite(sdp, fields)
	res := p.Expect("a challenge", func(m *Message) bool { return m.Get("Call-ID") == c.ID && m.Status() >= 200 })
	if res.Status() != 401 {
		p.T.Fatalf("phone %s: INVITE got %s, want a challenge", p.Ext, res.Start)
	}
	c.AckRefusal(res)
	c.CSeq++
	c.invite(sdp, fields+"Authorization: "+p.Credentials(res.Get("WWW-Authenticate"), "INVITE", c.uri)+"\r\n")
	return c
}

// ByAnotherWay sends our INVITE once more, with another branch, and answers its
// challenge.
func (c *Call) ByAnotherWay(sdp string) {
	c.Phone.T.Helper()
	c.invite(sdp, "")
	res := c.Phone.Response("INVITE", 401)
	c.AckRefusal(res)
	c.invite(sdp, "Authorization: "+c.Phone.Credentials(res.Get("WWW-Authenticate"), "INVITE", c.uri)+"\r\n")
}

// Early takes the dialog from a provisional response to our INVITE.
func (c *Call) Early(res *Message) { c.learn(res) }

// Tags returns the tags of the dialog: ours and the PBX's.
func (c *Call) Tags() (local, remote string) {
	_, local, _ = strings.Cut(c.Local, ";tag=")
	_, remote, _ = strings.Cut(c.Remote, ";tag=")
	return local, remote
}

// SendWith sends a request within the dialog with further fields and a body of
// any type.
func (c *Call) SendWith(method, fields, contentType, body string) {
	c.CSeq++
	if contentType != "" {
		fields += "Content-Type: " + contentType + "\r\n"
	}
	c.branch, c.uri = c.Phone.Via(), c.Target
	c.Phone.Send(fmt.Sprintf("%s %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <%s>%s\r\n%sContent-Length: %d\r\n\r\n%s",
		method, c.Target, c.branch, c.Local, c.Remote, c.ID, c.CSeq, method, c.Phone.Contact, c.Phone.ContactParams, fields, len(body), body))
}

// ReplyWith answers their INVITE with further fields.
func (c *Call) ReplyWith(status int, reason, fields, sdp string) {
	c.Phone.Reply(c.Invite, c.Local, status, reason, fields, sdp)
}

// RequestWith sends a request outside of any dialog, answers a challenge, and
// returns the final response and the dialog that it would make.
func (p *Phone) RequestWith(method, number, fields, contentType, body string) (*Message, *Call) {
	p.T.Helper()
	c := &Call{Phone: p, ID: p.Unique(), uri: fmt.Sprintf("sip:%s@%s", number, p.pbx)}
	c.Local = fmt.Sprintf("<sip:%s@%s>;tag=%s", p.Ext, p.pbx, p.Unique())
	c.Remote, c.Target = fmt.Sprintf("<%s>", c.uri), c.uri
	uri := c.uri
	c.SendWith(method, fields, contentType, body)
	res := p.Final(method)
	if res.Status() == 401 {
		c.Remote = fmt.Sprintf("<%s>", uri)
		c.SendWith(method, fields+"Authorization: "+p.Credentials(res.Get("WWW-Authenticate"), method, uri)+"\r\n", contentType, body)
		res = p.Final(method)
	}
	if res.Status() < 300 {
		c.learn(res)
	}
	return res, c
}

// Close ends the phone's socket.
func (p *Phone) Close() { p.conn.Close() }

// DialBare sends an INVITE to a URI without waiting for a challenge, with further
// fields, each ended by CRLF.
func (p *Phone) DialBare(uri, sdp, fields string) *Call {
	p.T.Helper()
	c := &Call{Phone: p, ID: p.Unique(), uri: uri, CSeq: 1}
	c.Local = fmt.Sprintf("<sip:%s@%s>;tag=%s", p.Ext, p.pbx, p.Unique())
	c.Remote = fmt.Sprintf("<%s>", c.uri)
	c.invite(sdp, fields)
	return c
}

// Again sends the INVITE of a call once more, as one that follows.
func (c *Call) Again(sdp, fields string) {
	c.CSeq++
	c.invite(sdp, fields)
}
