package peer_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
)

// baresip registers with MD5 and calls over TLS. Version 1.0 gives up where
// SHA-256 is offered beside MD5, which is why that is off by default.
func TestBaresipOverTLS(t *testing.T) {
	peer.NeedBaresip(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := pbxdtest.Start(t, pbxdtest.Options{})
	phone := func(ext string) *peer.Baresip {
		b, err := peer.StartBaresip(ctx, peer.BaresipOptions{
			Dir: t.TempDir(), User: ext, Password: s.Password(ext), Registrar: s.TLS.String(), Transport: "tls", Expires: time.Minute,
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
	a, b := phone("101"), phone("102")
	if err := a.Dial(ctx, "102"); err != nil {
		t.Fatal(err)
	}
	await(t, ctx, b, "CALL_INCOMING")
	if err := b.Answer(ctx); err != nil {
		t.Fatal(err)
	}
	await(t, ctx, a, "CALL_ESTABLISHED")
	await(t, ctx, b, "CALL_ESTABLISHED")
	if err := a.Hangup(ctx); err != nil {
		t.Fatal(err)
	}
	await(t, ctx, b, "CALL_CLOSED")
	nothingLeft(t, s)
	if strings.Contains(s.Log.String(), "SIP over TLS: no connection") {
		t.Errorf("a connection failed:\n%s", s.Log)
	}
}
