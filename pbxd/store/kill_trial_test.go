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

// tryForEver opens the store and makes changes for a time until it is killed:
// each second one is confirmed, the others are reverted. It writes "trial N",
// then "confirmed N" or "reverted N".
func tryForEver(dir string) int {
	ctx := context.Background()
	s, err := Open(ctx, dir, Options{Model: model()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, first := s.Current()
	fmt.Println("open", first)
	for i := 0; ; i++ {
		name := fmt.Sprintf("t%d-%d", first, i)
		p, err := s.CommitTentative(ctx, "child", pbx.Typed(name), "network", time.Minute, setHostname(name))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println("trial", name)
		end, word := s.Confirm, "confirmed"
		if i%2 == 1 {
			end, word = s.RevertPending, "reverted"
		}
		time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond)
		if err := end(ctx, "child", p.ID); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(word, name)
	}
}

// A process that dies while a change waits to be confirmed comes back without
// it, and with every change that was confirmed.
func TestKilledInTheWindow(t *testing.T) {
	rounds := 20
	if os.Getenv("GALILEI_LONG") != "" {
		rounds = 500
	}
	dir, want := t.TempDir(), "galilei"
	in := map[string]int{}
	for round := range rounds {
		said := killOnce(t, "trial", dir, time.Duration(rand.IntN(40))*time.Millisecond, "trial")
		in[said["last"]]++
		if said["confirmed"] != "" {
			want = said["confirmed"]
		}
		s, err := Open(t.Context(), dir, Options{Model: model()})
		if err != nil {
			t.Fatal(err)
		}
		c, n := s.Current()
		if s.Pending() != nil {
			t.Errorf("round %d: a change still waits", round)
		}
		if got := c.Network.Hostname; got != want {
			// It may have been confirmed and not said so yet.
			if said["last"] != "trial" || got != said["trial"] || !evenTrial(got) {
				t.Fatalf("round %d, revision %d: %q holds; %q was confirmed, last said was %q", round, n, got, want, said)
			}
			want = got
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("the last thing said: %v", in)
	if in["trial"] == 0 {
		t.Error("no kill came while a change waited")
	}
}

// evenTrial reports whether a name is one that the process confirms.
func evenTrial(name string) bool {
	var first, i int
	_, err := fmt.Sscanf(name, "t%d-%d", &first, &i)
	return err == nil && i%2 == 0
}
