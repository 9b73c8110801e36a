package flow

import (
	"net"
	"net/netip"
	"strconv"
	"testing"

	"galilei/pbxd/pbxdtest/peer"
)

// The registration flows of RFC 3665, with sipp as the phone; each begins with
// what the one before has left.
func TestRegistrationFlows(t *testing.T) {
	peer.NeedSipp(t)
	t.Parallel()
	o := open(t, 0, nil)
	for _, f := range []struct{ section, name, password string }{
		{"2.1", "Successful New Registration", ""},
		{"2.2", "Update of Contact List", ""},
		{"2.3", "Request for Current Contact List", ""},
		{"2.5", "Unsuccessful Registration", "wrong"},
		{"2.3", "Request for Current Contact List", ""}, // a wrong password has changed nothing
		{"2.4", "Cancellation of Registration", ""},
	} {
		t.Run(f.section+" "+f.name, func(t *testing.T) {
			if f.password == "" {
				f.password = o.Password("101")
			}
			done(t, o.sipp(t, "rfc3665-"+f.section, peer.SippOptions{Remote: o.SIP, Users: []peer.SippUser{{User: "101", Password: f.password}}}, 0))
		})
	}
}

// The session flows of RFC 3665 as a B2BUA shows them, with sipp on both sides;
// 440 Hz is what the caller sends, 880 Hz what the called phone sends.
func TestSessionFlows(t *testing.T) {
	peer.NeedSipp(t)
	t.Parallel()
	o := open(t, 20, nil)
	next := 201
	for _, f := range []struct {
		section, name string
		run           func(t *testing.T, from, to string)
	}{
		{"3.1", "Successful Session Establishment", func(t *testing.T, from, to string) {
			b := o.called(t, "rfc3665-3.1-callee", to, 880, nil)
			a := o.calls(t, "rfc3665-3.1-caller", from, to, 440, nil)
			a.follow(t, o)
			b.follow(t, o)
			talk(t, o.ctx, a.Voice, 440, b.Voice, 880)
			b.goOn(t, o)
			done(t, a, b)
		}},
		{"3.7", "Session with re-INVITE (IP Address Change)", func(t *testing.T, from, to string) {
			moved := voiceAt(t, addr("127.0.0.2:0"), peer.PayloadPCMA, 660)
			b := o.called(t, "rfc3665-3.7-callee", to, 880, map[string]string{"ip2": "127.0.0.2", "rtp2": port(moved)})
			a := o.calls(t, "rfc3665-3.7-caller", from, to, 440, nil)
			a.follow(t, o)
			b.follow(t, o)
			talk(t, o.ctx, a.Voice, 440, b.Voice, 880)
			b.goOn(t, o)
			b.said(t, o, "renewed", 1)
			moved.SendTo(b.to)
			b.SendTo(netip.AddrPort{})
			talk(t, o.ctx, a.Voice, 440, moved, 660)
			a.goOn(t, o)
			done(t, a, b)
		}},
		{"3.8", "Unsuccessful No Answer", func(t *testing.T, from, to string) {
			b := o.called(t, "rfc3665-3.8-callee", to, 0, nil, "STATUS", "487 Request Terminated")
			a := o.calls(t, "rfc3665-3.8-caller", from, to, 0, nil)
			a.said(t, o, "ringing", 1)
			a.goOn(t, o)
			done(t, a, b)
		}},
		{"3.9", "Unsuccessful Busy", func(t *testing.T, from, to string) {
			b := o.called(t, "refusing-callee", to, 0, nil, "STATUS", "486 Busy Here")
			done(t, o.calls(t, "refused-caller", from, to, 0, nil, "STATUS", "486"), b)
		}},
		{"3.10", "Unsuccessful No Response from User Agent", func(t *testing.T, from, to string) {
			dead, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(local(0)))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { dead.Close() })
			o.registered(t, to, dead.LocalAddr().(*net.UDPAddr).Port)
			done(t, o.calls(t, "refused-caller", from, to, 0, nil, "STATUS", "408"))
		}},
		{"3.11", "Unsuccessful Temporarily Unavailable", func(t *testing.T, from, to string) {
			b := o.called(t, "refusing-callee", to, 0, nil, "STATUS", "480 Temporarily Unavailable")
			done(t, o.calls(t, "refused-caller", from, to, 0, nil, "STATUS", "480"), b)
		}},
		{"delayed offer", "Offer in the 200, answer in the ACK", func(t *testing.T, from, to string) {
			b := o.called(t, "answer", to, 880, nil)
			a := o.calls(t, "delayed-offer-caller", from, to, 440, nil)
			a.follow(t, o)
			b.follow(t, o)
			talk(t, o.ctx, a.Voice, 440, b.Voice, 880)
			a.goOn(t, o)
			done(t, a, b)
		}},
	} {
		from, to := ext(next), ext(next+1)
		next += 2
		t.Run(f.section+" "+f.name, func(t *testing.T) {
			t.Parallel()
			f.run(t, from, to)
		})
	}
	t.Cleanup(func() { o.nothingLeft(t) })
}

func ext(n int) string { return strconv.Itoa(n) }
