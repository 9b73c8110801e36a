package outage

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/presence"
)

// office watches the gateways a, b and c, of which c belongs to no group.
type office struct {
	t     *testing.T
	board *presence.Board
	watch *Watch

	mu      sync.Mutex
	changed int
	told    []string
}

func inOffice(t *testing.T, play func(o *office)) {
	synctest.Test(t, func(t *testing.T) {
		cfg := pbx.Factory(pbx.Defaults{})
		for _, id := range []string{"a", "b", "c"} {
			g := pbx.Gateway{ID: id}
			g.Name = "Line " + id
			if id != "c" {
				g.Group = "main"
			}
			cfg.Gateways = append(cfg.Gateways, g)
		}
		o := &office{t: t, board: presence.New()}
		o.watch = New(Deps{
			Config: func() *pbx.Config { return cfg }, Subscribe: o.board.Subscribe, Changed: o.change, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Tell: func(_ context.Context, n Notice) {
				o.mu.Lock()
				defer o.mu.Unlock()
				for _, x := range n.Down {
					o.told = append(o.told, fmt.Sprintf("down %s %s", x.Gateway, x.Reason.Text()))
				}
				for _, x := range n.Back {
					o.told = append(o.told, fmt.Sprintf("back %s after %s", x.Gateway, x.Back.Sub(x.Since)))
				}
				for _, x := range n.Quiet {
					o.told = append(o.told, "quiet "+x.Gateway)
				}
				o.told = append(o.told, "sent")
			},
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			o.watch.Run(ctx)
		}()
		synctest.Wait()
		play(o)
		cancel()
		<-done
	})
}

func (o *office) change() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.changed++
}

// changes is how often the alarms have changed since the last time.
func (o *office) changes() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, o.changed = o.changed, 0
	return n
}

// is publishes the state of a gateway, and waits.
func (o *office) is(gateway string, s pbx.LineState, then time.Duration) {
	m := pbx.Message{}
	if s != pbx.LineUp {
		m = pbx.Say("No answer from {host}", "host", string(s))
	}
	o.board.Publish(pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: gateway, State: s, Since: time.Now(), Message: m, Reason: m.Text()}})
	o.passes(then)
}

