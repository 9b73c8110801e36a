package pbxdtest

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// voice is a phone's audio socket and where it sends to.
type voice struct {
	s   *System
	rtp *net.UDPConn
	to  int
	seq uint16
}

func newVoice(t *testing.T, s *System) *voice { return &voice{s: s, rtp: listenUDP(t, "127.0.0.1")} }

func (v *voice) sdp() string { return SDP(port(v.rtp)) }

// heardBy sends packets of a voice of its own until other hears it.
func (v *voice) heardBy(t *testing.T, other *voice) {
	t.Helper()
	mark := byte(0x11 + v.seq%100)
	v.s.Eventually("audio to arrive", func() bool {
		p := rtp(v.seq)
		v.seq++
		for i := 12; i < len(p); i++ {
			p[i] = mark
		}
		send(t, v.rtp, "127.0.0.1", v.to, p)
		other.rtp.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		buf := make([]byte, 2048)
		for {
			n, err := other.rtp.Read(buf)
			if err != nil {
				return false
			}
			if n == len(p) && buf[12] == mark && buf[n-1] == mark {
				return true
			}
		}
	})
}

// hears returns how many packets came within d, and whether any was not silent.
func (v *voice) hears(d time.Duration) (packets int, sound bool) {
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); { // what was on its way
		v.rtp.SetReadDeadline(end)
		v.rtp.Read(make([]byte, 2048))
	}
	v.rtp.SetReadDeadline(time.Now().Add(d))
	for buf := make([]byte, 2048); ; packets++ {
		n, err := v.rtp.Read(buf)
		if err != nil {
			return packets, sound
		}
		for _, b := range buf[12:n] {
			sound = sound || b|0x80 != 0xd5 // PCMA of nothing, of either sign
		}
	}
}

// talking connects a with number, at which b rings.
func talking(t *testing.T, s *System, a, b *Phone, number string) (out, in *Call, va, vb *voice) {
	t.Helper()
	va, vb = newVoice(t, s), newVoice(t, s)
	out = a.Dial(number, va.sdp())
	in = b.Ringing()
	in.Answer(vb.sdp())
	vb.to, va.to = in.Invite.AudioPort(), out.Answered().AudioPort()
	va.heardBy(t, vb)
	vb.heardBy(t, va)
	return out, in, va, vb
}

// progress waits for a NOTIFY about a transfer and takes it.
func (c *Call) progress(status string) {
	c.Phone.T.Helper()
	n := c.Phone.Expect("NOTIFY of "+status, func(m *Message) bool {
		if m.Status() == 0 && m.Method() == "NOTIFY" {
			c.Phone.Reply(m, "", 200, "OK", "", "")
			return strings.HasPrefix(m.Body, "SIP/2.0 "+status)
		}
		return false
	})
	if !strings.HasPrefix(n.Get("Event"), "refer") {
		c.Phone.T.Errorf("NOTIFY is about %q", n.Get("Event"))
	}
}

func (c *Call) ended() {
	c.Phone.T.Helper()
	c.Phone.Reply(c.Phone.Request("BYE"), "", 200, "OK", "", "")
}

// replaces names a call in Refer-To as its phone knows it (RFC 3891).
func (c *Call) replaces() string {
	local, remote := c.Tags()
	return fmt.Sprintf("%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s", c.ID, remote, local)
}

// An unattended transfer (RFC 5359 section 2.4): the other side hears silence,
// then ringing, then the new one.
func TestUnattendedTransfer(t *testing.T) {
	t.Parallel()
	s, a, b, c := threePhones(t, nil)
	out, in, va, _ := talking(t, s, a, b, "102")
	in.SendWith("REFER", fmt.Sprintf("Refer-To: <sip:103@%s>\r\n", s.SIP), "", "")
	b.Response("REFER", 202)
	in.progress("100")
	far := c.Ringing()
	if from := far.Invite.Get("From"); !strings.Contains(from, "sip:101@") {
		t.Errorf("103 sees %q, want 101, who is transferred", from)
	}
	if by := far.Invite.Get("Referred-By"); !strings.Contains(by, "sip:102@") {
		t.Errorf("103 is told that %q transfers the call, want 102", by)
	}
	if n, sound := va.hears(400 * time.Millisecond); n < 10 || sound {
		t.Errorf("101 hears %d packets, sound %v; want a stream of silence", n, sound)
	}
	far.Reply(180, "Ringing", "")
	in.progress("180")
	if n, sound := va.hears(1500 * time.Millisecond); n < 40 || !sound {
		t.Errorf("101 hears %d packets, sound %v; want the ringing tone", n, sound)
	}
	vc := newVoice(t, s)
	vc.to = far.Invite.AudioPort()
	far.Answer(vc.sdp())
	in.progress("200")
	in.ended()
	va.heardBy(t, vc)
	vc.heardBy(t, va)
	out.Hangup()
	far.ended()
	nothingLeft(t, s)
}

