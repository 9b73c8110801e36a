package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// client sends requests to a Server without a network.
type client struct {
	t     testing.TB
	s     *Server
	addr  string // address and port of the client
	token string
}

type response struct {
	*http.Response
	text string
}

func (c *client) do(method, path, body string, header ...string) *response {
	c.t.Helper()
	r := httptest.NewRequest(method, "https://galilei"+path, strings.NewReader(body))
	r.RemoteAddr = c.addr
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if method != "GET" {
		r.Header.Set("If-Match", "*")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return c.send(r)
}

func (c *client) send(r *http.Request) *response {
	c.t.Helper()
	w := httptest.NewRecorder()
	c.s.ServeHTTP(w, r)
	res := w.Result()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return &response{res, string(text)}
}

// doOnce sends a request without a body that is given up at once, so that a
// stream ends after its first event, and that matches no entry.
func (c *client) doOnce(method, path string) *response {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	r := httptest.NewRequestWithContext(ctx, method, "https://galilei"+path, nil)
	r.RemoteAddr = c.addr
	r.Header.Set("If-Match", `"none"`)
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if strings.HasSuffix(path, "/events") {
		cancel()
	}
	defer cancel()
	return c.send(r)
}

// want sends a request, checks the status and reads the answer into v.
func (c *client) want(status int, method, path, body string, v any) *response {
	c.t.Helper()
	res := c.do(method, apiPrefix+path, body)
	if res.StatusCode != status {
		c.t.Fatalf("%s %s: got status %d, want %d: %s", method, path, res.StatusCode, status, res.text)
	}
	if v != nil {
		if err := json.Unmarshal([]byte(res.text), v); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, res.text)
		}
	}
	return res
}

// login logs in and keeps the token.
func (c *client) login(user, pin string) Login {
	c.t.Helper()
	var l Login
	c.want(200, "POST", "/login", `{"user":"`+user+`","pin":"`+pin+`"}`, &l)
	c.token = l.Token
	return l
}

const (
	lanAddr    = "192.168.0.9:40000"
	remoteAddr = "203.0.113.7:40000"
	adminPIN   = "482913"
)

// loggedIn returns a client that is the administrator with a PIN of its own.
func loggedIn(t testing.TB, s *Server) *client {
	t.Helper()
	c := &client{t: t, s: s, addr: lanAddr}
	if l := c.login("admin", "0000"); !l.MustChangePIN {
		t.Fatal("the factory PIN need not be changed")
	}
	c.want(204, "PUT", "/profile/pin", `{"old":"0000","new":"`+adminPIN+`"}`, nil)
	return c
}
