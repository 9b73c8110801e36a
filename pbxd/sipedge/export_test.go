package sipedge

import "time"

// SetMinSession lets a test wait for session timers.
func (e *Edge) SetMinSession(d time.Duration) { e.minSession = d }
