package pbxdtest

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"
)

// Admin is an administrator who uses the API.
type Admin struct {
	t     testing.TB
	base  string
	http  *http.Client
	token string
}

func (s *System) admin() *Admin {
	a := &Admin{t: s.T, base: "https://" + s.Web.String(), http: &http.Client{
		Timeout:   wait,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, // the device's own certificate
	}}
	s.T.Cleanup(a.http.CloseIdleConnections)
	return a
}

// Login logs the administrator in on a new system and changes the PIN.
func (s *System) Login() *Admin {
	s.T.Helper()
	a := s.admin()
	var session struct {
		Token         string `json:"token"`
		MustChangePIN bool   `json:"mustChangePin"`
	}
	a.Do("POST", "/api/v1/login", map[string]string{"user": "admin", "pin": "0000"}, 200, &session)
	a.token = session.Token
	if !session.MustChangePIN {
		s.T.Fatal("the factory PIN need not be changed")
	}
	a.Do("GET", "/api/v1/users", nil, 403, nil)
	a.Do("PUT", "/api/v1/profile/pin", map[string]string{"old": "0000", "new": "4711"}, 0, nil)
	return a
}

// As logs in as a user whose PIN needs no change.
func (s *System) As(user, pin string) *Admin {
	s.T.Helper()
	a := s.admin()
	var session struct {
		Token string `json:"token"`
	}
	a.Do("POST", "/api/v1/login", map[string]string{"user": user, "pin": pin}, 200, &session)
	a.token = session.Token
	return a
}

// Served returns the first host name of the certificate that a new connection
// to the page is shown.
func (s *System) Served(t testing.TB) string {
	t.Helper()
	conn, err := tls.Dial("tcp", s.Web.String(), &tls.Config{InsecureSkipVerify: true}) // the certificate is what is asked for
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	names := conn.ConnectionState().PeerCertificates[0].DNSNames
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// Do sends a request and checks its status; 0 accepts every success. The
// answer is read into out.
func (a *Admin) Do(method, path string, body any, status int, out any) {
	a.t.Helper()
	var r io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		r = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, a.base+path, r)
	if err != nil {
		a.t.Fatal(err)
	}
	if method != http.MethodGet {
		req.Header.Set("If-Match", "*") // tests are the only administrator
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	start := time.Now()
	res, err := a.http.Do(req)
	if err != nil {
		a.t.Fatalf("%s %s after %v: %v", method, path, time.Since(start), err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatalf("%s %s: %v", method, path, err)
	}
	if status == 0 && res.StatusCode >= 300 || status != 0 && res.StatusCode != status {
		a.t.Fatalf("%s %s: got %s, want %d\n%s", method, path, res.Status, status, text)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			a.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}
