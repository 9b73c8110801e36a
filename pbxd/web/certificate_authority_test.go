package web

import (
	"testing"
	"time"
)

// The certificate of an authority has no key: providers are checked with it, the
// page cannot be shown with it, and a transport does not lose it.
func TestAuthorityCertificate(t *testing.T) {
	m := newMemory()
	c := loggedIn(t, newServer(t, m, time.Now))
	chain, key := certificateFor(t, "provider.example") // signed by itself: it stands for itself
	var ca, own CertificateInfo
	c.want(201, "POST", "/certificates", asJSON(t, map[string]string{"description": "Provider", "certificate": chain}), &ca)
	if !ca.Authority || ca.Subject != "provider.example" {
		t.Errorf("%+v", ca)
	}
	c.want(201, "POST", "/certificates", asJSON(t, map[string]string{"description": "Own", "certificate": chain, "key": key}), &own)
	if own.Authority {
		t.Error("a certificate with its key is that of an authority")
	}
	c.want(409, "POST", "/certificates/"+ca.ID+"/use", "", nil)
	transport := map[string]any{"name": "secure", "type": "tls", "bindPort": 5071, "caCertificate": ca.ID, "certificate": ca.ID}
	c.refused(t, "POST", "/transports", asJSON(t, transport), "certificate", "without a key")
	transport["certificate"] = own.ID
	var made struct {
		ID string `json:"id"`
	}
	c.want(201, "POST", "/transports", asJSON(t, transport), &made)
	c.want(409, "DELETE", "/certificates/"+ca.ID, "", nil)
	next, _ := certificateFor(t, "next.example")
	c.want(200, "PUT", "/certificates/"+ca.ID, asJSON(t, map[string]string{"description": "Provider", "certificate": next}), &ca)
	if !ca.Authority || ca.Subject != "next.example" {
		t.Errorf("its successor is %+v", ca)
	}
	c.want(204, "DELETE", "/transports/"+made.ID, "", nil)
	c.want(204, "DELETE", "/certificates/"+ca.ID, "", nil)
}
