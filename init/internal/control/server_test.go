package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"galilei/pbxd/pbx"
)

// box is a device that a test looks into.
type box struct {
	mu      sync.Mutex
	network pbx.Network
	calls   []string
	fail    error
	throw   bool
}

func (b *box) note(call string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, call)
	if b.throw {
		panic("thrown by " + call)
	}
}

func (b *box) Status() Status {
	b.note("status")
	return Status{Version: "1", Roles: []Role{{Name: "pbxd"}}}
}
func (b *box) ApplyNetwork(_ context.Context, n pbx.Network) (bool, error) {
	b.note("network " + n.Hostname)
	changed := b.network.Hostname != n.Hostname
	b.network = n
	return changed, b.fail
}
func (b *box) Reboot()   { b.note("reboot") }
func (b *box) Shutdown() { b.note("shutdown") }
func (b *box) RestartRole(name string) error {
	b.note("restart " + name)
	if name != "pbxd" {
		return fmt.Errorf("restart %q: %w", name, ErrNoRole)
	}
	return nil
}

func (b *box) Alive(name string) error {
	b.note("alive " + name)
	if name != "pbxd" {
		return fmt.Errorf("alive %q: %w", name, ErrNoRole)
	}
	return nil
}

func serve(t *testing.T, b *box, allowed ...uint32) *http.Client {
	path := filepath.Join(t.TempDir(), "s")
	for range 2 { // the second takes the place of one left behind
		l, err := Listen(path, os.Getgid())
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Listen(path, os.Getgid())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode of the socket: %v, %v", info.Mode(), err)
	}
	s := Server{Device: b, Allowed: allowed, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Validate: func(n pbx.Network) error {
		if n.Hostname == "" {
			return &pbx.ValidationError{Fields: []pbx.FieldError{{Path: "network.hostname", Rule: pbx.Say("is needed")}}}
		}
		return nil
	}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return &http.Client{Transport: tr}
}

func ask(t *testing.T, c *http.Client, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://control"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(b))
}

func TestVerbs(t *testing.T) {
	b := &box{}
	c := serve(t, b, uint32(os.Getuid()))
	for _, tt := range []struct {
		method, path, body string
		code               int
		answer             string
	}{
		{"PUT", "/v1/network", `{"hostname":"a"}`, 200, `{"changed":true}`},
		{"PUT", "/v1/network", `{"hostname":"a"}`, 200, `{"changed":false}`},
		{"PUT", "/v1/network", `{"hostname":""}`, 422, `{"error":"configuration is not valid: network.hostname is needed","fields":[{"path":"network.hostname","rule":{"template":"is needed"}}]}`},
		{"PUT", "/v1/network", `{"hostname":"a","x":1}`, 400, ""},
		{"PUT", "/v1/network", `{"hostname":"a"}{}`, 400, ""},
		{"PUT", "/v1/network", ``, 400, ""},
		{"PUT", "/v1/network", `{"hostname":"` + strings.Repeat("a", maxBody) + `"}`, 400, ""},
		{"GET", "/v1/network", ``, 405, ""},
		{"POST", "/v1/restart-role", `{"role":"pbxd"}`, 202, `{}`},
		{"POST", "/v1/restart-role", `{"role":"x"}`, 404, `{"error":"restart \"x\": no such role"}`},
		{"POST", "/v1/alive", `{"role":"pbxd"}`, 202, `{}`},
		{"POST", "/v1/alive", `{"role":"x"}`, 404, `{"error":"alive \"x\": no such role"}`},
		{"POST", "/v1/reboot", ``, 202, `{}`},
		{"POST", "/v1/shutdown", ``, 202, `{}`},
		{"GET", "/v1/reboot", ``, 405, ""},
		{"GET", "/v2/status", ``, 404, ""},
	} {
		code, answer := ask(t, c, tt.method, tt.path, tt.body)
		if code != tt.code || tt.answer != "" && answer != tt.answer {
			t.Errorf("%s %s %.60s: got %d %s, want %d %s", tt.method, tt.path, tt.body, code, answer, tt.code, tt.answer)
		}
	}
	code, answer := ask(t, c, "GET", "/v1/status", "")
	var s Status
	if err := json.Unmarshal([]byte(answer), &s); err != nil || code != 200 || s.Version != "1" || len(s.Roles) != 1 {
		t.Errorf("status: %d %s, %v", code, answer, err)
	}
	if got, want := fmt.Sprint(b.calls), "[network a network a restart pbxd restart x alive pbxd alive x reboot shutdown status]"; got != want {
		t.Errorf("calls: got %s, want %s", got, want)
	}
	b.fail = errors.New("no cable")
	if code, answer := ask(t, c, "PUT", "/v1/network", `{"hostname":"b"}`); code != 500 || !strings.Contains(answer, "no cable") {
		t.Errorf("a failure: got %d %s", code, answer)
	}
}

func TestAPanicInAnyVerbIsAnAnswer(t *testing.T) {
	b := &box{throw: true}
	c := serve(t, b, uint32(os.Getuid()))
	for _, v := range [][3]string{
		{"GET", "/v1/status", ""}, {"PUT", "/v1/network", `{"hostname":"a"}`}, {"POST", "/v1/reboot", ""},
		{"POST", "/v1/shutdown", ""}, {"POST", "/v1/restart-role", `{"role":"pbxd"}`},
		{"POST", "/v1/alive", `{"role":"pbxd"}`},
	} {
		if code, answer := ask(t, c, v[0], v[1], v[2]); code != 500 || !strings.Contains(answer, "failed inside") {
			t.Errorf("%s %s: got %d %s", v[0], v[1], code, answer)
		}
	}
}

func TestOnlyAllowedUsersGetIn(t *testing.T) {
	b := &box{}
	c := serve(t, b, uint32(os.Getuid())+1)
	if code, answer := ask(t, c, "GET", "/v1/status", ""); code != 0 {
		t.Errorf("got %d %s, want no answer", code, answer)
	}
	if len(b.calls) != 0 {
		t.Errorf("calls: %v", b.calls)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	b := &box{}
	c := serve(t, b, uint32(os.Getuid()))
	dial := c.Transport.(*http.Transport).DialContext
	var open []net.Conn
	for range maxConnections {
		conn, err := dial(t.Context(), "", "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprint(conn, "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil { // answered: its place is taken
			t.Fatal(err)
		}
		open = append(open, conn)
	}
	if code, answer := ask(t, c, "GET", "/v1/status", ""); code != 0 {
		t.Errorf("connection %d: got %d %s, want none", maxConnections+1, code, answer)
	}
	for _, conn := range open {
		conn.Close()
	}
	for code := 0; code != 200; { // places come back when the server has seen the ends
		if t.Context().Err() != nil {
			t.Fatal("no place came back")
		}
		code, _ = ask(t, c, "GET", "/v1/status", "")
	}
}
