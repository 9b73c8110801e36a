package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// clock is a time that the test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func openAt(t *testing.T, dir string, c *clock) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, Options{Model: model(), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestRegistrations(t *testing.T) {
	c := &clock{time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)}
	dir := t.TempDir()
	s := openAt(t, dir, c)
	phone := func(ext, contact string, lasts time.Duration) pbx.Registration {
		return pbx.Registration{
			Extension: ext, Contact: contact, Transport: "udp", Source: "192.168.0.77:5060", Local: "192.168.0.50:5060", UserAgent: "Test/1",
			CallID: "c", CSeq: 4294967295, Path: []string{"<sip:edge;lr>"}, Since: c.at, Expires: c.at.Add(lasts),
		}
	}
	save := func(m map[string][]pbx.Registration) {
		t.Helper()
		if err := s.SaveRegistrations(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want ...pbx.Registration) {
		t.Helper()
		got, err := s.Registrations(t.Context())
		if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
	check()
	z, a, b := phone("101", "sip:z@1", time.Hour), phone("101", "sip:a@1", time.Minute), phone("102", "sip:b@1", time.Hour)
	save(map[string][]pbx.Registration{"102": {b}, "101": {z, a}})
	check(z, a, b) // in the order given, not of contacts
	save(nil)
	check(z, a, b)
	c.at = c.at.Add(time.Minute)
	check(z, b) // one has expired
	save(map[string][]pbx.Registration{"102": {}})
	check(z)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, dir, c)
	check(z)
	// One that is refused leaves all as it was.
	huge := phone("103", strings.Repeat("x", maxBinding), time.Hour)
	if err := s.SaveRegistrations(t.Context(), map[string][]pbx.Registration{"101": nil, "103": {huge}}); err == nil {
		t.Error("a registration of 64 KiB was kept")
	}
	check(z)
}

func TestAudit(t *testing.T) {
	c := &clock{time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)}
	s := openAt(t, t.TempDir(), c)
	ctx := t.Context()
	for i := range 5 {
		if err := s.Audit(ctx, pbx.AuditEntry{Actor: "admin", Action: fmt.Sprint("act", i), Object: "o", From: "127.0.0.1"}); err != nil {
			t.Fatal(err)
		}
	}
	at := c.at.Add(-time.Hour)
	if err := s.Audit(ctx, pbx.AuditEntry{Time: at, Actor: strings.Repeat("x", 1000), Action: "login-failed"}); err != nil {
		t.Fatal(err)
	}
	all, err := s.AuditLog(ctx, pbx.AuditQuery{})
	if err != nil || len(all) != 6 || all[0].Action != "login-failed" || len(all[0].Actor) != maxAuditField || !all[0].Time.Equal(at) {
		t.Fatalf("%+v, %v", all, err)
	}
	want := pbx.AuditEntry{ID: 5, Time: c.at, Actor: "admin", Action: "act4", Object: "o", From: "127.0.0.1"}
	if all[1] != want {
		t.Errorf("%+v, want %+v", all[1], want)
	}
	page, err := s.AuditLog(ctx, pbx.AuditQuery{Before: 5, Limit: 2})
	if err != nil || len(page) != 2 || page[0].ID != 4 || page[1].ID != 3 {
		t.Errorf("%+v, %v", page, err)
	}
}

