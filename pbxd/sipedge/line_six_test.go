package sipedge_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// A provider over IPv6 is registered at, called and calls: addresses stand in
// brackets where they must.
func TestGatewayOverIPv6(t *testing.T) {
	t.Parallel()
	one := netip.IPv6Loopback()
	free, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(one, 0)))
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	c := pbxdtest.NewCarrierFrom(t, netip.MustParseAddrPort(free.LocalAddr().String()), netip.AddrPortFrom(one, 0))
	x := newExchangeAt(t, c, "udp", nil, nil).answers().begins()
	m := x.registers()
	if want := "REGISTER sip:[::1] SIP/2.0"; m.Start != want {
		t.Errorf("got %s, want %s", m.Start, want)
	}
	self := fmt.Sprintf("[::1]:%d", c.Trunk.Port())
	if !strings.Contains(m.Get("Contact"), "<sip:usera@"+self+";line=") || !strings.Contains(m.Get("Via"), " "+self+";") || !strings.Contains(m.Get("To"), "<sip:usera@[::1]>") {
		t.Errorf("the provider got\n%s", m)
	}
	x.c.Grant(m, 3600)
	x.is("a", pbx.LineUp)
	leg := x.dial("a", nil)
	in := c.Ringing()
	if want := fmt.Sprintf("INVITE sip:030123456@[::1]:%d SIP/2.0", c.At.Port()); in.Invite.Start != want || !strings.Contains(in.Invite.Get("Contact"), "@"+self) ||
		!strings.Contains(in.Invite.Get("From"), "<sip:101@[::1]>") || !strings.Contains(in.Invite.Body, "c=IN IP6 ::1\r\n") {
		t.Errorf("the provider got\n%s", in.Invite)
	}
	in.Answer(strings.ReplaceAll(pbxdtest.SDP(30000), "IP4 127.0.0.1", "IP6 ::1"))
	x.event(call.EventAnswered)
	x.hangUp(leg)
	if got := x.came(c.Phone, "sip:usera@"+self, ""); got != "a" {
		t.Errorf("a call came over %q", got)
	}
	x.nothingLeft()
}
