package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// childEnv tells the test binary, started again, to be one of the processes
// below over the data directory in dirEnv.
const (
	childEnv = "GALILEI_STORE_CHILD"
	dirEnv   = "GALILEI_STORE_DIR"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "commit":
		os.Exit(commitForEver(os.Getenv(dirEnv)))
	case "full":
		os.Exit(onFullDisk())
	case "migrate":
		os.Exit(migrateUntilKilled(os.Getenv(dirEnv)))
	}
	os.Exit(m.Run())
}

// child returns a command that starts the test binary as that process.
func child(ctx context.Context, kind, dir string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+kind, dirEnv+"="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// ringTimeOf is what the process that is killed writes in revision n.
func ringTimeOf(n int64) int { return int(5 + n%590) }

// commitForEver opens the store and commits until it is killed. It writes
// "open N", and "committed N" for each revision once Commit has returned it.
func commitForEver(dir string) int {
	ctx := context.Background()
	s, err := Open(ctx, dir, Options{Model: model()})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_, n := s.Current()
	fmt.Println("open", n)
	go func() { // other writers share the file
		for i := 0; ; i++ {
			r := pbx.Registration{Contact: strings.Repeat("c", 500), Expires: time.Now().Add(time.Hour)}
			if err := s.SaveRegistrations(ctx, map[string][]pbx.Registration{strconv.Itoa(100 + i%50): {r}}); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			if err := s.Audit(ctx, pbx.AuditEntry{Action: "noise"}); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}()
	for {
		want := n + 1
		n, err = s.Commit(ctx, "child", fmt.Sprint("commit ", want), setRingTime(ringTimeOf(want)))
		if err != nil || n != want {
			fmt.Fprintf(os.Stderr, "revision %d, want %d: %v\n", n, want, err)
			return 1
		}
		fmt.Println("committed", n)
	}
}

// A process that dies while it commits leaves the old or the new revision,
// whole, and every revision that it was told is kept. (The kernel survives
// here: what a loss of power leaves is for the tests of the image.)
func TestKilledWhileCommitting(t *testing.T) {
	rounds := 20
	if os.Getenv("GALILEI_LONG") != "" { // a long run names the tests that it wants
		rounds = 500
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d rounds", seed, rounds)
	random := rand.New(rand.NewPCG(seed, 0))
	dir, revisions, ahead := t.TempDir(), int64(0), 0
	for round := range rounds {
		where := dir
		if round%5 == 4 {
			where = t.TempDir() // killed at a first start
		}
		after := "open "
		switch {
		case where != dir:
			after = ""
		case round%2 == 1:
			after = "committed " // so that a slow machine gets something done
		}
		acknowledged := killOnce(t, where, time.Duration(random.IntN(60))*time.Millisecond, after)
		n := checkAfterKill(t, where, acknowledged)
		if t.Failed() {
			t.Fatalf("round %d: acknowledged %d, found %d", round, acknowledged, n)
		}
		if n > acknowledged {
			ahead++
		}
		if where == dir {
			revisions = n
		}
	}
	t.Logf("%d revisions; %d times one more was kept than acknowledged", revisions, ahead)
	if revisions < int64(rounds)/4 {
		t.Errorf("%d revisions in %d rounds: the kills came too early to test anything", revisions, rounds)
	}
}

// killOnce starts the committing process, kills it and returns the highest
// revision that it acknowledged. The delay begins at the first line that starts
// with after, or at once.
func killOnce(t *testing.T, dir string, delay time.Duration, after string) (acknowledged int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := child(ctx, "commit", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	kill := func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
	}
	armed := after == ""
	if armed {
		time.AfterFunc(delay, kill)
	}
	for lines.Scan() {
		if !armed && strings.HasPrefix(lines.Text(), after) {
			armed = true
			time.AfterFunc(delay, kill)
		}
		_, number, _ := strings.Cut(lines.Text(), " ")
		if acknowledged, err = strconv.ParseInt(number, 10, 64); err != nil {
			t.Error(err) // a line of Println is one write, never torn
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Errorf("the process was not killed: %v", err)
	}
	return acknowledged
}

func checkAfterKill(t *testing.T, dir string, acknowledged int64) int64 {
	t.Helper()
	s, err := Open(t.Context(), dir, Options{Model: model()})
	if err != nil {
		t.Error(err)
		return 0
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	c, n := s.Current()
	if n < acknowledged || n > max(acknowledged, 1)+1 {
		t.Errorf("revision %d is current, %d was acknowledged", n, acknowledged)
	}
	if n > 1 && c.SIP.RingTime != ringTimeOf(n) {
		t.Errorf("revision %d holds %d, want %d", n, c.SIP.RingTime, ringTimeOf(n))
	}
	revs, err := s.Revisions(t.Context(), 0, 200)
	if err != nil {
		t.Error(err)
	}
	for i, r := range revs {
		if r.Number != n-int64(i) || r.Number > 1 && r.Comment != fmt.Sprint("commit ", r.Number) {
			t.Errorf("revision %d in place of %d: %q", r.Number, n-int64(i), r.Comment)
		}
		old, err := s.configOf(t.Context(), r.Number)
		if err != nil {
			t.Error(err)
		} else if r.Number > 1 && old.SIP.RingTime != ringTimeOf(r.Number) {
			t.Errorf("revision %d holds %d", r.Number, old.SIP.RingTime)
		}
		if i == 20 && r.Number > 2 { // the older ones were looked at in earlier rounds
			break
		}
	}
	if _, err := s.Registrations(t.Context()); err != nil {
		t.Error(err)
	}
	return n
}
