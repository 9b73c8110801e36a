package flow

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
)

// handset is a phone of which the test says each message, with audio.
type handset struct {
	*pbxdtest.Phone
	o        *office
	tone     float64
	kind     byte
	noEvents bool   // it does not speak telephone-event
	allow    string // methods that it allows; empty says nothing of them

	mu    sync.Mutex
	lines map[string]*line // by Call-ID
}

// line is one call of a handset with the audio that is its own.
type line struct {
	*pbxdtest.Call
	voice *peer.Voice
	h     *handset

	reoffers atomic.Int32           // of the PBX that were answered
	bye      chan *pbxdtest.Message // of the PBX, answered
}

// handset registers one that sends a tone in G.711 A-law.
func (o *office) handset(t *testing.T, ext string, tone float64) *handset {
	t.Helper()
	return o.handsetWith(t, ext, tone, peer.PayloadPCMA)
}

func (o *office) handsetWith(t *testing.T, ext string, tone float64, kind byte) *handset {
	t.Helper()
	p := pbxdtest.NewPhone(t, o.SIP, "udp", ext, o.Password(ext))
	p.MustRegister()
	return newHandset(o, p, tone, kind)
}

func newHandset(o *office, p *pbxdtest.Phone, tone float64, kind byte) *handset {
	h := &handset{Phone: p, o: o, tone: tone, kind: kind, lines: map[string]*line{}}
	p.Answers(h.answers)
	return h
}

// line makes a call the handset's, with audio of its own.
func (h *handset) line(t *testing.T, c *pbxdtest.Call, v *peer.Voice) *line {
	l := &line{Call: c, voice: v, h: h, bye: make(chan *pbxdtest.Message, 4)}
	h.mu.Lock()
	h.lines[c.ID] = l
	h.mu.Unlock()
	return l
}

// answers takes what the PBX asks within a call by itself, as every phone
// does: other audio, a sign of life, the end.
func (h *handset) answers(m *pbxdtest.Message) bool {
	h.mu.Lock()
	l := h.lines[m.Get("Call-ID")]
	h.mu.Unlock()
	if l == nil || m.Status() != 0 || m.Tag("To") == "" {
		return false
	}
	switch m.Method() {
	case "BYE":
		h.Reply(m, "", 200, "OK", "", "")
		select {
		case l.bye <- m:
		default: // repeated
		}
		return true
	case "OPTIONS", "INFO":
		h.Reply(m, "", 200, "OK", "", "")
		return m.Method() == "OPTIONS" // what INFO says is for the test
	case "INVITE", "UPDATE":
		n := l.reoffers.Add(1)
		body := ""
		if m.Method() == "INVITE" || m.Body != "" {
			direction := "sendrecv"
			for offered, answer := range map[string]string{"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"} {
				if strings.Contains(m.Body, "a="+offered+"\r\n") {
					direction = answer
				}
			}
			body = h.sdp(l.voice, direction, int(100+n))
		}
		if port := m.AudioPort(); port != 0 {
			l.voice.SendTo(local(uint16(port)))
		}
		h.Reply(m, "", 200, "OK", "", body)
		return true
	}
	return false
}

// sdp describes the handset's audio with the one codec that it speaks.
func (h *handset) sdp(v *peer.Voice, direction string, version int) string {
	codec := map[byte]string{peer.PayloadPCMA: "PCMA", peer.PayloadPCMU: "PCMU"}[h.kind]
	formats, events := fmt.Sprint(h.kind), ""
	if !h.noEvents {
		formats, events = formats+" 101", "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
	}
	return fmt.Sprintf("v=0\r\no=- 1 %d IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP %s\r\na=rtpmap:%d %s/8000\r\n%sa=%s\r\n",
		version, v.Port(), formats, h.kind, codec, events, direction)
}

// dial starts a call.
func (h *handset) dial(t *testing.T, number string) *line {
	t.Helper()
	v := voice(t, h.kind, h.tone)
	return h.line(t, h.Dial(number, h.sdp(v, "sendrecv", 1)), v)
}

func (l *line) answered(t *testing.T) *pbxdtest.Message {
	t.Helper()
	res := l.Call.Answered()
	l.hear(t, res)
	return res
}

// hear sends the audio to where a description says.
func (l *line) hear(t *testing.T, m *pbxdtest.Message) {
	t.Helper()
	port := m.AudioPort()
	if port == 0 {
		t.Fatalf("no audio is described in %s", m)
	}
	l.voice.SendTo(local(uint16(port)))
}

// rings waits for a call and lets it ring.
func (h *handset) rings(t *testing.T) *line {
	t.Helper()
	in := h.Ringing()
	in.Reply(180, "Ringing", "")
	return h.line(t, in, voice(t, h.kind, h.tone))
}

