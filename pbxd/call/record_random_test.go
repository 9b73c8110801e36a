package call

import (
	"slices"
	"testing"

	"galilei/pbxd/pbx"
)

// checkRecords fails the test unless there is one record of each chain of calls in
// which somebody has called somebody, and none of others. Calls are of one chain
// when a leg was in both; that somebody has called, the journals say, save of calls
// between the phones of one user.
func (w *crowd) checkRecords(t *testing.T) {
	t.Helper()
	chain := map[string]string{} // of a call or leg: another of its chain, or itself
	var root func(string) string
	root = func(x string) string {
		if up, ok := chain[x]; ok && up != x {
			return root(up)
		}
		return x
	}
	legs := map[string]bool{}
	for _, j := range w.joined {
		legs[j[1]] = true
		chain[root(j[0])] = root(j[1])
	}
	want, have, members := map[string]bool{}, map[string]int{}, map[string]int{}
	for _, e := range w.entries {
		want[root(e.Call)] = true
	}
	for leg := range legs {
		members[root(leg)]++
	}
	for _, r := range w.records {
		have[root(r.Call)]++
		if !slices.ContainsFunc(r.Legs, func(l pbx.RecordLeg) bool { return l.Party.User != r.Caller.User && l.Gateway == "" }) {
			want[root(r.Call)] = true
		}
		w.possible(t, r)
		if len(r.Legs) < min(members[root(r.Call)], maxRecordLegs) {
			t.Errorf("%d legs were in the chain of record %s", members[root(r.Call)], told(r))
		}
	}
	for c := range want {
		if have[c] != 1 {
			t.Errorf("a chain of calls has %d records", have[c])
		}
		delete(have, c)
	}
	if len(have) > 0 {
		t.Errorf("%d records are of no call", len(have))
	}
}

// possible fails the test when a record contradicts itself.
func (w *crowd) possible(t *testing.T, r pbx.CallRecord) {
	t.Helper()
	answered := r.Result == pbx.RecordAnswered
	switch {
	case r.Call == "" || r.Direction == "" || r.Result == "" || r.Cause == 0 || r.Dialled == "" || r.Caller.Number == "" || r.Caller.User == "" || len(r.Legs) == 0,
		answered == r.Answered.IsZero(), answered != (r.Target.Number != ""), !answered && r.Talk != 0, r.Ring < 0 || r.Talk < 0, r.Ended.Before(r.Began),
		answered && (r.Answered.Before(r.Began) || r.Ended.Before(r.Answered)):
		t.Errorf("record %+v is not possible", r)
	}
	for i, l := range r.Legs {
		if l.Party.Number == "" || l.Began.IsZero() || l.Ended.Before(l.Began) || l.Ended.After(r.Ended) || !l.Answered.IsZero() && (l.Answered.Before(l.Began) || l.Ended.Before(l.Answered)) ||
			i > 0 && l.Began.Before(r.Legs[i-1].Began) {
			t.Errorf("leg %d is not possible in %s", i, told(r))
		}
	}
}
