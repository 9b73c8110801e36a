package pbxdtest

import (
	"net/netip"
	"strings"
	"testing"
)

// set changes parameters by name.
func set(values ...any) func(map[string]any) {
	return func(g map[string]any) {
		for i := 0; i < len(values); i += 2 {
			g[values[i].(string)] = values[i+1]
		}
	}
}

// twoLines starts a device with two gateways in one group, the first at c, the
// second at d. Neither registers.
func twoLines(t *testing.T) (b *branch, d *Carrier) {
	t.Helper()
	b = newBranch(t, Options{}, set("register", false, "parameters", []string{"no_answer=500"}))
	d = NewCarrier(t, netip.AddrPort{})
	d.Lines(b.a, "b", set("register", false))
	d.Change(b.a, set("group", b.c.group))
	b.LineIs(b.a, d.Gateway, "up")
	d.settings["group"] = b.c.group
	return b, d
}

// over reports which of the carriers a call reaches, "" for none. The one that gets
// it says status first.
func (b *branch) over(d *Carrier, number string, status int) (way string) {
	b.T.Helper()
	call := b.p.Dial(number, SDP(30000))
	for {
		select {
		case m := <-b.c.in:
			if m.Status() == 0 && m.Method() == "INVITE" {
				way += "1"
				b.c.Reply(m, m.Get("To")+";tag=x", status, "First", "", "")
			}
		case m := <-d.in:
			if m.Status() == 0 && m.Method() == "INVITE" {
				way += "2"
				d.Reply(m, m.Get("To")+";tag=x", 404, "Not Found", "", "")
			}
		case m := <-b.p.in:
			if m.Get("Call-ID") == call.ID && m.Status() >= 200 {
				call.AckRefusal(m)
				return way
			}
		}
	}
}

// Calls go to the next gateway of the group when one is not to be used, is full,
// is out of service or does not answer, and not when the called side is busy or
// unknown; and come back (F158, F167, F168).
func TestNextGatewayOfTheGroup(t *testing.T) {
	t.Parallel()
	b, d := twoLines(t)
	is := func(want string, status int, why string) {
		t.Helper()
		if way := b.over(d, "0030123456", status); way != want {
			t.Errorf("%s: the call took the way %q, want %q", why, way, want)
		}
	}
	is("1", 404, "both are there")
	is("1", 486, "busy")
	is("12", 503, "out of service")
	is("12", 500, "failed")
	is("12", 408, "no answer")
	b.LineIs(b.a, b.c.Gateway, "up")
	b.c.Change(b.a, set("outbound", false))
	is("2", 404, "not for calls to the outside")
	b.c.Change(b.a, set("maxCalls", 1))
	in := b.c.call("101", "sip:0891234@"+b.c.At.String(), "")
	rings := b.p.Ringing()
	rings.Reply(180, "Ringing", "")
	b.c.Response("INVITE", 180)
	is("2", 404, "one call, which came from the provider")
	call := b.p.Dial("112", SDP(30000)) // beyond what it may have: no line is taken while one is free, so b has it
	urgent := d.Ringing()
	urgent.Reply(180, "Ringing", "")
	call.Cancel()
	d.Reply(d.Request("CANCEL"), "", 200, "OK", "", "")
	urgent.Reply(487, "Request Terminated", "")
	call.AckRefusal(call.Response(487))
	rings.Reply(486, "Busy Here", "")
	in.AckRefusal(in.Response(486))
	is("1", 404, "no call")

	b.c.Change(b.a, set("parameters", []string{"check_interval=5"}))
	b.c.OnOptions(func(*Message) {})
	b.c.Change(b.a, set("parameters", []string{"check_interval=6"})) // asked at once
	b.LineIs(b.a, b.c.Gateway, "unreachable")
	is("2", 404, "it does not answer")
	b.c.OnOptions(nil)
	b.LineIs(b.a, b.c.Gateway, "up")
	is("1", 404, "it answers")

	b.c.Change(b.a, set("group", ""))
	b.LineIs(b.a, b.c.Gateway, "off")
	is("2", 404, "in no group")
	d.Change(b.a, set("outbound", false))
	is("", 404, "none is left")
	b.c.Change(b.a, set("maxCalls", 1))
	b.LineIs(b.a, b.c.Gateway, "up")
	is("1", 404, "in the group again")
}

