// Package presence is the one place where the PBX publishes what is true now:
// which phones are registered, which calls are up, which revision is in
// force, whether a change waits to be confirmed. The page and phones subscribe.
package presence

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sort"
	"sync"

	"galilei/pbxd/pbx"
)

const (
	maxSubscribers = 64
	maxBehind      = 256 // facts that a subscriber may lag
)

// Board holds the facts that are true now. Its methods may be called from any
// goroutine and never wait for a subscriber.
type Board struct {
	mu            sync.Mutex
	registrations map[string][]pbx.Registration // by extension, never empty
	calls         map[string]pbx.CallStatus     // by ID, live ones only
	lines         map[string]pbx.LineStatus     // by ID of the gateway
	revision      int64
	pending       *pbx.PendingChange // nil when no change waits to be confirmed
	drafts        int                // uncommitted system settings
	subscribers   map[*subscriber]struct{}
}

type subscriber struct {
	updates chan pbx.Fact
	forget  func() bool // ends the wait for its context
}

// New returns an empty board.
func New() *Board {
	return &Board{
		registrations: map[string][]pbx.Registration{},
		calls:         map[string]pbx.CallStatus{},
		lines:         map[string]pbx.LineStatus{},
		subscribers:   map[*subscriber]struct{}{},
	}
}

// Publish makes f known. Facts of one publisher reach every subscriber in
// order; a subscriber that is 256 facts behind is cut off. A fact that lacks
// what its kind needs (an extension, a call with an ID, a gateway, a revision above 0, no
// negative number of drafts, users of journals) is dropped.
func (b *Board) Publish(f pbx.Fact) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.note(f)
	if !ok {
		return
	}
	for s := range b.subscribers {
		select {
		case s.updates <- f:
		default:
			b.drop(s)
		}
	}
}

// note enters f on the board and returns the copy that subscribers share.
func (b *Board) note(f pbx.Fact) (pbx.Fact, bool) {
	switch f.Kind {
	case pbx.FactRegistration:
		if f.Extension == "" {
			return f, false
		}
		list := slices.Clone(f.Registrations)
		for i := range list {
			list[i].Path = slices.Clone(list[i].Path)
		}
		if len(list) == 0 {
			delete(b.registrations, f.Extension)
		} else {
			b.registrations[f.Extension] = list
		}
		return pbx.Fact{Kind: f.Kind, Extension: f.Extension, Registrations: list}, true
	case pbx.FactCall:
		if f.Call == nil || f.Call.ID == "" {
			return f, false
		}
		call := *f.Call
		if call.State == pbx.CallEnded {
			delete(b.calls, call.ID)
		} else {
			b.calls[call.ID] = call
		}
		return pbx.Fact{Kind: f.Kind, Call: &call}, true
	case pbx.FactRevision:
		if f.Revision < 1 {
			return f, false
		}
		b.revision = f.Revision
		return pbx.Fact{Kind: f.Kind, Revision: f.Revision}, true
	case pbx.FactPending:
		b.pending = nil
		if f.Pending != nil {
			change := *f.Pending
			b.pending = &change
		}
		return pbx.Fact{Kind: f.Kind, Pending: b.pending}, true
	case pbx.FactDrafts:
		if f.Drafts < 0 {
			return f, false
		}
		b.drafts = f.Drafts
		return pbx.Fact{Kind: f.Kind, Drafts: f.Drafts}, true
	case pbx.FactLine:
		if f.Line == nil || f.Line.Gateway == "" {
			return f, false
		}
		line := *f.Line
		if f.Gone {
			delete(b.lines, line.Gateway)
		} else {
			b.lines[line.Gateway] = line
		}
		return pbx.Fact{Kind: f.Kind, Line: &line, Gone: f.Gone}, true
	case pbx.FactMail, pbx.FactRecords, pbx.FactWarning:
		return pbx.Fact{Kind: f.Kind}, true
	case pbx.FactJournal, pbx.FactTexts:
		return pbx.Fact{Kind: f.Kind, Users: slices.Clone(f.Users)}, len(f.Users) > 0
	}
	return f, false
}

// Subscribe returns what is true now (the revision, the change that waits to be
// confirmed and the number of drafts if there are any, one fact per registered
// extension, one per live call, one per gateway) and the facts published from this moment on,
// with none lost or doubled between the two. updates is closed when ctx ends,
// when the subscriber is 256 facts behind, and at once when there are 64
// subscribers already. Facts are shared and must not be modified.
func (b *Board) Subscribe(ctx context.Context) (now []pbx.Fact, updates <-chan pbx.Fact) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now = b.snapshot()
	s := &subscriber{updates: make(chan pbx.Fact, maxBehind)}
	if len(b.subscribers) >= maxSubscribers || ctx.Err() != nil {
		close(s.updates)
		return now, s.updates
	}
	b.subscribers[s] = struct{}{}
	s.forget = context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.drop(s)
	})
	return now, s.updates
}

// drop ends a subscription, once.
func (b *Board) drop(s *subscriber) {
	if _, ok := b.subscribers[s]; !ok {
		return
	}
	delete(b.subscribers, s)
	close(s.updates)
	s.forget()
}

func (b *Board) snapshot() []pbx.Fact {
	facts := []pbx.Fact{}
	if b.revision > 0 {
		facts = append(facts, pbx.Fact{Kind: pbx.FactRevision, Revision: b.revision})
	}
	if b.pending != nil {
		facts = append(facts, pbx.Fact{Kind: pbx.FactPending, Pending: b.pending})
	}
	if b.drafts > 0 {
		facts = append(facts, pbx.Fact{Kind: pbx.FactDrafts, Drafts: b.drafts})
	}
	for _, ext := range slices.Sorted(maps.Keys(b.registrations)) {
		facts = append(facts, pbx.Fact{Kind: pbx.FactRegistration, Extension: ext, Registrations: b.registrations[ext]})
	}
	for _, c := range b.liveCalls() {
		facts = append(facts, pbx.Fact{Kind: pbx.FactCall, Call: &c})
	}
	for _, id := range slices.Sorted(maps.Keys(b.lines)) {
		line := b.lines[id]
		facts = append(facts, pbx.Fact{Kind: pbx.FactLine, Line: &line})
	}
	return facts
}

// Registrations returns every registration, by extension.
func (b *Board) Registrations() []pbx.Registration {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := []pbx.Registration{}
	for _, ext := range slices.Sorted(maps.Keys(b.registrations)) {
		list = append(list, b.registrations[ext]...)
	}
	return list
}

// Line returns the state of a gateway, by ID; false when none is known.
func (b *Board) Line(gateway string) (pbx.LineStatus, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.lines[gateway]
	return s, ok
}

// Calls returns the live calls, oldest first.
func (b *Board) Calls() []pbx.CallStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.liveCalls()
}

func (b *Board) liveCalls() []pbx.CallStatus {
	calls := slices.Collect(maps.Values(b.calls))
	sort.Slice(calls, func(i, j int) bool {
		x, y := &calls[i], &calls[j]
		return cmp.Or(x.Started.Compare(y.Started), cmp.Compare(x.ID, y.ID)) < 0
	})
	return calls
}

// Subscribers returns how many subscriptions are open.
func (b *Board) Subscribers() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.subscribers)
}
