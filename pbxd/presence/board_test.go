package presence

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"galilei/pbxd/pbx"
)

func registered(ext string, phones ...string) pbx.Fact {
	f := pbx.Fact{Kind: pbx.FactRegistration, Extension: ext}
	for _, p := range phones {
		f.Registrations = append(f.Registrations, pbx.Registration{Extension: ext, Contact: p})
	}
	return f
}

func call(id string, s pbx.CallState, started time.Time) pbx.Fact {
	return pbx.Fact{Kind: pbx.FactCall, Call: &pbx.CallStatus{ID: id, State: s, Started: started}}
}

func line(id string, s pbx.LineState) pbx.Fact {
	return pbx.Fact{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: id, State: s}}
}

func TestSnapshot(t *testing.T) {
	b := New()
	t0 := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, f := range []pbx.Fact{
		registered("102", "sip:b@1"),
		registered("101", "sip:a@1", "sip:a@2"),
		registered("103", "sip:c@1"),
		registered("103"), // gone again
		call("late", pbx.CallUp, t0.Add(time.Second)),
		call("early", pbx.CallRinging, t0),
		call("over", pbx.CallUp, t0),
		call("over", pbx.CallEnded, t0),
		line("b", pbx.LineTrying), line("b", pbx.LineUp), line("a", pbx.LineRefused), line("c", pbx.LineUp),
		{Kind: pbx.FactLine, Line: &pbx.LineStatus{Gateway: "c"}, Gone: true},
		{Kind: pbx.FactRevision, Revision: 7},
		{Kind: pbx.FactRevision, Revision: 8},
		// Nothing of these may show.
		{Kind: pbx.FactRegistration}, {Kind: pbx.FactCall}, {Kind: pbx.FactRevision}, {Kind: pbx.FactJournal}, {Kind: pbx.FactLine}, line("", pbx.LineUp), {Kind: "other", Extension: "1"},
		call("", pbx.CallUp, t0),
	} {
		b.Publish(f)
	}
	now, _ := b.Subscribe(t.Context())
	want := []pbx.Fact{
		{Kind: pbx.FactRevision, Revision: 8},
		registered("101", "sip:a@1", "sip:a@2"),
		registered("102", "sip:b@1"),
		call("early", pbx.CallRinging, t0),
		call("late", pbx.CallUp, t0.Add(time.Second)),
		line("a", pbx.LineRefused),
		line("b", pbx.LineUp),
	}
	if !reflect.DeepEqual(now, want) {
		t.Errorf("now %+v\nwant %+v", now, want)
	}
	if l, ok := b.Line("b"); !ok || l.State != pbx.LineUp {
		t.Errorf("gateway b is %+v, %v", l, ok)
	}
	if _, ok := b.Line("c"); ok {
		t.Error("a gateway that is no more has a state")
	}
	if r := b.Registrations(); len(r) != 3 || r[0].Contact != "sip:a@1" || r[2].Extension != "102" {
		t.Errorf("registrations %+v", r)
	}
	if c := b.Calls(); len(c) != 2 || c[0].ID != "early" {
		t.Errorf("calls %+v", c)
	}
}

func TestPublisherKeepsItsMemory(t *testing.T) {
	b := New()
	f := registered("101", "sip:a@1")
	f.Registrations[0].Path = []string{"sip:p@1"}
	c := call("1", pbx.CallRinging, time.Time{})
	b.Publish(f)
	b.Publish(c)
	f.Registrations[0].Contact, f.Registrations[0].Path[0], c.Call.State = "changed", "changed", pbx.CallUp
	if r := b.Registrations()[0]; r.Contact != "sip:a@1" || r.Path[0] != "sip:p@1" {
		t.Errorf("%+v", r)
	}
	if got := b.Calls()[0].State; got != pbx.CallRinging {
		t.Errorf("call is %s", got)
	}
}

