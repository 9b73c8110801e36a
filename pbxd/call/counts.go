package call

import (
	"maps"
	"slices"
	"time"

	"galilei/pbxd/pbx"
)

// ringing is a call that rings on an extension.
type ringing struct {
	since time.Time
}

// Calls returns how many calls an extension is in, those that ring included.
func (e *Engine) Calls(extension string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.busy[extension]
}

// What an extension may have of calls that it has started itself, so that no
// single user takes the audio ports and the calls of everybody. A call up holds
// two pairs of ports, one that rings a pair for each phone: together these are
// less than half of 1000 pairs. No desk comes near: what rings at an extension,
// of hunt groups too, counts for who has called.
const (
	OwnCalls  = 240 // at a time
	OwnTrying = 24  // of them, those that nobody has answered
)

// maxRounds is how many calls to one number, which nobody has answered, an
// extension may have while still more ring at its own phones: those that send
// calls on by calls of their own, and say nothing of it, go round in a circle.
// Who only calls has as many as OwnTrying.
const maxRounds = 4

// ownLocked returns why an extension cannot begin one more call, or 0. The
// caller holds e.mu.
func (e *Engine) ownLocked(c *call) pbx.Cause {
	if c.starter == "" {
		return 0
	}
	own, trying, same := 0, 0, 0
	for _, other := range e.calls {
		if other.starter != c.starter {
			continue
		}
		if other.fetching && c.fetching {
			return pbx.CauseUserBusy
		}
		if own++; !other.talks {
			trying++
			if other.in.Digits == c.in.Digits {
				same++
			}
		}
	}
	if same >= maxRounds && len(e.ringing[c.starter]) > same {
		e.deps.Log.Info("no call begins: it goes round in a circle", "extension", c.starter, "to", c.in.Digits, "rounds", same)
		return pbx.CauseUserBusy
	}
	if own >= OwnCalls || trying >= OwnTrying {
		e.deps.Log.Debug("no call begins: its extension has too many", "extension", c.starter, "calls", own, "unanswered", trying)
		return pbx.CauseCongestion
	}
	return 0
}

// fetched says that the phone of who asked for a call beside it has answered.
func (e *Engine) fetched(c *call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.fetching = false
}

// count counts the extensions that are in the call and those that ring, each
// once.
func (e *Engine) count(c *call) {
	in, rings := map[string]bool{}, map[string]bool{}
	for _, s := range []*side{c.a, c.b, c.by} {
		if s != nil && s.ext != "" {
			in[s.ext] = true
		}
	}
	for _, r := range c.rings {
		if r.ext != "" {
			in[r.ext], rings[r.ext] = true, true
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.countLocked(c, in)
	c.talks = c.b != nil || c.serving != nil || c.place != ""
	if c.starter != "" && !in[c.starter] { // it has transferred the call
		c.starter = ""
	}
	for ext, m := range e.ringing {
		if !rings[ext] && !m[c].since.IsZero() {
			e.unringLocked(c, ext)
		}
	}
	for ext := range rings {
		e.ringLocked(c, ext)
	}
}

// rings says that a call is about to ring on an extension.
func (e *Engine) rings(c *call, ext string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ringLocked(c, ext)
}

func (e *Engine) ringLocked(c *call, ext string) {
	if e.ringing[ext] == nil {
		e.ringing[ext] = map[*call]ringing{}
	}
	if _, rang := e.ringing[ext][c]; !rang {
		e.ringing[ext][c] = ringing{since: e.deps.Now()}
	}
}

func (e *Engine) unringLocked(c *call, ext string) {
	if delete(e.ringing[ext], c); len(e.ringing[ext]) == 0 {
		delete(e.ringing, ext)
	}
}

// countLocked counts exactly the given extensions as being in the call.
func (e *Engine) countLocked(c *call, in map[string]bool) {
	for ext := range in {
		if !c.holds[ext] {
			e.busy[ext]++
		}
	}
	for ext := range c.holds {
		if !in[ext] {
			if e.busy[ext]--; e.busy[ext] <= 0 {
				delete(e.busy, ext)
			}
		}
	}
	c.holds = in
}

// gone takes a call that has ended out of all lists.
func (e *Engine) gone(c *call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.countLocked(c, map[string]bool{})
	for _, ext := range slices.Collect(maps.Keys(e.ringing)) {
		if _, rings := e.ringing[ext][c]; rings {
			e.unringLocked(c, ext)
		}
	}
	if e.parked[c.place] == c {
		delete(e.parked, c.place)
	}
	delete(e.calls, c.status.ID)
}

// ringsOn returns the call that has rung the longest on one of the extensions,
// and on which; nil when none rings.
func (e *Engine) ringsOn(extensions ...string) (found *call, ext string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var since time.Time
	for _, x := range extensions {
		for c, r := range e.ringing[x] {
			if found == nil || r.since.Before(since) {
				found, ext, since = c, x, r.since
			}
		}
	}
	return found, ext
}

// park gives a call a parking place; false when another has it.
func (e *Engine) park(c *call, place string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if other := e.parked[place]; other != nil && other != c {
		return false
	}
	e.parked[place] = c
	c.place = place
	return true
}

// unpark frees the parking place of a call.
func (e *Engine) unpark(c *call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.parked[c.place] == c {
		delete(e.parked, c.place)
	}
	c.place = ""
}

// parkedAt returns the call in a parking place, or nil.
func (e *Engine) parkedAt(place string) *call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.parked[place]
}
