package web

import (
	"context"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// TestEveryWrongField checks that a refusal names all that is wrong, each
// once.
func TestEveryWrongField(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	before, _ := m.Current()
	for _, tc := range []struct {
		method, path, body string
		want               []string
	}{
		{"POST", "/users", `{"user":"` + strings.Repeat("x", 51) + `","extension":"1","email":"x","pin":"1","sipPassword":"a b","pickupGroups":["p1","p2"],"userGroups":["u1"]}`,
			[]string{"body.email", "body.extension", "body.pickupGroups[0]", "body.pickupGroups[1]", "body.pin", "body.sipPassword", "body.user", "body.userGroups[0]"}},
		{"PUT", "/users/admin", `{"user":"root","admin":false,"pin":"000","email":"x"}`, []string{"body.admin", "body.email", "body.pin", "body.user"}},
		{"POST", "/gui-groups", `{"title":"","modules":["login","moon","sun"]}`, []string{"body.modules[1]", "body.modules[2]", "body.title"}},
		{"PUT", "/email-delivery", strings.Replace(strings.Replace(mailBody, "587", "0", 1), "pbx@example.org", "x", 1) + `,"password":"` + strings.Repeat("x", 4097) + `"}`,
			[]string{"body.password", "body.port", "body.senderAddress"}},
		{"POST", "/email-delivery/test", `{"to":"a@example.org","settings":` + strings.Replace(mailBody, "587", "0", 1) + `,"password":"` + strings.Repeat("x", 4097) + `"}}`,
			[]string{"body.settings.password", "body.settings.port"}},
		{"POST", "/wizard", `{"locale":{"country":"XX","language":"de","timeZone":"Europe/Berlin"},"mail":` + strings.Replace(mailBody, "587", "0", 1) + `,"password":"` + strings.Repeat("x", 4097) + `"},"users":[{"firstName":"","lastName":"","extension":"x"}]}`,
			[]string{"body.locale.country", "body.mail.password", "body.mail.port", "body.users[0].extension"}},
	} {
		s.TestMail = func(context.Context, MailTest) ([]MailStep, error) { panic("a mail that is refused was sent") }
		var p Problem
		c.want(422, tc.method, tc.path, tc.body, &p)
		var got []string
		for _, d := range p.Errors {
			got = append(got, d.Location)
		}
		slices.Sort(got)
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s %s %.200s: got %q, want %q", tc.method, tc.path, tc.body, got, tc.want)
		}
	}
	if now, _ := m.Current(); now != before {
		t.Error("a refused change was made")
	}
}

// TestWrongElsewhere checks that what is wrong beyond the body is named.
func TestWrongElsewhere(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	m.edit(t, func(cfg *pbx.Config) {
		cfg.Users = append(cfg.Users, pbx.User{ID: "eva", UserSettings: pbx.UserSettings{Name: "eva", FirstName: "Eva", LastName: "Maier", Extension: "999"}})
	})
	c := loggedIn(t, s)
	var p Problem
	c.want(422, "PUT", "/locale", `{"country":"GB","language":"en","timeZone":"Europe/London"}`, &p)
	if len(p.Errors) != 1 || p.Errors[0].Location != "body" || !strings.HasPrefix(p.Errors[0].Message, "Extension of Eva Maier (999): hides the emergency number 999") ||
		p.Errors[0].Template != "{what} of {name}: {rule}" {
		t.Fatalf("got %+v", p)
	}
	what, _ := p.Errors[0].Args["what"].(map[string]any)
	rule, _ := p.Errors[0].Args["rule"].(map[string]any)
	if what["template"] != "Extension" || rule["template"] != "hides the emergency number {emergency} of {country}; choose another" {
		t.Errorf("the words that are translated: %+v", p.Errors[0].Args)
	}
}

// TestModelLimit adds users until the model is full, on a device that needs no
// licence.
func TestModelLimit(t *testing.T) {
	m := newMemory()
	m.model.MaxUsers = 4
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	c.want(201, "POST", "/users", `{"user":"eva","extension":"210"}`, nil)
	var p Problem
	c.want(422, "POST", "/users", `{"user":"max","extension":"211"}`, &p)
	if len(p.Errors) != 1 || !strings.Contains(p.Errors[0].Message, "5 users with an extension; a T640 has at most 4") || strings.Contains(p.Detail, "licence") {
		t.Errorf("got %+v", p)
	}
}

// TestCommentOfSettings checks that the comment of system settings is text like
// any other.
func TestCommentOfSettings(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	for comment, words := range map[string]string{`a\u202eb`: "control character", `a\nb`: "control character", strings.Repeat("\u00fc", 201): "has 201 characters; at most 200"} {
		var p Problem
		c.want(422, "POST", "/system-settings/commit", `{"comment":"`+comment+`"}`, &p)
		if len(p.Errors) != 1 || p.Errors[0].Location != "body.comment" || !strings.Contains(p.Errors[0].Message, words) {
			t.Errorf("%.20q: got %+v", comment, p)
		}
	}
	c.want(200, "PUT", "/system-settings/drafts/sip.ringTime", `{"value":31}`, nil)
	c.want(200, "POST", "/system-settings/commit", `{"comment":"`+strings.Repeat("\u00fc", 200)+`"}`, nil)
	if r := m.revisions[len(m.revisions)-1]; r.Comment != strings.Repeat("\u00fc", 200) {
		t.Errorf("the comment is %q", r.Comment)
	}
}
