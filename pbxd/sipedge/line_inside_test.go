package sipedge

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"galilei/pbxd/pbx"
	"galilei/pbxd/resolve"
)

// What a provider writes into Contact and Record-Route is not always an address
// that means it here.
func TestNobodysHere(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		addr, seen       string
		translated, want bool
	}{
		{"127.0.0.1", "10.0.2.2", false, true},
		{"0.0.0.0", "198.51.100.1", false, true},
		{"::1", "2001:db8::1", false, true},
		{"127.0.0.1", "127.0.0.2", true, false}, // on one machine
		{"10.1.1.1", "198.51.100.1", true, true},
		{"10.1.1.1", "198.51.100.1", false, false},
		{"10.1.1.1", "10.0.2.2", true, false},
		{"198.51.100.2", "198.51.100.1", true, false},
	} {
		if got := nobodysHere(netip.MustParseAddr(tt.addr), netip.MustParseAddr(tt.seen), tt.translated); got != tt.want {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
}

// The lock of a trunk comes before those of its lines, which Configured takes under
// it: looking up a host of a dialog does not wait for it with the line's.
func TestLookUpWhileConfigured(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	r := resolve.New(ctx, resolve.Deps{Servers: func() []netip.AddrPort { return nil }, Now: time.Now, Log: log})
	trunk := &Trunk{deps: TrunkDeps{Resolver: r, Occupied: NewOccupied(), Now: time.Now, Log: log}, settings: pbx.TransportSettings{Type: "udp"}, ctx: ctx}
	ln := newLine(trunk, pbx.Gateway{ID: "a"})
	done := make(chan struct{})
	trunk.mu.Lock()
	go func() {
		defer close(done)
		ln.lookUp(&sip.Uri{Scheme: "sip", Host: "far.example"})
	}()
	for end := time.Now().Add(100 * time.Millisecond); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if !ln.mu.TryLock() {
			t.Error("the line is locked by who waits for the trunk")
			break
		}
		ln.mu.Unlock()
	}
	trunk.mu.Unlock()
	<-done
}
