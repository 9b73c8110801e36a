package sipedge_test

import (
	"net"
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// names serves one name with addresses, in their order, until the test ends.
func names(t *testing.T, addrs ...netip.Addr) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		for buf := make([]byte, 4096); ; {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			for _, a := range addrs {
				if q.Type == dnsmessage.TypeA {
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 300}, Body: &dnsmessage.AResource{A: a.As4()}})
				}
			}
			if b, err := m.Pack(); err == nil {
				_, _ = conn.WriteToUDPAddrPort(b, from) // a lost answer is asked for again
			}
		}
	}()
	return netip.MustParseAddrPort(conn.LocalAddr().String())
}

// A provider with several servers: a call goes to the next when one says nothing or
// is out of service; one that takes it too late is thanked, and let go; calls from
// each of them are the provider's (RFC 3263 section 4.3).
func TestServersOfAProvider(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, func(g *pbx.Gateway) {
		g.Register, g.Registrar, g.Port, g.Parameters = false, "provider.test", 5060, []string{"no_answer=4000"}
	})
	first := x.c
	second := pbxdtest.NewCarrierFrom(t, first.Trunk, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, first.At.Addr().As4()[2], first.At.Addr().As4()[3]}), 5060))
	x.servers = []netip.AddrPort{names(t, first.At.Addr(), second.At.Addr())}
	x.resolver.Follow([]string{"provider.test"})
	go x.resolver.Run(t.Context())
	x.begins()

	leg := x.dial("a", nil)
	late := first.Ringing()
	in := second.Ringing()
	if late.Invite.Start != in.Invite.Start || late.Invite.Get("Call-ID") != in.Invite.Get("Call-ID") || cseq(in.Invite) <= cseq(late.Invite) {
		t.Errorf("the servers got\n%s\n%s", late.Invite, in.Invite)
	}
	in.Reply(180, "Ringing", "")
	x.event(call.EventRinging)
	late.Reply(200, "OK", pbxdtest.SDP(30002))
	if ack := first.Request("ACK"); ack.Tag("To") != tagOf(late.Local) {
		t.Errorf("the first got\n%s", ack)
	}
	bye := first.Request("BYE")
	late.Reply(200, "OK", pbxdtest.SDP(30002)) // repeated: thanked again, and not ended twice
	first.Request("ACK")
	first.Reply(bye, "", 200, "OK", "", "")
	in.Answer(pbxdtest.SDP(30000))
	if ev := x.event(call.EventAnswered); ev.Description.RTPPort != 30000 {
		t.Errorf("answered by %+v", ev.Description)
	}
	leg.Hangup(pbx.CauseNormalClearing)
	second.Reply(second.Request("BYE"), "", 200, "OK", "", "")
	x.nothingLeft()

	x.dial("a", nil) // what works goes before what has failed
	second.Ringing().Reply(503, "Service Unavailable", "")
	first.Ringing().Reply(486, "Busy Here", "")
	if ev := x.event(call.EventEnded); ev.Cause != pbx.CauseUserBusy {
		t.Errorf("ended with %v", ev.Cause)
	}
	for _, c := range []*pbxdtest.Carrier{first, second} {
		x.until("the provider's addresses", func() bool { list, known := x.resolver.Addresses("provider.test"); return known && len(list) == 2 })
		if got := x.came(c.Phone, "sip:usera@"+c.Trunk.String(), ""); got != "a" {
			t.Errorf("a call of %v came over %q", c.At, got)
		}
	}
	x.nothingLeft()
}
