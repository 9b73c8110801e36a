package web

import (
	"slices"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

const locale = `"locale":{"country":"AT","language":"de","timeZone":""}`

func TestWizard(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	var w Wizard
	c.want(200, "GET", "/wizard", "", &w)
	if w.Done || len(w.Users) != 3 || w.Users[0].Extension != "101" || w.Users[2].FirstName != "Clara" || w.MaxUsers != 80 || w.Model != "T640" || w.Locale.Country != "DE" {
		t.Fatalf("got %+v", w)
	}
	old := *userNamed(m, "demo101")
	m.edit(t, func(cfg *pbx.Config) {
		cfg.UserByID("demo101").PIN, cfg.UserByID("demo101").MustChangePIN = anyPIN, false
		cfg.Users = cfg.Users[:3] // demo103 was deleted
	})
	_, before := m.Current()
	c.want(200, "POST", "/wizard", `{`+locale+`,"mail":`+mailBody+`,"password":"geheim-1"},"users":[{"firstName":"Eva","lastName":"Maier","extension":"201"},{"firstName":"Max","lastName":"","extension":"202"},{"firstName":"Lea","lastName":"Kurz","extension":"203","email":"lea@example.org"}]}`, &w)
	cfg, n := m.Current()
	if n != before+1 || !w.Done || !cfg.Setup.WizardDone || cfg.Locale != (pbx.Locale{Country: "AT", Language: "de", OutsideLine: "0", TimeZone: "Europe/Vienna"}) {
		t.Errorf("revision %d after %d, %+v", n, before, cfg.Locale)
	}
	if cfg.Mail.Server != "mail.example.org" || cfg.Mail.Password == "" || m.retried != 1 {
		t.Errorf("mail is %+v, the queue was told %d times", cfg.Mail.MailSettings, m.retried)
	}
	eva, lea := cfg.UserByName("demo101"), cfg.UserByName("demo103")
	if eva.FirstName != "Eva" || eva.Extension != "201" || eva.PIN != anyPIN || eva.SIPPassword != old.SIPPassword || eva.ID != "demo101" {
		t.Errorf("an existing user is %+v", eva)
	}
	if lea == nil || lea.Extension != "203" || lea.PIN != pbx.FactoryPIN || !lea.MustChangePIN || lea.SIPPassword == "" || lea.Email != "lea@example.org" {
		t.Errorf("a new user is %+v", lea)
	}
	if m.audited("finish-wizard") != 1 {
		t.Error("the wizard was not audited")
	}
	m.edit(t, func(cfg *pbx.Config) {
		cfg.Users = slices.DeleteFunc(cfg.Users, func(u pbx.User) bool { return u.Name == "demo103" })
	})
	w = Wizard{}
	c.want(200, "GET", "/wizard", "", &w) // again: who was deleted does not come back unless filled in
	if w.Users[1].Extension != "202" || w.Users[2] != (WizardUser{}) {
		t.Errorf("the second time it begins with %+v", w.Users)
	}
	c.want(200, "POST", "/wizard", `{`+locale+`,"users":[{"firstName":"Eva","lastName":"Maier","extension":"201"},{"firstName":"Max","lastName":"","extension":"202"},{"firstName":"","lastName":"","extension":""}]}`, nil)
	if cfg, _ := m.Current(); cfg.UserByName("demo103") != nil || len(cfg.Users) != 3 {
		t.Error("an empty entry made a user")
	}
	c.want(200, "POST", "/wizard", `{"locale":{"country":"CH","language":"de","timeZone":"Europe/Vienna"}}`, nil) // again, with less
	if cfg, _ := m.Current(); cfg.Locale.TimeZone != "Europe/Vienna" || cfg.UserByName("demo101").FirstName != "Eva" || cfg.Mail.Server == "" {
		t.Errorf("what was absent did not stay: %+v", cfg.Locale)
	}
}

// TestWizardRefused checks that the wizard does everything or nothing, and
// names the step.
func TestWizardRefused(t *testing.T) {
	t.Parallel()
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	users := `"users":[{"firstName":"Eva","extension":"201"},{"firstName":"Max","extension":"EXT"}]`
	before, _ := m.Current()
	for _, tc := range []struct{ body, field, words string }{
		{`{"locale":{"country":"BE","language":"en","timeZone":""},"users":[{"firstName":"Eva","lastName":"Maier","extension":"101"}]}`, "users[0].extension", "hides the emergency number 101 of Belgium"},
		{`{` + locale + `,` + strings.Replace(users, "EXT", "11", 1) + `}`, "users[1].extension", "hides the emergency number 112"},
		{`{` + locale + `,` + strings.Replace(users, "EXT", "201", 1) + `}`, "users[1].extension", "already the extension"},
		{`{` + locale + `,` + strings.Replace(users, "EXT", "x", 1) + `}`, "users[1].extension", "at least 2"},
		{`{` + locale + `,` + strings.Replace(users, "EXT", "", 1) + `}`, "users[1].extension", "is needed"},
		{`{"locale":{"country":"XX","language":"en","timeZone":"Europe/Berlin"}}`, "locale.country", "not one of the countries"},
		{`{"locale":{"country":"DE","language":"fr","timeZone":"Europe/Berlin"}}`, "locale.language", "must be one of"},
		{`{` + locale + `,"mail":` + strings.Replace(mailBody, "587", "0", 1) + `}}`, "mail.port", "1 to 65535"},
		{`{` + locale + `,"users":[{},{},{},{}]}`, "users", "at most 3"},
		{`{` + locale + `,"colour":1}`, "colour", "not known"},
	} {
		c.refused(t, "POST", "/wizard", tc.body, tc.field, tc.words)
	}
	if after, _ := m.Current(); after != before {
		t.Error("a refused wizard changed the configuration")
	}
	c.want(422, "POST", "/wizard", `{"locale":{"country":"BE","language":"en","timeZone":""}}`, nil) // users that exist are in the way
	var w Wizard
	if c.want(200, "POST", "/wizard/leave", "", &w); !w.Done || m.audited("leave-wizard") != 1 {
		t.Errorf("left: got %+v", w)
	}
	c.want(200, "POST", "/wizard/leave", "", nil)
	if m.audited("leave-wizard") != 1 {
		t.Error("leaving twice is audited twice")
	}
}

func TestCountries(t *testing.T) {
	t.Parallel()
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	var list []CountryName
	c.want(200, "GET", "/countries", "", &list)
	if len(list) != len(pbx.Countries()) || list[0].Name > list[1].Name {
		t.Errorf("got %d countries", len(list))
	}
	for _, x := range list {
		var full pbx.Country
		if c.want(200, "GET", "/countries/"+strings.ToLower(x.Code), "", &full); full.Name != x.Name || len(x.Emergency) == 0 || len(x.TimeZones) == 0 {
			t.Errorf("%s: got %s", x.Code, full.Name)
		}
	}
	c.want(404, "GET", "/countries/XX", "", nil)
	c.want(200, "PUT", "/locale", `{"country":"CH","language":"de","timeZone":""}`, nil)
	if cfg, _ := m.Current(); cfg.Locale.TimeZone != "Europe/Zurich" {
		t.Errorf("got time zone %q, want that of the country", cfg.Locale.TimeZone)
	}
	c.refused(t, "PUT", "/locale", `{"country":"CH","language":"de","timeZone":"Mars/Olympus"}`, "timeZone", "not a known time zone")
	c.want(422, "PUT", "/locale", `{"country":"BE","language":"de","timeZone":""}`, nil) // 101 is an emergency number there
}
