package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// late is a store in front of which something happens: after an operation has
// begun, and before what it asks of the store first.
type late struct {
	*memory
	first func()
}

func (l *late) happen() {
	if f := l.first; f != nil {
		l.first = nil
		f()
	}
}

func (l *late) Commit(ctx context.Context, author string, comment pbx.Message, change func(*pbx.Config) error) (int64, error) {
	l.happen()
	return l.memory.Commit(ctx, author, comment, change)
}

func (l *late) CommitTentative(ctx context.Context, author string, comment pbx.Message, section string, window time.Duration, change func(*pbx.Config) error) (pbx.PendingChange, error) {
	l.happen()
	return l.memory.CommitTentative(ctx, author, comment, section, window, change)
}

func (l *late) RestoreIf(ctx context.Context, author string, number int64, allowed func(before, after *pbx.Config) error) (int64, error) {
	l.happen()
	return l.memory.RestoreIf(ctx, author, number, allowed)
}

func (l *late) Contact(ctx context.Context, owner, id string) (pbx.Contact, error) {
	l.happen()
	return l.memory.Contact(ctx, owner, id)
}

func (l *late) Contacts(ctx context.Context, q pbx.ContactQuery) (pbx.ContactPage, error) {
	l.happen()
	return l.memory.Contacts(ctx, q)
}

// TestRightsEndWhileWorking takes the module, or the session, of somebody whose
// request has come and is being worked on: nothing is kept of it.
func TestRightsEndWhileWorking(t *testing.T) {
	const csv = "text/csv"
	for _, tc := range []struct{ what, method, path, body, media string }{
		{"imports users", "POST", "/users/import?check=false", "User,Extension,PIN\neva,410,4711\n", csv},
		{"adds a user", "POST", "/users", `{"user":"eva","extension":"410","pin":"4711"}`, ""},
		{"goes back to a revision", "POST", "/revisions/2/restore", "", ""},
		{"shows the page with another certificate", "POST", "/certificates/c1/use", "", ""},
		{"sets the picture of a contact", "PUT", "/private-contacts/k1/image", pictureIn(t, "png"), "image/png"},
		{"imports contacts", "POST", "/private-contacts/import?check=false", "First name,Last name\nEva,Maier\n", csv},
		{"adds a contact", "POST", "/private-contacts", `{"lastName":"Maier","office":"123456","officeQuickdial":"7"}`, ""},
		{"changes a contact", "PUT", "/private-contacts/k1", `{"lastName":"Maier"}`, ""},
	} {
		for _, end := range []struct {
			what   string
			status int
			words  string
			do     func(m *memory, s *Server, token string)
		}{
			{"nothing", 0, "", func(*memory, *Server, string) {}},
			{"the module", 403, "needs the module", func(m *memory, _ *Server, _ string) {
				m.edit(t, func(cfg *pbx.Config) { cfg.GUIGroupByID("glou").SetModules([]string{"login", "home"}) })
			}},
			{"the session", 401, "Log in first", func(_ *memory, s *Server, token string) { s.sessions.close(hashToken(token)) }},
		} {
			t.Run(tc.what+" without "+end.what, func(t *testing.T) {
				m := newMemory()
				s := newServer(t, m, nil)
				m.edit(t, func(cfg *pbx.Config) {
					withModules(cfg, "lou", 301, "users", "user-import", "revisions", "certificates", "contacts-private", "contacts-private-csv")
					cfg.UserByID("lou").Admin = true // whom the quota and the guard let do all
				})
				m.edit(t, func(cfg *pbx.Config) { cfg.PermissionGroupByID(pbx.GroupAdmins).Permissions = nil })
				m.edit(t, func(cfg *pbx.Config) { cfg.UserByID("demo101").FirstName = "Changed" })
				m.addCertificate(t, "c1", "new.example")
				if err := m.AddContacts(t.Context(), "lou", []pbx.Contact{{ID: "k1", ContactSettings: pbx.ContactSettings{LastName: "Old"}}}); err != nil {
					t.Fatal(err)
				}
				lou := enter(t, s, "lou")
				l := &late{memory: m}
				s.Store = l
				var before int64
				l.first = func() {
					end.do(m, s, lou.token)
					_, before = m.Current()
				}
				header := []string{}
				if tc.media != "" {
					header = []string{"Content-Type", tc.media}
				}
				res := lou.do(tc.method, apiPrefix+tc.path, tc.body, header...)
				if l.first != nil {
					t.Fatal("the rights did not end meanwhile")
				}
				_, after := m.Current()
				contacts, err := m.Contacts(t.Context(), pbx.ContactQuery{Owner: "lou", Limit: 10})
				if err != nil {
					t.Fatal(err)
				}
				kept := fmt.Sprintln(after-before, len(m.pictures), len(contacts.Contacts), contacts.Contacts[0].LastName, m.Pending() != nil)
				const nothing = "0 0 1 Old false\n"
				switch {
				case end.status == 0 && (res.StatusCode >= 300 || kept == nothing):
					t.Errorf("got %d %s, kept %s", res.StatusCode, res.text, kept)
				case end.status != 0 && (res.StatusCode != end.status || !strings.Contains(res.text, end.words) || kept != nothing):
					t.Errorf("got %d %s, kept %s", res.StatusCode, res.text, kept)
				case end.status == http.StatusUnauthorized && res.Header.Get("WWW-Authenticate") != "Bearer":
					t.Error("no WWW-Authenticate")
				}
			})
		}
	}
}

// TestLicenseOfNobody takes the module while another licence is being taken,
// which this one waits for.
func TestLicenseOfNobody(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	m.edit(t, func(cfg *pbx.Config) { withModules(cfg, "lou", 301, "license") })
	c := &caller{token: hashToken(enter(t, s, "lou").token), op: operation{access: accessModule, module: "license"}}
	if !s.refresh(c, false) {
		t.Fatal("lou has no session")
	}
	ctx := context.WithValue(t.Context(), callerKey{}, c)
	match := func(string) error { return nil }
	if err := s.takeLicense(ctx, []byte("x"), match); err == nil || !strings.Contains(err.Error(), "takes none") {
		t.Errorf("with the module: %v", err)
	}
	m.edit(t, func(cfg *pbx.Config) { cfg.GUIGroupByID("glou").SetModules([]string{"login"}) })
	if err := s.takeLicense(ctx, []byte("x"), match); err == nil || !strings.Contains(err.Error(), "needs the module") {
		t.Errorf("without the module: %v", err)
	}
}
