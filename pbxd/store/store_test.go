package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

func model() pbx.Model { return pbx.Model{Name: "T640", MaxUsers: 640} }

func openIn(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), dir, Options{Model: model()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// addUser returns a change that adds the user of that number.
func addUser(n int) func(*pbx.Config) error {
	return func(c *pbx.Config) error {
		c.Users = append(c.Users, pbx.User{
			ID:           fmt.Sprintf("u%d", n),
			UserSettings: pbx.UserSettings{Name: fmt.Sprintf("user%d", n), Extension: fmt.Sprint(2000 + n)},
		})
		return nil
	}
}

// setRingTime returns a change of one number, 5 to 600.
func setRingTime(n int) func(*pbx.Config) error {
	return func(c *pbx.Config) error { c.SIP.RingTime = n; return nil }
}

func TestFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data with ?&# in its name", "deeper")
	s := openIn(t, dir)
	c, n := s.Current()
	if n != 1 {
		t.Errorf("revision %d, want 1", n)
	}
	if err := pbx.Validate(c, model()); err != nil {
		t.Error(err)
	}
	passwords := map[pbx.Secret]bool{}
	for _, u := range c.Users {
		if u.Extension == "" {
			if u.SIPPassword != "" {
				t.Errorf("%s has a SIP password and no extension", u.Name)
			}
			continue
		}
		p, err := s.Key().Open(pbx.SIPPasswordPurpose(u.ID), u.SIPPassword)
		if err != nil || len(p) < 16 {
			t.Errorf("%s: SIP password of %d characters, %v", u.Name, len(p), err)
		}
		passwords[p] = true
	}
	if len(passwords) != 3 {
		t.Errorf("%d different SIP passwords, want 3", len(passwords))
	}
	revs, err := s.Revisions(t.Context(), 0, 10)
	if err != nil || len(revs) != 1 || revs[0].Author != "system" || revs[0].Number != 1 || len(revs[0].Changes) == 0 {
		t.Errorf("revisions %+v, %v", revs, err)
	}
	for _, name := range []string{dbName, keyName, lockName, dbName + "-wal"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", name, info.Mode())
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("data directory: %v, %v", info.Mode(), err)
	}
}

