package outage

import (
	"slices"
	"time"

	"galilei/pbxd/pbx"
)

// line is a gateway that is down, or was and is not forgotten yet. Its times are
// those of the monotonic clock, save in outage.
type line struct {
	outage pbx.Outage
	down   bool
	since  time.Time // when it went down or came back, as it was seen
	alarm  bool      // it has been down for long enough to be shown
	told   bool      // to administrators
}

// take follows the state of a gateway. It reports whether the alarms have changed.
func (w *Watch) take(f pbx.Fact) (changed bool) {
	if f.Kind != pbx.FactLine || f.Line == nil {
		return false
	}
	s, l := f.Line, w.lines[f.Line.Gateway]
	switch {
	case f.Gone || s.State == pbx.LineOff && !w.expected(s):
		delete(w.lines, s.Gateway)
		return l != nil && l.alarm
	case s.State == pbx.LineTrying: // how it ends is not known
		return false
	case s.State == pbx.LineUp:
		return w.works(l)
	}
	return w.fails(l, s)
}

// expected reports whether a gateway that is off is to take calls: it belongs to a
// group, and its transport cannot be opened.
func (w *Watch) expected(s *pbx.LineStatus) bool {
	g := w.deps.Config().GatewayByID(s.Gateway)
	return g != nil && g.Group != ""
}

// works: the gateway of l, nil when it has never failed, takes calls.
func (w *Watch) works(l *line) (changed bool) {
	switch {
	case l == nil || !l.down:
		return false
	case !l.told:
		delete(w.lines, l.outage.Gateway)
	default: // until it is sure to last
		l.down, l.since, l.outage.Back = false, time.Now(), w.deps.Now()
	}
	changed, l.alarm = l.alarm, false
	return changed
}

// fails: the gateway of l, nil when it has not failed before, takes no calls.
func (w *Watch) fails(l *line, s *pbx.LineStatus) (changed bool) {
	now := pbx.Outage{Gateway: s.Gateway, State: s.State, Since: s.Since, Reason: s.Message}
	if now.Reason.IsZero() {
		now.Reason = pbx.Typed(s.Reason)
	}
	switch {
	case l == nil:
		w.lines[s.Gateway] = &line{outage: now, down: true, since: time.Now()}
		return false
	case l.down: // for another reason, perhaps
		now.Since = l.outage.Since
	default:
		l.down, l.since = true, time.Now()
	}
	changed = l.alarm && (l.outage.State != now.State || l.outage.Reason.Text() != now.Reason.Text())
	l.outage = now
	return changed
}

// raise makes alarms of gateways that have been down for long enough.
func (w *Watch) raise() (changed bool) {
	for _, l := range w.lines {
		if l.down && !l.alarm && time.Since(l.since) >= w.deps.After {
			l.alarm, changed = true, true
			w.deps.Log.Error("gateway down", "gateway", l.outage.Gateway, "state", l.outage.State, "reason", l.outage.Reason.Text())
		}
	}
	return changed
}

// due returns what administrators are to be told now. Once one outage is, those
// that are younger go along: it often is one fault of all gateways.
func (w *Watch) due() (n Notice) {
	w.forget()
	lines := w.sorted()
	if !slices.ContainsFunc(lines, func(l *line) bool { return w.untold(l) && time.Since(l.since) >= tellAfter*w.deps.After || w.over(l) }) {
		return n
	}
	for _, l := range lines {
		id := l.outage.Gateway
		switch {
		case w.over(l):
			n.Back = append(n.Back, l.outage)
			delete(w.lines, id)
		case w.untold(l):
			l.told, w.history[id] = true, append(w.history[id], time.Now())
			n.Down = append(n.Down, l.outage)
			if len(w.history[id]) == MostOutages {
				n.Quiet = append(n.Quiet, l.outage)
			}
		}
	}
	if len(w.notices) >= MostNotices {
		w.deps.Log.Warn("no mail about gateways: there were too many today", "down", len(n.Down), "back", len(n.Back))
		return Notice{}
	}
	w.notices = append(w.notices, time.Now())
	return n
}

// untold reports whether an alarm is to be told.
func (w *Watch) untold(l *line) bool {
	return l.alarm && !l.told && len(w.history[l.outage.Gateway]) < MostOutages
}

// over reports whether a gateway whose outage was told works again to stay.
func (w *Watch) over(l *line) bool { return !l.down && time.Since(l.since) >= w.deps.After }

// forget leaves out what was told more than a day ago.
func (w *Watch) forget() {
	old := func(t time.Time) bool { return time.Since(t) >= day }
	w.notices = slices.DeleteFunc(w.notices, old)
	for id, list := range w.history {
		if w.history[id] = slices.DeleteFunc(list, old); len(w.history[id]) == 0 {
			delete(w.history, id)
		}
	}
}

// sorted are the lines, those that went down first before.
func (w *Watch) sorted() (list []*line) {
	for _, l := range w.lines {
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b *line) int { return byAge(a.outage, b.outage) })
	return list
}
