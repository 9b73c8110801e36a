package call

import (
	"time"

	"galilei/pbxd/media"
)

// join lets a and b hear each other. A side whose partner holds the call hears
// silence. guess says that they were not made for each other, so that either may
// know codecs that it has not named.
func (c *call) join(guess bool) {
	media.Bridge(c.a.leg.Audio(), c.b.leg.Audio())
	c.recordTalk()
	c.guess, c.a.aligned, c.b.aligned = guess, false, false
	c.listen()
	c.align()
	c.straightLater()
	c.changed()
}

// listen lets both sides hear what they are to hear now.
func (c *call) listen() {
	for _, s := range []*side{c.a, c.b} {
		if c.otherOf(s).held {
			s.hear(hearsSilence, &c.country)
		} else {
			s.hear(hearsPeer, &c.country)
		}
	}
}

// part ends that two sides hear each other. Each is sent silence, so that its
// stream goes on.
func (c *call) part(x, y *side) {
	c.bringBack(x)
	c.bringBack(y)
	media.Unbridge(x.leg.Audio(), y.leg.Audio())
	x.hear(hearsSilence, &c.country)
	y.hear(hearsSilence, &c.country)
}

// reoffered answers another description of a side at once: what changes
// concerns nobody else, since the device joins unlike sides.
func (c *call) reoffered(s *side, offer *media.Description) {
	other := c.otherOf(s)
	s.straight, s.going = false, false // the answer brings it back
	if other != nil {
		c.bringBack(other)
	}
	if other == nil || !other.up {
		other = s // keeps what it has
	}
	d, speech := answerTo(offer, other)
	if offer == nil || speech.Name == "" && len(offer.Formats) > 0 {
		s.leg.Respond(nil)
		return
	}
	if !s.speech.Same(speech) && other != s {
		other.aligned = false
	}
	s.theirs, s.speech, s.offered, s.aligned = offer, speech, true, true
	s.leg.Respond(d)
	s.asked = false
	c.align()
}

// holding: a side has put the call on hold, or goes on with it.
func (c *call) holding(s *side, held bool) {
	s.held = held
	if c.otherOf(s) != nil {
		if held {
			c.step("held", "{number} holds the call", "number", s.party.Number)
		} else {
			c.step("held", "{number} goes on with the call", "number", s.party.Number)
		}
		c.listen()
		c.align()
	}
	c.changed()
}

// heldAtOnce tells of a side whose first description puts the call on hold.
func (c *call) heldAtOnce(s *side) {
	if s.held {
		c.step("held", "{number} holds the call", "number", s.party.Number)
	}
}

// align offers a side the codec of the other when they use unlike ones, so that
// nothing is transcoded between sides that have one in common. Each is asked
// once; who has only answered an offer may know more codecs than it named, and
// is asked on a guess when it is joined with somebody new.
func (c *call) align() {
	a, b := c.a, c.b
	if a == nil || b == nil || !a.up || !b.up || a.asked || b.asked || a.held || b.held {
		return
	}
	if a.speech.Name == "" || b.speech.Name == "" || a.speech.Same(b.speech) {
		return
	}
	for _, known := range []bool{true, false} {
		for _, s := range []*side{b, a} {
			other := c.otherOf(s)
			if s.aligned || !has(s.theirs, other.speech) && (known || s.offered || !c.guess) {
				continue
			}
			s.aligned, s.asked = true, true
			s.leg.Offer(changed(s, other.speech))
			return
		}
	}
}

func has(d *media.Description, f media.Format) bool {
	if d == nil {
		return false
	}
	for _, g := range d.Formats {
		if g.Same(f) {
			return true
		}
	}
	return false
}

// A phone that has an offer of its own under way is asked again when that must
// be over (RFC 3261 section 14.1), a few times.
const (
	retryAfter = 3 * time.Second
	maxRetries = 3
)

// realigned takes what a side says to another codec. It may have been asked
// when it was in another call.
func (c *call) realigned(s *side, ev Event) {
	if s.going {
		c.rerouted(s, ev)
		return
	}
	s.asked = false
	switch {
	case ev.Kind == EventOfferAnswered && ev.Description != nil:
		s.theirs, s.speech, s.offered = ev.Description, speechOf(ev.Description), false
	case ev.Retry && s.retries < maxRetries:
		s.retries++
		s.aligned = false
		time.AfterFunc(retryAfter, func() { c.engine.post(c, c.align) })
		return
	}
	c.align()
}