func TestBoardDefaultsAreKept(t *testing.T) {
	dir := t.TempDir()
	o := Options{Model: model(), Defaults: pbx.Defaults{NetworkMode: "dhcp", RTPPortMin: 30000, RTPPortMax: 30039, NoLocalNetworks: true}}
	for range 2 {
		s, err := Open(t.Context(), dir, o)
		if err != nil {
			t.Fatal(err)
		}
		c, n := s.Current()
		if n != 1 || c.Network.Mode != "dhcp" || c.Media.RTPPortMax != 30039 || len(c.SIP.LocalNetworks) != 0 {
			t.Errorf("revision %d: %+v %+v %+v", n, c.Network, c.SIP, c.Media)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	o.Defaults = pbx.Defaults{NetworkMode: "nonsense"}
	var ve *pbx.ValidationError
	if _, err := Open(t.Context(), t.TempDir(), o); !errors.As(err, &ve) {
		t.Errorf("wrong board defaults: %v", err)
	}
}

func TestReopenFindsEverything(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), dir, Options{Model: model()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		if n, err := s.Commit(t.Context(), "admin", pbx.Typed(fmt.Sprint("add ", i)), addUser(i)); err != nil || n != int64(i+2) {
			t.Fatalf("commit %d: revision %d, %v", i, n, err)
		}
	}
	if err := s.SetSecret(t.Context(), "certificate", []byte("pem")); err != nil {
		t.Fatal(err)
	}
	want, n := s.Current()
	key := s.Key()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := openIn(t, dir)
	got, m := again.Current()
	if m != n || !reflect.DeepEqual(got, want) {
		t.Errorf("revision %d differs from %d: %+v", m, n, pbx.Diff(want, got))
	}
	if again.Key() != key {
		t.Error("another device key")
	}
	if v, err := again.Secret(t.Context(), "certificate"); err != nil || string(v) != "pem" {
		t.Errorf("secret %q, %v", v, err)
	}
	if _, err := os.Stat(filepath.Join(dir, dbName+".new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("draft left: %v", err)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir)
	if s, err := Open(t.Context(), dir, Options{Model: model()}); !errors.Is(err, ErrInUse) {
		t.Errorf("second store over one directory: %v", err)
		if err == nil {
			s.Close()
		}
	}
}

func TestClosed(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir(), Options{Model: model()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	_, commitErr := s.Commit(ctx, "admin", pbx.Typed(""), addUser(1))
	_, revisionsErr := s.Revisions(ctx, 0, 1)
	_, restoreErr := s.Restore(ctx, "admin", 1)
	_, regErr := s.Registrations(ctx)
	_, secretErr := s.Secret(ctx, "a")
	_, auditErr := s.AuditLog(ctx, pbx.AuditQuery{Limit: 1})
	_, contactsErr := s.Contacts(ctx, pbx.ContactQuery{})
	_, contactErr := s.Contact(ctx, "", "a")
	_, changeErr := s.ChangeContact(ctx, "", "a", func(*pbx.Contact) error { return nil })
	_, deleteAllErr := s.DeleteContacts(ctx, "")
	_, pictureErr := s.Picture(ctx, "a")
	_, ownersErr := s.PictureOwners(ctx, "a")
	_, draftsErr := s.Drafts(ctx)
	_, tentativeErr := s.CommitTentative(ctx, "a", pbx.Typed(""), "network", time.Minute, setHostname("a"))
	_, enqueueErr := s.EnqueueMail(ctx, pbx.MailJob{})
	_, dueErr := s.DueMail(ctx, time.Now(), 1)
	_, jobsErr := s.MailJobs(ctx)
	hash, jpeg := picture(1, 10)
	for op, err := range map[string]error{
		"Contacts": contactsErr, "Contact": contactErr, "ChangeContact": changeErr, "DeleteContacts": deleteAllErr,
		"AddContacts": s.AddContacts(ctx, "", manyContacts(1)), "DeleteContact": s.DeleteContact(ctx, "", "a", nil),
		"Picture": pictureErr, "PictureOwners": ownersErr, "PutPicture": s.PutPicture(ctx, pbx.PicturesOfUsers, hash, jpeg),
		"Drafts": draftsErr, "SetDraft": s.SetDraft(ctx, pbx.Draft{Path: "a", Value: "1"}), "DeleteDraft": s.DeleteDraft(ctx, "a"), "DeleteDrafts": s.DeleteDrafts(ctx),
		"CommitTentative": tentativeErr, "EnqueueMail": enqueueErr, "DueMail": dueErr, "MailJobs": jobsErr,
		"MailDone": s.MailDone(ctx, 1), "MailFailed": s.MailFailed(ctx, 1, 1, time.Now(), ""), "DeleteMail": s.DeleteMail(ctx, 1),
		"Commit": commitErr, "Revisions": revisionsErr, "Restore": restoreErr, "Registrations": regErr,
		"Secret": secretErr, "AuditLog": auditErr, "Check": s.Check(ctx),
		"Audit": s.Audit(ctx, pbx.AuditEntry{}), "SetSecret": s.SetSecret(ctx, "a", nil),
		"SaveRegistrations": s.SaveRegistrations(ctx, map[string][]pbx.Registration{"101": nil}),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after Close: %v", op, err)
		}
	}
	if c, n := s.Current(); n != 1 || c == nil {
		t.Errorf("Current after Close: revision %d", n)
	}
}

func TestCancelledContext(t *testing.T) {
	s := openIn(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Commit(ctx, "admin", pbx.Typed(""), addUser(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	if _, n := s.Current(); n != 1 {
		t.Errorf("revision %d, want 1", n)
	}
	// The store still works.
	if n, err := s.Commit(t.Context(), "admin", pbx.Typed(""), addUser(1)); err != nil || n != 2 {
		t.Errorf("revision %d, %v", n, err)
	}
}

func TestRevisionOfAnOlderVersion(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	// As a version would have written it that knew neither media nor most of sip.
	old := map[string]any{
		"users": []map[string]any{{"id": "admin", "user": "admin", "admin": true, "pinHash": "factory"}, {"id": "x1", "user": "xaver", "extension": "300"}},
		"sip":   map[string]any{"ringTime": 45},
		"gone":  "a parameter that no longer exists",
	}
	packed, err := pack(old)
	if err != nil {
		t.Fatal(err)
	}
	err = s.db.write(t.Context(), durable, func(tx writeTx) error {
		_, err := tx.ExecContext(t.Context(), "UPDATE revision SET config = ?", packed)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.configOf(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	want := pbx.Factory(pbx.Defaults{})
	if c.SIP.RingTime != 45 || c.SIP.MaxExpires != want.SIP.MaxExpires || c.Media != want.Media || c.Network.Hostname != want.Network.Hostname {
		t.Errorf("%+v", c)
	}
	if len(c.Users) != 2 || c.Users[1].Extension != "300" || c.Users[1].FirstName != "" {
		t.Errorf("users %+v", c.Users)
	}
	if err := pbx.Validate(c, model()); err != nil {
		t.Error(err)
	}
}

func TestNowAndLogDefault(t *testing.T) {
	at := time.Date(2031, 5, 6, 7, 8, 9, 123e6, time.UTC)
	s, err := Open(t.Context(), t.TempDir(), Options{Model: model(), Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	revs, err := s.Revisions(t.Context(), 0, 1)
	if err != nil || !revs[0].Time.Equal(at) {
		t.Errorf("time %v, %v", revs[0].Time, err)
	}
}
