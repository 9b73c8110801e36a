package web

import (
	"crypto/ed25519"
	"crypto/sha256"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/license"
	"galilei/pbxd/pbx"
)

const serial = "7K3Q9F2MABCD"

// vendor is the key of a vendor.
func vendor(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func licenseFor(t testing.TB, users int, expires, serial, by string) string {
	t.Helper()
	text, err := license.Sign(license.License{Model: "T640", Serial: serial, Users: users, Expires: expires, Issued: "2026-01-01", Customer: "Example GmbH"}, vendor(by))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// licensedServer needs a licence of the vendor a.
func licensedServer(t testing.TB, m *memory, now *time.Time) *Server {
	t.Helper()
	s, err := New(t.Context(), Deps{Store: m, Facts: m, Mail: m, Model: m.model, Version: "1.2.3", SIPPort: func() uint16 { return 5060 }, Health: m.health,
		Now: func() time.Time { return *now }, Log: slog.New(slog.DiscardHandler),
		License: LicenseDeps{Required: true, Key: vendor("a").Public().(ed25519.PublicKey), Serial: serial}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLicense walks through a device that needs a licence: without one users
// cannot be added or changed, by no way there is; with one they can, up to its
// number; when it has expired no longer.
func TestLicense(t *testing.T) {
	m := newMemory()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	c := loggedIn(t, licensedServer(t, m, &now)) // the own PIN can be changed
	var l LicenseState
	if c.want(200, "GET", "/license", "", &l); l.State != "missing" || !l.Required || l.Serial != serial || !strings.HasPrefix(l.Code, "T640-7K3Q-") || l.Users != 3 || l.Problem == nil {
		t.Errorf("none: got %+v", l)
	}
	const eva = `{"user":"eva","extension":"210"}`
	refused := func(why string) {
		t.Helper()
		before, _ := m.Current()
		for _, x := range []struct{ method, path, body string }{
			{"POST", "/users", eva},
			{"PUT", "/users/demo101", `{"user":"demo101","extension":"108"}`},
			{"POST", "/users/demo101/new-sip-password", ""},
			{"POST", "/wizard", `{"locale":{"country":"DE","language":"en","timeZone":"Europe/Berlin"},"users":[{"firstName":"Eva","lastName":"","extension":"201"}]}`},
			{"PUT", "/profile", `{"mobile":"1","home":"","language":"de"}`},
		} {
			if res := c.do(x.method, apiPrefix+x.path, x.body, "If-Match", "*"); res.StatusCode != 403 || !strings.Contains(res.text, why) {
				t.Errorf("%s %s: got %d %s, want 403, %q", x.method, x.path, res.StatusCode, res.text, why)
			}
		}
		if r := c.upload(t, 200, "/users/import?check=false", "text/csv", userHeader+"nora,219,4711,Nora\n"); r.Imported != 0 || !strings.Contains(r.problem(0), why) {
			t.Errorf("import: got %+v", r)
		}
		if after, _ := m.Current(); after != before {
			t.Error("the configuration was changed")
		}
	}
	refused("give the vendor the code")
	c.want(200, "PUT", "/sip-settings", `{"minExpires":60,"maxExpires":3600,"maxContacts":5,"ringTime":60,"forwardTime":20,"parkTime":60,"srtp":"offered","tlsPort":5061,"sessionExpires":1800}`, nil) // the rest can be changed
	for _, tc := range []struct{ name, text, words string }{
		{"no licence", "hello", "not a licence"},
		{"another vendor", licenseFor(t, 5, "", serial, "b"), "signature of the licence is wrong"},
		{"another device", licenseFor(t, 5, "", "AAAABBBB", "a"), "is for the device AAAABBBB"},
		{"expired", licenseFor(t, 5, "2026-05-31", serial, "a"), "expired on 2026-05-31"},
		{"changed", strings.Replace(licenseFor(t, 5, "", serial, "a"), `"users": 5`, `"users": 50`, 1), "signature of the licence is wrong"},
		{"too large", strings.Repeat(" ", license.MaxSize+10), "not a licence"},
	} {
		if res := c.do("PUT", apiPrefix+"/license", tc.text, "Content-Type", "text/plain"); res.StatusCode != 422 || !strings.Contains(res.text, tc.words) {
			t.Errorf("%s: got %d %s", tc.name, res.StatusCode, res.text)
		}
	}
	put := func(text string) {
		t.Helper()
		if res := c.do("PUT", apiPrefix+"/license", text, "Content-Type", "application/octet-stream"); res.StatusCode != 200 {
			t.Fatalf("got %d %s", res.StatusCode, res.text)
		}
	}
	put(licenseFor(t, 5, "2027-12-31", serial, "a"))
	// A bad one does not replace a good one.
	c.do("PUT", apiPrefix+"/license", licenseFor(t, 50, "", serial, "b"), "Content-Type", "text/plain")
	if c.want(200, "GET", "/license", "", &l); l.State != "active" || l.MaxUsers != 5 || l.Customer != "Example GmbH" || l.Expires != "2027-12-31" {
		t.Errorf("active: got %+v", l)
	}
	c.want(201, "POST", "/users", eva, nil)
	r := c.upload(t, 200, "/users/import?check=false", "text/csv", userHeader+"fred,211,4711,\ngina,212,4711,\n")
	if r.Imported != 1 || !strings.Contains(r.problem(1), "The licence is for 5 users") {
		t.Errorf("import beyond the licence: got %+v", r)
	}
	if res := c.want(403, "POST", "/users", `{"user":"hans","extension":"213"}`, nil); !strings.Contains(res.text, "The licence is for 5 users") {
		t.Errorf("got %s", res.text)
	}
	c.want(200, "PUT", "/users/demo101", `{"user":"demo101","extension":"109"}`, nil)
	// Another start finds it.
	again := loggedInAs(t, licensedServer(t, m, &now))
	if again.want(200, "GET", "/license", "", &l); l.State != "active" {
		t.Errorf("after a restart: got %+v", l)
	}
	_, revision := m.Current()
	now = time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)
	c = again
	c.login("admin", adminPIN)
	if c.want(200, "GET", "/license", "", &l); l.State != "expired" {
		t.Errorf("expired: got %+v", l)
	}
	refused("expired on 2027-12-31")
	c.want(204, "DELETE", "/users/demo103", "", nil) // users can be deleted
	c.want(403, "POST", "/revisions/"+strconv.FormatInt(revision, 10)+"/restore", "", nil)
	c.want(200, "DELETE", "/license", "", &l)
	if l.State != "missing" || m.audited("upload-license") != 1 || m.audited("delete-license") != 1 {
		t.Errorf("deleted: got %+v", l)
	}
}

// loggedInAs is the administrator whose PIN has been changed already.
func loggedInAs(t testing.TB, s *Server) *client {
	t.Helper()
	c := &client{t: t, s: s, addr: lanAddr}
	c.login("admin", adminPIN)
	return c
}

// TestNoLicenseNeeded checks that the model's limits hold in the open build,
// and that it takes no licence.
func TestNoLicenseNeeded(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	var l LicenseState
	if c.want(200, "GET", "/license", "", &l); l.State != "not-needed" || l.Required || l.MaxUsers != 80 || l.Problem != nil {
		t.Errorf("got %+v", l)
	}
	c.want(201, "POST", "/users", `{"user":"eva","extension":"210"}`, nil)
	if res := c.do("PUT", apiPrefix+"/license", licenseFor(t, 5, "", serial, "a"), "Content-Type", "text/plain"); res.StatusCode != 409 {
		t.Errorf("upload: got %d, want 409", res.StatusCode)
	}
}

// TestStoredLicense checks that one that cannot be read keeps nobody out.
func TestStoredLicense(t *testing.T) {
	m := newMemory()
	m.secrets[licenseSecret] = []byte("damaged")
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	s := licensedServer(t, m, &now)
	if st := s.license.state(); st.Status != license.Missing {
		t.Errorf("got %s, want missing", st.Status)
	}
	if err := s.licensed(pbx.Factory(pbx.Defaults{}), pbx.Factory(pbx.Defaults{})); err != nil {
		t.Errorf("no change was refused: %v", err)
	}
}
