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
