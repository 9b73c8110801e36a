package web

import (
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// TestChangedUsersAreTold checks who gets a mail about what, in which language.
func TestChangedUsersAreTold(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, func() time.Time { return time.Date(2026, 11, 23, 9, 35, 0, 0, time.UTC) })
	s.titles = map[string]map[string]string{"de": {"Extension": "Nebenstelle", "SIP password": "SIP-Passwort"}}
	m.edit(t, func(cfg *pbx.Config) {
		cfg.UserByID(pbx.AdminID).PIN, cfg.UserByID(pbx.AdminID).MustChangePIN = anyPIN, false
		cfg.Mail.Enabled, cfg.Mail.Server = true, "mail.example"
		cfg.UserByID("admin").Email = "admin@example.org"
		cfg.UserByID("demo101").Email = "anna@example.org"
		cfg.UserByID("demo102").Email, cfg.UserByID("demo102").Language = "ben@example.org", "de"
	})
	c := enter(t, s, pbx.AdminID)
	told := func() []pbx.MailJob {
		list := m.mails
		m.mails = nil
		return list
	}
	const anna, ben = `"user":"demo101","firstName":"Anna","lastName":"Demo"`, `"user":"demo102","firstName":"Ben","lastName":"Demo"`
	c.want(200, "PUT", "/users/demo101", `{`+anna+`,"extension":"111","email":"anna@example.org","pin":"271828"}`, nil)
	jobs := told()
	if len(jobs) != 1 || jobs[0].To != "anna@example.org" || jobs[0].Kind != pbx.MailKindSystem {
		t.Fatalf("unexpected mails: %+v", jobs)
	}
	const want = "Hello Anna Demo,\n\nadmin changed your data in the telephone system galilei on 23 November 2026, 10:35:\n\n- Extension\n- PIN\n\n" +
		"You will choose a new PIN at your next login.\n\nIf you did not expect this, please ask your administrator.\n"
	if jobs[0].Text != want || jobs[0].Subject != "Your data in the telephone system was changed" {
		t.Errorf("got %q\n%s\nwant\n%s", jobs[0].Subject, jobs[0].Text, want)
	}
	c.want(200, "PUT", "/users/demo102", `{`+ben+`,"extension":"142","email":"ben@example.org","language":"de","sipPassword":"very-secret"}`, nil)
	if jobs = told(); len(jobs) != 1 || !strings.Contains(jobs[0].Text, "Guten Tag Ben Demo,") || !strings.Contains(jobs[0].Text, "- Nebenstelle\n- SIP-Passwort\n") ||
		!strings.Contains(jobs[0].Text, "23.11.2026, 10:35") || strings.Contains(jobs[0].Text, "very-secret") {
		t.Errorf("in German: %+v", jobs)
	}
	c.want(200, "PUT", "/users/demo102", `{`+ben+`,"extension":"142","email":"other@example.org","language":"de"}`, nil)
	if jobs = told(); len(jobs) != 1 || jobs[0].To != "ben@example.org" {
		t.Errorf("a changed address is told to the new one: %+v", jobs)
	}
	c.want(200, "PUT", "/users/demo103", `{"user":"demo103","extension":"113"}`, nil)                       // no address
	c.want(200, "PUT", "/users/admin", `{"user":"admin","email":"admin@example.org","firstName":"X"}`, nil) // oneself
	c.want(204, "DELETE", "/users/demo101", "", nil)
	if jobs = told(); len(jobs) != 0 {
		t.Errorf("unexpected mails: %+v", jobs)
	}
	m.edit(t, func(cfg *pbx.Config) { cfg.Mail.Enabled = false })
	c.want(200, "PUT", "/users/demo102", `{`+ben+`,"extension":"122","email":"other@example.org"}`, nil)
	if jobs = told(); len(jobs) != 0 {
		t.Errorf("mails although delivery is off: %+v", jobs)
	}
}

// TestTitlesOfChanges checks that every parameter of a user that may change
// has a name in the mail.
func TestTitlesOfChanges(t *testing.T) {
	was := &pbx.User{}
	is := &pbx.User{Image: "x", Admin: true, PIN: "x", SIPPassword: "x", UserSettings: pbx.UserSettings{Name: "x", Extension: "x", CLIPInternal: []string{"x"}}}
	if got, want := strings.Join(changedTitles(was, is), ","), "User,Extension,CLIP internal,Image,Administrator,PIN,SIP password"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
