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

// customers of both providers.
func account() provider.Account { return provider.Account{User: "49301000", Password: "secret1"} }

func checked(g *pbx.GatewaySettings) {
	g.Check, g.Parameters = true, []string{"check_interval=5"}
}

// spare is a second provider, and the phone that its calls go to.
func spare(t *testing.T, ctx context.Context) (*provider.Kamailio, gateway) {
	t.Helper()
	far := baresip(t, ctx, peer.BaresipOptions{User: "4989555", Tone: 660, AutoAnswer: true})
	k := kamailio(t, ctx, provider.KamailioOptions{Accounts: []provider.Account{account()}, Far: netip.MustParseAddrPort(far.Addr())})
	return k, gateway{id: "two", at: k.Access(), account: account(), register: true, change: checked}
}

// A provider fails and comes back: new calls go over the second gateway, and over
// the first again, while a call that runs over the first one is heard all the
// time, and ends as any other.
func TestProviderFailsAndComesBack(t *testing.T) {
	t.Parallel()
	ca, err := provider.NewAuthority("Provider CA")
	must(t, err)
	other, err := provider.NewAuthority("Another CA")
	must(t, err)
	issue := func(t *testing.T, by *provider.Authority, until time.Duration, name string) provider.Certificate {
		c, err := by.Issue(t.TempDir(), time.Now().Add(until), name)
		must(t, err)
		return c
	}
	renew := func(by *provider.Authority, until time.Duration, name string) func(*testing.T, context.Context, *provider.Kamailio) {
		return func(t *testing.T, ctx context.Context, k *provider.Kamailio) {
			must(t, k.Stop())
			k.Use(issue(t, by, until, name))
			must(t, k.Start(ctx))
		}
	}
	for _, tt := range []struct {
		name, transport string
		fail, mend      func(*testing.T, context.Context, *provider.Kamailio)
	}{
		{"no answer over UDP", "udp", func(t *testing.T, _ context.Context, k *provider.Kamailio) { must(t, k.Pause()) },
			func(t *testing.T, _ context.Context, k *provider.Kamailio) { must(t, k.Resume()) }},
		{"no answer over TCP", "tcp", func(t *testing.T, _ context.Context, k *provider.Kamailio) { must(t, k.Pause()) },
			func(t *testing.T, _ context.Context, k *provider.Kamailio) { must(t, k.Resume()) }},
		{"gone over UDP", "udp", func(t *testing.T, _ context.Context, k *provider.Kamailio) { must(t, k.Stop()) },
			func(t *testing.T, ctx context.Context, k *provider.Kamailio) { must(t, k.Start(ctx)) }},
		{"gone over TLS", "tls", func(t *testing.T, _ context.Context, k *provider.Kamailio) { must(t, k.Stop()) },
			func(t *testing.T, ctx context.Context, k *provider.Kamailio) { must(t, k.Start(ctx)) }},
		{"certificate of another authority", "tls", renew(other, time.Hour, "127.0.1.1"), renew(ca, time.Hour, "127.0.1.1")},
		{"certificate for another name", "tls", renew(ca, time.Hour, "elsewhere.test"), renew(ca, time.Hour, "127.0.1.1")},
		{"certificate that has ended", "tls", renew(ca, -time.Minute, "127.0.1.1"), renew(ca, time.Hour, "127.0.1.1")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			far := baresip(t, ctx, peer.BaresipOptions{User: "4989555", Tone: 880, AutoAnswer: true})
			certificate := issue(t, ca, time.Hour, "127.0.1.1")
			k1 := kamailio(t, ctx, provider.KamailioOptions{
				Addr: netip.MustParseAddr("127.0.1.1"), Accounts: []provider.Account{account()}, Certificate: &certificate, Far: netip.MustParseAddrPort(far.Addr()),
			})
			at := k1.Access()
			if tt.transport == "tls" {
				at = k1.TLS()
			}
			k2, two := spare(t, ctx)
			o := open(t, ctx, setup{authority: ca, gateways: []gateway{{id: "one", transport: tt.transport, at: at, account: account(), register: true, change: checked}, two}})
			near := o.phone(t, "101", 440)
			phone := o.Phone("102", "udp").MustRegister()
			// Only one of both says that it has the call.
			calls := func(by *provider.Kamailio, n int) {
				t.Helper()
				call := phone.Dial("04989555", pbxdtest.SDP(16000))
				call.Answered()
				happens(t, ctx, by, "outgoing from 102 to 4989555", n)
				call.Hangup()
				happens(t, ctx, by, "answered 200 BYE", n)
			}
			o.comes(t, "one", pbx.LineUp, 1)
			o.comes(t, "two", pbx.LineUp, 1)
			must(t, near.Dial(ctx, "04989555"))
			await(t, ctx, near, "CALL_ESTABLISHED")
			hear(t, ctx, near, 880, far, 440)
			happens(t, ctx, k1, "outgoing from 101 to 4989555", 1)
			calls(k1, 1)

			tt.fail(t, ctx, k1)
			calls(k2, 1) // at once, whatever is known of the first
			o.comes(t, "one", pbx.LineUnreachable, 1)
			calls(k2, 2)
			hear(t, ctx, near, 880, far, 440)

			tt.mend(t, ctx, k1)
			o.comes(t, "one", pbx.LineUp, 2)
			calls(k1, 2)
			hear(t, ctx, near, 880, far, 440)
			must(t, near.Hangup(ctx))
			await(t, ctx, far, "CALL_CLOSED")
			o.nothingLeft(t)
		})
	}
}

