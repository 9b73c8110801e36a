package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// certificateFor makes a certificate with its key.
func certificateFor(t testing.TB, host string) (chain, key string) {
	t.Helper()
	text, err := newCertificate(pbx.Network{Hostname: host})
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(text), "-----BEGIN PRIVATE KEY")
	return string(text[:at]), string(text[at:])
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCertificates(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	c := loggedIn(t, s)
	chain, key := certificateFor(t, "new.example")
	_, otherKey := certificateFor(t, "other.example")
	body := func(description, chain, key string) string {
		return asJSON(t, map[string]string{"description": description, "certificate": chain, "key": key})
	}
	var made CertificateInfo
	res := c.want(201, "POST", "/certificates", body("Office", chain, key), &made)
	if made.Subject != "new.example" || made.InUse || len(made.Fingerprint) != 95 || made.KeyType != "ECDSA P-256" || len(made.Warnings) == 0 {
		t.Errorf("got %+v", made)
	}
	var list []CertificateInfo
	all := c.want(200, "GET", "/certificates", "", &list)
	if len(list) != 2 || list[0].ID != "device" || !list[0].InUse || list[0].Subject != "galilei" || list[1].Description != "Office" {
		t.Errorf("got %+v", list)
	}
	if own := list[0]; own.NotAfter.Sub(own.NotBefore) < 826*24*time.Hour || strings.Contains(fmt.Sprint(own.Warnings), "Apple devices") {
		t.Errorf("nobody can shorten the device's own certificate, but it warns: %+v", own)
	}
	for _, text := range []string{res.text, all.text, c.want(200, "GET", "/certificates/"+made.ID, "", nil).text} {
		if strings.Contains(text, "PRIVATE KEY") || strings.Contains(text, "x1:") || strings.Contains(text, strings.Split(key, "\n")[1]) {
			t.Error("an answer holds the key")
		}
	}
	for _, r := range m.revisions {
		if strings.Contains(asJSON(t, r), "PRIVATE KEY") {
			t.Error("the history holds the key")
		}
	}
	for _, tc := range []struct{ body, field, words string }{
		{body("Office", chain, key), "description", "already in use"},
		{body("", chain, key), "description", "is needed"},
		{body("X", "hello", key), "certificate", "not a certificate in PEM form"},
		{body("X", chain, "hello"), "key", "not a private key in PEM form"},
		{body("X", chain, otherKey), "key", "does not belong to the certificate"},
		{body("X", chain+"text behind", key), "certificate", "text after the last"},
		{body("X", strings.Repeat("x", 70<<10), key), "certificate", "larger than"},
		{`{"description":"X"}`, "certificate", ""},
	} {
		c.refused(t, "POST", "/certificates", tc.body, tc.field, tc.words)
	}
	c.want(409, "DELETE", "/certificates/device", "", nil)
	c.want(409, "PUT", "/certificates/device", `{"description":"X"}`, nil)
	c.want(404, "DELETE", "/certificates/none", "", nil)
	c.want(404, "POST", "/certificates/none/use", "", nil)
	c.want(409, "POST", "/certificates/device/use", "", nil) // in use already
	nextChain, nextKey := certificateFor(t, "next.example")
	c.refused(t, "PUT", "/certificates/"+made.ID, asJSON(t, map[string]string{"description": "Office", "certificate": nextChain}), "key", "does not belong")
	c.want(200, "PUT", "/certificates/"+made.ID, asJSON(t, map[string]string{"description": "Branch", "certificate": nextChain, "key": nextKey}), &made)
	if made.Subject != "next.example" || made.Description != "Branch" {
		t.Errorf("changed: got %+v", made)
	}
	if res := c.do("DELETE", apiPrefix+"/certificates/"+made.ID, "", "If-Match", `"other"`); res.StatusCode != 412 {
		t.Errorf("deletion of another state: got %d, want 412", res.StatusCode)
	}
	var p pbx.PendingChange
	c.want(202, "POST", "/certificates/"+made.ID+"/use", "", &p)
	if p.Section != "page" || p.Author != "admin" || p.Deadline.Sub(p.Begun) != 120*time.Second {
		t.Errorf("got %+v", p)
	}
	c.want(409, "POST", "/certificates/device/use", "", nil) // one change at a time
	c.want(409, "DELETE", "/certificates/"+made.ID, "", nil)
	c.want(409, "PUT", "/certificates/"+made.ID, `{"description":"X"}`, nil)
	c.want(204, "POST", "/pending-change/"+p.ID+"/revert", "", nil)
	c.want(204, "DELETE", "/certificates/"+made.ID, "", nil)
	for action, n := range map[string]int{"add-certificate": 1, "change-certificate": 1, "use-certificate": 1, "delete-certificate": 1} {
		if got := m.audited(action); got != n {
			t.Errorf("%s audited %d times, want %d", action, got, n)
		}
	}
}

