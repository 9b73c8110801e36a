package sipedge_test

import (
	"fmt"
	"strings"
	"testing"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// came returns which gateway a call came over that somebody makes, "" when it is
// refused.
func (x *exchange) came(from *pbxdtest.Phone, uri, fields string) string {
	x.t.Helper()
	c := from.DialBare(uri, pbxdtest.SDP(30010), fields)
	return x.settled(from, c)
}

func (x *exchange) settled(from *pbxdtest.Phone, c *pbxdtest.Call) string {
	x.t.Helper()
	res := from.Response("INVITE", 100, 403)
	if res.Status() == 403 {
		c.AckRefusal(res)
		return ""
	}
	in := x.arrival()
	in.Leg.Hangup(pbx.CauseUserBusy)
	c.AckRefusal(c.Response(486))
	return in.Gateway
}

// Calls of one provider with several gateways are of the one that they are for
// (P7): by the address that was registered, by who is called, by To, by one of the
// numbers; what nothing tells is of the first.
func TestAttribution(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, func(g *pbx.Gateway) { g.User = "4930100" }).answers().begins()
	m := x.registers()
	a := token(m)
	x.c.Grant(m, 3600)
	x.is("a", pbx.LineUp)
	at := x.c.Trunk.String()
	stays := func() {
		t.Helper()
		for _, uri := range []string{"sip:4930100@" + at + ";line=" + a, "sip:4930100@" + at, "sip:anything@" + at, "sip:030100@" + at, "sip:" + at} {
			if got := x.came(x.c.Phone, uri, ""); got != "a" {
				t.Errorf("%s came over %q, want a", uri, got)
			}
		}
	}
	stays()
	x.configure(func(c *pbx.Config) {
		c.Gateways = append(c.Gateways, x.gateway("b", func(g *pbx.Gateway) { g.User = "4930200" }),
			x.gateway("c", func(g *pbx.Gateway) { g.User, g.Numbers = "trunk", []string{"+4930301", "+4930302"} }))
	})
	tokens := map[string]string{}
	for range 2 {
		m := x.registers()
		id := "b"
		if strings.Contains(m.Get("To"), "trunk") {
			id = "c"
		}
		tokens[id] = token(m)
		x.c.Grant(m, 3600)
	}
	x.is("b", pbx.LineUp)
	x.is("c", pbx.LineUp)
	stays()
	to := func(user string) string { return fmt.Sprintf("<sip:%s@provider>", user) }
	for _, tt := range []struct{ uri, to, want string }{
		{"sip:4930200@" + at + ";line=" + tokens["b"], "", "b"},
		{"sip:4930100@" + at + ";line=" + tokens["b"], "", "b"}, // the address that was registered goes before the user
		{"sip:4930302@" + at + ";line=" + tokens["c"] + ";transport=udp", "", "c"},
		{"sip:" + at + ";LINE=" + tokens["b"], "", "b"},
		{"sip:x@" + at + ";line=unknown", "", "a"},
		{"sip:4930200@" + at, "", "b"},
		{"sip:+4930302@" + at, "", "c"}, {"sip:004930302@" + at, "", "c"}, {"sip:4930301@" + at, "", "c"},
		{"sip:%2B4930302@" + at + ";user=phone", "", "c"},
		{"sip:x@" + at, to("4930200"), "b"}, {"sip:x@" + at, to("trunk"), "c"}, {"sip:4930100@" + at, to("4930200"), "a"},
		{"tel:+4930302", "", "c"},
	} {
		c := x.c.DialAs(tt.uri, tt.to)
		if got := x.settled(x.c.Phone, c); got != tt.want {
			t.Errorf("%s to %q came over %q, want %s", tt.uri, tt.to, got, tt.want)
		}
	}
	x.nothingLeft()
}