// A transfer to a busy phone gives the call back.
func TestTransferToBusyPhone(t *testing.T) {
	t.Parallel()
	s, a, b, c := threePhones(t, nil)
	out, in, va, vb := talking(t, s, a, b, "102")
	in.SendWith("REFER", fmt.Sprintf("Refer-To: <sip:103@%s>\r\n", s.SIP), "", "")
	b.Response("REFER", 202)
	c.Ringing().Reply(486, "Busy Here", "")
	in.progress("486")
	va.heardBy(t, vb)
	vb.heardBy(t, va)
	out.Hangup()
	in.ended()
	nothingLeft(t, s)
}

// An attended transfer (RFC 5359 section 2.5), while the third phone talks or
// still rings.
func TestAttendedTransfer(t *testing.T) {
	t.Parallel()
	for _, rings := range []bool{false, true} {
		t.Run(fmt.Sprintf("rings: %v", rings), func(t *testing.T) {
			s, a, b, c := threePhones(t, nil)
			out, in, va, _ := talking(t, s, a, b, "102")
			in.Send("INVITE", SDP(16500, "a=rtpmap:8 PCMA/8000", "a=sendonly"))
			in.Response(200)
			in.Ack("")
			ask := b.Dial("103", SDP(16502))
			far := c.Ringing()
			vc := newVoice(t, s)
			vc.to = far.Invite.AudioPort()
			far.Reply(180, "Ringing", "")
			ask.Early(b.Response("INVITE", 180))
			if !rings {
				far.Answer(vc.sdp())
				ask.Answered()
			}
			in.SendWith("REFER", fmt.Sprintf("Refer-To: <sip:103@%s?Replaces=%s>\r\n", s.SIP, ask.replaces()), "", "")
			b.Response("REFER", 202)
			if rings {
				ask.AckRefusal(b.Final("INVITE"))
				if n, sound := va.hears(1500 * time.Millisecond); n < 40 || !sound {
					t.Errorf("101 hears %d packets, sound %v; want the ringing tone", n, sound)
				}
				far.Answer(vc.sdp())
			}
			va.heardBy(t, vc)
			vc.heardBy(t, va)
			out.Hangup()
			far.ended()
			nothingLeftBut(t, s, b)
		})
	}
}

// nothingLeftBut answers what a phone is still asked, and then checks that
// nothing is left.
func nothingLeftBut(t *testing.T, s *System, p *Phone) {
	t.Helper()
	s.Eventually("all calls and ports to be given back", func() bool {
		select {
		case m := <-p.in:
			if m.Status() == 0 && (m.Method() == "BYE" || m.Method() == "NOTIFY") {
				p.Reply(m, "", 200, "OK", "", "")
			}
		default:
		}
		c := s.PBX.Counts()
		return c.Calls == 0 && c.SIP.Legs == 0 && c.Ports == 0
	})
}

// A call that rings at 102 is taken by code or by a lamp key; 102 is told that
// it was answered elsewhere.
func TestPickupOnTheWire(t *testing.T) {
	t.Parallel()
	members := []string{"demo102", "demo103"}
	for _, way := range []string{"*82102", "*81", "Replaces"} {
		t.Run(way, func(t *testing.T) {
			s, a, b, c := threePhones(t, func(cfg *pbx.Config) {
				cfg.PickupGroups = []pbx.PickupGroup{{ID: "one", PickupGroupSettings: pbx.PickupGroupSettings{Number: 1, Name: "One", Members: members}}}
				g := cfg.PermissionGroupByID(pbx.GroupAllUsers)
				g.Permissions = append(g.Permissions, pbx.GroupPermission{Permission: pbx.PermitDirectPickup, AppliesTo: pbx.GroupAllUsers})
			})
			va, vc := newVoice(t, s), newVoice(t, s)
			out := a.Dial("102", va.sdp())
			in := b.Ringing()
			in.Reply(180, "Ringing", "")
			a.Response("INVITE", 180)
			number, fields := way, ""
			if way == "Replaces" { // as the phone of 102 is described to those who watch it
				number = "102"
				local, remote := in.Tags()
				fields = fmt.Sprintf("Replaces: %s;to-tag=%s;from-tag=%s;early-only\r\n", in.ID, local, remote)
			}
			pick := c.DialWith(number, vc.sdp(), fields)
			cancel := b.Request("CANCEL")
			if r := cancel.Get("Reason"); !strings.Contains(r, "SIP;cause=200") {
				t.Errorf("102 is told %q, want that the call was answered elsewhere", r)
			}
			b.Reply(cancel, "", 200, "OK", "", "")
			in.Reply(487, "Request Terminated", "")
			va.to, vc.to = out.Answered().AudioPort(), pick.Answered().AudioPort()
			va.heardBy(t, vc)
			vc.heardBy(t, va)
			out.Hangup()
			pick.ended()
			nothingLeft(t, s)
		})
	}
}

