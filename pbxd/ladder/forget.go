package ladder

import "slices"

// minWires is what the messages of calls that are over may take whatever else
// there is: beyond it they are given up before whole calls are.
const minWires = MaxBytes / 8

// trim gives up what is the least needed until all is within the bounds.
func (r *Recorder) trim() {
	for len(r.order) > maxRecords {
		r.forget(0)
	}
	for r.held > MaxBytes && r.giveUp() {
	}
}

// giveUp gives up one thing: the messages of the oldest call that is over, those
// of the oldest call that goes on, the oldest call that is over, any call.
func (r *Recorder) giveUp() bool {
	if r.wireBytes > minWires {
		c := r.wires[0]
		r.wires[0] = nil
		r.wires = r.wires[1:]
		n := len(c.packed.wire)
		c.packed.wire = nil
		r.wireBytes -= n
		r.grow(c, -n)
		return true
	}
	if (r.dialogBytes > maxTalk || r.over == 0) && r.silence() {
		return true
	}
	if len(r.order) == 0 {
		return false
	}
	r.forget(max(slices.IndexFunc(r.order, func(c *record) bool { return c.packed != nil }), 0))
	return true
}

// silence gives up the messages of the call that goes on for the longest, and
// reports whether there were any.
func (r *Recorder) silence() bool {
	for range len(r.talking) {
		c := r.talking[0]
		r.talking[0] = nil
		r.talking = r.talking[1:]
		if c.packed != nil || r.calls[c.id] != c {
			continue
		}
		r.talking = append(r.talking, c) // it may say more
		freed := 0
		for _, l := range c.legs {
			if l.dialog != nil {
				freed += r.clear(l.dialog)
			}
		}
		if freed > 0 {
			return true
		}
	}
	return false
}

// forget forgets the call at a place of the order.
func (r *Recorder) forget(i int) {
	c := r.order[i]
	r.order = slices.Delete(r.order, i, i+1)
	delete(r.calls, c.id)
	r.letGo(c)
	r.held -= c.cost
	if p := c.packed; p != nil {
		r.over--
		if p.wire != nil {
			r.wireBytes -= len(p.wire)
			if j := slices.Index(r.wires, c); j >= 0 {
				r.wires = slices.Delete(r.wires, j, j+1)
			}
		}
		if p.dict.calls--; p.dict.calls == 0 {
			r.held -= len(p.dict.text)
		}
	}
}