// Networks that calls may come from (F177): by default those of the provider's
// own servers, and whoever knows the address that was registered; with a network
// given, all of that and nobody else.
func TestAllowedSubnets(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, nil).answers().begins()
	m := x.registers()
	known := "sip:usera@" + x.c.Trunk.String() + ";line=" + token(m)
	x.c.Grant(m, 3600)
	x.is("a", pbx.LineUp)
	plain := "sip:usera@" + x.c.Trunk.String()
	other := x.elsewhere("127.3.3.3")
	stranger := x.elsewhere("127.4.4.4")
	own := x.c.At.Addr().String() + "/32"
	for _, tt := range []struct {
		nets []string
		want string // which of server, server by contact, other, other by contact, stranger, stranger by contact are taken
	}{
		{[]string{"0.0.0.0/0"}, "yy-y-y"}, {nil, "yy-y-y"}, {[]string{"0.0.0.0/0", "::/0"}, "yy-y-y"},
		{[]string{own}, "yy----"}, {[]string{"127.3.3.0/24", own}, "yyyy--"}, {[]string{"127.3.0.0/16"}, "--yy--"},
	} {
		x.configure(func(c *pbx.Config) { c.Gateways[0].AllowedSubnets = tt.nets })
		got := ""
		for _, from := range []*pbxdtest.Phone{x.c.Phone, other, stranger} {
			for _, uri := range []string{plain, known} {
				if x.came(from, uri, "") == "a" {
					got += "y"
				} else {
					got += "-"
				}
			}
		}
		if got != tt.want {
			t.Errorf("%v: %s, want %s", tt.nets, got, tt.want)
		}
	}
	x.nothingLeft()
}

// Requests within a call come from any address of the provider, and from nobody
// else; nobody transfers, watches or writes from outside.
func TestWithinACallOverALine(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register = false })
	x.configure(func(c *pbx.Config) {
		c.Gateways[0].AllowedSubnets = []string{x.c.At.Addr().String() + "/32", "127.3.3.0/24"}
	})
	leg := x.dial("a", nil)
	in := x.c.Ringing()
	in.Answer(pbxdtest.SDP(30000))
	x.event(call.EventAnswered)
	other, stranger := x.elsewhere("127.3.3.7"), x.elsewhere("127.4.4.7")
	of := func(p *pbxdtest.Phone) *pbxdtest.Call {
		c := *in
		c.Phone = p
		return &c
	}
	forged := of(stranger)
	forged.CSeq = 1000
	for _, method := range []string{"INVITE", "UPDATE", "INFO", "REFER", "BYE"} {
		forged.Send(method, "")
		stranger.Response(method, 403)
	}
	in.CSeq = 100
	for _, method := range []string{"REFER", "SUBSCRIBE", "MESSAGE"} {
		in.SendWith(method, "Refer-To: <sip:102@x>\r\nEvent: dialog\r\n", "", "")
		x.c.Response(method, 405)
	}
	from := of(other)
	from.CSeq = 200
	from.Send("OPTIONS", "")
	other.Response("OPTIONS", 200)
	from.Send("INFO", "")
	other.Response("INFO", 200)
	in.CSeq = 300
	in.Send("UPDATE", "") // its first address goes on to be one of them
	x.c.Response("UPDATE", 200)
	from.CSeq = 400
	from.Send("BYE", "")
	other.Response("BYE", 200)
	if ev := x.event(call.EventEnded); ev.Leg != leg {
		t.Error("another leg has ended")
	}
	x.nothingLeft()
}

// Outside of calls providers call and ask whether we are there; nothing else is
// served, and strangers leave nothing behind, however many come.
func TestStrangersAtALine(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static).begins()
	stranger := x.elsewhere("127.4.4.9")
	for method, status := range map[string]int{"REGISTER": 405, "SUBSCRIBE": 405, "MESSAGE": 405, "REFER": 405, "PUBLISH": 405, "BYE": 481, "UPDATE": 481, "INFO": 481, "NOTIFY": 481, "OPTIONS": 200, "NONSENSE": 405} {
		for _, p := range []*pbxdtest.Phone{x.c.Phone, stranger} {
			res, _ := p.RequestWith(method, "101", "Event: dialog\r\nRefer-To: <sip:102@x>\r\n", "", "")
			if res.Status() != status || status == 405 && res.Get("Allow") == "" {
				t.Errorf("%s: %s, want %d", method, res.Start, status)
			}
		}
	}
	for n := range 3000 {
		stranger.DialBare(fmt.Sprintf("sip:%d@%s", n, x.c.Trunk), pbxdtest.SDP(30010), "")
		if n%20 == 19 {
			for range 20 {
				stranger.Response("INVITE", 403)
			}
		}
	}
	if n := x.trunk.Counts(); n.Legs != 0 || n.ServerTransactions > 0 || x.ports.InUse() != 0 {
		t.Errorf("strangers have left %+v and %d ports", n, x.ports.InUse())
	}
}
