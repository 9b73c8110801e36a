package store

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// FuzzDamagedDatabase cuts the database short and writes over it. Whatever is
// left, opening gives an error or a configuration that was once committed:
// never a panic, and never a device that quietly begins anew.
func FuzzDamagedDatabase(f *testing.F) {
	dir := f.TempDir()
	s, err := Open(f.Context(), dir, Options{Model: model()})
	if err != nil {
		f.Fatal(err)
	}
	once := []*pbx.Config{}
	for i := range 12 {
		c, _ := s.Current()
		once = append(once, c)
		if _, err := s.Commit(f.Context(), "a", pbx.Typed("comment"), addUser(i)); err != nil {
			f.Fatal(err)
		}
		if err := s.Audit(f.Context(), pbx.AuditEntry{Action: "a"}); err != nil {
			f.Fatal(err)
		}
	}
	last, _ := s.Current()
	once = append(once, last)
	r := map[string][]pbx.Registration{"101": {{Contact: "sip:a@1", Expires: time.Now().Add(time.Hour)}}}
	if err := s.SaveRegistrations(f.Context(), r); err != nil {
		f.Fatal(err)
	}
	if err := s.SetSecret(f.Context(), "tls", []byte("value")); err != nil {
		f.Fatal(err)
	}
	addContacts(f, s, "", manyContacts(40))
	hash, jpeg := picture(1, 6000)
	for _, err := range []error{
		s.PutPicture(f.Context(), pbx.PicturesOfUsers, hash, jpeg),
		s.SetDraft(f.Context(), pbx.Draft{Path: "sip.ringTime", Value: "45"}),
	} {
		if err != nil {
			f.Fatal(err)
		}
	}
	if _, err := s.EnqueueMail(f.Context(), pbx.MailJob{Text: "text", Attachments: []pbx.MailAttachment{{Data: jpeg}}}); err != nil {
		f.Fatal(err)
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	files := snapshot(f, dir)
	size := uint32(len(files[dbName]))

	junk := []byte("\xff\x00\x80\x7f\xff\xff\xff\xff")
	for _, cut := range []uint32{0, 1, 15, 16, 99, 100, 512, 4095, 4096, 4097, size / 2, size - 4096, size - 1} {
		f.Add(cut, uint32(0), []byte{})
	}
	for _, at := range []uint32{0, 16, 18, 24, 28, 44, 52, 60, 68, 96, 100, 101, 103, 105, 200, 2000, 4000} {
		f.Add(size, at, junk)
	}
	for page := uint32(1); page < size/4096; page++ {
		f.Add(size, page*4096, junk)
		f.Add(size, page*4096+4000, junk)
	}
	f.Fuzz(func(t *testing.T, cut, at uint32, over []byte) {
		db := []byte(files[dbName])
		if uint64(at)+uint64(len(over)) <= uint64(len(db)) {
			copy(db[at:], over)
		}
		db = db[:min(uint64(cut), uint64(len(db)))]
		dir := t.TempDir()
		for name, content := range map[string]string{dbName: string(db), keyName: files[keyName]} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Open(t.Context(), dir, Options{Model: model()})
		if err != nil {
			if got := snapshot(t, dir)[dbName]; got != string(db) {
				t.Errorf("a database that was refused (%v) has changed: %d bytes, were %d", err, len(got), len(db))
			}
			return
		}
		defer s.Close()
		c, n := s.Current()
		if damaged := s.FellBack(); damaged != 0 { // then the one before holds, in a revision of its own
			if damaged != int64(len(once)) || n != damaged+1 {
				t.Errorf("revision %d, back from %d of %d", n, damaged, len(once))
			}
			if !slices.ContainsFunc(once, func(o *pbx.Config) bool { return reflect.DeepEqual(c, o) }) {
				t.Errorf("revision %d was never committed", n)
			}
		} else if n < 1 || n > int64(len(once)) || !reflect.DeepEqual(c, once[n-1]) {
			t.Errorf("revision %d is not what was committed under this number", n)
		}
		// What else is damaged may give errors, but not a panic.
		s.Revisions(t.Context(), 0, 0)
		s.Registrations(t.Context())
		s.AuditLog(t.Context(), pbx.AuditQuery{})
		if v, err := s.Secret(t.Context(), "tls"); err == nil && string(v) != "value" {
			t.Errorf("secret is %q", v)
		}
		s.Contacts(t.Context(), pbx.ContactQuery{Name: "m", Number: "0"})
		s.ChangeContact(t.Context(), "", "c1", func(c *pbx.Contact) error { c.LastName = "X"; return nil })
		s.Picture(t.Context(), hash)
		s.PutPicture(t.Context(), pbx.PicturesOfUsers, hash, jpeg)
		s.Drafts(t.Context())
		s.DueMail(t.Context(), time.Now(), 0)
		s.MailJobs(t.Context())
		s.CommitTentative(t.Context(), "a", pbx.Typed(""), "network", time.Minute, setHostname("trial"))
		s.Commit(t.Context(), "a", pbx.Typed(""), setRingTime(77))
	})
}
