package web

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"galilei/pbxd/pbx"
)

// commit changes the configuration in the name of the caller. All changes of
// the API go through it or commitTentative: it refuses what would give anybody
// rights that the caller does not have. Work that took long came before it, so
// the caller's own rights are looked at again first.
func (s *Server) commit(ctx context.Context, comment pbx.Message, change func(*pbx.Config) error) (revision int64, err error) {
	c := callerOf(ctx)
	giveBack, err := s.spend(ctx, s.commits)
	if err != nil {
		return 0, err
	}
	var before, after *pbx.Config
	revision, err = s.Store.Commit(ctx, c.author(), comment, func(cfg *pbx.Config) error {
		if err := s.stillIn(cfg, c); err != nil {
			return err
		}
		before = cfg.Clone()
		if err := change(cfg); err != nil {
			return s.refusedWhole(before, cfg, err)
		}
		normalise(cfg)
		after = cfg
		return s.allowed(before, after, c)
	})
	if wrong, ok := errors.AsType[*pbx.ValidationError](err); ok && after != nil {
		wrong.Blame(before, after)
	}
	if err != nil {
		giveBack()
		return revision, fmt.Errorf("%s: %w", comment, err)
	}
	return revision, nil
}

// refusedWhole joins the fields that a change has refused by itself with those
// that the configuration refuses, so that all of them are named at once. Another
// error stays alone.
func (s *Server) refusedWhole(before, cfg *pbx.Config, err error) error {
	if refusedFields(err) == nil {
		return err
	}
	normalise(cfg)
	wrong, ok := errors.AsType[*pbx.ValidationError](pbx.Validate(cfg, s.Model))
	if !ok {
		return err
	}
	wrong.Blame(before, cfg)
	return errors.Join(err, wrong)
}

// commitTentative is commit for a change that reverts after window unless it
// is confirmed. It returns pbx.ErrPending when another one waits already.
func (s *Server) commitTentative(ctx context.Context, comment pbx.Message, section string, window time.Duration, change func(*pbx.Config) error) (pbx.PendingChange, error) {
	c := callerOf(ctx)
	giveBack, err := s.spend(ctx, s.commits)
	if err != nil {
		return pbx.PendingChange{}, err
	}
	p, err := s.Store.CommitTentative(ctx, c.author(), comment, section, window, func(cfg *pbx.Config) error {
		if err := s.stillIn(cfg, c); err != nil {
			return err
		}
		before := cfg.Clone()
		if err := change(cfg); err != nil {
			return err
		}
		normalise(cfg)
		return s.allowed(before, cfg, c)
	})
	if err != nil {
		giveBack()
		return p, fmt.Errorf("%s: %w", comment, err)
	}
	return p, nil
}

// restoreRevision goes back to an old revision under the same rules as commit,
// unless match refuses the configuration of now.
func (s *Server) restoreRevision(ctx context.Context, number int64, match func(now *pbx.Config) error) (int64, error) {
	c := callerOf(ctx)
	giveBack, err := s.spend(ctx, s.commits)
	if err != nil {
		return 0, err
	}
	revision, err := s.Store.RestoreIf(ctx, c.author(), number, func(before, after *pbx.Config) error {
		if err := s.stillIn(before, c); err != nil {
			return err
		}
		if err := match(before); err != nil {
			return err
		}
		return s.allowed(before, after, c)
	})
	if err != nil {
		giveBack()
		return revision, fmt.Errorf("restore revision %d: %w", number, err)
	}
	return revision, nil
}

// allowed refuses what the caller may not change, and what the licence does
// not cover.
func (s *Server) allowed(before, after *pbx.Config, c *caller) error {
	if err := guard(before, after, c); err != nil {
		return err
	}
	return s.licensed(before, after)
}

// normalise makes lists that were nil empty ones, as they are stored.
func normalise(cfg *pbx.Config) { *cfg = *cfg.Clone() }

// sameUser reports whether two states of a user are the same.
func sameUser(a, b *pbx.User) bool { return reflect.DeepEqual(a, b) }
