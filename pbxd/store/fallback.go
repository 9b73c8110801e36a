package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"galilei/pbxd/pbx"
)

// fellBackTo is the comment of the revision that takes the place of a damaged
// one.
const fellBackTo = "Revision {damaged} is damaged; revision {number} holds again"

// FellBack returns the number of the revision that was the newest and could not
// be read when the store was opened, so that an older one holds again. It is 0
// when there is none, and from the next change of an administrator on, who has
// seen the configuration then.
func (s *Store) FellBack() int64 { return s.fellBack.Load() }

// settles reports whether a change by that author, as in "anna" or "anna as
// ben", ends the alarm.
func (s *Store) settles(author string) bool {
	name, _, _ := strings.Cut(author, " as ")
	u := s.current.Load().config.UserByName(name)
	return u != nil && u.Admin
}

// loadFellBack finds a damaged revision of an earlier start that no
// administrator has made a change after.
func (s *Store) loadFellBack(ctx context.Context) error {
	rows, err := s.db.readers.QueryContext(ctx, "SELECT author, comment, message FROM revision ORDER BY number DESC")
	if err != nil {
		return fmt.Errorf("look for damaged revisions: %w", s.db.reading(err))
	}
	defer rows.Close()
	for rows.Next() {
		var author, comment, message string
		if err := rows.Scan(&author, &comment, &message); err != nil {
			return fmt.Errorf("look for damaged revisions: %w", s.db.reading(err))
		}
		about, err := messageOf(message, comment)
		if n := damagedIn(about); err == nil && n != 0 {
			s.fellBack.Store(n)
			return nil
		}
		if s.settles(author) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("look for damaged revisions: %w", s.db.reading(err))
	}
	return nil
}

// damagedIn returns the number of the damaged revision that a comment tells of,
// or 0.
func damagedIn(comment pbx.Message) int64 {
	if comment.Template != fellBackTo {
		return 0
	}
	switch n := comment.Args["damaged"].(type) {
	case int64:
		return n
	case int: // as it is read from JSON
		return int64(n)
	}
	return 0
}

// readable returns the newest configuration that can be read and its number.
// Telephones work with one of yesterday better than with none.
func (s *Store) readable(ctx context.Context) (c *pbx.Config, number int64, err error) {
	rows, err := s.db.readers.QueryContext(ctx, "SELECT number FROM revision ORDER BY number DESC")
	if err != nil {
		return nil, 0, fmt.Errorf("list revisions: %w", s.db.reading(err))
	}
	defer rows.Close()
	var damage error
	for rows.Next() {
		if err := rows.Scan(&number); err != nil {
			return nil, 0, fmt.Errorf("list revisions: %w", s.db.reading(err))
		}
		c, err := s.configOf(ctx, number)
		if err == nil {
			return c, number, nil
		}
		if !errors.Is(err, ErrDamaged) {
			return nil, 0, err
		}
		s.opts.Log.Error("revision is damaged; trying the one before", "revision", number, "err", err)
		if damage == nil {
			damage = err
		}
	}
	if err := rows.Err(); err != nil {
		return nil, 0, errors.Join(damage, fmt.Errorf("list revisions: %w", s.db.reading(err)))
	}
	return nil, 0, fmt.Errorf("no revision can be read: %w", errors.Join(damage, ErrDamaged))
}

// fallBack makes the configuration c of revision number hold in place of the
// newest one, which is damaged, in a new revision: what is changed later must
// not be taken for a change of the damaged one. A disk that takes nothing does
// not keep the telephones from working.
func (s *Store) fallBack(ctx context.Context, c *pbx.Config, number, newest int64) {
	s.current.Store(&revised{c, newest})
	undone, err := s.undone(ctx, number, newest)
	if err == nil {
		comment := pbx.Say(fellBackTo, "damaged", newest, "number", number)
		_, err = s.revise(ctx, c, system, comment, with{changes: undone})
	}
	if err != nil {
		s.opts.Log.Error("going back to an older revision is not written; it is done again with the next start", "revision", number, "err", err)
	}
	s.fellBack.Store(newest)
}

// undone returns the changes that lead from revision newest back to revision
// number, as far as they can be read.
func (s *Store) undone(ctx context.Context, number, newest int64) ([]pbx.Change, error) {
	back := []pbx.Change{}
	before := int64(math.MaxInt64)
	for {
		list, err := s.Revisions(ctx, before, 0)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			if r.Number <= number {
				return back, nil
			}
			for i := range r.Changes {
				c := r.Changes[len(r.Changes)-1-i]
				c.Old, c.New = c.New, c.Old
				back = append(back, c)
			}
		}
		if len(list) == 0 {
			return back, nil
		}
		before = list[len(list)-1].Number
	}
}