// 102 parks 101 in place 1, 103 takes the call from there.
func TestParkOnTheWire(t *testing.T) {
	t.Parallel()
	s, a, b, c := threePhones(t, nil)
	out, in, va, _ := talking(t, s, a, b, "102")
	in.SendWith("REFER", fmt.Sprintf("Refer-To: <sip:*701@%s>\r\n", s.SIP), "", "")
	b.Response("REFER", 202)
	in.progress("200")
	in.ended()
	if n, sound := va.hears(400 * time.Millisecond); n < 10 || sound {
		t.Errorf("101 hears %d packets, sound %v; want a stream of silence", n, sound)
	}
	vc := newVoice(t, s)
	taken := c.Dial("*701", vc.sdp())
	vc.to = taken.Answered().AudioPort()
	va.heardBy(t, vc)
	vc.heardBy(t, va)
	out.Hangup()
	taken.ended()
	nothingLeft(t, s)
}

// Unlike phones talk with each other: one knows G.722 only, the other PCMU.
func TestUnlikeCodecs(t *testing.T) {
	t.Parallel()
	s, a, b := twoPhones(t, Options{})
	va, vb := newVoice(t, s), newVoice(t, s)
	only := func(v *voice, pt string) string { return strings.Replace(v.sdp(), "RTP/AVP 8 0 101", "RTP/AVP "+pt, 1) }
	out := a.Dial("102", only(va, "0"))
	in := b.Ringing()
	if !strings.Contains(in.Invite.Body, "RTP/AVP 0 9 8") {
		t.Errorf("102 is offered %q, want the caller's format first and ours after it", in.Invite.Body)
	}
	in.Answer(only(vb, "9"))
	res := out.Answered()
	if !strings.Contains(res.Body, "RTP/AVP 0\r\n") {
		t.Errorf("101 is answered %q, want PCMU alone", res.Body)
	}
	va.to = res.AudioPort()
	packet := rtp(1)
	packet[1] = 0
	s.Eventually("G.722 to arrive", func() bool {
		packet[3]++
		packet[6], packet[7] = byte(int(packet[3])*160>>8), byte(int(packet[3])*160)
		send(t, va.rtp, "127.0.0.1", va.to, packet)
		vb.rtp.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		buf := make([]byte, 2048)
		n, err := vb.rtp.Read(buf)
		return err == nil && n == 172 && buf[1]&0x7f == 9
	})
	out.Hangup()
	in.ended()
	nothingLeft(t, s)
}

// Who was called by another number, or is connected by a transfer, is shown: in
// the answer, and by UPDATE to a phone that serves it.
func TestConnectedIdentity(t *testing.T) {
	t.Parallel()
	s, a, b, c := threePhones(t, func(cfg *pbx.Config) {
		cfg.UserByExtension("102").Calls.SetForwarding(false, pbx.DivertAlways, true, "103")
	})
	const updates = "Allow: INVITE, ACK, CANCEL, BYE, UPDATE\r\n"
	out := a.DialWith("102", SDP(16000), updates)
	in := c.Ringing()
	in.ReplyWith(200, "OK", updates, SDP(16002))
	c.Request("ACK")
	if got := out.Answered().Get("P-Asserted-Identity"); !strings.Contains(got, `"Clara Demo" <sip:103@`) {
		t.Errorf("101 is told that it talks with %q, want Clara Demo, 103", got)
	}
	d := s.Phone("101", "tcp").MustRegister() // another phone of 101 fetches the call
	local, remote := out.Tags()
	fetched := d.DialWith("101", SDP(16004), fmt.Sprintf("Replaces: %s;to-tag=%s;from-tag=%s\r\n", out.ID, remote, local))
	if got := fetched.Answered().Get("P-Asserted-Identity"); !strings.Contains(got, "sip:103@") {
		t.Errorf("the other phone is told that it talks with %q, want 103", got)
	}
	out.ended()
	fetched.SendWith("REFER", fmt.Sprintf("Refer-To: <sip:104@%s>\r\n", s.SIP), "", "")
	d.Response("REFER", 202)
	fetched.progress("404")
	fetched.SendWith("REFER", fmt.Sprintf("Refer-To: <sip:*701@%s>\r\n", s.SIP), "", "")
	d.Response("REFER", 202)
	fetched.ended()
	taken := b.Dial("*701", SDP(16006))
	taken.Answered()
	update := c.Request("UPDATE")
	if got := update.Get("P-Asserted-Identity"); !strings.Contains(got, "sip:102@") || update.Body != "" {
		t.Errorf("103 is told that it talks with %q, want 102", got)
	}
	c.Reply(update, "", 200, "OK", "", "")
	taken.Hangup()
	in.ended()
	nothingLeft(t, s)
}
