package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// now is when the tests take place.
var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// issued is a certificate with its key.
type issued struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (i issued) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: i.cert.Raw})
}

func (i issued) keyPEM(t testing.TB) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(i.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockPKCS8, Bytes: der})
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// leafTemplate is a certificate that is good for pbx.example and 192.0.2.1.
func leafTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(4711),
		Subject:      pkix.Name{CommonName: "pbx.example"},
		NotBefore:    now.AddDate(0, -1, 0),
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"pbx.example", "*.pbx.example"},
		IPAddresses:  []net.IP{net.IPv4(192, 0, 2, 1)},

		BasicConstraintsValid: true,
	}
}

func authority(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.AddDate(-1, 0, 0),
		NotAfter:     now.AddDate(5, 0, 0),
		KeyUsage:     x509.KeyUsageCertSign,
		IsCA:         true,

		BasicConstraintsValid: true,
	}
}

// issue makes a certificate of a template, signed by parent or, without one,
// by itself.
func issue(t testing.TB, template *x509.Certificate, key crypto.Signer, parent *issued) issued {
	t.Helper()
	by, signer := template, key
	if parent != nil {
		by, signer = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return issued{c, key}
}

// hierarchy is a root, an intermediate authority and a certificate.
type hierarchy struct{ root, middle, leaf issued }

func newHierarchy(t testing.TB) (h hierarchy) {
	t.Helper()
	h.root = issue(t, authority("Root"), newKey(t), nil)
	h.middle = issue(t, authority("Middle"), newKey(t), &h.root)
	h.leaf = issue(t, leafTemplate(), newKey(t), &h.middle)
	return h
}
