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
	case "broken":
		os.Exit(onBrokenDisk())
	case "trial":
		os.Exit(tryForEver(os.Getenv(dirEnv)))
	case "note":
		os.Exit(noteForEver(os.Getenv(dirEnv)))
	case "record":
		os.Exit(recordForEver(os.Getenv(dirEnv)))
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
	go writeForEver(ctx, s) // other writers share the file
	for {
		want := n + 1
		n, err = s.Commit(ctx, "child", pbx.Typed(fmt.Sprint("commit ", want)), setRingTime(ringTimeOf(want)))
		if err != nil || n != want {
			fmt.Fprintf(os.Stderr, "revision %d, want %d: %v\n", n, want, err)
			return 1
		}
		fmt.Println("committed", n)
	}
}

// writeForEver writes everything but revisions, and "stored I" for each round I
// that is on the disk.
func writeForEver(ctx context.Context, s *Store) {
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	last := int64(0)
	jobs, err := s.MailJobs(ctx)
	check(err)
	for _, j := range jobs {
		check(s.MailDone(ctx, j.ID))
	}
	for i := draftNumber(ctx, s, "begun") + 1; ; i++ { // of a round that was cut off, some may be there
		check(s.SetDraft(ctx, pbx.Draft{Path: "begun", Value: strconv.Itoa(i)}))
		r := pbx.Registration{Contact: strings.Repeat("c", 500), Expires: time.Now().Add(time.Hour)}
		check(s.SaveRegistrations(ctx, map[string][]pbx.Registration{strconv.Itoa(100 + i%50): {r}}))
		check(s.Audit(ctx, pbx.AuditEntry{Action: "noise"}))
		check(s.AddContacts(ctx, ownerOf(i), []pbx.Contact{{ID: fmt.Sprint(i, "a")}, {ID: fmt.Sprint(i, "b")}}))
		id, err := s.EnqueueMail(ctx, pbx.MailJob{Subject: strconv.Itoa(i), Text: strings.Repeat("m", 10_000)})
		check(err)
		check(s.MailDone(ctx, last))
		last = id
		check(s.SetDraft(ctx, pbx.Draft{Path: "stored", Value: strconv.Itoa(i)}))
		fmt.Println("stored", i)
	}
}

// ownerOf spreads contacts over directories, whose size is limited.
func ownerOf(round int) string { return fmt.Sprint("owner", round/300) }

// draftNumber returns the number that writeForEver has kept under path, or 0.
func draftNumber(ctx context.Context, s *Store, path string) int {
	drafts, err := s.Drafts(ctx)
	if err != nil {
		return 0
	}
	for _, d := range drafts {
		if d.Path == path {
			n, _ := strconv.Atoi(d.Value) // our own number
			return n
		}
	}
	return 0
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
		said := killOnce(t, "commit", where, time.Duration(random.IntN(60))*time.Millisecond, after)
		acknowledged := max(said.number(t, "open"), said.number(t, "committed"))
		n := checkAfterKill(t, where, acknowledged, int(said.number(t, "stored")))
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

// said is what a process wrote: the last text after each word.
type said map[string]string

// number returns the number that was said last with word, or 0.
func (s said) number(t *testing.T, word string) int64 {
	if s[word] == "" {
		return 0
	}
	n, err := strconv.ParseInt(s[word], 10, 64)
	if err != nil {
		t.Error(err) // a line of Println is one write, never torn
	}
	return n
}

// killOnce starts the process of that kind, kills it and returns what it said,
// with the last word of all under "last". The delay begins at the first line
// that starts with after, or at once.
func killOnce(t *testing.T, kind, dir string, delay time.Duration, after string) said {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := child(ctx, kind, dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, all := bufio.NewScanner(out), said{}
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
		word, rest, _ := strings.Cut(lines.Text(), " ")
		all[word], all["last"] = rest, word
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Exited() {
		t.Errorf("the process was not killed: %v", err)
	}
	return all
}

func checkAfterKill(t *testing.T, dir string, acknowledged int64, stored int) int64 {
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
	checkStored(t, s, stored)
	return n
}

// checkStored checks that the acknowledged round is there and that of a round
// which was cut off each part is there whole or not at all.
func checkStored(t *testing.T, s *Store, stored int) {
	t.Helper()
	ctx := t.Context()
	found, begun := draftNumber(ctx, s, "stored"), draftNumber(ctx, s, "begun")
	if found < stored || stored > 0 && found > stored+1 || begun < found {
		t.Errorf("round %d is stored and %d begun, %d was acknowledged", found, begun, stored)
	}
	for _, round := range []int{stored, begun} {
		p, err := s.Contacts(ctx, pbx.ContactQuery{Owner: ownerOf(round)})
		if err != nil || p.Total%2 != 0 || p.Total != len(p.Contacts) {
			t.Errorf("%d contacts, some without their other: %v", p.Total, err)
		}
		for _, c := range p.Contacts {
			other := strings.NewReplacer("a", "b", "b", "a").Replace(c.ID)
			if _, err := s.Contact(ctx, ownerOf(round), other); err != nil {
				t.Error(err)
			}
		}
	}
	if stored == 0 {
		return
	}
	if _, err := s.Contact(ctx, ownerOf(stored), fmt.Sprint(stored, "a")); err != nil {
		t.Error(err)
	}
	jobs, err := s.DueMail(ctx, time.Now(), 0)
	if err != nil || len(jobs) < 1 || len(jobs) > 2 {
		t.Errorf("%d mails wait, %v", len(jobs), err)
	}
	for _, j := range jobs {
		if n, err := strconv.Atoi(j.Subject); err != nil || n < stored-1 || n > stored+1 || len(j.Text) != 10_000 {
			t.Errorf("mail %q waits after round %d", j.Subject, stored)
		}
	}
}
