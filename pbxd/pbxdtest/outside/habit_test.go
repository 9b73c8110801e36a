package outside

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
	"galilei/pbxd/pbxdtest/provider"
)

// caller is a phone that has called a number over a provider.
type caller struct {
	t     *testing.T
	o     *office
	phone *pbxdtest.Phone
	call  *pbxdtest.Call
	sipp  *peer.Sipp
}

// hangsUp answers nothing more than that: the call is answered, and the phone
// hangs up.
func hangsUp(c caller) {
	c.call.Answered()
	c.call.Hangup()
}

// refused expects a status for the phone.
func refused(status int) func(caller) {
	return func(c caller) {
		res := c.phone.Final("INVITE")
		c.call.AckRefusal(res)
		if res.Status() != status {
			c.t.Errorf("the phone got %s, want %d", res.Start, status)
		}
	}
}

// calledHabits are what providers do when they are called, and what the phone
// that calls sees and does.
var calledHabits = []struct {
	name    string
	habit   provider.Habit
	change  func(*pbx.GatewaySettings)
	phone   func(caller)
	through bool // kamailio may stand between
	long    bool // it takes most of a minute: for GALILEI_LONG alone
}{
	{name: "answers", habit: provider.Answers(
		provider.Check{Field: "", Pattern: "^INVITE sip:4989555@"}, provider.Check{Field: "From", Pattern: "<sip:101@"}, provider.Check{Field: "P-Asserted-Identity"},
		provider.Check{Field: "P-Preferred-Identity"}, provider.Check{Field: "Privacy"}, provider.Check{Field: "Remote-Party-ID"}, provider.Check{Field: "Diversion"}), phone: hangsUp, through: true},
	{name: "identity", habit: provider.Answers(
		provider.Check{Field: "From", Pattern: "<sip:49301000@outside.test>"}, provider.Check{Field: "P-Asserted-Identity", Pattern: "<sip:101@outside.test>"},
		provider.Check{Field: "P-Preferred-Identity", Pattern: "<sip:101@outside.test>"}, provider.Check{Field: "Remote-Party-ID", Pattern: "<sip:101@outside.test>;party=calling"}),
		change: func(g *pbx.GatewaySettings) {
			g.FromUser, g.FromDomain, g.SendPAI, g.SendRPID, g.Parameters = "49301000", "outside.test", true, true, []string{"ppi=yes"}
		}, phone: hangsUp, through: true},
	{name: "answers in PCMU", habit: provider.AnswersWith("0"), phone: hangsUp, through: true},
	{name: "answers in G.722", habit: provider.AnswersWith("9"), change: func(g *pbx.GatewaySettings) { g.Codecs = []string{"pcma", "g722"} }, phone: hangsUp, through: true},
	{name: "400", habit: provider.Refuses("400 Bad Request"), phone: refused(503)},
	{name: "403", habit: provider.Refuses("403 Forbidden"), phone: refused(603)},
	{name: "404", habit: provider.Refuses("404 Not Found"), phone: refused(404), through: true},
	{name: "480", habit: provider.Refuses("480 Temporarily Unavailable"), phone: refused(480)},
	{name: "486", habit: provider.Refuses("486 Busy Here"), phone: refused(486), through: true},
	{name: "603", habit: provider.Refuses("603 Decline"), phone: refused(603)},
	{name: "challenges all", habit: provider.ChallengesAll("customer1"), phone: func(c caller) {
		c.call.Answered()
		// With another codec, which the provider has too.
		c.call.Send("INVITE", inPCMU(16000))
		c.call.Response(200)
		c.call.Ack("")
		c.said("ACK", 4) // that of the second re-INVITE, of both INVITEs before, and of what was refused
		c.call.Hangup()
	}, through: true},
	{name: "refreshes the session", habit: provider.RefreshesSession(), phone: func(c caller) {
		c.call.Answered()
		c.said("200", 1)
		c.call.Hangup()
	}, through: true},
	{name: "wants the session refreshed", habit: provider.WantsSessionRefreshed(), phone: func(c caller) {
		c.call.Answered()
		c.said("UPDATE", 1)
		c.call.Hangup()
	}, through: true, long: true},
	{name: "wants long sessions", habit: provider.LongSessions(), phone: hangsUp, through: true},
	{name: "early audio", habit: provider.EarlyAudio(), phone: func(c caller) {
		if c.phone.Response("INVITE", 183).AudioPort() == 0 {
			c.t.Error("no early audio for the phone")
		}
		must(c.t, c.sipp.Go(c.o.ctx))
		c.call.Answered()
		c.call.Hangup()
	}, through: true},
	{name: "rings reliably", habit: provider.RingsReliably(), phone: hangsUp, through: true},
	{name: "updates while ringing", habit: provider.UpdatesWhileRinging(), phone: hangsUp, through: true},
	{name: "re-INVITE without audio", habit: provider.ReinvitesWithoutAudio(), phone: func(c caller) {
		c.call.Answered()
		c.said("200", 1)
		c.call.Hangup()
	}, through: true},
	{name: "answers when cancelled", habit: provider.AnswersWhenCancelled(), phone: func(c caller) {
		c.phone.Response("INVITE", 180)
		c.call.Cancel()
		c.phone.Response("CANCEL", 200)
		c.call.AckRefusal(c.phone.Response("INVITE", 487))
	}, through: true},
}