// An emergency call takes a line beyond what the gateways may have.
func TestEmergencyBeyondTheCallsOfAGateway(t *testing.T) {
	t.Parallel()
	b := newBranch(t, Options{}, set("register", false, "maxCalls", 1))
	in := b.c.call("101", "sip:0891234@"+b.c.At.String(), "")
	rings := b.p.Ringing()
	rings.Reply(180, "Ringing", "")
	b.c.Response("INVITE", 180)
	other := b.Phone("102", "udp").MustRegister()
	if res := other.Dial("0030123456", SDP(30002)).Response(503, 486); res == nil {
		t.Fatal("a second call was not refused")
	}
	call := other.Dial("112", SDP(30004))
	var urgent *Call
	for urgent == nil { // the call that rings may have to give way
		select {
		case m := <-b.c.in:
			switch {
			case m.Status() == 0 && m.Method() == "INVITE":
				urgent = &Call{Phone: b.c.Phone, ID: m.Get("Call-ID"), Invite: m, Remote: m.Get("From"), Local: m.Get("To") + ";tag=u", Target: strings.Trim(m.Get("Contact"), "<>")}
			case m.Status() >= 300 && m.Method() == "INVITE":
				in.AckRefusal(m)
			}
		case <-b.p.in:
		}
	}
	if want := "INVITE sip:112@" + b.c.At.Addr().String() + " SIP/2.0"; urgent.Invite.Start != want {
		t.Errorf("got %s, want %s", urgent.Invite.Start, want)
	}
	urgent.Answer(SDP(30006))
	call.Answered()
	call.Hangup()
	b.c.Reply(b.c.Request("BYE"), "", 200, "OK", "", "")
}

// A gateway in no group is none: it is not registered any more, and nobody calls
// over it or is called (F163).
func TestGatewayWithoutGroup(t *testing.T) {
	t.Parallel()
	b := newBranch(t, Options{}, nil)
	asked := make(chan *Message, 8)
	b.c.OnRegister(func(m *Message) { b.c.Grant(m, 300); asked <- m })
	b.c.Change(b.a, set("group", ""))
	if m := <-asked; m.Get("Expires") != "0" {
		t.Errorf("the provider got\n%s", m)
	}
	b.LineIs(b.a, b.c.Gateway, "off")
	if _, reason := b.a.Line(b.c.Gateway); !strings.Contains(reason, "no group") {
		t.Errorf("it is off because of %q", reason)
	}
	call := b.p.Dial("0030123456", SDP(30000))
	call.AckRefusal(call.Response(503))
	b.c.Change(b.a, nil)
	if m := <-asked; m.Get("Expires") == "0" {
		t.Errorf("the provider got\n%s", m)
	}
	b.LineIs(b.a, b.c.Gateway, "up")
	b.out("0030123456")
}

// Where a call from outside has the number that is called (F162), and whether the
// group takes it.
func TestWhoIsCalledFromOutside(t *testing.T) {
	t.Parallel()
	b := newBranch(t, Options{}, nil)
	at := "@" + b.c.Trunk.String()
	for _, x := range []struct {
		name, destination string
		inbound           bool
		uri, to           string
		status            int // 180 for the phone of 101 rings
	}{
		{"request line", "request-line", true, "sip:101" + at, "<sip:102@provider>", 180},
		{"To counts for nothing", "request-line", true, "sip:linea" + at, "<sip:101@provider>", 404},
		{"To", "to", true, "sip:linea" + at, "<sip:101@provider>", 180},
		{"To with plus and parameters", "to", true, "sip:linea" + at, "\"X\" <sip:101;phone-context=x@provider;user=phone>", 180},
		{"request line counts for nothing", "to", true, "sip:101" + at, "<sip:999@provider>", 404},
		{"group that takes no calls", "request-line", false, "sip:101" + at, "", 403},
	} {
		b.with(t, x.name, set("destination", x.destination), func(t *testing.T) {
			b.c.Group(b.a, set("inbound", x.inbound))
			call := b.c.DialAs(x.uri, x.to)
			if x.status == 180 {
				in := b.p.Ringing()
				in.Reply(486, "Busy Here", "")
				b.p.Request("ACK")
				call.AckRefusal(call.Response(486))
				return
			}
			res := b.c.Final("INVITE")
			call.AckRefusal(res)
			if res.Status() != x.status {
				t.Errorf("got %s, want %d", res.Start, x.status)
			}
		})
	}
}

