package call

import (
	"testing"
	"testing/synctest"
)

// A wish that nothing fulfils is refused, so that the phone can tell.
func TestTransferIsRefused(t *testing.T) {
	b := &actor{name: "b"}
	s := &stage{called: []*actor{b}}
	play(t, s, func() {
		s.event(b, EventAnswered, desc, 0)
		s.event(b, EventTransfer, nil, 0)
		want(t, b, "transfer 3 21")
	})
}

// Nobody takes the place of another until somebody decides who may.
func TestReplacementIsRefused(t *testing.T) {
	s := &stage{}
	play(t, s, func() {
		late, other := &actor{name: "late"}, &actor{name: "other"}
		s.engine.Incoming(Incoming{Leg: late, Digits: "102", Replaces: other})
		synctest.Wait()
		want(t, late, "hangup 21")
		want(t, other)
	})
}
