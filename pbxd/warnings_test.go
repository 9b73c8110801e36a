package pbxd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"galilei/pbxd/pbx"
)

// signedUntil is a certificate that signs itself, good until a time, as PEM.
func signedUntil(t *testing.T, name string, end time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: end.AddDate(-1, 0, 0), NotAfter: end, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// Administrators are told before the certificate ends that calls to a provider
// need, its own and that of its authority, and of no other.
func TestWarningsOfCertificates(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	soon := now.AddDate(0, 0, 10)
	cfg := pbx.Factory(pbx.Defaults{})
	for _, c := range []struct {
		id  string
		end time.Time
	}{{"own", soon}, {"ca", soon}, {"page", soon}, {"unused", soon}, {"good", now.AddDate(0, 6, 0)}} {
		cfg.Certificates = append(cfg.Certificates, pbx.Certificate{ID: c.id, Description: c.id, Chain: signedUntil(t, c.id, c.end)})
	}
	cfg.Page.Certificate = "page"
	tls := func(id, own, ca string, verify bool) pbx.Transport {
		return pbx.Transport{ID: id, TransportSettings: pbx.TransportSettings{Name: id, Type: "tls", Certificate: own, CACertificate: ca, VerifyCertificate: verify}}
	}
	cfg.Transports = []pbx.Transport{tls("a", "own", "ca", true), tls("b", "page", "good", true), tls("c", "unused", "unused", true), tls("d", "", "unused", false)}
	for _, id := range []string{"a", "b", "d"} {
		cfg.Gateways = append(cfg.Gateways, pbx.Gateway{ID: id, GatewaySettings: pbx.GatewaySettings{Transport: id, Group: "g"}})
	}
	cfg.Gateways = append(cfg.Gateways, pbx.Gateway{ID: "c", GatewaySettings: pbx.GatewaySettings{Transport: "c"}}) // in no group: nobody calls over it
	var got []string
	for _, w := range certificateWarnings(cfg, now) {
		got = append(got, w.Message.Text()+" "+w.Screen)
	}
	want := "The certificate own expires on 2026-12-03; days left: 10. Upload its successor before. certificates, The certificate ca expires on 2026-12-03; days left: 10. Upload its successor before. certificates"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got %s\nwant %s", text, want)
	}
}
