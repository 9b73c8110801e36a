package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"galilei/pbxd/pbx"
)

func TestUsers(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)

	var u User
	res := c.want(201, "POST", "/users", `{"user":"eva","extension":"210","firstName":"Eva","pin":"314159","sipPassword":"secret-of-eva"}`, &u)
	if u.Name != "eva" || u.Extension != "210" || !u.PINSet || !u.MustChangePIN || !u.SIPPasswordSet || u.Admin {
		t.Errorf("unexpected user: %+v", u)
	}
	if got, want := res.Header.Get("Location"), apiPrefix+"/users/"+u.ID; got != want {
		t.Errorf("Location: got %q, want %q", got, want)
	}
	for _, secret := range []string{"314159", "secret-of-eva", "argon2id", "x1:", "pinHash", "Sealed"} {
		if all := c.want(200, "GET", "/users", "", nil); strings.Contains(all.text+res.text, secret) {
			t.Errorf("answer holds %q", secret)
		}
	}
	var p SIPPassword
	c.want(200, "POST", "/users/"+u.ID+"/reveal-sip-password", "", &p)
	if p.SIPPassword != "secret-of-eva" || m.audited("reveal-sip-password") != 1 {
		t.Errorf("revealed %q, audited %d times", p.SIPPassword, m.audited("reveal-sip-password"))
	}
	if res := c.do("POST", apiPrefix+"/users/"+u.ID+"/new-sip-password", "", "If-Match", ""); res.StatusCode != 428 {
		t.Errorf("new password without If-Match: got status %d, want 428", res.StatusCode)
	}
	res = c.do("POST", apiPrefix+"/users/"+u.ID+"/new-sip-password", "", "If-Match", "*")
	if err := json.Unmarshal([]byte(res.text), &p); err != nil || res.StatusCode != 200 {
		t.Fatalf("new password: %d %s: %v", res.StatusCode, res.text, err)
	}
	if len(p.SIPPassword) != 20 {
		t.Errorf("new password has %d characters, want 20", len(p.SIPPassword))
	}

	eva := &client{t: t, s: s, addr: lanAddr}
	if l := eva.login("eva", "314159"); !l.MustChangePIN {
		t.Error("a PIN set by an administrator need not be changed")
	}
	tag := c.want(200, "GET", "/users/"+u.ID, "", nil).Header.Get("ETag")
	put := `{"user":"eva","extension":"211","firstName":"Eva","lastName":"Maier"}`
	if res := c.do("PUT", apiPrefix+"/users/"+u.ID, put, "If-Match", `"other"`); res.StatusCode != 412 {
		t.Errorf("change from another state: got status %d, want 412", res.StatusCode)
	}
	if res := c.do("PUT", apiPrefix+"/users/"+u.ID, put, "If-Match", tag); res.StatusCode != 200 || res.Header.Get("ETag") == tag {
		t.Errorf("change: got status %d, ETag %s after %s", res.StatusCode, res.Header.Get("ETag"), tag)
	}
	if cfg, _ := m.Current(); cfg.UserByExtension("211") == nil || cfg.UserByExtension("211").PIN == "" {
		t.Error("the change lost the user or the PIN")
	}
	if res := c.do("DELETE", apiPrefix+"/users/"+u.ID, "", "If-Match", tag); res.StatusCode != 412 {
		t.Errorf("deletion of another state: got status %d, want 412", res.StatusCode)
	}
	c.want(204, "DELETE", "/users/"+u.ID, "", nil)
	c.want(404, "GET", "/users/"+u.ID, "", nil)
	eva.want(401, "GET", "/session", "", nil) // the session ended with the user
	c.want(409, "DELETE", "/users/admin", "", nil)
}

