// Package outage watches the gateways and tells administrators of those that are
// down: at once among what the page warns of, later by mail, and in either case
// only when it lasts.
package outage

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"galilei/pbxd/pbx"
)

// Times of an outage, and how often it is told.
const (
	AlarmAfter  = time.Minute // down for that long, it is an alarm; up for that long, it is over
	MostOutages = 4           // of a gateway that are told in a day
	MostNotices = 40          // of all gateways together

	tellAfter = 5  // times AlarmAfter: down for that long, administrators are told
	looks     = 12 // how often in AlarmAfter times are looked at
	day       = 24 * time.Hour
)

// Notice is what administrators are told at a time.
type Notice struct {
	Down  []pbx.Outage // gateways that do not work, each once for an outage
	Back  []pbx.Outage // of which that was told, and that work again
	Quiet []pbx.Outage // of Down: of which nothing more is told today, since they come and go
}

func (n *Notice) empty() bool { return len(n.Down)+len(n.Back) == 0 }

// Deps is what a Watch needs.
type Deps struct {
	Config func() *pbx.Config
	// Subscribe returns the facts of now and those that follow, as
	// presence.Board does.
	Subscribe func(ctx context.Context) (now []pbx.Fact, updates <-chan pbx.Fact)
	Changed   func()                              // the alarms have; does not block
	Tell      func(ctx context.Context, n Notice) // may wait for the disk
	After     time.Duration                       // takes the place of AlarmAfter; 0 means that
	Now       func() time.Time
	Log       *slog.Logger
}

// Watch knows the gateways that are down.
type Watch struct {
	deps Deps

	mu      sync.Mutex
	lines   map[string]*line       // by gateway
	history map[string][]time.Time // of the last day, when outages of a gateway were told
	notices []time.Time            // of the last day
}

// New returns a Watch that knows of no outage.
func New(d Deps) *Watch {
	if d.After == 0 {
		d.After = AlarmAfter
	}
	return &Watch{deps: d, lines: map[string]*line{}, history: map[string][]time.Time{}}
}

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	tick := time.NewTicker(w.deps.After / looks)
	defer tick.Stop()
	for ctx.Err() == nil {
		updates := w.begin(ctx)
		for open := true; open; {
			select {
			case f, ok := <-updates:
				if open = ok; ok {
					w.do(func() bool { return w.take(f) })
				}
			case <-tick.C:
				w.turn(ctx)
			}
		}
		select { // whoever is too slow for the facts begins anew with those of now
		case <-tick.C:
			w.turn(ctx)
		case <-ctx.Done():
		}
	}
}

// begin takes the facts of now. A gateway of which there is none is no more.
func (w *Watch) begin(ctx context.Context) (updates <-chan pbx.Fact) {
	now, updates := w.deps.Subscribe(ctx)
	w.do(func() (changed bool) {
		there := map[string]bool{}
		for _, f := range now {
			if f.Kind == pbx.FactLine && f.Line != nil {
				there[f.Line.Gateway] = true
			}
			changed = w.take(f) || changed
		}
		for id, l := range w.lines {
			if !there[id] {
				delete(w.lines, id)
				changed = changed || l.alarm
			}
		}
		return changed
	})
	return updates
}

// do changes what is known, and says when the alarms differ.
func (w *Watch) do(change func() (changed bool)) {
	w.mu.Lock()
	changed := change()
	w.mu.Unlock()
	if changed {
		w.deps.Changed()
	}
}

// turn looks at how long gateways are down.
func (w *Watch) turn(ctx context.Context) {
	w.do(w.raise)
	w.mu.Lock()
	n := w.due()
	w.mu.Unlock()
	if !n.empty() {
		w.deps.Tell(ctx, n)
	}
}

// Outages returns the gateways whose being down is an alarm, the first one first.
func (w *Watch) Outages() (list []pbx.Outage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.lines {
		if l.alarm {
			list = append(list, l.outage)
		}
	}
	slices.SortFunc(list, byAge)
	return list
}

func byAge(a, b pbx.Outage) int {
	return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Gateway, b.Gateway))
}
