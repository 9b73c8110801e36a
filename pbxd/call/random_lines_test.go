package call

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"galilei/pbxd/pbx"
	"galilei/pbxd/toll"
)

// withOutside gives an office two gateways and limits that are soon used up.
func withOutside(c *pbx.Config) {
	group := pbx.GatewayGroup{ID: "main"}
	pbx.SetDefaults(&group.GatewayGroupSettings)
	group.Title = "Main"
	c.GatewayGroups = []pbx.GatewayGroup{group}
	for _, id := range []string{"g1", "g2"} {
		g := pbx.Gateway{ID: id}
		pbx.SetDefaults(&g.GatewaySettings)
		g.Name, g.Group, g.Registrar, g.User, g.Codecs = id, "main", "sip.example.org", "u", []string{"pcma"}
		c.Gateways = append(c.Gateways, g)
	}
	route := pbx.OutboundRoute{ID: "all"}
	pbx.SetDefaults(&route.OutboundRouteSettings)
	route.Rule, route.Pattern, route.Groups = "All", "^0", []string{"main"}
	c.OutboundRoutes = []pbx.OutboundRoute{route}
	c.Toll = pbx.Toll{UserCalls: 2, ForeignMinutes: 2, PremiumMinutes: 1, GatewayForeignMinutes: 5, AlarmPercent: 80}
}

// meter counts the calls of a crowd until stop.
func (w *crowd) meter() (stop func()) {
	w.ledger = toll.New(toll.Deps{
		Config: func() *pbx.Config { return w.cfg }, Now: time.Now, Log: slog.New(slog.DiscardHandler), Tell: func(pbx.TollAlarm) {},
		Spoken: func(context.Context, time.Time, time.Time) ([]pbx.Spoken, error) { return nil, nil },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.ledger.Run(ctx); close(done) }()
	return func() { cancel(); <-done }
}

func (w *crowd) Line(string) (up bool, calls int) { return true, 0 }

// DialLine makes a leg to the outside, which does what phones do.
func (w *crowd) DialLine(d LineDial) (Leg, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.dice.IntN(20) {
	case 0:
		return nil, fmt.Errorf("dial: %w", ErrLineBusy)
	case 1:
		return nil, errors.New("dial: no port is left")
	}
	x := &extra{id: fmt.Sprint("leg", len(w.all)), notify: d.Notify, dialled: true}
	w.all = append(w.all, x)
	if w.dice.IntN(20) == 0 { // ends before DialLine returns
		x.gone = true
		d.Notify(Event{Leg: x, Kind: EventEnded, Cause: pbx.CauseNetworkOutOfOrder})
	}
	return x, nil
}

// within fails the test when somebody has more than the limits allow, or when
// calls that are over still count.
func (w *crowd) within(t *testing.T, over bool) {
	t.Helper()
	const split = time.Microsecond // what is shared among calls is rounded
	legs := 0
	for i := range w.cfg.Users {
		u := &w.cfg.Users[i]
		s := w.ledger.UserToll(u.ID)
		if s.Calls > w.cfg.Toll.UserCalls || s.Foreign > 2*time.Minute+split || s.Premium > time.Minute+split || over && s.Calls != 0 {
			t.Errorf("%s has used up %+v", u.Name, s)
		}
		legs += s.Calls
	}
	for _, g := range w.cfg.Gateways {
		s := w.ledger.GatewayToll(g.ID)
		if s.Foreign > 5*time.Minute+split || over && s.Calls != 0 {
			t.Errorf("%s has carried %+v", g.Name, s)
		}
		legs -= s.Calls
	}
	w.engine.mu.Lock()
	defer w.engine.mu.Unlock()
	for l, x := range w.engine.charges {
		if x.leg != l || w.engine.lines[l] == nil {
			t.Errorf("leg %s counts for somebody and reports to nobody", l.ID())
		}
	}
	if legs != 0 {
		t.Errorf("%d calls count for users more than for gateways", legs)
	}
}

// accounted fails the test unless the records of calls say what the ledger does:
// after a restart they are all that is left of it.
func (w *crowd) accounted(t *testing.T) {
	t.Helper()
	spoken := map[string]map[pbx.TollClass]time.Duration{}
	for _, r := range w.records {
		for _, l := range r.Legs {
			if !l.Toll.Limited() || l.Answered.IsZero() {
				continue
			}
			for _, who := range []string{l.Payer, l.Gateway} {
				if spoken[who] == nil {
					spoken[who] = map[pbx.TollClass]time.Duration{}
				}
				spoken[who][l.Toll] += l.Ended.Sub(l.Answered)
			}
		}
	}
	check := func(id string, s pbx.TollState) {
		if got := spoken[id]; got[pbx.TollForeign] != s.Foreign || got[pbx.TollPremium] != s.Premium {
			t.Errorf("%s: the records say %v, the ledger %+v", id, got, s)
		}
	}
	for i := range w.cfg.Users {
		check(w.cfg.Users[i].ID, w.ledger.UserToll(w.cfg.Users[i].ID))
	}
	for _, g := range w.cfg.Gateways {
		check(g.ID, w.ledger.GatewayToll(g.ID))
	}
}