// Each kind of act has room of its own: what users do all day pushes out
// neither logins nor changes of rights.
func TestAuditRoomByKind(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx := t.Context()
	const flood = maxAuditEntries
	if _, err := s.db.writer.ExecContext(ctx, `INSERT INTO audit (time, actor, action, object, client)
		VALUES (0, 'admin', 'set-pin', '', ''), (0, 'admin', 'login', '', ''), (0, 'x', 'login-failed', '', '')`); err != nil {
		t.Fatal(err)
	}
	for _, act := range []string{"change-contact", "login-failed"} {
		if _, err := s.db.writer.ExecContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO audit (time, actor, action, object, client) SELECT 0, 'eva', ?, '', '' FROM n`, flood, act); err != nil {
			t.Fatal(err)
		}
	}
	for range pruneAuditEvery {
		if err := s.Audit(ctx, pbx.AuditEntry{Actor: "eva", Action: "change-profile"}); err != nil {
			t.Fatal(err)
		}
	}
	count := func(action string) (n int) {
		t.Helper()
		if err := s.db.readers.QueryRowContext(ctx, "SELECT count(*) FROM audit WHERE action = ?", action).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if count("set-pin") != 1 || count("login") != 1 {
		t.Error("a flood of contacts or of failures has pushed out others")
	}
	own, failed := count("change-contact")+count("change-profile"), count("login-failed")
	if own < maxAuditMinor || own > maxAuditMinor+pruneAuditEvery || failed != maxAuditMinor {
		t.Errorf("%d own acts and %d failures are kept, want %d of each", own, failed, maxAuditMinor)
	}
	if _, err := s.db.writer.ExecContext(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO audit (time, actor, action, object, client) SELECT 0, 'admin', 'change-user', '', '' FROM n`, flood); err != nil {
		t.Fatal(err)
	}
	if err := s.db.write(ctx, durable, func(tx writeTx) error { return pruneActs(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
	if n := count("change-user"); n != maxAuditEntries-3*maxAuditMinor {
		t.Errorf("%d decisive acts are kept", n)
	}
}

func TestSecrets(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx := t.Context()
	if _, err := s.Secret(ctx, "tls"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("secret that was never set: %v", err)
	}
	for _, v := range [][]byte{[]byte("first"), {0, 0xff, '\n'}, {}, bytes.Repeat([]byte("k"), maxSecret)} {
		if err := s.SetSecret(ctx, "tls", v); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Secret(ctx, "tls"); err != nil || !bytes.Equal(got, v) {
			t.Errorf("%d bytes, want %d; %v", len(got), len(v), err)
		}
	}
	if err := s.SetSecret(ctx, "tls", make([]byte, maxSecret+1)); err == nil {
		t.Error("a secret over the limit was kept")
	}
	for _, name := range []string{"", strings.Repeat("n", maxSecretName+1)} {
		_, err := s.Secret(ctx, name)
		if setErr := s.SetSecret(ctx, name, nil); err == nil || setErr == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("name of %d bytes: %v, %v", len(name), err, setErr)
		}
	}
	// A row moved to another name cannot be opened.
	if _, err := s.db.writer.ExecContext(ctx, "UPDATE secret SET name = 'other' WHERE name = 'tls'"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Secret(ctx, "other"); !errors.Is(err, pbx.ErrSealed) {
		t.Errorf("moved secret: %v", err)
	}
}

func TestNothingSecretInFilesOrLogs(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	s, err := Open(t.Context(), dir, Options{Model: model(), Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetSecret(t.Context(), "tls", []byte("the-private-key-itself")); err != nil {
		t.Fatal(err)
	}
	c, _ := s.Current()
	password, err := s.Key().Open(pbx.SIPPasswordPurpose("demo101"), c.UserByName("demo101").SIPPassword)
	if err != nil {
		t.Fatal(err)
	}
	key := s.Key()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db := snapshot(t, dir)[dbName]
	for _, secret := range []string{"the-private-key-itself", password.Reveal(), string(key[:])} {
		if strings.Contains(db, secret) || strings.Contains(log.String(), secret) {
			t.Errorf("a secret of %d bytes is readable in the database or the log", len(secret))
		}
	}
}

func TestCheck(t *testing.T) {
	c := &clock{time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)}
	s := openAt(t, t.TempDir(), c)
	ctx := t.Context()
	beat := func() (ms int64) {
		if err := s.db.readers.QueryRow("SELECT max(time) FROM heartbeat").Scan(&ms); err != nil {
			t.Fatal(err)
		}
		return ms
	}
	check := func() {
		t.Helper()
		if err := s.Check(ctx); err != nil {
			t.Fatal(err)
		}
	}
	check()
	first := beat()
	c.at = c.at.Add(checkInterval - time.Millisecond)
	check()
	if beat() != first {
		t.Error("a second check within the interval wore the flash")
	}
	c.at = c.at.Add(time.Millisecond)
	check()
	if beat() == first {
		t.Error("no row was written after the interval")
	}
	// The clock going back must not make a check believed for ever.
	c.at = c.at.Add(-time.Hour)
	second := beat()
	check()
	if beat() == second {
		t.Error("no row was written after the clock went back")
	}
	// A write that fails is found out at once.
	if _, err := s.db.writer.ExecContext(ctx, "PRAGMA query_only = 1"); err != nil {
		t.Fatal(err)
	}
	if err := s.Audit(ctx, pbx.AuditEntry{Action: "a"}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("audit on a read-only database: %v", err)
	}
	if err := s.Check(ctx); !errors.Is(err, ErrReadOnly) {
		t.Errorf("check on a read-only database: %v", err)
	}
	if _, err := s.db.writer.ExecContext(ctx, "PRAGMA query_only = 0"); err != nil {
		t.Fatal(err)
	}
	check()
}

func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.db")
	if err := writeWhole(path, nil); err != nil {
		t.Fatal(err)
	}
	db, err := connect(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.close()
	steps := []string{
		"CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);",
		"ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 7;",
		"UPDATE a SET x = x + y; INSERT INTO missing VALUES (1);",
	}
	state := func() (version, x, y int) {
		if err := db.writer.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version); err != nil {
			t.Fatal(err)
		}
		if err := db.writer.QueryRowContext(t.Context(), "SELECT * FROM a").Scan(&x, &y); err != nil {
			t.Fatal(err)
		}
		return version, x, y
	}
	if err := migrate(t.Context(), db.writer, steps[:1]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := migrate(t.Context(), db.writer, steps[:2]); err != nil {
			t.Fatal(err)
		}
		if v, x, y := state(); v != 2 || x != 1 || y != 7 {
			t.Errorf("version %d, row %d %d", v, x, y)
		}
	}
	if err := migrate(t.Context(), db.writer, steps); err == nil || !strings.Contains(err.Error(), "from version 2 to 3") {
		t.Errorf("a step that fails: %v", err)
	}
	if v, x, _ := state(); v != 2 || x != 1 {
		t.Errorf("a step that failed left version %d and row %d", v, x)
	}
	if err := migrate(t.Context(), db.writer, steps[:1]); !errors.Is(err, ErrNewer) {
		t.Errorf("database of a newer version: %v", err)
	}
}
