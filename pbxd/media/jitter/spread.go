package jitter

// The spread is measured in steps of 5 ms; each packet adds to its step and
// the weight of older ones fades with a time constant of 6 s of speech.
const (
	step      = 5 * perMs
	steps     = maxDelay/step + 1
	fading    = 1.0 / 300 // of all weights with each packet
	mayBeLate = 0.008     // weight that the target leaves out; more than two packets of 300
	baseSpan  = 4000 * perMs
)

// spread measures how much longer than the fastest packets others travel, and
// derives the delay from it that lets nearly all of them arrive in time.
type spread struct {
	weights   [steps]float32
	aim       int64
	low, last int64 // least transit time in this span and in the one before
	since     int64 // start of this span
	known     bool
	kept      [steps]float32
}

// keep remembers the weights for recall.
func (s *spread) keep() { s.kept = s.weights }

// recall goes back to the weights at keep.
func (s *spread) recall() {
	s.weights = s.kept
	s.aim = s.quantile()
}

func (s *spread) restart() { s.known = false }

// add takes in a packet's transit time, up to a constant, at its arrival.
func (s *spread) add(transit, arrival int64) {
	switch {
	case !s.known:
		s.low, s.last, s.since, s.known = transit, transit, arrival, true
	case arrival-s.since > baseSpan:
		s.last, s.low, s.since = s.low, transit, arrival
	}
	s.low = min(s.low, transit)
	late := min((transit-s.base()+step-1)/step, steps-1)
	for i := range s.weights {
		s.weights[i] *= 1 - fading
	}
	s.weights[late] += fading
	s.aim = s.quantile()
}

// base returns the transit time of the fastest packets in the last 4 to 8 s.
func (s *spread) base() int64 { return min(s.low, s.last) }

// quantile returns the delay that all but mayBeLate of the weight keeps to.
func (s *spread) quantile() int64 {
	rest := float32(mayBeLate)
	for i := steps - 1; i > 0; i-- {
		if rest -= s.weights[i]; rest < 0 {
			return int64(i) * step
		}
	}
	return 0
}

// target returns the delay to aim at: beside the spread a packet needs the
// rest of a frame, because frames are taken whole. Before anything is known
// that is 40 ms.
func (s *spread) target() int64 {
	return min(max(s.aim+minDelay, 2*minDelay-s.experience()), maxDelay)
}

// experience lowers the first caution once packets of 6 s have been seen.
func (s *spread) experience() int64 {
	var sum float32
	for _, w := range s.weights {
		sum += w
	}
	if sum > 0.63 {
		return minDelay
	}
	return 0
}
