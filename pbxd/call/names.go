package call

import (
	"slices"

	"galilei/pbxd/dialplan"
)

// nameCaller gives a caller from outside the name that the directories of
// everybody have for the number. What the private contacts of a user call it is
// for that user's phones and journal only.
func (c *call) nameCaller() {
	s := c.a
	if s.hidden || c.in.Caller.Number == "" {
		return
	}
	s.numbers = dialplan.NumbersOf(c.cfg, c.in.Gateway, c.in.Caller.Number)
	names := c.engine.names(s.numbers, nil)
	if names == nil { // they do not answer: this call does not wait for them again
		s.numbers = nil
	}
	if name := names[""]; name != "" {
		s.party.Name = name
	}
}

// nameTargets has the phones that are about to ring show the name that the
// private contacts of their users have for a caller from outside.
func (c *call) nameTargets(d *dialplan.Decision) {
	if c.a == nil || len(c.a.numbers) == 0 || len(d.Ring) == 0 {
		return
	}
	var users []string
	for _, t := range d.Ring {
		if _, known := c.a.names[t.UserID]; t.UserID != "" && t.Number != "" && !known {
			users = append(users, t.UserID)
		}
	}
	c.learn(users)
	d.Ring = slices.Clone(d.Ring)
	for i := range d.Ring {
		if t := &d.Ring[i]; t.Number != "" && c.a.names[t.UserID] != "" {
			t.CallerName = c.a.names[t.UserID]
		}
	}
}

// learn looks up what users call a.
func (c *call) learn(users []string) {
	if len(users) == 0 {
		return
	}
	found := c.engine.names(c.a.numbers, users)
	if c.a.names == nil {
		c.a.names = map[string]string{}
	}
	for _, u := range users {
		c.a.names[u] = found[u]
	}
}

// nameFor is who a is for a user whose phones do not ring.
func (c *call) nameFor(user string, other Party) Party {
	if len(c.a.numbers) == 0 || other.Number == "" {
		return other
	}
	if _, known := c.a.names[user]; !known {
		c.learn([]string{user})
	}
	if name := c.a.names[user]; name != "" {
		other.Name = name
	}
	return other
}

// calledName is what a user, or with "" everybody, calls the number that a line
// is told.
func (e *Engine) calledName(l dialplan.Line, user string) string {
	if l.Seize {
		return "" // an emergency call waits for nothing
	}
	names := e.names([]string{l.Called}, []string{user})
	if name := names[user]; name != "" {
		return name
	}
	return names[""]
}

// names looks numbers up in the directories.
func (e *Engine) names(numbers, users []string) map[string]string {
	if e.deps.Names == nil {
		return nil
	}
	return e.deps.Names(numbers, users)
}
