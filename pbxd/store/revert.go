package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"galilei/pbxd/pbx"
)

// system is the author of what the device does by itself.
const system = "system"

// retryRevert is how long a revert that could not be written waits for the
// next attempt. Nobody may be left with an address that does not work because
// the disk was full for a moment.
const retryRevert = 5 * time.Second

// overdue reverts p when its window is over.
func (s *Store) overdue(p *pending) {
	ctx := context.Background() // the store's own work; Close ends it
	release, err := s.takeTurn(ctx)
	if err != nil {
		return // never: this context does not end
	}
	defer release()
	if s.closed || s.pending.Load() != p {
		return
	}
	window := p.Deadline.Sub(p.Begun)
	comment := pbx.Say("Not confirmed within {s} s: {change}; reverted", "s", int(window.Seconds()), "change", p.Message)
	if err := s.revert(ctx, p, system, comment); err != nil {
		s.opts.Log.Error("change not reverted; trying again", "section", p.Section, "revision", p.Revision, "in", retryRevert, "err", err)
		p.timer.Reset(retryRevert)
	}
}

// revert gives the parameters that p altered their old values, as far as they
// have the new ones still, and ends the wait in the same transaction. The
// caller has its turn.
func (s *Store) revert(ctx context.Context, p *pending, author string, comment pbx.Message) error {
	next := s.withoutChange(p)
	var err error
	if reflect.DeepEqual(s.current.Load().config, next) {
		if err = s.db.write(ctx, durable, deletePending(ctx)); err == nil {
			s.over(p)
		}
	} else {
		_, err = s.revise(ctx, next, author, comment, with{
			written: func(tx writeTx, _ pbx.Revision) error { return deletePending(ctx)(tx) },
			kept:    func() { s.over(p) },
		})
	}
	if err != nil {
		return fmt.Errorf("store: revert change %q: %w", p.ID, err)
	}
	s.tellPending(nil)
	s.opts.Log.Warn("change reverted", "section", p.Section, "revision", p.Revision, "author", p.Author, "by", author)
	return nil
}

// withoutChange returns the configuration in force with the values from before
// p. When those do not go with what was set meanwhile, for example since they
// name a certificate that was deleted, it tries all of p's parameters from
// before, and then the factory's values of the section: a device must never
// keep an address or a certificate that nobody could confirm. What is wrong in
// other sections does not count.
func (s *Store) withoutChange(p *pending) *pbx.Config {
	factory := pbx.Factory(s.opts.Defaults)
	for _, put := range []func(*pbx.Config, altered){
		func(c *pbx.Config, a altered) {
			if now, ok := c.Param(a.Path); ok && string(now) == string(a.After) {
				put(c, a.Path, a.Before)
			}
		},
		func(c *pbx.Config, a altered) { put(c, a.Path, a.Before) },
	} {
		next := s.current.Load().config.Clone()
		for _, a := range p.altered {
			if strings.HasPrefix(a.Path, p.Section+".") {
				put(next, a)
			}
		}
		if sectionIsValid(next, s.opts.Model, p.Section) {
			return next.Clone()
		}
	}
	next := s.current.Load().config.Clone()
	switch p.Section {
	case "page":
		next.Page = factory.Page
	case "network":
		next.Network = factory.Network
	}
	return next.Clone()
}

// put sets a parameter to a value that it had before. A version that knows it
// no longer, or knows it as another type, leaves it as it is.
func put(c *pbx.Config, path string, value json.RawMessage) {
	_ = c.SetParam(path, value) // it has no other error
}

func sectionIsValid(c *pbx.Config, m pbx.Model, section string) bool {
	var wrong *pbx.ValidationError
	if errors.As(pbx.Validate(c, m), &wrong) {
		for _, f := range wrong.Fields {
			if strings.HasPrefix(f.Path, section+".") {
				return false
			}
		}
	}
	return true
}

func putPending(ctx context.Context, tx writeTx, p *pending) error {
	text, err := json.Marshal(p.altered)
	if err != nil {
		return fmt.Errorf("write what the change altered as JSON: %w", err)
	}
	message, err := json.Marshal(p.Message)
	if err != nil {
		return fmt.Errorf("write the comment as JSON: %w", err)
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO pending (one, id, section, revision, author, comment, message, begun, deadline, altered) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		p.ID, p.Section, p.Revision, p.Author, p.Comment, string(message), p.Begun.UnixMilli(), p.Deadline.UnixMilli(), string(text))
	return err
}

func deletePending(ctx context.Context) func(writeTx) error {
	return func(tx writeTx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM pending")
		return err
	}
}

// loadPending reverts a change that waited when the device went down: nobody
// can have confirmed it. When the disk takes nothing, telephones go on with the
// change until it does.
func (s *Store) loadPending(ctx context.Context) error {
	p := &pending{}
	var begun, deadline int64
	var text, message string
	err := s.db.readers.QueryRowContext(ctx, "SELECT id, section, revision, author, comment, message, begun, deadline, altered FROM pending").
		Scan(&p.ID, &p.Section, &p.Revision, &p.Author, &p.Comment, &message, &begun, &deadline, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the pending change: %w", s.db.reading(err))
	}
	p.Begun, p.Deadline = time.UnixMilli(begun).UTC(), time.UnixMilli(deadline).UTC()
	if err := json.Unmarshal([]byte(text), &p.altered); err != nil {
		s.opts.Log.Error("pending change is damaged; reverted by its revision", "section", p.Section, "revision", p.Revision, "err", err)
		p.altered = s.alteredBy(ctx, p.Revision, p.Section)
	}
	if p.Message, err = messageOf(message, p.Comment); err != nil {
		p.Message = pbx.Typed(p.Comment)
	}
	p.timer = time.AfterFunc(retryRevert, func() { s.overdue(p) })
	s.pending.Store(p)
	if err := s.revert(ctx, p, system, pbx.Say("Not confirmed before the restart: {change}; reverted", "change", p.Message)); err != nil {
		s.opts.Log.Error("change not reverted; trying again", "section", p.Section, "revision", p.Revision, "in", retryRevert, "err", err)
	}
	return nil
}

// alteredBy finds what a tentative change has altered by its revision and the
// one before. When they cannot be read it is nothing: what the newest good
// revision says then holds.
func (s *Store) alteredBy(ctx context.Context, number int64, section string) []altered {
	list, err := func() ([]altered, error) {
		before, err := s.configOf(ctx, number-1)
		if err != nil {
			return nil, err
		}
		after, err := s.configOf(ctx, number)
		if err != nil {
			return nil, err
		}
		return alteredParams(before, after, section)
	}()
	if err != nil {
		s.opts.Log.Error("pending change not reverted", "section", section, "revision", number, "err", err)
	}
	return list
}
