package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// recordForEver takes a record each 2 ms, numbered from 1, until it is killed. It
// writes "due N" for the last one of 700 ms ago: 200 ms, and time to write on a
// busy machine.
func recordForEver(dir string) int {
	ctx := context.Background()
	s, err := Open(ctx, dir, Options{Model: model()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go s.Run(ctx)
	type noted struct {
		n  int
		at time.Time
	}
	var waiting []noted
	for n := 1; ; n++ {
		r := someRecord(time.Now())
		r.Call = fmt.Sprint(n)
		s.NoteRecord(r)
		waiting = append(waiting, noted{n, time.Now()})
		for len(waiting) > 0 && time.Since(waiting[0].at) > 700*time.Millisecond {
			fmt.Println("due", waiting[0].n)
			waiting = waiting[1:]
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// A process that dies loses the records of the last second at most, leaves no gap,
// no record without its legs, and sums that are right.
func TestKilledWhileRecording(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		dir := t.TempDir()
		due := killOnce(t, "record", dir, time.Duration(rand.IntN(700))*time.Millisecond, "due").number(t, "due")
		s := openIn(t, dir)
		var found int64
		for r, err := range s.ExportRecords(t.Context(), pbx.RecordQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			found++
			if whole, err := s.Record(t.Context(), r.ID); err != nil || len(whole.Legs) != 3 || r.Call != fmt.Sprint(r.ID) {
				t.Fatalf("round %d: %+v, %v", round, whole, err)
			}
		}
		if due < 1 || found < due {
			t.Errorf("round %d: %d records are kept, %d were due", round, found, due)
		}
		if sum, err := s.RecordTotals(t.Context(), pbx.RecordQuery{}); err != nil || int64(sum.Calls) != found || sum.Talk != found*60 {
			t.Errorf("round %d: %+v, %v; want %d", round, sum, err, found)
		}
		t.Logf("round %d: %d records are kept, %d were due", round, found, due)
	}
}