// Changes of a gateway and of its transport leave calls alone: they are held,
// resumed and ended as before, also when the gateway goes.
func TestChangesLeaveCallsAlone(t *testing.T) {
	t.Parallel()
	b := newBranch(t, Options{}, set("register", false, "check", false))
	transport := b.a.kept("/api/v1/transports/" + b.c.transport)
	for _, x := range []struct {
		name   string
		change func()
	}{
		{"user", func() { b.c.Change(b.a, set("user", "other", "password", "new")) }},
		{"codecs", func() { b.c.Change(b.a, set("codecs", []string{"g722"}, "dtmf", "inband", "nat", "no")) }},
		{"external address", func() {
			transport["externalSignalling"], transport["externalMedia"] = "192.0.2.9", "192.0.2.8"
			b.a.Do("PUT", "/api/v1/transports/"+b.c.transport, transport, 0, nil)
			transport["externalSignalling"], transport["externalMedia"] = "", ""
			b.a.Do("PUT", "/api/v1/transports/"+b.c.transport, transport, 0, nil)
		}},
		{"no group", func() { b.c.Change(b.a, set("group", "")) }},
		{"another port", func() {
			transport["bindPort"] = int(b.c.Trunk.Port()) + 1
			b.a.Do("PUT", "/api/v1/transports/"+b.c.transport, transport, 0, nil)
			transport["bindPort"] = int(b.c.Trunk.Port())
		}},
		{"deleted", func() {
			b.a.Do("DELETE", "/api/v1/gateways/"+b.c.Gateway, nil, 0, nil)
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			b.use(t)
			if x.name != "user" {
				b.a.Do("PUT", "/api/v1/transports/"+b.c.transport, transport, 0, nil)
				b.c.Change(b.a, set("password", "new"))
			}
			b.LineIs(b.a, b.c.Gateway, "up")
			out := b.p.Dial("0030123456", SDP(30000))
			first := b.c.Ringing()
			first.Answer(SDP(30002))
			out.Answered()
			x.change()
			out.Send("INVITE", SDP(30000, "a=rtpmap:8 PCMA/8000", "a=sendonly"))
			res := b.p.Response("INVITE", 200)
			out.Ack("")
			if res.AudioPort() == 0 {
				t.Error("held without audio")
			}
			out.Send("INVITE", SDP(30000))
			b.p.Response("INVITE", 200)
			out.Ack("")
			first.CSeq = 100
			first.Send("OPTIONS", "")
			b.c.Response("OPTIONS", 200)
			first.Send("BYE", "")
			b.c.Response("BYE", 200)
			b.p.Reply(b.p.Request("BYE"), "", 200, "OK", "", "")
		})
	}
	b.use(t)
	b.Eventually("no leg left", func() bool { n := b.PBX.Counts(); return n.Lines.Legs == 0 && n.SIP.Legs == 0 && n.Ports == 0 })
}

// Transports have ports of their own (F224).
func TestPortsOfTransports(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	a := s.Login()
	for _, x := range []struct {
		port, status int
		kind         string
	}{{5060, 422, "udp"}, {5060, 422, "tcp"}, {5061, 422, "tls"}, {443, 422, "tcp"}, {0, 422, "udp"}, {6099, 201, "udp"}, {6099, 201, "tcp"}, {6099, 422, "udp"}} {
		a.Do("POST", "/api/v1/transports", map[string]any{"name": "t" + x.kind + string(rune('a'+x.port%26)) + string(rune('a'+x.status%26)), "type": x.kind, "bindAddress": "0.0.0.0", "bindPort": x.port}, x.status, nil)
	}
}
