package call

import (
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// entry is the call as one of its users sees it, while it goes on. The methods
// of a nil entry do nothing: it is that of somebody who has no journal.
type entry struct {
	pbx.JournalEntry
	talking  bool
	since    time.Time     // while talking
	talked   time.Duration // before that
	declined bool
}

// newEntry begins an entry of a user.
func (c *call) newEntry(user string, d pbx.CallDirection, other Party, group string) *entry {
	return &entry{JournalEntry: pbx.JournalEntry{
		User: user, Call: c.status.ID, Direction: d, Number: other.Number, Name: other.Name, Group: group, Time: c.engine.deps.Now(),
	}}
}

// begin says that the user talks from now on.
func (e *entry) begin(now time.Time) {
	if e == nil {
		return
	}
	e.Result, e.talking, e.since = pbx.CallAnswered, true, now
}

// pause says that the user talks no more: the call was transferred.
func (e *entry) pause(now time.Time) {
	if e == nil || !e.talking {
		return
	}
	e.talked, e.talking = e.talked+now.Sub(e.since), false
}

// resume says that the user talks again.
func (e *entry) resume(now time.Time) {
	if e != nil && e.Result == pbx.CallAnswered {
		e.talking, e.since = true, now
	}
}

// neverTalked takes back that a call was answered whose caller, who had left the
// offer to us, answers it with nothing that can be used.
func (c *call) neverTalked() {
	c.recordNoTalk()
	for _, s := range []*side{c.a, c.b} {
		if s == nil || s.entry == nil {
			continue
		}
		e := s.entry
		e.Result, e.talking, e.talked = "", false, 0
		if e.Direction == pbx.CallIn {
			e.Result = pbx.CallMissed
		}
	}
}

// named completes the name of who was called.
func (e *entry) named(other *side) {
	if e != nil && e.Name == "" && e.Number == other.party.Number && !other.hidden {
		e.Name = other.party.Name
	}
}

// noteDecision notes whom a decision of the dialplan concerns: the caller, who
// is called, and who has sent the call on.
func (c *call) noteDecision(d dialplan.Decision) {
	if d.Function != "" || c.a == nil { // a code is no call
		return
	}
	if c.a.entry == nil && c.a.user != "" && (!c.a.up || c.wanted.Digits != "") && c.transferor == "" {
		other := c.dialled()
		if u := c.cfg.UserByExtension(other.Number); u != nil {
			other.Name = u.DisplayName()
		}
		if d.Kind == dialplan.Outside && other.Name == "" {
			other.Name = c.engine.calledName(d.Lines[0], c.a.user)
		}
		c.a.entry = c.newEntry(c.a.user, pbx.CallOut, other, c.group(d))
		c.a.entry.Time = c.status.Started
	}
	for _, x := range d.Diversions {
		c.noteCalled(x.UserID)
	}
	c.noteCalled(d.Called())
	for _, t := range d.Ring {
		c.noteRung(t, c.group(d))
	}
}

// dialled is who was called as the caller has dialled it, without the code for how.
func (c *call) dialled() Party {
	p := Party{Number: c.query.Digits}
	if q := c.query.QuickDial; q != nil {
		p = Party{Number: q.Number, Name: q.Name}
	}
	if code, rest, ok := c.cfg.FunctionCodes.Match(p.Number); ok && (code.Function == pbx.FunctionHideNumber || code.Function == pbx.FunctionIntercom) {
		p.Number = rest
	}
	return p
}

// group is the title of the hunt group of a decision.
func (c *call) group(d dialplan.Decision) string {
	for i := range c.cfg.HuntGroups {
		if c.cfg.HuntGroups[i].ID == d.Group && d.Group != "" {
			return c.cfg.HuntGroups[i].Title
		}
	}
	return ""
}

// noteCalled notes a user who is called but whose phones may not ring.
func (c *call) noteCalled(user string) {
	if u := c.cfg.UserByID(user); u != nil {
		other := c.a.shown()
		if c.query.Caller.UserID != "" && c.query.Shown == nil {
			other.Number, other.Name = dialplan.CallerShown(c.cfg, c.query, u)
		}
		other = c.nameFor(user, other)
		c.noteRung(dialplan.Target{UserID: user, Number: other.Number, CallerName: other.Name}, "")
	}
}

// noteRung notes a user whose phones ring.
func (c *call) noteRung(t dialplan.Target, group string) {
	if t.UserID == "" || c.entries[t.UserID] != nil || c.a != nil && c.a.user == t.UserID {
		return
	}
	c.entries[t.UserID] = c.newEntry(t.UserID, pbx.CallIn, Party{Number: t.Number, Name: t.CallerName}, group)
}

// declined notes that a user has refused the call: by its cause, or as many
// phones do by busy while they ring.
func (c *call) declined(r *rung, cause pbx.Cause) {
	if e := c.entries[r.target.UserID]; e != nil && (cause == pbx.CauseCallRejected || cause == pbx.CauseUserBusy && r.alerted) {
		e.declined = true
	}
}

// noteElsewhere closes the entries of those who rang and did not answer, since
// somebody else has.
func (c *call) noteElsewhere() {
	for id, e := range c.entries {
		delete(c.entries, id)
		e.Result = pbx.CallElsewhere
		if e.declined {
			e.Result = pbx.CallDeclined
		}
		c.noted(e)
	}
}

// noteRest closes the entries of those who rang, since nobody has answered.
func (c *call) noteRest() {
	for id, e := range c.entries {
		delete(c.entries, id)
		e.Result = pbx.CallMissed
		if e.declined {
			e.Result = pbx.CallDeclined
		}
		c.noted(e)
	}
}

// note closes the entry of a side.
func (c *call) note(s *side, cause pbx.Cause) {
	e := s.entry
	if e == nil {
		return
	}
	s.entry = nil
	e.pause(c.engine.deps.Now())
	e.Duration = int(e.talked.Round(time.Second) / time.Second)
	if e.Result == "" {
		switch cause {
		case pbx.CauseUserBusy, pbx.CauseCallRejected:
			e.Result = pbx.CallBusy
		case pbx.CauseNormalClearing, pbx.CauseNoAnswer, pbx.CauseNoUserResponding, pbx.CauseSubscriberAbsent, pbx.CauseNormalUnspecified, pbx.CauseAnsweredElsewhere:
			e.Result = pbx.CallNoAnswer
		default:
			e.Result = pbx.CallFailed
		}
	}
	c.noted(e)
}

func (c *call) noted(e *entry) {
	if told := c.engine.deps.Watch.Noted; told != nil {
		told(e.JournalEntry)
	}
}
