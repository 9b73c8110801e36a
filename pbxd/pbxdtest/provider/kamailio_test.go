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
	happens(t, ctx, k, "registered 1000 over udp", 2) // it says so after its answer
	must(t, k.Stop())
	if err := register(time.Hour, "secret"); err == nil {
		t.Error("it answers after its end")
	}
	must(t, k.Start(ctx))
	must(t, register(time.Minute, "secret"))
	happens(t, ctx, k, "registered 1000 over udp", 3)
}

// One registration is for several numbers (RFC 6140); their calls come to the
// contact, with the number as user. A contact of another kind is refused.
func TestKamailioBulkRegistration(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	k := startKamailio(t, ctx, KamailioOptions{Accounts: []Account{{User: "49301000", Password: "secret1", Numbers: []string{"49301007"}}}})
	register := func(contact string, status int) *peer.Sipp {
		return startHabit(t, ctx, calls("customer", func(s *script) {
			fields := []string{"Contact: " + contact, "Require: gin", "Proxy-Require: gin"}
			from := "From: <sip:49301000@provider.test>;tag=r\nTo: <sip:49301000@provider.test>\n"
			s.send(true, head("REGISTER", "sip:provider.test", from, 1), "", fields...)
			s.answered(401)
			s.send(true, head("REGISTER", "sip:provider.test", from, 2), "", append(fields, "[authentication username=49301000 password=secret1]")...)
			s.answered(status)
		}), HabitOptions{Remote: k.Access()})
	}
	pbx := startHabit(t, ctx, called("customer", func(s *script) {
		s.invited(Check{"", "^INVITE sip:49301007@127.0.0.1:[0-9]+ SIP/2.0"})
		s.answer("180 Ringing", "")
		s.answer("200 OK", sdp())
		s.received("ACK")
		s.ends()
	}), HabitOptions{})
	both(t, register("<sip:"+pbx.Addr().String()+";bnc>", 200), register("<sip:49301000@"+pbx.Addr().String()+">", 400))
	happens(t, ctx, k, "registered 49301000 in bulk over udp", 1)
	both(t, startHabit(t, ctx, Calls(Line{Customer: k.Network().String(), User: "49301007", Number: "49301007", Caller: "4989555"}), HabitOptions{Remote: k.Network()}), pbx)
}

// The password is asked for, and verified, within the call too.
func TestKamailioChallengesWithinCalls(t *testing.T) {
	t.Parallel()
	for _, password := range []string{"secret1", "wrong"} {
		t.Run(password, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			far := startHabit(t, ctx, called("far", func(s *script) {
				s.invited()
				s.answer("200 OK", sdp())
				s.received("ACK")
				s.received("INVITE")
				s.reply("200 OK", sdp())
				s.received("ACK")
				s.ends()
			}), HabitOptions{})
			k := startKamailio(t, ctx, KamailioOptions{Accounts: []Account{{User: "49301000", AuthUser: "customer1", Password: "secret1"}}, Challenge: []string{"INVITE", "BYE"}, Far: far.Addr()})
			c := startHabit(t, ctx, customer(k.Access(), func(s *script, invite func(...string)) {
				invite()
				s.answered(407)
				s.refused()
				s.again(sdp(), credential)
				s.answered(200)
				s.ack("")
				s.request("INVITE", sdp())
				s.answered(407)
				s.refused()
				s.request("INVITE", sdp(), "[authentication username=customer1 password="+password+"]")
				if password == "wrong" {
					s.answered(407)
					return
				}
				s.answered(200)
				s.ack("")
				s.request("BYE", "")
				s.answered(407)
				s.request("BYE", "", credential)
				s.answered(200)
			}), HabitOptions{Remote: k.Access()})
			both(t, c)
			if password == "secret1" {
				both(t, far)
				happens(t, ctx, k, "challenged re-INVITE", 1)
				happens(t, ctx, k, "challenged re-BYE", 1)
			}
		})
	}
}

// The number of the call is in To alone: customers are called as they
// registered, or where they are fixed.
func TestKamailioNumberInToOnly(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	pbx := startHabit(t, ctx, called("customer", func(s *script) {
		s.invited(Check{"", "^INVITE sip:account1@"}, Check{"To", "sip:49301007@"})
		s.answer("200 OK", sdp())
		s.received("ACK")
		s.ends()
	}), HabitOptions{})
	k := startKamailio(t, ctx, KamailioOptions{ToOnly: true, Accounts: []Account{{User: "account1", Numbers: []string{"49301007"}, At: pbx.Addr()}}})
	both(t, startHabit(t, ctx, Calls(Line{Customer: k.Network().String(), User: "49301007", Number: "49301007", Caller: "4989555"}), HabitOptions{Remote: k.Network()}), pbx)
}
