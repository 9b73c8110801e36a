package peer_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
)

// baresip encrypts its audio over TLS: with another that does, with one that
// does not, with one that has another codec too; and the PBX leaves it out where
// a phone cannot.
func TestBaresipEncryptsAudio(t *testing.T) {
	peer.NeedBaresip(t)
	t.Parallel()
	type side struct{ transport, encryption, codec string }
	for _, tt := range []struct{ a, b side }{
		{side{"tls", "srtp-mand", "PCMA"}, side{"tls", "srtp-mand", "PCMA"}},
		{side{"tls", "srtp-mand", "PCMU"}, side{"udp", "", "PCMU"}},
		{side{"udp", "", "PCMA"}, side{"tls", "srtp-mand", "PCMA"}},
		{side{"tls", "srtp-mand", "PCMU"}, side{"tcp", "", "PCMA"}},
		{side{"udp", "", "PCMA"}, side{"tls", "srtp", "PCMU"}},
		{side{"tls", "srtp", "PCMA"}, side{"tls", "", "PCMA"}},
	} {
		t.Run(fmt.Sprint(tt.a, tt.b), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			s := pbxdtest.Start(t, pbxdtest.Options{})
			phone := func(ext string, tone float64, o side) *peer.Baresip {
				at := s.SIP
				if o.transport == "tls" {
					at = s.TLS
				}
				b, err := peer.StartBaresip(ctx, peer.BaresipOptions{
					Dir: t.TempDir(), User: ext, Password: s.Password(ext), Registrar: at.String(), Transport: o.transport, Expires: time.Minute,
					Tone: tone, Encryption: o.encryption, Codecs: []string{o.codec + "/8000/1"},
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := b.Stop(); err != nil {
						t.Error(err)
					}
					if t.Failed() {
						t.Logf("log of %s:\n%s", ext, b.Log())
					}
				})
				if err := b.AwaitRegistered(ctx); err != nil {
					t.Fatal(err)
				}
				return b
			}
			a, b := phone("101", 440, tt.a), phone("102", 880, tt.b)
			if err := a.Dial(ctx, "102"); err != nil {
				t.Fatal(err)
			}
			await(t, ctx, b, "CALL_INCOMING")
			if err := b.Answer(ctx); err != nil {
				t.Fatal(err)
			}
			await(t, ctx, a, "CALL_ESTABLISHED")
			await(t, ctx, b, "CALL_ESTABLISHED")
			time.Sleep(5 * time.Second)
			if err := b.Hangup(ctx); err != nil {
				t.Fatal(err)
			}
			await(t, ctx, a, "CALL_CLOSED")
			await(t, ctx, b, "CALL_CLOSED")
			nothingLeft(t, s)
			for _, p := range []struct {
				*peer.Baresip
				side
				hears float64
			}{{a, tt.a, 880}, {b, tt.b, 440}} {
				if err := p.Stop(); err != nil {
					t.Fatal(err)
				}
				samples, err := p.Heard()
				if err != nil {
					t.Fatal(err)
				}
				samples = peer.Sounding(samples)
				share := peer.ToneShare(samples, p.hears)
				t.Logf("%v hears %.0f Hz with share %.4f for %d samples", p.side, p.hears, share, len(samples))
				if share < 0.97 || len(samples) < 4*8000 {
					t.Errorf("%v hears %.0f Hz with share %.4f for %d samples, want over 97 percent of 4 s", p.side, p.hears, share, len(samples))
				}
				if encrypts := strings.Contains(p.Log(), "audio: SRTP is Enabled"); encrypts != (p.encryption != "") {
					t.Errorf("%v: encrypted %v", p.side, encrypts)
				}
			}
		})
	}
}

// Where encryption is required, a phone over TLS that has none is not called
// and may not call; one over UDP may.
func TestBaresipMustEncrypt(t *testing.T) {
	peer.NeedBaresip(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := pbxdtest.Start(t, pbxdtest.Options{Configure: func(c *pbx.Config) { c.SIP.SRTP = pbx.SRTPRequired }})
	b, err := peer.StartBaresip(ctx, peer.BaresipOptions{
		Dir: t.TempDir(), User: "101", Password: s.Password("101"), Registrar: s.TLS.String(), Transport: "tls", Expires: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := b.AwaitRegistered(ctx); err != nil {
		t.Fatal(err)
	}
	phone := s.Phone("102", "udp").MustRegister()
	call := phone.Dial("101", pbxdtest.SDP(16000))
	res := phone.Final("INVITE")
	call.AckRefusal(res)
	if res.Status() != 488 {
		t.Errorf("the call to a phone without encryption got %s, want 488", res.Start)
	}
	if err := b.Dial(ctx, "102"); err != nil {
		t.Fatal(err)
	}
	for said := ""; !strings.Contains(said, "488"); { // after what it says of the call that it could not take
		e, err := b.Await(ctx, "CALL_CLOSED")
		if err != nil {
			t.Fatalf("its own call is not refused with 488: %v", err)
		}
		said = e.Param
	}
	nothingLeft(t, s)
}

// A phone that encrypts puts the call on hold and goes on: its stream and ours
// go on with the same keys.
func TestBaresipHoldsEncrypted(t *testing.T) {
	peer.NeedBaresip(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	s := pbxdtest.Start(t, pbxdtest.Options{})
	phone := func(ext, transport, encryption, registrar string, tone float64) *peer.Baresip {
		b, err := peer.StartBaresip(ctx, peer.BaresipOptions{
			Dir: t.TempDir(), User: ext, Password: s.Password(ext), Registrar: registrar, Transport: transport, Expires: time.Minute, Tone: tone, Encryption: encryption,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Stop(); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				t.Logf("log of %s:\n%s", ext, b.Log())
			}
		})
		if err := b.AwaitRegistered(ctx); err != nil {
			t.Fatal(err)
		}
		return b
	}
	a, b := phone("101", "tls", "srtp-mand", s.TLS.String(), 440), phone("102", "udp", "", s.SIP.String(), 880)
	if err := a.Dial(ctx, "102"); err != nil {
		t.Fatal(err)
	}
	await(t, ctx, b, "CALL_INCOMING")
	if err := b.Answer(ctx); err != nil {
		t.Fatal(err)
	}
	await(t, ctx, a, "CALL_ESTABLISHED")
	time.Sleep(3 * time.Second)
	for _, command := range []string{"hold", "resume"} {
		if _, err := a.Command(ctx, command, ""); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
	}
	time.Sleep(2 * time.Second)
	if err := a.Hangup(ctx); err != nil {
		t.Fatal(err)
	}
	await(t, ctx, b, "CALL_CLOSED")
	nothingLeft(t, s)
	for _, p := range []*peer.Baresip{a, b} {
		if err := p.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	samples, err := b.Heard()
	if err != nil {
		t.Fatal(err)
	}
	if share := peer.ToneShare(samples[max(0, len(samples)-2*8000):], 440); share < 0.97 {
		t.Errorf("102 hears 440 Hz with share %.4f after the hold, want over 97 percent", share)
	}
	// baresip records no more once it was on hold, but counts what it decrypts.
	counts, err := a.Stats()
	if err != nil || len(counts) != 1 || counts[0].Received < 300 {
		t.Errorf("101 counts %+v, %v; want packets of 3 s before and 4 s after the hold", counts, err)
	}
}
