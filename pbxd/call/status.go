package call

import (
	"galilei/pbxd/dialplan"
	"galilei/pbxd/pbx"
)

// measure tells how the legs have sounded.
func (c *call) measure() {
	for _, s := range []*side{c.a, c.b, c.by} {
		if s != nil {
			c.measureSide(s)
		}
	}
}

func (c *call) measureSide(s *side) {
	if told := c.engine.deps.Watch.Measured; told != nil {
		if list := s.samples(); len(list) > 0 {
			told(c.status.ID, s.leg.ID(), list)
		}
	}
}

// joined tells that a leg belongs to the call.
func (c *call) joined(l Leg, who Party) {
	if told := c.engine.deps.Watch.Joined; told != nil {
		told(c.status.ID, l.ID(), who)
	}
}

// step tells a step of the call itself.
func (c *call) step(rule, template string, pairs ...any) {
	c.trace([]dialplan.Step{{Rule: rule, Message: pbx.Say(template, pairs...)}})
}

func (c *call) trace(steps []dialplan.Step) {
	if told := c.engine.deps.Watch.Traced; told != nil && len(steps) > 0 {
		told(c.status.ID, c.engine.deps.Now(), steps)
	}
}

// changed counts who is in the call and publishes how it stands.
func (c *call) changed() {
	if c.ended {
		return
	}
	c.engine.count(c)
	s := &c.status
	if c.a != nil {
		s.From, s.FromName = c.a.party.Number, c.a.party.Name
	}
	s.With, s.WithName, s.Held = "", "", false
	if c.b != nil {
		s.With, s.WithName = c.b.party.Number, c.b.party.Name
		s.Held = c.a != nil && c.a.held || c.b.held
	}
	was := s.State
	switch {
	case c.place != "" && len(c.rings) == 0:
		s.State = pbx.CallParked
	case c.b != nil || c.a != nil && c.a.up && (c.serving != nil || c.parking != "" || c.released):
		s.State = pbx.CallUp
	case c.alerted:
		s.State = pbx.CallRinging
	case c.lent:
	default:
		s.State = pbx.CallRouting
	}
	if s.State != was {
		s.Since = c.engine.deps.Now()
	}
	if s.State == pbx.CallUp && s.Answered.IsZero() {
		s.Answered = c.engine.deps.Now()
	}
	if *s != c.published {
		c.published = *s
		c.publish()
	}
}

// publish tells how the call stands.
func (c *call) publish() {
	s := c.status
	c.engine.deps.Publish(pbx.Fact{Kind: pbx.FactCall, Call: &s})
}
