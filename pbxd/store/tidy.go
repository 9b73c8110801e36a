package store

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"galilei/pbxd/pbx"
)

// Limits of what is kept for a time.
const (
	tidyInterval   = 24 * time.Hour
	orphanLifetime = 30 * 24 * time.Hour
)

// clockIsSet reports whether now can be true. A device without a battery
// begins in 1970: what is old then, and what was written then, is not known.
func clockIsSet(now time.Time) bool { return now.Year() >= firstYear }

// firstYear is before any device was sold.
const firstYear = 2024

// firstTime is when firstYear began.
func firstTime() time.Time { return time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC) }

// Run writes the journals and call records and does the daily work until ctx ends: it deletes
// what has been kept for its time. Open has done so, too.
func (s *Store) Run(ctx context.Context) {
	var writer sync.WaitGroup
	writer.Go(func() { s.keepJournals(ctx) })
	writer.Go(func() { s.keepRecords(ctx) })
	writer.Go(func() { s.trimRecords(ctx) })
	defer writer.Wait()
	tick := time.NewTicker(tidyInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.tidy(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// tidy deletes entries of the audit log, text messages and calls that are older than the
// settings say, calls beyond what a journal holds, and private contacts and
// journals whose owner was deleted 30 days ago. Until then the restore of a
// revision brings both back. It does nothing while the clock is
// not set or not believed, and what it cannot delete now it deletes the next
// time.
func (s *Store) tidy(ctx context.Context) {
	now := s.opts.Now()
	if !clockIsSet(now) {
		return
	}
	c, _ := s.Current()
	err := s.db.write(ctx, lazy, func(tx writeTx) error {
		if ok, err := s.believes(ctx, tx, now); err != nil {
			return fmt.Errorf("look at the clock: %w", err)
		} else if !ok {
			return nil
		}
		if err := pruneAudit(ctx, tx, now.AddDate(0, 0, -c.Retention.AuditDays)); err != nil {
			return fmt.Errorf("prune the audit log: %w", err)
		}
		if err := pruneTexts(ctx, tx, c, now.AddDate(0, 0, -c.Retention.TextDays)); err != nil {
			return fmt.Errorf("prune messages: %w", err)
		}
		if err := pruneJournal(ctx, tx, now.AddDate(0, 0, -c.Retention.JournalDays)); err != nil {
			return fmt.Errorf("prune journals: %w", err)
		}
		if users, err := journalUsers(ctx, tx); err != nil {
			return fmt.Errorf("find journals: %w", err)
		} else if err := shortenJournals(ctx, tx, users, c.Retention.JournalCalls); err != nil {
			return err
		}
		if err := followOrphans(ctx, tx, c, now); err != nil {
			return fmt.Errorf("find contacts and journals without owner: %w", err)
		}
		return pruneOrphans(ctx, tx, now.Add(-orphanLifetime))
	})
	if err != nil {
		s.opts.Log.Error("old entries not deleted", "err", err)
	}
}

// tidyAfter tidies when a commit has changed what tidy goes by.
func (s *Store) tidyAfter(ctx context.Context, old, new *pbx.Config) {
	if old.Retention != new.Retention {
		s.records.trimSoon()
	}
	if old.Retention != new.Retention || !sameUsers(old, new) {
		s.tidy(ctx)
	}
}

func sameUsers(a, b *pbx.Config) bool {
	if len(a.Users) != len(b.Users) {
		return false
	}
	for i := range a.Users {
		if a.Users[i].ID != b.Users[i].ID {
			return false
		}
	}
	return true
}

// pruneAudit deletes the entries from before cutoff. Those that were written
// while the clock was not set are as old as the entries around them.
func pruneAudit(ctx context.Context, tx writeTx, cutoff time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM audit WHERE time < ?1 AND id <= (
		SELECT coalesce(max(id), 0) FROM audit WHERE time >= ?2 AND time < ?1)`, cutoff.UnixMilli(), firstTime().UnixMilli())
	return err
}

// followOrphans notes since when owners of private contacts, journals and messages are no users, and
// forgets it of those who are users again.
func followOrphans(ctx context.Context, tx writeTx, c *pbx.Config, now time.Time) error {
	owners, err := privateOwners(ctx, tx)
	if err != nil {
		return err
	}
	users := map[string]bool{}
	for i := range c.Users {
		users[c.Users[i].ID] = true
	}
	// A clock that was wrong must not keep them for years.
	if _, err := tx.ExecContext(ctx, "UPDATE orphan SET since = ? WHERE since > ?", now.UnixMilli(), now.Add(maxLeap).UnixMilli()); err != nil {
		return err
	}
	for _, owner := range owners {
		query, args := "INSERT INTO orphan (owner, since) VALUES (?, ?) ON CONFLICT (owner) DO NOTHING", []any{owner, now.UnixMilli()}
		if users[owner] {
			query, args = "DELETE FROM orphan WHERE owner = ?", []any{owner}
		}
		if _, err := tx.ExecContext(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

func privateOwners(ctx context.Context, tx writeTx) ([]string, error) {
	owners, err := texts(tx.QueryContext(ctx, "SELECT DISTINCT owner FROM contact WHERE owner <> '' UNION SELECT owner FROM orphan UNION SELECT user FROM text UNION SELECT user FROM reminder"))
	if err != nil {
		return nil, err
	}
	users, err := journalUsers(ctx, tx)
	owners = append(owners, users...)
	slices.Sort(owners)
	return slices.Compact(owners), err
}

func pruneOrphans(ctx context.Context, tx writeTx, cutoff time.Time) error {
	for _, query := range []string{
		"DELETE FROM contact WHERE owner IN (SELECT owner FROM orphan WHERE since <= ?)",
		"DELETE FROM journal WHERE user IN (SELECT owner FROM orphan WHERE since <= ?)",
		"DELETE FROM text WHERE user IN (SELECT owner FROM orphan WHERE since <= ?)",
		"DELETE FROM reminder WHERE user IN (SELECT owner FROM orphan WHERE since <= ?)",
		"DELETE FROM orphan WHERE since <= ?",
	} {
		if _, err := tx.ExecContext(ctx, query, cutoff.UnixMilli()); err != nil {
			return fmt.Errorf("delete contacts and journals without owner: %w", err)
		}
	}
	return nil
}
