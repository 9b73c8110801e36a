package sipedge_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
)

// A call that is given up while it is looked up where it was sent on is over.
func TestGivenUpWhileSentOn(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static).begins()
	silent, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	x.servers = []netip.AddrPort{netip.MustParseAddrPort(silent.LocalAddr().String())}
	leg := x.dial("a", nil)
	x.c.Answer(x.c.Ringing().Invite, 302, "Moved Temporarily", "Contact: <sip:1@elsewhere.example>\r\n")
	silent.SetReadDeadline(time.Now().Add(wait))
	if _, err := silent.Read(make([]byte, 600)); err != nil {
		t.Fatal(err)
	}
	leg.Hangup(pbx.CauseNormalClearing)
	x.nothingLeft()
}

// Who takes a call and is none of the provider's servers is told nothing of the
// password, whatever it asks for.
func TestCredentialsForNobodyElse(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static).begins()
	other := pbxdtest.NewCarrier(t, x.c.Trunk)
	leg := x.dial("a", nil)
	in := x.c.Ringing()
	x.c.Contact = "sip:carrier@" + other.At.String()
	in.Reply(200, "OK", pbxdtest.SDP(30000))
	x.event(call.EventAnswered)
	other.Request("ACK")
	leg.Hangup(pbx.CauseNormalClearing)
	other.Reply(other.Request("BYE"), "", 407, "Prove It", fmt.Sprintf(prove, "n1"), "")
	x.nothingLeft()
	other.Silent(100*time.Millisecond, "BYE with credentials", func(m *pbxdtest.Message) bool { return m.Get("Proxy-Authorization") != "" })
}

// A call is sent on neither to machines inside the house nor to a number that costs
// more than the one that was dialled.
func TestSentOnInVain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, to string
		inside   bool
	}{
		{"inside", "112", true},
		{"premium", "0900123456", false}, {"premium with the country code", "49900123456", false}, {"abroad", "+12125550100", false}, {"behind a code", "*31%2300435123456", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, nil, static)
			x.configure(func(c *pbx.Config) { c.Locale.Country, c.Locale.AreaCode = "DE", "89" })
			there := x.c
			if tt.inside {
				there = pbxdtest.NewCarrier(t, x.c.Trunk)
			}
			x.dial("a", nil)
			x.c.Answer(x.c.Ringing().Invite, 302, "Moved Temporarily", fmt.Sprintf("Contact: <sip:%s@%v>\r\n", tt.to, there.At))
			x.event(call.EventEnded)
			there.Silent(50*time.Millisecond, "INVITE", func(m *pbxdtest.Message) bool { return strings.Contains(m.Start, tt.to) })
			x.nothingLeft()
		})
	}
}