// said waits until the provider has come so far.
func (c caller) said(words string, n int) {
	c.t.Helper()
	_, err := c.sipp.AwaitSaid(c.o.ctx, words, n)
	must(c.t, err)
}

// Each habit of providers that are called, over UDP and TCP directly, and over TLS
// with kamailio between.
func TestProviderIsCalled(t *testing.T) {
	t.Parallel()
	for _, h := range calledHabits {
		if h.long && os.Getenv("GALILEI_LONG") == "" {
			continue
		}
		for _, transport := range []string{"udp", "tcp", "tls"} {
			if transport == "tls" && !h.through {
				continue
			}
			t.Run(h.name+" "+transport, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				g := gateway{id: "main", transport: transport, account: provider.Account{User: "customer1", Password: "secret1"}, change: h.change}
				var ca *provider.Authority
				var s *peer.Sipp
				if transport == "tls" {
					s = run(t, ctx, h.habit, provider.HabitOptions{})
					g.at, ca = behind(t, ctx, s.Addr())
				} else {
					s = run(t, ctx, h.habit, provider.HabitOptions{Transport: transport})
					g.at = s.Addr()
				}
				o := open(t, ctx, setup{gateways: []gateway{g}, authority: ca})
				phone := o.Phone("101", "udp").MustRegister()
				h.phone(caller{t: t, o: o, phone: phone, call: phone.Dial("04989555", pbxdtest.SDP(16000)), sipp: s})
				done(t, s)
				o.nothingLeft(t)
			})
		}
	}
}

// behind starts a kamailio that customers reach over TLS, before a provider.
func behind(t *testing.T, ctx context.Context, far netip.AddrPort) (netip.AddrPort, *provider.Authority) {
	t.Helper()
	k, ca := secured(t, ctx, provider.KamailioOptions{Open: true, Far: far})
	return k.TLS(), ca
}

// secured starts a kamailio that customers reach over TLS.
func secured(t *testing.T, ctx context.Context, o provider.KamailioOptions) (*provider.Kamailio, *provider.Authority) {
	t.Helper()
	ca, err := provider.NewAuthority("Provider CA")
	must(t, err)
	certificate, err := ca.Issue(t.TempDir(), time.Now().Add(time.Hour), "127.0.0.1")
	must(t, err)
	o.Certificate = &certificate
	return kamailio(t, ctx, o), ca
}

