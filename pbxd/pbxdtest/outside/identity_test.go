package outside

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
	"galilei/pbxd/pbxdtest/provider"
)

func addrPort(t *testing.T, s string) netip.AddrPort {
	t.Helper()
	a, err := netip.ParseAddrPort(s)
	must(t, err)
	return a
}

// inPCMU describes audio in PCMU alone.
func inPCMU(port int) string {
	return strings.Replace(pbxdtest.SDP(port, "a=rtpmap:0 PCMU/8000"), "AVP 8 0 101", "AVP 0", 1)
}

// A call of one provider is forwarded over another, which is told who has
// forwarded it, and why; and, where it lets the customer say so, who calls.
func TestForwardedCallOverProvider(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		parameters []string
		checks     []provider.Check
	}{
		{"by Diversion and History-Info", nil, []provider.Check{
			{Field: "From", Pattern: "<sip:49301000@"},
			{Field: "Diversion", Pattern: "<sip:49301000@[^>]*>;reason=unconditional"},
			{Field: "", Pattern: "History-Info: <sip:49301000@[^>]*cause%3D302>;index=1"},
			{Field: "", Pattern: "History-Info: <sip:49407777@[^>]*>;index=1[.]1"},
		}},
		{"CLIP no screening", []string{"clip_no_screening=yes"}, []provider.Check{
			{Field: "From", Pattern: "<sip:4989555@"}, {Field: "Diversion", Pattern: "<sip:49301000@"},
		}},
		{"without either", []string{"diversion=no", "history_info=no"}, []provider.Check{{Field: "Diversion"}, {Field: "History-Info"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			out := run(t, ctx, provider.Answers(tt.checks...), provider.HabitOptions{})
			o := open(t, ctx, setup{gateways: []gateway{
				{id: "out", at: out.Addr(), account: account(), change: func(g *pbx.GatewaySettings) { g.Parameters = tt.parameters }},
				{id: "in", at: netip.MustParseAddrPort("127.0.3.1:9"), account: account()},
			}, configure: func(c *pbx.Config) {
				c.GatewayGroups[0].OutboundCallerID = pbx.SearchReplace{Search: "^101$", Replace: "49301000"}
				for i := range c.Users {
					if c.Users[i].Extension == "101" {
						c.Users[i].Calls.SetForwarding(true, pbx.DivertAlways, true, "049407777")
					}
				}
			}})
			s := run(t, ctx, provider.Calls(provider.Line{Customer: o.listens("udp").String(), User: "49301000", Number: "49301000", Caller: "4989555"}),
				provider.HabitOptions{Addr: netip.MustParseAddr("127.0.3.1"), Remote: o.listens("udp")})
			done(t, s, out)
			o.nothingLeft(t)
		})
	}
}

// Who hides the number is hidden from the called side; the provider is told.
func TestHiddenCallerOverProvider(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := run(t, ctx, provider.Answers(
		provider.Check{Field: "From", Pattern: `"Anonymous" <sip:anonymous@anonymous.invalid>`}, provider.Check{Field: "Privacy", Pattern: "id"},
		provider.Check{Field: "P-Preferred-Identity", Pattern: "<sip:101@"}, provider.Check{Field: "Remote-Party-ID", Pattern: "<sip:101@[^>]*>.*privacy=full"}, provider.Check{Field: "P-Asserted-Identity", Pattern: "<sip:101@"}),
		provider.HabitOptions{})
	o := open(t, ctx, setup{gateways: []gateway{{id: "main", at: s.Addr(), account: account(), change: func(g *pbx.GatewaySettings) {
		g.SendPAI, g.SendRPID, g.Parameters = true, true, []string{"ppi=yes"}
	}}}, configure: func(c *pbx.Config) {
		for i := range c.Users {
			c.Users[i].Calls.HideNumber = c.Users[i].Extension == "101"
		}
	}})
	call := o.Phone("101", "udp").MustRegister().Dial("04989555", pbxdtest.SDP(16000))
	call.Answered()
	call.Hangup()
	done(t, s)
	o.nothingLeft(t)
}

// A provider sends the call on to several addresses: the preferred one is called
// first, the next one when that does not take the call.
func TestRedirectedByProvider(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			options := provider.HabitOptions{Transport: transport}
			second := run(t, ctx, provider.Answers(provider.Check{Field: "", Pattern: "^INVITE sip:22@"}), options)
			first := run(t, ctx, provider.Refuses("480 Temporarily Unavailable"), options)
			s := run(t, ctx, provider.Redirects(fmt.Sprintf("<sip:22@%v;transport=%s>;q=0.1", second.Addr(), transport), fmt.Sprintf("<sip:11@%v;transport=%s>;q=0.9", first.Addr(), transport)), options)
			o := open(t, ctx, setup{gateways: []gateway{{id: "main", transport: transport, at: s.Addr(), account: account()}}})
			call := o.Phone("101", "udp").MustRegister().Dial("04989555", pbxdtest.SDP(16000))
			call.Answered()
			call.Hangup()
			done(t, s, first, second)
			o.nothingLeft(t)
		})
	}
}

// Both sides hear each other where the provider answers in a codec that the phone
// has not, and before the answer.
func TestAudioOverProvider(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		habit provider.Habit
		kind  byte
	}{{"another codec", provider.AnswersWith("0"), peer.PayloadPCMU}, {"before the answer", provider.EarlyAudio(), peer.PayloadPCMA}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			voice := func(kind byte, tone float64) *peer.Voice {
				v, err := peer.ListenVoice(netip.MustParseAddrPort("127.0.0.1:0"), kind)
				must(t, err)
				t.Cleanup(func() {
					if err := v.Close(); err != nil {
						t.Error(err)
					}
				})
				v.Tone(tone)
				return v
			}
			far, near := voice(tt.kind, 880), voice(peer.PayloadPCMA, 440)
			s := run(t, ctx, tt.habit, provider.HabitOptions{RTPPort: far.Port()})
			o := open(t, ctx, setup{gateways: []gateway{{id: "main", at: s.Addr(), account: account()}}})
			phone := o.Phone("101", "udp").MustRegister()
			call := phone.Dial("04989555", strings.Replace(pbxdtest.SDP(near.Port(), "a=rtpmap:8 PCMA/8000", "a=rtpmap:101 telephone-event/8000"), "AVP 8 0 101", "AVP 8 101", 1))
			port, err := s.AwaitMediaPort(ctx, 1)
			must(t, err)
			far.SendTo(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port))
			hears := func(v *peer.Voice, tone float64) {
				t.Helper()
				_, err := v.Hears(ctx, tone)
				must(t, err)
			}
			if tt.name == "before the answer" {
				near.SendTo(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(phone.Response("INVITE", 183).AudioPort())))
				hears(near, 880)
				must(t, s.Go(ctx))
				call.Answered()
			} else {
				near.SendTo(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(call.Answered().AudioPort())))
			}
			hears(near, 880)
			hears(far, 440)
			call.Hangup()
			done(t, s)
			o.nothingLeft(t)
		})
	}
}
