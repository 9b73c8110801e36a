package sipedge_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge"
)

// A phone that falls silent in the middle of a call is asked soon whether it is
// still there, and once it has said so not again; one that says nothing of the
// dialog is gone. A phone that never spoke, or hears nothing either, is not asked
// so soon.
func TestFellSilent(t *testing.T) {
	const silence = 300 * time.Millisecond
	asked := func(m *pbxdtest.Message) bool { return m.Method() == "OPTIONS" }
	for _, tt := range []struct {
		name                 string
		speaks, hears, holds bool
		status               int
	}{
		{"alive", true, true, false, 200}, {"gone", true, true, false, 481},
		{"never spoke", false, true, false, 0}, {"hears nothing", true, false, false, 0}, {"holds", true, true, true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := newOfficeWith(t, func(e *sipedge.Edge) { e.SetFellSilent(silence) })
			rtp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				t.Fatal(err)
			}
			defer rtp.Close()
			port := int(rtp.LocalAddr().(*net.UDPAddr).AddrPort().Port())
			a := o.phone("101")
			sdp := pbxdtest.SDP(port)
			if tt.holds {
				sdp = pbxdtest.SDP(port, "a=recvonly")
			}
			c := a.Dial("102", sdp)
			leg := o.arrival().Leg
			leg.Answer(pcma())
			to := netip.AddrPortFrom(o.addr.Addr(), uint16(c.Answered().AudioPort()))
			packet := append([]byte{0x80, 8, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4}, make([]byte, 160)...)
			if tt.hears {
				go func() {
					for t.Context().Err() == nil {
						leg.Audio().WriteRTP(packet)
						time.Sleep(silence / 10)
					}
				}()
			}
			if tt.speaks {
				if _, err := rtp.WriteToUDPAddrPort(packet, to); err != nil {
					t.Fatal(err)
				}
			}
			if tt.status != 0 {
				a.Reply(a.Expect("OPTIONS", asked), "", tt.status, "So", "", "")
			}
			if tt.status == 481 {
				a.Request("BYE")
				if ev := o.event(call.EventEnded); ev.Cause != pbx.CauseRecoveryOnTimer {
					t.Errorf("ended with %v", ev.Cause)
				}
				return
			}
			a.Silent(4*silence, "a question", asked)
			c.Hangup()
		})
	}
}
