package call

import (
	"slices"
	"strconv"
	"time"

	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// makingTime is for how long a leg may be known to its phone before it is to its
// call, at most.
const makingTime = 200 * time.Millisecond

// takesPlace gives the caller of an INVITE with Replaces (RFC 3891) to the call
// of the leg that it names.
func (c *call) takesPlace() {
	r := c.in.Replaces
	to := c.engine.callOf(r)
	if to == nil && !c.patient { // it may be in the making: the phone was told of it before its call was
		c.patient = true
		c.engine.count(c)
		c.wait(makingTime, c.takesPlace)
		return
	}
	if to == nil || to == c {
		c.end(pbx.CauseTemporaryFailure)
		return
	}
	who := c.a.ext
	c.lend(to, func(y *call, s *side) pbx.Cause { return y.replace(s, r, who) })
}

// lend gives a, who waits for an answer, to another call; this one then ends.
func (c *call) lend(to *call, take func(y *call, s *side) pbx.Cause) {
	s := c.a
	c.a, c.lent = nil, true
	c.hand(handover{side: s, take: take, done: func(refused pbx.Cause, back *side) {
		c.lent = false
		switch {
		case back == nil:
			c.onward = to.status.ID
			c.end(pbx.CauseNormalClearing)
		case c.ended:
			c.letGo(back, refused)
		default:
			c.a = back
			c.fails(refused)
		}
	}}, to)
}

// replace lets s take the place of r, in the name of the extension who. It
// returns why not, or 0.
func (c *call) replace(s *side, r Leg, who string) pbx.Cause {
	if ring := c.rings[r]; ring != nil {
		if ring.ext != who && !c.mayPickUp(who, ring.ext) {
			return pbx.CauseNotAuthorised
		}
		return c.pickedUp(s, ring.ext)
	}
	var old *side
	for _, x := range []*side{c.a, c.b} {
		if x != nil && x.leg == r {
			old = x
		}
	}
	switch {
	case old == nil || c.lent || c.by != nil || c.transferor != "":
		return pbx.CauseTemporaryFailure
	case old.ext == "" || old.ext != who:
		return pbx.CauseNotAuthorised
	}
	other := c.otherOf(old)
	if other == nil {
		return c.replaceWaiting(s, old)
	}
	if !s.fits(other) {
		return pbx.CauseIncompatible
	}
	c.step("transfer", "{number} takes the place of {other}", "number", s.party.Number, "other", old.party.Number)
	c.inherit(s, old)
	c.recordReplaced(s, old, pbx.RecordTransferred)
	c.part(old, other)
	if old == c.a {
		c.a = s
	} else {
		c.b = s
	}
	c.letGo(old, pbx.CauseNormalClearing)
	if s.up {
		s.hears = hearsPeer
		s.leg.Audio().Play(nil)
	}
	other.leg.Shows(s.shown())
	s.leg.Shows(other.shown())
	c.answer(s, other)
	c.join(true)
	return 0
}

// replaceWaiting lets s wait in place of old: for a phone that rings, or in a
// parking place.
func (c *call) replaceWaiting(s, old *side) pbx.Cause {
	switch {
	case c.parking != "":
		place := c.parking
		if !c.engine.park(c, place) {
			return pbx.CauseUserBusy
		}
		c.parking = ""
		c.inherit(s, old)
		c.recordReplaced(s, old, pbx.RecordParked)
		c.a = s
		c.letGo(old, pbx.CauseNormalClearing)
		c.answer(s, nil)
		c.parkHere(place, old.ext)
		return 0
	case len(c.rings) > 0 && c.quest != questFetch:
		c.step("transfer", "{number} takes the place of {other}", "number", s.party.Number, "other", old.party.Number)
		c.noEarly()
		c.inherit(s, old)
		c.recordReplaced(s, old, pbx.RecordTransferred)
		c.a = s
		if s.ext != old.ext && c.quest == questCall { // a transfer: when nobody takes the call, it goes back to who transfers
			c.transferor = old.ext
			shown := s.shown()
			c.query.Shown = &dialplan.Shown{Number: shown.Number, Name: shown.Name}
		}
		c.letGo(old, pbx.CauseNormalClearing)
		switch {
		case !s.up:
			if c.alerted {
				s.leg.Ringing(nil)
			}
		case c.alerted:
			s.hear(hearsRingback, &c.country)
		default:
			s.hear(hearsSilence, &c.country)
		}
		return 0
	}
	return pbx.CauseTemporaryFailure
}

// inherit gives s, when it comes by an INVITE of its own, the journal entry of
// a call like that of the one whose place it takes.
func (c *call) inherit(s, old *side) {
	if s.entry == nil && s.user != "" && old.entry != nil {
		s.entry = c.newEntry(s.user, old.entry.Direction, Party{Number: old.entry.Number, Name: old.entry.Name}, old.entry.Group)
		s.entry.begin(c.engine.deps.Now())
	}
}

// pickUp takes the call that rings the longest on one of the extensions.
func (c *call) pickUp(extensions ...string) {
	own := c.a.ext
	if c.transferor != "" {
		c.fails(pbx.CauseFacilityRejected)
		return
	}
	extensions = slices.DeleteFunc(extensions, func(x string) bool { return x == own })
	to, ext := c.engine.ringsOn(extensions...)
	if to == nil || to == c {
		c.step("pickup", "No phone rings whose call could be taken")
		c.fails(pbx.CauseNormalUnspecified)
		return
	}
	c.step("pickup", "The call for {number} is taken", "number", ext)
	c.lend(to, func(y *call, s *side) pbx.Cause { return y.pickedUp(s, ext) })
}

// pickupExtensions are the extensions of the members of the caller's pickup
// groups; of one of them when a number is given.
func (c *call) pickupExtensions(number string) (list []string) {
	for i := range c.cfg.PickupGroups {
		g := &c.cfg.PickupGroups[i]
		if number != "" && number != strconv.Itoa(g.Number) || !slices.Contains(g.Members, c.a.user) {
			continue
		}
		for _, id := range g.Members {
			if u := c.cfg.UserByID(id); u != nil && u.Extension != "" {
				list = append(list, u.Extension)
			}
		}
	}
	return list
}

// mayPickUp reports whether the user of an extension may take a call that rings
// on another: by the permission for it, or by a pickup group of both.
func (c *call) mayPickUp(who, ext string) bool {
	cfg := c.engine.deps.Config()
	return cfg.MayPickUp(cfg.UserByExtension(who), cfg.UserByExtension(ext))
}

// pickedUp lets s answer in place of a phone that rings on ext.
func (c *call) pickedUp(s *side, ext string) pbx.Cause {
	if c.quest == questFetch || c.a == nil || c.lent {
		return pbx.CauseNormalUnspecified
	}
	if !s.fits(c.a) {
		return pbx.CauseIncompatible
	}
	for _, r := range c.rings {
		if r.ext != ext {
			continue
		}
		c.step("pickup", "{number} picks up the call for {other}", "number", s.party.Number, "other", ext)
		c.recordAct(s.rec, pbx.RecordPickedUp)
		c.take(s, r.target.Number, r.target.CallerName)
		return 0
	}
	return pbx.CauseNormalUnspecified // answered meanwhile
}

// take connects a with s, who has picked the call up. number and name are what
// s sees of a.
func (c *call) take(s *side, number, name string) {
	if s.user != "" {
		if s.entry == nil {
			s.entry = c.entries[s.user]
			delete(c.entries, s.user)
		}
		if s.entry == nil {
			s.entry = c.newEntry(s.user, pbx.CallIn, Party{Number: number, Name: name}, "")
		}
		s.entry.begin(c.engine.deps.Now())
	}
	if s.up {
		s.hears = hearsPeer
		s.leg.Audio().Play(nil)
	}
	c.connect(s)
}
