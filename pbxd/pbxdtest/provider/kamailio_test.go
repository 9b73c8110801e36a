package provider

import (
	"context"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest/peer"
)

func startKamailio(t *testing.T, ctx context.Context, o KamailioOptions) *Kamailio {
	t.Helper()
	NeedKamailio(t)
	o.Dir = t.TempDir()
	k, err := StartKamailio(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of kamailio:\n%s", k.Log())
		}
	})
	return k
}

func startBaresip(t *testing.T, ctx context.Context, o peer.BaresipOptions) *peer.Baresip {
	t.Helper()
	peer.NeedBaresip(t)
	o.Dir = t.TempDir()
	b, err := peer.StartBaresip(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of baresip %s:\n%s", o.User, b.Log())
		}
	})
	return b
}

func happens(t *testing.T, ctx context.Context, k *Kamailio, words string, n int) string {
	t.Helper()
	e, err := k.Await(ctx, words, n)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// baresip is the customer: it registers with its password, calls a phone of the
// network and is called by it, over each transport, encrypted over TLS.
func TestKamailioAsProvider(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"udp", "tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			ca, err := NewAuthority("Provider CA")
			must(t, err)
			certificate, err := ca.Issue(t.TempDir(), time.Now().Add(time.Hour), "provider.test", "127.0.0.1")
			must(t, err)
			k := startKamailio(t, ctx, KamailioOptions{
				Accounts: []Account{{User: "49301000", AuthUser: "customer1", Password: "secret1", Numbers: []string{"49301001"}}}, Certificate: &certificate,
			})
			at, encryption := k.Access(), ""
			if transport == "tls" {
				at, encryption = k.TLS(), "srtp-mand"
			}
			far := startBaresip(t, ctx, peer.BaresipOptions{User: "4989555", Registrar: k.Network().String(), Expires: time.Minute, Tone: 880, Encryption: encryption, AutoAnswer: true})
			must(t, far.AwaitRegistered(ctx))
			near := startBaresip(t, ctx, peer.BaresipOptions{
				User: "49301000", AuthUser: "customer1", Password: "secret1", Registrar: at.String(), Transport: transport, Expires: time.Minute, Tone: 440, Encryption: encryption, AutoAnswer: true,
			})
			must(t, near.AwaitRegistered(ctx))
			happens(t, ctx, k, "registered 49301000 over "+transport, 1)
			talk := func(by, to *peer.Baresip) {
				t.Helper()
				for _, b := range []*peer.Baresip{by, to} {
					if _, err := b.Await(ctx, "CALL_ESTABLISHED"); err != nil {
						t.Fatal(err)
					}
				}
				_, err := near.Hears(ctx, 880)
				must(t, err)
				_, err = far.Hears(ctx, 440)
				must(t, err)
				must(t, by.Hangup(ctx))
				for _, b := range []*peer.Baresip{by, to} {
					if _, err := b.Await(ctx, "CALL_CLOSED"); err != nil {
						t.Fatal(err)
					}
				}
			}
			must(t, near.Dial(ctx, "4989555"))
			talk(near, far)
			happens(t, ctx, k, "challenged INVITE", 1)
			happens(t, ctx, k, "outgoing from 49301000 to 4989555", 1)
			must(t, far.Dial(ctx, "49301000"))
			talk(far, near)
			happens(t, ctx, k, "incoming to 49301000 of 49301000", 1)
		})
	}
}

// A provider that ends, or hangs, and comes back.
func TestKamailioGoesAndComesBack(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	k := startKamailio(t, ctx, KamailioOptions{Accounts: []Account{{User: "1000", Password: "secret"}}})
	register := func(expires time.Duration, password string) error {
		short, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		_, err := peer.RunSipp(short, peer.SippOptions{
			Dir: t.TempDir(), Scenario: peer.SippRegister, Remote: k.Access(), Domain: "provider.test", Expires: expires, Users: []peer.SippUser{{User: "1000", Password: password}},
		})
		return err
	}
	must(t, register(time.Hour, "secret"))
	if err := register(time.Hour, "wrong"); err == nil || strings.Contains(k.Log(), "secret") {
		t.Errorf("wrong password: %v", err)
	}
	must(t, k.Pause())
	if err := register(time.Hour, "secret"); err == nil {
		t.Error("it answers while it is paused")
	}
	must(t, k.Resume())
	must(t, register(time.Hour, "secret"))
	must(t, k.Stop())
	if err := register(time.Hour, "secret"); err == nil {
		t.Error("it answers after its end")
	}
	must(t, k.Start(ctx))
	must(t, register(time.Minute, "secret"))
	happens(t, ctx, k, "registered 1000 over udp", 3)
}
