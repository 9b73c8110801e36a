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

// TestWriteFixture writes testdata/v7 anew, as long as version 7 is the newest
// schema: GALILEI_WRITE_FIXTURE=v7 go test ./pbxd/store -run TestWriteFixture.
// Once a later schema is released the fixture is never written again, and this
// test writes that of the new version.
func TestWriteFixture(t *testing.T) {
	if os.Getenv("GALILEI_WRITE_FIXTURE") != "v7" {
		t.Skip("GALILEI_WRITE_FIXTURE is not v7")
	}
	if n := len(migrations()); n != 7 {
		t.Fatalf("this program writes schema version %d", n)
	}
	dir := fixture(t, "v6") // what the versions before wrote must outlive all steps
	s := openAt(t, dir, fixtureClock())
	recorded(t, s, fixtureRecord())
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dbName, keyName} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.MkdirAll(filepath.Join("testdata", "v7"), 0o755)
		}
		if err == nil {
			err = writeWhole(filepath.Join("testdata", "v7", name), b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// fixtureRecord is the call record of testdata/v7.
func fixtureRecord() pbx.CallRecord { return someRecord(fixtureClock().at) }

// Every version from now on opens what version 7 wrote: all of version 6, and
// call records.
func TestOpensVersion7(t *testing.T) {
	dir := fixture(t, "v7")
	if v := schemaVersion(t, dir); v != 7 {
		t.Fatalf("the fixture has schema version %d", v)
	}
	for range 2 {
		s := openAt(t, dir, fixtureClock())
		checkVersion3(t, s)
		if got, err := s.RecordOfCall(t.Context(), "x-1"); err != nil || !reflect.DeepEqual(got, fixtureRecord()) {
			t.Errorf("%+v, %v", got, err)
		}
		if sum, err := s.RecordTotals(t.Context(), pbx.RecordQuery{Caller: "004989*", Gateway: "gw1"}); err != nil || sum != (pbx.RecordTotals{Calls: 1, Answered: 1, Talk: 60, Ring: 4}) {
			t.Errorf("%+v, %v", sum, err)
		}
		if p, err := s.Journal(t.Context(), pbx.JournalQuery{User: "demo101"}); err != nil || p.Total != 3 {
			t.Errorf("%+v, %v", p, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// fixtureCalls are the journals of testdata/v6.
func fixtureCalls() []pbx.JournalEntry {
	at := func(minutes int) time.Time { return fixtureClock().at.Add(time.Duration(minutes) * time.Minute) }
	return []pbx.JournalEntry{
		{User: "demo101", Call: "x-1", Direction: pbx.CallOut, Result: pbx.CallAnswered, Number: "200", Name: "Vera Müller", Time: at(1), Duration: 61},
		{User: "demo101", Call: "x-2", Direction: pbx.CallIn, Result: pbx.CallMissed, Number: "200", Name: "Vera Müller", Group: "Verkauf", Time: at(2)},
		{User: "demo102", Call: "x-2", Direction: pbx.CallIn, Result: pbx.CallElsewhere, Number: "200", Name: "Vera Müller", Group: "Verkauf", Time: at(2)},
		{User: "demo101", Call: "x-3", Direction: pbx.CallIn, Result: pbx.CallMissed, Time: at(3)},
	}
}

// Every version from now on opens what version 6 wrote: all of version 5, and
// journals.
func TestOpensVersion6(t *testing.T) {
	dir := fixture(t, "v6")
	if v := schemaVersion(t, dir); v != 6 {
		t.Fatalf("the fixture has schema version %d", v)
	}
	for range 2 {
		s := openAt(t, dir, fixtureClock())
		checkVersion5(t, s)
		var want []pbx.JournalEntry
		for i, e := range slices.Backward(fixtureCalls()) {
			e.ID, e.New = int64(i+1), i == 3
			if e.User == "demo101" {
				want = append(want, e)
			}
		}
		if got, err := s.Journal(t.Context(), pbx.JournalQuery{User: "demo101"}); err != nil || !reflect.DeepEqual(got.Entries, want) || got.Total != 3 {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
		if got := recordsOf(t, s, pbx.RecordQuery{}); got != "" {
			t.Errorf("version 6 had call records: %s", got)
		}
		if c, _ := s.Current(); c.Retention.RecordDays != 365 || c.Retention.RecordCalls != 200_000 {
			t.Errorf("%+v", c.Retention)
		}
		if c, _ := s.Current(); c.Retention.JournalDays != 180 || c.Retention.JournalCalls != 500 {
			t.Errorf("%+v", c.Retention)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Every version from now on opens what version 5 wrote: all of version 4, text
// messages, a log-in at another's phone, and a reminder that has rung. The
// journals that it did not know are empty, and kept from then on.
func TestOpensVersion5(t *testing.T) {
	dir := fixture(t, "v5")
	if v := schemaVersion(t, dir); v != 5 {
		t.Fatalf("the fixture has schema version %d", v)
	}
	for round := range 2 {
		s := openAt(t, dir, fixtureClock())
		checkVersion5(t, s)
		if got, err := s.Journal(t.Context(), pbx.JournalQuery{User: "demo101"}); err != nil || got.Total != 3*round {
			t.Errorf("%+v, %v", got, err)
		}
		for _, e := range fixtureCalls() {
			s.NoteCall(e)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func checkVersion5(t *testing.T, s *Store) {
	t.Helper()
	checkVersion3(t, s)
	at := func(minutes int) time.Time { return fixtureClock().at.Add(time.Duration(minutes) * time.Minute) }
	want := []pbx.Text{{ID: 3, Number: "102", Time: at(2), Body: "two"}, {ID: 1, Number: "200", Name: "Vera Müller", Time: at(1), Delivered: true, Body: "Grüße\nan alle"}}
	if got, err := s.Texts(t.Context(), "demo101"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	if got, err := s.Desks(t.Context()); err != nil || !reflect.DeepEqual(got, []pbx.Desk{{Phone: "demo102", User: "demo101", Since: at(0)}}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := s.ReminderDone(t.Context(), "demo101"); err != nil || !got.Equal(at(3)) {
		t.Errorf("%v, %v", got, err)
	}
}

// Every version from now on opens what version 4 wrote: all of version 3, and
// the newest time that was believed.
func TestOpensVersion4(t *testing.T) {
	dir := fixture(t, "v4")
	if v := schemaVersion(t, dir); v != 4 {
		t.Fatalf("the fixture has schema version %d", v)
	}
	c := fixtureClock()
	written := c.at
	c.at = c.at.AddDate(10, 0, 0) // a wrong date, which the version before would have believed
	s := openAt(t, dir, c)
	var ms int64
	if err := s.db.readers.QueryRowContext(t.Context(), "SELECT newest FROM clock").Scan(&ms); err != nil || !time.UnixMilli(ms).Equal(written) {
		t.Errorf("newest time %v, %v; want %v", time.UnixMilli(ms), err, written)
	}
	if got := actions(t, s); got != "login login-failed change-user reveal-sip-password restore-revision change-profile" {
		t.Errorf("audit log: %s", got)
	}
	checkVersion3(t, s)
}

// picked is a comment with all kinds of arguments.
func picked() pbx.Message {
	return pbx.Say("{what} {name} changed {n} times", "what", pbx.Say("User"), "name", "demo101", "n", 3)
}

// Every version from now on opens what version 3 wrote.
func TestOpensVersion3(t *testing.T) {
	dir := fixture(t, "v3")
	if v := schemaVersion(t, dir); v != 3 {
		t.Fatalf("the fixture has schema version %d", v)
	}
	for range 2 {
		s := openAt(t, dir, fixtureClock())
		checkVersion3(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func checkVersion3(t *testing.T, s *Store) {
	t.Helper()
	reverted := pbx.Say("Not confirmed before the restart: {change}; reverted", "change", pbx.Typed("{own} words"))
	if c, n := s.Current(); n != 12 || c.UserByName("demo101").LastName != "Groß-Klein" || c.Network.Hostname != "fixture" || s.Pending() != nil {
		t.Errorf("revision %d, %+v", n, c)
	}
	revs, err := s.Revisions(t.Context(), 0, 4)
	if err != nil {
		t.Fatal(err)
	}
	var said []pbx.Message
	for _, r := range revs {
		if r.Comment != r.Message.Text() {
			t.Errorf("revision %d: %q, but %q", r.Number, r.Comment, r.Message)
		}
		said = append(said, r.Message)
	}
	if want := []pbx.Message{reverted, pbx.Typed("{own} words"), picked()}; !reflect.DeepEqual(said[:3], want) || revs[2].Comment != "User demo101 changed 3 times" {
		t.Errorf("%q, want %q", said, want)
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