// TestOldCertificate checks that a certificate which went out of its time, or
// whose key this device cannot read, is shown with that and cannot be used.
func TestOldCertificate(t *testing.T) {
	m := newMemory()
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	s := newServer(t, m, func() time.Time { return now })
	c := loggedIn(t, s)
	m.addCertificate(t, "c1", "old.example")
	m.edit(t, func(cfg *pbx.Config) {
		cfg.Certificates = append(cfg.Certificates, pbx.Certificate{ID: "c2", Description: "foreign", Chain: cfg.Certificates[0].Chain,
			Key: pbx.NewDeviceKey().Seal(pbx.CertificatePurpose("c2"), "key")})
	})
	now = time.Date(2051, 1, 1, 0, 0, 0, 0, time.UTC)
	c.login("admin", adminPIN)
	var list []CertificateInfo
	c.want(200, "GET", "/certificates", "", &list)
	for i, want := range map[int]string{1: "expired on 2049-12-31", 2: "cannot be read on this device"} {
		if len(list) != 3 || len(list[i].Warnings) != 1 || !strings.Contains(list[i].Warnings[0].Message, want) {
			t.Fatalf("%d: got %+v, want %q", i, list, want)
		}
	}
	if list[1].Subject != "old.example" {
		t.Errorf("got %+v", list[1])
	}
	for _, id := range []string{"c1", "c2"} {
		c.want(409, "POST", "/certificates/"+id+"/use", "", nil)
	}
}

// TestCertificateOverTLS uploads a certificate over TLS and uses it: it is
// served, the connection of before cannot confirm it, a new one can; the next
// time it is left to revert, and the device's own is served again.
func TestCertificateOverTLS(t *testing.T) {
	m := newMemory()
	s := newServer(t, m, nil)
	token := loggedIn(t, s).token
	base := served(t, s)
	old := newTLSClient(t, base, token, false, nil)
	chain, key := certificateFor(t, "new.example")
	var made CertificateInfo
	old.post(t, 201, "/certificates", asJSON(t, map[string]string{"description": "New", "certificate": chain, "key": key}), &made)
	var p pbx.PendingChange
	old.post(t, 202, "/certificates/"+made.ID+"/use", "", &p)
	fresh := newTLSClient(t, base, token, false, nil)
	if status, shown := fresh.call("GET", "/session", nil); status != 200 || shown != "new.example" {
		t.Fatalf("got %d from %s, want the new certificate", status, shown)
	}
	if status, shown := old.call("POST", "/pending-change/"+p.ID+"/confirm", nil); status != 409 && shown == "galilei" {
		t.Errorf("confirmed over the connection of before: %d", status)
	}
	if status, _ := fresh.call("POST", "/pending-change/"+p.ID+"/confirm", nil); status != 204 {
		t.Errorf("confirmed over a new connection: got %d, want 204", status)
	}
	fresh.post(t, 202, "/certificates/device/use", "", &p)
	if status, shown := newTLSClient(t, base, token, false, nil).call("GET", "/session", nil); status != 200 || shown != "galilei" {
		t.Errorf("got %d from %s, want the device's own", status, shown)
	}
	if err := m.RevertPending(t.Context(), "system", p.ID); err != nil { // as the store does when the time is over
		t.Fatal(err)
	}
	if status, shown := newTLSClient(t, base, token, false, nil).call("GET", "/session", nil); status != 200 || shown != "new.example" {
		t.Errorf("after the time: got %d from %s, want the certificate of before", status, shown)
	}
}

// post sends a body as JSON and reads the answer.
func (b *tlsClient) post(t *testing.T, status int, path, body string, v any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", b.base+apiPrefix+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+b.token)
	r.Header.Set("If-Match", "*")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := b.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		t.Fatalf("POST %s: got %d, want %d: %s, error %v", path, res.StatusCode, status, text, err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatalf("POST %s: %v in %s", path, err, text)
	}
}
