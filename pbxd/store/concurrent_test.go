package store

import (
	"fmt"
	"sync"
	"testing"

	"galilei/pbxd/pbx"
)

// Writers add users, each under its own name, while readers watch that every
// configuration they see is valid and that numbers never go back.
func TestConcurrentCommits(t *testing.T) {
	s := openIn(t, t.TempDir())
	const writers, commits = 4, 12
	var told []int64
	defer s.Watch(func(old, new *pbx.Config, r pbx.Revision) {
		if len(new.Users) != len(old.Users)+1 {
			t.Errorf("revision %d: %d users after %d", r.Number, len(new.Users), len(old.Users))
		}
		told = append(told, r.Number) // under the store's own lock
	})()
	done := make(chan struct{})
	var readers, writing sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			last := int64(0)
			for {
				c, n := s.Current()
				if n < last {
					t.Errorf("revision %d after %d", n, last)
				}
				if want := 4 + int(n) - 1; len(c.Users) != want {
					t.Errorf("revision %d has %d users, want %d", n, len(c.Users), want)
				}
				last = n
				if _, err := s.Revisions(t.Context(), 0, 5); err != nil {
					t.Error(err)
				}
				if err := s.SaveRegistrations(t.Context(), map[string][]pbx.Registration{"101": nil}); err != nil {
					t.Error(err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for w := range writers {
		writing.Go(func() {
			for i := range commits {
				if _, err := s.Commit(t.Context(), fmt.Sprint(w), pbx.Typed(""), addUser(w*commits+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	readers.Wait()
	if _, n := s.Current(); n != 1+writers*commits {
		t.Errorf("revision %d, want %d", n, 1+writers*commits)
	}
	for i, n := range told {
		if n != int64(i+2) {
			t.Fatalf("watcher told of %d in place %d", n, i)
		}
	}
	if len(told) != writers*commits {
		t.Errorf("watcher told %d times, want %d", len(told), writers*commits)
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, users := range []int{4, 640} {
		b.Run(fmt.Sprintf("users=%d", users), func(b *testing.B) {
			s, err := Open(b.Context(), b.TempDir(), Options{Model: model()})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			fill := func(c *pbx.Config) error {
				for i := len(c.Users); i < users; i++ {
					if err := addUser(i)(c); err != nil {
						return err
					}
					u := &c.Users[i]
					u.SIPPassword = s.Key().Seal(pbx.SIPPasswordPurpose(u.ID), pbx.NewSIPPassword())
				}
				return nil
			}
			if _, err := s.Commit(b.Context(), "b", pbx.Typed(""), fill); err != nil {
				b.Fatal(err)
			}
			for i := 0; b.Loop(); i++ {
				if _, err := s.Commit(b.Context(), "b", pbx.Typed(""), setRingTime(5+i%500)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