// callingHabits are what providers do when they call, and what the phone that
// rings sees and does.
var callingHabits = []struct {
	name   string
	habit  func(provider.Line) provider.Habit
	change func(*pbx.GatewaySettings)
	phone  func(t *testing.T, c *pbxdtest.Call)
}{
	{"calls", func(l provider.Line) provider.Habit { return provider.Calls(l) }, nil, shows("4989555")},
	{toOnly, func(l provider.Line) provider.Habit { return provider.Calls(l) }, func(g *pbx.GatewaySettings) { g.Destination = "to" }, shows("4989555")},
	{"anonymous", provider.CallsAnonymously, nil, shows("anonymous")},
	{"anonymous, trusted", provider.CallsAnonymously, trusted, shows("anonymous")},
	{"asserted, trusted", callsAs("49401234"), trusted, shows("49401234")},
	{"asserted, not trusted", callsAs("49401234"), nil, shows("4989555")},
	{"without audio", provider.CallsWithoutAudio, nil, shows("4989555")},
	{"reliably", provider.CallsReliably, nil, func(t *testing.T, c *pbxdtest.Call) {
		c.Reply(180, "Ringing", "")
		taken(c)
	}},
	{"with timer", provider.CallsWithTimer, nil, shows("4989555")},
	{"for too short", provider.CallsForTooShort, nil, nil},
	{"cancels", provider.Cancels, nil, func(t *testing.T, c *pbxdtest.Call) {
		c.Reply(180, "Ringing", "")
		cancel := c.Phone.Request("CANCEL")
		c.Phone.Reply(cancel, "", 200, "OK", "", "")
		c.Reply(487, "Request Terminated", "")
		c.Phone.Request("ACK")
	}},
	{"cancels too late", provider.CancelsTooLate, nil, shows("4989555")},
	{"busy", func(l provider.Line) provider.Habit { return provider.IsRefused(l, 486) }, nil, func(t *testing.T, c *pbxdtest.Call) {
		c.Reply(486, "Busy Here", "")
		c.Phone.Request("ACK")
	}},
}

// toOnly is the habit to name the number in To alone, and the account in the
// Request-URI.
const toOnly = "number in To only"

func trusted(g *pbx.GatewaySettings) { g.TrustRPID = true }

func callsAs(number string) func(provider.Line) provider.Habit {
	return func(l provider.Line) provider.Habit {
		who := fmt.Sprintf("<sip:%s@provider.test>", number)
		return provider.Calls(l, "P-Asserted-Identity: "+who, "Remote-Party-ID: "+who+";party=calling")
	}
}

// taken answers a call and waits until the far end hangs up.
func taken(c *pbxdtest.Call) {
	c.Phone.T.Helper()
	c.Answer(pbxdtest.SDP(16000))
	c.Phone.Reply(c.Phone.Request("BYE"), "", 200, "OK", "", "")
}

// shows checks who calls, as the phone is told it, and takes the call.
func shows(number string) func(*testing.T, *pbxdtest.Call) {
	return func(t *testing.T, c *pbxdtest.Call) {
		t.Helper()
		from := c.Invite.Get("From")
		if want := fmt.Sprintf("<sip:%s@", number); !strings.Contains(from, want) {
			t.Errorf("the phone is called from %s, want %s", from, number)
		}
		taken(c)
	}
}

// Each habit of providers that call, over UDP and TCP directly, and over TLS with
// kamailio between, at which the PBX is registered.
func TestProviderCalls(t *testing.T) {
	t.Parallel()
	for _, h := range callingHabits {
		for _, transport := range []string{"udp", "tcp", "tls"} {
			t.Run(h.name+" "+transport, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				g := gateway{id: "main", transport: transport, at: netip.MustParseAddrPort("127.0.0.1:9"), account: provider.Account{User: "account1", Password: "secret1", Numbers: []string{"49301001"}}, change: h.change}
				s := setup{configure: func(c *pbx.Config) { c.InboundRoutes[0].Pattern = "49301001" }}
				line := provider.Line{User: "49301001", Number: "49301001", Caller: "4989555"}
				options := provider.HabitOptions{Transport: transport}
				if transport == "tls" {
					k, ca := secured(t, ctx, provider.KamailioOptions{Accounts: []provider.Account{g.account}, ToOnly: h.name == toOnly})
					g.at, g.register, s.authority = k.TLS(), true, ca
					options.Transport, options.Remote, line.Customer = "udp", k.Network(), k.Network().String()
				}
				s.gateways = []gateway{g}
				o := open(t, ctx, s)
				if transport == "tls" {
					o.comes(t, "main", pbx.LineUp, 1)
				} else {
					options.Remote, line.Customer = o.listens(transport), o.listens(transport).String()
					if h.name == toOnly {
						line.User = "account1"
					}
				}
				phone := o.Phone("101", "udp").MustRegister()
				p := run(t, ctx, h.habit(line), options)
				if h.phone != nil {
					h.phone(t, phone.Ringing())
				}
				done(t, p)
				o.nothingLeft(t)
			})
		}
	}
}
