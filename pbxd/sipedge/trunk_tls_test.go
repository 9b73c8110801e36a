package sipedge

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

// providerCertificate is one that an authority has issued, or itself without one.
func providerCertificate(t *testing.T, template *x509.Certificate, by *tls.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.BasicConstraintsValid = big.NewInt(1), true
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	parent, signer := template, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// A provider's certificate must be for the domain of the gateway, as a host or as
// a SIP URI (RFC 5922 section 7.1), and of the authority that was chosen.
func TestCertificateOfAProvider(t *testing.T) {
	t.Parallel()
	ca := providerCertificate(t, &x509.Certificate{IsCA: true, KeyUsage: x509.KeyUsageCertSign}, nil)
	stranger := providerCertificate(t, &x509.Certificate{IsCA: true, KeyUsage: x509.KeyUsageCertSign}, nil)
	host := func(name string) *x509.Certificate { return &x509.Certificate{DNSNames: []string{name}} }
	uri := func(text string) *x509.Certificate {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return &x509.Certificate{URIs: []*url.URL{u}}
	}
	old := host("sip.example.org")
	old.NotAfter = time.Now().Add(-time.Hour)
	for name, tt := range map[string]struct {
		shown   tls.Certificate
		lenient bool
		name    string // of the server; "" for sip.example.org
		why     string // "" when it is taken
	}{
		"the right one":            {shown: providerCertificate(t, host("sip.example.org"), &ca)},
		"a wildcard":               {shown: providerCertificate(t, host("*.example.org"), &ca)},
		"a SIP URI":                {shown: providerCertificate(t, uri("sip:sip.example.org"), &ca)},
		"an address":               {shown: providerCertificate(t, &x509.Certificate{IPAddresses: []net.IP{net.IPv6loopback}}, &ca), name: "[::1]"},
		"a SIP URI with a user":    {shown: providerCertificate(t, uri("sip:anna@sip.example.org"), &ca), why: "is not taken"},
		"an HTTP URI":              {shown: providerCertificate(t, uri("https://sip.example.org"), &ca), why: "is not taken"},
		"the name of a server":     {shown: providerCertificate(t, host("srv1.example.net"), &ca), why: "is not taken"},
		"one that has ended":       {shown: providerCertificate(t, old, &ca), why: "is not taken"},
		"of another authority":     {shown: providerCertificate(t, host("sip.example.org"), &stranger), why: "is not taken"},
		"of nobody":                {shown: providerCertificate(t, host("sip.example.org"), nil), why: "is not taken"},
		"of nobody, and it may be": {shown: providerCertificate(t, host("other.example.org"), nil), lenient: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			general := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool(), InsecureSkipVerify: tt.lenient}
			general.RootCAs.AddCert(ca.Leaf)
			if tt.name == "" {
				tt.name = "sip.example.org"
			}
			near, far := net.Pipe()
			defer near.Close()
			defer far.Close()
			go func() { _ = tls.Server(far, &tls.Config{Certificates: []tls.Certificate{tt.shown}}).Handshake() }() // the other side says what is wrong
			err := tls.Client(near, named(general, tt.name)).Handshake()
			switch {
			case tt.why == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.why != "" && err == nil:
				t.Error("taken")
			case tt.why != "":
				if text := whyDown("sip.example.org", err); !strings.Contains(text.Text(), tt.why) || text.Template == "" {
					t.Errorf("told %q", text.Text())
				}
			}
		})
	}
}
