package outside

import (
	"context"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
	"galilei/pbxd/pbxdtest/provider"
)

// One registration is for several numbers (RFC 6140): with kamailio, whose calls
// to each of them come, and with a provider that looks at every word.
func TestBulkRegistration(t *testing.T) {
	t.Parallel()
	bulk := provider.Account{User: "49301000", Password: "secret1", Numbers: []string{"49301007", "49301008"}}
	numbers := func(g *pbx.GatewaySettings) { g.Numbers = bulk.Numbers }
	t.Run("kamailio", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		k := kamailio(t, ctx, provider.KamailioOptions{Accounts: []provider.Account{bulk}})
		o := open(t, ctx, setup{gateways: []gateway{{id: "main", at: k.Access(), account: bulk, register: true, change: numbers}}, configure: func(c *pbx.Config) {
			c.InboundRoutes[0].Pattern = "49301008"
		}})
		happens(t, ctx, k, "registered 49301000 in bulk over udp", 1)
		phone := o.Phone("101", "udp").MustRegister()
		line := provider.Line{Customer: k.Network().String(), User: "49301008", Number: "49301008", Caller: "4989555"}
		s := run(t, ctx, provider.Calls(line), provider.HabitOptions{Remote: k.Network()})
		taken(phone.Ringing())
		done(t, s)
		line.User, line.Number = "49301007", "49301007" // has no route, and is nobody's extension
		done(t, run(t, ctx, provider.IsRefused(line, 404), provider.HabitOptions{Remote: k.Network()}))
		o.nothingLeft(t)
	})
	t.Run("sipp", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s := run(t, ctx, provider.TakesBulk("49301000", "secret1"), provider.HabitOptions{})
		o := open(t, ctx, setup{gateways: []gateway{{id: "main", at: s.Addr(), account: bulk, register: true, change: numbers}}})
		done(t, s)
		o.comes(t, "main", pbx.LineUp, 1)
	})
}

// What a provider says against a registration, and what follows.
func TestRegistrationIsNotTaken(t *testing.T) {
	t.Parallel()
	t.Run("wrong password", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		k := kamailio(t, ctx, provider.KamailioOptions{Accounts: []provider.Account{account()}})
		wrong := account()
		wrong.Password = "nonsense"
		o := open(t, ctx, setup{gateways: []gateway{{id: "main", at: k.Access(), account: wrong, register: true}}})
		o.comes(t, "main", pbx.LineRefused, 1)
	})
	t.Run("number of another account", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		k := kamailio(t, ctx, provider.KamailioOptions{Accounts: []provider.Account{account(), {User: "49302000", AuthUser: "another", Password: "secret2"}}})
		mixed := account()
		mixed.AuthUser, mixed.Password = "another", "secret2"
		o := open(t, ctx, setup{gateways: []gateway{{id: "main", at: k.Access(), account: mixed, register: true}}})
		o.comes(t, "main", pbx.LineRefused, 1)
		happens(t, ctx, k, "refused REGISTER of 49301000 by another", 1)
	})
	t.Run("for too short", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		k := kamailio(t, ctx, provider.KamailioOptions{Accounts: []provider.Account{account()}, MinExpires: 900})
		o := open(t, ctx, setup{gateways: []gateway{{id: "main", at: k.Access(), account: account(), register: true, change: func(g *pbx.GatewaySettings) {
			g.Parameters = []string{"expires=60"}
		}}}})
		o.comes(t, "main", pbx.LineUp, 1)
		happens(t, ctx, k, "refused REGISTER of 49301000", 1)
		happens(t, ctx, k, "registered 49301000 over udp", 1)
	})
	t.Run("503", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s := run(t, ctx, provider.RefusesRegistration("503 Service Unavailable", "Retry-After: 2"), provider.HabitOptions{})
		o := open(t, ctx, setup{gateways: []gateway{{id: "main", at: s.Addr(), account: account(), register: true}}})
		o.comes(t, "main", pbx.LineUnreachable, 1)
		done(t, s)
	})
	t.Run("OPTIONS without an answer", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		one := run(t, ctx, provider.IgnoresOptions(), provider.HabitOptions{Times: 100})
		two := run(t, ctx, provider.Answers(), provider.HabitOptions{})
		o := open(t, ctx, setup{gateways: []gateway{{id: "one", at: one.Addr(), account: account(), change: checked}, {id: "two", at: two.Addr(), account: account()}}})
		o.comes(t, "one", pbx.LineUnreachable, 1)
		call := o.Phone("101", "udp").MustRegister().Dial("04989555", pbxdtest.SDP(16000))
		call.Answered()
		call.Hangup()
		done(t, two)
		o.nothingLeft(t)
	})
}

// The password is asked for within calls too, and kamailio verifies each answer:
// for the re-INVITE that follows when the phone changes its codec, and for BYE.
func TestChallengedWithinCalls(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			far := baresip(t, ctx, peer.BaresipOptions{User: "4989555", Codecs: []string{"PCMA/8000/1", "PCMU/8000/1"}, AutoAnswer: true})
			k := kamailio(t, ctx, provider.KamailioOptions{Accounts: []provider.Account{account()}, Challenge: []string{"INVITE", "BYE"}, Far: addrPort(t, far.Addr())})
			o := open(t, ctx, setup{gateways: []gateway{{id: "main", transport: transport, at: k.Access(), account: account()}}})
			phone := o.Phone("101", "udp").MustRegister()
			call := phone.Dial("04989555", pbxdtest.SDP(16000))
			call.Answered()
			call.Send("INVITE", inPCMU(16000))
			call.Response(200)
			call.Ack("")
			happens(t, ctx, k, "challenged re-INVITE", 1)
			happens(t, ctx, k, "answered 200 INVITE", 2)
			call.Hangup()
			happens(t, ctx, k, "challenged re-BYE", 1)
			happens(t, ctx, k, "answered 200 BYE", 1)
			o.nothingLeft(t)
		})
	}
}
