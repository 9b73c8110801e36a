package store

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"galilei/pbxd/pbx"
)

// Limits of the calls that wait to be written.
const (
	// maxJournalWaiting is ten seconds of 500 calls a second, or what a disk that
	// takes nothing for a while holds back.
	maxJournalWaiting = 5000
	maxJournalBatch   = 1000 // in one transaction, so that others are not kept waiting
	journalDelay      = time.Second
	maxJournalField   = 100 // runes
)

// NoteCall takes one call into the journal of its user. It never waits: the
// entry is written within a second, together with others, and when 5,000 wait,
// further ones are lost, which the log tells. Its ID is given then.
func (s *Store) NoteCall(e pbx.JournalEntry) {
	if e.User == "" {
		return
	}
	// What came in a message of 64 KiB must not wait as a whole.
	for _, text := range []*string{&e.Number, &e.Name, &e.Group} {
		*text = strings.Clone(clipped(*text, maxJournalField))
	}
	if s.journal.add(e, maxJournalWaiting) {
		s.opts.Log.Error("journals do not keep up: calls are not entered", "waiting", maxJournalWaiting)
	}
}

// writeJournals writes what waits until it is done or the disk refuses.
func (s *Store) writeJournals(ctx context.Context) error {
	s.journal.writing.Lock()
	defer s.journal.writing.Unlock()
	for {
		batch := s.journal.first(maxJournalBatch)
		if len(batch) == 0 {
			return nil
		}
		users, err := s.writeCalls(ctx, batch)
		if err != nil {
			return err
		}
		if lost := s.journal.drop(len(batch)); lost > 0 {
			s.opts.Log.Error("journals keep up again; calls were lost", "lost", lost)
		}
		s.tellJournal(users)
	}
}

// writeCalls writes calls durably, shortens the journals that they go into, and
// returns whose those are.
func (s *Store) writeCalls(ctx context.Context, batch []pbx.JournalEntry) ([]string, error) {
	c, _ := s.Current()
	concerned := map[string]bool{}
	for i := range batch {
		concerned[batch[i].User] = true
	}
	users := slices.Sorted(maps.Keys(concerned))
	return users, s.db.write(ctx, durable, func(tx writeTx) error {
		insert, err := tx.PrepareContext(ctx, `INSERT INTO journal (user, call, direction, result, number, name, hunt_group, time, duration, unseen, name_key, number_key)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		defer insert.Close()
		for i := range batch {
			e := &batch[i]
			if _, err := insert.ExecContext(ctx, e.User, e.Call, string(e.Direction), string(e.Result), e.Number, e.Name,
				e.Group, e.Time.UnixMilli(), max(e.Duration, 0), e.Result == pbx.CallMissed, nameKey(e.Name), digits(e.Number)); err != nil {
				return err
			}
		}
		return shortenJournals(ctx, tx, users, c.Retention.JournalCalls)
	})
}

// keepJournals writes journals until ctx ends, a second after something waits,
// and then what is left.
func (s *Store) keepJournals(ctx context.Context) {
	s.journal.keep(ctx, journalDelay, s.writeJournals, func(err error) {
		s.opts.Log.Error("journals not written; trying again every second", "err", err)
	})
}
