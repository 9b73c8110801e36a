package store

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// What was spoken since midnight is in the records of calls, also of those that
// began before, and of each line of a call.
func TestSpokenSince(t *testing.T) {
	s := openIn(t, t.TempDir())
	midnight := time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)
	leg := func(payer, gateway string, class pbx.TollClass, answered, ended time.Duration) pbx.RecordLeg {
		l := pbx.RecordLeg{Party: pbx.RecordParty{Number: "+431234567"}, Gateway: gateway, Payer: payer, Toll: class, Began: midnight.Add(answered - 5*time.Second), Ended: midnight.Add(ended)}
		if answered != ended {
			l.Answered = midnight.Add(answered)
		}
		return l
	}
	record := func(call string, legs ...pbx.RecordLeg) pbx.CallRecord {
		return pbx.CallRecord{Call: call, Direction: pbx.RecordOut, Result: pbx.RecordAnswered, Toll: pbx.TollForeign, Began: legs[0].Began, Ended: legs[0].Ended, Legs: legs}
	}
	recorded(t, s,
		record("1", leg("demo101", "g1", pbx.TollForeign, -10*time.Minute, 5*time.Minute)), // 5 of today
		record("2", leg("demo101", "g1", pbx.TollForeign, -9*time.Minute, -time.Minute)),   // none of today
		record("3", leg("demo101", "g1", pbx.TollForeign, time.Hour, time.Hour+90*time.Second), leg("demo102", "g2", pbx.TollPremium, time.Hour, time.Hour+time.Minute)),
		record("4", leg("demo101", "g2", pbx.TollNational, time.Hour, 2*time.Hour), leg("", "", "", time.Hour, 2*time.Hour)),
		record("6", leg("demo101", "g1", pbx.TollForeign, 3*time.Hour, 3*time.Hour+time.Second)), // later than asked for
		record("5", leg("demo101", "g1", pbx.TollForeign, time.Hour, time.Hour)),                 // nobody answered
	)
	got, err := s.SpokenSince(t.Context(), midnight, midnight.Add(3*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(got, func(a, b pbx.Spoken) int { return cmp.Compare(a.User, b.User) })
	want := []pbx.Spoken{{User: "demo101", Gateway: "g1", Class: pbx.TollForeign, Talk: 390 * time.Second}, {User: "demo102", Gateway: "g2", Class: pbx.TollPremium, Talk: time.Minute}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