// TestRefusedFields checks that problem details name the field.
func TestRefusedFields(t *testing.T) {
	s := newServer(t, newMemory(), nil)
	c := loggedIn(t, s)
	for _, tc := range []struct {
		method, path, body, field, words string
	}{
		{"POST", "/users", `{"user":"Eva","extension":"210"}`, "user", "lowercase"},
		{"POST", "/users", `{"user":"eva","extension":"2"}`, "extension", "at least 2"},
		{"POST", "/users", `{"user":"eva"}`, "extension", "is needed; only administrators"},
		{"POST", "/users", `{"user":"system","extension":"210"}`, "user", "the device itself"},
		{"POST", "/users", `{"user":"eva","extension":"101"}`, "extension", "demo101"},
		{"POST", "/users", `{"user":"demo101","extension":"210"}`, "user", "in use"},
		{"POST", "/users", `{"user":"eva","extension":210}`, "extension", "must be text"},
		{"POST", "/users", `{"user":"eva","extension":"210","colour":"red"}`, "colour", "not known"},
		{"POST", "/users", `{"user":"eva","extension":"210","pin":"0000"}`, "pin", "zeros"},
		{"POST", "/users", `{"user":"eva","extension":"210","sipPassword":"short"}`, "sipPassword", "5 characters"},
		{"POST", "/users", `{"user":"eva","extension":"210","sipPassword":"two words"}`, "sipPassword", "no spaces"},
		{"PUT", "/users/admin", `{"user":"root"}`, "user", "admin"},
		{"PUT", "/users/admin", `{"user":"admin","admin":false}`, "admin", "admin"},
		{"PUT", "/users/demo102", `{"user":"demo102","extension":"101"}`, "extension", "demo101"},
		{"PUT", "/sip-settings", `{"minExpires":0,"maxExpires":3600,"maxContacts":5,"ringTime":60}`, "minExpires", "10 to 3600"},
		{"PUT", "/sip-settings", `{"minExpires":60,"maxExpires":3600,"maxContacts":5,"ringTime":60,"externalAddress":"router"}`, "externalAddress", "IP address"},
		{"PUT", "/sip-settings", `{"minExpires":60,"maxExpires":3600,"maxContacts":5,"ringTime":60,"localNetworks":["x"]}`, "localNetworks[0]", "prefix length"},
		{"PUT", "/media-settings", `{"rtpPortMin":20001,"rtpPortMax":29999}`, "rtpPortMin", "even"},
		{"PUT", "/profile/pin", `{"old":"1","new":"5555"}`, "old", "not your PIN"},
		{"PUT", "/profile/pin", `{"old":"` + adminPIN + `","new":"12"}`, "new", "3 to 10 digits"},
	} {
		var p Problem
		res := c.want(422, tc.method, tc.path, tc.body, &p)
		if got := res.Header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s: got type %q", tc.body, got)
		}
		found := false
		for _, d := range p.Errors {
			found = found || d.Location == "body."+tc.field && strings.Contains(d.Message, tc.words)
			if d.Template == "" {
				t.Errorf("%s: %s has no template", tc.body, d.Message)
			}
		}
		if !found {
			t.Errorf("%s %s %s: want %q at %s: %s", tc.method, tc.path, tc.body, tc.words, tc.field, res.text)
		}
	}
	if res := c.do("POST", apiPrefix+"/users", `{"user":`); res.StatusCode != 422 && res.StatusCode != 400 {
		t.Errorf("broken JSON: got status %d", res.StatusCode)
	}
	if res := c.do("POST", apiPrefix+"/users", "user=eva", "Content-Type", "application/x-www-form-urlencoded"); res.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("form: got status %d, want 415", res.StatusCode)
	}
	if res := c.do("POST", apiPrefix+"/users", strings.Repeat(" ", maxBodyBytes+1)); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("big body: got status %d, want 413", res.StatusCode)
	}
}

func TestSettings(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	for _, path := range []string{"/sip-settings", "/media-settings"} {
		res := c.want(200, "GET", path, "", nil)
		c.want(200, "PUT", path, res.text, nil) // what was read can be written
	}
	c.want(200, "PUT", "/media-settings", `{"rtpPortMin":30000,"rtpPortMax":30039}`, nil)
	if cfg, _ := m.Current(); cfg.Media.RTPPortMin != 30000 || cfg.Media.RTPPortMax != 30039 {
		t.Errorf("unexpected ports: %+v", cfg.Media)
	}
}

