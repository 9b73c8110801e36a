package sipedge_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/call"
	"galilei/pbxd/media"
	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/sipedge/transaction"
)

// Session timers and reliable ringing with who calls over a gateway, both ways
// (F175, RFC 4028, RFC 3262).
func TestExtensionsWithACaller(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, fields      string
		params            []string
		session, reliable bool
	}{
		{"both", "Supported: timer, 100rel\r\nSession-Expires: 1800\r\n", nil, true, false},
		{"session timers off", "Supported: timer\r\nSession-Expires: 1800\r\n", []string{"session_timers=no"}, false, false},
		{"too short for one that is off", "Supported: timer\r\nSession-Expires: 30\r\n", []string{"session_timers=no"}, false, false},
		{"reliable", "Supported: timer\r\nRequire: 100rel\r\n", nil, true, true},
		{"100rel off", "Supported: timer, 100rel\r\n", []string{"100rel=no"}, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register, g.Parameters = false, tt.params }).begins()
			c := x.c.DialBare("sip:usera@"+x.c.Trunk.String(), pbxdtest.SDP(30010), tt.fields)
			in := x.arrival()
			in.Leg.Ringing(nil)
			ringing := x.c.Response("INVITE", 180)
			if rel := ringing.Get("RSeq") != ""; rel != tt.reliable {
				t.Errorf("reliable ringing: %v", rel)
			}
			if tt.reliable {
				c.Early(ringing)
				c.SendWith("PRACK", fmt.Sprintf("RAck: %s 1 INVITE\r\n", ringing.Get("RSeq")), "", "")
				x.c.Response("PRACK", 200)
				c.CSeq = 1 // the ACK is that of the INVITE
			}
			in.Leg.Answer(pcma())
			res := c.Answered()
			defer x.hangUp(in.Leg)
			if got := res.Get("Session-Expires") != ""; got != tt.session {
				t.Errorf("Session-Expires %q", res.Get("Session-Expires"))
			}
			if strings.Contains(res.Get("Supported"), "100rel") == (tt.name == "100rel off") || strings.Contains(res.Get("Supported"), "timer") != tt.session {
				t.Errorf("Supported %q", res.Get("Supported"))
			}
		})
	}
	t.Run("100rel that is required, off", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register, g.Parameters = false, []string{"100rel=no"} }).begins()
		x.c.DialBare("sip:usera@"+x.c.Trunk.String(), pbxdtest.SDP(30010), "Require: 100rel\r\n")
		if res := x.c.Final("INVITE"); res.Status() != 420 || res.Get("Unsupported") != "100rel" {
			t.Errorf("got %s, Unsupported %q", res.Start, res.Get("Unsupported"))
		}
	})
}

