package peer_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbxdtest"
	"galilei/pbxd/pbxdtest/peer"
)

// baresip watches an extension and understands what it is told: no phone, idle,
// in a call.
func TestBaresipWatchesPresence(t *testing.T) {
	peer.NeedBaresip(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := pbxdtest.Start(t, pbxdtest.Options{})
	b, err := peer.StartBaresip(ctx, peer.BaresipOptions{
		Dir: t.TempDir(), User: "101", Password: s.Password("101"), Registrar: s.SIP.String(), Expires: time.Minute, Watch: "102",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log:\n%s\n%s", b.Log(), s.Log)
		}
	})
	if err := b.AwaitRegistered(ctx); err != nil {
		t.Fatal(err)
	}
	s.Eventually("the subscription", func() bool { return s.PBX.Counts().SIP.Subscriptions == 1 })
	is := func(status string) {
		t.Helper()
		s.Eventually("the status "+status, func() bool {
			said, err := b.Command(ctx, "contacts", "")
			return err == nil && strings.Contains(said, status)
		})
	}
	is("Offline")
	phone := s.Phone("102", "udp").MustRegister()
	is("Online")
	other := s.Phone("103", "udp").MustRegister()
	call := other.Dial("102", pbxdtest.SDP(16000))
	phone.Ringing().Answer(pbxdtest.SDP(16002))
	call.Answered()
	is("Busy")
	call.Hangup()
	phone.Reply(phone.Request("BYE"), "", 200, "OK", "", "")
	is("Online")
	phone.Register(0)
	is("Offline")
}
