package sipedge

// dialogID is what finds a dialog from our side (RFC 3261 section 12).
type dialogID struct {
	callID   string
	localTag string
}

// Legs returns how many dialogs are held.
func (e *Edge) Legs() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.legs)
}

func (e *Edge) leg(id dialogID) *leg {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.legs[id]
}

// legsWhere returns the legs that match, which is asked without their locks.
func (e *Edge) legsWhere(match func(*leg) bool) (list []*leg) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.legs {
		if match(l) {
			list = append(list, l)
		}
	}
	return list
}

// add enters a leg unless the edge is closing.
func (e *Edge) add(l *leg) (ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing {
		return false
	}
	e.legs[l.id] = l
	return true
}

func (e *Edge) remove(l *leg) {
	e.mu.Lock()
	delete(e.legs, l.id)
	e.mu.Unlock()
}
