package pbxd

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

type nowhere struct{}

func (nowhere) ApplyNetwork(context.Context, pbx.Network) error { return ErrNotHere }
func (nowhere) Alive(context.Context) error                     { return ErrNotHere }

// Records that the store cannot write are an alarm once some are lost, and nobody
// who hands one over waits.
func TestLostRecordsAreAnAlarm(t *testing.T) {
	p, err := New(t.Context(), Deps{
		Dir: t.TempDir(), Model: pbx.Model{Name: "T640", MaxUsers: 80}, Host: nowhere{}, Version: "test", Web: "127.0.0.1:0", SIP: "127.0.0.1:0", SIPTLS: "127.0.0.1:0",
		RTPBind: netip.MustParseAddr("127.0.0.1"), RTPMin: 49100, RTPMax: 49199, Out: io.Discard, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	noted := p.watch().Recorded // nothing writes: Run has not begun
	for range 5000 {
		noted(pbx.CallRecord{Began: time.Now()})
	}
	if err := p.Health(t.Context()); err != nil {
		t.Fatalf("while there is room: %v", err)
	}
	noted(pbx.CallRecord{Began: time.Now()})
	var a interface{ Alarm() string }
	if err := p.Health(t.Context()); err != ErrRecordsLost || !errors.As(err, &a) {
		t.Errorf("once one is lost: %v", err)
	}
}
