package call

import (
	"slices"

	"galilei/pbxd/pbx"
)

// The switchboard of an Engine knows which call a leg reports to. All of it is
// under Engine.mu, so that a leg moves from call to call in one step: what it
// has reported and the old call has not dealt with goes along, in order.

// maxBehind is how many items a call may lag behind before it loses what can be
// lost: ringing and digits. Of the rest a leg has one outstanding at most.
const maxBehind = 256

// item is something that a call has to deal with: an event of one of its legs,
// or a word of another goroutine, which do carries out in the call's own.
type item struct {
	ev Event
	do func()
}

// push gives a call an item; false when the call has ended. The caller holds
// e.mu.
func (e *Engine) push(c *call, items ...item) bool {
	if c.closed {
		return false
	}
	c.queue = append(c.queue, items...)
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return true
}

// notify takes an event of a leg. origin is the call that the leg was made for.
func (e *Engine) notify(origin *call, ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.lines[ev.Leg]
	if c == nil {
		c = origin
	}
	if ev.Kind == EventEnded {
		delete(e.lines, ev.Leg)
		delete(e.over, ev.Leg)
	}
	if len(c.queue) >= maxBehind && (ev.Kind == EventRinging || ev.Kind == EventDigit) {
		c.log.Warn("call does not keep up: event lost", "leg", ev.Leg.ID(), "kind", ev.Kind)
		return
	}
	e.push(c, item{ev: ev})
}

// post has a call do something in its own goroutine; false when it has ended.
func (e *Engine) post(c *call, do func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.push(c, item{do: do})
}

// next returns what a call has to deal with next. With last, a call that has
// nothing left takes no more.
func (e *Engine) next(c *call, last bool) (item, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(c.queue) == 0 {
		c.closed = c.closed || last
		return item{}, false
	}
	i := c.queue[0]
	c.queue[0] = item{}
	c.queue = c.queue[1:]
	return i, true
}

// connectLine says that a leg reports to a call.
func (e *Engine) connectLine(l Leg, c *call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lines[l] = c
}

// dropLine forgets a leg.
func (e *Engine) dropLine(l Leg) {
	e.mu.Lock()
	x := e.charges[l]
	delete(e.charges, l)
	delete(e.lines, l)
	delete(e.over, l)
	e.mu.Unlock()
	if x != nil {
		e.deps.Meter.End(x.ticket)
	}
}

// callOf returns the call that a leg is in, or nil.
func (e *Engine) callOf(l Leg) *call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lines[l]
}

// move gives a leg of one call to another, with what it has reported since.
// The other does arrive first. Nothing happens, and it returns false, when the
// other has ended.
func (e *Engine) move(l Leg, from, to *call, arrive func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.push(to, item{do: arrive}) {
		return false
	}
	of := func(i item) bool { return i.do == nil && i.ev.Leg == l }
	for _, i := range from.queue {
		if of(i) {
			e.push(to, i)
		}
	}
	from.queue = slices.DeleteFunc(from.queue, of)
	if _, live := e.lines[l]; live {
		e.lines[l] = to
		to.urgent = to.urgent || from.urgent && e.over[l] != ""
	}
	return true
}

// handover is a side on its way from one call to another.
type handover struct {
	side *side
	from *call
	take func(y *call, s *side) pbx.Cause    // by the other call: 0 when it takes the side
	done func(refused pbx.Cause, back *side) // by the giving call: 0 and nil when it was taken
}

// hand gives a side to another call, which decides whether it takes it. Until
// done is called the side belongs to neither of the giver's places.
func (c *call) hand(h handover, to *call) {
	h.from = c
	c.engine.count(c)
	c.recordHold()
	if !c.engine.move(h.side.leg, c, to, func() { h.arrive(to) }) {
		h.done(causeGone, h.side)
		c.recordClose(0)
	}
}

// arrive decides, in the goroutine of y, whether y takes the side. The giver
// learns of it even when y fails over it.
func (h handover) arrive(y *call) {
	settled := false
	defer func() {
		if settled {
			return
		}
		if y.a != h.side && y.b != h.side {
			y.letGo(h.side, causeGone)
		}
		y.engine.post(h.from, func() { h.done(0, nil) })
		h.from.recordClose(0)
	}()
	refused := causeGone
	if !y.ended {
		refused = h.take(y, h.side)
	}
	if refused == 0 {
		y.recordJoin(h.from)
		y.joined(h.side.leg, h.side.party)
		y.changed()
		y.engine.post(h.from, func() { h.done(0, nil) })
	} else if !y.engine.move(h.side.leg, y, h.from, func() { h.done(refused, h.side) }) {
		y.letGo(h.side, refused)
	}
	settled = true
	h.from.recordClose(0)
}
