package call

import (
	"time"

	"galilei/pbxd/pbx"
)

// parkWait is for how long a free parking place waits for somebody to be parked
// there by an attended transfer.
const parkWait = 60 * time.Second

// parkCode carries out the code for parking: who is transferred to it is
// parked; who dials it takes the call from there, or holds the place free for a
// call that is transferred there.
func (c *call) parkCode(place string) {
	if c.transferor != "" {
		by := c.transferor
		if !c.engine.park(c, place) {
			c.step("park", "Another call is parked in {place}", "place", place)
			c.fails(pbx.CauseUserBusy)
			return
		}
		c.recordAct(c.mover, pbx.RecordParked)
		c.transferDone()
		c.parkHere(place, by)
		return
	}
	if to := c.engine.parkedAt(place); to != nil {
		c.lend(to, func(y *call, s *side) pbx.Cause { return y.taken(s, place) })
		return
	}
	c.step("park", "Nobody is parked in {place}: transfer a call here", "place", place)
	c.parking = place
	c.answer(c.a, nil)
	c.a.hear(hearsDial, &c.country)
	c.changed()
	c.wait(parkWait, func() { c.release(pbx.CauseNormalUnspecified) })
}

// parkHere parks a, whom by has sent here.
func (c *call) parkHere(place, by string) {
	c.parker, c.parkedIn, c.recalls = by, place, 0
	c.step("park", "{number} is parked in {place}", "number", c.a.party.Number, "place", place)
	c.waitParked()
}

// waitParked lets a wait in the parking place until somebody takes the call or
// the time is over.
func (c *call) waitParked() {
	c.noteRest()
	c.a.hear(hearsSilence, &c.country)
	c.changed()
	c.wait(time.Duration(c.cfg.SIP.ParkTime)*time.Second, func() {
		place := c.place // which is kept meanwhile: the call may go back there, or be taken from it
		c.step("park", "Nobody has taken the call from {place}", "place", place)
		c.recall(c.parker, c.cfg.FunctionCodes.Park+place, pbx.CauseNoAnswer)
	})
}

// taken lets s talk with who is parked.
func (c *call) taken(s *side, place string) pbx.Cause {
	if c.place != place || c.a == nil {
		return pbx.CauseNormalUnspecified // taken by somebody else
	}
	if !s.fits(c.a) {
		return pbx.CauseIncompatible
	}
	c.engine.unpark(c)
	c.step("park", "{number} takes the call from {place}", "number", s.party.Number, "place", place)
	c.recordAct(s.rec, pbx.RecordRetrieved)
	shown := c.a.shown()
	c.take(s, shown.Number, shown.Name)
	return 0
}