// Whose journals have changed is told once and is no lasting fact.
func TestJournalsAreTold(t *testing.T) {
	b := New()
	_, updates := b.Subscribe(t.Context())
	users := []string{"anna", "ben"}
	b.Publish(pbx.Fact{Kind: pbx.FactJournal, Users: users, Revision: 9})
	users[0] = "changed"
	if f, want := <-updates, (pbx.Fact{Kind: pbx.FactJournal, Users: []string{"anna", "ben"}}); !reflect.DeepEqual(f, want) {
		t.Errorf("%+v, want %+v", f, want)
	}
	if now, _ := b.Subscribe(t.Context()); len(now) != 0 {
		t.Errorf("who comes later is told %+v", now)
	}
}

func TestUpdatesUntilContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New()
		ctx, cancel := context.WithCancel(t.Context())
		now, updates := b.Subscribe(ctx)
		if len(now) != 0 {
			t.Errorf("now %+v on an empty board", now)
		}
		b.Publish(registered("101", "sip:a@1"))
		b.Publish(call("1", pbx.CallEnded, time.Time{})) // the last of a call is told, though it is not kept
		if f := <-updates; f.Extension != "101" || len(f.Registrations) != 1 {
			t.Errorf("%+v", f)
		}
		if f := <-updates; f.Call == nil || f.Call.State != pbx.CallEnded {
			t.Errorf("%+v", f)
		}
		cancel()
		synctest.Wait()
		if _, open := <-updates; open {
			t.Error("updates still open")
		}
		if n := b.Subscribers(); n != 0 {
			t.Errorf("%d subscribers left", n)
		}
		b.Publish(registered("101")) // must not meet a closed channel
		if _, updates := b.Subscribe(ctx); func() bool { _, open := <-updates; return open }() {
			t.Error("subscription with an ended context is open")
		}
	})
}

func TestSlowSubscriberIsCutOff(t *testing.T) {
	b := New()
	_, slow := b.Subscribe(t.Context())
	_, quick := b.Subscribe(t.Context())
	for i := range maxBehind + 1 {
		b.Publish(pbx.Fact{Kind: pbx.FactRevision, Revision: int64(i + 1)})
		if f := <-quick; f.Revision != int64(i+1) {
			t.Fatalf("revision %d, want %d", f.Revision, i+1)
		}
	}
	got := 0
	for f := range slow { // ends because the channel is closed
		if got++; f.Revision != int64(got) {
			t.Fatalf("revision %d, want %d", f.Revision, got)
		}
	}
	if got != maxBehind {
		t.Errorf("%d facts before the cut, want %d", got, maxBehind)
	}
	if n := b.Subscribers(); n != 1 {
		t.Errorf("%d subscribers, want 1", n)
	}
}

func TestSubscribersAreBounded(t *testing.T) {
	b := New()
	b.Publish(pbx.Fact{Kind: pbx.FactRevision, Revision: 3})
	for range maxSubscribers {
		b.Subscribe(t.Context())
	}
	now, updates := b.Subscribe(t.Context())
	if _, open := <-updates; open || len(now) != 1 {
		t.Errorf("subscriber %d: open %v, now %+v", maxSubscribers+1, open, now)
	}
	if n := b.Subscribers(); n != maxSubscribers {
		t.Errorf("%d subscribers", n)
	}
}

