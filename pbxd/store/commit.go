package store

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"galilei/pbxd/pbx"
)

// Commit makes a new revision: change is called with a copy of the current
// configuration, the result is validated as a whole, written durably, made
// current and told to the watchers, in that order and one commit at a time.
// It returns the number of the revision in force. A change that alters
// nothing writes nothing and returns the current number.
//
// It returns the error of change as it is, *pbx.ValidationError when a rule is
// broken, ErrFull or ErrReadOnly when the disk is to blame, and nothing has
// changed then. change must not call Commit or Restore.
func (s *Store) Commit(ctx context.Context, author, comment string, change func(*pbx.Config) error) (int64, error) {
	select {
	case s.committing <- struct{}{}:
		defer func() { <-s.committing }()
	case <-ctx.Done():
		return s.current.Load().number, fmt.Errorf("store: commit: wait for the commit before: %w", ctx.Err())
	}
	now := s.current.Load()
	next := now.config.Clone()
	if err := change(next); err != nil {
		return now.number, err
	}
	next = next.Clone() // empty lists compare as equal, and the caller may have kept what it was given
	if reflect.DeepEqual(now.config, next) {
		return now.number, nil
	}
	if err := pbx.Validate(next, s.opts.Model); err != nil {
		return now.number, fmt.Errorf("store: commit: %w", err)
	}
	r := pbx.Revision{Number: now.number + 1, Time: s.opts.Now(), Author: author, Comment: comment}
	err := s.db.write(ctx, durable, func(tx writeTx) error {
		return putRevision(ctx, tx, now.config, next, r)
	})
	if err != nil {
		return now.number, fmt.Errorf("store: commit revision %d: %w", r.Number, err)
	}
	s.current.Store(&revised{next, r.Number})
	for _, fn := range s.watching() {
		fn(now.config, next, r.Number)
	}
	return r.Number, nil
}

// Restore makes the configuration of an earlier revision current again, as a
// new revision. So that nobody is locked out and no phone falls silent, users
// that exist both then and now keep their PIN and SIP password of now; a user
// that is brought back has those of then. The revision's comment says so. The
// error is fs.ErrNotExist when there is no such revision.
func (s *Store) Restore(ctx context.Context, author string, number int64) (int64, error) {
	return s.RestoreIf(ctx, author, number, func(_, _ *pbx.Config) error { return nil })
}

// RestoreIf is Restore on condition: allowed is called with the configuration
// before and after, which it must not modify, and its error refuses the
// restore as it is.
func (s *Store) RestoreIf(ctx context.Context, author string, number int64, allowed func(before, after *pbx.Config) error) (int64, error) {
	then, err := s.configOf(ctx, number)
	if err != nil {
		_, now := s.Current()
		return now, fmt.Errorf("store: restore: %w", err)
	}
	comment := fmt.Sprintf("Restored revision %d; PINs and SIP passwords of existing users kept", number)
	return s.Commit(ctx, author, comment, func(c *pbx.Config) error {
		for i := range then.Users {
			u := &then.Users[i]
			if now := c.UserByID(u.ID); now != nil {
				u.PIN, u.MustChangePIN, u.SIPPassword = now.PIN, now.MustChangePIN, now.SIPPassword
			}
		}
		before := *c
		*c = *then
		return allowed(&before, c)
	})
}

// Watch has fn called after every commit with the configuration before and
// after, which must not be modified, and the new revision's number, in the
// order of revisions. When Commit returns, every watcher has been called, so
// fn must be quick, and it must not call Commit, Restore or Close: those wait for
// fn. A call under way when stop is called may still finish.
func (s *Store) Watch(fn func(old, new *pbx.Config, revision int64)) (stop func()) {
	s.watchMu.Lock()
	defer s.watchMu.Unlock()
	id := s.nextID
	s.nextID++
	s.watchers[id] = fn
	return func() {
		s.watchMu.Lock()
		defer s.watchMu.Unlock()
		delete(s.watchers, id)
	}
}

// watching returns the watchers in the order in which they came.
func (s *Store) watching() []func(old, new *pbx.Config, revision int64) {
	s.watchMu.Lock()
	defer s.watchMu.Unlock()
	var list []func(old, new *pbx.Config, revision int64)
	for _, id := range slices.Sorted(maps.Keys(s.watchers)) {
		list = append(list, s.watchers[id])
	}
	return list
}

// clipped returns at most n runes of s, valid UTF-8.
func clipped(s string, n int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
