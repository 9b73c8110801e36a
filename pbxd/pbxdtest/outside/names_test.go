package outside

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
	"galilei/pbxd/pbxdtest/provider"
)

// The servers of one provider, as its SRV records have them. The first
// is gone, the second stops answering: registration and calls go to the next that
// does, and calls from each of them are the provider's.
func TestServersOfOneProvider(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	far := baresip(t, ctx, peer.BaresipOptions{User: "4989555", Tone: 880, AutoAnswer: true})
	server := func(addr string) *provider.Kamailio {
		return kamailio(t, ctx, provider.KamailioOptions{Addr: netip.MustParseAddr(addr), Accounts: []provider.Account{account()}, Far: netip.MustParseAddrPort(far.Addr())})
	}
	k2, k3 := server("127.0.2.2"), server("127.0.2.3")
	dead, err := peer.FreePort("127.0.2.1")
	must(t, err)
	d := nameServer(t, ctx,
		provider.Host("a.provider.test", "127.0.2.1"), provider.Host("b.provider.test", "127.0.2.2"), provider.Host("c.provider.test", "127.0.2.3"),
		provider.SRV("_sip._udp.provider.test", "a.provider.test", uint16(dead), 10, 1),
		provider.SRV("_sip._udp.provider.test", "b.provider.test", k2.Access().Port(), 20, 1),
		provider.SRV("_sip._udp.provider.test", "c.provider.test", k3.Access().Port(), 30, 1))
	o := open(t, ctx, setup{names: []netip.AddrPort{d.Addr()}, gateways: []gateway{{id: "one", name: "provider.test", account: account(), register: true}}})
	phone := o.Phone("101", "udp").MustRegister()
	calls := func(by *provider.Kamailio, n int) {
		t.Helper()
		call := phone.Dial("04989555", pbxdtest.SDP(16000))
		call.Answered()
		happens(t, ctx, by, "outgoing from 101 to 4989555", n)
		call.Hangup()
		happens(t, ctx, by, "answered 200 BYE", n)
	}
	o.comes(t, "one", pbx.LineUp, 1)
	happens(t, ctx, k2, "registered 49301000 over udp", 1)
	calls(k2, 1)
	must(t, k2.Pause())
	calls(k3, 1)
	must(t, k2.Resume())

	for _, from := range []string{"127.0.2.2", "127.0.2.3"} {
		s := run(t, ctx, provider.Calls(provider.Line{Customer: o.listens("udp").String(), User: "49301000", Number: "49301000", Caller: "4989555"}),
			provider.HabitOptions{Addr: netip.MustParseAddr(from), Remote: o.listens("udp")})
		taken(phone.Ringing())
		done(t, s)
	}
	stranger := run(t, ctx, provider.IsRefused(provider.Line{Customer: o.listens("udp").String(), User: "49301000", Number: "49301000", Caller: "4989555"}, 403),
		provider.HabitOptions{Addr: netip.MustParseAddr("127.0.2.9"), Remote: o.listens("udp")})
	done(t, stranger)
	o.nothingLeft(t)
}

// Several gateways at one provider, at one address: each has its calls, by the
// address that it registered with, by its number in the Request-URI, or in To.
func TestSeveralGatewaysAtOneProvider(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"registered", "registered, number in To", "static"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			accounts := []provider.Account{
				{User: "49301000", Password: "secret1", Numbers: []string{"49301001"}}, {User: "49302000", Password: "secret2", Numbers: []string{"49302001"}}, {User: "49303000", Password: "secret3", Numbers: []string{"49303001"}},
			}
			var gateways []gateway
			for i, a := range accounts {
				gateways = append(gateways, gateway{id: []string{"one", "two", "three"}[i], account: a, register: how != "static", extension: []string{"101", "102", "103"}[i], change: func(g *pbx.GatewaySettings) {
					if how == "registered, number in To" {
						g.Destination = "to"
					}
					if how == "static" {
						g.Numbers = a.Numbers
					}
				}})
			}
			port, err := peer.FreePort("127.0.0.1")
			must(t, err)
			if how == "static" {
				for i := range accounts {
					accounts[i].At = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port))
				}
			}
			k := kamailio(t, ctx, provider.KamailioOptions{Accounts: accounts, ToOnly: how == "registered, number in To"})
			for i := range gateways {
				gateways[i].at = k.Access()
			}
			o := openAt(t, ctx, setup{gateways: gateways}, map[string]int{"udp": port})
			for i, ext := range []string{"101", "102", "103"} {
				phone := o.Phone(ext, "udp").MustRegister()
				if how != "static" {
					happens(t, ctx, k, "registered "+accounts[i].User+" over udp", 1)
				}
				for _, number := range []string{accounts[i].User, accounts[i].Numbers[0]} {
					s := run(t, ctx, provider.Calls(provider.Line{Customer: k.Network().String(), User: number, Number: number, Caller: "4989555"}), provider.HabitOptions{Remote: k.Network()})
					taken(phone.Ringing())
					done(t, s)
				}
			}
			o.nothingLeft(t)
		})
	}
}
