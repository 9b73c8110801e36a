package flow

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
)

// office is a PBX with the demo users and further extensions from 201 on.
type office struct {
	*pbxdtest.System
	ctx context.Context
}

func open(t *testing.T, further int, configure func(*pbx.Config)) *office {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	return &office{pbxdtest.Start(t, pbxdtest.Options{Further: further, Configure: configure}), ctx}
}

// nothingLeft waits until no call, dialog, transaction of a call or audio port
// is held.
func (o *office) nothingLeft(t *testing.T) {
	t.Helper()
	end := time.Now().Add(20 * time.Second)
	for {
		c := o.PBX.Counts()
		if c.Calls == 0 && c.SIP.Legs == 0 && c.Ports == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("still held: %+v\n%s", c, o.Log)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func local(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}

// voice is the audio of a phone, sending a tone in a payload type.
func voice(t *testing.T, kind byte, tone float64) *peer.Voice {
	t.Helper()
	return voiceAt(t, local(0), kind, tone)
}

func voiceAt(t *testing.T, at netip.AddrPort, kind byte, tone float64) *peer.Voice {
	t.Helper()
	v, err := peer.ListenVoice(at, kind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	v.Tone(tone)
	return v
}

// hears fails the test when v does not come to hear the tone without a gap.
func hears(t *testing.T, ctx context.Context, who string, v *peer.Voice, freqs ...float64) peer.Sound {
	t.Helper()
	s, err := v.Hears(ctx, freqs...)
	if err != nil {
		t.Fatalf("%s does not hear %.0f Hz: %v", who, freqs, err)
	}
	t.Logf("%s hears %.0f Hz: %v", who, freqs, s)
	return s
}

// silent fails the test when v does not come to hear silence that is sent.
func silent(t *testing.T, ctx context.Context, who string, v *peer.Voice) peer.Sound {
	t.Helper()
	s, err := v.HearsSilence(ctx)
	if err != nil {
		t.Fatalf("%s does not hear silence: %v", who, err)
	}
	t.Logf("%s hears silence: %v", who, s)
	return s
}

// talk checks that two sides hear each other.
func talk(t *testing.T, ctx context.Context, a *peer.Voice, tone float64, b *peer.Voice, other float64) {
	t.Helper()
	hears(t, ctx, "the first side", a, other)
	hears(t, ctx, "the second side", b, tone)
}

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// baresip starts a registered baresip.
func (o *office) baresip(t *testing.T, ext string, tone float64, change ...func(*peer.BaresipOptions)) *peer.Baresip {
	t.Helper()
	opts := peer.BaresipOptions{Dir: t.TempDir(), User: ext, Password: o.Password(ext), Registrar: o.SIP.String(), Expires: 10 * time.Minute, Tone: tone}
	for _, c := range change {
		c(&opts)
	}
	b, err := peer.StartBaresip(o.ctx, opts)
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
	if err := b.AwaitRegistered(o.ctx); err != nil {
		t.Fatal(err)
	}
	return b
}

func await(t *testing.T, ctx context.Context, b *peer.Baresip, types ...string) peer.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	e, err := b.Await(ctx, types...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func command(t *testing.T, ctx context.Context, b *peer.Baresip, name, params string) {
	t.Helper()
	if _, err := b.Command(ctx, name, params); err != nil {
		t.Fatal(err)
	}
}

// registered registers an extension at a port of another phone.
func (o *office) registered(t *testing.T, ext string, port int) {
	t.Helper()
	p := pbxdtest.NewPhone(t, o.SIP, "udp", ext, o.Password(ext))
	p.Contact = fmt.Sprintf("sip:%s@127.0.0.1:%d", ext, port)
	p.MustRegister()
}

func contains(s, part string) bool { return strings.Contains(s, part) }
