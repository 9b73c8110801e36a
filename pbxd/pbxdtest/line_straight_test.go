package pbxdtest

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// audioAt is where a description wants audio.
func audioAt(m *Message) string {
	host := ""
	for line := range strings.Lines(m.Body) {
		if h, ok := strings.CutPrefix(line, "c=IN IP4 "); ok {
			host = strings.TrimSpace(h)
		}
	}
	return fmt.Sprintf("%s:%d", host, m.AudioPort())
}

// speaker sends audio from a port until the test ends.
func speaker(t *testing.T) (port int, speak func(to string)) {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.LocalAddr().(*net.UDPAddr).Port, func(to string) { go TalkTo(conn, to, 30*time.Second, 0) }
}

// With direct media (F166) the audio goes straight between provider and phone,
// and comes back to the device when one of them holds the call.
func TestDirectMedia(t *testing.T) {
	t.Parallel()
	for _, direct := range []bool{false, true} {
		t.Run(fmt.Sprint(direct), func(t *testing.T) {
			t.Parallel()
			_, _, c, p := withLine(t, func(g map[string]any) { g["directMedia"], g["codecs"] = direct, []string{"pcma"} })
			ours, speakOurs := speaker(t)
			theirs, speakTheirs := speaker(t)
			out := p.Dial("0030123456", SDP(ours))
			in := c.Ringing()
			relay := audioAt(in.Invite)
			in.Answer(SDP(theirs))
			answer := out.Answered()
			speakOurs(audioAt(answer))
			speakTheirs(relay)
			if !direct {
				out.Hangup()
				c.Reply(c.Request("BYE"), in.Local, 200, "OK", "", "")
				return
			}
			m := p.Request("INVITE")
			if at := audioAt(m); at != fmt.Sprintf("127.0.0.1:%d", theirs) {
				t.Errorf("the phone is to send to %s, the provider takes it at %d", at, theirs)
			}
			p.Reply(m, "", 200, "OK", "", SDP(ours))
			p.Request("ACK")
			m = c.Request("INVITE")
			if at := audioAt(m); at != fmt.Sprintf("127.0.0.1:%d", ours) {
				t.Errorf("the provider is to send to %s, the phone takes it at %d", at, ours)
			}
			c.Reply(m, "", 200, "OK", "", SDP(theirs))
			c.Request("ACK")

			out.Send("INVITE", SDP(ours, "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000", "a=sendonly")) // hold
			back := c.Request("INVITE")
			if at := audioAt(back); at != relay {
				t.Errorf("on hold the provider is to send to %s, want the device's %s", at, relay)
			}
			c.Reply(back, "", 200, "OK", "", SDP(theirs))
			held := out.Response(200)
			if at := audioAt(held); at != fmt.Sprintf("127.0.0.1:%d", answer.AudioPort()) {
				t.Errorf("the phone that holds is told %s, want the device's %d", at, answer.AudioPort())
			}
			out.Ack("")
			out.Hangup()
			c.Reply(c.Request("BYE"), in.Local, 200, "OK", "", "")
		})
	}
}