// A provider answers 503: the call goes on over the next gateway at once.
func TestProviderIsOverloaded(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"503 Service Unavailable", "500 Server Internal Error", "504 Server Time-out", "408 Request Timeout"} {
		t.Run(status[:3], func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			one := run(t, ctx, provider.Refuses(status, "Retry-After: 1"), provider.HabitOptions{})
			two := run(t, ctx, provider.Answers(), provider.HabitOptions{})
			o := open(t, ctx, setup{gateways: []gateway{{id: "one", at: one.Addr(), account: account()}, {id: "two", at: two.Addr(), account: account()}}})
			phone := o.Phone("101", "udp").MustRegister()
			call := phone.Dial("04989555", pbxdtest.SDP(16000))
			call.Answered()
			call.Hangup()
			done(t, one, two)
			// It has recovered.
			again := run(t, ctx, provider.Answers(), provider.HabitOptions{Port: int(one.Addr().Port())})
			call = phone.Dial("04989555", pbxdtest.SDP(16000))
			call.Answered()
			call.Hangup()
			done(t, again)
			o.nothingLeft(t)
		})
	}
}

// A provider says nothing to a call, which goes over the next gateway; when it
// takes the call after all, that is ended there, and nobody hears of it.
func TestProviderAnswersTooLate(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			one := run(t, ctx, provider.AnswersTooLate(), provider.HabitOptions{Transport: transport})
			two := run(t, ctx, provider.Answers(), provider.HabitOptions{})
			o := open(t, ctx, setup{gateways: []gateway{{id: "one", transport: transport, at: one.Addr(), account: account()}, {id: "two", at: two.Addr(), account: account()}}})
			phone := o.Phone("101", "udp").MustRegister()
			call := phone.Dial("04989555", pbxdtest.SDP(16000))
			call.Answered()
			must(t, one.Go(ctx))
			if _, err := one.AwaitSaid(ctx, "BYE", 1); err != nil {
				t.Error(err)
			}
			call.Hangup()
			done(t, one, two)
			o.nothingLeft(t)
		})
	}
}

// Who is busy at one provider is so at any other.
func TestBusyIsNoReasonForAnotherGateway(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	one := run(t, ctx, provider.Refuses("486 Busy Here"), provider.HabitOptions{})
	two := run(t, ctx, provider.Answers(), provider.HabitOptions{})
	o := open(t, ctx, setup{gateways: []gateway{{id: "one", at: one.Addr(), account: account()}, {id: "two", at: two.Addr(), account: account()}}})
	phone := o.Phone("101", "udp").MustRegister()
	call := phone.Dial("04989555", pbxdtest.SDP(16000))
	res := phone.Final("INVITE")
	call.AckRefusal(res)
	if res.Status() != 486 {
		t.Errorf("the phone got %s, want 486", res.Start)
	}
	done(t, one)
	o.nothingLeft(t)
}

// The name server is gone. What is known of a provider still serves; one of whom
// nothing is known is passed over until it is back.
func TestNameServerGone(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"silent", "gone"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			far := baresip(t, ctx, peer.BaresipOptions{User: "4989555", Tone: 880, AutoAnswer: true})
			k1 := kamailio(t, ctx, provider.KamailioOptions{Accounts: []provider.Account{account()}, Far: netip.MustParseAddrPort(far.Addr())})
			k2, two := spare(t, ctx)
			d := nameServer(t, ctx, provider.Host("proxy.provider.test", "127.0.0.1"), provider.SRV("_sip._udp.provider.test", "proxy.provider.test", k1.Access().Port(), 10, 1))
			fail, mend := func() { must(t, d.Pause()) }, func() { must(t, d.Resume()) }
			if how == "gone" {
				fail, mend = func() { must(t, d.Stop()) }, func() { must(t, d.Start(ctx)) }
			}
			fail()
			o := open(t, ctx, setup{names: []netip.AddrPort{d.Addr()}, gateways: []gateway{{id: "one", name: "provider.test", account: account(), register: true, change: checked}, two}})
			phone := o.Phone("102", "udp").MustRegister()
			calls := func(by *provider.Kamailio, n int) {
				t.Helper()
				call := phone.Dial("04989555", pbxdtest.SDP(16000))
				call.Answered()
				happens(t, ctx, by, "outgoing from 102 to 4989555", n)
				call.Hangup()
				happens(t, ctx, by, "answered 200 BYE", n)
			}
			o.comes(t, "two", pbx.LineUp, 1)
			calls(k2, 1)
			o.comes(t, "one", pbx.LineUnreachable, 1)
			calls(k2, 2)
			mend()
			o.comes(t, "one", pbx.LineUp, 1)
			calls(k1, 1)
			fail()
			calls(k1, 2)
			mend()
			o.nothingLeft(t)
		})
	}
}
