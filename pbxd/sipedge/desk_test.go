package sipedge_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"galilei/pbxd/call"
	"galilei/pbxd/pbx"
	"galilei/pbxd/sipedge"
)

// kept is a DeskStore.
type kept struct {
	mu   sync.Mutex
	list []pbx.Desk
	err  error
}

func (k *kept) Desks(context.Context) ([]pbx.Desk, error) { return slices.Clone(k.list), nil }

func (k *kept) LogIn(_ context.Context, d pbx.Desk) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = append(slices.DeleteFunc(k.list, func(x pbx.Desk) bool { return x.Phone == d.Phone || x.User == d.User }), d)
	return k.err
}

func (k *kept) LogOut(_ context.Context, user string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = slices.DeleteFunc(k.list, func(x pbx.Desk) bool { return x.Phone == user || x.User == user })
	return k.err
}

// shownPhones notes at which phones users are reached, as published.
type shownPhones struct {
	mu sync.Mutex
	by map[string]string // phones by extension of the user
}

func (s *shownPhones) publish(f pbx.Fact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(f.Registrations) == 0 {
		delete(s.by, f.Extension)
		return
	}
	r := f.Registrations[0]
	if s.by[f.Extension] = "own"; r.Phone != "" {
		s.by[f.Extension] = r.Phone
	}
	if r.Extension != f.Extension {
		s.by[f.Extension] = "wrong " + r.Extension
	}
}

func (s *shownPhones) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, ext := range slices.Sorted(maps.Keys(s.by)) {
		list = append(list, ext+":"+s.by[ext])
	}
	return strings.Join(list, " ")
}

func TestDesks(t *testing.T) {
	k, shown := &kept{}, &shownPhones{by: map[string]string{}}
	var cfg *pbx.Config
	change := func(d *sipedge.Deps) {
		d.Desks, d.Publish = k, shown.publish
		cfg = d.Config()
		cfg.PermissionGroups = []pbx.PermissionGroup{{ID: pbx.GroupAllUsers, PermissionGroupSettings: pbx.PermissionGroupSettings{Type: "user",
			Permissions: []pbx.GroupPermission{{Permission: pbx.PermitHotDesking, AppliesTo: pbx.GroupAllUsers}}}}}
	}
	o := newOffice(t, change)
	phones := map[string]string{"101": "", "102": "", "103": ""}
	for ext := range phones {
		o.phone(ext).MustRegister()
	}
	caller := o.phone("101")
	// acts is who a call of the phone of 101 is from.
	acts := func() string {
		t.Helper()
		c := caller.Dial("103", "")
		in := o.arrival()
		in.Leg.Hangup(pbx.CauseUserBusy)
		c.AckRefusal(caller.Final("INVITE"))
		if in.Phone != "101" {
			t.Errorf("the phone is that of %q", in.Phone)
		}
		if in.Away {
			return "nobody"
		}
		return in.Caller.Number
	}
	for i, step := range []struct {
		do    func() error
		shown string
		acts  string
		rings string // who rings of 101, 102, 103
	}{
		{func() error { return nil }, "101:own 102:own 103:own", "101", "101 102 103"},
		{func() error { return o.edge.LogIn(t.Context(), "101", "u102") }, "102:101 103:own", "102", "102 103"},
		{func() error { return o.edge.LogIn(t.Context(), "103", "u102") }, "101:own 102:103", "101", "101 102"},
		{func() error { return o.edge.LogOut(t.Context(), "102") }, "101:own 102:own 103:own", "101", "101 102 103"},
		{func() error { return o.edge.LogIn(t.Context(), "103", "u101") }, "101:103 102:own", "nobody", "101 102"},
		{func() error { return o.edge.LogIn(t.Context(), "101", "u103") }, "101:103 102:own 103:101", "103", "101 102 103"},
		{func() error { return o.edge.LogOut(t.Context(), "101") }, "101:own 102:own 103:own", "101", "101 102 103"},
		{func() error { return o.edge.LogIn(t.Context(), "101", "u101") }, "101:own 102:own 103:own", "101", "101 102 103"},
		{func() error { return o.edge.LogIn(t.Context(), "101", "u102") }, "102:101 103:own", "102", "102 103"},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		var rings []string
		for _, ext := range []string{"101", "102", "103"} {
			if o.edge.Registered(ext) {
				rings = append(rings, ext)
			}
		}
		if got := strings.Join(rings, " "); got != step.rings {
			t.Errorf("step %d: %s can be reached, want %s", i, got, step.rings)
		}
		if got := shown.text(); got != step.shown {
			t.Errorf("step %d: shown %s, want %s", i, got, step.shown)
		}
		if got := acts(); got != step.acts {
			t.Errorf("step %d: the phone of 101 calls as %s, want %s", i, got, step.acts)
		}
	}
	// What a phone registers is that of its own user.
	if res := caller.Register(600); res.Status() != 200 {
		t.Errorf("a phone at which another is logged in registers: %s", res.Start)
	}
	if res, _ := o.phone("102").RequestWith("MESSAGE", "103", "", "text/plain", "x"); res.Status() != 403 {
		t.Errorf("the phone of a user who is elsewhere sends a text: %s", res.Start)
	}
	legs, err := o.edge.Dial(call.Dial{Extension: "102", Notify: func(call.Event) {}})
	if err != nil || len(legs) == 0 {
		t.Fatalf("%d legs, %v", len(legs), err)
	}
	for _, l := range legs {
		l.Hangup(pbx.CauseNormalClearing)
	}

	// Who gets another extension is reached at the same phone under the new one.
	moved := &shownPhones{by: map[string]string{}}
	var movedCfg atomic.Pointer[pbx.Config]
	third := newOffice(t, change, func(d *sipedge.Deps) {
		movedCfg.Store(d.Config())
		d.Publish, d.Config = moved.publish, movedCfg.Load
	})
	third.phone("101").MustRegister()
	for i, step := range []struct{ user, extension, shown string }{
		{"u102", "112", "112:101"}, {"u102", "102", "102:101"},
		{"u101", "111", ""}, // the phone has to register anew
	} {
		old, now := movedCfg.Load(), movedCfg.Load().Clone()
		now.UserByID(step.user).Extension = step.extension
		movedCfg.Store(now)
		third.edge.Configured(old, now)
		if got := moved.text(); got != step.shown {
			t.Errorf("change %d: shown %q, want %q", i, got, step.shown)
		}
	}

	after := newOffice(t, change, func(d *sipedge.Deps) { d.Publish = func(pbx.Fact) {} })
	after.phone("101").MustRegister()
	if !after.edge.Registered("102") || after.edge.Registered("101") {
		t.Error("a restart logs everybody out")
	}
	// A user who may no more is not reached there; one who is gone is forgotten.
	old := cfg.Clone()
	cfg.PermissionGroups = nil
	after.edge.Configured(old, cfg)
	if after.edge.Registered("102") || !after.edge.Registered("101") {
		t.Error("a user without the permission stays logged in")
	}
	k.err = errors.New("disk")
	if err := after.edge.LogIn(t.Context(), "101", "u103"); !errors.Is(err, k.err) {
		t.Errorf("the disk fails: %v", err)
	}
	if err := after.edge.LogIn(t.Context(), "999", "u103"); err == nil {
		t.Error("a phone that there is not")
	}
	if err := newOffice(t).edge.LogIn(t.Context(), "101", "u102"); err == nil {
		t.Error(fmt.Errorf("nothing keeps it"))
	}
}