// answer takes a call that rings.
func (l *line) answer(t *testing.T) {
	t.Helper()
	allow := ""
	if l.h.allow != "" {
		allow = "Allow: " + l.h.allow + "\r\n"
	}
	l.ReplyWith(200, "OK", allow, l.h.sdp(l.voice, "sendrecv", 1))
	ack := l.Phone.Request("ACK")
	if l.Invite.AudioPort() != 0 {
		l.hear(t, l.Invite)
	} else {
		l.hear(t, ack)
	}
}

// busy refuses a call with a status and waits until that is acknowledged.
func (l *line) refuse(status int, reason string) {
	l.Reply(status, reason, "")
	l.Phone.Request("ACK")
}

// stops waits until the PBX withdraws a call that rings, and returns its
// CANCEL.
func (l *line) stops(t *testing.T) *pbxdtest.Message {
	t.Helper()
	cancel := l.Phone.Request("CANCEL")
	l.Phone.Reply(cancel, "", 200, "OK", "", "")
	l.Reply(487, "Request Terminated", "")
	l.Phone.Request("ACK")
	return cancel
}

// reoffer sends a re-INVITE of a direction and returns the direction of the
// answer.
func (l *line) reoffer(t *testing.T, direction string) string {
	t.Helper()
	l.Send("INVITE", l.h.sdp(l.voice, direction, l.CSeq+2))
	res := l.Phone.Response("INVITE", 200)
	l.Ack("")
	for _, d := range []string{"sendrecv", "sendonly", "recvonly", "inactive"} {
		if strings.Contains(res.Body, "a="+d+"\r\n") {
			return d
		}
	}
	return "sendrecv" // RFC 8866 section 6.7
}

func (l *line) hold(t *testing.T) {
	t.Helper()
	if d := l.reoffer(t, "sendonly"); d != "recvonly" && d != "inactive" {
		t.Errorf("hold is answered with %s", d)
	}
}

func (l *line) resume(t *testing.T) {
	t.Helper()
	if d := l.reoffer(t, "sendrecv"); d != "sendrecv" {
		t.Errorf("resuming is answered with %s", d)
	}
}

// ended waits until the PBX hangs up, and returns its BYE.
func (l *line) ended(t *testing.T) *pbxdtest.Message {
	t.Helper()
	select {
	case bye := <-l.bye:
		return bye
	case <-time.After(20 * time.Second):
		t.Fatalf("the PBX does not hang up the call of %s", l.h.Ext)
		return nil
	}
}

// refer asks for a transfer and waits until it is taken.
func (l *line) refer(t *testing.T, to string) {
	t.Helper()
	l.SendWith("REFER", "Refer-To: <"+to+">\r\n", "", "")
	l.Phone.Response("REFER", 202)
}

// progress waits for the word of a transfer that begins with the status.
func (l *line) progress(t *testing.T, status string) {
	t.Helper()
	for {
		m := l.Phone.Request("NOTIFY")
		l.Phone.Reply(m, "", 200, "OK", "", "")
		if strings.HasPrefix(m.Body, "SIP/2.0 "+status) {
			return
		}
		if !strings.HasPrefix(m.Body, "SIP/2.0 1") {
			t.Fatalf("the transfer ends with %q, want %s", m.Body, status)
		}
	}
}

// uri is how a number of the PBX is named.
func (o *office) uri(number string) string { return "sip:" + number + "@" + o.SIP.String() }

// replaces is the Refer-To of an attended transfer to where another call goes.
func (l *line) replaces(number string) string {
	from, to := l.Tags()
	return fmt.Sprintf("%s?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s", l.h.o.uri(number), l.ID, to, from)
}

// never checks that no request of a method has come: neither before the PBX
// answers a question that is asked now, nor was it still on the way then.
func (h *handset) never(t *testing.T, method string) {
	t.Helper()
	id := h.Unique()
	h.Send(fmt.Sprintf("OPTIONS sip:%s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: <sip:%s@%[1]s>;tag=%[4]s\r\nTo: <sip:%[1]s>\r\nCall-ID: %[4]s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
		h.o.SIP, h.Via(), h.Ext, id))
	var got []string
	h.Expect("the answer to OPTIONS", func(m *pbxdtest.Message) bool {
		if m.Status() == 0 {
			got = append(got, m.Method())
		}
		return m.Status() >= 200 && m.Get("Call-ID") == id
	})
	if slices.Contains(got, method) {
		t.Errorf("the phone of %s got %s; all: %q", h.Ext, method, got)
	}
}
