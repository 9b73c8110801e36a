package outside

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest/peer"
	"galilei/pbxd/pbxdtest/provider"
)

// The PBX registers at a provider with a password, calls a phone of the network
// and is called, over each transport; over TLS the certificate is checked and the
// audio encrypted. Both sides hear each other.
func TestRegisteredAtKamailio(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"udp", "tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
			defer cancel()
			ca, err := provider.NewAuthority("Provider CA")
			must(t, err)
			certificate, err := ca.Issue(t.TempDir(), time.Now().Add(time.Hour), "provider.test")
			must(t, err)
			account := provider.Account{User: "49301000", AuthUser: "customer1", Password: "secret1", Numbers: []string{"49301001"}}
			k := kamailio(t, ctx, provider.KamailioOptions{Accounts: []provider.Account{account}, Certificate: &certificate})
			d := nameServer(t, ctx,
				provider.Host("proxy.provider.test", "127.0.0.1"),
				provider.SRV("_sip._udp.provider.test", "proxy.provider.test", k.Access().Port(), 10, 1),
				provider.SRV("_sip._tcp.provider.test", "proxy.provider.test", k.Access().Port(), 10, 1),
				provider.SRV("_sips._tcp.provider.test", "proxy.provider.test", k.TLS().Port(), 10, 1))
			encryption := ""
			o := open(t, ctx, setup{names: []netip.AddrPort{d.Addr()}, authority: ca, gateways: []gateway{{
				id: "main", transport: transport, name: "provider.test", account: account, register: true,
				change: func(g *pbx.GatewaySettings) {
					if transport == "tls" {
						g.SRTP, encryption = "required", "srtp-mand"
					}
				},
			}}})
			happens(t, ctx, k, "registered 49301000 over "+transport, 1)
			far := baresip(t, ctx, peer.BaresipOptions{User: "4989555", Registrar: k.Network().String(), Expires: 10 * time.Minute, Tone: 880, Encryption: encryption, AutoAnswer: true})
			must(t, far.AwaitRegistered(ctx))
			near := o.phone(t, "101", 440)
			o.comes(t, "main", pbx.LineUp, 1)

			must(t, near.Dial(ctx, "04989555"))
			await(t, ctx, near, "CALL_ESTABLISHED")
			hear(t, ctx, near, 880, far, 440)
			must(t, near.Hangup(ctx))
			await(t, ctx, far, "CALL_CLOSED")
			o.nothingLeft(t)

			must(t, far.Dial(ctx, "49301001"))
			await(t, ctx, near, "CALL_INCOMING")
			must(t, near.Answer(ctx))
			await(t, ctx, near, "CALL_ESTABLISHED")
			hear(t, ctx, near, 880, far, 440)
			must(t, far.Hangup(ctx))
			await(t, ctx, near, "CALL_CLOSED")
			o.nothingLeft(t)
			if strings.Contains(o.Log.String()+k.Log(), "secret1") {
				t.Error("a log holds the password")
			}
			must(t, near.Stop()) // it would wait for the PBX to take its registration back
			o.Stop()
			happens(t, ctx, k, "unregistered 49301000", 1)
		})
	}
}
