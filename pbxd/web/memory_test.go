package web

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// memory is a Store and Facts for tests.
type memory struct {
	mu        sync.Mutex
	model     pbx.Model
	cfgs      []*pbx.Config // by revision, from 1
	revisions []pbx.Revision
	audits    []pbx.AuditEntry
	auditErr  error // of Audit, when set
	secrets   map[string][]byte
	key       pbx.DeviceKey
	facts     []pbx.Fact
	subs      map[chan pbx.Fact]bool
	ails      error // what Health says
	watchers  []func(old, new *pbx.Config, r pbx.Revision)
	kept
}

func newMemory() *memory {
	m := &memory{kept: newKept(), model: pbx.Model{Name: "T640", MaxUsers: 80}, secrets: map[string][]byte{}, key: pbx.NewDeviceKey(), subs: map[chan pbx.Fact]bool{}}
	cfg := pbx.Factory(pbx.Defaults{})
	for i := range cfg.Users {
		if u := &cfg.Users[i]; u.Extension != "" {
			u.SIPPassword = m.key.Seal(pbx.SIPPasswordPurpose(u.ID), pbx.NewSIPPassword())
		}
	}
	m.publish(cfg, "system", pbx.Say("Factory settings"))
	return m
}

func (m *memory) publish(cfg *pbx.Config, author string, comment pbx.Message) int64 {
	var old *pbx.Config
	if n := len(m.cfgs); n > 0 {
		old = m.cfgs[n-1]
	}
	m.cfgs = append(m.cfgs, cfg)
	n := int64(len(m.cfgs))
	m.revisions = append(m.revisions, pbx.Revision{Number: n, Time: time.Now(), Author: author, Comment: comment.Text(), Message: comment, Changes: pbx.Diff(old, cfg)})
	for _, fn := range m.watchers {
		fn(old, cfg, m.revisions[len(m.revisions)-1])
	}
	m.send(pbx.Fact{Kind: pbx.FactRevision, Revision: n})
	return n
}

func (m *memory) Watch(fn func(old, new *pbx.Config, r pbx.Revision)) (stop func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watchers = append(m.watchers, fn)
	return func() {}
}

func (m *memory) Current() (*pbx.Config, int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cfgs[len(m.cfgs)-1], int64(len(m.cfgs))
}

func (m *memory) Commit(_ context.Context, author string, comment pbx.Message, change func(*pbx.Config) error) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	cfg := m.cfgs[len(m.cfgs)-1].Clone()
	if err := change(cfg); err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	if reflect.DeepEqual(cfg, m.cfgs[len(m.cfgs)-1]) {
		return int64(len(m.cfgs)), nil
	}
	cfg = cfg.Clone()
	if err := pbx.Validate(cfg, m.model); err != nil {
		return 0, fmt.Errorf("commit: %w", err)
	}
	return m.publish(cfg, author, comment), nil
}

func (m *memory) Revisions(_ context.Context, before int64, limit int) ([]pbx.Revision, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []pbx.Revision
	for _, r := range slices.Backward(m.revisions) {
		if (before == 0 || r.Number < before) && len(list) < limit {
			list = append(list, r)
		}
	}
	return list, nil
}

func (m *memory) RestoreIf(_ context.Context, author string, number int64, allowed func(before, after *pbx.Config) error) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if number < 1 || number > int64(len(m.cfgs)) {
		return 0, fmt.Errorf("revision %d: %w", number, fs.ErrNotExist)
	}
	cfg := m.cfgs[number-1].Clone()
	now := m.cfgs[len(m.cfgs)-1]
	for i := range cfg.Users { // as the real store does: nobody is locked out
		if u := now.UserByID(cfg.Users[i].ID); u != nil {
			cfg.Users[i].PIN, cfg.Users[i].MustChangePIN, cfg.Users[i].SIPPassword = u.PIN, u.MustChangePIN, u.SIPPassword
		}
	}
	cfg.KeepCertificate(now, "")
	if err := allowed(now, cfg); err != nil {
		return 0, fmt.Errorf("restore: %w", err)
	}
	if reflect.DeepEqual(cfg, now) {
		return int64(len(m.cfgs)), nil
	}
	return m.publish(cfg, author, pbx.Say("Revision {n} restored", "n", number)), nil
}

func (m *memory) health(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ails
}

func (m *memory) ail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ails = err
}

func (m *memory) Key() pbx.DeviceKey { return m.key }

func (m *memory) Audit(_ context.Context, e pbx.AuditEntry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.auditErr != nil {
		return m.auditErr
	}
	e.ID = int64(len(m.audits) + 1)
	m.audits = append(m.audits, e)
	return nil
}

func (m *memory) AuditLog(_ context.Context, q pbx.AuditQuery) ([]pbx.AuditEntry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []pbx.AuditEntry
	for _, e := range slices.Backward(m.audits) {
		switch {
		case q.Before != 0 && e.ID >= q.Before, q.Actor != "" && e.Actor != q.Actor && e.As != q.Actor, q.Action != "" && e.Action != q.Action:
		case !q.Since.IsZero() && e.Time.Before(q.Since), !q.Until.IsZero() && !e.Time.Before(q.Until), len(list) >= q.Limit:
		default:
			list = append(list, e)
		}
	}
	return list, nil
}

func (m *memory) Secret(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.secrets[name]
	if !ok {
		return nil, fmt.Errorf("secret %s: %w", name, fs.ErrNotExist)
	}
	return v, nil
}

func (m *memory) SetSecret(_ context.Context, name string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.secrets[name] = value
	return nil
}

func (m *memory) Subscribe(ctx context.Context) ([]pbx.Fact, <-chan pbx.Fact) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := make(chan pbx.Fact, 16)
	m.subs[c] = true
	context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.subs[c] {
			delete(m.subs, c)
			close(c)
		}
	})
	return slices.Clone(m.facts), c
}

// tell publishes a fact and keeps it for later snapshots.
func (m *memory) tell(f pbx.Fact) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.facts = slices.DeleteFunc(m.facts, func(x pbx.Fact) bool {
		return x.Kind == f.Kind && x.Extension == f.Extension && (f.Call == nil || x.Call.ID == f.Call.ID) && (f.Line == nil || x.Line.Gateway == f.Line.Gateway)
	})
	if f.Call == nil || f.Call.State != pbx.CallEnded {
		m.facts = append(m.facts, f)
	}
	m.send(f)
}

func (m *memory) send(f pbx.Fact) {
	for c := range m.subs {
		select {
		case c <- f:
		default:
			delete(m.subs, c)
			close(c)
		}
	}
}

func (m *memory) audited(action string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.audits {
		if e.Action == action {
			n++
		}
	}
	return n
}

func newServer(t testing.TB, m *memory, now func() time.Time) *Server {
	t.Helper()
	s, err := New(t.Context(), Deps{Store: m, Facts: m, Mail: m, Texts: m, Model: m.model, Version: "1.2.3", SIPPort: func() uint16 { return 5060 },
		Health: m.health, LogOutPhone: func(context.Context, string) error { return nil },
		Hangup: func(string, string) bool { return true }, Dial: func(*pbx.User, string) (string, pbx.Cause) { return "1", 0 },
		Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // every action that is recorded is one of those that the API names
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, e := range m.audits {
			if !slices.Contains(s.auditActions(), e.Action) {
				t.Errorf("the audit log has the action %q, which no operation names", e.Action)
			}
		}
	})
	return s
}
