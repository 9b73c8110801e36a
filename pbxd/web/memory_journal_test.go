package web

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"galilei/pbxd/pbx"
)

// note enters calls into journals, as the real store does, and tells of it.
func (m *memory) note(list ...pbx.JournalEntry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range list {
		m.calls++
		e.ID, e.New = m.calls, e.Result == pbx.CallMissed
		m.journal = append(m.journal, e)
		m.send(pbx.Fact{Kind: pbx.FactJournal, Users: []string{e.User}})
	}
}

func (m *memory) Journal(_ context.Context, q pbx.JournalQuery) (pbx.JournalPage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var p pbx.JournalPage
	for _, e := range slices.Backward(m.journal) {
		named := slices.ContainsFunc(strings.Fields(strings.ToLower(e.Name)), func(w string) bool { return strings.HasPrefix(w, strings.ToLower(q.Name)) })
		if e.User != q.User || q.Direction != "" && e.Direction != q.Direction || q.Result != "" && e.Result != q.Result || q.New && !e.New ||
			q.Name != "" && !named || !strings.HasPrefix(e.Number, q.Number) {
			continue
		}
		p.Total++
		if (q.Before == 0 || e.ID < q.Before) && len(p.Entries) < q.Limit {
			p.Entries = append(p.Entries, e)
		}
	}
	return p, nil
}

func (m *memory) SeeMissed(_ context.Context, user string, upTo int64) (n int, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.journal {
		if e := &m.journal[i]; e.User == user && e.ID <= upTo && e.New {
			e.New = false
			n++
		}
	}
	return n, nil
}

func (m *memory) DeleteCall(_ context.Context, user string, id int64) error {
	if m.deleteCalls(func(e pbx.JournalEntry) bool { return e.User == user && e.ID == id }) == 0 {
		return fmt.Errorf("call %d: %w", id, fs.ErrNotExist)
	}
	return nil
}

func (m *memory) DeleteCalls(_ context.Context, user string, upTo int64) (int, error) {
	return m.deleteCalls(func(e pbx.JournalEntry) bool { return e.User == user && e.ID <= upTo }), nil
}

func (m *memory) deleteCalls(which func(pbx.JournalEntry) bool) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.journal)
	m.journal = slices.DeleteFunc(m.journal, which)
	return before - len(m.journal)
}
