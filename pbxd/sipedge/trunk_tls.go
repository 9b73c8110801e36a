package sipedge

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// errCertificate says that a provider's certificate is for somebody else.
var errCertificate = errors.New("the certificate is for another name")

// named is how the certificate of a server of that name is checked, by a
// configuration for servers in general: it must be for the domain that the gateway
// names, as a host or as a SIP URI (RFC 5922 section 7.1), whatever DNS made of it.
func named(general *tls.Config, name string) *tls.Config {
	name = strings.Trim(name, "[]")
	conf := general.Clone()
	conf.ServerName = name
	if general.InsecureSkipVerify {
		return conf
	}
	now := time.Now
	if general.Time != nil {
		now = general.Time
	}
	conf.InsecureSkipVerify = true // crypto/tls knows hosts alone; what it would check is checked below
	conf.VerifyConnection = func(s tls.ConnectionState) error {
		between := x509.NewCertPool()
		for _, c := range s.PeerCertificates[1:] {
			between.AddCert(c)
		}
		leaf := s.PeerCertificates[0]
		_, err := leaf.Verify(x509.VerifyOptions{Roots: general.RootCAs, Intermediates: between, CurrentTime: now()})
		if err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
		}
		if err := leaf.VerifyHostname(name); err != nil && !forDomain(leaf, name) {
			return fmt.Errorf("%w: %w", errCertificate, err)
		}
		return nil
	}
	return conf
}

// sameRules reports whether certificates of providers are checked alike, and the same
// is shown to them, so that connections that are open do for both.
func sameRules(a, b *tls.Config) bool {
	if a == nil || b == nil {
		return a == b
	}
	roots := a.RootCAs == b.RootCAs || a.RootCAs != nil && b.RootCAs != nil && a.RootCAs.Equal(b.RootCAs)
	return roots && a.InsecureSkipVerify == b.InsecureSkipVerify && slices.EqualFunc(a.Certificates, b.Certificates, func(x, y tls.Certificate) bool {
		return slices.EqualFunc(x.Certificate, y.Certificate, bytes.Equal)
	})
}

// forDomain reports whether a certificate names a domain by a SIP URI without a
// user.
func forDomain(c *x509.Certificate, name string) bool {
	return slices.ContainsFunc(c.URIs, func(u *url.URL) bool {
		return strings.EqualFold(u.Scheme, "sip") && strings.EqualFold(u.Opaque, name)
	})
}