// passes lets time pass, and what is due then be done.
func (o *office) passes(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// alarms checks which gateways are shown as down.
func (o *office) alarms(want string) {
	o.t.Helper()
	var got []string
	for _, x := range o.watch.Outages() {
		got = append(got, x.Gateway)
	}
	if s := strings.Join(got, " "); s != want {
		o.t.Errorf("shown as down: %q, want %q", s, want)
	}
}

// tells checks what was told since the last time.
func (o *office) tells(want ...string) {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if got := strings.Join(o.told, ", "); got != strings.Join(want, ", ") {
		o.t.Errorf("told %q, want %q", got, strings.Join(want, ", "))
	}
	o.told = nil
}

// An outage is shown after a minute and told after five, once; its end is shown at
// once and told when it lasts.
func TestOutage(t *testing.T) {
	inOffice(t, func(o *office) {
		o.is("a", pbx.LineUp, time.Hour)
		o.is("a", pbx.LineUnreachable, 55*time.Second)
		o.alarms("")
		o.passes(10 * time.Second)
		o.alarms("a")
		o.is("a", pbx.LineTrying, 225*time.Second)
		o.tells()
		o.is("a", pbx.LineRefused, 15*time.Second) // for another reason
		o.tells("down a No answer from refused", "sent")
		o.alarms("a")
		if x := o.watch.Outages()[0]; time.Since(x.Since) < 5*time.Minute || x.State != pbx.LineRefused {
			t.Errorf("shown %+v", x)
		}
		o.passes(48 * time.Hour)
		o.tells()
		before := o.changes()
		o.is("a", pbx.LineUp, time.Second)
		o.alarms("")
		if n := o.changes(); n != 1 || before != 2 {
			t.Errorf("changed %d times, then %d", before, n)
		}
		o.tells()
		o.passes(65 * time.Second)
		o.tells("back a after 48h5m5s", "sent")
		o.passes(48 * time.Hour)
		o.tells()
	})
}

// What is short is not told, and an outage that is interrupted is one.
func TestShortOutages(t *testing.T) {
	inOffice(t, func(o *office) {
		for range 20 {
			o.is("a", pbx.LineUnreachable, 50*time.Second)
			o.alarms("")
			o.is("a", pbx.LineUp, 10*time.Second)
		}
		o.tells()
		o.is("a", pbx.LineUnreachable, 4*time.Minute)
		o.alarms("a")
		o.is("a", pbx.LineUp, time.Hour)
		o.tells()
		o.is("a", pbx.LineUnreachable, 6*time.Minute)
		o.tells("down a No answer from unreachable", "sent")
		o.is("a", pbx.LineUp, 30*time.Second)
		o.is("a", pbx.LineUnreachable, 50*time.Second)
		o.alarms("")
		o.passes(time.Hour)
		o.alarms("a")
		o.tells()
	})
}

// A gateway that comes and goes is told of four times a day.
func TestFlapping(t *testing.T) {
	inOffice(t, func(o *office) {
		for i := range 10 {
			o.is("a", pbx.LineUnreachable, 6*time.Minute)
			switch {
			case i < MostOutages-1:
				o.tells("down a No answer from unreachable", "sent")
			case i == MostOutages-1:
				o.tells("down a No answer from unreachable", "quiet a", "sent")
			}
			o.alarms("a")
			o.is("a", pbx.LineUp, 6*time.Minute)
			if i < MostOutages {
				o.tells("back a after 6m0s", "sent")
			}
			o.tells()
		}
		o.passes(24 * time.Hour)
		o.is("a", pbx.LineUnreachable, 6*time.Minute)
		o.tells("down a No answer from unreachable", "sent")
	})
}

// One fault of several gateways is told at once.
func TestTogether(t *testing.T) {
	inOffice(t, func(o *office) {
		o.is("b", pbx.LineRefused, 2*time.Minute)
		o.is("a", pbx.LineUnreachable, 4*time.Minute)
		o.tells("down b No answer from refused", "down a No answer from unreachable", "sent")
		o.alarms("b a")
		o.is("a", pbx.LineUp, 0)
		o.is("b", pbx.LineUp, 2*time.Minute)
		o.tells("back b after 6m0s", "back a after 4m0s", "sent")
	})
}

// What is deleted or switched off is no alarm; a transport that cannot be opened
// is one.
func TestGone(t *testing.T) {
	inOffice(t, func(o *office) {
		o.is("a", pbx.LineUnreachable, 2*time.Minute)
		o.is("b", pbx.LineOff, 2*time.Minute)
		o.is("c", pbx.LineOff, 2*time.Minute)
		o.alarms("a b")
		o.board.Publish(pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: "a"}, Gone: true})
		synctest.Wait()
		o.alarms("b")
		o.is("c", pbx.LineUnreachable, 2*time.Minute)
		o.alarms("b c")
		o.is("c", pbx.LineOff, time.Hour)
		o.alarms("b")
		o.tells("down a No answer from unreachable", "down b No answer from off", "sent")
	})
}

// Who is too slow for the facts begins anew: what it has missed is not lost.
func TestMissedFacts(t *testing.T) {
	inOffice(t, func(o *office) {
		o.is("a", pbx.LineUnreachable, 2*time.Minute)
		o.is("b", pbx.LineUnreachable, 2*time.Minute)
		o.alarms("a b")
		o.watch.mu.Lock() // it can take nothing
		for range 1000 {
			o.board.Publish(pbx.Fact{Kind: pbx.FactRevision, Revision: 1})
		}
		o.board.Publish(pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: "a"}, Gone: true})
		o.board.Publish(pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: "b", State: pbx.LineUp}})
		if o.board.Subscribers() != 0 {
			t.Error("it was not too slow")
		}
		o.watch.mu.Unlock()
		o.passes(time.Minute)
		o.alarms("")
		o.is("b", pbx.LineUnreachable, 2*time.Minute)
		o.alarms("b")
	})
}
