package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"

	"galilei/pbxd/pbx"
)

// oauthServer gives access tokens for one client, and may change the refresh
// token with each.
type oauthServer struct {
	*httptest.Server
	mu      sync.Mutex
	forms   []url.Values
	refresh string // the one that is good; "" when it must be absent
	rotates bool
	life    string // expires_in as JSON
	given   int
}

func startOAuth(t *testing.T, refresh string) *oauthServer {
	o := &oauthServer{refresh: refresh, life: "3600"}
	o.Server = httptest.NewTLSServer(o)
	t.Cleanup(o.Close)
	return o
}

func (o *oauthServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	o.forms = append(o.forms, r.PostForm)
	w.Header().Set("Content-Type", "application/json")
	grantType := "refresh_token"
	if o.refresh == "" {
		grantType = "client_credentials"
	}
	if r.PostForm.Get("grant_type") != grantType || r.PostForm.Get("refresh_token") != o.refresh || r.PostForm.Get("client_secret") != "client word" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid_grant","error_description":"token %s is not valid"}`, r.PostForm.Get("refresh_token"))
		return
	}
	o.given++
	answer := map[string]any{"access_token": o.access(), "token_type": "Bearer", "expires_in": json.RawMessage(o.life)}
	if o.rotates {
		o.refresh = fmt.Sprintf("refresh-%d", o.given)
		answer["refresh_token"] = o.refresh
	}
	json.NewEncoder(w).Encode(answer)
}

// access is the token that was given last. The lock is held.
func (o *oauthServer) access() string { return fmt.Sprintf("access-%d", o.given) }

func (o *oauthServer) asked() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.forms)
}

// oauthDevice is a device that sends by xoauth2 through a server that accepts
// only the last token.
func oauthDevice(t *testing.T, o *oauthServer, password string) (*device, *mailServer) {
	t.Helper()
	server := startServer(t, serverOptions{}, map[string]func() sasl.Server{"XOAUTH2": func() sasl.Server {
		return xoauthServer("pbx@example.com", func() string { o.mu.Lock(); defer o.mu.Unlock(); return o.access() })
	}})
	m := settingsFor(t, server.addr, func(m *pbx.MailSettings) {
		m.Authentication, m.Method, m.UserName, m.AllowPlaintextPassword = true, "xoauth2", "pbx@example.com", true
		m.OAuthTokenURL, m.OAuthClientID, m.OAuthScope = o.URL+"/token", "client-1", "https://mail.test/.default"
	})
	roots := o.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	d := newDevice(t, roots, m, password)
	d.config.Mail.ClientSecret = d.key.Seal(pbx.MailClientSecretPurpose, "client word")
	return d, server
}

// once sends one mail through the queue's own way.
func (d *device) once(t *testing.T) error {
	t.Helper()
	s, err := d.openStored(t.Context(), d.deps.Config().Mail)
	if err != nil {
		return err
	}
	defer s.close()
	return s.deliver(testMessage("bob@example.com"))
}

func TestTokenIsKept(t *testing.T) {
	for _, refresh := range []string{"refresh-0", ""} {
		o := startOAuth(t, refresh)
		d, server := oauthDevice(t, o, refresh)
		now := time.Now()
		d.tokens.now = func() time.Time { return now }
		for range 3 {
			if err := d.once(t); err != nil {
				t.Fatal(err)
			}
		}
		if o.asked() != 1 || len(server.got()) != 3 {
			t.Errorf("%d tokens for %d mails, want 1 for 3", o.asked(), len(server.got()))
		}
		form := o.forms[0]
		if form.Get("client_id") != "client-1" || form.Get("scope") != "https://mail.test/.default" {
			t.Errorf("asked with %v", form)
		}
		now = now.Add(time.Hour - expiryMargin)
		if err := d.once(t); err != nil {
			t.Fatal(err)
		}
		if o.asked() != 2 {
			t.Errorf("asked %d times, want again %v before the token ends", o.asked(), expiryMargin)
		}
	}
}

func TestRefusedTokenIsGotAnewOnce(t *testing.T) {
	o := startOAuth(t, "refresh-0")
	d, server := oauthDevice(t, o, "refresh-0")
	if err := d.once(t); err != nil {
		t.Fatal(err)
	}
	o.mu.Lock()
	o.given++ // the provider has taken the first token back
	o.mu.Unlock()
	if err := d.once(t); err != nil {
		t.Fatalf("a token that was taken back: %v", err)
	}
	if o.asked() != 2 || len(server.got()) != 2 {
		t.Errorf("%d tokens, %d mails, want 2 and 2", o.asked(), len(server.got()))
	}
	server.set(func(m *mailServer) {
		m.methods = map[string]func() sasl.Server{"XOAUTH2": func() sasl.Server { return xoauthServer("another", func() string { return "" }) }}
	})
	_, before := server.count()
	wantFault(t, d.once(t), StepLogin, FaultLogin)
	if _, after := server.count(); o.asked() != 3 || after-before != 2 {
		t.Errorf("%d tokens and %d logins, want one token more and two logins", o.asked(), after-before)
	}
}

