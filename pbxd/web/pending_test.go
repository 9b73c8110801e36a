package web

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// tlsClient is a client over TLS that sees which certificate it was shown.
type tlsClient struct {
	t     *testing.T
	base  string
	token string
	http  *http.Client
}

func newTLSClient(t *testing.T, base, token string, h2 bool, cache tls.ClientSessionCache) *tlsClient {
	tr := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ClientSessionCache: cache}, ForceAttemptHTTP2: h2}
	t.Cleanup(tr.CloseIdleConnections)
	return &tlsClient{t, base, token, &http.Client{Transport: tr}}
}

// call sends a request and returns the status, the answer and the name of the
// certificate of its connection.
func (b *tlsClient) call(method, path string, v any) (status int, shown string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+apiPrefix+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+b.token)
	res, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if v != nil {
		if err := json.Unmarshal(text, v); err != nil {
			b.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
	return res.StatusCode, res.TLS.PeerCertificates[0].Subject.CommonName
}

// served runs s on a loopback port until the test ends.
func served(t *testing.T, s *Server) (base string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return "https://" + l.Addr().String()
}

// addCertificate puts a certificate for the host name into the configuration.
func (m *memory) addCertificate(t *testing.T, id, host string) {
	t.Helper()
	text, err := newCertificate(pbx.Network{Hostname: host})
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(text), "-----BEGIN PRIVATE KEY")
	m.edit(t, func(cfg *pbx.Config) {
		cfg.Certificates = append(cfg.Certificates, pbx.Certificate{ID: id, Description: host, Chain: string(text[:at]),
			Key: m.key.Seal(pbx.CertificatePurpose(id), pbx.Secret(text[at:]))})
	})
}

// TestConfirmFromTheNewSituation changes the certificate of the page over
// HTTP/1.1 and HTTP/2: the connection of before cannot confirm it and ends, a
// new one can.
func TestConfirmFromTheNewSituation(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("h2=%t", h2), func(t *testing.T) {
			m, s := office(t)
			m.addCertificate(t, "c1", "new.example")
			base := served(t, s)
			token := enter(t, s, pbx.AdminID).token
			cache := tls.NewLRUClientSessionCache(8)
			b := newTLSClient(t, base, token, h2, cache)
			if status, shown := b.call("GET", "/session", nil); status != 200 || shown != "galilei" {
				t.Fatalf("before: got %d from %s", status, shown)
			}
			p, err := s.commitTentative(asAdmin(t, s), pbx.Say("Certificate"), "page", pendingWindow, func(cfg *pbx.Config) error {
				cfg.Page.Certificate = "c1"
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			confirm := "/pending-change/" + p.ID + "/confirm"
			if status, shown := b.call("POST", confirm, nil); status != 409 || shown != "galilei" {
				t.Errorf("confirmed over the old connection: got %d from %s", status, shown)
			}
			var st PendingState
			// The client may take a moment to learn that its connection is over.
			shown := ""
			for range 50 {
				if _, shown = b.call("GET", "/pending-change", &st); shown == "new.example" {
					break
				}
				if st.Confirmable {
					t.Fatal("the old connection may confirm")
				}
				time.Sleep(20 * time.Millisecond)
			}
			if shown != "new.example" || !st.Confirmable || st.Pending == nil || st.SecondsLeft < 100 || st.SecondsLeft > 120 {
				t.Fatalf("over a new connection, which was shown %s: %+v", shown, st)
			}
			if status, _ := b.call("POST", "/pending-change/other/confirm", nil); status != 404 {
				t.Errorf("another change: got %d, want 404", status)
			}
			if status, _ := b.call("POST", confirm, nil); status != 204 || m.Pending() != nil {
				t.Errorf("confirmed over the new connection: got %d", status)
			}
			if n := m.audited("confirm-change"); n != 1 {
				t.Errorf("confirmed %d times in the audit log", n)
			}
		})
	}
}

// asAdmin is the context of a request of admin.
func asAdmin(t *testing.T, s *Server) context.Context {
	c := &caller{token: hashToken(enter(t, s, pbx.AdminID).token), op: operation{access: accessUser}}
	if !s.refresh(c, false) {
		t.Fatal("admin has no session")
	}
	return context.WithValue(t.Context(), callerKey{}, c)
}

// TestRevertPending goes back by hand.
func TestRevertPending(t *testing.T) {
	m, s := office(t)
	m.addCertificate(t, "c1", "new.example")
	admin := enter(t, s, pbx.AdminID)
	p, err := s.commitTentative(asAdmin(t, s), pbx.Say("Certificate"), "page", pendingWindow, func(cfg *pbx.Config) error {
		cfg.Page.Certificate = "c1"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if id := s.serving.Load().id; id != "c1" {
		t.Errorf("the page is shown with %q", id)
	}
	admin.want(404, "POST", "/pending-change/x/revert", "", nil)
	admin.want(204, "POST", "/pending-change/"+p.ID+"/revert", "", nil)
	admin.want(404, "POST", "/pending-change/"+p.ID+"/revert", "", nil)
	var st PendingState
	admin.want(200, "GET", "/pending-change", "", &st)
	if st.Pending != nil || st.Confirmable || s.serving.Load().id != "" {
		t.Errorf("after going back: %+v, shown with %q", st, s.serving.Load().id)
	}
}

// TestUnusableCertificate chooses certificates that cannot be used: the page
// stays within reach with the device's own.
func TestUnusableCertificate(t *testing.T) {
	m, s := office(t)
	base := served(t, s)
	token := enter(t, s, pbx.AdminID).token
	m.addCertificate(t, "good", "good.example")
	for name, change := range map[string]func(*pbx.Certificate){
		"another device's key":      func(c *pbx.Certificate) { c.Key = pbx.NewDeviceKey().Seal(pbx.CertificatePurpose("bad"), "x") },
		"a key that is none":        func(c *pbx.Certificate) { c.Key = m.key.Seal(pbx.CertificatePurpose("bad"), "x") },
		"a chain that is none":      func(c *pbx.Certificate) { c.Chain = "x" },
		"another certificate's key": func(c *pbx.Certificate) { c.Key = m.key.Seal(pbx.CertificatePurpose("good"), "x") },
	} {
		m.edit(t, func(cfg *pbx.Config) {
			bad := cfg.Certificates[0]
			bad.ID, bad.Description = "bad", "bad"
			change(&bad)
			cfg.Certificates = append(cfg.Certificates[:1], bad)
			cfg.Page.Certificate = "bad"
		})
		if status, shown := newTLSClient(t, base, token, true, nil).call("GET", "/session", nil); status != 200 || shown != "galilei" {
			t.Errorf("%s: got %d from %s, want 200 from galilei", name, status, shown)
		}
	}
	m.edit(t, func(cfg *pbx.Config) { cfg.Page.Certificate = "good" })
	if _, shown := newTLSClient(t, base, token, true, nil).call("GET", "/session", nil); shown != "good.example" {
		t.Errorf("a good one: shown %s", shown)
	}
}
