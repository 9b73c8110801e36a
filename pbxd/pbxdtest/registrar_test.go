package pbxdtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// registration is a series of REGISTER requests of one phone, as RFC 3261
// section 10 has them: one Call-ID, rising numbers.
type registration struct {
	phone  *Phone
	callID string
	cseq   int
}

func (p *Phone) registration() *registration { return &registration{phone: p, callID: p.Unique()} }

// send registers with the given fields, with credentials.
func (r *registration) send(fields ...string) *Message {
	r.phone.T.Helper()
	uri := "sip:" + r.phone.pbx.String()
	auth := ""
	for range 2 {
		r.cseq++
		res := r.raw(uri, r.cseq, auth, fields...)
		if res.Status() != 401 {
			return res
		}
		auth = "Authorization: " + r.phone.Credentials(res.Get("WWW-Authenticate"), "REGISTER", uri) + "\r\n"
	}
	r.phone.T.Fatalf("REGISTER of %s with a password is challenged again", r.phone.Ext)
	return nil
}

func (r *registration) raw(uri string, cseq int, auth string, fields ...string) *Message {
	r.phone.T.Helper()
	text := ""
	for _, f := range fields {
		text += f + "\r\n"
	}
	r.phone.Send(fmt.Sprintf("REGISTER %[1]s SIP/2.0\r\nVia: %[2]s\r\nMax-Forwards: 70\r\nFrom: <sip:%[3]s@x>;tag=%[4]s\r\nTo: <sip:%[3]s@x>\r\nCall-ID: %[4]s\r\nCSeq: %[5]d REGISTER\r\n%[6]s%[7]sContent-Length: 0\r\n\r\n",
		uri, r.phone.Via(), r.phone.Ext, r.callID, cseq, text, auth))
	return r.phone.Final("REGISTER")
}

// bound returns the URIs that a response says are bound, sorted.
func bound(res *Message) (uris []string) {
	for _, c := range res.All("Contact") {
		uri, _, _ := strings.Cut(strings.TrimPrefix(c, "<"), ">")
		uris = append(uris, uri)
	}
	slices.Sort(uris)
	return uris
}

// Contacts are added, refreshed and removed one by one; a list in one field is
// as good as many fields; without Contact a REGISTER only asks (RFC 3261
// section 10.3).
func TestContactsOneByOne(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	r := s.Phone("102", "udp").registration()
	const a, b, c = "sip:102@192.0.2.1:5062", "sip:102@192.0.2.2;transport=tcp", "sip:102@192.0.2.3"
	steps := []struct {
		name   string
		fields []string
		status int
		want   []string
	}{
		{"none at first", nil, 200, nil},
		{"two in one field", []string{"Contact: <" + a + ">;expires=600, \"B, b\" <" + b + ">;q=0.5;expires=700"}, 200, []string{a, b}},
		{"a third", []string{"Contact: <" + c + ">", "Expires: 60"}, 200, []string{a, b, c}},
		{"only asks", nil, 200, []string{a, b, c}},
		{"one goes by its parameter", []string{"Contact: <" + b + ">;expires=0", "Expires: 3600"}, 200, []string{a, c}},
		{"one goes by the field", []string{"Contact: <" + c + ">", "Expires: 0"}, 200, []string{a}},
		{"the case of the host does not count", []string{"m: <sip:102@192.0.2.1:5062>;expires=0, <sip:102@HOST.example>;expires=60"}, 200, []string{"sip:102@HOST.example"}},
		{"the same host", []string{"Contact: sip:102@host.EXAMPLE;expires=90"}, 200, []string{"sip:102@host.EXAMPLE"}},
		{"what is not there is removed", []string{"Contact: <" + a + ">;expires=0"}, 200, []string{"sip:102@host.EXAMPLE"}},
		{"too brief, so nothing changes", []string{"Contact: <" + a + ">;expires=60, <" + b + ">;expires=5"}, 423, nil},
		{"all of them, with another", []string{"Contact: *, <" + a + ">", "Expires: 0"}, 400, nil},
		{"all of them, without Expires", []string{"Contact: *"}, 400, nil},
		{"still the same", nil, 200, []string{"sip:102@host.EXAMPLE"}},
		{"all of them", []string{"Contact: *", "Expires: 0"}, 200, nil},
		{"none at last", nil, 200, nil},
	}
	for _, step := range steps {
		res := r.send(step.fields...)
		if got := bound(res); res.Status() != step.status || !slices.Equal(got, step.want) {
			t.Errorf("%s: got %s with %q, want %d with %q", step.name, res.Start, got, step.status, step.want)
		}
	}
}

// A REGISTER that comes late, or a second time, does not undo what followed.
func TestLateRegister(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	r := s.Phone("102", "udp").registration()
	r.send("Contact: <sip:102@192.0.2.1>;expires=60")
	r.cseq += 10
	r.send("Contact: <sip:102@192.0.2.1>;expires=90")
	r.cseq -= 10
	if res := r.send("Contact: <sip:102@192.0.2.1>;expires=0"); res.Status() != 500 {
		t.Errorf("a late removal got %s, want 500", res.Start)
	}
	r.cseq += 20
	if got := bound(r.send()); len(got) != 1 {
		t.Errorf("bound is %q, want the contact that was refreshed", got)
	}
}