func TestNewRefreshTokenIsKept(t *testing.T) {
	o := startOAuth(t, "refresh-0")
	o.rotates, o.life = true, "0" // a new token for each mail
	d, _ := oauthDevice(t, o, "refresh-0")
	for range 3 {
		if err := d.once(t); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(d.saved, " "); got != "refresh-1 refresh-2 refresh-3" {
		t.Errorf("saved %q", got)
	}
	// The store fails for a while; the server has taken the stored token back meanwhile.
	save := d.tokens.save
	d.tokens.save = func(context.Context, pbx.Secret, pbx.Secret) error { return errors.New("disk is full") }
	for range 2 {
		if err := d.once(t); err != nil {
			t.Fatalf("while nothing can be stored: %v", err)
		}
	}
	d.tokens.save = save
	if err := d.once(t); err != nil {
		t.Fatal(err)
	}
	stored, err := d.key.Open(pbx.MailPasswordPurpose, d.config.Mail.Password)
	if err != nil || stored.Reveal() != o.refresh {
		t.Errorf("stored token is not the last one: %v", err)
	}
	if log := d.log.String(); strings.Contains(log, "refresh-") || !strings.Contains(log, "disk is full") {
		t.Errorf("log: %s", log)
	}
}

func TestNewRefreshTokenIsNoChangeOfSettings(t *testing.T) {
	o := startOAuth(t, "refresh-0")
	o.rotates = true
	d, _ := oauthDevice(t, o, "refresh-0")
	before := d.deps.Config().Mail
	if err := d.once(t); err != nil {
		t.Fatal(err)
	}
	now := d.deps.Config().Mail
	if now == before {
		t.Fatal("no new token was stored")
	}
	if d.changed(t.Context(), before, now) {
		t.Error("the server's own token counts as a change")
	}
	now.Password = d.key.Seal(pbx.MailPasswordPurpose, "typed in")
	if !d.changed(t.Context(), before, now) {
		t.Error("a token that was typed in does not count as a change")
	}
}

func TestTokenRefused(t *testing.T) {
	o := startOAuth(t, "another-refresh")
	d, server := oauthDevice(t, o, "my-refresh-token")
	err := d.once(t)
	e := wantFault(t, err, StepToken, FaultTokenRefused)
	if !strings.Contains(e.Answer, "invalid_grant") || strings.Contains(err.Error(), "my-refresh") {
		t.Errorf("got %q, want the reason without the token", err)
	}
	if sessions, _ := server.count(); sessions != 0 {
		t.Error("connected without a token")
	}
}

func TestBadOAuthServers(t *testing.T) {
	elsewhere := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"no JSON":       {200, "<html>"},
		"no token":      {200, `{"token_type":"Bearer"}`},
		"another type":  {200, `{"access_token":"x","token_type":"mac"}`},
		"line break":    {200, `{"access_token":"x\r\nMAIL FROM:<a@b.c>"}`},
		"long":          {200, `{"access_token":"` + strings.Repeat("x", tokenAnswer) + `"}`},
		"server fault":  {500, `{"error":"server_error"}`},
		"too often":     {429, `{"error":"slow_down"}`},
		"redirect":      {307, ""},
		"wrong numbers": {200, `{"access_token":["x"],"expires_in":{}}`},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", other.URL)
				w.WriteHeader(c.status)
				w.Write([]byte(c.body))
			}))
			defer server.Close()
			d := newDevice(t, nil, pbx.MailSettings{}, "")
			_, err := d.reach.fetch(t.Context(), grant{url: server.URL, refresh: "refresh-0"}) // http, to this machine
			wantFault(t, err, StepToken, FaultTokenUnreachable)
		})
	}
	if elsewhere != 0 {
		t.Error("secrets were sent on to another server")
	}
	d := newDevice(t, nil, pbx.MailSettings{}, "")
	for _, u := range []string{"", "http://login.example.com/token", "ftp://127.0.0.1/", "https://", "https://user:word@login.example.com/", "://", "http://127.0.0.1.example.com/"} {
		_, err := d.reach.fetch(t.Context(), grant{url: u})
		wantFault(t, err, StepToken, FaultTokenURL)
	}
	block := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	defer slow.Close()
	defer close(block)
	l := d.reach.limits
	l.token = 100 * time.Millisecond
	d.limit(l)
	_, err := d.reach.fetch(t.Context(), grant{url: slow.URL})
	wantFault(t, err, StepToken, FaultTokenUnreachable)
}

func FuzzParseToken(f *testing.F) {
	f.Add(200, []byte(`{"access_token":"x","expires_in":"3599","refresh_token":"y"}`))
	f.Add(400, []byte(`{"error":"invalid_client","error_description":"no"}`))
	f.Add(200, []byte(`{"access_token":"x","expires_in":-1e308}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		got, refused, err := parseToken(status, body)
		if err != nil || refused != "" {
			return
		}
		if !visible(got.access) || got.life < 0 || got.life > longestLife {
			t.Errorf("got %+v", got)
		}
	})
}
