package web

import (
	"encoding/json"
	"strings"
	"testing"

	"galilei/pbxd/pbx"
)

// FuzzChangeUser sends anything as a user. The answer is never a fault of the
// server, what is accepted is a valid configuration, and no secret comes back.
func FuzzChangeUser(f *testing.F) {
	for _, seed := range []string{`{"user":"eva","extension":"210","pin":"4711","sipPassword":"abcdef"}`, `{"user":null}`, `[]`, `null`, `{"admin":1}`, `{"user":"a\u0000b"}`,
		`{"UserSettings":{"user":"x"}}`, `{"user":"eva","user":"eva2","extension":"3333"}`, `{`, `"`, strings.Repeat("[", 2000)} {
		f.Add(seed)
	}
	m := newMemory()
	s := newServer(f, m, nil)
	admin := loggedIn(f, s)
	f.Fuzz(func(t *testing.T, body string) {
		c := &client{t: t, s: s, addr: lanAddr, token: admin.token}
		for _, x := range []struct{ method, path string }{{"POST", "/users"}, {"PUT", "/users/demo102"}, {"PUT", "/sip-settings"}} {
			res := c.do(x.method, apiPrefix+x.path, body)
			if res.StatusCode >= 500 || strings.Contains(res.text, "argon2id") {
				t.Fatalf("%s %s %q: got %d %s", x.method, x.path, body, res.StatusCode, res.text)
			}
			if !json.Valid([]byte(res.text)) {
				t.Fatalf("%s %s %q: answer is not JSON: %s", x.method, x.path, body, res.text)
			}
		}
		cfg, _ := m.Current()
		if err := pbx.Validate(cfg, m.model); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzLogin sends anything as a login.
func FuzzLogin(f *testing.F) {
	for _, seed := range []string{`{"user":"admin","pin":"0000"}`, `{"user":"","pin":""}`, `{"pin":1}`, `{"user":"admin"}`} {
		f.Add(seed, "192.168.0.9:1")
	}
	s := newServer(f, newMemory(), nil)
	f.Fuzz(func(t *testing.T, body, addr string) {
		s.backoff = newBackoff()
		res := (&client{t: t, s: s, addr: addr}).do("POST", apiPrefix+"/login", body)
		var l Login
		if res.StatusCode >= 500 {
			t.Fatalf("%q: got %d %s", body, res.StatusCode, res.text)
		}
		if res.StatusCode == 200 && (json.Unmarshal([]byte(res.text), &l) != nil || !l.MustChangePIN) {
			t.Fatalf("%q from %q: %s", body, addr, res.text)
		}
	})
}

// FuzzHost checks that a redirect goes to the host that was asked.
func FuzzHost(f *testing.F) {
	for _, seed := range []string{"galilei", "galilei:80", "[::1]:80", "a@b", "x:y", "[", "]", ":"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, hostport string) {
		host, ok := hostOnly(hostport)
		if ok && (host == "" || strings.ContainsAny(host, "/@?#\\ \r\n") || !strings.HasPrefix(hostport, host)) {
			t.Fatalf("%q gives %q", hostport, host)
		}
	})
}