// TestAdministratorRoundTrip writes back an administrator without extension as
// it was read.
func TestAdministratorRoundTrip(t *testing.T) {
	c := loggedIn(t, newServer(t, newMemory(), nil))
	var u User
	c.want(200, "GET", "/users/admin", "", &u)
	text, err := json.Marshal(UserChange{UserSettings: u.UserSettings})
	if err != nil {
		t.Fatal(err)
	}
	c.want(200, "PUT", "/users/admin", string(text), nil)
	c.want(200, "GET", "/session", "", nil)
}

func TestHistory(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, nil))
	c.want(204, "DELETE", "/users/demo103", "", nil)
	var list []struct {
		Number  int64
		Author  string
		Comment string
		Message pbx.Message
		Changes []struct{ Path, Old, New string }
	}
	c.want(200, "GET", "/revisions?limit=2", "", &list)
	if len(list) != 2 || list[0].Number != 3 || list[0].Author != "admin" || len(list[0].Changes) == 0 {
		t.Fatalf("unexpected revisions: %+v", list)
	}
	if want := pbx.Say("{what} {name} deleted", "what", pbx.Say("User"), "name", "demo103"); list[0].Comment != "User demo103 deleted" || !reflect.DeepEqual(list[0].Message, want) {
		t.Errorf("comment %q, message %#v, want %#v", list[0].Comment, list[0].Message, want)
	}
	var r Restored
	c.want(200, "POST", "/revisions/2/restore", "", &r)
	if cfg, _ := m.Current(); r.Revision != 4 || cfg.UserByID("demo103") == nil {
		t.Errorf("restored as %d; demo103 there: %t", r.Revision, cfg.UserByID("demo103") != nil)
	}
	c.want(404, "POST", "/revisions/99/restore", "", nil)
	c.want(422, "POST", "/revisions/x/restore", "", nil)
	c.want(422, "GET", "/revisions?limit=1000", "", nil)
	var entries []struct{ Actor, Action, Object, From string }
	c.want(200, "GET", "/audit?limit=1", "", &entries)
	if len(entries) != 1 || entries[0].Action != "restore-revision" || entries[0].From != "192.168.0.9" {
		t.Errorf("unexpected audit log: %+v", entries)
	}
}

func TestUnknownAndWrongMethod(t *testing.T) {
	c := &client{t: t, s: newServer(t, newMemory(), nil), addr: lanAddr}
	for _, tc := range []struct {
		method, path string
		status       int
		contentType  string
	}{
		{"GET", "/api/v1/nothing", 404, "application/problem+json"},
		{"PATCH", "/api/v1/users", 405, "application/problem+json"},
		{"GET", "/users/eva", 200, "text/html; charset=utf-8"},
		{"GET", "/missing.js", 404, "application/problem+json"},
		{"POST", "/", 405, "application/problem+json"},
		{"GET", "/healthz", 200, "text/plain; charset=utf-8"},
	} {
		res := c.do(tc.method, tc.path, "")
		if res.StatusCode != tc.status || res.Header.Get("Content-Type") != tc.contentType {
			t.Errorf("%s %s: got %d %s, want %d %s", tc.method, tc.path, res.StatusCode, res.Header.Get("Content-Type"), tc.status, tc.contentType)
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s %s: policy %q", tc.method, tc.path, csp)
		}
	}
}

// TestFullDisk checks that nobody sees a password when that cannot be recorded,
// and that an administrator can still log in.
func TestFullDisk(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	m.auditErr = fmt.Errorf("the disk is full: %w", syscall.ENOSPC)
	c.want(507, "POST", "/users/demo101/reveal-sip-password", "", nil)
	for _, reason := range []error{syscall.EROFS, syscall.EIO} { // a disk that became read-only
		m.auditErr = fmt.Errorf("disk I/O error (778): %w", reason)
		if res := c.want(507, "POST", "/users/demo101/reveal-sip-password", "", nil); !strings.Contains(res.text, "cannot be written") {
			t.Errorf("%v: %s", reason, res.text)
		}
	}
	c.want(507, "POST", "/session/impersonation", `{"user":"demo101"}`, nil)
	var now SessionInfo
	if c.want(200, "GET", "/session", "", &now); now.Actor != nil {
		t.Error("somebody acts as another without a record")
	}
	c.login("admin", adminPIN)
}