// Subscribers that join while others publish must be able to rebuild the state
// of the board from the snapshot and the updates, without a gap.
func TestNoGapBetweenNowAndUpdates(t *testing.T) {
	const publishers, facts = 4, 200
	b := New()
	var published, followed sync.WaitGroup
	done := make(chan struct{})
	follow := func() {
		defer followed.Done()
		for { // a follower that is cut off joins again, like a browser
			last := map[string]int{}
			see := func(f pbx.Fact) {
				var n int
				if _, err := fmt.Sscanf(f.Registrations[0].Contact, "sip:%d", &n); err != nil {
					t.Error(err)
				}
				if before, ok := last[f.Extension]; ok && n != before+1 {
					t.Errorf("extension %s: %d follows %d", f.Extension, n, before)
				}
				last[f.Extension] = n
			}
			ctx, cancel := context.WithCancel(t.Context())
			now, updates := b.Subscribe(ctx)
			for _, f := range now {
				see(f)
			}
			complete := func() bool {
				for p := range publishers {
					if last[fmt.Sprint(100+p)] != facts {
						return false
					}
				}
				return true
			}
			for !complete() {
				f, open := <-updates
				if !open {
					break
				}
				see(f)
			}
			cancel()
			if complete() {
				return
			}
		}
	}
	for range 8 {
		followed.Add(1)
		go follow()
	}
	for p := range publishers {
		published.Go(func() {
			for i := range facts {
				b.Publish(registered(fmt.Sprint(100+p), fmt.Sprintf("sip:%d", i+1)))
				if i%50 == 25 {
					followed.Add(1)
					go follow()
				}
			}
		})
	}
	go func() { published.Wait(); followed.Wait(); close(done) }()
	<-done
	if got := len(b.Registrations()); got != publishers {
		t.Errorf("%d registrations, want %d", got, publishers)
	}
}

func TestPendingAndDrafts(t *testing.T) {
	b := New()
	_, updates := b.Subscribe(t.Context())
	change := &pbx.PendingChange{ID: "p1", Section: "page"}
	now := func() []pbx.Fact {
		facts, _ := b.Subscribe(t.Context())
		return facts
	}
	for _, tt := range []struct {
		fact   pbx.Fact
		update *pbx.Fact // nil when the fact is dropped
		now    []pbx.Fact
	}{
		{pbx.Fact{Kind: pbx.FactDrafts, Drafts: 2}, &pbx.Fact{Kind: pbx.FactDrafts, Drafts: 2}, []pbx.Fact{{Kind: pbx.FactDrafts, Drafts: 2}}},
		{pbx.Fact{Kind: pbx.FactDrafts, Drafts: -1}, nil, []pbx.Fact{{Kind: pbx.FactDrafts, Drafts: 2}}},
		{pbx.Fact{Kind: pbx.FactPending, Pending: change, Extension: "1"}, &pbx.Fact{Kind: pbx.FactPending, Pending: change},
			[]pbx.Fact{{Kind: pbx.FactPending, Pending: change}, {Kind: pbx.FactDrafts, Drafts: 2}}},
		{pbx.Fact{Kind: pbx.FactMail, Revision: 7}, &pbx.Fact{Kind: pbx.FactMail}, []pbx.Fact{{Kind: pbx.FactPending, Pending: change}, {Kind: pbx.FactDrafts, Drafts: 2}}},
		{pbx.Fact{Kind: pbx.FactDrafts}, &pbx.Fact{Kind: pbx.FactDrafts}, []pbx.Fact{{Kind: pbx.FactPending, Pending: change}}},
		{pbx.Fact{Kind: pbx.FactPending}, &pbx.Fact{Kind: pbx.FactPending}, []pbx.Fact{}},
	} {
		b.Publish(tt.fact)
		if tt.update != nil {
			if got := <-updates; !reflect.DeepEqual(got, *tt.update) {
				t.Errorf("published %+v, subscribers get %+v", tt.fact, got)
			}
		}
		if got := now(); !reflect.DeepEqual(got, tt.now) {
			t.Errorf("after %+v the board shows %+v, want %+v", tt.fact, got, tt.now)
		}
	}
	select {
	case f := <-updates:
		t.Errorf("a fact too many: %+v", f)
	default:
	}
	b.Publish(pbx.Fact{Kind: pbx.FactPending, Pending: change})
	change.ID = "changed by the publisher"
	if got := now(); got[0].Pending.ID != "p1" {
		t.Errorf("the board shows %q", got[0].Pending.ID)
	}
}