// Codecs of a gateway, and how it takes keys, both ways (F169, F176).
func TestCodecsOfAGateway(t *testing.T) {
	t.Parallel()
	offer := func() *media.Description {
		d := pcma()
		for _, pt := range []uint8{0, 9} {
			f, _ := media.StaticFormat(pt)
			d.Formats = append(d.Formats, f)
		}
		d.Formats = append(d.Formats, media.Format{PT: 101, Name: media.TelephoneEvent, Clock: 8000, Channels: 1, FMTP: "0-16"})
		return d
	}
	for _, tt := range []struct {
		codecs []string
		dtmf   string
		want   string // of m=audio in our offer
		theirs string // in their offer
		taken  bool
	}{
		{[]string{"g722", "pcma", "pcmu"}, "rfc2833", "9 8 0 101", "8", true},
		{[]string{"pcmu", "pcma"}, "info", "0 8", "0", true},
		{[]string{"pcmu"}, "inband", "0", "8", false},
		{[]string{"g722"}, "rfc2833", "9 101", "0", false},
	} {
		t.Run(strings.Join(tt.codecs, " ")+" "+tt.dtmf, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register, g.Codecs, g.DTMF = false, tt.codecs, tt.dtmf }).begins()
			x.dial("a", func(d *call.LineDial) { d.Offer = offer() })
			in := x.c.Ringing()
			if got := formats(in.Invite); got != tt.want {
				t.Errorf("offered %s, want %s", got, tt.want)
			}
			in.Reply(486, "Busy Here", "")
			x.event(call.EventEnded)

			sdp := strings.Replace(pbxdtest.SDP(30010, "a=rtpmap:101 telephone-event/8000"), "RTP/AVP 8 0 101", "RTP/AVP "+tt.theirs+" 101", 1)
			from := x.c.DialBare("sip:usera@"+x.c.Trunk.String(), sdp, "")
			if !tt.taken {
				x.c.Response("INVITE", 488)
				return
			}
			to := x.arrival()
			to.Leg.Answer(offer())
			defer x.hangUp(to.Leg)
			want := tt.theirs
			if tt.dtmf == "rfc2833" {
				want += " 101"
			}
			if got := formats(from.Answered()); got != want {
				t.Errorf("answered %s, want %s", got, want)
			}
		})
	}
	t.Run("within a call", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register, g.Codecs = false, []string{"pcmu", "pcma"} }).begins()
		leg := x.dial("a", func(d *call.LineDial) { d.Offer = offer() })
		in := x.c.Ringing()
		in.Answer(strings.Replace(pbxdtest.SDP(30010), "RTP/AVP 8 0 101", "RTP/AVP 8", 1))
		x.event(call.EventAnswered)
		in.Send("INVITE", "") // they leave the offer to us
		if got := formats(in.Response(200)); strings.Contains(got, "9") || !strings.Contains(got, "0") || !strings.Contains(got, "8") {
			t.Errorf("offered %s", got)
		}
		in.Ack(strings.Replace(pbxdtest.SDP(30010), "RTP/AVP 8 0 101", "RTP/AVP 8", 1))
		in.Send("INVITE", strings.Replace(pbxdtest.SDP(30010, "a=sendrecv"), "RTP/AVP 8 0 101", "RTP/AVP 9", 1))
		in.AckRefusal(in.Response(488))
		x.c.Contact = "sip:moved@" + x.c.At.String() // their target changes with it
		in.Send("UPDATE", "")
		in.Response(200)
		leg.Offer(offer())
		m := x.c.Request("INVITE")
		if want := "INVITE sip:moved@" + x.c.At.String() + " SIP/2.0"; m.Start != want {
			t.Errorf("got %s, want %s", m.Start, want)
		}
		if got := formats(m); strings.Contains(got, "9") {
			t.Errorf("offered %s", got)
		}
		x.c.Reply(m, "", 200, "OK", "", strings.Replace(pbxdtest.SDP(30010), "RTP/AVP 8 0 101", "RTP/AVP 0", 1))
		x.c.Request("ACK")
		x.event(call.EventOfferAnswered)
		x.hangUp(leg)
	})
	t.Run("an answer that was not offered", func(t *testing.T) {
		t.Parallel()
		x := newExchange(t, nil, func(g *pbx.Gateway) { g.Register, g.Codecs = false, []string{"pcma"} }).begins()
		x.dial("a", func(d *call.LineDial) { d.Offer = offer() })
		in := x.c.Ringing()
		in.Answer(strings.Replace(pbxdtest.SDP(30010, "a=sendrecv"), "RTP/AVP 8 0 101", "RTP/AVP 0", 1))
		x.c.Reply(x.c.Request("BYE"), "", 200, "OK", "", "")
		if ev := x.event(call.EventEnded); ev.Cause != pbx.CauseIncompatible {
			t.Errorf("ended with %v", ev.Cause)
		}
		x.nothingLeft()
	})
}

// formats are those of the audio of a message.
func formats(m *pbxdtest.Message) string {
	for line := range strings.Lines(m.Body) {
		if after, ok := strings.CutPrefix(strings.TrimSpace(line), "m=audio "); ok {
			return strings.SplitN(after, " ", 3)[2]
		}
	}
	return ""
}

// A provider that says nothing at all to a re-INVITE is gone, and so is the call (RFC
// 3261 section 12.2.1.2).
func TestOfferWithoutAnyAnswer(t *testing.T) {
	t.Parallel()
	x := newExchange(t, nil, static).begins()
	const calls = 12
	var legs []call.Leg
	for range calls {
		legs = append(legs, x.dial("a", nil))
		x.c.Ringing().Answer(pbxdtest.SDP(30000))
		x.event(call.EventAnswered)
	}
	for _, l := range legs {
		l.Offer(pcma())
	}
	for n, late := 0, time.After(transaction.Lifetime+10*time.Second); n < calls; {
		select {
		case ev := <-x.events:
			if ev.Kind == call.EventEnded {
				n++
			}
		case <-late:
			t.Fatalf("%d of %d calls have ended", n, calls)
		}
	}
}
