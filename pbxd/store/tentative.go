package store

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"galilei/pbxd/pbx"
)

// Limits of the time that a change waits to be confirmed.
const (
	minWindow = time.Second
	maxWindow = 10 * time.Minute
)

// pending is a change that waits to be confirmed. It is never modified.
type pending struct {
	pbx.PendingChange
	altered []altered
	timer   *time.Timer
}

// altered is one parameter that a tentative change has altered.
type altered struct {
	Path   string          `json:"path"` // as in page.certificate
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// CommitTentative is Commit for a change of one section, "page" or "network",
// that might lock its author out. It holds at once, but when the window (1 s
// to 10 min) ends before Confirm, or the device restarts, what it altered gets
// its old values again, in a new revision by "system". What others have set
// meanwhile stays. The revision and the promise to revert it are written in
// one transaction.
//
// The error is pbx.ErrPending while another change waits, and as of Commit. A
// change that alters nothing waits for nothing: the answer has no ID then.
func (s *Store) CommitTentative(ctx context.Context, author string, comment pbx.Message, section string, window time.Duration, change func(*pbx.Config) error) (pbx.PendingChange, error) {
	var none pbx.PendingChange
	if section != "page" && section != "network" {
		return none, fmt.Errorf("store: commit for a time: section is %q; allowed are page and network", section)
	}
	if window < minWindow || window > maxWindow {
		return none, fmt.Errorf("store: commit for %v: allowed are %v to %v", window, minWindow, maxWindow)
	}
	release, err := s.takeTurn(ctx)
	if err != nil {
		return none, fmt.Errorf("store: commit for a time: %w", err)
	}
	defer release()
	if p := s.pending.Load(); p != nil {
		return none, fmt.Errorf("store: commit for a time: %q of %s is not confirmed yet: %w", p.Comment, p.Author, pbx.ErrPending)
	}
	now := s.current.Load()
	next, err := s.changed(now, change)
	if err != nil || next == nil {
		none.Revision = now.number
		return none, err
	}
	p := &pending{}
	if p.altered, err = alteredParams(now.config, next, section); err != nil {
		return none, fmt.Errorf("store: commit for a time: %w", err)
	}
	_, err = s.revise(ctx, next, author, comment, with{
		written: func(tx writeTx, r pbx.Revision) error {
			p.PendingChange = pbx.PendingChange{
				ID: pbx.NewID(), Section: section, Revision: r.Number, Author: r.Author, Comment: r.Comment, Message: r.Message,
				Begun: r.Time, Deadline: r.Time.Add(window),
			}
			return putPending(ctx, tx, p)
		},
		kept: func() {
			s.pending.Store(p)
			p.timer = time.AfterFunc(window, func() { s.overdue(p) })
		},
	})
	if err != nil {
		return none, err
	}
	s.tellPending(s.Pending())
	return p.PendingChange, nil
}

// alteredParams lists what differs between two configurations, which must be
// parameters of that section alone.
func alteredParams(old, new *pbx.Config, section string) ([]altered, error) {
	for _, c := range pbx.Diff(old, new) {
		if !strings.HasPrefix(c.Path, section+".") {
			return nil, fmt.Errorf("the change alters %s, which is not in the section %s", c.Path, section)
		}
	}
	text, err := json.Marshal(new)
	if err != nil {
		return nil, fmt.Errorf("write the configuration as JSON: %w", err)
	}
	var sections map[string]json.RawMessage
	var params map[string]json.RawMessage
	if err := json.Unmarshal(text, &sections); err != nil {
		return nil, fmt.Errorf("read the configuration back: %w", err)
	}
	if err := json.Unmarshal(sections[section], &params); err != nil {
		return nil, fmt.Errorf("read section %s back: %w", section, err)
	}
	list := []altered{}
	for name := range params {
		path := section + "." + name
		before, _ := old.Param(path)
		after, _ := new.Param(path)
		if string(before) != string(after) {
			list = append(list, altered{path, before, after})
		}
	}
	return list, nil
}

// Pending returns the change that waits to be confirmed, or nil.
func (s *Store) Pending() *pbx.PendingChange {
	p := s.pending.Load()
	if p == nil {
		return nil
	}
	change := p.PendingChange
	return &change
}

// Confirm makes the pending change of that ID hold for good. The error is
// fs.ErrNotExist when it does not wait (any more).
func (s *Store) Confirm(ctx context.Context, author, id string) error {
	release, err := s.takeTurn(ctx)
	if err != nil {
		return fmt.Errorf("store: confirm: %w", err)
	}
	defer release()
	p := s.pending.Load()
	if p == nil || p.ID != id {
		return fmt.Errorf("store: confirm change %q: %w", id, fs.ErrNotExist)
	}
	if err := s.db.write(ctx, durable, deletePending(ctx)); err != nil {
		return fmt.Errorf("store: confirm change %q: %w", id, err)
	}
	s.over(p)
	s.tellPending(nil)
	s.opts.Log.Info("change confirmed", "section", p.Section, "revision", p.Revision, "author", p.Author, "by", author)
	return nil
}

// RevertPending puts back at once what the pending change of that ID altered.
// The error is fs.ErrNotExist when it does not wait (any more).
func (s *Store) RevertPending(ctx context.Context, author, id string) error {
	release, err := s.takeTurn(ctx)
	if err != nil {
		return fmt.Errorf("store: revert: %w", err)
	}
	defer release()
	p := s.pending.Load()
	if p == nil || p.ID != id {
		return fmt.Errorf("store: revert change %q: %w", id, fs.ErrNotExist)
	}
	return s.revert(ctx, p, author, pbx.Say("Not kept: {change}; reverted", "change", p.Message))
}

// WatchPending has fn called when a change begins to wait, with that change,
// and with nil when it does no longer. It follows the rules of Watch and comes
// after it.
func (s *Store) WatchPending(fn func(*pbx.PendingChange)) (stop func()) {
	return s.pendingWatchers.add(fn)
}

func (s *Store) tellPending(p *pbx.PendingChange) {
	for _, fn := range s.pendingWatchers.all() {
		fn(p)
	}
}

// over ends the wait for p. The caller has its turn, and tells of it.
func (s *Store) over(p *pending) {
	p.timer.Stop()
	s.pending.Store(nil)
}
