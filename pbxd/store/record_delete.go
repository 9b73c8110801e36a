package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"galilei/pbxd/pbx"
)

// doomed is what somebody has deleted and is still there.
type doomed struct {
	mu   sync.Mutex
	list []doom
}

// doom is the records up to an ID of calls that began before a time.
type doom struct{ until, newest int64 }

// DeleteRecords deletes the call records that there are of calls that began before
// a time, all when it is zero, and returns how many. The audit log tells first,
// durably, who does so: act is that entry, whose Object becomes how many there are.
// They go in the background, which takes a minute for 100,000 of a million;
// DeletingRecords tells whether any are left. A restart leaves what is left.
func (s *Store) DeleteRecords(ctx context.Context, before time.Time, act pbx.AuditEntry) (int, error) {
	q := pbx.RecordQuery{Until: before}
	t, err := s.RecordTotals(ctx, q)
	if err != nil {
		return 0, err
	}
	d := doom{until: filterOf(s.numbering(), q).until}
	if err := s.db.readers.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM cdr").Scan(&d.newest); err != nil {
		return 0, fmt.Errorf("store: delete call records before %v: %w", before, s.db.reading(err))
	}
	act.Object = strconv.Itoa(t.Calls)
	if err := s.Audit(ctx, act); err != nil {
		return 0, err
	}
	s.records.doomed.mu.Lock()
	defer s.records.doomed.mu.Unlock()
	s.records.doomed.list = append(s.records.doomed.list, d)
	s.records.trimSoon()
	return t.Calls, nil
}

// DeletingRecords reports whether records that DeleteRecords was called for are
// still there.
func (s *Store) DeletingRecords() bool {
	s.records.doomed.mu.Lock()
	defer s.records.doomed.mu.Unlock()
	return len(s.records.doomed.list) > 0
}

// deleteDoomed deletes what somebody wants to be gone. After an error it is tried
// again with the next look at what is not kept.
func (s *Store) deleteDoomed(ctx context.Context) error {
	s.records.doomed.mu.Lock()
	list := slices.Clone(s.records.doomed.list)
	s.records.doomed.mu.Unlock()
	for _, d := range list {
		n, err := s.deleteRecords(ctx, "DELETE FROM cdr WHERE id IN (SELECT id FROM cdr INDEXED BY cdr_list WHERE began < ? AND id <= ? ORDER BY began LIMIT ?)", d.until, d.newest)
		if err != nil {
			return fmt.Errorf("delete call records, %d are deleted: %w", n, err)
		}
		s.records.doomed.mu.Lock()
		s.records.doomed.list = s.records.doomed.list[1:]
		s.records.doomed.mu.Unlock()
		s.records.tell()
	}
	return nil
}
