package toll

import (
	"context"
	"fmt"
	"time"

	"galilei/pbxd/pbx"
)

// longest is the time between two looks: the clock may be set meanwhile.
const longest = time.Minute

// loadTime is for how long the sums of the call records are waited for.
const loadTime = 10 * time.Second

// Run watches the limits until ctx ends.
func (l *Ledger) Run(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	failed := false
	for {
		select {
		case <-t.C:
		case <-l.wake:
		case <-ctx.Done():
			return
		}
		err := l.Load(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			l.deps.Log.Error("what was spoken today before the start does not count yet: it cannot be read", "err", err)
		}
		failed = err != nil
		t.Reset(l.watch())
	}
}

// Load counts what was spoken today before the start, once, as soon as the clock
// is set. It must not run beside itself.
func (l *Ledger) Load(ctx context.Context) error {
	today := dayOf(l.deps.Now(), l.deps.Config())
	if l.loaded || !today.set {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, loadTime)
	defer cancel()
	list, err := l.deps.Spoken(ctx, today.from, l.deps.Now().Add(-time.Since(l.begun)))
	if err != nil {
		return fmt.Errorf("limits of calls: %w", err)
	}
	l.loaded = true
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(l.deps.Config())
	if !l.day.from.Equal(today.from) {
		return nil // it was midnight meanwhile
	}
	for _, x := range list {
		for _, h := range []holder{{user: x.User}, {gateway: x.Gateway}} {
			if h != (holder{}) && x.Class.Limited() {
				l.account(h).spoken[x.Class] += x.Talk
			}
		}
	}
	// What was told before the start is not told again.
	for _, a := range l.alarms(l.deps.Config()) {
		l.account(holder{a.User, a.Gateway}).told[a.Class] = told{near: true, reached: a.Reached}
	}
	return nil
}

// watch tells of limits, ends calls beyond them, and returns when to look again.
func (l *Ledger) watch() (next time.Duration) {
	cfg := l.deps.Config()
	tell, cut, next := l.beyond(cfg)
	for _, a := range tell {
		l.deps.Log.Warn("a limit of calls is used up in part or whole", "user", a.User, "gateway", a.Gateway, "class", a.Class, "minutes", a.Spoken, "of", a.Limit)
		l.deps.Tell(a)
	}
	for _, end := range cut {
		end()
	}
	return next
}

// beyond finds what watch has to do.
func (l *Ledger) beyond(cfg *pbx.Config) (tell []pbx.TollAlarm, cut []func(), next time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(cfg)
	now := l.deps.Now()
	next = longest
	if left := l.day.to.Sub(now); left > 0 {
		next = min(next, left)
	}
	for h, a := range l.accounts {
		for _, class := range classes() {
			most := limitOf(cfg, h, class)
			spoken, talking := l.state(h).Spoken(class), l.talking(h, class)
			near := most * time.Duration(cfg.Toll.AlarmPercent) / 100
			before, is := a.told[class], told{near: most > 0 && spoken >= near, reached: most > 0 && spoken >= most}
			if is.reached && !before.reached || is.near && !before.near {
				tell = append(tell, alarmOf(h, class, spoken, most))
			}
			a.told[class] = is // a limit that was raised can be reached again
			if is.reached {
				for _, t := range talking {
					if !t.cut {
						t.cut = true
						alarm := alarmOf(h, class, spoken, most)
						cut = append(cut, func() { t.over(alarm.Said(cfg)) })
					}
				}
				continue
			}
			for _, threshold := range []time.Duration{near, most} {
				if n := time.Duration(len(talking)); n > 0 && threshold > spoken {
					next = min(next, (threshold-spoken+n-1)/n)
				}
			}
		}
	}
	return tell, cut, next
}

// talking are the calls of a holder to numbers of a class that were answered. The
// caller holds l.mu.
func (l *Ledger) talking(h holder, class pbx.TollClass) (list []*talk) {
	for _, t := range l.calls {
		if t.class == class && !t.since.IsZero() && (t.holders[0] == h || t.holders[1] == h) {
			list = append(list, t)
		}
	}
	return list
}

// Alarms returns the limits that are almost or wholly used up today, until the
// day ends or the limit is raised.
func (l *Ledger) Alarms() []pbx.TollAlarm {
	cfg := l.deps.Config()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(cfg)
	return l.alarms(cfg)
}

func (l *Ledger) alarms(cfg *pbx.Config) (list []pbx.TollAlarm) {
	for h := range l.accounts {
		for _, class := range classes() {
			most, spoken := limitOf(cfg, h, class), l.state(h).Spoken(class)
			if most > 0 && spoken >= most*time.Duration(cfg.Toll.AlarmPercent)/100 {
				list = append(list, alarmOf(h, class, spoken, most))
			}
		}
	}
	return list
}

func classes() []pbx.TollClass { return []pbx.TollClass{pbx.TollForeign, pbx.TollPremium} }

// limitOf is what a holder may speak in a day; 0 is any time.
func limitOf(cfg *pbx.Config, h holder, class pbx.TollClass) time.Duration {
	minutes := cfg.Toll.GatewayMinutes(class)
	if h.gateway == "" {
		minutes = cfg.Toll.UserMinutes(class)
	}
	return time.Duration(minutes) * time.Minute
}

func alarmOf(h holder, class pbx.TollClass, spoken, most time.Duration) pbx.TollAlarm {
	return pbx.TollAlarm{User: h.user, Gateway: h.gateway, Class: class, Spoken: int(spoken / time.Minute), Limit: int(most / time.Minute), Reached: spoken >= most}
}
