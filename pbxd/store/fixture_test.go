package store

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// TestWriteFixture writes testdata/v2 anew, as long as version 2 is the newest
// schema: GALILEI_WRITE_FIXTURE=v2 go test ./pbxd/store -run TestWriteFixture.
// Once a later schema is released the fixture is never written again.
func TestWriteFixture(t *testing.T) {
	if os.Getenv("GALILEI_WRITE_FIXTURE") != "v2" {
		t.Skip("GALILEI_WRITE_FIXTURE is not v2")
	}
	if n := len(migrations()); n != 2 {
		t.Fatalf("this program writes schema version %d", n)
	}
	dir := fixture(t, "v1") // what version 1 wrote must outlive both steps
	s := openAt(t, dir, fixtureClock())
	ctx := t.Context()
	hash, jpeg := picture(1, 600)
	addContacts(t, s, "", append(manyContacts(5), pbx.Contact{ID: "pictured", Image: hash, ContactSettings: pbx.ContactSettings{LastName: "Übel"}}))
	addContacts(t, s, "demo101", manyContacts(2))
	mail, err := s.EnqueueMail(ctx, pbx.MailJob{To: "anna@example.org", Subject: "Grüße", Text: "Hallo", Kind: pbx.MailKindSystem,
		Attachments: []pbx.MailAttachment{{Name: "a.bin", Type: "application/octet-stream", Data: []byte{0, 255}}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Commit(ctx, "vera", "Added groups", func(c *pbx.Config) error {
		c.UserByName("demo101").Image = hash
		c.HuntGroups = append(c.HuntGroups, pbx.HuntGroup{ID: "h1", HuntGroupSettings: pbx.HuntGroupSettings{
			Extension: "300", Title: "Sales", CallScheme: "parallel", Members: []pbx.HuntMember{{User: "demo101", Timeout: 7}}}})
		c.PermissionGroups = append(c.PermissionGroups, pbx.PermissionGroup{ID: "p1", PermissionGroupSettings: pbx.PermissionGroupSettings{
			Name: "Sales", Type: "user", Members: []string{"demo101"}}})
		c.Locale.Country, c.Locale.Language = "AT", "de"
		c.Retention.AuditDays = 3650 // the fixture is to be of use for years
		return nil
	})
	for _, err := range []error{
		err,
		s.PutPicture(ctx, hash, jpeg),
		s.MailFailed(ctx, mail, 2, time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC), "451 later"),
		s.SetDraft(ctx, pbx.Draft{Path: "sip.ringTime", Value: "50", Author: "vera"}),
		s.Audit(ctx, pbx.AuditEntry{Actor: "vera", As: "demo101", Action: "change-profile"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	tentative(t, s, "network", time.Minute, setHostname("trial"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dbName, keyName} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = writeWhole(filepath.Join("testdata", "v2", name), b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Every version from now on opens what version 2 wrote.
func TestOpensVersion2(t *testing.T) {
	dir := fixture(t, "v2")
	if v := schemaVersion(t, dir); v != 2 {
		t.Fatalf("the fixture has schema version %d", v)
	}
	for range 2 {
		s := openAt(t, dir, fixtureClock())
		checkVersion2(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func checkVersion2(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	c, n := s.Current()
	if err := pbx.Validate(c, model()); err != nil {
		t.Error(err)
	}
	hash, jpeg := picture(1, 600)
	anna := c.UserByName("demo101")
	if n != 9 || c.Network.Hostname != "fixture" || s.Pending() != nil { // 7 groups, 8 for a time, 9 reverted at the start
		t.Errorf("revision %d, %q, pending %v", n, c.Network.Hostname, s.Pending())
	}
	if len(c.HuntGroups) != 1 || c.HuntGroups[0].Members[0] != (pbx.HuntMember{User: "demo101", Timeout: 7}) || c.HuntGroups[0].CallScheme != "parallel" ||
		len(c.PermissionGroups) != 7 || c.Locale.Country != "AT" || c.Retention.AuditDays != 3650 || anna.Image != hash {
		t.Errorf("%+v", c)
	}
	global, err := s.Contacts(ctx, pbx.ContactQuery{Name: "ube"})
	if err != nil || global.Total != 1 || global.Contacts[0].ID != "pictured" || global.Contacts[0].Image != hash {
		t.Errorf("%+v, %v", global, err)
	}
	if own, err := s.Contacts(ctx, pbx.ContactQuery{Owner: "demo101"}); err != nil || own.Total != 2 {
		t.Errorf("%+v, %v", own, err)
	}
	if got, err := s.Contact(ctx, "", "c3"); err != nil || got != someContact(3) {
		t.Errorf("%+v, %v", got, err)
	}
	if b, err := s.Picture(ctx, hash); err != nil || string(b) != string(jpeg) {
		t.Errorf("picture of %d bytes, %v", len(b), err)
	}
	mails, err := s.DueMail(ctx, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), 0)
	if err != nil || len(mails) != 1 || mails[0].Attempts != 2 || mails[0].Reason != "451 later" || mails[0].Subject != "Grüße" || len(mails[0].Attachments[0].Data) != 2 {
		t.Errorf("%+v, %v", mails, err)
	}
	if drafts, err := s.Drafts(ctx); err != nil || len(drafts) != 1 || drafts[0].Value != "50" {
		t.Errorf("%+v, %v", drafts, err)
	}
	if log := actions(t, s); log != "login login-failed change-user reveal-sip-password restore-revision change-profile" {
		t.Errorf("audit log: %s", log)
	}
	if log, err := s.AuditLog(ctx, pbx.AuditQuery{Actor: "demo101"}); err != nil || len(log) != 1 || log[0].As != "demo101" || log[0].Actor != "vera" {
		t.Errorf("%+v, %v", log, err)
	}
	if v, err := s.Secret(ctx, "web-certificate"); err != nil || string(v) != "fixture secret" {
		t.Errorf("secret %q, %v", v, err)
	}
	if old, err := s.configOf(ctx, 6); err != nil || old.SIP.RingTime != 45 {
		t.Errorf("revision of version 1: %v", err)
	}
}
