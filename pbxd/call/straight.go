package call

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"galilei/pbxd/media"
)

// Straight is what legs are whose audio need not come by the device (F166).
type Straight interface {
	// Straight returns the side's description when its audio may go straight to
	// another: it is not encrypted, and comes from where the description says.
	// Otherwise nil.
	Straight() *media.Description
	// Reroute asks a connected side for audio straight to where another takes it,
	// until Offer, Respond or Answer brings it back to the device. It is answered
	// as Leg.Offer is.
	Reroute(to *media.Description)
}

// straightAfter is how long two sides talk until their audio is sent straight: by
// then it is known where it comes from.
const straightAfter = 2 * time.Second

// maxStraight is how often that is tried in one call.
const maxStraight = 3

// straightLater looks after a while whether the audio may go straight.
func (c *call) straightLater() {
	if c.goesStraight() {
		time.AfterFunc(straightAfter, func() { c.engine.post(c, c.straighten) })
	}
}

// goesStraight reports whether the gateways of both sides want their audio to go
// straight, and one of them has a gateway at all. Keys that the device must turn
// into another form need it.
func (c *call) goesStraight() bool {
	wanted := false
	for _, s := range []*side{c.a, c.b} {
		if s == nil {
			return false
		}
		if s.gateway == "" {
			continue
		}
		g := c.cfg.GatewayByID(s.gateway)
		if g == nil || !g.DirectMedia || g.DTMF != "rfc2833" {
			return false
		}
		wanted = true
	}
	return wanted
}

// straighten has the audio of both sides go straight, where that may be: first a's,
// then b's.
func (c *call) straighten() {
	a, b := c.a, c.b
	if !c.goesStraight() || c.straights >= maxStraight || c.by != nil || c.lent || c.serving != nil || c.ended {
		return
	}
	for _, s := range []*side{a, b} {
		if !s.up || s.held || s.asked || s.straight || s.hears != hearsPeer {
			return
		}
	}
	da, db := straightOf(a), straightOf(b)
	if da == nil || db == nil || !a.speech.Same(b.speech) || hasEvents(da) != hasEvents(db) || !c.meet(da.Addr, db.Addr) {
		return
	}
	c.straights++
	a.asked, a.going = true, true
	a.leg.(Straight).Reroute(agreed(db, a.speech))
}

// agreed leaves of a description the codec in use and keys.
func agreed(d *media.Description, speech media.Format) *media.Description {
	c := *d
	c.Formats = slices.DeleteFunc(slices.Clone(d.Formats), func(f media.Format) bool {
		return !f.Same(speech) && !strings.EqualFold(f.Name, media.TelephoneEvent)
	})
	return &c
}

func straightOf(s *side) *media.Description {
	if l, ok := s.leg.(Straight); ok {
		return l.Straight()
	}
	return nil
}

func hasEvents(d *media.Description) bool {
	return slices.ContainsFunc(d.Formats, func(f media.Format) bool { return strings.EqualFold(f.Name, media.TelephoneEvent) })
}

// meet reports whether audio goes from one address to another without help: both
// are in the local networks, or both in the Internet.
func (c *call) meet(a, b netip.Addr) bool {
	if a.Is4() != b.Is4() {
		return false
	}
	if x, y := c.cfg.SIP.IsLocal(a), c.cfg.SIP.IsLocal(b); x || y {
		return x && y
	}
	return !a.IsPrivate() && !b.IsPrivate()
}

// rerouted takes what a side says to its audio going straight.
func (c *call) rerouted(s *side, ev Event) {
	s.asked, s.going = false, false
	other := c.otherOf(s)
	d := ev.Description
	if other == nil || ev.Kind != EventOfferAnswered || d == nil || s.theirs == nil || d.RTP() != s.theirs.RTP() || !speechOf(d).Same(s.speech) {
		c.straights = maxStraight // it does not want to, or has moved
		if ev.Kind == EventOfferAnswered && d != nil {
			s.theirs, s.speech, s.straight = d, speechOf(d), true
		}
		c.bringBack(s)
		if other != nil {
			c.bringBack(other)
		}
		return
	}
	s.theirs, s.straight = d, true
	if other.straight {
		c.step("audio", "The audio goes straight between {number} and {other}", "number", c.a.party.Number, "other", c.b.party.Number)
		return
	}
	if to := straightOf(other); to == nil || other.held || other.asked || !other.up {
		c.bringBack(s)
		return
	}
	other.asked, other.going = true, true
	other.leg.(Straight).Reroute(agreed(s.theirs, other.speech))
}

// bringBack has the audio of a side come to the device again.
func (c *call) bringBack(s *side) {
	if !s.straight {
		return
	}
	s.straight = false
	if s.up && !s.asked {
		s.asked = true
		s.leg.Offer(changed(s, s.speech))
	}
}