// Path (RFC 3327): the phone is called through the proxies that it names, in
// their order, and is told that they are known; also after a restart.
func TestPath(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	b := s.Phone("102", "udp")
	r := b.registration()
	const one, two, three = "<sip:p1.example;lr>", "<sip:p2.example;lr;ob>", "<sip:192.0.2.9:5080;lr>"
	res := r.send("Contact: <"+b.Contact+">;expires=600", "Supported: path", "Path: "+one+", "+two, "Path: "+three+";x=y")
	if got := strings.Join(res.All("Path"), ","); res.Status() != 200 || got != one+","+two+","+three+";x=y" {
		t.Errorf("got %s with Path %q", res.Start, got)
	}
	check := func(s *System) {
		t.Helper()
		call := s.Phone("101", "udp").Dial("102", SDP(16000))
		in := b.Ringing()
		if got := in.Invite.All("Route"); !slices.Equal(got, []string{one, two, three}) {
			t.Errorf("Route is %q, want the Path", got)
		}
		if !strings.HasPrefix(in.Invite.Start, "INVITE "+b.Contact+" ") {
			t.Errorf("the INVITE is for %s, want %s", in.Invite.Start, b.Contact)
		}
		in.Reply(486, "Busy Here", "")
		call.AckRefusal(call.Phone.Final("INVITE"))
		nothingLeft(t, s)
	}
	check(s)
	s.Stop()
	check(Start(t, Options{Dir: s.Dir, SIP: s.SIP.String()}))
}

// What a Path must not be.
func TestPathIsChecked(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	b := s.Phone("102", "udp")
	for _, wrong := range []string{"nonsense", "<http://x>", "<sip:a;lr>,", strings.Repeat("<sip:a;lr>,", 4) + "<sip:b>", "<sip:" + strings.Repeat("a", 600) + ">"} {
		if res := b.registration().send("Contact: <"+b.Contact+">", "Path: "+wrong); res.Status() != 400 {
			t.Errorf("Path %.40q got %s, want 400", wrong, res.Start)
		}
	}
}

// The time that is granted lies between the bounds of the settings.
func TestExpiryBounds(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	r := s.Phone("102", "udp").registration()
	tests := []struct {
		wanted string
		want   string // expires of the answer, or the status
	}{
		{"60", "60"}, {"59", "423"}, {"3600", "3600"}, {"3601", "3600"}, {"4294967295", "3600"}, {"99999999999999999999", "3600"},
		{"-5", "3600"}, {"soon", "3600"}, {"", "3600"},
	}
	for _, tt := range tests {
		res := r.send("Contact: <sip:102@192.0.2.1>;expires=" + tt.wanted)
		_, got, _ := strings.Cut(res.Get("Contact"), "expires=")
		if res.Status() != 200 {
			got = fmt.Sprint(res.Status())
		}
		if got != tt.want {
			t.Errorf("wanted %q: got %s, want %s", tt.wanted, got, tt.want)
		}
	}
}

// A nonce can be used again while its count rises, and is stale after its
// time: then it takes one more round, without a question to the user.
func TestNonceIsUsedAgain(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	p := s.Phone("101", "udp")
	r := p.registration()
	uri := "sip:" + p.pbx.String()
	challenge := r.raw(uri, 1, "").Get("WWW-Authenticate")
	for i, want := range []int{200, 200, 200} {
		auth := "Authorization: " + p.credentials(challenge, "REGISTER", uri, i+1) + "\r\n"
		if res := r.raw(uri, i+2, auth); res.Status() != want {
			t.Errorf("use %d of the nonce got %s, want %d", i+1, res.Start, want)
		}
	}
	auth := "Authorization: " + p.credentials(challenge, "REGISTER", uri, 2) + "\r\n"
	res := r.raw(uri, 9, auth)
	if res.Status() != 401 || !strings.Contains(res.Get("WWW-Authenticate"), "stale=true") {
		t.Errorf("a count that was used got %s, %q; want 401 and stale", res.Start, res.Get("WWW-Authenticate"))
	}
	p.Silent(50*time.Millisecond, "another answer", func(m *Message) bool { return m.Method() == "REGISTER" })
}

// Outbound (RFC 5626): a phone registers over two flows, is called over the
// newer one only, at the flow's address and not at that of its contact; when
// the flow fails the other one serves.
func TestOutboundFlows(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	const device = `+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"`
	first, second := s.Phone("102", "udp"), s.Phone("102", "tcp")
	for i, p := range []*Phone{first, second} {
		contact := fmt.Sprintf("Contact: <sip:102@127.0.0.1:9;ob>;%s;reg-id=%d;expires=600", device, i+1)
		if res := p.registration().send(contact, "Supported: path, outbound"); res.Status() != 200 || res.Get("Require") != "outbound" || len(bound(res)) != i+1 {
			t.Fatalf("flow %d got %s, Require %q, bound %q", i+1, res.Start, res.Get("Require"), bound(res))
		} else if want := map[*Phone]string{first: "", second: "120"}[p]; res.Get("Flow-Timer") != want {
			t.Errorf("flow %d: Flow-Timer %q, want %q", i+1, res.Get("Flow-Timer"), want)
		}
	}
	a := s.Phone("101", "udp")
	busy := func(p *Phone) {
		t.Helper()
		call := a.Dial("102", SDP(16000))
		p.Ringing().Reply(486, "Busy Here", "")
		call.AckRefusal(a.Final("INVITE"))
		p.Request("ACK")
	}
	busy(second)
	first.Silent(100*time.Millisecond, "a call", func(m *Message) bool { return m.Method() == "INVITE" })
	second.conn.Close()
	s.Eventually("the flow to be forgotten", func() bool { return len(bound(first.registration().send())) == 1 })
	busy(first)
	plain := s.Phone("103", "udp").registration() // asks for nothing
	if res := plain.send("Contact: <sip:103@127.0.0.1:9>;" + device + ";reg-id=1"); res.Status() != 200 || res.Get("Require") != "" {
		t.Errorf("without Supported: got %s, Require %q", res.Start, res.Get("Require"))
	}
	nothingLeft(t, s)
}
