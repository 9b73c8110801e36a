package call

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// recordLeg adds a leg that begins now.
func (c *call) recordLeg(l recordLeg) *recordLeg {
	if l.Began.IsZero() {
		l.Began = c.engine.deps.Now()
	}
	c.recorded(func(r *record) {
		l.turn = c.engine.nextTurn()
		if len(r.legs) >= maxRecordLegs {
			if i := slices.IndexFunc(r.legs, func(x *recordLeg) bool { return x != r.caller && !x.Ended.IsZero() && x.Answered.IsZero() }); i >= 0 {
				r.legs = slices.Delete(r.legs, i, i+1)
			}
		}
		r.legs = append(r.legs, &l)
	})
	return &l
}

// recordCaller adds the leg of who has called.
func (c *call) recordCaller(s *side) {
	l := recordLeg{RecordLeg: pbx.RecordLeg{Party: pbx.RecordParty{Number: s.party.Number, Name: s.party.Name, User: s.user}, Began: c.status.Started}}
	if g := c.cfg.GatewayByID(c.in.Gateway); c.in.Gateway != "" {
		l.Gateway, l.Party.Number = c.in.Gateway, c.in.Caller.Number
		l.Party.E164 = c.received(c.in.Caller.Number)
		if g != nil {
			l.group = g.Group
		}
	}
	s.rec = c.recordLeg(l)
	c.recordHead(s.rec)
}

// recordHead says who has called.
func (c *call) recordHead(l *recordLeg) {
	c.recorded(func(r *record) {
		if r.order == c.order {
			r.caller = l
		}
	})
}

// recordLine is the leg of a call to the outside.
func (c *call) recordLine(l *dialplan.Line) recordLeg {
	x := recordLeg{RecordLeg: pbx.RecordLeg{Party: pbx.RecordParty{Number: l.Called}, Gateway: l.Gateway, Payer: l.Payer, Toll: l.Class}, dialed: true, group: l.Group}
	if strings.HasPrefix(l.Called, "+") {
		x.Party.E164 = l.Called
	}
	if q := c.query.QuickDial; q != nil && !q.Private && len(c.decision.Diversions) == 0 {
		x.Party.Name = q.Name
	}
	return x
}

// numbering is how numbers are written where the device stands.
func (c *call) numbering() pbx.Numbering { return c.country.Numbering(c.cfg.Locale.AreaCode) }

// received returns the E.164 form of a number that has come over a gateway; "" when
// it has none.
func (c *call) received(number string) string {
	if g := c.cfg.GatewayByID(c.in.Gateway); g != nil && number != "" && number[0] >= '1' && number[0] <= '9' {
		if group := c.cfg.GatewayGroupByID(g.Group); group != nil && group.NumberStyle == pbx.StyleDigits {
			number = "+" + number
		}
	}
	e164, _ := c.numbering().E164(number)
	return e164
}

// recordSought notes for whom a decision looks, and who has sent the call on.
func (c *call) recordSought(d dialplan.Decision) {
	if d.Function != "" || c.a == nil { // a code is no call
		return
	}
	dialled, e164 := c.dialled(), ""
	switch {
	case c.in.Gateway != "":
		e164 = c.received(dialled.Number)
	case len(d.Lines) > 0 && len(d.Diversions) == 0 && strings.HasPrefix(d.Lines[0].Called, "+"):
		e164 = d.Lines[0].Called
	case d.Kind == dialplan.Refuse && c.cfg.Locale.OutsideLine != "": // no line takes it
		if number, outside := strings.CutPrefix(dialled.Number, c.cfg.Locale.OutsideLine); outside || strings.HasPrefix(number, "+") {
			e164, _ = c.numbering().E164(number)
		}
	}
	c.recorded(func(r *record) {
		r.sought, r.urgent = true, r.urgent || d.Emergency != ""
		if r.whole.Dialled == "" {
			r.whole.Dialled, r.whole.DialledE = cmp.Or(dialled.Number, c.query.Digits), e164
		}
	})
	for _, x := range d.Diversions[min(c.sentOn, len(d.Diversions)):] {
		c.recordDiversion(x)
	}
	c.sentOn = len(d.Diversions)
}

// recordDiversion notes that a user has sent the call on: at the phone that rang
// last, or as a leg of its own.
func (c *call) recordDiversion(x dialplan.Diversion) {
	rang := false
	c.recorded(func(r *record) {
		for _, l := range slices.Backward(r.legs) {
			if l.dialed && x.UserID != "" && l.Party.User == x.UserID && l.Answered.IsZero() && l.Act == "" {
				l.Act, rang = pbx.RecordForwarded, true
				return
			}
		}
	})
	if rang {
		return
	}
	l := c.recordLeg(recordLeg{RecordLeg: pbx.RecordLeg{Party: pbx.RecordParty{Number: x.Extension, Name: x.Name, User: x.UserID}, Act: pbx.RecordForwarded}, dialed: true})
	cause := pbx.Cause(0)
	switch x.Reason {
	case pbx.DivertBusy:
		cause = pbx.CauseUserBusy
	case pbx.DivertNoAnswer:
		cause = pbx.CauseNoAnswer
	}
	c.recordEnd(l, cause)
}

// recordAnswer notes that a leg is connected.
func (c *call) recordAnswer(l *recordLeg) {
	now := c.engine.deps.Now()
	c.recorded(func(*record) {
		if l != nil && l.Answered.IsZero() {
			l.Answered = now
		}
	})
}

// recordOut notes that a side has left.
func (c *call) recordOut(s *side, cause pbx.Cause) {
	c.recordEnd(s.rec, cause)
	c.recorded(func(*record) {
		if s.rec != nil {
			s.rec.hidden = s.hidden
		}
	})
}

// recordEnd notes that a leg has ended.
func (c *call) recordEnd(l *recordLeg, cause pbx.Cause) {
	now := c.engine.deps.Now()
	c.recorded(func(*record) {
		if l != nil && l.Ended.IsZero() {
			l.Ended, l.Cause = now, cause
		}
	})
}

// recordAct notes what a leg did with the call.
func (c *call) recordAct(l *recordLeg, act pbx.RecordAct) {
	c.recorded(func(*record) {
		if l != nil {
			l.Act, l.before = act, l.Act
		}
	})
}

// recordUndone takes back the last act of a leg.
func (c *call) recordUndone(l *recordLeg) {
	c.recorded(func(*record) {
		if l != nil {
			l.Act = l.before
		}
	})
}

// recordReplaced notes that a leg has taken the place of another: unless it is
// that user's own, that was an act of that other.
func (c *call) recordReplaced(s, old *side, act pbx.RecordAct) {
	if s.ext != old.ext {
		c.recordAct(old.rec, act)
	}
}

// recordTalk notes that a and b talk.
func (c *call) recordTalk() {
	now := c.engine.deps.Now()
	c.recorded(func(r *record) {
		r.sought, r.pair, r.turn = true, [2]*recordLeg{c.a.rec, c.b.rec}, c.engine.nextTurn()
		r.whole.Dialled = cmp.Or(r.whole.Dialled, c.status.To) // a code has led to somebody who was parked
		if r.whole.Answered.IsZero() {
			r.whole.Answered = now
		}
	})
}

// recordNoTalk takes back that somebody was heard.
func (c *call) recordNoTalk() {
	c.recorded(func(r *record) {
		if r.order == c.order && c.a != nil && c.b != nil && r.pair == [2]*recordLeg{c.a.rec, c.b.rec} {
			r.pair, r.whole.Answered = [2]*recordLeg{}, time.Time{}
		}
	})
}
