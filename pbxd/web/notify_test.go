package web

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
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
	s.notices.take()
	c := enter(t, s, pbx.AdminID)
	told := func() []pbx.MailJob {
		s.tellUsers(t.Context())
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
	told()
	c.want(200, "PUT", "/users/demo102", `{`+ben+`,"extension":"122","email":"other@example.org"}`, nil)
	if jobs = told(); len(jobs) != 0 {
		t.Errorf("mails although delivery is off: %+v", jobs)
	}
}

// TestUsersAreToldWhateverTheWay checks that a restore, a change of a group and
// one of the device itself are told like that of a form.
func TestUsersAreToldWhateverTheWay(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	m.edit(t, func(cfg *pbx.Config) {
		cfg.UserByID(pbx.AdminID).PIN, cfg.UserByID(pbx.AdminID).MustChangePIN = anyPIN, false
		cfg.Mail.Enabled, cfg.Mail.Server = true, "mail.example"
		cfg.UserByID("demo101").Email, cfg.UserByID("demo102").Email = "anna@example.org", "ben@example.org"
		cfg.PickupGroups = []pbx.PickupGroup{{ID: "p1", PickupGroupSettings: pbx.PickupGroupSettings{Number: 1, Name: "Office", Members: []string{"demo102"}}}}
	})
	_, before := m.Current()
	s.notices.take()
	c := enter(t, s, pbx.AdminID)
	said := regexp.MustCompile(`(?s)^Hello .+?,\n\n(.+) changed your data .*:\n\n(.+?)\n\n`)
	wantMails := func(what string, want ...string) {
		t.Helper()
		s.tellUsers(t.Context())
		var got []string
		for _, job := range m.mails {
			parts := said.FindStringSubmatch(job.Text)
			if parts == nil {
				t.Fatalf("%s: %s", what, job.Text)
			}
			got = append(got, job.To+": "+parts[1]+" "+strings.ReplaceAll(parts[2], "\n", " "))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
		m.mails = nil
	}
	const anna, ben = "anna@example.org: admin ", "ben@example.org: admin "
	c.want(200, "PUT", "/users/demo101", `{"user":"demo101","firstName":"Änne","extension":"101","email":"anna@example.org","pickupGroups":["p1"]}`, nil)
	wantMails("a membership from the user's side", anna+"- First name - Last name - Pickup groups")
	c.want(200, "PUT", "/pickup-groups/p1", `{"number":1,"name":"Office","members":[]}`, nil)
	wantMails("from the group's side", anna+"- Pickup groups", ben+"- Pickup groups")
	c.want(201, "POST", "/hunt-groups", `{"extension":"600","title":"Sales","members":[{"user":"demo102","timeout":7}]}`, nil)
	wantMails("a hunt group", ben+"- Hunt groups")
	c.want(200, "POST", fmt.Sprintf("/revisions/%d/restore", before), "", nil)
	wantMails("a restore", anna+"- First name - Last name", ben+"- Pickup groups - Hunt groups")
	m.edit(t, func(cfg *pbx.Config) { cfg.UserByID("demo101").Mobile = "0171" })
	wantMails("the device", "anna@example.org: The telephone system - Mobile")
	c.want(200, "POST", "/session/impersonation", `{"user":"demo101"}`, nil)
	c.want(200, "PUT", "/profile", `{"mobile":"0172","home":"","language":""}`, nil)
	wantMails("in the user's name", "anna@example.org: admin as demo101 - Mobile")
	for range maxNotices + 3 {
		for _, who := range []string{"x", "y"} {
			s.noticed(m.cfgs[0], m.cfgs[1], who)
		}
	}
	if n := len(s.notices.take()); n != maxNotices {
		t.Errorf("%d changes wait, want %d", n, maxNotices)
	}
}

// TestNoticesAreWrittenInTheBackground checks that mails are written as changes
// come, and those left at the end.
func TestNoticesAreWrittenInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := newServer(t, m, nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.writeNotices(ctx); close(done) }()
		m.edit(t, func(cfg *pbx.Config) {
			cfg.Mail.Enabled, cfg.Mail.Server = true, "mail.example"
			cfg.UserByID("demo101").Email = "anna@example.org"
		})
		synctest.Wait()
		m.mu.Lock()
		if len(m.mails) != 1 {
			t.Errorf("got %d mails, want 1", len(m.mails))
		}
		m.mu.Unlock()
		m.edit(t, func(cfg *pbx.Config) { cfg.UserByID("demo101").Mobile = "0171" })
		cancel()
		<-done
		if len(m.mails) != 2 {
			t.Errorf("got %d mails, want 2", len(m.mails))
		}
	})
}

// TestTitlesOfChanges checks that every parameter of a user that may change
// has a name in the mail.
func TestTitlesOfChanges(t *testing.T) {
	was := &pbx.User{}
	is := &pbx.User{Image: "x", Admin: true, PIN: "x", SIPPassword: "x", UserSettings: pbx.UserSettings{Name: "x", Extension: "x", CLIPInternal: []string{"x"}}}
	if got, want := strings.Join(changedTitles(was, is, nil, userGroups{"User groups": {"x"}, "Hunt groups": {"y"}}), ","), "User,Extension,CLIP internal,Image,Administrator,PIN,SIP password,User groups,Hunt groups"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
