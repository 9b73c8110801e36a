package store

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

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
func (s *Store) Commit(ctx context.Context, author string, comment pbx.Message, change func(*pbx.Config) error) (int64, error) {
	release, err := s.takeTurn(ctx)
	if err != nil {
		return s.current.Load().number, fmt.Errorf("store: commit: %w", err)
	}
	defer release()
	now := s.current.Load()
	next, err := s.changed(now, change)
	if err != nil || next == nil {
		return now.number, err
	}
	return s.revise(ctx, next, author, comment, with{})
}

// takeTurn waits until no other commit is under way.
func (s *Store) takeTurn(ctx context.Context) (release func(), err error) {
	select {
	case s.committing <- struct{}{}:
		return func() { <-s.committing }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the commit before: %w", ctx.Err())
	}
}

// changed returns what change makes of the configuration in force, valid, or
// nil when that is the same.
func (s *Store) changed(now *revised, change func(*pbx.Config) error) (*pbx.Config, error) {
	next := now.config.Clone()
	if err := change(next); err != nil {
		return nil, err
	}
	next = next.Clone() // empty lists compare as equal, and the caller may have kept what it was given
	if reflect.DeepEqual(now.config, next) {
		return nil, nil
	}
	if err := pbx.Validate(next, s.opts.Model); err != nil {
		return nil, fmt.Errorf("store: commit: %w", err)
	}
	return next, nil
}

// with is what goes with a revision; each may be nil.
type with struct {
	changes []pbx.Change                      // in place of those from the configuration in force
	written func(writeTx, pbx.Revision) error // in the same transaction
	kept    func()                            // when it is on the disk, before the watchers hear of it
}

// revise writes next as the new revision, makes it current and tells the
// watchers. The caller has its turn.
func (s *Store) revise(ctx context.Context, next *pbx.Config, author string, comment pbx.Message, w with) (int64, error) {
	now := s.current.Load()
	comment = bounded(comment)
	r := pbx.Revision{Number: now.number + 1, Time: s.opts.Now(), Author: clipped(author, maxAuthor), Comment: comment.Text(), Message: comment}
	err := s.db.write(ctx, durable, func(tx writeTx) error {
		kept := r
		kept.Changes = w.changes
		if err := putRevision(ctx, tx, now.config, next, kept); err != nil || w.written == nil {
			return err
		}
		return w.written(tx, r)
	})
	if err != nil {
		return now.number, fmt.Errorf("store: commit revision %d: %w", r.Number, err)
	}
	s.current.Store(&revised{next, r.Number})
	if s.settles(author) {
		s.fellBack.Store(0)
	}
	if w.kept != nil {
		w.kept()
	}
	for _, fn := range s.watchers.all() {
		fn(now.config, next, r)
	}
	s.tidyAfter(context.WithoutCancel(ctx), now.config, next)
	return r.Number, nil
}

// Restore makes the configuration of an earlier revision current again, as a
// new revision. So that nobody is locked out and no phone falls silent, users
// that exist both then and now keep their PIN and SIP password of now; a user
// that is brought back has those of then. The revision's comment says so. The
// page keeps its certificate, which changes on trial alone, and the night answer
// service its profile. The
// mail account keeps its password, the OAuth application its secret, and each
// gateway its password, when they are the same then and now: those of then may no
// longer be good. The error
// is fs.ErrNotExist when there is no such revision, ErrDamaged when it cannot be
// read any more.
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
	comment := pbx.Say("Restored revision {number}; PINs, SIP passwords and own call settings of existing users kept, and the profile of the night answer service", "number", number)
	return s.Commit(ctx, author, comment, func(c *pbx.Config) error {
		for i := range then.Users {
			u := &then.Users[i]
			if now := c.UserByID(u.ID); now != nil {
				u.PIN, u.MustChangePIN, u.SIPPassword = now.PIN, now.MustChangePIN, now.SIPPassword
				u.KeepCalls(now) // who forwards calls, at the phone, too, does so today
			}
		}
		keepMailSecrets(c.Mail, &then.Mail)
		keepGatewaySecrets(c, then)
		then.KeepCertificate(c, s.certificateBefore())
		then.NightService.Profile = c.NightService.Profile // whoever is in the office has chosen it, at a phone, too
		before := *c
		*c = *then
		return allowed(&before, c)
	})
}

// certificateBefore returns the ID of the page's certificate to which a change
// on trial goes back, or "".
func (s *Store) certificateBefore() string {
	p := s.pending.Load()
	if p == nil {
		return ""
	}
	for _, a := range p.altered {
		var id string
		if a.Path == "page.certificate" && json.Unmarshal(a.Before, &id) == nil {
			return id
		}
	}
	return ""
}

// keepMailSecrets gives then the secrets of now that belong to the same account
// and go there no less protected.
func keepMailSecrets(now pbx.Mail, then *pbx.Mail) {
	if then.KeepsPassword(now.MailSettings) && now.Password != "" {
		then.Password = now.Password
	}
	if then.KeepsClientSecret(now.MailSettings) && then.OAuthClientID == now.OAuthClientID && now.ClientSecret != "" {
		then.ClientSecret = now.ClientSecret
	}
}

// keepGatewaySecrets gives the gateways of then the passwords of now for the same
// accounts.
func keepGatewaySecrets(now, then *pbx.Config) {
	for i := range then.Gateways {
		g := &then.Gateways[i]
		if x := now.GatewayByID(g.ID); x != nil && x.Password != "" && g.KeepsPassword(x.GatewaySettings) {
			g.Password = x.Password
		}
	}
}

// Watch has fn called after every commit with the configuration before and
// after, which must not be modified, and the new revision without its changes,
// in the order of revisions. When Commit returns, every watcher has been called, so
// fn must be quick, and it must not call Commit, Restore or Close: those wait for
// fn. A call under way when stop is called may still finish.
func (s *Store) Watch(fn func(old, new *pbx.Config, r pbx.Revision)) (stop func()) {
	return s.watchers.add(fn)
}
