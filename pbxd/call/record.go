package call

import (
	"cmp"
	"slices"
	"time"

	"galilei/pbxd/pbx"
)

// record is what the call record of a call will say. The calls between which legs
// go have one together: it is told when the last of them has ended. All of it is
// under Engine.recording.
type record struct {
	into  *record // has become a part of that one
	open  int     // calls that have not ended, and legs on their way from one to another
	order uint64  // of the call that it is named after

	whole  pbx.CallRecord
	sought bool // somebody was called, or there was talk: function codes alone are no call
	urgent bool // an emergency number was called
	legs   []*recordLeg
	caller *recordLeg
	pair   [2]*recordLeg // who talked with each other last
	turn   uint64        // when that was; later ones are higher
}

// recordLeg is a leg in a record. It goes with its leg from call to call.
type recordLeg struct {
	pbx.RecordLeg
	turn   uint64        // when it began; later ones are higher
	dialed bool          // by the device
	hidden bool          // the others were not to see who it is
	group  string        // of the gateway
	before pbx.RecordAct // its act but for the last one
}

// maxRecordLegs is how many legs a record holds: of those beyond, the oldest go
// that have ended without an answer.
const maxRecordLegs = 100

// recorded lets f look at the record of the call and alter it, unless nobody wants
// to hear of it.
func (c *call) recorded(f func(*record)) {
	e := c.engine
	if e.deps.Watch.Recorded == nil {
		return
	}
	e.recording.Lock()
	defer e.recording.Unlock()
	f(c.record.root())
}

func (r *record) root() *record {
	for r.into != nil {
		r = r.into
	}
	return r
}

// nextTurn numbers what happens in records, so that times that are the same have
// an order. The caller holds e.recording.
func (e *Engine) nextTurn() uint64 {
	e.turn++
	return e.turn
}

// newRecord begins the record of a call.
func newRecord(s pbx.CallStatus, order uint64) *record {
	return &record{open: 1, order: order, whole: pbx.CallRecord{Call: s.ID, Began: s.Started}}
}

// recordHold keeps the record open while a leg is on its way to another call.
func (c *call) recordHold() { c.recorded(func(r *record) { r.open++ }) }

// recordJoin makes one record of those of two calls: a leg has come from one to
// the other.
func (c *call) recordJoin(other *call) {
	c.recorded(func(r *record) {
		o := other.record.root()
		if r == o {
			return
		}
		if r.sought != o.sought && o.sought || r.sought == o.sought && o.order < r.order {
			r, o = o, r
		}
		o.into = r
		r.open, r.sought, r.urgent = r.open+o.open, r.sought || o.sought, r.urgent || o.urgent
		r.legs = append(r.legs, o.legs...)
		if r.caller == nil {
			r.caller = o.caller
		}
		if r.whole.Cause == 0 {
			r.whole.Cause = o.whole.Cause
		}
		if o.turn > r.turn {
			r.pair, r.turn = o.pair, o.turn
		}
		if a := o.whole.Answered; !a.IsZero() && (r.whole.Answered.IsZero() || a.Before(r.whole.Answered)) {
			r.whole.Answered = a
		}
		o.legs, o.caller, o.pair = nil, nil, [2]*recordLeg{}
	})
}

// recordClose says that a call has ended, or that a leg has arrived. The last to
// say so tells of the record.
func (c *call) recordClose(cause pbx.Cause) {
	now := c.engine.deps.Now()
	var over *record
	c.recorded(func(r *record) {
		if cause != 0 {
			r.whole.Cause = cause
		}
		if r.open--; r.open == 0 && r.sought {
			over = r
		}
	})
	if over != nil {
		c.engine.deps.Watch.Recorded(over.close(now))
	}
}

// recordOver says that the call has ended. Where it has gone on in another, that
// one tells why all of it did.
func (c *call) recordOver() {
	cause := c.status.Cause
	if c.onward != "" {
		cause = 0
	}
	c.recordClose(cause)
}

// close completes a record. Nobody else has it any more.
func (r *record) close(now time.Time) pbx.CallRecord {
	slices.SortStableFunc(r.legs, func(a, b *recordLeg) int { return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.turn, b.turn)) })
	w := &r.whole
	w.Direction, w.Toll = pbx.RecordInternal, pbx.TollInternal
	if r.caller != nil {
		w.Caller, w.Hidden, w.GatewayIn, w.GroupIn = r.caller.Party, r.caller.hidden, r.caller.Gateway, r.caller.group
	}
	for _, l := range r.legs {
		if l.Ended.IsZero() {
			l.Ended = now
		}
		if l.Ended.After(w.Ended) {
			w.Ended = l.Ended
		}
	}
	if w.Ended.IsZero() {
		w.Ended = now
	}
	if out := r.out(); out != nil {
		w.Direction, w.GatewayOut, w.GroupOut, w.Toll = pbx.RecordOut, out.Gateway, out.group, out.Toll
	}
	switch {
	case w.GatewayIn != "":
		w.Direction = pbx.RecordIn
	case w.DialledE != "" || r.urgent: // and no line took it
		w.Direction = pbx.RecordOut
	}
	w.Result = resultOf(w.Cause)
	until := w.Ended
	if !w.Answered.IsZero() {
		w.Result, w.Target, until = pbx.RecordAnswered, r.target(), w.Answered
		w.Talk = seconds(w.Ended.Sub(w.Answered))
	}
	w.Ring = seconds(until.Sub(w.Began))
	for over := len(r.legs) - maxRecordLegs; over > 0; over-- { // all of them rang at the same time
		i := slices.IndexFunc(r.legs, func(l *recordLeg) bool { return l != r.caller && l.Answered.IsZero() })
		r.legs = slices.Delete(r.legs, max(i, 0), max(i, 0)+1)
	}
	for _, l := range r.legs {
		w.Legs = append(w.Legs, l.RecordLeg)
	}
	return *w
}

// out is the leg by which the call left the device: the dearest of those that
// were answered, or of all.
func (r *record) out() (found *recordLeg) {
	for _, l := range r.legs {
		if !l.dialed || l.Gateway == "" {
			continue
		}
		if found == nil || found.Answered.IsZero() || !l.Answered.IsZero() && l.Toll.Dearer(found.Toll) == l.Toll {
			found = l
		}
	}
	return found
}

// target is who talked last with the caller. When the caller has gone before that
// is who came last of those two who talked.
func (r *record) target() pbx.RecordParty {
	x, y := r.pair[0], r.pair[1]
	switch {
	case x == nil || y == nil:
		return pbx.RecordParty{}
	case r.isCaller(x):
		return y.Party
	case r.isCaller(y) || x.turn > y.turn:
		return x.Party
	}
	return y.Party
}

func (r *record) isCaller(l *recordLeg) bool {
	return l == r.caller || r.caller != nil && l.Party.User != "" && l.Party.User == r.caller.Party.User
}

// resultOf is what became of a call that nobody has answered.
func resultOf(cause pbx.Cause) pbx.RecordResult {
	switch cause {
	case pbx.CauseUserBusy, pbx.CauseCallRejected:
		return pbx.RecordBusy
	case pbx.CauseNormalClearing, pbx.CauseNoAnswer, pbx.CauseNoUserResponding, pbx.CauseSubscriberAbsent, pbx.CauseNormalUnspecified, pbx.CauseAnsweredElsewhere:
		return pbx.RecordNoAnswer
	}
	return pbx.RecordFailed
}

func seconds(d time.Duration) int { return int(max(d, 0).Round(time.Second) / time.Second) }
