package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

func TestTexts(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	admin := loggedIn(t, s)
	m.edit(t, func(cfg *pbx.Config) {
		u := cfg.UserByID("demo101")
		u.PIN, u.MustChangePIN = s.pins.Hash(pbx.Secret("314159")), false
	})
	anna := &client{t: t, s: s, addr: lanAddr}
	anna.login("demo101", "314159")

	var to TextReceivers
	anna.want(200, "GET", "/texts/receivers", "", &to)
	if len(to.Users) != 3 || to.Users[1].Name != "Ben Demo 102" || !slices.ContainsFunc(to.Groups, func(r TextReceiver) bool { return r.ID == pbx.GroupAllUsers }) {
		t.Errorf("receivers %+v", to)
	}
	var sent TextSent
	anna.want(200, "POST", "/texts", `{"to":["demo102","demo103"],"body":"Lunch?"}`, &sent)
	if sent.Receivers != 1 || !slices.Equal(sent.Refused, []string{"Clara Demo"}) {
		t.Errorf("sent %+v", sent)
	}
	admin.want(200, "POST", "/texts", `{"group":"allusers","body":"Fire drill"}`, &sent)
	if sent.Receivers != 2 {
		t.Errorf("to all users: %+v", sent)
	}
	var list []pbx.Text
	anna.want(200, "GET", "/profile/texts", "", &list)
	if len(list) != 1 || list[0].Body != "Fire drill" {
		t.Errorf("messages %+v", list)
	}
	if res := anna.want(429, "POST", "/texts", `{"to":["demo102"],"body":"one too many"}`, nil); !strings.Contains(res.text, "in a minute") {
		t.Errorf("too many: %s", res.text)
	}
	for body, at := range map[string]string{
		`{"to":["demo102"],"body":"\u001b[2J"}`:                                   "body.body",
		`{"to":["demo102"],"body":""}`:                                            "body.body",
		`{"to":["demo102"],"body":" \n"}`:                                         "body.body",
		`{"to":["demo102"],"body":"` + strings.Repeat("x", 1001) + `"}`:           "body.body",
		`{"to":["nobody"` + strings.Repeat(`,"nobody"`, 1000) + `],"body":"x"}`:   "has {n} entries; at most {max} are allowed",
		`{"to":[],"body":"x"}`:                                                    "body.to",
		`{"to":["gone"],"body":"x"}`:                                              "body.to",
		`{"group":"gone","body":"x"}`:                                             "body.group",
		`{"group":"allqueues","body":"x"}`:                                        "body.group",
		`{"to":["demo102"` + strings.Repeat(`,"demo102"`, 1000) + `],"body":"x"}`: "body.to",
	} {
		if res := anna.want(422, "POST", "/texts", body, nil); !strings.Contains(res.text, fmt.Sprintf("%q", at)) {
			t.Errorf("%.60s: %s", body, res.text)
		}
	}
	if n := m.audited("show-texts"); n != 0 {
		t.Errorf("%d looks at the own messages are in the audit log", n)
	}
	admin.want(200, "POST", "/session/impersonation", `{"user":"demo101"}`, nil)
	admin.want(200, "GET", "/profile/texts", "", nil)
	if n := m.audited("show-texts"); n != 1 {
		t.Errorf("%d looks with the rights of another are in the audit log, want 1", n)
	}
	admin.want(200, "DELETE", "/session/impersonation", "", nil)
	anna.want(404, "DELETE", "/profile/texts/99", "", nil)
	anna.want(204, "DELETE", fmt.Sprintf("/profile/texts/%d", list[0].ID), "", nil)
	anna.want(404, "DELETE", fmt.Sprintf("/profile/texts/%d", list[0].ID), "", nil)

	m.edit(t, func(cfg *pbx.Config) { cfg.GUIGroupByID(pbx.GUIGroupUser).Off = []string{textGroupsModule} })
	to = TextReceivers{}
	anna.want(200, "GET", "/texts/receivers", "", &to)
	if len(to.Users) != 3 || len(to.Groups) != 0 {
		t.Errorf("without groups: %+v", to)
	}
	anna.want(403, "POST", "/texts", `{"group":"allusers","body":"x"}`, nil)
	m.edit(t, func(cfg *pbx.Config) { cfg.GUIGroupByID(pbx.GUIGroupUser).Off = []string{textsModule} })
	anna.want(403, "POST", "/texts", `{"to":["demo102"],"body":"x"}`, nil)
	anna.want(403, "GET", "/profile/texts", "", nil)

	s.Texts = nil
	admin.want(503, "POST", "/texts", `{"to":["demo102"],"body":"x"}`, nil)
}

// Who sends messages learns of nobody who is hidden from the directory.
func TestTextsHideUsers(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	admin := loggedIn(t, s)
	m.edit(t, func(cfg *pbx.Config) {
		cfg.UserByID("demo103").HideFromPhonebook = true
		u := cfg.UserByID("demo101")
		u.PIN, u.MustChangePIN = s.pins.Hash(pbx.Secret("314159")), false
	})
	anna := &client{t: t, s: s, addr: lanAddr}
	anna.login("demo101", "314159")
	for who, sees := range map[*client]bool{anna: false, admin: true} {
		var to TextReceivers
		who.want(200, "GET", "/texts/receivers", "", &to)
		if slices.ContainsFunc(to.Groups, func(r TextReceiver) bool { return r.ID == pbx.GroupInvisibleUsers }) != sees {
			t.Errorf("groups %+v", to.Groups)
		}
		var sent TextSent // Clara takes none
		who.want(200, "POST", "/texts", `{"group":"allusers","body":"x"}`, &sent)
		if slices.Contains(sent.Refused, "Clara Demo") != sees || sent.Receivers == 0 {
			t.Errorf("sent %+v", sent)
		}
	}
	anna.want(422, "POST", "/texts", `{"group":"allinvisibleusers","body":"x"}`, nil)
	admin.want(200, "POST", "/texts", `{"group":"allinvisibleusers","body":"x"}`, nil)
}

// A message is told only to the page of its receiver.
func TestTextsAreTold(t *testing.T) {
	c := &caller{user: pbx.User{ID: "demo101"}, modules: map[string]bool{textsModule: true}}
	for user, want := range map[string]bool{"demo101": true, "demo102": false, "": false} {
		if visible(pbx.Fact{Kind: pbx.FactTexts, Users: []string{user}}, c) != want {
			t.Errorf("messages of %q are told: %v", user, !want)
		}
	}
}
