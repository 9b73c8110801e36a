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

// callsOfOne is how many calls in a row noteForEver enters for a user.
const callsOfOne = 200

// noteForEver enters a call each 2 ms, numbered from 1, until it is killed. It
// writes "due N" for the last call of 1.5 s ago: a second, and time to write.
func noteForEver(dir string) int {
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
		s.NoteCall(pbx.JournalEntry{User: fmt.Sprint("u", (n-1)/callsOfOne), Call: fmt.Sprint(n), Result: pbx.CallAnswered, Time: time.Now()})
		waiting = append(waiting, noted{n, time.Now()})
		for time.Since(waiting[0].at) > 1500*time.Millisecond {
			fmt.Println("due", waiting[0].n)
			waiting = waiting[1:]
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// A process that dies loses the calls of the last second at most, and leaves no
// gap.
func TestKilledWhileNoting(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		dir := t.TempDir()
		due := killOnce(t, "note", dir, time.Duration(rand.IntN(1500))*time.Millisecond, "due").number(t, "due")
		s := openIn(t, dir)
		found := int64(0)
		for user := 0; ; user++ {
			p, err := s.Journal(t.Context(), pbx.JournalQuery{User: fmt.Sprint("u", user)})
			if err != nil {
				t.Fatal(err)
			}
			for i, e := range p.Entries {
				if want := fmt.Sprint(user*callsOfOne + p.Total - i); e.Call != want {
					t.Fatalf("round %d: call %s in place of %s", round, e.Call, want)
				}
			}
			if found += int64(p.Total); p.Total < callsOfOne {
				break
			}
		}
		if due < 1 || found < due {
			t.Errorf("round %d: %d calls are kept, %d were due", round, found, due)
		}
		t.Logf("round %d: %d calls are kept, %d were due", round, found, due)
	}
}
